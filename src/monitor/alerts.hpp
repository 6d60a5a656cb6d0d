// SPDX-License-Identifier: Apache-2.0
/// The ongoing alerts: raised once, cleared once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/monitor/event.hpp>

namespace qconn::monitor {

// The names are Qorus'.
constexpr std::string_view k_alert_unavailable = "USER-CONNECTION-UNAVAILABLE";
constexpr std::string_view k_alert_unusable = "USER-CONNECTION-UNUSABLE";
constexpr std::string_view k_alert_filesystem = "FILESYSTEM-FULL";
// Ours.
constexpr std::string_view k_alert_flapping = "CONNECTION-FLAPPING";

/// Changed on the loop's thread, which never waits for a reader; read from any thread.
class AlertBoard {
public:
    /// Loop's thread. @returns nothing where that one stands already
    std::optional<Alert> raise(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when,
                               std::uint64_t outage = 0);
    /// Loop's thread: it stands for another connection now.
    void rename(std::string_view type, const std::string& name, const std::string& now);
    /// Loop's thread. @returns the one that stood, or nothing
    std::optional<Alert> clear(std::string_view type, const std::string& name);
    /// Loop's thread: shows readers what has changed. @returns false where one is reading: try again in a moment
    bool flush();

    /// Any thread. In the order in which they were raised.
    std::vector<Alert> list() const;

private:
    using Key = std::pair<std::string, std::string>;  // name, type

    // Loop's thread:
    std::map<Key, std::shared_ptr<const Alert>> standing_;
    std::vector<std::pair<std::uint64_t, std::shared_ptr<const Alert>>> unseen_;  // id; null alert: cleared
    std::uint64_t last_id_{0};

    mutable std::mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<const Alert>> shown_;  // guarded by mutex_
};

}  // namespace qconn::monitor
