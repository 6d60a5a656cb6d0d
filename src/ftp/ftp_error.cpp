// SPDX-License-Identifier: Apache-2.0
#include "ftp/ftp_error.hpp"

#include <array>
#include <memory>
#include <utility>

#include "base/code_category.hpp"
#include "base/text.hpp"
#include "ftp/reply.hpp"

namespace qconn {
namespace {

// In the order of FtpErrc, which begins with 1.
constexpr std::array<CodeWords, 10> k_ftp_codes{{
    {"FTP-ERROR", "the FTP server refused"},
    {"FTP-CONNECT-ERROR", "the FTP server refuses to talk"},
    {"FTP-LOGIN-ERROR", "the FTP server refused the log-in"},
    {"FTP-CWD-ERROR", "the connection's directory cannot be entered"},
    {"FTPS-AUTH-ERROR", "the FTP server refused TLS"},
    {"FTPS-SECURE-DATA-ERROR", "the FTP server refused TLS for data"},
    {"FTP-TRANSFER-ERROR", "the transfer failed"},
    {"FTP-PATH-ERROR", "the path cannot be sent"},
    {"FTP-LIMIT-ERROR", "the file is too large"},
    {"FTP-URL-ERROR", "the connection's options cannot be used"},
}};

}  // namespace

const std::error_category& ftp_category() noexcept {
    static const CodeCategory category{"qconn.ftp", k_ftp_codes};
    return category;
}

std::error_code make_error_code(FtpErrc code) noexcept { return {static_cast<int>(code), ftp_category()}; }

FtpErrorDetail::~FtpErrorDetail() = default;

namespace ftp {
namespace {

struct Words {
    std::string_view part;
    Reason reason;
};
/// In lower case; the first that is found counts. Servers say 550 for nearly everything.
constexpr std::array<Words, 26> k_words{{
    {"no such", Reason::not_found},        {"not found", Reason::not_found},
    {"cannot find", Reason::not_found},    {"can't find", Reason::not_found},
    {"does not exist", Reason::not_found}, {"doesn't exist", Reason::not_found},
    {"not exist", Reason::not_found},      {"directory not empty", Reason::exists},
    {"not empty", Reason::exists},         {"file exists", Reason::exists},
    {"already exist", Reason::exists},     {"cannot create a file when", Reason::exists},  // Windows
    {"no space", Reason::disk_full},       {"disk full", Reason::disk_full},
    {"disk is full", Reason::disk_full},   {"not enough space", Reason::disk_full},
    {"quota", Reason::disk_full},          {"failure writing to local file", Reason::disk_full},  // vsftpd, which has no other words for it
    {"permission", Reason::permission},    {"access is denied", Reason::permission},
    {"access denied", Reason::permission}, {"not permitted", Reason::permission},
    {"not allowed", Reason::permission},   {"read-only", Reason::permission},
    {"is a directory", Reason::bad_value}, {"not a regular file", Reason::bad_value},
}};

std::string_view advice(Reason reason) noexcept {
    switch (reason) {
        case Reason::not_found: return "check the path";
        case Reason::permission: return "check what this user may do there";
        case Reason::exists: return "remove it first, or allow replacing it";
        case Reason::disk_full: return "the server has no room, or this user's quota is used up";
        case Reason::unsupported: return "this server cannot do that";
        case Reason::limit: return "the server allows no more connections; try later, or lower max_sessions";
        default: return {};
    }
}

bool has(std::string_view text, std::string_view part) noexcept { return text.find(part) != std::string_view::npos; }

}  // namespace

std::string_view error_name(FtpErrc code) noexcept { return code_name(k_ftp_codes, code); }

Reason reason_of(const FtpReply& reply, Reason otherwise) noexcept {
    switch (reply.code) {
        case 421:
        case 434: return Reason::limit;
        case 425: return Reason::refused;
        case 452:
        case 552: return Reason::disk_full;
        case 500:
        case 502:
        case 504: return Reason::unsupported;
        case 530: return Reason::denied;
        case 532: return Reason::permission;
        default: break;
    }
    const std::string words = text::to_lower(reply.text());
    for (const Words& one : k_words) {
        if (has(words, one.part)) return one.reason;
    }
    switch (reply.code) {
        case 426: return Reason::reset;
        case 501: return Reason::bad_value;
        case 553: return Reason::permission;
        case 450:
        case 550: return otherwise;
        default: return Reason::status;
    }
}

Error refusal(const Job& job, std::string_view verb, const FtpReply& reply, Reason otherwise, FtpErrc code) {
    const Reason reason = reason_of(reply, otherwise);
    std::string what = "the server answered ";
    what.append(verb.empty() ? "" : verb).append(verb.empty() ? "\"" : " with \"").append(shown(reply)).append("\"");
    if (const auto hint = advice(reason); !hint.empty()) what.append("; ").append(hint);
    Error error = failure(job, code, reason, what);
    error.with_retryable(reply.code / 100 == 4 || reason == Reason::disk_full);
    error.with_detail(std::make_shared<FtpErrorDetail>(reply, std::string{verb}, job.subject));
    return error;
}

Error failure(const Job& job, FtpErrc code, Reason reason, std::string_view what, Phase phase) {
    Error error{code, error_name(code), job.failed(what)};
    error.with_phase(phase).with_reason(reason);
    error.with_detail(std::make_shared<FtpErrorDetail>(FtpReply{}, std::string{}, job.subject));
    if (!job.label.empty()) error.with_connection(job.label);
    return error;
}

}  // namespace ftp
}  // namespace qconn
