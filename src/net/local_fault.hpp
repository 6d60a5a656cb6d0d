// SPDX-License-Identifier: Apache-2.0
/// What an errno says about who is at fault.
#pragma once

#include <cerrno>

#include <qconn/base/error.hpp>

namespace qconn::net {

/// This machine lacks something; nothing follows for the remote end.
constexpr bool is_local_fault(int system_error) noexcept {
    return system_error == EMFILE || system_error == ENFILE || system_error == ENOBUFS || system_error == ENOMEM || system_error == EADDRNOTAVAIL;
}

constexpr Reason reason_of(int system_error) noexcept {
    if (is_local_fault(system_error)) return Reason::local;
    switch (system_error) {
        case ECONNREFUSED: return Reason::refused;
        case ENOENT: return Reason::not_found;  // of a UNIX socket
        case ETIMEDOUT: return Reason::timeout;
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE: return Reason::reset;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENETDOWN: return Reason::unreachable;
        case EACCES:
        case EPERM: return Reason::permission;
        case EAFNOSUPPORT:
        case EPROTONOSUPPORT: return Reason::unsupported;
        default: return Reason::none;
    }
}

}  // namespace qconn::net
