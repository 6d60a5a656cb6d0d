// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <vector>

#include <qconn/base/url.hpp>
#include <qconn/net/net_error.hpp>

#include "base/text.hpp"

namespace qconn {

namespace net {

namespace {

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

}  // namespace

std::optional<Proxy> proxy_from(std::string_view target_scheme, const std::function<std::optional<std::string>(const std::string& name)>& variable) {
    const auto either = [&](const std::string& name) -> std::pair<std::string, std::string> {
        for (const auto& spelling : {name, upper(name)}) {
            if (spelling == "HTTP_PROXY") continue;
            if (auto value = variable(spelling); value && !text::trim(*value).empty()) return {spelling, std::string{text::trim(*value)}};
        }
        return {};
    };
    auto [name, url] = either(target_scheme.ends_with('s') ? "https_proxy" : "http_proxy");
    if (url.empty()) std::tie(name, url) = either("all_proxy");
    if (url.empty()) return std::nullopt;
    Proxy proxy;
    try {
        proxy = Proxy::parse(url);
    } catch (const Error& error) {
        wipe(url);
        throw Error{error.code(), error.name(), "the variable " + name + " of the environment: " + std::string{error.message()}}.with_reason(
            error.reason());
    }
    wipe(url);
    proxy.username = percent_decode(proxy.username);
    proxy.password = Secret{percent_decode(proxy.password.reveal())};
    std::string list = either("no_proxy").second;
    std::replace_if(list.begin(), list.end(), text::is_space, ',');
    for (const auto one : text::split(list, ',')) {
        if (!one.empty()) proxy.except.emplace_back(one);
    }
    return proxy;
}

}  // namespace net

std::optional<Proxy> Proxy::from_environment(std::string_view target_scheme) {
    return net::proxy_from(target_scheme, [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value != nullptr ? std::optional<std::string>{value} : std::nullopt;
    });
}

}  // namespace qconn
