// SPDX-License-Identifier: Apache-2.0
/// What goes wrong in a TELNET session.
#pragma once

#include <string>
#include <system_error>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// Codes of this family.
enum class TelnetErrc {
    failed = 1,  ///< TELNET-ERROR: what the peer sends breaks the protocol, or negotiates without an end
    connect,     ///< TELNET-CONNECT-ERROR: the server closed the connection before it asked for anything
    login,       ///< TELNET-LOGIN-ERROR: user or password refused, or a prompt that there is no answer to
    timeout,     ///< TELNET-TIMEOUT: what was waited for did not come in time
    closed,      ///< TELNET-CLOSED: the session has ended, or there is none
    pattern,     ///< TELNET-PATTERN-ERROR: no regular expression, or one that takes too long
    limit,       ///< TELNET-LIMIT-ERROR: more text than the caller takes
    target,      ///< INVALID-TARGET: no host, or other options that cannot be used
};
QCONN_API const std::error_category& telnet_category() noexcept;
QCONN_API std::error_code make_error_code(TelnetErrc code) noexcept;

/// Detail of the errors of this family.
class QCONN_API TelnetErrorDetail : public ErrorDetail {
public:
    explicit TelnetErrorDetail(std::string l) : last{std::move(l)} {}
    ~TelnetErrorDetail() override;
    /// What was received last and had not been asked for, at most its last 2,000 bytes; secrets are masked.
    std::string last;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::TelnetErrc> : std::true_type {};
