// SPDX-License-Identifier: Apache-2.0
/// Which connections are silenced. Pure: the time is an argument, what follows from it is the caller's.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <qconn/core/silence.hpp>

#include "core/maintenance_window.hpp"
#include "monitor/schedule.hpp"

namespace qconn::monitor {

/// Silences begin and end by the wall clock, as that is what operators and other processes mean. Only connections that have had one cost anything.
/// @note One thread at a time.
class Silences {
public:
    using Wall = std::chrono::system_clock::time_point;
    using Handle = std::shared_ptr<const Silence>;

    /// What an operator says, in the place of what was said before.
    void set(TargetId id, const std::optional<Silence>& silence, Wall now);
    /// What its definition says: windows as in core/maintenance_window.hpp; one that is none does not count.
    void set_windows(TargetId id, const std::vector<std::string>& windows, Wall now);
    /// Both are nothing from now on.
    void end(TargetId id);
    void erase(TargetId id);

    /// What is in force; null: nothing.
    Handle of(TargetId id) const;

    /// One for which another silence is in force, or none any more, than when it was asked for last. Call until there is none.
    std::optional<TargetId> due(Wall now);
    /// When to ask again.
    std::optional<Wall> next() const;

    struct Change {
        Handle before;
        Handle now;
    };
    /// What has changed since this was asked for the connection before; nothing where nothing has.
    std::optional<Change> untold(TargetId id);
    bool empty() const noexcept { return entries_.empty(); }

private:
    struct Window {
        core::MaintenanceWindow window;
        std::string text;
    };
    struct Entry {
        std::optional<Silence> set;  // by an operator; without one that is over
        std::vector<Window> windows;
        Handle in_force;
        Handle told;
        Wall booked{Wall::max()};  // when it stands on the agenda
    };
    /// @returns whether another one is in force
    bool evaluate(TargetId id, Entry& entry, Wall now);
    void book(TargetId id, Entry& entry, Wall when);

    std::unordered_map<TargetId, Entry> entries_;
    std::set<std::pair<Wall, TargetId>> agenda_;
    Wall asked_{Wall::min()};
};

}  // namespace qconn::monitor
