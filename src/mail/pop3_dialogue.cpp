// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_dialogue.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "auth/sasl.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"

namespace qconn::mail::pop3 {
namespace {

struct StageText {
    std::string_view awaited;
    Phase phase;
};
// In the order of LoginDialogue::Stage.
constexpr std::array<StageText, 12> k_stages{{
    {"the greeting", Phase::protocol},
    {"the answer to STLS", Phase::tls},
    {"the TLS handshake", Phase::tls},
    {"the answer to CAPA", Phase::protocol},
    {"the answer to CAPA", Phase::protocol},
    {"the answer to USER", Phase::auth},
    {"the answer to PASS", Phase::auth},
    {"the answer to APOP", Phase::auth},
    {"the answer to AUTH", Phase::auth},
    {"the answer to AUTH", Phase::auth},
    {"the answer to NOOP", Phase::protocol},
    {"nothing", Phase::protocol},
}};

/// A line longer than that is not for every server (RFC 2449 section 4); the rest of AUTH goes as the answer to a challenge then (RFC 5034).
constexpr std::size_t k_longest_command = 255;
constexpr std::size_t k_largest_capa = 64 * 1024;

std::string md5_hex(std::string_view one, std::string_view two) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const bool good = context != nullptr && EVP_DigestInit_ex(context, EVP_md5(), nullptr) == 1 &&
                      EVP_DigestUpdate(context, one.data(), one.size()) == 1 && EVP_DigestUpdate(context, two.data(), two.size()) == 1 &&
                      EVP_DigestFinal_ex(context, digest.data(), &size) == 1;
    EVP_MD_CTX_free(context);
    if (!good) throw make_error(Errc::system, "this machine's OpenSSL refuses MD5, without which there is no APOP").with_reason(Reason::local);
    return text::to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string_view hint_of(const Meaning& meaning, bool by_token) noexcept {
    switch (meaning.code) {
        case Pop3Errc::auth:
            return by_token ? "the token has ended, or is not for mail; or the user name is another" : "check user name and password";
        case Pop3Errc::in_use: return "another session, of this program or of another, has the mailbox open; try later";
        case Pop3Errc::login_delay: return "log in less often";
        case Pop3Errc::tls_required: return "it wants TLS: use pop3s, or set the option tls";
        default: return {};
    }
}

}  // namespace

std::string_view LoginDialogue::awaited() const noexcept { return k_stages[static_cast<std::size_t>(stage_)].awaited; }
Phase LoginDialogue::phase() const noexcept { return k_stages[static_cast<std::size_t>(stage_)].phase; }

/// A server that repeats what it was sent shall not have us show it.
std::string LoginDialogue::masked(std::string text) const { return net::SecretMask{plan_->password, plan_->token}.apply(std::move(text)); }

void LoginDialogue::say(std::string& out, std::string_view line) const {
    out.append(line).append("\r\n");
    log_.sent(line);
}

void LoginDialogue::say_secret(std::string& out, std::string_view line, std::string_view secret) const {
    out.append(line).append(secret).append("\r\n");
    log_.sent_secret(line, secret);
}

std::optional<Error> LoginDialogue::refuse(std::string_view verb, const Status& status) {
    const std::string answer = masked(status.text);
    if (verb.empty()) {
        Meaning meaning = meaning_of(answer, false);
        if (meaning.code == Pop3Errc::server) meaning.code = Pop3Errc::connect;
        return refusal(plan_->job, verb, answer, meaning, Phase::protocol, 0, "it does not want to talk to this machine, or is too busy");
    }
    if (stage_ == Stage::stls)
        return refusal(plan_->job, verb, answer, {Pop3Errc::tls_required, Reason::unsupported, false}, Phase::tls, 0,
                       "it offers no TLS on this port; for TLS from the first byte use pop3s");
    const Meaning meaning = meaning_of_login(answer, in_clear());
    std::string words = answer;
    if (!refusal_.empty()) words += " " + refusal_;
    return refusal(plan_->job, verb, words, meaning, Phase::auth, 0, hint_of(meaning, !plan_->token.empty()));
}

Dialogue::Step LoginDialogue::begin(std::string& out) {
    if (stage_ != Stage::handshake) return {};  // with implicit TLS that stands before anything is said
    evidence_ += "; under TLS";
    Step step;
    if (plan_->depth == LoginDepth::tls) {
        end(out);
        step.want = Want::done;
        return step;
    }
    stage_ = Stage::capa;
    say(out, "CAPA");
    return step;
}

bool LoginDialogue::knows(std::string_view mechanism) const noexcept {
    return std::find(capabilities_.sasl.begin(), capabilities_.sasl.end(), mechanism) != capabilities_.sasl.end();
}

Pop3Auth LoginDialogue::chosen() const {
    if (!plan_->token.empty()) return Pop3Auth::xoauth2;
    if (plan_->auth != Pop3Auth::automatic) return plan_->auth;
    if (in_clear()) {
        if (!timestamp_.empty()) return Pop3Auth::apop;
        if (knows("CRAM-MD5")) return Pop3Auth::cram_md5;
    }
    // RFC 4616 has no empty parts, nor have servers a use for a user name with NUL.
    return knows("PLAIN") ? Pop3Auth::plain : Pop3Auth::user;
}

std::optional<Error> LoginDialogue::log_in(std::string& out) {
    const Pop3Auth how = chosen();
    const std::string& user = plan_->username;
    const std::string_view password = plan_->password.reveal();
    const bool open = how == Pop3Auth::user || how == Pop3Auth::plain || how == Pop3Auth::xoauth2;
    if (in_clear() && open && capabilities_.stls && !capabilities_.user && capabilities_.sasl.empty()) {
        // It says by this that there is no log-in before TLS (RFC 2595): nothing secret is sent in vain.
        return failure(plan_->job, Pop3Errc::tls_required, Reason::denied,
                       "the server offers no log-in without TLS, and nothing secret was sent; use pop3s, or set the option tls", Phase::auth);
    }
    switch (how) {
        case Pop3Auth::apop: {
            if (timestamp_.empty())
                return failure(plan_->job, Pop3Errc::auth, Reason::unsupported,
                               "the server's greeting has no timestamp, without which there is no APOP", Phase::auth);
            stage_ = Stage::apop;
            verb_ = "APOP";
            say_secret(out, "APOP " + user + ' ', md5_hex(timestamp_, password));
            return std::nullopt;
        }
        case Pop3Auth::plain: return begin_sasl("PLAIN", sasl::plain({}, user, password), out);
        case Pop3Auth::cram_md5: return begin_sasl("CRAM-MD5", {}, out);
        case Pop3Auth::xoauth2: return begin_sasl("XOAUTH2", sasl::xoauth2(user, plan_->token.reveal()), out);
        default: break;
    }
    stage_ = Stage::user;
    verb_ = "USER";
    say(out, "USER " + user);
    return std::nullopt;
}

std::optional<Error> LoginDialogue::begin_sasl(std::string_view mechanism, Secret response, std::string& out) {
    stage_ = Stage::sasl;
    mechanism_ = mechanism;
    verb_ = "AUTH " + mechanism_;
    std::string encoded = base64::encode(response.reveal());
    if (!encoded.empty() && verb_.size() + 1 + encoded.size() + 2 <= k_longest_command) {
        say_secret(out, verb_ + ' ', encoded);
        stage_ = Stage::sasl_answer;
    } else {
        sasl_response_ = Secret{encoded};
        say(out, verb_);
    }
    wipe(encoded);
    return std::nullopt;
}

std::optional<Error> LoginDialogue::answer_challenge(const Status& status, std::string& out) {
    if (stage_ == Stage::sasl_answer) {
        // A refusal of XOAUTH2 comes as a challenge, to which an empty answer is due.
        refusal_ = text::shorten(masked(text::printable(base64::decode(status.text).value_or(status.text))), 300);
        say(out, {});
        return std::nullopt;
    }
    stage_ = Stage::sasl_answer;
    if (mechanism_ == "CRAM-MD5") {
        const auto challenge = base64::decode(status.text);
        if (!challenge) return failure(plan_->job, Pop3Errc::server, Reason::bad_answer, "the challenge to AUTH CRAM-MD5 is no base64", Phase::auth);
        const Secret answer = sasl::cram_md5(*challenge, plan_->username, plan_->password.reveal());
        say_secret(out, {}, base64::encode(answer.reveal()));
        return std::nullopt;
    }
    say_secret(out, {}, sasl_response_.reveal());
    sasl_response_ = {};
    return std::nullopt;
}

void LoginDialogue::end(std::string& out) {
    stage_ = Stage::done;
    if (plan_->depth != LoginDepth::session) say(out, "QUIT");
}

void LoginDialogue::after_login(std::string& out) {
    evidence_ += "; logged in as " + text::printable(plan_->username);
    if (plan_->depth == LoginDepth::request) {
        stage_ = Stage::noop;
        verb_ = "NOOP";
        say(out, "NOOP");
        return;
    }
    end(out);
}

std::optional<Error> LoginDialogue::greet(const Status& status, std::string& out) {
    if (!status.is_ok()) return refuse({}, status);
    timestamp_ = timestamp_of(status.text);
    std::string shown = masked(status.text);
    if (const std::size_t at = shown.find(timestamp_); !timestamp_.empty() && at != npos) shown.erase(at, timestamp_.size());
    evidence_ = text::printable(text::shorten(text::trim("+OK " + shown), 120));
    if (plan_->security == Pop3Tls::implicit) evidence_ += "; under TLS";
    if (plan_->depth == LoginDepth::greeting || (plan_->depth == LoginDepth::tls && plan_->security != Pop3Tls::required)) {
        end(out);
    } else if (plan_->security == Pop3Tls::required) {
        stage_ = Stage::stls;
        verb_ = "STLS";
        say(out, "STLS");
    } else {
        stage_ = Stage::capa;
        say(out, "CAPA");
    }
    return std::nullopt;
}

std::optional<Error> LoginDialogue::take(const Status& status, std::string& out) {
    switch (stage_) {
        case Stage::greeting: return greet(status, out);
        case Stage::stls:
            if (!status.is_ok()) return refuse(verb_, status);
            stage_ = Stage::handshake;
            return std::nullopt;
        case Stage::capa:
            if (!status.is_ok()) return log_in(out);  // it does not know the command
            stage_ = Stage::capa_lines;
            capa_reader_ = DotReader{};
            return std::nullopt;
        case Stage::user:
            if (!status.is_ok()) return refuse(verb_, status);
            stage_ = Stage::pass;
            verb_ = "PASS";
            say_secret(out, "PASS ", plan_->password.reveal());
            return std::nullopt;
        case Stage::sasl:
        case Stage::sasl_answer:
            if (status.kind == Status::Kind::more) return answer_challenge(status, out);
            [[fallthrough]];
        case Stage::pass:
        case Stage::apop:
            if (status.is_ok()) {
                after_login(out);
                return std::nullopt;
            }
            if (plan_->depth != LoginDepth::session && meaning_of_login(status.text, in_clear()).code == Pop3Errc::in_use) {
                // The log-in was good, and somebody works there (RFC 2449 section 8.1.2), perhaps this program: to a ping that is up.
                evidence_ += "; known as " + text::printable(plan_->username) + ", another session has the mailbox";
                end(out);
                return std::nullopt;
            }
            return refuse(verb_, status);
        case Stage::noop:
            if (!status.is_ok()) return refusal(plan_->job, verb_, masked(status.text), meaning_of(status.text, false), Phase::protocol);
            end(out);
            return std::nullopt;
        default: return std::nullopt;
    }
}

Dialogue::Step LoginDialogue::feed(std::string_view input, bool, std::string& out) {
    Step step;
    const auto fail = [&](Error error) {
        step.want = Want::failed;
        step.error = std::move(error);
        return step;
    };
    while (step.used < input.size()) {
        const std::string_view rest = input.substr(step.used);
        if (stage_ == Stage::capa_lines) {
            step.used += capa_reader_.feed(rest, [this](std::string_view piece) { capa_lines_ += piece; });
            if (capa_lines_.size() > k_largest_capa)
                return fail(failure(plan_->job, Pop3Errc::limit, Reason::limit, "the answer to CAPA is too large", Phase::protocol));
            if (!capa_reader_.is_done()) break;
            capabilities_ = capabilities_of(capa_lines_);
            log_.noted_size("CAPA", capa_lines_.size());
            if (auto error = log_in(out)) return fail(std::move(*error));
            continue;
        }
        std::size_t used = 0;
        const auto line = first_line(rest, used);
        if (!line && rest.size() <= k_longest_line) break;
        const Status status = line ? status_of(*line) : Status{};
        if (status.kind == Status::Kind::none) {
            const Pop3Errc code = stage_ == Stage::greeting ? Pop3Errc::connect : Pop3Errc::server;
            std::string what = "the server sent \"" + text::printable(text::shorten(masked(std::string{line.value_or(rest)}), 100)) +
                               "\" in the place of " + std::string{awaited()} + "; is it a POP3 server?";
            return fail(failure(plan_->job, code, Reason::bad_answer, what, phase()));
        }
        step.used += used;
        // Data of a log-in, in which a server may repeat what it was sent in a form that nobody finds.
        if (status.kind == Status::Kind::more)
            log_.received("+ " + std::string{k_masked});
        else
            log_.received(*line);
        if (auto error = take(status, out)) return fail(std::move(*error));
        if (stage_ == Stage::handshake) {
            // What comes behind the answer in clear must not be taken for something that was said under TLS: it is thrown away with this.
            step.used = input.size();
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

}  // namespace qconn::mail::pop3
