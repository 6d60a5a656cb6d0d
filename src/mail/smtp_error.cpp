// SPDX-License-Identifier: Apache-2.0
#include "mail/smtp_error.hpp"

#include <array>
#include <utility>

#include "base/code_category.hpp"
#include "base/text.hpp"
#include "mail/smtp_reply.hpp"

namespace qconn {
namespace {

// In the order of SmtpErrc, which begins with 1.
constexpr std::array<CodeWords, 13> k_smtp_codes{{
    {"SMTP-ERROR", "the SMTP server refused"},
    {"SMTP-CONNECT-ERROR", "the SMTP server refuses to talk"},
    {"SMTP-TLS-REQUIRED", "the SMTP server has no TLS"},
    {"SMTP-AUTH-ERROR", "the SMTP server refused the log-in"},
    {"SMTPCLIENT-INVALID-AUTHENTICATION", "user or password is missing"},
    {"SMTP-SENDER-REFUSED", "the SMTP server refused the sender"},
    {"SMTP-RECIPIENT-REFUSED", "the SMTP server refused a recipient"},
    {"SMTP-DATA-EXCEPTION", "the SMTP server refused the message"},
    {"SMTP-SIZE-ERROR", "the message is larger than the SMTP server takes"},
    {"SMTP-MESSAGE-ERROR", "the message cannot be sent"},
    {"SMTP-UNSUPPORTED", "the SMTP server cannot do what the message needs"},
    {"SMTP-OUTCOME-UNKNOWN", "the message was sent and not answered"},
    {"SMTP-URL-ERROR", "the connection's options cannot be used"},
}};

}  // namespace

const std::error_category& smtp_category() noexcept {
    static const CodeCategory category{"qconn.smtp", k_smtp_codes};
    return category;
}

std::error_code make_error_code(SmtpErrc code) noexcept { return {static_cast<int>(code), smtp_category()}; }

std::string_view to_string(SmtpSent sent) noexcept { return sent == SmtpSent::no ? "no" : "unknown"; }

SmtpErrorDetail::~SmtpErrorDetail() = default;

namespace mail {
namespace {

/// What a status code says of the reason (RFC 3463), where it says more than that something failed.
struct StatusReason {
    std::string_view status;  // without its class
    Reason reason;
};
constexpr std::array<StatusReason, 15> k_status_reasons{{
    {"1.1", Reason::not_found},
    {"1.2", Reason::not_found},
    {"1.3", Reason::bad_value},
    {"1.6", Reason::not_found},
    {"1.7", Reason::bad_value},
    {"2.2", Reason::disk_full},
    {"2.3", Reason::limit},
    {"3.1", Reason::disk_full},
    {"3.4", Reason::limit},
    {"5.3", Reason::limit},
    {"7.0", Reason::permission},
    {"7.1", Reason::permission},
    {"7.8", Reason::denied},
    {"7.9", Reason::denied},
    {"7.14", Reason::denied},
}};

Reason reason_of(SmtpErrc code, const Reply& reply, std::string_view status) noexcept {
    if (reply.code == 421) return Reason::limit;
    if (code == SmtpErrc::auth) return reply.code / 100 == 5 ? Reason::denied : Reason::status;
    if (reply.code == 552 || code == SmtpErrc::size) return Reason::limit;
    if (reply.code == 452) return Reason::disk_full;
    if (status.size() > 2) {
        for (const StatusReason& one : k_status_reasons) {
            if (status.substr(2) == one.status) return one.reason;
        }
    }
    switch (reply.code) {
        case 530: return Reason::permission;
        case 500:
        case 502:
        case 504: return Reason::unsupported;
        default: break;
    }
    // Its classic words: no such mailbox.
    return code == SmtpErrc::recipient && (reply.code == 550 || reply.code == 551 || reply.code == 553) ? Reason::not_found : Reason::status;
}

}  // namespace

std::string_view error_name(SmtpErrc code) noexcept { return code_name(k_smtp_codes, code); }

Error message_error(std::string what) {
    Error error{SmtpErrc::message, error_name(SmtpErrc::message), std::move(what)};
    error.with_reason(Reason::bad_value);
    return error;
}

Error refusal(const net::Job& job, SmtpErrc code, std::string_view verb, std::string_view subject, const Reply& reply, std::string_view hint) {
    std::string what = verb.empty() ? "the server greeted" : "the server answered " + std::string{verb};
    if (!subject.empty()) what.append(" ").append(text::printable(text::shorten(subject, 200)));
    what.append(" with \"").append(net::shown(reply)).append("\"");
    if (!hint.empty()) what.append("; ").append(hint);
    auto detail = std::make_shared<SmtpErrorDetail>();
    detail->reply = reply;
    detail->command = verb;
    detail->status = enhanced_status(reply);
    Error error{code, error_name(code), job.failed(what)};
    error.with_phase(code == SmtpErrc::auth ? Phase::auth : code == SmtpErrc::tls_required ? Phase::tls : Phase::protocol);
    error.with_reason(reason_of(code, reply, detail->status)).with_retryable(is_for_now(reply)).with_spoils_connection(reply.code == 421);
    error.with_detail(std::move(detail));
    if (!job.label.empty()) error.with_connection(job.label);
    return error;
}

Error failure(const net::Job& job, SmtpErrc code, Reason reason, std::string_view what, Phase phase) {
    Error error{code, error_name(code), job.failed(what)};
    error.with_phase(phase).with_reason(reason).with_detail(std::make_shared<SmtpErrorDetail>());
    if (!job.label.empty()) error.with_connection(job.label);
    return error;
}

Error with_outcome(const Error& error, SmtpSent sent, std::vector<SmtpRecipientAnswer> recipients) {
    auto detail = std::make_shared<SmtpErrorDetail>();
    if (const auto* known = error.detail<SmtpErrorDetail>()) *detail = *known;
    detail->sent = sent;
    detail->recipients = std::move(recipients);
    Error out = error;
    out.with_detail(std::move(detail));
    return out;
}

}  // namespace mail
}  // namespace qconn
