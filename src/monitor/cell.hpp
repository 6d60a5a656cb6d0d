// SPDX-License-Identifier: Apache-2.0
/// What any thread may read of a connection's state, written by the loop's thread, which never waits for a reader.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/monitor/certificate.hpp>
#include <qconn/monitor/event.hpp>

#include "monitor/history.hpp"
#include "monitor/remarks.hpp"
#include "monitor/schedule.hpp"

namespace qconn::monitor {

/// As ConnectionStatus without the texts.
struct Standing : Remarks {
    ConnectionState state{ConnectionState::unknown};
    bool flapping{false};
    bool slow{false};
    std::int32_t failures{0};
    std::chrono::system_clock::time_point since{};
    std::chrono::system_clock::time_point checked{};
    std::chrono::nanoseconds latency{0};
    std::uint64_t pings{0};
};

/// One connection.
class Cell {
    mutable std::atomic<bool> busy_{false};  // beside the next two, as small as it

public:
    explicit Cell(std::string name) : name_{std::move(name)} {}

    /// A use of its client has failed, and the loop has not yet seen to it. Any thread.
    std::atomic<bool> use_failed{false};
    /// Loop's thread only: where the connection stands in the schedule; k_no_target before and after.
    TargetId id{k_no_target};
    /// Of what its pings depend on, for the state file; zero: not known. Written by the loop's thread.
    std::atomic<std::uint64_t> configuration{0};
    /// Under the lock of Histories, which writes and reads it; nothing where nothing is remembered.
    std::optional<History> history;

    const std::string& name() const noexcept { return name_; }

    /// Loop's thread only: taken over, unless a reader is at it. @returns false then: try again in a moment
    bool try_publish(Standing& standing) {
        if (busy_.exchange(true, std::memory_order_acquire)) return false;
        std::swap(standing_, standing);  // what goes is let go of by the caller, outside
        busy_.store(false, std::memory_order_release);
        return true;
    }

    /// Loop's thread only, which is the only one that writes: what was published last.
    const Standing& published() const noexcept { return standing_; }

    /// Loop's thread only: when it is pinged next; nothing: not by schedule.
    void set_next(std::optional<std::chrono::system_clock::time_point> when) noexcept {
        next_.store(when.value_or(std::chrono::system_clock::time_point{}).time_since_epoch().count(), std::memory_order_relaxed);
    }

    /// Any thread. Waits only for another thread that is copying.
    ConnectionStatus read() const;
    /// Likewise; null: it has shown none.
    std::shared_ptr<const ServerCertificate> certificate() const;
    /// Likewise; null: none.
    std::shared_ptr<const std::vector<Credential>> credentials() const;

private:
    Standing copy() const;

    const std::string name_;
    Standing standing_;
    std::atomic<std::chrono::system_clock::rep> next_{0};
};

}  // namespace qconn::monitor
