// SPDX-License-Identifier: Apache-2.0
#include "mail/smtp_settings.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mail/mail_address.hpp"
#include "mail/smtp_error.hpp"
#include "net/address.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::mail {
namespace {

Error bad_smtp_option(const SmtpOptions& options, SmtpErrc code, std::string what) {
    Error error{code, error_name(code), std::move(what)};
    error.with_reason(Reason::bad_value);
    if (!options.label.empty()) error.with_connection(options.label);
    return error;
}

}  // namespace

std::uint16_t port_of(const SmtpOptions& options) noexcept {
    return options.port != 0 ? options.port : static_cast<std::uint16_t>(options.security == SmtpTls::implicit ? 465 : 25);
}

SmtpLoginPlan login_of(const SmtpOptions& options, SmtpDepth depth) {
    const auto bad = [&options](std::string what) { return bad_smtp_option(options, SmtpErrc::url, std::move(what)); };
    if (options.host.empty()) throw bad("the URL of an SMTP connection has no host; write smtp://host");
    const bool has_token = !options.token.empty() || options.tokens != nullptr;
    if (!options.username.empty() && !options.password && !has_token && options.auth != SmtpAuth::none)
        throw bad_smtp_option(options, SmtpErrc::credentials, "the connection has a user and no password; give both or neither, or a token");
    if (options.username.empty() && options.password && !options.password->empty())
        throw bad_smtp_option(options, SmtpErrc::credentials, "the connection has a password and no user; give both or neither");
    if (options.username.empty() && has_token) throw bad_smtp_option(options, SmtpErrc::credentials, "a token needs the name of its user (username)");
    if (options.auth == SmtpAuth::xoauth2 && !has_token)
        throw bad_smtp_option(options, SmtpErrc::credentials, "XOAUTH2 needs a token (option token), not a password");
    SmtpLoginPlan plan;
    plan.job = {options.label, net::authority(options.host, port_of(options)), "connecting", {}};
    plan.security = options.security;
    plan.username = options.username;
    if (options.password) plan.password = *options.password;
    plan.token = options.token;
    plan.auth = options.auth;
    plan.cleartext_password = options.cleartext_password;
    plan.depth = depth;
    plan.ehlo_name = options.ehlo_name.empty() ? machine_name() : options.ehlo_name;
    const auto is_word = [](std::string_view text) { return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; }); };
    if (!is_word(plan.ehlo_name) || plan.ehlo_name.size() > 255) throw bad("ehlo_name is no name of a host");
    if (text::has_control(plan.username)) throw bad("the user name has control characters in it");
    if (plan.password.reveal().find('\0') != npos) throw bad("the password has a NUL in it");
    if (!is_word(plan.token.reveal())) throw bad("the token has characters in it that no token has");
    if (!options.from.address.empty() && !is_address(options.from.address))
        throw bad_smtp_option(options, SmtpErrc::message,
                              "\"" + text::printable(text::shorten(options.from.address, 100)) + "\" (from) is no address");
    return plan;
}

Endpoint endpoint_of(const SmtpOptions& options) {
    Endpoint endpoint;
    endpoint.host = options.host;
    endpoint.port = port_of(options);
    if (options.proxy) endpoint.proxy = std::make_shared<const Proxy>(*options.proxy);
    if (options.socket != SocketOptions{}) endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
    return endpoint;
}

std::shared_ptr<const SmtpSettings> settings_of(SmtpOptions options, const Runtime& runtime) {
    auto settings = std::make_shared<SmtpSettings>();
    settings->log = runtime.log();
    settings->login = std::make_shared<const SmtpLoginPlan>(login_of(options, SmtpDepth::session));
    settings->dialogue = net::DialogueLog::of("smtp", options, settings->log);
    settings->dialogue->add_secret(options.token);
    settings->endpoint = endpoint_of(options);
    settings->server = settings->login->job.server;
    if (options.security != SmtpTls::none) settings->tls = runtime.impl().tls_context(options.tls, options.label);
    settings->options = std::move(options);
    return settings;
}

}  // namespace qconn::mail
