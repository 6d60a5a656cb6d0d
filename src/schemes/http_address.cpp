// SPDX-License-Identifier: Apache-2.0
#include "schemes/http_address.hpp"

#include <algorithm>
#include <utility>

#include "http/coding.hpp"
#include "http/target.hpp"
#include "schemes/proxy_options.hpp"
#include "schemes/tls_options.hpp"

namespace qconn::schemes {

Headers headers_of(const Value& map) {
    Headers headers;
    for (const auto& [name, value] : map.as_map()) {
        if (!value.is_null()) headers.set(name, scalar_text(value));
    }
    return headers;
}

std::string headers_problem(const Value& map) {
    for (const auto& [name, value] : map.as_map()) {
        if (!http::is_token(name)) return "a key of it is no name of a header";
        if (value.is_map() || value.is_list()) return "the value of " + name + " is no text";
        if (!http::is_field_value(scalar_text(value))) return "the value of " + name + " holds a line break";
    }
    return {};
}

std::string codings_problem(const Value& list) {
    for (const auto& one : list.as_list()) {
        if (!one.is_string() || !http::is_known_coding(one.as_string())) return "each element must be one of gzip, deflate, br, zstd, bzip2";
    }
    return {};
}

void set_address(HttpOptions& options, const ResolvedDefinition& definition) {
    const Url& url = definition.url;
    options.label = definition.name;
    options.url = definition.scheme.ends_with('s') ? "https://" : "http://";
    options.url += url.authority();
    options.url += url.path;
    if (url.username || url.password) {
        options.username = url.username.value_or(std::string{});
        options.password = url.password.value_or(Secret{});
    }
    options.proxy = proxy_of(definition, options.url.starts_with("https:") ? "https" : "http");
}

const Proxy* relay_of(const HttpOptions& options, const http::Target& target) {
    if (!options.proxy || target.tls || !target.socket.empty() || !options.proxy->is_for(target.host, target.port)) return nullptr;
    const Proxy& proxy = *options.proxy;
    const bool asks = proxy.auth != Proxy::Auth::basic && !proxy.username.empty();
    return proxy.is_socks() || asks ? nullptr : &proxy;
}

void check_http(const Definition& definition, Findings& findings, OAuth2Grant grant) {
    const Url url = url_of(definition);
    if (url.host.empty()) findings.error("url", "missing-host", "the URL has no host", "write " + definition.scheme() + "://host/path");
    const bool user_in_url = url.username || url.password;
    const bool user = is_set(definition, "username");
    const bool password = is_set(definition, "password");
    if (user != password && !user_in_url) {
        findings.error(user ? "username" : "password", "missing-option",
                       std::string{"'"} + (user ? "username" : "password") + "' is of no use without '" + (user ? "password" : "username") + "'");
    }
    if (user_in_url && (user || password)) {
        findings.warning(user ? "username" : "password", "unused-option", "the URL has user information, so 'username' and 'password' are not used",
                         "take one of the two out");
    }
    // The user of a password grant is for the token server.
    const bool for_tokens = grant == OAuth2Grant::password;
    if (is_set(definition, "token") && (user_in_url || user || password) && !for_tokens) {
        findings.error("token", "conflicting-options", "'token' and a user name exclude each other", "both would have to stand in the same header");
    }
    if (url.is_socket && is_set(definition, "proxy")) {
        findings.error("proxy", "conflicting-options", "a UNIX socket cannot be reached through a proxy");
    }
    check_proxy_options(definition, findings);
    check_tls_options(definition, findings);
}

}  // namespace qconn::schemes
