// SPDX-License-Identifier: Apache-2.0
/// How to reach an SMTP server and log in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/auth/oauth2.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/mail/mail_address.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

enum class SmtpTls : std::uint8_t {
    /// STARTTLS where the server offers it (RFC 3207). Whoever is on the way can hide the offer: where that matters, it must be required.
    offered,
    /// STARTTLS; a server that does not offer it is refused.
    required,
    /// TLS from the first byte, on a port of its own (RFC 8314).
    implicit,
    /// None, even where it is offered.
    none,
};

enum class SmtpAuth : std::uint8_t {
    /// XOAUTH2 with a token; with a password, of what the server offers, PLAIN, LOGIN or CRAM-MD5; without TLS CRAM-MD5 first. None without a user.
    automatic,
    plain,     ///< RFC 4616
    login,     ///< obsolete and common
    cram_md5,  ///< RFC 2195; the password itself is not sent
    xoauth2,   ///< a bearer token, as Google and Microsoft have it
    none,
};

/// A value type; checked when a client is made.
struct SmtpOptions {
    /// For messages; the name of the connection.
    std::string label{};
    std::string host{};
    /// 0: 25, or 465 with implicit TLS.
    std::uint16_t port{0};
    SmtpTls security{SmtpTls::offered};

    /// Empty: no log-in.
    std::string username{};
    std::optional<Secret> password{};
    /// A bearer token for XOAUTH2.
    Secret token{};
    /// Where such tokens come from; asked before each log-in, and once more where the server refuses a token. Wins over `token`.
    std::shared_ptr<TokenSource> tokens{};
    SmtpAuth auth{SmtpAuth::automatic};
    /// The password may be sent without TLS, readable for whoever listens in; that it was is logged once. False: it is not, and the log-in fails.
    /// Tokens are sent under TLS only, always.
    bool cleartext_password{true};

    /// Sender of messages that name none.
    MailAddress from{};
    /// What this machine calls itself in EHLO. Empty: its host name.
    std::string ehlo_name{};

    TlsOptions tls{};
    std::optional<Proxy> proxy{};
    SocketOptions socket{};

    /// Longest time to get a session: name, TCP, proxy, TLS, log-in. Zero: no limit.
    std::chrono::milliseconds connect_timeout{30'000};
    /// Longest silence of the server, not the time of a whole call. Zero: no limit.
    std::chrono::milliseconds timeout{15'000};
    /// The same for the answer to a message that was sent whole: servers check and store it first, and whoever gives up then does not know whether it
    /// was taken. RFC 5321 section 4.5.3.2.6 wants ten minutes. Zero: no limit.
    std::chrono::milliseconds outcome_timeout{600'000};
    /// Sessions at a time; so many calls run beside each other. At least 1.
    std::size_t max_sessions{4};
    /// Sessions that nobody uses are closed after that time.
    std::chrono::milliseconds idle_time{60'000};

    /// Commands are logged (level info), and what becomes of sessions and messages (refusals as warnings).
    bool log{false};
    /// All else that is said, answers above all, is logged too (level debug).
    bool dbglog{false};
    /// Told each line of the dialogue.
    DialogueListener on_dialogue{};
};

}  // namespace qconn
