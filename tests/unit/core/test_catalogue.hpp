// SPDX-License-Identifier: Apache-2.0
/// A catalogue with one scheme of every type of option, from outside the library.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <qconn/core/scheme.hpp>

namespace test {

class NullClient : public qconn::Client {
public:
    std::string_view label() const noexcept override { return "null"; }
};

inline qconn::OptionSpec option(std::string name, qconn::OptionType type) {
    qconn::OptionSpec spec;
    spec.name = std::move(name);
    spec.type = type;
    spec.help = "Says how.";
    return spec;
}

inline qconn::Scheme scheme() {
    using qconn::OptionType;
    qconn::Scheme s;
    s.names = {"shop", "shops"};
    s.family = "shop";
    s.title = "Shop";
    s.help = "A shop.";
    s.example_url = "shops://user@example.com";
    s.default_ports = {{"shop", 80}, {"shops", 443}};
    s.clients = qconn::client_types<NullClient>({"NullClient"});
    s.make_client = [](const qconn::ResolvedDefinition&, const qconn::Runtime&) -> std::shared_ptr<qconn::Client> {
        return std::make_shared<NullClient>();
    };
    s.make_ping = [](const qconn::ResolvedDefinition&, qconn::PingDepth, const qconn::Runtime&) -> qconn::PingPlan { return qconn::BlockingPing{}; };

    auto timeout = option("timeout", OptionType::integer);
    timeout.unit = qconn::Unit::milliseconds;
    timeout.fallback = 45'000;
    timeout.minimum = 1;
    timeout.aliases = {"io_timeout"};
    auto connect = option("connect_timeout", OptionType::integer);
    connect.unit = qconn::Unit::seconds;
    auto verify = option("ssl_verify_cert", OptionType::boolean);
    verify.fallback = true;
    auto ratio = option("ratio", OptionType::number);
    ratio.minimum = 0;
    ratio.maximum = 1;
    auto version = option("http_version", OptionType::string);
    version.allowed = {{"1.0", "old"}, {"1.1", ""}, {"2", ""}};
    version.fallback = "1.1";
    auto user = option("username", OptionType::string);
    auto password = option("password", OptionType::string);
    password.sensitive = true;
    auto pin = option("pin", OptionType::integer);
    pin.sensitive = true;
    auto key = option("keyfile", OptionType::string);
    key.environment = true;
    key.file = true;
    auto headers = option("headers", OptionType::map);
    headers.pairs_text = true;
    auto args = option("args", OptionType::map);
    auto scopes = option("scopes", OptionType::list);
    auto body = option("body", OptionType::any);
    auto certificate = option("certificate", OptionType::data);
    auto colour = option("colour", OptionType::string);
    colour.check = [](const qconn::Value& v) { return v.as_string() == "plaid" ? std::string{"plaid is no colour"} : std::string{}; };
    auto proxy = option("proxy", OptionType::string);
    s.options = {timeout, connect, verify, ratio, version, user, password, pin, key, headers, args, scopes, body, certificate, colour, proxy};
    return s;
}

/// As scheme(), with required options and a check of its own.
inline qconn::Scheme strict_scheme() {
    qconn::Scheme s = scheme();
    s.names = {"vault"};
    s.default_ports.clear();
    s.url_environment = true;
    auto apikey = option("apikey", qconn::OptionType::string);
    apikey.sensitive = true;
    s.options.push_back(apikey);
    s.required = {{{{"apikey"}, {"username", "password"}, {"url.user", "url.password"}}}};
    s.check = [](const qconn::Definition& d, const std::function<qconn::Place(std::string_view)>& place_of, qconn::Diagnostics& out) {
        if (!d.options.contains("apikey") || !d.options.contains("username")) return;
        qconn::Diagnostic finding;
        finding.code = "either-or";
        finding.place = place_of("username");
        finding.message = "a user beside an API key";
        out.push_back(finding);
    };
    return s;
}

inline const qconn::Catalogue& catalogue() {
    static const qconn::Catalogue made = [] {
        qconn::Catalogue c;
        c.add(scheme());
        c.add(strict_scheme());
        return c;
    }();
    return made;
}

}  // namespace test
