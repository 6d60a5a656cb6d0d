// SPDX-License-Identifier: Apache-2.0
/// From replies and failures to Error.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/mail/smtp_error.hpp>

#include "net/job.hpp"
#include "net/reply.hpp"

namespace qconn::mail {

std::string_view error_name(SmtpErrc code) noexcept;

/// A message or an address that cannot be sent.
Error message_error(std::string what);

/// `sending a message to mail.example:25 failed: the server answered RCPT TO <a@b> with "550 5.1.1 no such user"; …`
/// @param verb     the command without its arguments; empty: it is the greeting
/// @param subject  what it was about: `<a@b>`; may be empty
Error refusal(const net::Job& job, SmtpErrc code, std::string_view verb, std::string_view subject, const Reply& reply, std::string_view hint = {});
/// The same for what no reply says.
Error failure(const net::Job& job, SmtpErrc code, Reason reason, std::string_view what, Phase phase = Phase::protocol);
/// The same error with what is known of the message.
Error with_outcome(const Error& error, SmtpSent sent, std::vector<SmtpRecipientAnswer> recipients);

}  // namespace qconn::mail
