// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_error.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "base/code_category.hpp"
#include "base/text.hpp"

namespace qconn {
namespace {

// In the order of Pop3Errc, which begins with 1.
constexpr std::array<CodeWords, 12> k_pop3_codes{{
    {"POP3-SERVER-ERROR", "the POP3 server refused"},
    {"POP3-CONNECT-ERROR", "the POP3 server refuses to talk"},
    {"POP3-URL-ERROR", "the connection's URL cannot be used"},
    {"POP3-CONFIG-ERROR", "the connection's options cannot be used"},
    {"POP3-AUTH-ERROR", "the POP3 server refused the log-in"},
    {"POP3-TLS-REQUIRED", "there is no log-in without TLS"},
    {"POP3-IN-USE", "another session holds the mailbox"},
    {"POP3-LOGIN-DELAY", "the POP3 server wants more time between two log-ins"},
    {"POP3-NO-SUCH-MESSAGE", "there is no such message"},
    {"POP3-COMMIT-UNKNOWN", "it is not known whether messages were deleted"},
    {"POP3-SESSION-OVER", "the session is over"},
    {"POP3-LIMIT-ERROR", "a message or an answer is too large"},
}};

}  // namespace

const std::error_category& pop3_category() noexcept {
    static const CodeCategory category{"qconn.pop3", k_pop3_codes};
    return category;
}

std::error_code make_error_code(Pop3Errc code) noexcept { return {static_cast<int>(code), pop3_category()}; }

Pop3ErrorDetail::~Pop3ErrorDetail() = default;

namespace mail::pop3 {
namespace {

struct CodeMeaning {
    std::string_view code;
    Meaning meaning;
};
/// RFC 2449 section 8, RFC 3206.
constexpr std::array<CodeMeaning, 5> k_codes{{
    {"IN-USE", {Pop3Errc::in_use, Reason::limit, true}},
    {"LOGIN-DELAY", {Pop3Errc::login_delay, Reason::limit, true}},
    {"SYS/TEMP", {Pop3Errc::server, Reason::status, true}},
    {"SYS/PERM", {Pop3Errc::server, Reason::status, false}},
    {"AUTH", {Pop3Errc::auth, Reason::denied, false}},
}};

/// What servers without response codes write, in lower case.
constexpr std::array<std::string_view, 6> k_tls_words{"tls", "ssl", "secure", "encrypt", "plaintext", "cleartext"};
constexpr std::array<std::string_view, 6> k_in_use_words{"in use", "is locked", "mailbox locked", "already locked", "lock busy", "maildrop already"};

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& words) noexcept {
    return std::any_of(words.begin(), words.end(), [&](std::string_view one) { return text.find(one) != npos; });
}

const Meaning* meaning_of_code(std::string_view code) noexcept {
    const auto* const found = std::find_if(k_codes.begin(), k_codes.end(), [&](const CodeMeaning& one) { return one.code == code; });
    return found != k_codes.end() ? &found->meaning : nullptr;
}

}  // namespace

std::string_view error_name(Pop3Errc code) noexcept { return code_name(std::span<const CodeWords>{k_pop3_codes}, code); }

std::string response_code_of(std::string_view answer) {
    if (!answer.starts_with('[')) return {};
    const std::size_t end = answer.find(']');
    if (end == npos || end < 2 || end > 64) return {};
    std::string code{answer.substr(1, end - 1)};
    std::transform(code.begin(), code.end(), code.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return code;
}

Meaning meaning_of_login(std::string_view answer, bool in_clear) {
    const std::string words = text::to_lower(answer);
    // Dovecot says [AUTH] for this too.
    if (in_clear && has_any(words, k_tls_words)) return {Pop3Errc::tls_required, Reason::denied, false};
    if (const Meaning* known = meaning_of_code(response_code_of(answer))) return *known;
    if (has_any(words, k_in_use_words)) return {Pop3Errc::in_use, Reason::limit, true};
    return {Pop3Errc::auth, Reason::denied, false};
}

Meaning meaning_of(std::string_view answer, bool message) {
    if (const Meaning* known = meaning_of_code(response_code_of(answer)))
        return known->code == Pop3Errc::auth ? Meaning{Pop3Errc::server, Reason::permission, false} : *known;
    return message ? Meaning{Pop3Errc::no_such_message, Reason::not_found, false} : Meaning{};
}

Error refusal(const net::Job& job, std::string_view verb, std::string_view answer, const Meaning& meaning, Phase phase, std::uint32_t message,
              std::string_view hint) {
    std::string what = verb.empty() ? "the server greeted" : "the server answered " + std::string{verb};
    what.append(" with \"").append(text::printable(text::shorten(answer, 300))).append("\"");
    if (!hint.empty()) what.append("; ").append(hint);
    Error error{meaning.code, error_name(meaning.code), job.failed(what)};
    error.with_phase(phase).with_reason(meaning.reason).with_retryable(meaning.retryable);
    auto detail = std::make_shared<Pop3ErrorDetail>();
    detail->command = verb;
    detail->answer = answer;
    detail->response_code = response_code_of(answer);
    detail->message = message;
    error.with_detail(std::move(detail));
    if (!job.label.empty()) error.with_connection(job.label);
    return error;
}

Error failure(const net::Job& job, Pop3Errc code, Reason reason, std::string_view what, Phase phase, std::uint32_t message) {
    Error error{code, error_name(code), job.failed(what)};
    error.with_phase(phase).with_reason(reason);
    auto detail = std::make_shared<Pop3ErrorDetail>();
    detail->message = message;
    error.with_detail(std::move(detail));
    if (!job.label.empty()) error.with_connection(job.label);
    return error;
}

}  // namespace mail::pop3
}  // namespace qconn
