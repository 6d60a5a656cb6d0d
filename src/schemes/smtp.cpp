// SPDX-License-Identifier: Apache-2.0
// smtp, smtps, smtptls, esmtp, esmtps, esmtptls.
#include <qconn/auth/oauth2.hpp>
#include <qconn/mail/smtp_client.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mail/smtp_dialogue.hpp"
#include "mail/smtp_settings.hpp"
#include "schemes/idle_options.hpp"
#include "schemes/log_options.hpp"
#include "schemes/schemes.hpp"
#include "schemes/smtp_operations.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"
#include "schemes/token_log_in.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/oauth2_options.hpp"
#include "schemes/proxy_options.hpp"
#endif

namespace qconn::schemes {
namespace {

/// What the table sets.
struct SmtpConnection : SmtpOptions {
    OAuth2Options oauth2{};
};

/// What a scheme is short for.
struct MailScheme {
    const char* name;
    std::uint16_t port;
    SmtpTls security;
};
constexpr std::array<MailScheme, 6> k_mail_schemes{{{"smtp", 25, SmtpTls::offered},
                                                    {"smtptls", 25, SmtpTls::required},
                                                    {"smtps", 465, SmtpTls::implicit},
                                                    {"esmtp", 587, SmtpTls::offered},
                                                    {"esmtptls", 587, SmtpTls::required},
                                                    {"esmtps", 465, SmtpTls::implicit}}};

constexpr std::array<std::pair<const char*, SmtpAuth>, 6> k_mail_auth{{{"automatic", SmtpAuth::automatic},
                                                                       {"plain", SmtpAuth::plain},
                                                                       {"login", SmtpAuth::login},
                                                                       {"cram-md5", SmtpAuth::cram_md5},
                                                                       {"xoauth2", SmtpAuth::xoauth2},
                                                                       {"none", SmtpAuth::none}}};

std::string sender_problem(const Value& value) {
    try {
        parse_mail_address(value.as_string());
        return {};
    } catch (const Error& error) { return std::string{error.message()}; }
}

const OptionTable<SmtpConnection>& table() {
    static const OptionTable<SmtpConnection> options = [] {
        OptionTable<SmtpConnection> all;
        const auto milliseconds = [&all](std::string name, std::chrono::milliseconds SmtpOptions::*member, int example,
                                         std::string help) -> OptionSpec& {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::integer, std::move(help));
            spec.unit = Unit::milliseconds;
            spec.fallback = static_cast<long long>((SmtpOptions{}.*member).count());
            spec.minimum = 0;
            spec.maximum = 2'147'483'647.0;
            spec.example = example;
            return spec;
        };
        const auto flag = [&all](std::string name, bool SmtpOptions::*member, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::boolean, std::move(help));
            const bool fallback = SmtpOptions{}.*member;
            spec.fallback = fallback;
            spec.example = !fallback;
        };
        {
            OptionSpec& spec =
                all.add("username", OptionType::string,
                        "User of the log-in; together with password or token, and only where the URL lacks a part of the log-in", nullptr);
            spec.fallback_text = "no log-in";
            spec.example = "reports";
        }
        {
            OptionSpec& spec = all.add("password", OptionType::string, "Password of the log-in; only together with username", nullptr);
            spec.sensitive = true;
            spec.example = "${env:SMTP_PASSWORD}";
        }
        {
            OptionSpec& spec = all.add("token", &SmtpOptions::token, OptionType::string,
                                       "Bearer token for the log-in by XOAUTH2, in the place of a password; sent under TLS only");
            spec.sensitive = true;
            spec.example = "${env:SMTP_TOKEN}";
        }
        {
            OptionSpec& spec = all.add("security", OptionType::string, "TLS otherwise than the scheme says", nullptr);
            spec.fallback = "default";
            spec.allowed = {{"default", "as the scheme says"},
                            {"ssl", "from the first byte, as smtps and esmtps"},
                            {"tls", "STARTTLS, required, as smtptls and esmtptls"},
                            {"none", "never, even where the server offers it; for relays of this machine"}};
            spec.example = "tls";
        }
        {
            OptionSpec& spec = all.add("auth", OptionType::string, "How to log in", [](SmtpOptions& o, const Value& v) {
                for (const auto& [word, way] : k_mail_auth) {
                    if (v.as_string() == word) o.auth = way;
                }
            });
            spec.fallback = "automatic";
            spec.allowed = {{"automatic", "what the server offers; without TLS cram-md5 first"},
                            {"plain", {}},
                            {"login", {}},
                            {"cram-md5", "the password itself is not sent"},
                            {"xoauth2", "with a token"},
                            {"none", "not at all"}};
            spec.example = "login";
        }
        flag("cleartext_password", &SmtpOptions::cleartext_password,
             "The password may be sent without TLS where the server offers neither TLS nor cram-md5; that it was is logged");
        {
            OptionSpec& spec = all.add("from", OptionType::string, "Sender of messages that name none: an address, with a name or without",
                                       [](SmtpOptions& o, const Value& v) { o.from = parse_mail_address(v.as_string()); });
            spec.check = sender_problem;
            spec.example = "Reports <reports@example.com>";
        }
        {
            OptionSpec& spec = all.add("ehlo_name", &SmtpOptions::ehlo_name, OptionType::string, "What this machine calls itself (EHLO)");
            spec.fallback_text = "its host name";
            spec.aliases = {"helo", "ehlo"};
            spec.example = "app1.example.com";
        }
        milliseconds("connect_timeout", &SmtpOptions::connect_timeout, 10'000,
                     "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit");
        milliseconds("timeout", &SmtpOptions::timeout, 60'000, "Longest silence of the server, not the time of a whole call; 0: no limit").aliases = {
            "io_timeout"};
        milliseconds("outcome_timeout", &SmtpOptions::outcome_timeout, 120'000,
                     "The same for the answer to a message that was sent to its end, which servers check and store first; 0: no limit");
        {
            OptionSpec& spec =
                all.add("max_sessions", &SmtpOptions::max_sessions, OptionType::integer, "Sessions at a time; so many calls run beside each other");
            spec.fallback = 4;
            spec.minimum = 1;
            spec.maximum = 1000;
            spec.example = 1;
        }
        milliseconds("idle_time", &SmtpOptions::idle_time, 10'000, "Sessions that nobody uses are closed after that time");
        {
            OptionSpec& spec =
                all.add("disable_automatic_pings", OptionType::boolean,
                        "The standard ping, which a monitor makes, succeeds without any I/O; pings to a named depth are made", nullptr);
            spec.fallback = false;
            spec.example = true;
        }
        add_log_options(all);
#ifndef QCONN_WITHOUT_HTTP
        add_oauth2_options(all);
        add_proxy_options(all);
#endif
        add_socket_options(all);
        all.remove("max_send_rate");  // of libcurl's transfers
        all.remove("max_receive_rate");
        add_tls_options(all);
        add_idle_options(all);
        return all;
    }();
    return options;
}

const MailScheme& scheme_of(std::string_view name) {
    for (const MailScheme& one : k_mail_schemes) {
        if (name == one.name) return one;
    }
    return k_mail_schemes.front();
}

/// The scheme that the option `security` makes of another: smtp becomes smtps or smtptls, esmtp likewise.
const MailScheme& scheme_of(std::string_view name, const Value& security) {
    const std::string_view word = security.is_string() ? security.as_string() : std::string_view{};
    if (word != "ssl" && word != "tls") return scheme_of(name);
    return scheme_of(std::string{name.starts_with('e') ? "esmtp" : "smtp"} + (word == "ssl" ? "s" : "tls"));
}

bool is_true(const Value& value) { return value.is_bool() && value.as_bool(); }

SmtpConnection options_of(const ResolvedDefinition& definition) {
    SmtpConnection options;
    table().apply(definition.options, options);
    options.label = definition.name;
    const Url& url = definition.url;
    const Value& security = option_of(definition, "security");
    const MailScheme& scheme = scheme_of(url.scheme, security);
    options.host = url.host;
    options.port = url.port.value_or(scheme.port);
    options.security = security.is_string() && security.as_string() == "none" ? SmtpTls::none : scheme.security;
    options.username = url.username.value_or(std::string{});
    options.password = url.password;
    const Value& user = option_of(definition, "username");
    const Value& password = option_of(definition, "password");
    if (!url.username || !url.password) {
        if (user.is_string()) options.username = std::string{user.as_string()};
        if (password.is_string()) options.password = Secret{password.as_string()};
    }
#ifndef QCONN_WITHOUT_HTTP
    options.proxy = proxy_of(definition, options.security == SmtpTls::offered || options.security == SmtpTls::none ? "http" : "https");
#endif
    return options;
}

mail::SmtpDepth depth_of(PingDepth depth) {
    switch (depth) {
        case PingDepth::connect: return mail::SmtpDepth::greeting;
        case PingDepth::tls: return mail::SmtpDepth::tls;
        case PingDepth::full: return mail::SmtpDepth::full;
        default: return mail::SmtpDepth::login;
    }
}

/// A log-in as far as the depth goes, and QUIT.
PingPlan make_ping(const ResolvedDefinition& definition, const SmtpOptions& options, PingDepth depth, const Runtime& runtime) {
    if (depth == PingDepth::standard && is_true(option_of(definition, "disable_automatic_pings"))) {
        return BlockingPing{[](Deadline) { return PingEvidence{"nothing was asked: automatic pings are switched off (disable_automatic_pings)"}; }};
    }
    if (options.tokens && depth != PingDepth::connect && depth != PingDepth::tls) {
        // A token may have to be fetched first: it is a call of a client, then.
        return CallPing{[options = without_logs(options), runtime](Deadline deadline, Callback<PingEvidence> callback) {
            const auto client = std::make_shared<SmtpClient>(options, runtime);
            return client->async_connect(deadline, [client, callback = std::move(callback)](Result<SmtpServerInfo> info) mutable {
                if (!info) return callback(info.error());
                PingEvidence seen{"logged in with a token; " + std::move(info->greeting)};
                seen.tls = std::move(info->tls);
                callback(std::move(seen));
            });
        }};
    }
    const auto plan = std::make_shared<const mail::SmtpLoginPlan>(mail::login_of(options, depth_of(depth)));
    NetPing ping;
    ping.endpoint = mail::endpoint_of(options);
    if (options.security == SmtpTls::implicit) {
        if (depth == PingDepth::connect) return ping;  // the greeting comes under TLS
        ping.endpoint.tls = std::make_shared<const TlsOptions>(options.tls);
    } else if (options.security != SmtpTls::none && depth != PingDepth::connect) {
        ping.start_tls = std::make_shared<const TlsOptions>(options.tls);
    }
    ping.dialogue = [plan]() -> std::unique_ptr<Dialogue> { return std::make_unique<mail::SmtpLogin>(plan); };
    return ping;
}

void check(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    if (url.host.empty()) findings.error("url", "missing-host", "the URL has no host", "write " + definition.scheme() + "://host");
    if (!url.path.empty() && url.path != "/") findings.warning("url", "unused-option", "the path of the URL has no meaning for mail");
    const bool token = is_set(definition, "token") || is_set(definition, "oauth2_grant_type");
    const bool user = is_set(definition, "username");
    const bool password = is_set(definition, "password");
    const bool whole = url.username && url.password;
    if (whole && (user || password))
        findings.warning(user ? "username" : "password", "unused-option", "the URL has user and password, so 'username' and 'password' are not used");
    const bool any_user = url.username || user;
    const bool any_password = url.password || password;
    if (any_user && !any_password && !token)
        findings.error(user ? "username" : "url", "missing-option", "a user is of no use without its password", "add 'password', or 'token'");
    if (!any_user && any_password) findings.error(password ? "password" : "url", "missing-option", "'password' is of no use without 'username'");
    if (token && !any_user) findings.error("url", "missing-option", "a token is of no use without 'username'");
    const Value* const auth = definition.options.find("auth");
    if (auth != nullptr && auth->is_string() && auth->as_string() == "xoauth2" && !token)
        findings.error("auth", "missing-option", "XOAUTH2 needs a token", "add 'token'");
    const Value* const security = definition.options.find("security");
    const std::string_view word = security != nullptr && security->is_string() ? security->as_string() : std::string_view{};
    const SmtpTls scheme = scheme_of(definition.scheme()).security;
    if (word == "none" && scheme != SmtpTls::offered)
        findings.error("security", "conflicting-options", "the scheme " + definition.scheme() + " is with TLS", "use smtp or esmtp");
    if (word == "none") {
        for (const OptionSpec& spec : table().specs()) {
            if (spec.name.starts_with("ssl_") && is_set(definition, spec.name))
                findings.warning(spec.name, "unused-option", "without TLS (security: none) this has no effect");
        }
    }
    check_idle_options(definition, findings);
    check_tls_options(definition, findings);
#ifndef QCONN_WITHOUT_HTTP
    check_proxy_options(definition, findings);
#endif
    check_token_log_in(definition, findings);
}

/// With the source of its tokens, where it has one.
SmtpConnection with_tokens(TokenSources& sources, const ResolvedDefinition& definition, const Runtime& runtime) {
    SmtpConnection options = options_of(definition);
    const Secret password = options.password.value_or(Secret{});
    options.tokens = log_in_tokens(sources, definition, {options.oauth2, options.username, password, options.tls, options.proxy}, runtime);
    if (options.tokens) options.password.reset();
    return options;
}

}  // namespace

Scheme smtp_scheme() {
    Scheme scheme;
    for (const MailScheme& one : k_mail_schemes) {
        scheme.names.emplace_back(one.name);
        scheme.default_ports.emplace(one.name, one.port);
    }
    scheme.family = "smtp";
    scheme.user_is_name = true;
    scheme.title = "SMTP";
    scheme.help =
        "Outgoing mail: smtp and esmtp with STARTTLS where the server offers it, smtptls and esmtptls where it must be, smtps and esmtps with TLS "
        "from the "
        "first byte. A ping logs in and says QUIT.";
    scheme.example_url = "esmtptls://reports:secret@mail.example.com";
    scheme.options = table().specs();
    scheme.sharing = Sharing::parallel;
    scheme.standard_depth = PingDepth::auth;
    scheme.clients = client_types<SmtpClient>({"SmtpClient"});
    scheme.operations = smtp_operations();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check(definition, findings);
    };
    const auto sources = std::make_shared<TokenSources>();
    scheme.make_client = [sources](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<SmtpClient>(with_tokens(*sources, definition, runtime), runtime);
    };
    scheme.make_ping = [sources](const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
        const SmtpConnection options = with_tokens(*sources, definition, runtime);
        return with_credentials(make_ping(definition, options, depth, runtime), options.tokens);
    };
    return scheme;
}

}  // namespace qconn::schemes
