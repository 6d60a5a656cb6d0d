// SPDX-License-Identifier: Apache-2.0
/// Real FTP servers, and one that says what a test has it say.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <qconn/ftp/ftp_client.hpp>

#include "support/server.hpp"

namespace qconn::test {

/// ProFTPD with a good certificate, shared by all tests of the program; vsftpd likewise, and vsftpd with implicit TLS.
Server& proftpd();
Server& vsftpd();
Server& vsftpd_implicit();

/// One way to use one server.
struct FtpWay {
    const char* name;
    FtpTls security{FtpTls::none};
    FtpDataMode mode{FtpDataMode::passive};
    bool vsftpd{false};
};
/// Plain, explicit and implicit TLS, active and passive, at both servers.
const std::vector<FtpWay>& ftp_ways();
/// Options for a directory of the test's own, which is made.
FtpOptions options_for(const FtpWay& way);
/// For ProFTPD: in its home.
FtpOptions options_for(const Server& server, FtpTls security = FtpTls::none);

/// A server that answers each command as a function says, on one thread a connection. Data connections are the function's affair (DataPort).
class ScriptedFtp {
public:
    /// Whole replies with their line ends; empty: none. "!" at the beginning: the connection is closed behind the rest.
    using Script = std::function<std::string(const std::string& line)>;
    explicit ScriptedFtp(Script script, std::string greeting = "220 scripted\r\n");
    ScriptedFtp(const ScriptedFtp&) = delete;
    ScriptedFtp& operator=(const ScriptedFtp&) = delete;
    ~ScriptedFtp();

    std::uint16_t port() const noexcept { return port_; }
    std::vector<std::string> heard() const;
    int connections() const noexcept { return connections_.load(); }
    FtpOptions options() const;

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

/// What a log-in and the questions of a session are answered with; empty for anything else.
std::string usual_reply(const std::string& line);

/// Listens for one data connection, sends a text to it or takes what comes.
class DataPort {
public:
    explicit DataPort(std::string send = {});
    DataPort(const DataPort&) = delete;
    DataPort& operator=(const DataPort&) = delete;
    ~DataPort();
    std::string epsv() const { return "229 (|||" + std::to_string(port_) + "|)\r\n"; }
    std::uint16_t port() const noexcept { return port_; }
    /// What came, once the peer has closed.
    std::string received();

private:
    std::uint16_t port_{0};  // before listener_, which sets it
    int listener_{-1};
    std::string got_;
    std::thread thread_;
};

/// What the call throws.
template <class Call>
Error error_of(Call call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    return Error{Errc::system, "NO-ERROR", "nothing was thrown"};
}

/// Text of that size in which each place looks different.
std::string large_text(std::size_t size);

}  // namespace qconn::test
