// SPDX-License-Identifier: Apache-2.0
/// From the greeting to a session that can be used: for clients and for pings.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/secret.hpp>
#include <qconn/ftp/ftp_client.hpp>
#include <qconn/net/dialogue.hpp>

#include "ftp/ftp_error.hpp"
#include "ftp/reply.hpp"

namespace qconn::ftp {

/// How far it goes.
enum class LoginDepth : std::uint8_t {
    greeting,
    tls,  ///< data connections included
    login,
    directory,
    session,  ///< all that a client needs
};

/// What is said. A value type; the same for all log-ins of a connection.
struct LoginPlan {
    Job job;  ///< its verb is "connecting"
    FtpTls security{FtpTls::none};
    bool implicit_port{false};  ///< the one where TLS begins with the first byte by custom
    std::string username;
    Secret password;
    std::string path;
    LoginDepth depth{LoginDepth::session};
    bool ascii{false};
};

/// What the server can do, as it says (FEAT, RFC 2389).
struct Features {
    bool mlst{false};
    bool mfmt{false};
    bool utf8{false};
};

/// RFC 959, 4217, 2389, 2640. Ends with QUIT where no session is wanted.
class LoginDialogue final : public Dialogue {
public:
    /// @param log  is told what is said
    explicit LoginDialogue(std::shared_ptr<const LoginPlan> plan, net::SessionLog log = {})
        : plan_{std::move(plan)}, log_{std::move(log)}, parser_{log_} {}

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return evidence_; }
    std::string_view awaited() const noexcept override;
    Phase phase() const noexcept override;

    const Features& features() const noexcept { return features_; }
    /// The connection's directory, as the server calls it; empty where it does not say.
    const std::string& directory() const noexcept { return directory_; }
    /// The reply that refused; code 0: none did.
    const FtpReply& refused() const noexcept { return refused_; }

private:
    enum class Stage : std::uint8_t { greeting, auth, handshake, pbsz, prot, user, pass, feat, utf8, type, cwd, pwd, done };

    /// The outcome of one reply: what comes next, or why not.
    std::optional<Error> take(const FtpReply& reply);
    std::optional<Error> after_login();
    /// What the stage is about.
    void say(std::string& out) const;
    void say(std::string& out, std::string_view line) const;
    Error refuse(FtpErrc code, std::string_view verb, const FtpReply& reply, Phase phase, std::string_view hint = {});
    std::string masked(std::string text) const;

    const std::shared_ptr<const LoginPlan> plan_;
    const net::SessionLog log_;
    ReplyParser parser_;
    Stage stage_{Stage::greeting};
    Features features_;
    std::string evidence_;
    std::string directory_;
    FtpReply refused_;
};

}  // namespace qconn::ftp
