// SPDX-License-Identifier: Apache-2.0
/// Real WebSocket servers, and one that sends exact bytes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <qconn/websocket/websocket_client.hpp>

#include "support/error_of.hpp"
#include "support/server.hpp"
#include "support/text.hpp"

namespace qconn::test {

/// Of calls that are answered soon.
inline constexpr std::chrono::seconds k_limit{20};

/// Python's websockets; npm's ws; both without compression; tests/servers/wsraw.py. Each shared by all tests of the program.
Server& python_server();
Server& npm_server();
Server& python_plain_server();
Server& npm_plain_server();
Server& raw_server();

/// Options for `ws://ADDRESS/PATH`, or wss with the test's authority.
WebSocketOptions to(const Server& server, const std::string& path = "/", bool tls = false);

/// Texts that come from any thread.
class Lines {
public:
    void add(std::string text) {
        const std::scoped_lock lock{mutex_};
        lines_.push_back(std::move(text));
        changed_.notify_all();
    }
    /// False where fewer came within 20 s.
    bool wait(std::size_t count) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, k_limit, [&] { return lines_.size() >= count; });
    }
    std::vector<std::string> all() const {
        const std::scoped_lock lock{mutex_};
        return lines_;
    }
    bool has(const std::string& part) const {
        for (const std::string& line : all()) {
            if (line.find(part) != std::string::npos) return true;
        }
        return false;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

}  // namespace qconn::test
