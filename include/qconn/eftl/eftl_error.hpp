// SPDX-License-Identifier: Apache-2.0
/// Codes of errors of eFTL connections.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// What failed between a client and an eFTL server. Reaching the server at all is NetErrc's and the WebSocket handshake's affair; a deadline that
/// passed is TIMEOUT and a cancelled call CANCELLED (Errc).
enum class EftlErrc {
    connect = 1,        ///< EFTL-CONNECT-ERROR: no server of the list let this client in
    login,              ///< EFTL-LOGIN-ERROR: the server refused user and password (close code 4002)
    already_connected,  ///< EFTL-ALREADY-CONNECTED: connect() on a client that is connected
    not_connected,      ///< EFTL-NOT-CONNECTED: there is no connection, and none is being made
    disconnected,       ///< EFTL-DISCONNECTED: the connection ended for good, or its session was lost, before the server had answered (code 11)
    publish,            ///< EFTL-PUBLISH-ERROR: the server refused a message
    subscribe,          ///< EFTL-SUBSCRIBE-ERROR: the server refused a subscription
    subscription,       ///< EFTL-SUBSCRIPTION-ERROR: no such subscription, or it cannot do that
    request,            ///< EFTL-REQUEST-ERROR: the server refused a request
    request_timeout,    ///< EFTL-REQUEST-TIMEOUT: nobody replied in time (code 99)
    reply,              ///< EFTL-REPLY-ERROR: the server refused a reply, or the message that it is for is no request
    map,                ///< EFTL-MAP-ERROR: the server refused an operation on a key-value map
    too_large,          ///< EFTL-MESSAGE-TOO-LARGE: more bytes than the server takes; nothing was sent
    unsupported,        ///< EFTL-UNSUPPORTED: the server is too old for that; nothing was sent
    busy,               ///< EFTL-BUSY: as much as may wait for the server's answers waits already
    message,            ///< EFTL-MESSAGE-ERROR: a field's name or value that a message cannot have, or a text that is no message
    matcher,            ///< EFTL-MATCHER-ERROR: a content matcher that no server takes
    protocol,           ///< EFTL-PROTOCOL-ERROR: the server sent what is no eFTL
    option,             ///< EFTL-OPTION-ERROR: options that cannot be used, a URL among them
};
QCONN_API const std::error_category& eftl_category() noexcept;
QCONN_API std::error_code make_error_code(EftlErrc code) noexcept;
/// The stable name: "EFTL-PUBLISH-ERROR".
QCONN_API std::string_view error_name(EftlErrc code) noexcept;

/// What an eFTL server, or this client in its words, gives as the number of an error. A WebSocket close code is one too.
namespace eftl_code {
inline constexpr int k_failed = 11;            ///< a publish failed; or a request was open when the connection ended for good
inline constexpr int k_publish_denied = 12;    ///< not allowed to publish
inline constexpr int k_subscribe_denied = 13;  ///< not allowed to subscribe
inline constexpr int k_map_denied = 14;        ///< not allowed on maps
inline constexpr int k_bad_subscription = 20;  ///< no such subscription
inline constexpr int k_subscribe_failed = 21;  ///< a subscription failed; asked for again at the next reconnection
inline constexpr int k_subscribe_bad = 22;     ///< bad matcher or durable name
inline constexpr int k_map_failed = 30;
inline constexpr int k_request_denied = 40;
inline constexpr int k_request_failed = 41;
inline constexpr int k_stop_failed = 50;
inline constexpr int k_start_failed = 51;
inline constexpr int k_request_timeout = 99;  ///< this client's
inline constexpr int k_normal = 1000;         ///< a close as asked for
inline constexpr int k_going_away = 1001;     ///< the server shuts down
inline constexpr int k_protocol_error = 1002;
inline constexpr int k_bad_data = 1003;
inline constexpr int k_connection_error = 1006;  ///< this client's: the connection broke, or could not be made
inline constexpr int k_bad_payload = 1007;
inline constexpr int k_policy = 1008;
inline constexpr int k_too_large = 1009;
inline constexpr int k_server_error = 1011;
inline constexpr int k_restart = 1012;  ///< the server restarts: the client reconnects
inline constexpr int k_tls = 1015;      ///< this client's: the TLS handshake failed
inline constexpr int k_forced = 4000;   ///< another client has this client id
inline constexpr int k_unavailable = 4001;
inline constexpr int k_not_authenticated = 4002;
}  // namespace eftl_code

/// Detail of errors of this family.
class QCONN_API EftlErrorDetail : public ErrorDetail {
public:
    EftlErrorDetail(int c, std::string r) : code{c}, reason{std::move(r)} {}
    ~EftlErrorDetail() override;
    /// See eftl_code. 0: none.
    int code;
    /// The server's own words; may be empty.
    std::string reason;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::EftlErrc> : std::true_type {};
