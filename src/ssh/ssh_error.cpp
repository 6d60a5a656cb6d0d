// SPDX-License-Identifier: Apache-2.0
#include "ssh/ssh_error.hpp"

#include <array>
#include <utility>

#include "base/code_category.hpp"

namespace qconn {

namespace {

// In the order of SshErrc, which begins with 1.
constexpr std::array<CodeWords, 13> k_ssh_codes{{
    {"SSH-HANDSHAKE-ERROR", "no SSH session could be agreed on"},
    {"SSH-HOST-KEY-UNKNOWN", "the server's key is not known"},
    {"SSH-HOST-KEY-CHANGED", "the server has another key than before"},
    {"SSH-HOST-KEY-REVOKED", "the server's key is revoked"},
    {"SSH-HOST-KEY-PIN", "the server's key is not the pinned one"},
    {"SSH-KNOWN-HOSTS-ERROR", "a file of known servers cannot be used"},
    {"SSH2CLIENT-AUTH-ERROR", "the log-in was refused"},
    {"SSH-KEY-ERROR", "a private key cannot be used"},
    {"SSH-SESSION-ERROR", "the session broke"},
    {"SSH-CHANNEL-ERROR", "a channel was refused"},
    {"SSH-OPTION-ERROR", "an option is wrong"},
    {"SSH-LIMIT-ERROR", "more output than allowed"},
    {"SSH-STREAM-ERROR", "the source or the sink of a command failed"},
}};

}  // namespace

const std::error_category& ssh_category() noexcept {
    static const CodeCategory category{"qconn.ssh", k_ssh_codes};
    return category;
}

std::error_code make_error_code(SshErrc code) noexcept { return {static_cast<int>(code), ssh_category()}; }

std::string_view error_name(SshErrc code) noexcept { return code_name(k_ssh_codes, code); }

SshHostKeyDetail::~SshHostKeyDetail() = default;
SshAuthDetail::~SshAuthDetail() = default;

namespace ssh {

Error ssh_error(SshErrc code, std::string message, Phase phase, Reason reason, std::string_view connection) {
    Error error{code, error_name(code), std::move(message)};
    error.with_phase(phase).with_reason(reason);
    if (!connection.empty()) error.with_connection(connection);
    return error;
}

Error stopped(bool cancelled, std::string_view what, std::string_view while_doing, Phase phase, std::string_view connection) {
    std::string words{what};
    words += cancelled ? " was cancelled" : " failed: the deadline has passed";
    if (!while_doing.empty()) words.append(" while ").append(while_doing);
    Error error = make_error(cancelled ? Errc::cancelled : Errc::timeout, std::move(words));
    error.with_phase(phase);
    if (!cancelled) error.with_retryable(true);
    if (!connection.empty()) error.with_connection(connection);
    return error;
}

}  // namespace ssh
}  // namespace qconn
