// SPDX-License-Identifier: Apache-2.0
/// What a reload would do: the difference between what is loaded and what files say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/core/diagnostic.hpp>
#include <qconn/core/registry.hpp>

namespace qconn {

/// What Registry::plan found. A value type; sensitive values are masked, so `before` and `after` can look the same.
struct Plan {
    enum class Effect : std::uint8_t { updated, added, removed };

    /// One thing about a connection that changes. Null: it was or will not be given.
    struct Change {
        /// "url", "desc", "enabled", "tags" …, or "options.NAME".
        std::string what;
        Value before;
        Value after;
    };

    /// What a file says about a connection and what does not count, because code or an operator has set it otherwise.
    struct Override {
        /// "definition", "enabled", "monitored", "locked", "debug_data", "tags", or an option of core/monitoring.hpp ("options.ping_interval").
        std::string what;
        /// Null for "definition", and for an option that the file does not give.
        Value in_file;
        Value in_use;
    };

    struct Connection {
        std::string name;
        Effect effect{Effect::updated};
        /// Its client and its pings are made anew; otherwise only texts, settings or its state change.
        bool reconnects{false};
        /// Of one that is added the same as afterwards.
        Validity validity_before{Validity::valid};
        Validity validity_after{Validity::valid};
        /// Why it will be stale or invalid.
        std::string problem;
        std::vector<Change> changes;

        /// It can be used now, and not as its file will have it.
        bool breaks() const noexcept {
            return effect != Effect::removed && validity_after != Validity::valid && (effect == Effect::added || validity_before == Validity::valid);
        }
        /// It will be disabled, or cannot be used any more at all: a monitor stops what requires it (Monitor::impact). Nothing else that a reload
        /// does stops an interface: one that goes down at a new address stops its dependents when its pings say so, one that is removed is in
        /// nobody's way, and a stale one is used on.
        bool stops_dependents() const noexcept {
            if (effect != Effect::updated) return false;
            if (validity_before != Validity::invalid && validity_after == Validity::invalid) return true;
            for (const Change& change : changes)
                if (change.what == "enabled" && change.after.is_bool() && !change.after.as_bool()) return true;
            return false;
        }
    };

    /// Those that something happens to, by name.
    std::vector<Connection> connections;
    /// By name.
    struct Kept {
        std::string name;
        std::vector<Override> overrides;
    };
    std::vector<Kept> kept;
    std::size_t files{0};
    /// Of these, those whose text was read: as a reload, a plan of what is loaded leaves out files that are known to be what they were.
    std::size_t read{0};
    /// Connections of files that stay as they are.
    std::size_t unchanged{0};
    /// All findings in the files, in order of file, then place.
    Diagnostics diagnostics;

    bool empty() const noexcept { return connections.empty(); }
    bool breaks() const noexcept {
        for (const Connection& connection : connections)
            if (connection.breaks()) return true;
        return false;
    }
};

}  // namespace qconn
