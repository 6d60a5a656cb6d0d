// SPDX-License-Identifier: Apache-2.0
#include "net/curl_proxy.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>

#include "net/address.hpp"

namespace qconn::net {

namespace {

using R = ProxyRefusal;

struct Code {
    long code;
    R refusal;
};
// Each that libcurl 7.88 has but the failures of GSSAPI, which is never offered; what is left out is a connection that ended.
constexpr std::array k_codes{Code{CURLPX_BAD_ADDRESS_TYPE, R::bad_answer},
                             Code{CURLPX_BAD_VERSION, R::bad_answer},
                             Code{CURLPX_IDENTD, R::wrong_login},
                             Code{CURLPX_IDENTD_DIFFER, R::wrong_login},
                             Code{CURLPX_LONG_HOSTNAME, R::bad_value},
                             Code{CURLPX_LONG_PASSWD, R::bad_value},
                             Code{CURLPX_LONG_USER, R::bad_value},
                             Code{CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, R::unsupported},
                             Code{CURLPX_REPLY_COMMAND_NOT_SUPPORTED, R::unsupported},
                             Code{CURLPX_REPLY_CONNECTION_REFUSED, R::target_refused},
                             Code{CURLPX_REPLY_GENERAL_SERVER_FAILURE, R::failed},
                             Code{CURLPX_REPLY_HOST_UNREACHABLE, R::unreachable},
                             Code{CURLPX_REPLY_NETWORK_UNREACHABLE, R::unreachable},
                             Code{CURLPX_REPLY_NOT_ALLOWED, R::not_allowed},
                             Code{CURLPX_REPLY_TTL_EXPIRED, R::target_silent},
                             Code{CURLPX_REPLY_UNASSIGNED, R::failed},
                             Code{CURLPX_REQUEST_FAILED, R::failed},
                             Code{CURLPX_UNKNOWN_FAIL, R::bad_answer},
                             Code{CURLPX_UNKNOWN_MODE, R::bad_answer},
                             Code{CURLPX_USER_REJECTED, R::wrong_login}};

// In the order of Proxy::Kind and Proxy::Auth.
constexpr std::array<std::string_view, 6> k_schemes{"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
constexpr std::array<unsigned long, 3> k_auths{CURLAUTH_BASIC, CURLAUTH_DIGEST, CURLAUTH_BASIC | CURLAUTH_DIGEST};

}  // namespace

unsigned long curl_auth(const Proxy& proxy) noexcept { return k_auths[static_cast<std::size_t>(proxy.auth)]; }

CurlList proxy_headers(const Proxy& proxy) {
    CurlList list;
    for (const auto& [name, value] : proxy.headers) {
        const std::string line = value.empty() ? name + ';' : name + ": " + value;  // the former is libcurl's spelling of a header without a value
        curl_slist* longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

void set_proxy(CURL* easy, const Proxy* proxy, curl_slist* headers) {
    if (proxy == nullptr) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        return;
    }
    const std::string url = std::string{k_schemes[static_cast<std::size_t>(proxy->kind)]} + "://" + authority(proxy->host, proxy->port);
    curl_easy_setopt(easy, CURLOPT_PROXY, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, static_cast<long>(curl_auth(*proxy)));
    curl_easy_setopt(easy, CURLOPT_PROXYHEADER, headers);
    const bool has_login = !proxy->username.empty() || !proxy->password.empty();
    curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, has_login ? proxy->username.c_str() : nullptr);
    curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, has_login ? proxy->password.reveal().data() : nullptr);
}

ProxyRefusal refusal_of_curl(long proxy_code, bool with_login) noexcept {
    if (proxy_code == CURLPX_NO_AUTH) return with_login ? R::other_login : R::wants_login;
    const auto found = std::find_if(k_codes.begin(), k_codes.end(), [proxy_code](const Code& one) { return one.code == proxy_code; });
    return found != k_codes.end() ? found->refusal : R::closed;
}

}  // namespace qconn::net
