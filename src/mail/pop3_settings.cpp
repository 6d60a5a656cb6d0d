// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_settings.hpp"

#include <utility>

#include "net/address.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::mail::pop3 {
namespace {

bool has_line_end(std::string_view text) noexcept { return text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos; }

Error bad_option(const Pop3Options& options, Pop3Errc code, std::string_view what) {
    Error error{code, error_name(code), std::string{what}};
    error.with_reason(Reason::bad_value);
    if (!options.label.empty()) error.with_connection(options.label);
    return error;
}

std::uint16_t port_of(const Pop3Options& options) noexcept {
    return options.port != 0 ? options.port : static_cast<std::uint16_t>(options.security == Pop3Tls::implicit ? 995 : 110);
}

}  // namespace

LoginPlan login_of(const Pop3Options& options, LoginDepth depth) {
    if (options.host.empty()) throw bad_option(options, Pop3Errc::url, "the URL of a POP3 connection has no host; write pop3s://user:password@host");
    const bool by_token = options.token.has_value() || options.tokens != nullptr;
    if (options.username.empty()) throw bad_option(options, Pop3Errc::config, "a POP3 connection needs a user name");
    if (options.password.has_value() && by_token) throw bad_option(options, Pop3Errc::config, "password and token exclude each other");
    if (options.token.has_value() && options.tokens != nullptr)
        throw bad_option(options, Pop3Errc::config, "a token and a source of tokens exclude each other");
    if (!options.password.has_value() && !by_token) throw bad_option(options, Pop3Errc::config, "a POP3 connection needs a password or a token");
    if (by_token && options.auth != Pop3Auth::automatic && options.auth != Pop3Auth::xoauth2)
        throw bad_option(options, Pop3Errc::config, "with a token the log-in is XOAUTH2 and no other");
    if (!by_token && options.auth == Pop3Auth::xoauth2) throw bad_option(options, Pop3Errc::config, "XOAUTH2 needs a token");
    LoginPlan plan;
    plan.job = {options.label, net::authority(options.host, port_of(options)), "connecting", {}};
    plan.security = options.security;
    plan.auth = options.auth;
    plan.username = options.username;
    if (options.password) plan.password = *options.password;
    if (options.token) plan.token = *options.token;
    plan.depth = depth;
    if (has_line_end(plan.username)) throw bad_option(options, Pop3Errc::config, "the user name has a line break in it");
    if (has_line_end(plan.password.reveal())) throw bad_option(options, Pop3Errc::config, "the password has a line break in it");
    if (has_line_end(plan.token.reveal())) throw bad_option(options, Pop3Errc::config, "the token has a line break in it");
    return plan;
}

Endpoint endpoint_of(const Pop3Options& options) {
    Endpoint endpoint;
    endpoint.host = options.host;
    endpoint.port = port_of(options);
    if (options.proxy) endpoint.proxy = std::make_shared<const Proxy>(*options.proxy);
    if (options.socket != SocketOptions{}) endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
    return endpoint;
}

std::shared_ptr<const Settings> settings_of(Pop3Options options, const Runtime& runtime) {
    auto settings = std::make_shared<Settings>();
    settings->login = std::make_shared<const LoginPlan>(login_of(options, LoginDepth::session));
    settings->endpoint = endpoint_of(options);
    settings->server = settings->login->job.server;
    settings->dialogue = net::DialogueLog::of("pop3", options, runtime.log());
    if (options.token) settings->dialogue->add_secret(*options.token);
    if (options.security != Pop3Tls::none) settings->tls = runtime.impl().tls_context(options.tls, options.label);
    settings->options = std::move(options);
    return settings;
}

}  // namespace qconn::mail::pop3
