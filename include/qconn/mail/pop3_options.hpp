// SPDX-License-Identifier: Apache-2.0
/// How a mailbox on a POP3 server is reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <qconn/base/secret.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

class TokenSource;

enum class Pop3Tls : std::uint8_t {
    none,
    /// STLS before the log-in (RFC 2595). A server that has none is refused, and no password is sent.
    required,
    /// From the first byte, on a port of its own (995).
    implicit,
};

/// How the client logs in.
enum class Pop3Auth : std::uint8_t {
    /// With a token XOAUTH2. With a password, under TLS: PLAIN where the server announces it, else USER and PASS. In clear: APOP where the greeting
    /// allows it, CRAM-MD5 where it is announced, PLAIN likewise, else USER and PASS.
    automatic,
    user,      ///< USER and PASS (RFC 1939)
    apop,      ///< RFC 1939: the password does not go over the line; MD5
    plain,     ///< SASL (RFC 5034, 4616)
    cram_md5,  ///< SASL (RFC 2195)
    xoauth2,   ///< SASL, with a token, as Google and Microsoft have it
};

struct Pop3Options {
    /// For messages; the name of the connection.
    std::string label{};
    std::string host{};
    /// 0: 110, or 995 with implicit TLS.
    std::uint16_t port{0};
    std::string username{};
    std::optional<Secret> password{};
    /// OAuth 2 access token, in the place of the password.
    std::optional<Secret> token{};
    /// Where tokens come from, asked before each log-in; once more, for another one, where the server refuses. In the place of `token`.
    std::shared_ptr<TokenSource> tokens{};
    Pop3Auth auth{Pop3Auth::automatic};

    Pop3Tls security{Pop3Tls::none};
    TlsOptions tls{};
    std::optional<Proxy> proxy{};
    SocketOptions socket{};

    /// Longest time to get a session: name, TCP, proxy, TLS, log-in; and before that, for another session of this client to end. Zero: no limit.
    std::chrono::milliseconds connect_timeout{30'000};
    /// Longest silence of the server, not the time of a whole call. Zero: no limit.
    std::chrono::milliseconds io_timeout{15'000};
    /// Largest message that is taken into memory.
    std::uint64_t max_mail_size{std::uint64_t{256} << 20U};
    /// Commands that are on their way at a time, where the server announces PIPELINING (RFC 2449). 1: one after the other.
    std::size_t pipeline{16};

    /// Commands are logged (level info), and what becomes of sessions.
    bool log{false};
    /// All else that is said, answers above all, is logged too (level debug).
    bool dbglog{false};
    /// Told each line of the dialogue.
    DialogueListener on_dialogue{};
};

}  // namespace qconn
