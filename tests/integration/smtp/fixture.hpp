// SPDX-License-Identifier: Apache-2.0
/// Real SMTP servers, and one that says what a test has it say.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/mail/smtp_client.hpp>

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

/// A server that answers each line as a function says, on one thread a connection. After a 354 it takes a message, and asks for the answer with ".".
class ScriptedSmtp {
public:
    /// Whole replies with their line ends; empty: none. "!" at the beginning: the connection is closed behind the rest.
    using Script = std::function<std::string(const std::string& line)>;
    explicit ScriptedSmtp(Script script, std::string greeting = "220 scripted ESMTP\r\n");
    ScriptedSmtp(const ScriptedSmtp&) = delete;
    ScriptedSmtp& operator=(const ScriptedSmtp&) = delete;
    ~ScriptedSmtp();

    std::uint16_t port() const noexcept { return port_; }
    std::vector<std::string> heard() const;
    /// How often a line that begins so was heard.
    std::size_t count(std::string_view beginning) const;
    /// Of messages, with their stuffed dots.
    std::uint64_t content_bytes() const noexcept { return content_bytes_.load(); }
    /// What came in one piece, each.
    std::vector<std::string> pieces() const;
    int connections() const noexcept { return connections_.load(); }
    SmtpOptions options() const;

private:
    void serve(int fd);

    const Script script_;
    const std::string greeting_;
    std::uint16_t port_{0};  // before listener_, which sets it
    int listener_{-1};
    std::atomic<int> connections_{0};
    std::atomic<std::uint64_t> content_bytes_{0};
    std::atomic<bool> stopped_{false};
    mutable std::mutex mutex_;
    std::vector<std::string> heard_;    // guarded by mutex_
    std::vector<std::string> pieces_;   // likewise
    std::vector<int> open_;             // likewise
    std::vector<std::thread> threads_;  // likewise
    std::thread accepting_;
};

/// What a server with PIPELINING, SIZE, 8BITMIME and SMTPUTF8 says that takes everything.
std::string usual_reply(const std::string& line);

/// What the call throws.
template <class Call>
Error error_of(Call call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    return Error{Errc::system, "NO-ERROR", "nothing was thrown"};
}
SmtpErrorDetail detail_of(const Error& error);

}  // namespace qconn::test
