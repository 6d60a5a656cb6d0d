// SPDX-License-Identifier: Apache-2.0
/// From the greeting to a session that can be used: for clients and for pings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/secret.hpp>
#include <qconn/mail/pop3_client.hpp>
#include <qconn/net/dialogue.hpp>

#include "mail/pop3_error.hpp"
#include "mail/pop3_reply.hpp"
#include "net/dialogue_log.hpp"
#include "net/job.hpp"

namespace qconn::mail::pop3 {

/// How far it goes.
enum class LoginDepth : std::uint8_t {
    greeting,
    tls,
    login,
    request,  ///< and NOOP
    session,  ///< no QUIT
};

/// What is said. A value type; the same for all log-ins of a connection, but for tokens that are fetched.
struct LoginPlan {
    net::Job job;  ///< its verb is "connecting"
    Pop3Tls security{Pop3Tls::none};
    Pop3Auth auth{Pop3Auth::automatic};
    std::string username;
    Secret password;
    Secret token;  ///< empty: the password is used
    LoginDepth depth{LoginDepth::session};
};

/// RFC 1939, 2449, 2595, 5034. Ends with QUIT where no session is wanted.
class LoginDialogue final : public Dialogue {
public:
    /// @param log  is told what is said
    explicit LoginDialogue(std::shared_ptr<const LoginPlan> plan, net::SessionLog log = {}) : plan_{std::move(plan)}, log_{std::move(log)} {}

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return evidence_; }
    std::string_view awaited() const noexcept override;
    Phase phase() const noexcept override;

    /// Before the log-in.
    const Pop3Capabilities& capabilities() const noexcept { return capabilities_; }

private:
    enum class Stage : std::uint8_t { greeting, stls, handshake, capa, capa_lines, user, pass, apop, sasl, sasl_answer, noop, done };

    std::optional<Error> take(const Status& status, std::string& out);
    std::optional<Error> greet(const Status& status, std::string& out);
    std::optional<Error> log_in(std::string& out);
    std::optional<Error> begin_sasl(std::string_view mechanism, Secret response, std::string& out);
    std::optional<Error> answer_challenge(const Status& status, std::string& out);
    void after_login(std::string& out);
    void end(std::string& out);
    Pop3Auth chosen() const;
    bool knows(std::string_view mechanism) const noexcept;
    bool in_clear() const noexcept { return plan_->security == Pop3Tls::none; }
    void say(std::string& out, std::string_view line) const;
    /// With what nobody may see behind `line`.
    void say_secret(std::string& out, std::string_view line, std::string_view secret) const;
    std::optional<Error> refuse(std::string_view verb, const Status& status);
    std::string masked(std::string text) const;

    const std::shared_ptr<const LoginPlan> plan_;
    const net::SessionLog log_;
    Stage stage_{Stage::greeting};
    Pop3Capabilities capabilities_;
    std::string evidence_;
    std::string timestamp_;
    DotReader capa_reader_;
    std::string capa_lines_;
    std::string verb_;       // that the answer is due to
    Secret sasl_response_;   // to the next challenge
    std::string refusal_;    // what a challenge said that was a refusal (XOAUTH2)
    std::string mechanism_;  // of SASL
};

}  // namespace qconn::mail::pop3
