// SPDX-License-Identifier: Apache-2.0
/// A ping of a WebSocket server: the handshake, and what is said after it.
#pragma once

#include <cstdint>
#include <memory>

#include <qconn/net/dialogue.hpp>

#include "websocket/settings.hpp"

namespace qconn::websocket {

enum class PingProof : std::uint8_t {
    handshake,   ///< then a close frame (1001), whose answer is not waited for
    round_trip,  ///< then a ping and its pong, and a close frame and its answer
};

/// Redirects are not followed: they end the ping badly, and the message says where to.
std::unique_ptr<Dialogue> make_websocket_ping(std::shared_ptr<const Settings> settings, PingProof proof);

}  // namespace qconn::websocket
