// SPDX-License-Identifier: Apache-2.0
#include "support/line_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "support/free_port.hpp"

namespace qconn::test {

namespace {

constexpr std::uint64_t k_kept_of_messages = 1'000'000;

}  // namespace

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

LineServer::LineServer(Script script, std::string greeting)
    : script_{std::move(script)}, greeting_{std::move(greeting)}, listener_{listen_on(port_)}, accepting_{[this] { accept(); }} {}

LineServer::~LineServer() {
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

void LineServer::accept() {
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
}

/// The next line, or "." where a message has ended. False: more has to come.
bool LineServer::take(std::string& input, bool in_message, std::string& line) {
    if (!in_message) {
        const std::size_t end = input.find("\r\n");
        if (end == std::string::npos) return false;
        line = input.substr(0, end);
        input.erase(0, end + 2);
        return true;
    }
    const std::size_t end = input.starts_with(".\r\n") ? 0 : input.find("\r\n.\r\n");
    if (end == std::string::npos) {
        if (input.size() > 4) {  // the end may have begun
            content_bytes_ += input.size() - 4;
            input.erase(0, input.size() - 4);
        }
        return false;
    }
    content_bytes_ += end + (end == 0 ? 0 : 2);
    input.erase(0, end + (end == 0 ? 3 : 5));
    line = ".";
    return true;
}

void LineServer::serve(int fd) {
    send_all(fd, greeting_);
    std::string input;
    std::string line;
    std::vector<char> block(64 * 1024);
    bool in_message = false;
    for (;;) {
        const auto n = ::recv(fd, block.data(), block.size(), 0);
        if (n <= 0) return;
        const std::string_view piece{block.data(), static_cast<std::size_t>(n)};
        input += piece;
        if (!in_message || content_bytes_ < k_kept_of_messages) {
            const std::scoped_lock lock{mutex_};
            pieces_.emplace_back(piece);
        }
        while (take(input, in_message, line)) {
            {
                const std::scoped_lock lock{mutex_};
                heard_.push_back(line);
            }
            const std::string reply = script_(line);
            const bool ends = reply.starts_with('!');
            send_all(fd, std::string_view{reply}.substr(ends ? 1 : 0));
            if (ends || (line == "QUIT" && !reply.empty())) {
                ::shutdown(fd, SHUT_RDWR);
                return;
            }
            in_message = reply.starts_with("354");
        }
    }
}

std::vector<std::string> LineServer::heard() const {
    const std::scoped_lock lock{mutex_};
    return heard_;
}
std::size_t LineServer::count(std::string_view beginning) const {
    std::size_t n = 0;
    for (const std::string& line : heard()) n += line.starts_with(beginning) ? 1 : 0;
    return n;
}
std::vector<std::string> LineServer::pieces() const {
    const std::scoped_lock lock{mutex_};
    return pieces_;
}

}  // namespace qconn::test
