// SPDX-License-Identifier: Apache-2.0
/// The ongoing alerts: raised once, cleared once; and the latest transient ones.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
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
constexpr std::string_view k_alert_certificate = "CERTIFICATE-EXPIRES";
constexpr std::string_view k_alert_certificate_changed = "CERTIFICATE-CHANGED";
constexpr std::string_view k_alert_credential = "CREDENTIAL-EXPIRES";
constexpr std::string_view k_alert_host_key_changed = "HOST-KEY-CHANGED";
constexpr std::string_view k_alert_late_answer = "SOCKET-OPERATION-WARNING";
constexpr std::string_view k_alert_slow_answer = "SOCKET-THROUGHPUT-WARNING";
constexpr std::string_view k_alert_flapping = "CONNECTION-FLAPPING";
/// Those of connections that are up all the same.
inline constexpr std::array k_measured_alerts{k_alert_filesystem, k_alert_certificate, k_alert_credential};
/// All those of connections.
inline constexpr std::array k_alerts{k_alert_unavailable, k_alert_unusable,   k_alert_filesystem,
                                     k_alert_certificate, k_alert_credential, k_alert_flapping};
constexpr std::string_view k_alert_degraded = "MONITOR-DEGRADED";
constexpr std::string_view k_alert_resumed = "MONITOR-RESUMED";
/// What these are about.
constexpr std::string_view k_self = "the monitor";

/// Changed on the loop's thread, which never waits for a reader; read from any thread.
class AlertBoard {
public:
    /// Loop's thread. @returns what is to be told: nothing where that one stands already, or is silenced
    std::optional<Alert> raise(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when,
                               std::uint64_t outage = 0, bool silenced = false);
    /// Loop's thread: marks it, or takes the mark away. @returns what is to be told: one that was raised while it was silenced, and is so no more
    std::optional<Alert> silence(std::string_view type, const std::string& name, bool yes);
    /// Loop's thread: it stands for another connection now.
    void rename(std::string_view type, const std::string& name, const std::string& now);
    /// Loop's thread. @returns what is to be told: the one that stood, if it was told that it did
    std::optional<Alert> clear(std::string_view type, const std::string& name);
    /// Loop's thread: a transient one.
    void note(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when, bool silenced = false);
    /// Loop's thread: for one that stands and was raised until then, unless a later one counts already.
    void acknowledge(std::string_view type, const std::string& name, const Acknowledgement& acknowledgement);
    /// Loop's thread: one that stood in an earlier run stands still.
    void resume(Alert alert);
    /// Loop's thread: numbers up to this one were given in an earlier run.
    void go_on_after(std::uint64_t id) noexcept { last_id_ = std::max<std::uint64_t>(last_id_, id); }
    /// Loop's thread: the outages that an alert stands for.
    std::set<std::uint64_t> outages() const;
    bool stands(std::string_view type, const std::string& name) const { return standing_.contains({name, std::string{type}}); }
    /// Loop's thread: shows readers what has changed. @returns false where one is reading: try again in a moment
    bool flush();

    /// Any thread. In the order in which they were raised.
    std::vector<Alert> list() const;
    /// Any thread. The latest transient ones, the oldest first.
    std::vector<Alert> recent() const;
    std::uint64_t last_id() const noexcept { return last_id_; }
    /// Any thread, at once. @returns the name of its connection; nothing where no such alert is shown
    std::optional<std::string> acknowledge(std::uint64_t id, const Acknowledgement& acknowledgement);

private:
    void show(std::uint64_t id, std::shared_ptr<const Alert> alert);  // mutex_ is held

    using Key = std::pair<std::string, std::string>;  // name, type
    using Raised = std::shared_ptr<const Alert>;
    using Standing = std::map<Key, Raised>;
    /// Changes one and shows it.
    template <class Change>
    void change(Raised& raised, Change&& change);

    // Loop's thread:
    Standing standing_;
    std::vector<std::pair<std::uint64_t, std::shared_ptr<const Alert>>> unseen_;  // id; null alert: cleared
    std::vector<Alert> unseen_recent_;
    std::atomic<std::uint64_t> last_id_{0};  // written by this thread

    mutable std::mutex mutex_;
    std::deque<Alert> recent_;                                     // guarded by mutex_
    std::map<std::uint64_t, std::shared_ptr<const Alert>> shown_;  // guarded by mutex_
};

}  // namespace qconn::monitor
