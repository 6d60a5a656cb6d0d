// SPDX-License-Identifier: Apache-2.0
/// Feeds of Sewio RTLS Studio.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/secret.hpp>
#include <qconn/base/value.hpp>
#include <qconn/websocket/websocket_client.hpp>

namespace qconn {

/// A message of the server. A value type.
struct SewioMessage {
    /// Of the request that it answers, "subscribe"; empty where it does not say, as with news of a feed.
    std::string method{};
    /// "/feeds/17"
    std::string resource{};
    /// Of an answer: as in HTTP. 0: it has none.
    int status{0};
    Value headers{};
    Value body{};
    /// The whole message.
    Value all{};
};

struct SewioWebSocketOptions {
    /// Of its handlers on_setup, on_message and on_part are the client's own.
    WebSocketOptions websocket{};
    /// Of the API. Part of every message (`headers.X-ApiKey`), not of the handshake.
    Secret api_key{};
    /// Takes what comes; called as WebSocketHandlers::on_message is. Without it, receive() has it. What is no JSON is told to errlog and dropped.
    std::function<void(const SewioMessage&)> on_message{};
};

/// Requests and subscriptions in JSON, each with the key of the API. Feeds that are subscribed to are subscribed to anew on each new connection.
/// @note As WebSocketClient.
class QCONN_API SewioWebSocketClient final : public Client {
public:
    /// @throws Error SEWIOWEBSOCKETCLIENT-ERROR without a key; as WebSocketClient
    explicit SewioWebSocketClient(SewioWebSocketOptions options, Runtime runtime = {});
    ~SewioWebSocketClient() override;

    std::string_view label() const noexcept override;
    /// What is below. Messages sent there have no key.
    WebSocketClient& websocket() noexcept;
    /// In the place of those of the options, of which on_setup, on_message and on_part do not count. As WebSocketClient::set_handlers().
    void set_handlers(WebSocketHandlers handlers, std::function<void(const SewioMessage&)> on_message);

    /// `{"headers": {"X-ApiKey": …}, "method": …, "resource": …, "body": …}`; body only where it is not null.
    void send(std::string_view method, std::string_view resource, const Value& body = {}, Deadline deadline = {});
    /// "/feeds/17", or "/feeds/" for all. Subscribed to on this connection and on every one that follows.
    void subscribe(std::string_view resource, Deadline deadline = {});
    void unsubscribe(std::string_view resource, Deadline deadline = {});
    /// The next message. @throws Error as WebSocketClient::receive; SEWIOWEBSOCKETCLIENT-ERROR, reason bad_answer, where it is no JSON
    SewioMessage receive(Deadline deadline = {});
    Operation async_receive(Deadline deadline, Callback<SewioMessage> callback);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn
