// SPDX-License-Identifier: Apache-2.0
#include "schemes/proxy_options.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "core/secret_ref.hpp"
#include "net/proxy_check.hpp"
#include "net/proxy_exceptions.hpp"
#include "schemes/http_address.hpp"

namespace qconn::schemes {

namespace {

std::string url_problem(const Value& url) {
    try {
        Proxy::parse(url.as_string());
        return {};
    } catch (const Error& error) { return std::string{error.message()}; }
}

std::string exceptions_problem(const Value& list) {
    for (const Value& one : list.as_list()) {
        if (!one.is_string()) return "each element must be text";
        if (auto problem = net::exception_problem(one.as_string()); !problem.empty()) return problem;
    }
    return {};
}

bool is_true(const Value& value) { return value.is_bool() && value.as_bool(); }

// Those that say nothing without the kind of proxy that they are for.
constexpr std::array k_http_only{"proxy_auth", "proxy_headers"};
constexpr std::array k_tls_only{"proxy_ssl_verify_cert", "proxy_ssl_ca_file",      "proxy_ssl_cert_path",
                                "proxy_ssl_key_path",    "proxy_ssl_key_password", "proxy_ssl_server_name"};

std::shared_ptr<const TlsOptions> tls_of(const ResolvedDefinition& definition) {
    const std::array texts{std::pair{"proxy_ssl_ca_file", &TlsOptions::ca_file}, std::pair{"proxy_ssl_cert_path", &TlsOptions::certificate_file},
                           std::pair{"proxy_ssl_key_path", &TlsOptions::key_file}};
    auto tls = std::make_shared<TlsOptions>();
    for (const auto& [name, member] : texts) {
        if (const Value& value = option_of(definition, name); !value.is_null()) (*tls).*member = std::string{value.as_string()};
    }
    if (const Value& verify = option_of(definition, "proxy_ssl_verify_cert"); !verify.is_null()) tls->verify = verify.as_bool();
    if (const Value& name = option_of(definition, "proxy_ssl_server_name"); !name.is_null()) tls->server_name = std::string{name.as_string()};
    if (const Value& password = option_of(definition, "proxy_ssl_key_password"); !password.is_null())
        tls->key_password = Secret{password.as_string()};
    return tls;
}

}  // namespace

const std::vector<OptionSpec>& proxy_option_specs() {
    static const std::vector<OptionSpec> all = [] {
        std::vector<OptionSpec> specs;
        const auto add = [&specs](const char* name, OptionType type, const char* help, Value example) -> OptionSpec& {
            OptionSpec& spec = specs.emplace_back();
            spec.name = name;
            spec.type = type;
            spec.help = help;
            spec.example = std::move(example);
            return spec;
        };
        add("proxy", OptionType::string,
            "Proxy on the way, with user and password where it wants them: http, https (TLS to the proxy), socks4, socks4a, socks5 or socks5h (the "
            "proxy looks names up); without a scheme http is meant; ports: 80, 443, 1080",
            "socks5h://proxy.example.com:1080")
            .check = url_problem;
        add("proxy_from_environment", OptionType::boolean,
            "Without the option proxy: take the proxy from http_proxy, https_proxy, all_proxy and no_proxy of the environment", true)
            .fallback = false;
        {
            OptionSpec& spec =
                add("no_proxy", OptionType::list,
                    "Hosts that are reached without the proxy: names with all below them, addresses, networks, * for all; a port may follow",
                    List{"example.com", "10.0.0.0/8", "[::1]:8080"});
            spec.check = exceptions_problem;
        }
        {
            OptionSpec& spec = add("proxy_auth", OptionType::string, "How the log-in is shown to an HTTP proxy", "digest");
            spec.fallback = "basic";
            spec.allowed = {{"basic", "at once"}, {"digest", "when asked; the password is not sent"}, {"any", "when asked; digest, or else basic"}};
        }
        {
            OptionSpec& spec = add("proxy_headers", OptionType::map, "Sent to an HTTP proxy, with CONNECT", Map{{"X-Department", "sales"}});
            spec.pairs_text = true;
            spec.sensitive = true;  // keys for proxies are sent in such
            spec.check = headers_problem;
        }
        add("proxy_ssl_verify_cert", OptionType::boolean, "Verify the certificate of an https proxy and its name", false).fallback = true;
        const auto file = [&add](const char* name, const char* help, const char* example) {
            OptionSpec& spec = add(name, OptionType::string, help, example);
            spec.environment = true;
            spec.file = true;
        };
        file("proxy_ssl_ca_file", "Certificate authorities to trust for an https proxy, a PEM file; added to the system's", "/etc/ssl/proxy-ca.pem");
        file("proxy_ssl_cert_path", "Client certificate for an https proxy: a PEM or PKCS#12 file", "/etc/qconn/proxy.pem");
        file("proxy_ssl_key_path", "Private key of that certificate, a PEM file", "/etc/qconn/proxy.key");
        add("proxy_ssl_key_password", OptionType::string, "Pass-phrase of that key", "${env:PROXY_KEY_PASSWORD}").sensitive = true;
        add("proxy_ssl_server_name", OptionType::string, "The name that is sent to an https proxy and looked for in its certificate",
            "proxy.example.com")
            .fallback_text = "the host of the proxy";
        return specs;
    }();
    return all;
}

std::optional<Proxy> proxy_of(const ResolvedDefinition& definition, std::string_view target_scheme) {
    std::optional<Proxy> proxy;
    if (const Value& url = option_of(definition, "proxy"); !url.is_null())
        proxy = Proxy::parse(url.as_string());
    else if (is_true(option_of(definition, "proxy_from_environment")))
        proxy = Proxy::from_environment(target_scheme);
    if (!proxy) return proxy;
    if (const Value& list = option_of(definition, "no_proxy"); !list.is_null()) {
        for (const Value& one : list.as_list()) proxy->except.emplace_back(one.as_string());
    }
    if (const Value& auth = option_of(definition, "proxy_auth"); !auth.is_null()) {
        proxy->auth = auth.as_string() == "digest" ? Proxy::Auth::digest : auth.as_string() == "any" ? Proxy::Auth::any : Proxy::Auth::basic;
    }
    if (const Value& headers = option_of(definition, "proxy_headers"); !headers.is_null()) {
        for (const auto& [name, value] : headers_of(headers)) proxy->headers.emplace_back(name, value);
    }
    if (proxy->kind == Proxy::Kind::https) proxy->tls = tls_of(definition);
    return proxy;
}

void check_proxy_options(const Definition& definition, Findings& findings) {
    const bool from_environment = is_set(definition, "proxy_from_environment") && is_true(*definition.options.find("proxy_from_environment"));
    const bool given = is_set(definition, "proxy");
    if (given && from_environment) {
        findings.warning("proxy_from_environment", "unused-option", "'proxy' is set, so the environment is not asked", "take one of the two out");
    }
    const auto unused = [&](const char* name, const std::string& why) {
        if (is_set(definition, name)) findings.warning(name, "unused-option", std::string{"'"} + name + "' says nothing " + why);
    };
    if (!given && !from_environment) {
        unused("no_proxy", "without a proxy");
        for (const char* name : k_http_only) unused(name, "without a proxy");
        for (const char* name : k_tls_only) unused(name, "without a proxy");
        return;
    }
    const Value* url = definition.options.find("proxy");
    if (!given || !url->is_string()) return;
    Proxy proxy;
    try {
        proxy = Proxy::parse(core::SecretTokens{url->as_string()}.opaque());
    } catch (const Error&) { return; }  // said already
    if (proxy.is_socks()) {
        for (const char* name : k_http_only) unused(name, "with a SOCKS proxy");
    }
    if (proxy.kind != Proxy::Kind::https) {
        for (const char* name : k_tls_only) unused(name, "without TLS to the proxy (https://)");
    }
}

}  // namespace qconn::schemes
