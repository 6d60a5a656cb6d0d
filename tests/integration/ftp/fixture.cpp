// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <qconn/file/file_transfer_client.hpp>

#include "support/free_port.hpp"

namespace qconn::test {

Server& proftpd() {
    static Server server{"proftpd"};
    return server;
}
Server& vsftpd() {
    static Server server{"vsftpd"};
    return server;
}
Server& vsftpd_implicit() {
    static Server server{"vsftpd", {.environment = {"FTP_IMPLICIT=1"}}};
    return server;
}

const std::vector<FtpWay>& ftp_ways() {
    static const std::vector<FtpWay> all = [] {
        std::vector<FtpWay> ways;
        for (const bool vs : {false, true}) {
            for (const auto mode : {FtpDataMode::passive, FtpDataMode::active}) {
                const bool passive = mode == FtpDataMode::passive;
                ways.push_back({passive ? "plain, passive" : "plain, active", FtpTls::none, mode, vs});
                ways.push_back({passive ? "explicit TLS, passive" : "explicit TLS, active", FtpTls::required, mode, vs});
                ways.push_back({passive ? "implicit TLS, passive" : "implicit TLS, active", FtpTls::implicit, mode, vs});
            }
        }
        return ways;
    }();
    return all;
}

FtpOptions options_for(const Server& server, FtpTls security) {
    FtpOptions options;
    options.label = "files";
    options.host = "127.0.0.1";
    options.security = security;
    options.port = security == FtpTls::implicit ? server.port2() : server.port();
    options.username = std::string{k_user};
    options.password = Secret{std::string{k_password}};
    options.tls.ca_file = tls_file("ca.crt");
    return options;
}

FtpOptions options_for(const FtpWay& way) {
    static std::atomic<int> count{0};
    const std::string folder = "t" + std::to_string(++count);
    FtpOptions options = options_for(proftpd(), way.security);
    if (way.vsftpd) {
        options = options_for(vsftpd(), way.security);
        if (way.security == FtpTls::implicit) options.port = vsftpd_implicit().port();
        options.username.clear();
        options.password.reset();
        options.path = "/pub";
    }
    options.data_mode = way.mode;
    FtpClient{options}.make_directory(folder);
    options.path = way.vsftpd ? "/pub/" + folder : folder;
    return options;
}

FtpOptions ScriptedFtp::options() const {
    FtpOptions options;
    options.label = "files";
    options.host = "127.0.0.1";
    options.port = port();
    return options;
}

std::string usual_reply(const std::string& line) {
    if (line.starts_with("USER")) return "331 and?\r\n";
    if (line.starts_with("PASS")) return "230 in\r\n";
    if (line == "FEAT") return "211 none\r\n";
    if (line.starts_with("TYPE") || line.starts_with("NOOP")) return "200 ok\r\n";
    if (line == "PWD") return "257 \"/\"\r\n";
    if (line.starts_with("CWD")) return "250 ok\r\n";
    if (line == "QUIT") return "221 bye\r\n";
    return {};
}

DataPort::DataPort(std::string send) : listener_{listen_on(port_)} {
    thread_ = std::thread{[this, text = std::move(send)] {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        send_all(fd, text);
        if (text.empty()) {
            char block[4096];
            for (auto n = ::recv(fd, block, sizeof block, 0); n > 0; n = ::recv(fd, block, sizeof block, 0))
                got_.append(block, static_cast<std::size_t>(n));
        }
        ::close(fd);
    }};
}

std::string DataPort::received() {
    thread_.join();
    return got_;
}

DataPort::~DataPort() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
}

std::string large_text(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * 7919) + (i % 11 == 0 ? "\n" : " ");
    text.resize(size);
    return text;
}

}  // namespace qconn::test
