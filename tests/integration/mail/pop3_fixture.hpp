// SPDX-License-Identifier: Apache-2.0
/// Mailboxes of a real POP3 server, and a server that says what a test has it say.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <qconn/mail/pop3_client.hpp>

#include "support/error_of.hpp"
#include "support/line_server.hpp"
#include "support/server.hpp"

namespace qconn::test {

/// A mailbox at Dovecot of the test's own.
class Mailbox {
public:
    /// At the server that all tests of the program share.
    Mailbox();
    /// That of the log-in all servers know.
    explicit Mailbox(Server& server);

    Pop3Options options(Pop3Tls security = Pop3Tls::none) const;
    /// LF is made CRLF by the server.
    void put(std::string_view text);
    /// So many with the subjects "message 1" …, of about that size.
    void fill(std::size_t count, std::size_t size);
    /// How many messages there are, without asking the server.
    std::size_t count() const;
    const std::string& user() const noexcept { return user_; }

private:
    Server& server_;
    std::string user_;
    std::string folder_;
    int messages_{0};
};

/// Dovecot with a good certificate; that lets no two sessions into a mailbox; that lets nobody in before TLS.
Server& dovecot();
Server& dovecot_locking();
Server& dovecot_strict();

class ScriptedPop3 : public LineServer {
public:
    explicit ScriptedPop3(Script script, std::string greeting = "+OK scripted\r\n") : LineServer{std::move(script), std::move(greeting)} {}

    Pop3Options options() const;
};

/// What a log-in and the questions of an empty mailbox are answered with; empty for anything else.
std::string usual_answer(const std::string& line);

}  // namespace qconn::test
