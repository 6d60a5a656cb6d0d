// SPDX-License-Identifier: Apache-2.0
/// Calls the start and stop functions of interfaces, one at a time for each, when dependents.hpp says so.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <qconn/monitor/monitor.hpp>
#include <qconn/net/runtime.hpp>

#include "monitor/dependents.hpp"
#include "monitor/state.hpp"

namespace qconn::monitor {

/// All interfaces of a monitor.
/// @note Thread-safe. No function of the application's is called with a lock held.
class InterfaceHub : public std::enable_shared_from_this<InterfaceHub> {
public:
    using Id = DependencyTable::Id;
    /// Tells that one is being stopped or started.
    using Tell = std::function<void(EventKind kind, const std::string& name)>;

    InterfaceHub(Runtime runtime, bool manage, Tell tell);

    /// @throws Error INTERFACE-ERROR
    Id add(InterfaceOptions options);
    /// Waits for a function of its that is running, except from inside it and on an I/O thread.
    void remove(Id id) noexcept;
    /// No function is begun after it has returned.
    /// @param wait  for those running, except for one that it is called from
    void close(bool wait) noexcept;

    void depend(Id id, std::string_view connection);
    void release(Id id, std::string_view connection);
    /// What the state of a connection means. Waits for nothing.
    void hold(std::string_view connection, Hold hold);
    /// It has come up from unknown or down.
    void came_up(std::string_view connection);

    void stop(Id id);
    void start(Id id);
    void set_running(Id id, bool running);
    void set_autostart(Id id, bool yes);
    void set_manage(bool yes);
    bool manage() const noexcept;

    InterfaceInfo info(Id id) const;
    std::vector<InterfaceInfo> infos() const;

private:
    struct Entry {
        InterfaceOptions options;
        std::string start_error;
        std::thread::id caller;  // inside one of its functions
        bool queued{false};
        bool removed{false};
    };

    void look_at(Id id);
    void look_at(const std::vector<Id>& ids);
    void begin_workers();
    void work();
    /// Does what is due for one; `lock` is released meanwhile.
    void act(Id id, const std::shared_ptr<Entry>& entry, std::unique_lock<std::mutex>& lock);
    InterfaceInfo info_locked(Id id) const;

    // So many functions run at once on the pool: the rest of its threads stays for pings and listeners.
    static constexpr std::size_t k_workers = 8;

    const Runtime runtime_;
    const Tell tell_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    DependencyTable table_;
    std::map<Id, std::shared_ptr<Entry>> entries_;
    std::deque<Id> queue_;
    std::size_t workers_{0};
    Id last_id_{0};
    bool manage_;
    bool closed_{false};
};

}  // namespace qconn::monitor
