// SPDX-License-Identifier: Apache-2.0
#include "mail/smtp_dialogue.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "auth/sasl.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "mail/smtp_reply.hpp"

namespace qconn::mail {
namespace {

struct LoginStageText {
    std::string_view awaited;
    Phase phase;
};
constexpr std::array<LoginStageText, 10> k_login_stages{{
    {"the greeting", Phase::protocol},
    {"the answer to EHLO", Phase::protocol},
    {"the answer to HELO", Phase::protocol},
    {"the answer to STARTTLS", Phase::tls},
    {"the TLS handshake", Phase::tls},
    {"the answer to AUTH", Phase::auth},
    {"the answer to AUTH", Phase::auth},
    {"the answer to the log-in", Phase::auth},
    {"the answer to NOOP", Phase::protocol},
    {"nothing", Phase::protocol},
}};

/// Base64 of a secret, which is wiped where it was put together.
Secret encoded(const Secret& secret) {
    std::string text = base64::encode(secret.reveal());
    Secret out{text};
    wipe(text);
    return out;
}

/// A server that says one of these has nothing against the user, but against the way of logging in (RFC 4954 section 6, RFC 5321).
bool wants_another_way(const Reply& reply) noexcept { return reply.code == 504 || reply.code == 534 || reply.code == 502 || reply.code == 500; }

}  // namespace

std::string machine_name() {
    std::array<char, 256> buffer{};
    if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
    const std::string name{buffer.data()};
    const bool good = !name.empty() && name.front() != '-' &&
                      std::all_of(name.begin(), name.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '.'; });
    return good ? name : "localhost";
}

std::string_view mechanism_name(SmtpAuth way) noexcept {
    switch (way) {
        case SmtpAuth::plain: return "PLAIN";
        case SmtpAuth::login: return "LOGIN";
        case SmtpAuth::cram_md5: return "CRAM-MD5";
        case SmtpAuth::xoauth2: return "XOAUTH2";
        case SmtpAuth::automatic:
        case SmtpAuth::none: break;
    }
    return {};
}

SmtpLogin::SmtpLogin(std::shared_ptr<const SmtpLoginPlan> plan, net::SessionLog log)
    : plan_{std::move(plan)}, log_{std::move(log)}, parser_{log_}, tls_stands_{plan_->security == SmtpTls::implicit} {}

std::string_view SmtpLogin::awaited() const noexcept { return k_login_stages[static_cast<std::size_t>(stage_)].awaited; }
Phase SmtpLogin::phase() const noexcept { return k_login_stages[static_cast<std::size_t>(stage_)].phase; }

/// A server that repeats what it was sent shall not have us show the password.
std::string SmtpLogin::masked(std::string text) const { return net::SecretMask{plan_->password, plan_->token}.apply(std::move(text)); }

Error SmtpLogin::refuse(SmtpErrc code, std::string_view verb, const Reply& reply, std::string_view hint) {
    Reply shown = reply;
    for (std::string& line : shown.lines) line = masked(std::move(line));
    return refusal(plan_->job, code, verb, {}, shown, hint);
}

void SmtpLogin::say(std::string_view line) {
    out_.append(line).append("\r\n");
    log_.sent(line);
}

void SmtpLogin::say_secret(std::string_view line, const Secret& secret) {
    out_.append(line).append(secret.reveal()).append("\r\n");
    log_.sent_secret(line, secret.reveal());
}

Dialogue::Step SmtpLogin::begin(std::string& out) {
    if (stage_ != Stage::handshake) return {};  // with implicit TLS that stands before anything is said
    // What was said in clear counts no more: somebody else may have said it (RFC 3207 section 4.2).
    tls_stands_ = true;
    evidence_ += "; under TLS";
    const std::string greeting = info_.greeting;
    info_ = {};
    info_.greeting = greeting;
    if (plan_->depth == SmtpDepth::tls) {
        finish();
        out += std::exchange(out_, {});
        Step step;
        step.want = Want::done;
        return step;
    }
    stage_ = Stage::ehlo;
    say("EHLO " + plan_->ehlo_name);
    out += std::exchange(out_, {});
    return {};
}

void SmtpLogin::finish() {
    stage_ = Stage::done;
    if (plan_->depth != SmtpDepth::session) say("QUIT");
}

void SmtpLogin::after_login() {
    if (plan_->depth == SmtpDepth::full) {
        stage_ = Stage::noop;
        say("NOOP");
    } else {
        finish();
    }
}

std::optional<Error> SmtpLogin::after_hello(bool starttls) {
    if (!tls_stands_ && plan_->security == SmtpTls::required && !starttls)
        return failure(plan_->job, SmtpErrc::tls_required, Reason::unsupported,
                       "TLS is required, and the server does not offer STARTTLS on this port; for TLS from the first byte use smtps, and only where "
                       "nothing secret is sent smtp",
                       Phase::tls);
    if (!tls_stands_ && starttls && plan_->security != SmtpTls::none) {
        stage_ = Stage::starttls;
        say("STARTTLS");
        return std::nullopt;
    }
    if (plan_->depth == SmtpDepth::tls) {
        finish();
        return std::nullopt;
    }
    return begin_auth();
}

std::optional<Error> SmtpLogin::begin_auth() {
    const bool token = !plan_->token.empty();
    if (plan_->auth == SmtpAuth::none || (plan_->username.empty() && !token)) {
        after_login();
        return std::nullopt;
    }
    const auto offered = [this](SmtpAuth way) { return std::find(info_.auth.begin(), info_.auth.end(), mechanism_name(way)) != info_.auth.end(); };
    bool held_back = false;
    if (plan_->auth != SmtpAuth::automatic) {
        ways_ = {plan_->auth};  // also where the server does not say that it knows it
    } else if (token) {
        if (offered(SmtpAuth::xoauth2)) ways_.push_back(SmtpAuth::xoauth2);
    } else {
        const std::array<SmtpAuth, 3> order = has_tls() ? std::array{SmtpAuth::plain, SmtpAuth::login, SmtpAuth::cram_md5}
                                                        : std::array{SmtpAuth::cram_md5, SmtpAuth::plain, SmtpAuth::login};
        std::copy_if(order.begin(), order.end(), std::back_inserter(ways_), offered);
    }
    std::erase_if(ways_, [this, &held_back](SmtpAuth way) {
        const bool open = !has_tls() && way != SmtpAuth::cram_md5 && (way == SmtpAuth::xoauth2 || !plan_->cleartext_password);
        held_back = held_back || open;
        return open;
    });
    if (ways_.empty()) {
        std::string what;
        if (held_back) {
            what = token ? "there is no TLS, and a token is not sent without; use smtps or smtptls"
                         : "there is no TLS, and cleartext_password does not allow sending the password without; use smtps or smtptls";
        } else if (info_.auth.empty()) {
            what = has_tls()
                       ? "the server offers no log-in; take user and password out of the definition, or use the port for submission (587 or 465)"
                       : "the server offers no log-in without TLS; use smtps or smtptls, or take user and password out of the definition";
        } else {
            what = "the server offers the log-ins " + text::printable(text::shorten(text::join(info_.auth, ", "), 200)) +
                   (token ? ", and a token needs XOAUTH2" : ", and a password needs PLAIN, LOGIN or CRAM-MD5");
        }
        return failure(plan_->job, SmtpErrc::auth, Reason::unsupported, what, Phase::auth);
    }
    try_way();
    return std::nullopt;
}

/// With the first of those that are left.
void SmtpLogin::try_way() {
    const SmtpAuth way = ways_.front();
    const std::string name{mechanism_name(way)};
    if (way == SmtpAuth::plain || way == SmtpAuth::xoauth2) {
        const Secret response = encoded(way == SmtpAuth::plain ? sasl::plain({}, plan_->username, plan_->password.reveal())
                                                               : sasl::xoauth2(plan_->username, plan_->token.reveal()));
        stage_ = Stage::auth_answer;
        say_secret("AUTH " + name + " ", response);
    } else {
        stage_ = Stage::auth;
        say("AUTH " + name);
    }
    exposed_ = exposed_ || (!has_tls() && way != SmtpAuth::cram_md5);
}

std::optional<Error> SmtpLogin::auth_reply(const Reply& reply) {
    const SmtpAuth way = ways_.front();
    if (reply.code == 235) {
        evidence_ += "; logged in as " + text::printable(plan_->username) + " (" + std::string{mechanism_name(way)} + ")";
        after_login();
        return std::nullopt;
    }
    if (reply.code == 334) {
        const auto challenge = base64::decode(reply.text());
        if (way == SmtpAuth::xoauth2 && stage_ == Stage::auth_answer && refused_token_.empty()) {
            // It is refused, and the refusal wants an answer.
            refused_token_ = challenge ? *challenge : reply.text();
            if (refused_token_.empty()) refused_token_ = "nothing";
            say("");
            return std::nullopt;
        }
        if (way == SmtpAuth::login && stage_ == Stage::auth) {
            stage_ = Stage::auth_user;
            say(base64::encode(plan_->username));
            return std::nullopt;
        }
        if ((way == SmtpAuth::login && stage_ == Stage::auth_user) || (way == SmtpAuth::cram_md5 && stage_ == Stage::auth)) {
            if (way == SmtpAuth::cram_md5 && !challenge) {
                return failure(plan_->job, SmtpErrc::auth, Reason::bad_answer, "the server's challenge for CRAM-MD5 is not base64", Phase::auth);
            }
            const Secret response =
                encoded(way == SmtpAuth::login ? plan_->password : sasl::cram_md5(*challenge, plan_->username, plan_->password.reveal()));
            stage_ = Stage::auth_answer;
            say_secret({}, response);
            return std::nullopt;
        }
        return refuse(SmtpErrc::auth, "AUTH", reply, "no such question is foreseen in " + std::string{mechanism_name(way)});
    }
    if (wants_another_way(reply) && ways_.size() > 1) {
        ways_.erase(ways_.begin());
        try_way();
        return std::nullopt;
    }
    const std::string verb = "AUTH " + std::string{mechanism_name(way)};
    const bool wants_tls = !has_tls() && (reply.code == 530 || reply.code == 538);
    std::string hint = "check user name and password";
    if (way == SmtpAuth::xoauth2) hint = "check user name and token, and what the token is for";
    if (wants_tls) hint = "it wants TLS: use smtptls or smtps";
    if (is_for_now(reply)) hint = "it cannot check log-ins now";
    if (wants_another_way(reply)) hint = "it does not take log-ins of that kind";
    if (!refused_token_.empty())
        hint += "; it said of the token \"" + text::printable(text::shorten(masked(std::exchange(refused_token_, {})), 200)) + '"';
    token_refused_ = way == SmtpAuth::xoauth2 && reply.code / 100 == 5;
    return refuse(SmtpErrc::auth, verb, reply, hint);
}

std::optional<Error> SmtpLogin::take(const Reply& reply) {
    switch (stage_) {
        case Stage::greeting:
            if (!is_good(reply))
                return refuse(SmtpErrc::connect, {}, reply,
                              is_for_now(reply) ? "it is too busy, or allows no more connections" : "it does not want to talk to this machine");
            info_.greeting = masked(reply.text());
            evidence_ = text::printable(text::shorten(masked(net::shown(reply)), 120));
            if (plan_->depth == SmtpDepth::greeting) {
                finish();
            } else {
                stage_ = Stage::ehlo;
                say("EHLO " + plan_->ehlo_name);
            }
            return std::nullopt;
        case Stage::ehlo:
            if (is_good(reply)) return after_hello(read_capabilities(reply, info_));
            if (reply.code / 100 != 5) return refuse(SmtpErrc::connect, "EHLO", reply);
            stage_ = Stage::helo;
            say("HELO " + plan_->ehlo_name);
            return std::nullopt;
        case Stage::helo:
            if (!is_good(reply)) return refuse(SmtpErrc::connect, "HELO", reply, "check the option ehlo_name");
            return after_hello(false);
        case Stage::starttls:
            if (!is_good(reply))
                return refuse(SmtpErrc::tls_required, "STARTTLS", reply,
                              plan_->security == SmtpTls::required
                                  ? "TLS is required"
                                  : "it had offered that; set security to none to do without TLS on this connection");
            stage_ = Stage::handshake;
            return std::nullopt;
        case Stage::auth:
        case Stage::auth_user:
        case Stage::auth_answer: return auth_reply(reply);
        case Stage::noop:
            if (!is_good(reply)) return refuse(SmtpErrc::failed, "NOOP", reply);
            finish();
            return std::nullopt;
        case Stage::handshake:
        case Stage::done: break;
    }
    return std::nullopt;
}

Dialogue::Step SmtpLogin::feed(std::string_view input, bool, std::string& out) {
    Step step;
    while (step.used < input.size()) {
        step.used += parser_.feed(input.substr(step.used));
        if (!parser_.problem().empty()) {
            step.want = Want::failed;
            const SmtpErrc code = stage_ == Stage::greeting ? SmtpErrc::connect : SmtpErrc::failed;
            step.error = failure(plan_->job, code, Reason::bad_answer, masked(parser_.problem()) + "; is it an SMTP server?", phase());
            return step;
        }
        const auto reply = parser_.take();
        if (!reply) break;
        if (auto error = take(*reply)) {
            step.want = Want::failed;
            step.error = std::move(error);
            return step;
        }
        out += out_;
        wipe(out_);
        if (stage_ == Stage::handshake) {
            // What comes behind the reply in clear must not be taken for something that was said under TLS: it is thrown away with this.
            step.used = input.size();
            parser_ = net::ReplyParser{log_};
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

}  // namespace qconn::mail
