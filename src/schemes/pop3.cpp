// SPDX-License-Identifier: Apache-2.0
// pop3 and pop3s.
#include <qconn/auth/oauth2.hpp>
#include <qconn/mail/pop3_client.hpp>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "mail/pop3_settings.hpp"
#include "schemes/log_options.hpp"
#include "schemes/pop3_operations.hpp"
#include "schemes/schemes.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"
#include "schemes/token_log_in.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/oauth2_options.hpp"
#include "schemes/proxy_options.hpp"
#endif

namespace qconn::schemes {
namespace {

using mail::pop3::LoginDepth;

/// What the table sets.
struct Pop3Connection : Pop3Options {
    OAuth2Options oauth2{};
};

struct AuthWord {
    const char* word;
    Pop3Auth auth;
    const char* help;
};
constexpr std::array<AuthWord, 6> k_auth_words{{
    {"automatic", Pop3Auth::automatic,
     "with a token xoauth2; else under TLS plain or user, in clear apop, cram-md5, plain or user: the first that the server offers"},
    {"user", Pop3Auth::user, "USER and PASS"},
    {"apop", Pop3Auth::apop, "APOP: the password does not go over the line"},
    {"plain", Pop3Auth::plain, "AUTH PLAIN"},
    {"cram-md5", Pop3Auth::cram_md5, "AUTH CRAM-MD5"},
    {"xoauth2", Pop3Auth::xoauth2, "AUTH XOAUTH2, with a token"},
}};

void add_login(OptionTable<Pop3Connection>& all) {
    {
        OptionSpec& spec =
            all.add("username", OptionType::string, "User of the log-in, where the URL has none; together with password or token", nullptr);
        spec.fallback_text = "that of the URL";
        spec.example = "orders@example.com";
    }
    {
        OptionSpec& spec = all.add("password", OptionType::string, "Password of the log-in, where the URL has none", nullptr);
        spec.sensitive = true;
        spec.fallback_text = "that of the URL";
        spec.example = "${env:MAIL_PASSWORD}";
    }
    {
        OptionSpec& spec = all.add("token", OptionType::string, "OAuth 2 access token in the place of a password: the log-in is XOAUTH2", nullptr);
        spec.sensitive = true;
        spec.example = "${env:MAIL_TOKEN}";
    }
    {
        OptionSpec& spec = all.add("auth", OptionType::string, "How to log in", [](Pop3Options& o, const Value& v) {
            for (const AuthWord& one : k_auth_words)
                if (v.as_string() == one.word) o.auth = one.auth;
        });
        spec.fallback = "automatic";
        for (const AuthWord& one : k_auth_words) spec.allowed.push_back({one.word, one.help});
        spec.example = "apop";
    }
    {
        OptionSpec& spec = all.add("tls", OptionType::boolean, "pop3: TLS before the log-in (STLS); a server without it is refused", nullptr);
        spec.fallback = false;
        spec.example = true;
    }
}

const OptionTable<Pop3Connection>& pop3_table() {
    static const OptionTable<Pop3Connection> options = [] {
        OptionTable<Pop3Connection> all;
        const auto milliseconds = [&all](std::string name, std::chrono::milliseconds Pop3Options::*member, int example, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::integer, std::move(help));
            spec.unit = Unit::milliseconds;
            spec.fallback = static_cast<long long>((Pop3Options{}.*member).count());
            spec.minimum = 0;
            spec.maximum = 2'147'483'647.0;
            spec.example = example;
        };
        add_login(all);
        milliseconds("connect_timeout", &Pop3Options::connect_timeout, 10'000,
                     "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit");
        milliseconds("io_timeout", &Pop3Options::io_timeout, 60'000, "Longest silence of the server, not the time of a whole call; 0: no limit");
        {
            OptionSpec& spec = all.add("max_mail_size", &Pop3Options::max_mail_size, OptionType::integer,
                                       "Largest message that is taken into memory; larger ones can be retrieved piece by piece");
            spec.unit = Unit::bytes;
            spec.fallback = static_cast<unsigned long long>(Pop3Options{}.max_mail_size);
            spec.minimum = 0;
            spec.example = 10'000'000;
        }
        {
            OptionSpec& spec = all.add("pipeline", &Pop3Options::pipeline, OptionType::integer,
                                       "Commands that are on their way at a time, where the server announces PIPELINING; 1: one after the other");
            spec.fallback = 16;
            spec.minimum = 1;
            spec.maximum = 1000;
            spec.example = 1;
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
        return all;
    }();
    return options;
}

bool pop3_flag(const ResolvedDefinition& definition, std::string_view name) {
    const Value& value = option_of(definition, name);
    return value.is_bool() && value.as_bool();
}

Pop3Connection pop3_options_of(const ResolvedDefinition& definition) {
    Pop3Connection options;
    pop3_table().apply(definition.options, options);
    options.label = definition.name;
    const Url& url = definition.url;
    options.host = url.host;
    options.port = url.port.value_or(0);
    options.username = url.username.value_or(std::string{});
    options.password = url.password;
    if (const Value& user = option_of(definition, "username"); user.is_string()) options.username = std::string{user.as_string()};
    if (const Value& password = option_of(definition, "password"); password.is_string()) options.password = Secret{password.as_string()};
    if (const Value& token = option_of(definition, "token"); token.is_string()) options.token = Secret{token.as_string()};
    if (url.scheme == "pop3s")
        options.security = Pop3Tls::implicit;
    else if (pop3_flag(definition, "tls"))
        options.security = Pop3Tls::required;
#ifndef QCONN_WITHOUT_HTTP
    options.proxy = proxy_of(definition, url.scheme == "pop3s" ? "https" : "http");
#endif
    return options;
}

LoginDepth pop3_depth_of(PingDepth depth) {
    switch (depth) {
        case PingDepth::connect: return LoginDepth::greeting;
        case PingDepth::tls: return LoginDepth::tls;
        case PingDepth::full: return LoginDepth::request;
        default: return LoginDepth::login;
    }
}

/// A log-in as far as the depth goes, and QUIT.
PingPlan pop3_ping(const Pop3Options& options, PingDepth depth, const Runtime& runtime) {
    if (options.tokens && depth != PingDepth::connect && depth != PingDepth::tls) {
        // A token may have to be fetched first: it is a call of a client, then.
        return CallPing{[options = without_logs(options), runtime](Deadline deadline, Callback<PingEvidence> callback) {
            const auto client = std::make_shared<Pop3Client>(options, runtime);
            return client->async_noop(deadline, [client, callback = std::move(callback)](Result<void> result) mutable {
                if (!result) return callback(result.error());
                callback(PingEvidence{"logged in with a token"});
            });
        }};
    }
    const auto plan = std::make_shared<const mail::pop3::LoginPlan>(mail::pop3::login_of(options, pop3_depth_of(depth)));
    NetPing ping;
    ping.endpoint = mail::pop3::endpoint_of(options);
    if (options.security == Pop3Tls::implicit) {
        if (depth == PingDepth::connect) return ping;  // the greeting comes under TLS
        ping.endpoint.tls = std::make_shared<const TlsOptions>(options.tls);
    }
    if (options.security == Pop3Tls::required && depth != PingDepth::connect) ping.start_tls = std::make_shared<const TlsOptions>(options.tls);
    ping.dialogue = [plan]() -> std::unique_ptr<Dialogue> { return std::make_unique<mail::pop3::LoginDialogue>(plan); };
    return ping;
}

void check_pop3(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    const std::string scheme{definition.scheme()};
    if (url.host.empty()) findings.error("url", "missing-host", "the URL has no host", "write " + scheme + "://user:password@host");
    const bool user = is_set(definition, "username");
    const bool password = is_set(definition, "password");
    const bool given = is_set(definition, "token");
    const bool token = given || is_set(definition, "oauth2_grant_type");
    if (url.username && user) findings.error("username", "conflicting-options", "the URL has a user name too", "take one of the two out");
    if (url.password && password) findings.error("password", "conflicting-options", "the URL has a password too", "take one of the two out");
    if (given && (password || url.password))
        findings.error("token", "conflicting-options", "a password and a token exclude each other", "take one of the two out");
    if (!url.username && !user) findings.error("username", "missing-option", "there is no user name", "put it into the URL, or add 'username'");
    if (!url.password && !password && !token)
        findings.error("password", "missing-option", "there is no password", "put it into the URL, or add 'password' or 'token'");
    const Value* const auth = definition.options.find("auth");
    const bool by_token = auth != nullptr && auth->is_string() && auth->as_string() == "xoauth2";
    if (by_token && !token) findings.error("auth", "missing-option", "xoauth2 needs a token", "add 'token'");
    if (token && auth != nullptr && auth->is_string() && !by_token && auth->as_string() != "automatic")
        findings.error("auth", "conflicting-options", "with a token the log-in is xoauth2", "take 'auth' out");
    const Value* const tls = definition.options.find("tls");
    const bool start_tls = tls != nullptr && tls->is_bool() && tls->as_bool();
    if (definition.scheme() == "pop3s") {
        if (is_set(definition, "tls")) findings.warning("tls", "unused-option", "pop3s has TLS from the first byte: this has no effect");
    } else if (!start_tls) {
        for (const OptionSpec& spec : pop3_table().specs()) {
            if (spec.name.starts_with("ssl_") && is_set(definition, spec.name))
                findings.warning(spec.name, "unused-option", "without TLS this has no effect; set 'tls', or use pop3s");
        }
        if (token) findings.warning("token", "token-in-clear", "without TLS everybody on the way can read the token", "set 'tls', or use pop3s");
    }
    check_tls_options(definition, findings);
#ifndef QCONN_WITHOUT_HTTP
    check_proxy_options(definition, findings);
#endif
    check_token_log_in(definition, findings);
}

/// With the source of its tokens, where it has one.
Pop3Connection with_tokens(TokenSources& sources, const ResolvedDefinition& definition, const Runtime& runtime) {
    Pop3Connection options = pop3_options_of(definition);
    const Secret password = options.password.value_or(Secret{});
    options.tokens = log_in_tokens(sources, definition, {options.oauth2, options.username, password, options.tls, options.proxy}, runtime);
    if (options.tokens) options.password.reset();
    return options;
}

}  // namespace

Scheme pop3_scheme() {
    Scheme scheme;
    scheme.names = {"pop3", "pop3s"};
    scheme.family = "pop3";
    scheme.user_is_name = true;
    scheme.title = "POP3";
    scheme.help = "A mailbox on a POP3 server, for pop3s under TLS. A ping logs in and says QUIT; depth full also asks for a sign of life.";
    scheme.example_url = "pop3s://orders@example.com:secret@mail.example.com";
    scheme.default_ports = {{"pop3", 110}, {"pop3s", 995}};
    scheme.options = pop3_table().specs();
    scheme.sharing = Sharing::serialised;
    scheme.standard_depth = PingDepth::auth;
    scheme.clients = client_types<Pop3Client>({"Pop3Client"});
    scheme.operations = pop3_operations();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_pop3(definition, findings);
    };
    const auto sources = std::make_shared<TokenSources>();
    scheme.make_client = [sources](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<Pop3Client>(with_tokens(*sources, definition, runtime), runtime);
    };
    scheme.make_ping = [sources](const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
        const Pop3Connection options = with_tokens(*sources, definition, runtime);
        return with_credentials(pop3_ping(options, depth, runtime), options.tokens);
    };
    return scheme;
}

}  // namespace qconn::schemes
