// SPDX-License-Identifier: Apache-2.0
/// What an eFTL client, its subscriptions and its connection can be told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/eftl/eftl_message.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// Where a server is, and who to be there. A value type.
struct QCONN_API EftlServer {
    bool tls{false};
    std::string host{};
    /// 0: 80, with TLS 443.
    std::uint16_t port{0};
    /// The path, with its slash.
    std::string channel{"/"};
    /// Where both are empty those of the options are taken.
    std::string username{};
    Secret password{};
    /// Empty: that of the options.
    std::string client_id{};

    /// Of a list `ws://user:password@host:port/channel?clientId=id|wss://…`, split at each '|' before anything else, blanks around the entries cut.
    /// User and password are percent-decoded, once. `eftl` and `eftls` mean ws and wss; other parts of the query are dropped, as in TIBCO's clients.
    /// @throws Error EFTL-OPTION-ERROR saying which entry, masked, and what is wrong with it: no host, another scheme, a port that is none
    static std::vector<EftlServer> parse_list(std::string_view urls);
    /// For messages: "ws://host:8585/channel".
    std::string shown() const;

    friend bool operator==(const EftlServer&, const EftlServer&) = default;
};

/// What becomes of messages that were sent and not answered when the connection broke, and the server has lost the session meanwhile: it may have
/// taken them, or not.
enum class EftlResend : std::uint8_t {
    always,   ///< they are sent again: none is lost, some may come twice
    resumed,  ///< only to a server that has kept the session; else they fail with EFTL-DISCONNECTED (code 11): none comes twice by that
};

/// A value type; checked when a client is made.
struct EftlOptions {
    /// For messages; the name of the connection.
    std::string label{};
    /// At least one. Tried in random order, and again in that order whenever the connection is lost.
    std::vector<EftlServer> servers{};
    /// For the servers that have none of their own. Sent in the handshake (basic) and in the log-in.
    std::string username{};
    Secret password{};
    /// Names the client for the server: of two with one name the older is disconnected. Durable subscriptions belong to it. Empty: the server makes
    /// one.
    std::string client_id{};

    TlsOptions tls{};
    std::optional<Proxy> proxy{};
    SocketOptions socket{};

    /// Longest time to reach one server: name, TCP, proxy, TLS, WebSocket handshake. Zero: no limit.
    std::chrono::milliseconds handshake_timeout{15'000};
    /// Longest time until it has answered the log-in after that. Zero: no limit.
    std::chrono::milliseconds login_timeout{15'000};
    /// Walks through the list of servers after a connection was lost; 0: none. What it counts, and the waits in between, begin anew with each
    /// connection that is of use: one that has brought a message or an answer, or that stood for auto_reconnect_max_delay. Any other is a failed
    /// attempt, and so is one that ends within that time because of what is no eFTL.
    int auto_reconnect_attempts{256};
    /// The wait before such a walk is 0.5 to 1.5 s at first and twice as long each time; not above this. Of a wait that would be longer, the half is
    /// certain and the rest random.
    std::chrono::milliseconds auto_reconnect_max_delay{30'000};
    /// False: the list is walked in its order.
    bool shuffle{true};
    EftlResend resend{EftlResend::always};
    /// Messages that the server may send before they are acknowledged. 0: the server's own number.
    std::int64_t max_pending_acks{0};

    /// Messages, requests, replies and map operations that wait for the server's answer, kept for the case that the connection breaks. Above,
    /// blocking calls wait, asynchronous ones end with EFTL-BUSY (see EftlClient::async_room).
    std::size_t max_in_flight{16'384};
    /// Likewise their bytes. A single one may be larger than that.
    std::size_t max_in_flight_bytes{std::size_t{64} * 1024 * 1024};
    /// Largest frame that is received.
    std::size_t max_frame{std::size_t{16} * 1024 * 1024};
    /// Messages that wait in all subscriptions without on_message for receive(). Above, nothing is read from the server until some are taken.
    std::size_t max_unread{10'000};
    /// Operations connect where there is no connection, or the former was lost for good; never after disconnect(). False: they end with
    /// EFTL-NOT-CONNECTED.
    bool connect_on_use{true};
};

/// Of a connection, in the order and with the numbers of TIBCO's Python library.
enum class EftlState : std::uint8_t { connecting, connected, reconnecting, disconnecting, disconnected };
/// "connecting" and so on.
QCONN_API std::string_view to_string(EftlState state) noexcept;

/// What a server said when it let the client in. A value type.
struct EftlSession {
    /// The server's URL, without user and password.
    std::string server{};
    std::string client_id{};
    /// Of the server: 0 has neither requests nor close_subscription().
    int protocol{0};
    /// Longest silence, and time between the server's signs of life. Zero: none were told.
    std::chrono::milliseconds timeout{0};
    std::chrono::milliseconds heartbeat{0};
    /// Largest frame that it takes, in bytes; 0: no limit.
    std::int64_t max_size{0};
    /// It confirms what it gets. False: publish() is over when the message has been sent.
    bool quality_of_service{false};
    bool stop_supported{false};
    /// It still had the session of the connection before.
    bool resumed{false};
    /// How many times this client has logged in.
    std::uint64_t link{0};
};

enum class EftlDurable : std::uint8_t {
    standard,    ///< one subscriber at a time; the name belongs to the client id
    shared,      ///< one name over all clients, which share the messages
    last_value,  ///< the newest message for each value of a field
};

enum class EftlAck : std::uint8_t {
    automatic,  ///< when on_message has returned, or receive() has given the message out
    client,     ///< by acknowledge() and acknowledge_all()
    none,       ///< not at all: what is lost on the way is lost
};

/// What to receive and how. A value type.
struct EftlSubscription {
    EftlMatcher matcher{};
    /// The server keeps messages under that name while nobody receives them. Empty: the subscription lives with the session.
    std::string durable{};
    EftlDurable type{EftlDurable::standard};
    /// last_value: the field whose newest values count; `matcher` must have a text for it.
    std::string key{};
    EftlAck ack{EftlAck::automatic};

    // Called on the client's I/O thread, one at a time, in order. They must not block, and may call the client's asynchronous functions. What they
    // throw is logged; the message counts as consumed.

    /// Takes the messages. Empty: they wait for EftlClient::receive().
    std::function<void(EftlMessage message)> on_message{};
    /// The server has taken the subscription: the first time, and after each reconnection.
    std::function<void(const std::string& id)> on_subscribe{};
    /// The server refused it later, or stopped it. Code 22: it is gone; otherwise it is asked for again with the next reconnection.
    std::function<void(const std::string& id, int code, const std::string& reason)> on_error{};
};

/// What happens to a client's connection. Called as the functions of EftlSubscription are. A value type.
struct EftlHandlers {
    /// The first connection is there; subscriptions made before were sent.
    std::function<void(const EftlSession& session)> on_connect{};
    /// The connection is there again after reconnect().
    std::function<void(const EftlSession& session)> on_reconnect{};
    /// The connection is there again by itself. `session.resumed` tells whether the server has kept what it had for this client.
    std::function<void(const EftlSession& session)> on_recover{};
    /// It is over, and no further attempt comes by itself. Once for each connection; nothing is called after it until the next.
    std::function<void(int code, const std::string& reason)> on_disconnect{};
    /// The server reports a fault that belongs to no call; the connection stands.
    std::function<void(int code, const std::string& reason)> on_error{};
    /// On every change. A loss is told as disconnected, reconnecting, connected; the end of all attempts as disconnected.
    std::function<void(EftlState state)> on_state_change{};
};

}  // namespace qconn
