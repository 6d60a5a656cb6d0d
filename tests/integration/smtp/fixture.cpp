// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "base/json.hpp"
#include "support/wait.hpp"

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

/// The file of a message; empty: it is not there.
std::string file_of(const Server& server, const std::string& message_id) {
    namespace fs = std::filesystem;
    const fs::path mail = fs::path{server.directory().path()} / "mail";
    for (const fs::path& folder : {mail, mail / "new"}) {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator{folder, none}) {
            if (!entry.is_regular_file(none) || entry.path().extension() == ".json") continue;
            if (read_file(entry.path().string()).find("<" + message_id + ">") != std::string::npos) return entry.path().string();
        }
    }
    return {};
}

std::string awaited_file(const Server& server, const std::string& message_id) {
    std::string file;
    wait_until([&] { return !(file = file_of(server, message_id)).empty(); });
    if (file.empty()) throw std::runtime_error{"the server does not have the message " + message_id + "\n" + server.log()};
    return file;
}

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
    std::string out;
    char block[4096];
    for (std::size_t n = std::fread(block, 1, sizeof block, pipe.get()); n > 0; n = std::fread(block, 1, sizeof block, pipe.get()))
        out.append(block, n);
    return out;
}

}  // namespace

Server& exim() {
    static Server server{"exim"};
    return server;
}
Server& aiosmtp() {
    static Server server{"aiosmtp"};
    return server;
}

SmtpOptions options_for(const Server& server, SmtpTls security) {
    SmtpOptions options;
    options.label = "out";
    options.host = "127.0.0.1";
    options.security = security;
    options.port = security == SmtpTls::implicit ? server.port2() : server.port();
    options.username = std::string{k_user};
    options.password = Secret{std::string{k_password}};
    options.from = {"Reports", "reports@example.com"};
    options.tls.ca_file = tls_file("ca.crt");
    return options;
}

MailMessage message_to(std::string_view to, std::string_view subject) {
    MailMessage message;
    message.to = parse_mail_addresses(to);
    message.subject = subject;
    message.text = "Good morning\n";
    return message;
}

Value read_mail(const Server& server, const std::string& message_id) {
    const std::string file = awaited_file(server, message_id);
    const std::string json = output_of("/usr/bin/python3 " QCONN_TESTS_DIR "/integration/smtp/read_mail.py '" + file + "'");
    return json::decode(json).value();
}

std::string raw_mail(const Server& server, const std::string& message_id) { return read_file(awaited_file(server, message_id)); }

ScriptedSmtp::ScriptedSmtp(Script script, std::string greeting)
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

ScriptedSmtp::~ScriptedSmtp() {
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

void ScriptedSmtp::serve(int fd) {
    send_all(fd, greeting_);
    std::string input;
    std::vector<char> block(64 * 1024);
    bool in_message = false;
    for (;;) {
        const auto n = ::recv(fd, block.data(), block.size(), 0);
        if (n <= 0) return;
        input.append(block.data(), static_cast<std::size_t>(n));
        if (!in_message || content_bytes_ < 1'000'000) {  // of large ones not all
            const std::scoped_lock lock{mutex_};
            pieces_.emplace_back(block.data(), static_cast<std::size_t>(n));
        }
        for (;;) {
            std::string line;
            if (in_message) {
                const std::size_t end = input.starts_with(".\r\n") ? 0 : input.find("\r\n.\r\n");
                if (end == std::string::npos) {
                    if (input.size() > 4) {  // the end may have begun
                        content_bytes_ += input.size() - 4;
                        input.erase(0, input.size() - 4);
                    }
                    break;
                }
                content_bytes_ += end + (end == 0 ? 0 : 2);
                input.erase(0, end + (end == 0 ? 3 : 5));
                in_message = false;
                line = ".";
            } else {
                const std::size_t end = input.find("\r\n");
                if (end == std::string::npos) break;
                line = input.substr(0, end);
                input.erase(0, end + 2);
            }
            {
                const std::scoped_lock lock{mutex_};
                heard_.push_back(line);
            }
            std::string reply = script_(line);
            const bool ends = reply.starts_with('!');
            if (ends) reply.erase(0, 1);
            in_message = reply.starts_with("354");
            send_all(fd, reply);
            if (ends || line == "QUIT") {
                ::shutdown(fd, SHUT_RDWR);
                return;
            }
        }
    }
}

std::vector<std::string> ScriptedSmtp::heard() const {
    const std::scoped_lock lock{mutex_};
    return heard_;
}
std::vector<std::string> ScriptedSmtp::pieces() const {
    const std::scoped_lock lock{mutex_};
    return pieces_;
}
std::size_t ScriptedSmtp::count(std::string_view beginning) const {
    std::size_t n = 0;
    for (const std::string& line : heard()) n += line.starts_with(beginning) ? 1 : 0;
    return n;
}

SmtpOptions ScriptedSmtp::options() const {
    SmtpOptions options;
    options.label = "out";
    options.host = "127.0.0.1";
    options.port = port_;
    options.from = {"", "reports@example.com"};
    return options;
}

std::string usual_reply(const std::string& line) {
    if (line.starts_with("EHLO")) return "250-scripted\r\n250-PIPELINING\r\n250-SIZE 5000000000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    if (line == "DATA") return "354 go\r\n";
    if (line == ".") return "250 2.0.0 queued\r\n";
    if (line == "QUIT") return "221 bye\r\n";
    return "250 ok\r\n";
}

SmtpErrorDetail detail_of(const Error& error) {
    const auto* detail = error.detail<SmtpErrorDetail>();
    return detail != nullptr ? *detail : SmtpErrorDetail{};
}

}  // namespace qconn::test
