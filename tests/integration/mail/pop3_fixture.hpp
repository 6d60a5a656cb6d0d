// SPDX-License-Identifier: Apache-2.0
/// Mailboxes of a real POP3 server, and a server that says what a test has it say.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <qconn/mail/pop3_client.hpp>

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

/// Answers each command as a function says, on one thread a connection.
class ScriptedPop3 {
public:
    /// Whole answers with their line ends; empty: none. "!" at the beginning: the connection is closed behind the rest.
    using Script = std::function<std::string(const std::string& line)>;
    explicit ScriptedPop3(Script script, std::string greeting = "+OK scripted\r\n");
    ScriptedPop3(const ScriptedPop3&) = delete;
    ScriptedPop3& operator=(const ScriptedPop3&) = delete;
    ~ScriptedPop3();

    std::uint16_t port() const noexcept { return port_; }
    std::vector<std::string> heard() const;
    int connections() const noexcept { return connections_.load(); }
    Pop3Options options() const;

private:
    void serve(int fd);

    const Script script_;
    const std::string greeting_;
    std::uint16_t port_{0};  // before listener_, which sets it
    int listener_{-1};
    std::atomic<int> connections_{0};
    std::atomic<bool> stopped_{false};
    mutable std::mutex mutex_;
    std::vector<std::string> heard_;    // guarded by mutex_
    std::vector<int> open_;             // likewise
    std::vector<std::thread> threads_;  // likewise
    std::thread accepting_;
};

/// What a log-in and the questions of an empty mailbox are answered with; empty for anything else.
std::string usual_answer(const std::string& line);

/// What the call throws.
template <class Call>
Error pop3_error_of(Call call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    return Error{Errc::system, "NO-ERROR", "nothing was thrown"};
}

}  // namespace qconn::test
