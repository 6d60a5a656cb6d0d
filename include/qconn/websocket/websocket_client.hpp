// SPDX-License-Identifier: Apache-2.0
/// Messages to and from a server, both ways at any time (RFC 6455).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/value.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/websocket/websocket_error.hpp>
#include <qconn/websocket/websocket_options.hpp>

namespace qconn {

namespace websocket {
class Conversation;
}

/// One WebSocket connection, made by the first call that needs it (or connect()), and made anew where the options say so.
///
/// Sending: a message is queued, and goes out in the order of the calls. send() waits for room in the queue, not for the network; flush() waits until
/// the queue is empty, and async_send() calls back when its message has been handed to the system. None of that says that the server has read it. A
/// connection that breaks takes its queue along: how many messages that were is told by WebSocketEvent::unsent and by the callbacks; what is sent
/// while there is no connection waits for the next one.
///
/// Receiving: by the handlers of the options, or by receive(), not both.
///
/// @note Thread-safe. All I/O is done on one I/O thread of the runtime, where handlers and callbacks are called; blocking calls wait for that and are
/// refused on I/O threads. async_send() from a handler is the cheapest way to send: what is sent there goes out together when the handler has
/// returned. Destroying the client ends all calls as cancelled, and the connection with close code 1001 without waiting for the server's; no handler
/// is called after that, and the destructor waits for one that is running (unless it is called from it).
class QCONN_API WebSocketClient : public Client {
public:
    /// Connects nothing yet. @throws Error WEBSOCKET-OPTION-ERROR, WEBSOCKET-URL-ERROR, TLS-OPTION-ERROR
    explicit WebSocketClient(WebSocketOptions options, Runtime runtime = {});
    ~WebSocketClient() override;

    std::string_view label() const noexcept override;
    const WebSocketOptions& options() const noexcept;

    /// In the place of those of the options: for clients of a registry, whose definitions hold no functions. Before the first connection.
    /// @throws Error INVALID-ARGUMENT where one was begun; WEBSOCKET-OPTION-ERROR
    void set_handlers(WebSocketHandlers handlers);

    /// The connection that there is, else a new one; with the set-up done.
    /// @throws Error of reaching the server (NetErrc), of the handshake (WebSocketErrc), TIMEOUT, CANCELLED
    WebSocketInfo connect(Deadline deadline = {});
    Operation async_connect(Deadline deadline, Callback<WebSocketInfo> callback);
    /// Whether a connection stands now.
    bool is_open() const noexcept;

    /// Queues a message; waits while the queue is full. Connects where there is no connection, and waits for that.
    /// @throws Error WEBSOCKET-OPTION-ERROR where a text is no UTF-8; as connect()
    void send(std::string_view text, Deadline deadline = {});
    void send(WebSocketKind kind, std::string_view data, Deadline deadline = {});
    /// Never waits: the callback comes when the message has been handed to the system, or will not be. Where the queue is full, at once with
    /// WEBSOCKET-QUEUE-ERROR. The deadline is for the whole of it; a message of which a part has gone out cannot be taken back.
    Operation async_send(WebSocketKind kind, std::string data, Deadline deadline, Callback<void> callback);
    /// The same without a callback, and cheaper. False: the queue is full or there is no connection, nothing was queued.
    /// @throws Error WEBSOCKET-OPTION-ERROR where a text is no UTF-8
    bool try_send(WebSocketKind kind, std::string_view data);
    /// A message as long as the source, in frames of part_size, none of which waits in memory; other messages wait for its end. The source is read
    /// on the calling thread.
    /// @returns its bytes
    std::uint64_t send_from(WebSocketKind kind, ByteSource& source, Deadline deadline = {});
    /// The same. The source is read on an I/O thread, and must not block.
    Operation async_send_from(WebSocketKind kind, std::shared_ptr<ByteSource> source, Deadline deadline, Callback<std::uint64_t> callback);

    /// Bytes that wait to be sent.
    std::size_t queued() const noexcept;
    /// Waits until no more than that waits. @throws Error WEBSOCKET-CLOSED where the connection breaks before
    void flush(Deadline deadline = {}, std::size_t at_most = 0);
    Operation async_flush(Deadline deadline, std::size_t at_most, Callback<void> callback);

    /// The next message. Connects where there is no connection. Where it breaks: messages that came before are given out, then the error, once to
    /// each that waits; with reconnect on, waiting goes on over that.
    /// @throws Error WEBSOCKET-CLOSED, WEBSOCKET-LIMIT-ERROR, WEBSOCKET-PROTOCOL-ERROR; as connect()
    WebSocketMessage receive(Deadline deadline = {});
    Operation async_receive(Deadline deadline, Callback<WebSocketMessage> callback);
    /// The next message into a sink, part by part; at no time more than max_unread of it is in memory. The sink is called on the calling thread.
    /// @returns what it was, without the data
    WebSocketReceived receive_to(ByteSink& sink, Deadline deadline = {});
    /// The same. The sink is called on an I/O thread, and must not block.
    Operation async_receive_to(std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<WebSocketReceived> callback);

    /// As a message of the kind that WebSocketOptions::data says. @throws Error SERIALIZATION-ERROR; as send()
    void send_value(const Value& value, Deadline deadline = {});
    /// The next message, read in that format; without one: a string, or binary. @throws Error PARSE-ERROR; as receive()
    Value receive_value(Deadline deadline = {});

    /// Sends a ping and waits for its pong. @returns the round trip
    std::chrono::nanoseconds ping(Deadline deadline = {});
    Operation async_ping(Deadline deadline, Callback<std::chrono::nanoseconds> callback);

    /// Sends what is queued, then a close frame, and waits for that of the server. The client makes no connection by itself after that, until
    /// connect(). Does nothing where there is none.
    /// @param code    1000 to 1003, 1007 to 1014, or 3000 to 4999 @param reason  at most 123 bytes of UTF-8
    /// @returns how it ended; an answer that does not come within close_timeout is no error (clean is false)
    WebSocketClose close(std::uint16_t code = 1000, std::string_view reason = {}, Deadline deadline = {});
    Operation async_close(std::uint16_t code, std::string reason, Deadline deadline, Callback<WebSocketClose> callback);

private:
    friend class SewioWebSocketClient;  // ends it while others may still be in its calls
    std::shared_ptr<websocket::Conversation> conversation_;
};

}  // namespace qconn
