// SPDX-License-Identifier: Apache-2.0
/// What a proxy's refusal means, the same for every kind of proxy and whoever drives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

namespace qconn::net {

enum class ProxyRefusal : std::uint8_t {
    wants_login,
    wrong_login,
    other_login,  ///< it wants to be shown the log-in in another way
    not_allowed,  ///< by its rules
    unreachable,  ///< no way from it to the target's host or network
    target_refused,
    target_silent,
    target_name,  ///< it knows no address for the name
    failed,       ///< for a reason that it does not tell
    unsupported,  ///< the command, or the kind of address
    bad_answer,   ///< it is no proxy of this kind
    closed,
    limit,
    bad_value,  ///< what was to be sent cannot be
};

struct RefusalMeaning {
    Reason reason{Reason::status};
    bool retryable{false};
    /// After "it" or "the proxy": what it says, what to do.
    std::string_view words;
};
const RefusalMeaning& meaning_of(ProxyRefusal refusal) noexcept;

/// Of the status, from 300 on, that CONNECT was answered with.
ProxyRefusal refusal_of_status(int status, bool with_login) noexcept;
/// Of the reply field of RFC 1928, section 6; not 0.
ProxyRefusal refusal_of_socks5(unsigned reply) noexcept;
/// Of the code in a SOCKS4 reply; not 90.
ProxyRefusal refusal_of_socks4(unsigned reply) noexcept;

}  // namespace qconn::net
