// SPDX-License-Identifier: Apache-2.0
/// The extension permessage-deflate as it is offered and agreed on (RFC 7692 section 7.1). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <qconn/websocket/websocket_options.hpp>

namespace qconn::websocket {

/// What was agreed on. A value type.
struct Deflate {
    bool enabled{false};
    int client_window_bits{15};
    int server_window_bits{15};
    bool client_no_context_takeover{false};
    bool server_no_context_takeover{false};

    friend bool operator==(const Deflate&, const Deflate&) = default;
};

/// The value of Sec-WebSocket-Extensions in a request; empty: nothing is offered.
std::string deflate_offer(const WebSocketCompression& wanted);

/// What a server's Sec-WebSocket-Extensions comes to, all fields of that name joined by commas; a text: what is wrong with it. A server may agree to
/// what was offered, once, and to nothing else (RFC 6455 section 9.1).
struct DeflateAnswer {
    Deflate agreed{};
    std::string problem{};
};
DeflateAnswer read_deflate_answer(const WebSocketCompression& wanted, std::string_view extensions);

}  // namespace qconn::websocket
