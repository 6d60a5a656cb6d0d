// SPDX-License-Identifier: Apache-2.0
/// What can go wrong when mail is sent, and what is known of it then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/net/reply.hpp>

namespace qconn {

/// Codes of this family.
enum class SmtpErrc {
    failed = 1,       ///< SMTP-ERROR: the server refused, or said what is no SMTP
    connect,          ///< SMTP-CONNECT-ERROR: the server's greeting, or its answer to EHLO and HELO, refuses to talk
    tls_required,     ///< SMTP-TLS-REQUIRED: TLS must be, and the server does not offer it, or refuses
    auth,             ///< SMTP-AUTH-ERROR: the log-in was refused, or there is no way to log in
    credentials,      ///< SMTPCLIENT-INVALID-AUTHENTICATION: a user without password, or a password without user
    sender,           ///< SMTP-SENDER-REFUSED: the answer to MAIL FROM
    recipient,        ///< SMTP-RECIPIENT-REFUSED: the answer to RCPT TO; nothing was sent
    data,             ///< SMTP-DATA-EXCEPTION: the answer to DATA or to the message itself; it was not taken
    size,             ///< SMTP-SIZE-ERROR: larger than the server takes; nothing was sent
    message,          ///< SMTP-MESSAGE-ERROR: a message or an address that cannot be sent, by anybody
    unsupported,      ///< SMTP-UNSUPPORTED: this server cannot do what the message needs (SMTPUTF8, 8BITMIME, DSN)
    unknown_outcome,  ///< SMTP-OUTCOME-UNKNOWN: the message was sent whole and not answered; the server may have it or not
    url,              ///< SMTP-URL-ERROR: no host, or other options that cannot be used
};
QCONN_API const std::error_category& smtp_category() noexcept;
QCONN_API std::error_code make_error_code(SmtpErrc code) noexcept;

/// Whether the server has a message whose sending failed.
enum class SmtpSent : std::uint8_t {
    no,       ///< it has not: it refused, or the failure came before the end of the message had been sent
    unknown,  ///< it was sent to its end, and no answer came
};
QCONN_API std::string_view to_string(SmtpSent sent) noexcept;

/// What became of one recipient.
struct SmtpRecipientAnswer {
    std::string address{};
    /// Code 0: none came.
    Reply reply{};
    /// "5.1.1" (RFC 3463); empty where the server tells none.
    std::string status{};

    bool accepted() const noexcept { return reply.code / 100 == 2; }
    /// Refused for now (4xx): greylisting, a mailbox that is full.
    bool retryable() const noexcept { return reply.code / 100 == 4; }
};

/// Detail of the errors of this family, and of those of the network that come while a message is sent.
class QCONN_API SmtpErrorDetail : public ErrorDetail {
public:
    SmtpErrorDetail() = default;
    ~SmtpErrorDetail() override;
    /// Code 0 where no reply is the reason.
    Reply reply{};
    /// The command that it answers: "RCPT TO". Empty: the greeting, or none.
    std::string command{};
    /// Enhanced status code of the reply: "5.7.8". Empty: none.
    std::string status{};
    /// One for each recipient that the server was told of.
    std::vector<SmtpRecipientAnswer> recipients{};
    SmtpSent sent{SmtpSent::no};
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::SmtpErrc> : std::true_type {};
