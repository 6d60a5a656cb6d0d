// SPDX-License-Identifier: Apache-2.0
/// What a WebSocket client can be told, and what its connections and messages are.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

enum class WebSocketKind : std::uint8_t {
    text,    ///< UTF-8, which is checked both ways
    binary,  ///< any bytes
};
QCONN_API std::string_view to_string(WebSocketKind kind) noexcept;

/// A whole message. A value type.
struct WebSocketMessage {
    WebSocketKind kind{WebSocketKind::text};
    std::string data{};
};

/// A message that went into a sink. A value type.
struct WebSocketReceived {
    WebSocketKind kind{WebSocketKind::text};
    std::uint64_t size{0};
};

/// Compression of messages, permessage-deflate (RFC 7692). It is offered; the server may decline it.
struct WebSocketCompression {
    bool enabled{true};
    /// Smaller messages are sent as they are: there is little to gain.
    std::size_t above{1024};
    /// 0 (none) to 9.
    int level{6};
    /// Log 2 of the windows, 9 to 15: memory for each connection, about 2^bits bytes in and 4 * 2^bits out. RFC 7692 section 7.1.2.
    int client_window_bits{15};
    int server_window_bits{15};
    /// Each message is compressed for itself: less memory held between messages, less gain.
    bool client_no_context_takeover{false};
    bool server_no_context_takeover{false};
};

/// How a connection that broke is made anew. A value type.
struct WebSocketReconnect {
    bool enabled{false};
    /// Wait before the first try; twice as long before each further one, up to max_delay. Of each wait the half is certain, the rest random, so that
    /// clients who failed together do not come back together.
    std::chrono::milliseconds delay{1'000};
    std::chrono::milliseconds max_delay{30'000};
    /// Tries in a row; 0: no limit. A connection that stood for longer than max_delay begins anew.
    int attempts{0};
};

/// How a connection ended. A value type.
struct WebSocketClose {
    /// Of the close frame that came (RFC 6455 section 7.4.1): 1000 normal, 1001 going away, 1005: it had none. 1006: none came, the connection was
    /// cut.
    std::uint16_t code{1006};
    std::string reason{};
    /// Close frames went both ways.
    bool clean{false};
    /// The server began.
    bool by_server{false};
};

/// A connection that stands. A value type.
struct WebSocketInfo {
    /// Where it ended up after redirects; a query is shown as "?…".
    std::string url;
    /// The one that the server chose; empty: none.
    std::string subprotocol;
    /// Messages are compressed where that pays.
    bool compressed{false};
    /// Of the server's answer.
    Headers headers;
    std::string remote_address;
    int redirects{0};
    std::chrono::nanoseconds connect{0};    ///< name, TCP, proxy, TLS, of the last server
    std::chrono::nanoseconds handshake{0};  ///< from its request to its answer
    std::optional<TlsInfo> tls{};
};

/// What is sent in the set-up of a new connection, before anything else.
class QCONN_API WebSocketSetup {
public:
    virtual ~WebSocketSetup();
    virtual const WebSocketInfo& info() const noexcept = 0;
    /// True: the first connection of this client; false: one broke before.
    virtual bool is_first() const noexcept = 0;
    virtual void send(WebSocketKind kind, std::string_view data) = 0;
    void send(std::string_view text) { send(WebSocketKind::text, text); }
};

/// Something that happened to a client's connection.
struct WebSocketEvent {
    enum class What : std::uint8_t {
        open,       ///< `info`: the handshake is done, and the set-up; also after a reconnect
        closed,     ///< `close`, and `error` where it was not asked for
        reconnect,  ///< the next try comes in `delay`
        gave_up,    ///< no further try: `error` of the last
        pong,       ///< the answer to a ping of ours: `delay` is the round trip
        ping,       ///< one of the server's, which was answered
    };
    What what{What::open};
    const WebSocketInfo* info{nullptr};
    const WebSocketClose* close{nullptr};
    const Error* error{nullptr};
    std::chrono::nanoseconds delay{0};
    /// closed: messages that were queued and not sent, or not wholly; each that was sent with a callback has been told.
    std::size_t unsent{0};
};

/// Functions that are called on an I/O thread of the runtime, always the same, one at a time and in the order in which things happened. They must not
/// block, and may use the client (its asynchronous forms). What they throw is logged; what on_setup throws ends the connection. A value type.
struct WebSocketHandlers {
    /// For each connection that is made, before it is used for anything else: what it sends goes first.
    std::function<void(WebSocketSetup&)> on_setup{};
    /// Takes all messages; the view is good for the call. receive() is refused then. (Qorus' runtime option `callback`.)
    std::function<void(WebSocketKind kind, std::string_view data)> on_message{};
    /// Takes all messages part by part, as they arrive and in the place of on_message; `last` ends a message.
    std::function<void(WebSocketKind kind, std::string_view part, bool last)> on_part{};
    std::function<void(const WebSocketEvent&)> on_event{};
    /// The server's pings are events too.
    bool ping_events{false};
    /// Lines for people: connections that were made and closed; what failed; pings and waits. The runtime's log is another thing.
    std::function<void(std::string_view line)> log{};
    std::function<void(std::string_view line)> errlog{};
    std::function<void(std::string_view line)> dbglog{};
};

/// How values become messages.
enum class WebSocketData : std::uint8_t {
    none,  ///< texts and bytes as they are, and nothing else
    json,
    yaml,
};

/// Everything that a WebSocketClient can be told. A value type; checked when the client is made.
struct WebSocketOptions {
    /// For messages; the name of the connection.
    std::string label{};
    /// `ws://` or `wss://` (or `http://`, `https://`, which mean the same) with host, optional port, path and query; user info in it is used where
    /// username is empty. `ws://socket=%2Frun%2Fapp.sock/path` goes to a UNIX socket.
    std::string url{};
    /// For basic authentication.
    std::string username{};
    Secret password{};
    /// Sent as `Authorization: <token_type> <token>`; not together with a user name.
    Secret token{};
    std::string token_type{"Bearer"};
    /// Sent with the handshake. Those of RFC 6455 (Sec-WebSocket-…, Upgrade, Connection) are the client's.
    Headers headers{};
    /// Offered, most wanted first.
    std::vector<std::string> subprotocols{};
    /// Where some are offered the server must choose one.
    bool require_subprotocol{true};
    WebSocketCompression compression{};
    /// Redirects followed in the handshake. Zero: a redirect is an error. Credentials and key headers never go to another origin.
    int max_redirects{5};

    std::optional<Proxy> proxy{};
    TlsOptions tls{};
    SocketOptions socket{};

    /// Longest time to get a connection that stands: name, TCP, proxy, TLS, handshake. Zero: no limit.
    std::chrono::milliseconds connect_timeout{45'000};
    /// When nothing has come from the server for that time a ping is sent; a third of `timeout` where that is less. Zero: never.
    std::chrono::milliseconds ping_interval{20'000};
    /// A server from whom nothing comes for that time, no message and no pong, is taken for gone (WEBSOCKET-TIMEOUT). Zero: no limit.
    std::chrono::milliseconds timeout{60'000};
    /// How long the server may take to answer a close frame, and to close the connection after that.
    std::chrono::milliseconds close_timeout{5'000};
    WebSocketReconnect reconnect{};

    /// Largest message that is received whole. Above: WEBSOCKET-LIMIT-ERROR, reason limit, and the connection is closed with 1009.
    std::size_t max_message{std::size_t{16} * 1024 * 1024};
    /// Largest message that is received in parts (WebSocketClient::receive_to, on_part). Zero: no limit.
    std::uint64_t max_streamed{0};
    /// Messages that came and were not received yet; above, nothing more is read until they are, and the server has to wait. Also the bound of a
    /// message that is received in parts, at any moment.
    std::size_t max_unread{std::size_t{4} * 1024 * 1024};
    /// What waits to be sent. Above: senders wait, or are refused (WEBSOCKET-QUEUE-ERROR). A single message may be larger than that.
    std::size_t max_queue{std::size_t{4} * 1024 * 1024};
    /// Messages of ByteSource are sent in frames of that size.
    std::size_t part_size{std::size_t{64} * 1024};

    /// What is received whole as a Value, and sent from one: WebSocketClient::send_value, receive_value.
    WebSocketData data{WebSocketData::none};
    /// Of the protocol: 13, or 8 for servers that are older than RFC 6455 (the frames are the same).
    int version{13};
    WebSocketHandlers handlers{};
};

}  // namespace qconn
