// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include <qconn/file/file_transfer_client.hpp>

namespace qconn::test {

namespace {

int listen_on(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(fd, 16) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error{"no port to listen on"};
    port = ntohs(address.sin_port);
    return fd;
}

void send_all(int fd, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
        const auto n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
    }
}

}  // namespace

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

ScriptedFtp::ScriptedFtp(Script script, std::string greeting)
    : script_{std::move(script)}, greeting_{std::move(greeting)}, listener_{listen_on(port_)} {
    accepting_ = std::thread{[this] {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0 || stopped_) {
                if (fd >= 0) ::close(fd);
                return;
            }
            ++connections_;
            const std::scoped_lock lock{mutex_};
            open_.push_back(fd);
            threads_.emplace_back([this, fd] { serve(fd); });
        }
    }};
}

ScriptedFtp::~ScriptedFtp() {
    stopped_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    std::vector<std::thread> threads;
    {
        const std::scoped_lock lock{mutex_};
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
        threads.swap(threads_);
    }
    for (auto& thread : threads) thread.join();
    for (const int fd : open_) ::close(fd);
    ::close(listener_);
}

void ScriptedFtp::serve(int fd) {
    send_all(fd, greeting_);
    std::string input;
    char block[4096];
    for (;;) {
        const auto n = ::recv(fd, block, sizeof block, 0);
        if (n <= 0) return;
        input.append(block, static_cast<std::size_t>(n));
        for (std::size_t end = input.find("\r\n"); end != std::string::npos; end = input.find("\r\n")) {
            const std::string line = input.substr(0, end);
            input.erase(0, end + 2);
            {
                const std::scoped_lock lock{mutex_};
                heard_.push_back(line);
            }
            std::string reply = script_(line);
            const bool ends = reply.starts_with('!');
            send_all(fd, reply.substr(ends ? 1 : 0));
            if (ends || line == "QUIT") {
                ::shutdown(fd, SHUT_RDWR);
                return;
            }
        }
    }
}

std::vector<std::string> ScriptedFtp::heard() const {
    const std::scoped_lock lock{mutex_};
    return heard_;
}

FtpOptions ScriptedFtp::options() const {
    FtpOptions options;
    options.label = "files";
    options.host = "127.0.0.1";
    options.port = port_;
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
