// SPDX-License-Identifier: Apache-2.0
#include "pop3_fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace qconn::test {

namespace {

constexpr int k_mailboxes = 60;

/// The names of users whose mailboxes no test has had.
std::string all_users() {
    std::string names;
    for (int i = 1; i <= k_mailboxes; ++i) names += (i > 1 ? " box" : "box") + std::to_string(i);
    return names;
}

int listen_somewhere(std::uint16_t& port) {
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

void send_whole(int fd, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
        const auto n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
    }
}

}  // namespace

Server& dovecot() {
    static Server server{"dovecot", {.environment = {"POP3_USERS=" + all_users()}}};
    return server;
}
Server& dovecot_locking() {
    static Server server{"dovecot", {.environment = {"POP3_LOCK=yes"}}};
    return server;
}
Server& dovecot_strict() {
    static Server server{"dovecot", {.environment = {"POP3_TLS=require"}}};
    return server;
}

Mailbox::Mailbox() : server_{dovecot()} {
    static std::atomic<int> count{0};
    const int number = ++count;
    if (number > k_mailboxes) throw std::runtime_error{"there are too few mailboxes"};
    user_ = "box" + std::to_string(number);
    folder_ = server_.directory() / ("mail/" + user_);
}

Mailbox::Mailbox(Server& server) : server_{server}, user_{k_user}, folder_{server.directory() / ("mail/" + user_)} {}

Pop3Options Mailbox::options(Pop3Tls security) const {
    Pop3Options options;
    options.label = "mailbox";
    options.host = "127.0.0.1";
    options.security = security;
    options.port = security == Pop3Tls::implicit ? server_.port2() : server_.port();
    options.username = user_;
    options.password = Secret{std::string{k_password}};
    options.tls.ca_file = tls_file("ca.crt");
    return options;
}

void Mailbox::put(std::string_view text) {
    std::string number = std::to_string(++messages_);
    number.insert(0, 6 - std::min<std::size_t>(6, number.size()), '0');
    const std::string name = "1700000000." + number + ".test";
    const std::string path = folder_ + "/tmp/" + name;
    std::ofstream{path, std::ios::binary} << text;
    ::chmod(path.c_str(), 0666);
    std::filesystem::rename(path, folder_ + "/new/" + name);
}

void Mailbox::fill(std::size_t count, std::size_t size) {
    for (std::size_t i = 1; i <= count; ++i) {
        std::string text = "From: a@example.com\nSubject: message " + std::to_string(i) + "\n\n";
        while (text.size() < size) text += "a line of the text of message " + std::to_string(i) + ", as long as others are\n";
        put(text);
    }
}

std::size_t Mailbox::count() const {
    std::size_t all = 0;
    for (const char* part : {"/new", "/cur"}) {
        for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator{folder_ + part}) ++all;
    }
    return all;
}

ScriptedPop3::ScriptedPop3(Script script, std::string greeting)
    : script_{std::move(script)}, greeting_{std::move(greeting)}, listener_{listen_somewhere(port_)} {
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

ScriptedPop3::~ScriptedPop3() {
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

void ScriptedPop3::serve(int fd) {
    send_whole(fd, greeting_);
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
            const std::string answer = script_(line);
            const bool ends = answer.starts_with('!');
            send_whole(fd, answer.substr(ends ? 1 : 0));
            if (ends || (line == "QUIT" && !answer.empty())) {
                ::shutdown(fd, SHUT_RDWR);
                return;
            }
        }
    }
}

std::vector<std::string> ScriptedPop3::heard() const {
    const std::scoped_lock lock{mutex_};
    return heard_;
}

Pop3Options ScriptedPop3::options() const {
    Pop3Options options;
    options.label = "mailbox";
    options.host = "127.0.0.1";
    options.port = port_;
    options.username = "edi";
    options.password = Secret{std::string{"s3cret-word"}};
    return options;
}

std::string usual_answer(const std::string& line) {
    if (line == "CAPA") return "-ERR what?\r\n";
    if (line.starts_with("USER") || line.starts_with("PASS") || line == "NOOP" || line == "RSET") return "+OK\r\n";
    if (line == "STAT") return "+OK 0 0\r\n";
    if (line == "LIST" || line == "UIDL") return "+OK\r\n.\r\n";
    if (line == "QUIT") return "+OK bye\r\n";
    return {};
}

}  // namespace qconn::test
