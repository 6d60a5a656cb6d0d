// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_error.hpp"

#include <array>
#include <memory>
#include <utility>

#include "base/code_category.hpp"
#include "base/text.hpp"

namespace qconn {

namespace {

// In the order of SftpErrc, which begins with 1.
constexpr std::array<CodeWords, 11> k_sftp_codes{{
    {"SFTP-ERROR", "the server reports a failure"},
    {"SFTP-NOT-FOUND", "there is no such file or directory"},
    {"SFTP-PERMISSION", "the server does not allow it"},
    {"SFTP-EXISTS", "the target is there already"},
    {"SFTP-DISK-FULL", "the server's disk or a quota is full"},
    {"SFTP-UNSUPPORTED", "the server cannot do that"},
    {"SFTP-LIMIT", "the file is too large"},
    {"SFTP-PATH", "the path cannot be used"},
    {"SFTP-TRANSFER", "the source or the sink of a transfer failed"},
    {"SFTP-PROTOCOL", "the answer is not SFTP"},
    {"SFTP-SESSION", "the session ended"},
}};

struct SftpReason {
    Reason reason;
    SftpErrc code;
    std::string_view advice;
};
constexpr std::array<SftpReason, 5> k_sftp_reasons{{
    {Reason::not_found, SftpErrc::not_found, "check the path"},
    {Reason::permission, SftpErrc::permission, "check owner and mode at the server"},
    {Reason::exists, SftpErrc::exists, {}},
    {Reason::disk_full, SftpErrc::disk_full, "free some space at the server"},
    {Reason::unsupported, SftpErrc::unsupported, {}},
}};

/// What servers say beside "failure", in the words of POSIX systems; OpenSSH says nothing.
constexpr std::array<std::pair<std::string_view, Reason>, 8> k_sftp_words{{
    {"no space", Reason::disk_full},
    {"disk full", Reason::disk_full},
    {"quota", Reason::disk_full},
    {"exists", Reason::exists},
    {"not empty", Reason::exists},
    {"read-only file system", Reason::permission},
    {"not permitted", Reason::permission},
    {"too large", Reason::limit},
}};

std::string_view status_words(sftp::StatusCode code) noexcept {
    using sftp::StatusCode;
    switch (code) {
        case StatusCode::ok: return "OK";
        case StatusCode::eof: return "end of file";
        case StatusCode::no_such_file: return "no such file";
        case StatusCode::permission_denied: return "permission denied";
        case StatusCode::failure: return "failure";
        case StatusCode::bad_message: return "bad message";
        case StatusCode::no_connection: return "no connection";
        case StatusCode::connection_lost: return "connection lost";
        case StatusCode::op_unsupported: return "operation unsupported";
    }
    return "an unknown status";
}

}  // namespace

const std::error_category& sftp_category() noexcept {
    static const CodeCategory category{"qconn.sftp", k_sftp_codes};
    return category;
}

std::error_code make_error_code(SftpErrc code) noexcept { return {static_cast<int>(code), sftp_category()}; }

SftpErrorDetail::~SftpErrorDetail() = default;

namespace sftp {

namespace {

std::string sentence(const Subject& subject, std::string_view what) {
    std::string text{subject.verb};
    if (!subject.path.empty()) text += " \"" + text::printable(subject.path) + '"';
    if (!subject.server.empty()) text += " on " + text::printable(subject.server);
    text += " failed: ";
    text += what;
    return text;
}

Error labelled(const Subject& subject, Error error) {
    error.with_phase(Phase::protocol);
    if (!subject.label.empty()) error.with_connection(subject.label);
    return error;
}

}  // namespace

std::string_view name_of(SftpErrc code) noexcept { return code_name(k_sftp_codes, code); }

Error sftp_error(const Subject& subject, SftpErrc code, Reason reason, std::string_view what) {
    return labelled(subject, Error{code, name_of(code), sentence(subject, what)}.with_reason(reason));
}

Reason reason_of(const Status& status) noexcept {
    switch (status.code) {
        case StatusCode::no_such_file: return Reason::not_found;
        case StatusCode::permission_denied: return Reason::permission;
        case StatusCode::op_unsupported: return Reason::unsupported;
        default: break;
    }
    const std::string words = text::to_lower(status.words);
    for (const auto& [part, reason] : k_sftp_words) {
        if (words.find(part) != npos) return reason;
    }
    return Reason::status;
}

Error status_error(const Subject& subject, const Status& status, Reason reason, std::string_view hint) {
    constexpr std::size_t k_words = 300;
    SftpErrc code = SftpErrc::failed;
    std::string_view advice;
    for (const auto& one : k_sftp_reasons) {
        if (one.reason != reason) continue;
        code = one.code;
        advice = one.advice;
    }
    std::string what = "the server says \"" +
                       text::shorten(text::printable(status.words.empty() ? status_words(status.code) : status.words), k_words) + "\" (" +
                       std::to_string(static_cast<std::uint32_t>(status.code)) + ")";
    if (!hint.empty()) what.append("; ").append(hint);
    if (!advice.empty()) what.append("; ").append(advice);
    Error error{code, name_of(code), sentence(subject, what)};
    error.with_reason(reason).with_retryable(reason == Reason::disk_full);
    error.with_detail(
        std::make_shared<SftpErrorDetail>(static_cast<std::uint32_t>(status.code), std::string{status.words}, std::string{subject.path}));
    return labelled(subject, std::move(error));
}

Error with_addition(const Error& error, std::string_view words) {
    Error told{error.code(), error.name(), std::string{error.message()}.append(words)};
    told.with_phase(error.phase()).with_reason(error.reason()).with_retryable(error.retryable()).with_spoils_connection(error.spoils_connection());
    if (const auto* detail = error.detail<SftpErrorDetail>()) told.with_detail(std::make_shared<SftpErrorDetail>(*detail));
    if (!error.connection().empty()) told.with_connection(error.connection());
    return told;
}

Error failed_end(const Subject& subject, std::string_view words) {
    return sftp_error(subject, SftpErrc::transfer, Reason::none, "the other end of the transfer failed: " + std::string{words});
}

Error stopped(const Subject& subject, bool cancelled, std::string_view addition) {
    std::string what = cancelled ? "it was cancelled" : "the deadline has passed";
    what += addition;
    return labelled(subject, make_error(cancelled ? Errc::cancelled : Errc::timeout, sentence(subject, what)));
}

}  // namespace sftp
}  // namespace qconn
