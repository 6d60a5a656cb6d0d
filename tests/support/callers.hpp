// SPDX-License-Identifier: Apache-2.0
/// Users of connections, for tests of what they meet while servers die.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/core/registry.hpp>

#include "support/use.hpp"

namespace qconn::test {

/// What calls came to.
struct Tally {
    int good{0};
    /// The good ones by their answers.
    std::map<std::string, int> answers{};
    /// By "phase reason".
    std::map<std::string, int> failures{};
    /// One failure in full for each of these, for messages of tests.
    std::map<std::string, std::string> texts{};
    std::chrono::nanoseconds longest{0};

    /// "connect refused, head reset", sorted.
    std::string kinds() const {
        std::string text;
        for (const auto& [kind, count] : failures) text.append(text.empty() ? "" : ", ").append(kind);
        return text;
    }
};

/// For one connection a thread that makes one blocking call after the other, and a chain of asynchronous ones where there are such, until this goes.
/// Each call goes through a Ref, as an application's does, and has a deadline of its own.
/// @note The functions are for one thread at a time.
class Callers {
public:
    Callers(Registry& registry, const std::string& connection, Use use, std::chrono::milliseconds limit)
        : ref_{registry.get<Client>(connection)}, use_{std::move(use)}, limit_{limit} {
        chained_ = static_cast<bool>(use_.asynchronous);
        if (chained_) begin_next();
        blocking_ = std::thread{[this] { call_blocking(); }};
    }
    Callers(const Callers&) = delete;
    Callers& operator=(const Callers&) = delete;
    ~Callers() {
        stopped_ = true;
        blocking_.join();
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !chained_; });
    }

    /// Of both kinds together, of calls that have ended since the last `forget`.
    Tally tally() const {
        const std::scoped_lock lock{mutex_};
        return tally_;
    }
    /// The lesser number of the kinds that there are since the last `forget`.
    int rounds() const {
        const std::scoped_lock lock{mutex_};
        return use_.asynchronous ? std::min(blocking_ended_, chained_ended_) : blocking_ended_;
    }
    void forget() {
        const std::scoped_lock lock{mutex_};
        tally_ = {};
        blocking_ended_ = chained_ended_ = 0;
    }

private:
    static constexpr std::chrono::milliseconds k_pause{2};  // between calls, so that those which fail at once leave the CPU to others

    void note(Clock::time_point begun, const Result<std::string>& result, int Callers::*ended) {
        const std::scoped_lock lock{mutex_};
        ++(this->*ended);
        tally_.longest = std::max<std::chrono::nanoseconds>(tally_.longest, Clock::now() - begun);
        if (result) {
            ++tally_.good;
            ++tally_.answers[result.value()];
            return;
        }
        const Error& error = result.error();
        const std::string kind = std::string{to_string(error.phase())} + ' ' + std::string{to_string(error.reason())};
        ++tally_.failures[kind];
        tally_.texts.emplace(kind, error.what());
    }

    void call_blocking() {
        while (!stopped_) {
            const auto begun = Clock::now();
            try {
                note(begun, use_.blocking(*ref_.pin(), Deadline{limit_}), &Callers::blocking_ended_);
            } catch (const Error& error) { note(begun, error, &Callers::blocking_ended_); }
            std::this_thread::sleep_for(k_pause);
        }
    }

    // A chain that cannot go on is a failure like any other, and the last.
    void begin_next() {
        const auto begun = Clock::now();
        try {
            begin(begun);
        } catch (const Error& error) {
            note(begun, error, &Callers::chained_ended_);
            end_chain();
        }
    }

    void end_chain() {
        const std::scoped_lock lock{mutex_};
        chained_ = false;
        changed_.notify_all();
    }

    void begin(Clock::time_point begun) {
        use_.asynchronous(*ref_.pin(), Deadline{limit_}, [this, begun](Result<std::string> result) {
            note(begun, result, &Callers::chained_ended_);
            stopped_ ? end_chain() : begin_next();
        });
    }

    const Ref<Client> ref_;
    const Use use_;
    const std::chrono::milliseconds limit_;
    std::atomic<bool> stopped_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Tally tally_;
    int blocking_ended_{0};
    int chained_ended_{0};
    bool chained_{true};
    std::thread blocking_;
};

}  // namespace qconn::test
