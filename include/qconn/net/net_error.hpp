// SPDX-License-Identifier: Apache-2.0
/// Codes of errors on the way to a remote end: names, sockets, proxies, TLS.
#pragma once

#include <string_view>
#include <system_error>

#include <qconn/base/export.hpp>

namespace qconn {

/// What failed below the protocols. A deadline that passed is TIMEOUT and a cancelled call CANCELLED (see Errc), with the phase that it was in.
enum class NetErrc {
    resolve = 1,  ///< RESOLVE-ERROR: no address for a name (reason unknown_host), or the name service failed (resolver)
    connect,      ///< SOCKET-CONNECT-ERROR: no address could be connected to; the message has each one's error
    proxy,        ///< PROXY-ERROR: the proxy refused, wants other credentials (denied), or did not answer as one
    ssl,          ///< SOCKET-SSL-ERROR: the handshake failed or the certificate was refused
    io,           ///< SOCKET-ERROR: an established connection was cut or closed before its time
    tls_option,   ///< TLS-OPTION-ERROR: TlsOptions that cannot be used
};
QCONN_API const std::error_category& net_category() noexcept;
QCONN_API std::error_code make_error_code(NetErrc code) noexcept;
/// The stable name: "SOCKET-CONNECT-ERROR".
QCONN_API std::string_view error_name(NetErrc code) noexcept;

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::NetErrc> : std::true_type {};
