// SPDX-License-Identifier: Apache-2.0
/// Real FTP servers, and one that says what a test has it say.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/ftp/ftp_client.hpp>

#include "support/error_of.hpp"
#include "support/line_server.hpp"
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

/// A server of control connections. Data connections are the function's affair (DataPort).
class ScriptedFtp : public LineServer {
public:
    explicit ScriptedFtp(Script script, std::string greeting = "220 scripted\r\n") : LineServer{std::move(script), std::move(greeting)} {}

    FtpOptions options() const;
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

/// Text of that size in which each place looks different.
std::string large_text(std::size_t size);

}  // namespace qconn::test
