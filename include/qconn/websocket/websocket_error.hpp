// SPDX-License-Identifier: Apache-2.0
/// Codes of errors of WebSocket connections.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// What failed from the handshake on. Reaching the server at all is NetErrc's affair; a deadline that passed is TIMEOUT and a cancelled call CANCELLED
/// (Errc), with the phase that it was in.
enum class WebSocketErrc {
    handshake = 1,  ///< WEBSOCKET-ERROR: the server refused the handshake, or what it answered is none
    closed,         ///< WEBSOCKET-CLOSED: the connection was closed, or broke; WebSocketErrorDetail has code and reason where there are some
    protocol,       ///< WEBSOCKET-PROTOCOL-ERROR: the server sent what RFC 6455 forbids; the connection was closed with 1002 or 1007
    limit,          ///< WEBSOCKET-LIMIT-ERROR: a message longer than is allowed; the connection was closed with 1009
    queue,          ///< WEBSOCKET-QUEUE-ERROR: more waits to be sent than is allowed
    timeout,        ///< WEBSOCKET-TIMEOUT: the server has been silent for too long
    redirect,       ///< WEBSOCKET-REDIRECT-ERROR: a redirect that leads nowhere, or one too many
    subprotocol,    ///< WEBSOCKET-SUBPROTOCOL-ERROR: the server chose none that was offered
    stream,         ///< WEBSOCKET-STREAM-ERROR: the source or the sink of a message failed
    setup,          ///< WEBSOCKET-SETUP-ERROR: the caller's set-up of a new connection failed
    option,         ///< WEBSOCKET-OPTION-ERROR: options or arguments that cannot be used
    url,            ///< WEBSOCKET-URL-ERROR
    api_key,        ///< SEWIOWEBSOCKETCLIENT-ERROR: no key for the API, or the server refused a request
};
QCONN_API const std::error_category& websocket_category() noexcept;
QCONN_API std::error_code make_error_code(WebSocketErrc code) noexcept;
/// The stable name: "WEBSOCKET-CLOSED".
QCONN_API std::string_view error_name(WebSocketErrc code) noexcept;

/// What the server said.
class QCONN_API WebSocketErrorDetail : public ErrorDetail {
public:
    ~WebSocketErrorDetail() override;
    /// Of its answer to the handshake; 0: there was none, or it is not the reason.
    int status{0};
    /// The beginning of the body of that answer, at most 512 bytes.
    std::string body;
    /// Of its close frame (RFC 6455 section 7.4); 0: none came. 1005: one without a code.
    std::uint16_t close_code{0};
    std::string close_reason;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::WebSocketErrc> : std::true_type {};
