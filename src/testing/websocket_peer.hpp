// SPDX-License-Identifier: Apache-2.0
/// The server's side of RFC 6455 for servers of tests, without I/O: one client, no extensions. Not Boost.Beast: that would bring its symbols, and
/// Asio's, into programs of users, who may have another Boost; and the client under test has its frames from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::testing {

/// "HTTP/1.1 101 ..." for that key. @param subprotocol  empty: none is named
std::string websocket_acceptance(std::string_view key, std::string_view subprotocol);
/// "HTTP/1.1 404 ...", after which the connection ends.
std::string http_refusal(int status);

/// A text message. @param fragment  the size of its fragments; 0: one frame
std::string text_frames(std::string_view text, std::size_t fragment = 0);
std::string pong_frame(std::string_view payload);
std::string close_frame(std::uint16_t code, std::string_view reason);

/// Takes apart what a client sends: the handshake, then messages.
class WebSocketPeer {
public:
    enum class Got : std::uint8_t { nothing, handshake, text, binary, ping, pong, close, garbage };

    void add(std::string_view bytes) { input_ += bytes; }
    /// What is next; `nothing`: more has to come. After `garbage` nothing is right any more.
    Got next();

    /// Of the handshake that next() has told.
    const std::string& path() const noexcept { return path_; }  ///< without its query
    const std::string& key() const noexcept { return key_; }
    const std::string& subprotocols() const noexcept { return subprotocols_; }
    /// The message, or what a control frame carries.
    const std::string& payload() const noexcept { return payload_; }

private:
    Got handshake();
    std::optional<Got> frame();

    std::string input_;
    std::size_t at_{0};  // what is before it was taken
    bool open_{false};
    std::string path_;
    std::string key_;
    std::string subprotocols_;
    std::string message_;  // as far as it has come
    unsigned kind_{0};     // its opcode; 0: none has begun
    std::string payload_;
};

}  // namespace qconn::testing
