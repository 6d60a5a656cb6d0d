// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace qconn::test {

/// All of it, or as much as the peer takes.
void send_all(int fd, std::string_view text);

/// A server of lines (FTP, SMTP, POP3) that answers each as a function says, on one thread a connection. After a reply of 354 it takes a message, and
/// asks for the answer to that with ".".
class LineServer {
public:
    /// Whole replies with their line ends; empty: none. "!" at the beginning: the connection is closed behind the rest, as it is behind the answer to
    /// QUIT. Called by several threads where there are several connections.
    using Script = std::function<std::string(const std::string& line)>;
    LineServer(Script script, std::string greeting);
    LineServer(const LineServer&) = delete;
    LineServer& operator=(const LineServer&) = delete;
    ~LineServer();

    std::uint16_t port() const noexcept { return port_; }
    int connections() const noexcept { return connections_.load(); }
    std::vector<std::string> heard() const;
    /// How often a line that begins so was heard.
    std::size_t count(std::string_view beginning) const;
    /// What came in one piece, each; of large messages not all.
    std::vector<std::string> pieces() const;
    /// Of messages, with their stuffed dots.
    std::uint64_t content_bytes() const noexcept { return content_bytes_.load(); }

private:
    void accept();
    void serve(int fd);
    bool take(std::string& input, bool in_message, std::string& line);

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

}  // namespace qconn::test
