// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_refusal.hpp"

#include <algorithm>
#include <array>

namespace qconn::net {

namespace {

using R = ProxyRefusal;

// In the order of the enum.
constexpr std::array k_meanings{
    RefusalMeaning{Reason::denied, false, "it wants a user name and a password: put them into the proxy's URL"},
    RefusalMeaning{Reason::denied, false, "it refuses the user name or the password: check them in the proxy's URL"},
    RefusalMeaning{Reason::denied, false,
                   "it takes none of the kinds of log-in that may be used here: check the proxy's user name, password and proxy_auth"},
    RefusalMeaning{Reason::permission, false, "its rules do not allow that target, or tunnels at all"},
    RefusalMeaning{Reason::unreachable, true, "it could not reach the target"},
    RefusalMeaning{Reason::refused, true, "the target refused its connection: nothing listens there, as seen from the proxy"},
    RefusalMeaning{Reason::timeout, true, "the target did not answer it"},
    RefusalMeaning{Reason::unknown_host, true, "it finds no address for the name of the target"},
    RefusalMeaning{Reason::status, true, "it does not say why: its log may"},
    RefusalMeaning{Reason::unsupported, false, "it cannot do that with this kind of address: another kind of proxy (socks5h) or address may work"},
    RefusalMeaning{Reason::bad_answer, false, "is it a proxy of this kind, and is the port right?"},
    RefusalMeaning{Reason::closed, true, "it closed the connection before its answer was complete"},
    RefusalMeaning{Reason::limit, false, "its answer is too long"},
    RefusalMeaning{Reason::bad_value, false, "that cannot be sent to this kind of proxy"},
};
static_assert(k_meanings.size() == static_cast<std::size_t>(R::bad_value) + 1);

struct Code {
    unsigned code;
    R refusal;
};

template <std::size_t N>
R find(const std::array<Code, N>& codes, unsigned code, R otherwise) noexcept {
    const auto found = std::find_if(codes.begin(), codes.end(), [code](const Code& one) { return one.code == code; });
    return found != codes.end() ? found->refusal : otherwise;
}

constexpr std::array k_statuses{Code{403, R::not_allowed}, Code{405, R::not_allowed}, Code{407, R::wants_login},
                                Code{502, R::unreachable}, Code{503, R::unreachable}, Code{504, R::target_silent}};

// 1 is all that many servers ever say; TTL expired (6) is sent for a target that does not answer.
constexpr std::array k_socks5{Code{2, R::not_allowed},   Code{3, R::unreachable}, Code{4, R::unreachable}, Code{5, R::target_refused},
                              Code{6, R::target_silent}, Code{7, R::unsupported}, Code{8, R::unsupported}};

// 92 and 93 are about the user id, which the server checks with an ident service here.
constexpr std::array k_socks4{Code{91, R::failed}, Code{92, R::wrong_login}, Code{93, R::wrong_login}};

}  // namespace

const RefusalMeaning& meaning_of(ProxyRefusal refusal) noexcept { return k_meanings[static_cast<std::size_t>(refusal)]; }

ProxyRefusal refusal_of_status(int status, bool with_login) noexcept {
    // Tinyproxy answers 401 to a wrong password.
    if (with_login && (status == 407 || status == 401)) return R::wrong_login;
    return find(k_statuses, static_cast<unsigned>(status), R::failed);
}

ProxyRefusal refusal_of_socks5(unsigned reply) noexcept { return find(k_socks5, reply, R::failed); }

ProxyRefusal refusal_of_socks4(unsigned reply) noexcept { return find(k_socks4, reply, R::bad_answer); }

}  // namespace qconn::net
