// SPDX-License-Identifier: Apache-2.0
/// From the greeting to a session that can be used: for clients and for pings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/mail/smtp_client.hpp>
#include <qconn/net/dialogue.hpp>

#include "mail/smtp_error.hpp"
#include "net/dialogue_log.hpp"
#include "net/reply.hpp"

namespace qconn::mail {

/// How far it goes.
enum class SmtpDepth : std::uint8_t {
    greeting,
    tls,
    login,
    full,     ///< and NOOP
    session,  ///< all that a client needs
};

/// What is said. A value type; the same for all log-ins of a connection.
struct SmtpLoginPlan {
    net::Job job;  ///< its verb is "connecting"
    SmtpTls security{SmtpTls::offered};
    std::string ehlo_name;
    std::string username;
    Secret password;
    Secret token;
    bool has_password{false};
    SmtpAuth auth{SmtpAuth::automatic};
    bool cleartext_password{true};
    SmtpDepth depth{SmtpDepth::session};
};

/// RFC 5321, 3207, 4954. Ends with QUIT where no session is wanted.
class SmtpLogin final : public Dialogue {
public:
    /// @param log  is told what is said
    explicit SmtpLogin(std::shared_ptr<const SmtpLoginPlan> plan, net::SessionLog log = {});

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return evidence_; }
    std::string_view awaited() const noexcept override;
    Phase phase() const noexcept override;

    const SmtpServerInfo& info() const noexcept { return info_; }
    /// The password was sent, and there is no TLS.
    bool exposed_password() const noexcept { return exposed_; }
    /// The log-in was refused, with a token.
    bool token_refused() const noexcept { return token_refused_; }

private:
    enum class Stage : std::uint8_t { greeting, ehlo, helo, starttls, handshake, auth, auth_user, auth_answer, noop, done };

    /// The outcome of one reply: what comes next, or why not.
    std::optional<Error> take(const Reply& reply);
    std::optional<Error> after_hello(bool starttls);
    std::optional<Error> begin_auth();
    void try_way();
    std::optional<Error> auth_reply(const Reply& reply);
    void after_login();
    void finish();
    void say(std::string_view line);
    /// With what nobody may see behind `line`.
    void say_secret(std::string_view line, const Secret& secret);
    Error refuse(SmtpErrc code, std::string_view verb, const Reply& reply, std::string_view hint = {});
    std::string masked(std::string text) const;
    bool has_tls() const noexcept { return tls_stands_; }

    const std::shared_ptr<const SmtpLoginPlan> plan_;
    const net::SessionLog log_;
    net::ReplyParser parser_;
    Stage stage_{Stage::greeting};
    bool tls_stands_;
    bool exposed_{false};
    bool token_refused_{false};
    SmtpServerInfo info_;
    std::string evidence_;
    std::string out_;
    std::vector<SmtpAuth> ways_;  // that are left to log in, the next first
    std::string refused_token_;   // what the server says of a token before it refuses it
};

/// `name` of EHLO where none is given: what this machine is called.
std::string machine_name();
std::string_view mechanism_name(SmtpAuth way) noexcept;

}  // namespace qconn::mail
