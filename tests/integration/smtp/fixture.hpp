// SPDX-License-Identifier: Apache-2.0
/// Real SMTP servers, and one that says what a test has it say.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/value.hpp>
#include <qconn/mail/smtp_client.hpp>

#include "support/error_of.hpp"
#include "support/line_server.hpp"
#include "support/server.hpp"

namespace qconn::test {

/// Exim and aiosmtpd with a good certificate, shared by all tests of the program.
Server& exim();
Server& aiosmtp();

/// For one of them, with its log-in.
SmtpOptions options_for(const Server& server, SmtpTls security = SmtpTls::offered);
MailMessage message_to(std::string_view to, std::string_view subject);

/// The message that a server has, by its identifier, waited for; as read_mail.py tells it.
Value read_mail(const Server& server, const std::string& message_id);
/// Its bytes.
std::string raw_mail(const Server& server, const std::string& message_id);

class ScriptedSmtp : public LineServer {
public:
    explicit ScriptedSmtp(Script script, std::string greeting = "220 scripted ESMTP\r\n") : LineServer{std::move(script), std::move(greeting)} {}

    SmtpOptions options() const;
};

/// What a server with PIPELINING, SIZE, 8BITMIME and SMTPUTF8 says that takes everything.
std::string usual_reply(const std::string& line);

SmtpErrorDetail detail_of(const Error& error);

}  // namespace qconn::test
