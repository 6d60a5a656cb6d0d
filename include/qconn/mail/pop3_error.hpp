// SPDX-License-Identifier: Apache-2.0
/// What POP3 servers refuse, and what goes wrong with them.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// Codes of this family.
enum class Pop3Errc {
    server = 1,       ///< POP3-SERVER-ERROR: the server refused, or said what is no POP3
    connect,          ///< POP3-CONNECT-ERROR: the server's greeting refuses to talk
    url,              ///< POP3-URL-ERROR: no host, or the log-in stands both in the URL and in options
    config,           ///< POP3-CONFIG-ERROR: options that cannot be used together, or one that is missing
    auth,             ///< POP3-AUTH-ERROR: the log-in was refused
    tls_required,     ///< POP3-TLS-REQUIRED: the server lets nobody in without TLS, or TLS is asked for and it has none
    in_use,           ///< POP3-IN-USE: another session holds the mailbox; of this client or of somebody else
    login_delay,      ///< POP3-LOGIN-DELAY: the server wants more time between two log-ins
    no_such_message,  ///< POP3-NO-SUCH-MESSAGE
    commit_unknown,   ///< POP3-COMMIT-UNKNOWN: QUIT was sent and no answer came: what was marked may be deleted or not
    session_over,     ///< POP3-SESSION-OVER: the session was committed, closed, or broke before this call
    limit,            ///< POP3-LIMIT-ERROR: a message or an answer is larger than allowed
};
QCONN_API const std::error_category& pop3_category() noexcept;
QCONN_API std::error_code make_error_code(Pop3Errc code) noexcept;

/// Detail of the errors of this family.
class QCONN_API Pop3ErrorDetail : public ErrorDetail {
public:
    Pop3ErrorDetail() = default;
    ~Pop3ErrorDetail() override;
    /// The verb: "RETR". Empty: the greeting, or none.
    std::string command;
    /// The server's words behind -ERR, the response code included; empty where no answer is the reason.
    std::string answer;
    /// The response code (RFC 2449, 3206) in upper case without brackets: "IN-USE", "LOGIN-DELAY", "SYS/TEMP", "AUTH". Empty: none.
    std::string response_code;
    /// 0: it is not about a message.
    std::uint32_t message{0};
    /// Of Pop3Client::process: unique ids of messages that the handler has taken and that may still be on the server. They will be offered again,
    /// unless Pop3ProcessOptions::choose knows them.
    std::vector<std::string> uncommitted;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::Pop3Errc> : std::true_type {};
