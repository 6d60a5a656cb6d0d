// SPDX-License-Identifier: Apache-2.0
/// Real AMQP peers, and one that keeps to no rules.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <qconn/amqp/amqp_client.hpp>

#include "support/error_of.hpp"
#include "support/server.hpp"

namespace qconn::test {

/// Of calls that are answered soon.
inline Deadline soon() { return Deadline{std::chrono::seconds{20}}; }

/// npm's rhea; Proton's Python; RabbitMQ; tests/servers/amqpraw.py. Each shared by all tests of the program.
Server& rhea();
Server& proton();
Server& rabbitmq();
Server& raw_amqp();
/// What the last one answers to a line on its control port.
std::string raw_amqp_control(const std::string& line);
std::string raw_amqp_control(const Server& server, const std::string& line);

/// Options for amqp://ADDRESS, or amqps with the test's authority.
AmqpOptions to(const Server& server, bool tls = false);

AmqpSenderOptions sending_to(std::string address);
AmqpReceiverOptions receiving_from(std::string address);

/// Lines that come from any thread.
class Seen {
public:
    void add(std::string text) {
        const std::scoped_lock lock{mutex_};
        lines_.push_back(std::move(text));
        changed_.notify_all();
    }
    /// False where fewer came within 20 s.
    bool wait(std::size_t count) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return lines_.size() >= count; });
    }
    std::vector<std::string> all() const {
        const std::scoped_lock lock{mutex_};
        return lines_;
    }
    std::size_t size() const { return all().size(); }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

}  // namespace qconn::test
