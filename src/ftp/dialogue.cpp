// SPDX-License-Identifier: Apache-2.0
#include "ftp/dialogue.hpp"

#include <array>
#include <utility>

#include "base/text.hpp"

namespace qconn::ftp {
namespace {

struct StageText {
    std::string_view awaited;
    Phase phase;
};
constexpr std::array<StageText, 13> k_stages{{
    {"the greeting", Phase::protocol},
    {"the answer to AUTH TLS", Phase::tls},
    {"the TLS handshake", Phase::tls},
    {"the answer to PBSZ", Phase::tls},
    {"the answer to PROT", Phase::tls},
    {"the answer to USER", Phase::auth},
    {"the answer to PASS", Phase::auth},
    {"the answer to FEAT", Phase::protocol},
    {"the answer to OPTS UTF8", Phase::protocol},
    {"the answer to TYPE", Phase::protocol},
    {"the answer to CWD", Phase::protocol},
    {"the answer to PWD", Phase::protocol},
    {"nothing", Phase::protocol},
}};

}  // namespace

std::string_view LoginDialogue::awaited() const noexcept {
    // A server that waits for TLS is as silent as one that hangs.
    if (stage_ == Stage::greeting && plan_->security == FtpTls::required)
        return "the greeting (one that wants TLS from the first byte sends none: then set the option implicit_tls)";
    if (stage_ == Stage::greeting && plan_->security == FtpTls::none && plan_->implicit_port)
        return "the greeting (on port 990 TLS begins with the first byte by custom: that is ftps with the option implicit_tls)";
    return k_stages[static_cast<std::size_t>(stage_)].awaited;
}
Phase LoginDialogue::phase() const noexcept { return k_stages[static_cast<std::size_t>(stage_)].phase; }

/// A server that repeats what it was sent shall not have us show the password.
std::string LoginDialogue::masked(std::string text) const { return net::SecretMask{plan_->password}.apply(std::move(text)); }

Error LoginDialogue::refuse(FtpErrc code, std::string_view verb, const FtpReply& reply, Phase phase, std::string_view hint) {
    refused_ = reply;
    for (std::string& line : refused_.lines) line = masked(std::move(line));
    std::string what = verb.empty() ? "the server greeted" : "the server answered " + std::string{verb};
    what += " with \"" + shown(refused_) + '"';
    const Reason reason = [&] {
        if (reply.code == 421) return Reason::limit;
        if (code == FtpErrc::cwd) return reason_of(reply, Reason::not_found);
        if (code == FtpErrc::login) {
            const std::string words = text::to_lower(reply.text());
            const bool full = words.find("too many") != std::string::npos || words.find("maximum") != std::string::npos;
            return full ? Reason::limit : reply.code / 100 == 5 ? Reason::denied : Reason::status;
        }
        if (code == FtpErrc::auth_tls || code == FtpErrc::secure_data) return Reason::unsupported;
        return Reason::status;
    }();
    if (!hint.empty()) what.append("; ").append(hint);
    Error error = failure(plan_->job, code, reason, what, phase);
    error.with_retryable(reply.code / 100 == 4 || reason == Reason::limit);
    error.with_detail(std::make_shared<FtpErrorDetail>(refused_, std::string{verb}, code == FtpErrc::cwd ? plan_->path : std::string{}));
    return error;
}

Dialogue::Step LoginDialogue::begin(std::string& out) {
    if (stage_ != Stage::handshake) return {};  // with implicit TLS that stands before anything is said
    stage_ = Stage::pbsz;
    say(out);
    return {};
}

void LoginDialogue::say(std::string& out, std::string_view line) const {
    out.append(line).append("\r\n");
    log_.sent(line);
}

void LoginDialogue::say(std::string& out) const {
    switch (stage_) {
        case Stage::auth: return say(out, "AUTH TLS");
        case Stage::pbsz: return say(out, "PBSZ 0");
        case Stage::prot: return say(out, "PROT P");
        case Stage::user: return say(out, "USER " + plan_->username);
        case Stage::pass:
            out.append("PASS ").append(plan_->password.reveal()).append("\r\n");
            return log_.sent_secret("PASS ", plan_->password.reveal());
        case Stage::feat: return say(out, "FEAT");
        case Stage::utf8: return say(out, "OPTS UTF8 ON");
        case Stage::type: return say(out, plan_->ascii ? "TYPE A" : "TYPE I");
        case Stage::cwd: return say(out, "CWD " + plan_->path);
        case Stage::pwd: return say(out, "PWD");
        case Stage::done:
            if (plan_->depth != LoginDepth::session) say(out, "QUIT");
            return;
        case Stage::greeting:
        case Stage::handshake: return;
    }
}

std::optional<Error> LoginDialogue::after_login() {
    evidence_ += "; logged in as " + text::printable(plan_->username);
    stage_ = plan_->depth == LoginDepth::login ? Stage::done : plan_->depth == LoginDepth::session ? Stage::feat : Stage::cwd;
    if (stage_ == Stage::cwd && plan_->path.empty()) stage_ = Stage::done;
    return std::nullopt;
}

std::optional<Error> LoginDialogue::take(const FtpReply& reply) {
    const bool good = is_positive(reply);
    switch (stage_) {
        case Stage::greeting:
            if (!good)
                return refuse(FtpErrc::connect, {}, reply, Phase::protocol,
                              reply.code == 421 ? "it is too busy, or allows no more connections" : "it does not want to talk to this machine");
            evidence_ = text::printable(text::shorten(masked(shown(reply)), 120));
            if (plan_->depth == LoginDepth::greeting)
                stage_ = Stage::done;
            else if (plan_->security == FtpTls::none)
                stage_ = plan_->depth == LoginDepth::tls ? Stage::done : Stage::user;
            else
                stage_ = plan_->security == FtpTls::required ? Stage::auth : Stage::pbsz;
            return std::nullopt;
        case Stage::auth:
            if (reply.code != 234)
                return refuse(FtpErrc::auth_tls, "AUTH TLS", reply, Phase::tls,
                              "it offers no TLS on this port; for TLS from the first byte set the option implicit_tls, and only where nothing secret "
                              "is sent use ftp");
            stage_ = Stage::handshake;
            return std::nullopt;
        case Stage::pbsz:
            if (!good) return refuse(FtpErrc::secure_data, "PBSZ", reply, Phase::tls, "files would go unprotected");
            stage_ = Stage::prot;
            return std::nullopt;
        case Stage::prot:
            if (!good) return refuse(FtpErrc::secure_data, "PROT P", reply, Phase::tls, "files would go unprotected");
            evidence_ += "; under TLS";
            stage_ = plan_->depth == LoginDepth::tls ? Stage::done : Stage::user;
            return std::nullopt;
        case Stage::user:
            if (good) return after_login();
            if (reply.code == 331) {
                stage_ = Stage::pass;
                return std::nullopt;
            }
            [[fallthrough]];
        case Stage::pass: {
            const std::string_view verb = stage_ == Stage::user ? "USER" : "PASS";
            if (good) return after_login();
            if (reply.code == 332) return refuse(FtpErrc::login, verb, reply, Phase::auth, "it wants an account too (ACCT), which is not supported");
            const std::string words = text::to_lower(reply.text());
            const bool wants_tls =
                plan_->security == FtpTls::none &&
                (words.find("tls") != std::string::npos || words.find("ssl") != std::string::npos || words.find("encrypt") != std::string::npos);
            if (reply.code == 421) return refuse(FtpErrc::login, verb, reply, Phase::auth, "it is too busy, or allows no more connections");
            return refuse(FtpErrc::login, verb, reply, Phase::auth, wants_tls ? "it wants TLS: use ftps" : "check user name and password");
        }
        case Stage::feat:
            for (const std::string& line : reply.lines) {
                const std::string word = text::to_lower(text::trim(line));
                features_.mlst = features_.mlst || word.starts_with("mlst");
                features_.mfmt = features_.mfmt || word == "mfmt";
                features_.utf8 = features_.utf8 || word == "utf8";
            }
            if (!good) features_ = {};
            stage_ = features_.utf8 ? Stage::utf8 : Stage::type;
            return std::nullopt;
        case Stage::utf8:  // a server that has it anyway may refuse to be told
            stage_ = Stage::type;
            return std::nullopt;
        case Stage::type:
            if (!good) return refuse(FtpErrc::failed, "TYPE", reply, Phase::protocol);
            stage_ = plan_->path.empty() ? Stage::pwd : Stage::cwd;
            return std::nullopt;
        case Stage::cwd:
            if (!good) return refuse(FtpErrc::cwd, "CWD", reply, Phase::protocol, "check the path of the URL");
            evidence_ += "; in " + text::printable(text::shorten(plan_->path, 80));
            stage_ = plan_->depth == LoginDepth::session ? Stage::pwd : Stage::done;
            return std::nullopt;
        case Stage::pwd:
            if (good) directory_ = quoted_path(reply.text()).value_or("");
            stage_ = Stage::done;
            return std::nullopt;
        case Stage::handshake:
        case Stage::done: break;
    }
    return std::nullopt;
}

Dialogue::Step LoginDialogue::feed(std::string_view input, bool, std::string& out) {
    Step step;
    while (step.used < input.size()) {
        step.used += parser_.feed(input.substr(step.used));
        if (!parser_.problem().empty()) {
            step.want = Want::failed;
            const FtpErrc code = stage_ == Stage::greeting ? FtpErrc::connect : FtpErrc::failed;
            step.error = failure(plan_->job, code, Reason::bad_answer, masked(parser_.problem()) + "; is it an FTP server?", phase());
            return step;
        }
        const auto reply = parser_.take();
        if (!reply) break;
        if (is_preliminary(*reply)) continue;  // "120 Service ready in 5 minutes"
        if (auto error = take(*reply)) {
            step.want = Want::failed;
            step.error = std::move(error);
            return step;
        }
        say(out);
        if (stage_ == Stage::handshake) {
            // What comes behind the reply in clear must not be taken for something that was said under TLS: it is thrown away with this.
            step.used = input.size();
            parser_ = ReplyParser{log_};
            step.want = Want::start_tls;
            return step;
        }
        if (stage_ == Stage::done) {
            step.want = Want::done;
            return step;
        }
    }
    return step;
}

}  // namespace qconn::ftp
