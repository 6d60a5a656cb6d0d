// SPDX-License-Identifier: Apache-2.0
/// One WebSocket connection, from dialing to the end of the close handshake: what clients, also those of other protocols, stand on.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/websocket/websocket_options.hpp>

#include "net/runtime_impl.hpp"
#include "websocket/settings.hpp"

namespace qconn::websocket {

/// How a connection ended.
struct End {
    WebSocketClose close;
    /// Why, where it is not the answer to close(): NetErrc before the handshake, WebSocketErrc, TIMEOUT. None after a clean close that was asked for
    /// here.
    std::optional<Error> error;
    /// Messages whose bytes were not all handed to the system.
    std::size_t unsent{0};
};

/// Told what happens; on the connection's loop, one call at a time, never from inside a call to the connection (but for on_message and on_part, from
/// inside no call at all). Any of them may call the connection, and may let go of it. What they throw ends the connection.
class Handler {
public:
    virtual ~Handler() = default;
    /// The handshake is done. What is sent from inside goes out first.
    virtual void on_open(const WebSocketInfo& info) = 0;
    /// A whole message; the view is good for the call.
    virtual void on_message(WebSocketKind kind, std::string_view data) = 0;
    /// In the place of on_message where the connection was opened for parts.
    virtual void on_part(WebSocketKind /*kind*/, std::string_view /*part*/, bool /*last*/) {}
    /// The pong to a ping() of ours, or of the keep-alive.
    virtual void on_pong(std::chrono::nanoseconds /*round_trip*/) {}
    /// A ping of the server, which is being answered.
    virtual void on_ping() {}
    /// Told once after queued() had exceeded Settings::max_queue, when it is down to the half of that.
    virtual void on_room() {}
    /// Once, and nothing after it. Before on_open: it could not be made.
    virtual void on_end(End end) = 0;
};

/// No reconnecting. All functions are for the loop's thread.
///
/// Sending encodes at once into one buffer, which is written when the current turn of the loop is over (or is large): many small messages are one
/// system call, and cost no allocation. What is received is read into one buffer and handed out as a view of that where it lies in one piece.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    /// Called when the bytes of a message have been handed to the system (null), or will not be.
    using Sent = UniqueFunction<void(const Error*)>;

    enum class Delivery : std::uint8_t { whole, parts };

    /// Begins to dial at once.
    /// @param handler   lives until on_end() or drop()
    /// @param deadline  for the handshake; Settings' connect_timeout counts besides
    static std::shared_ptr<Connection> open(net::Loop& loop, std::shared_ptr<const Settings> settings, Handler& handler, Delivery delivery,
                                            Deadline deadline);
    virtual ~Connection() = default;

    /// Open, and close() was not called.
    virtual bool is_open() const noexcept = 0;
    virtual net::Loop& loop() const noexcept = 0;
    virtual const WebSocketInfo& info() const noexcept = 0;

    /// A whole message. Text is not checked here (see is_utf8() of base): a server closes the connection because of bad one. Ignored unless is_open().
    virtual void send(WebSocketKind kind, std::string_view data) = 0;
    virtual void send(WebSocketKind kind, std::string_view data, Sent done) = 0;
    /// A part of a message; whole messages sent meanwhile wait for the last one.
    virtual void send_part(WebSocketKind kind, std::string_view data, bool last, Sent done) = 0;
    /// Bytes that wait to be written.
    virtual std::size_t queued() const noexcept = 0;
    /// Calls back once when no more than that waits (null), or it ends. Several at a time are allowed.
    virtual void when_queued(std::size_t at_most, Sent done) = 0;

    /// on_pong tells of the answer.
    virtual void ping() = 0;

    /// Reading stops before the next message or part, and pings are not answered meanwhile.
    virtual void pause() noexcept = 0;
    virtual void resume() = 0;

    /// After what is queued: a close frame. Messages that still come are handed out; on_end when the server has answered, or close_timeout is over.
    /// Before on_open: cancels. Only the first counts.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    /// Ends with that error, at once and without a close frame; on_end comes.
    virtual void fail(Error error) = 0;
    /// Ends at once; a close frame with that code is sent where that needs no waiting (0: none is). The handler is not called any more.
    virtual void drop(std::uint16_t code = 1001) noexcept = 0;
};

}  // namespace qconn::websocket
