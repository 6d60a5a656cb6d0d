// SPDX-License-Identifier: Apache-2.0
/// Connections that are down, by what they have in common. Pure: the time is an argument, telling is the caller's.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/monitor/outage.hpp>

#include "monitor/schedule.hpp"

namespace qconn::monitor {

struct Cause {
    OutageKind kind{OutageKind::peer};
    std::string key;
    /// What tells two of one kind and key apart, for which different things are to be done. Of certificates and host keys: an expired one is another
    /// outage than one that some do not know.
    std::string fault{};

    auto operator<=>(const Cause&) const = default;
};

/// What a connection may share with others.
struct Whereabouts {
    std::string host;  ///< "host:port"; may be empty
    std::string proxy;
    std::vector<std::string> via;
};

/// For a file.
struct KeptOutage {
    Outage outage;
    bool told{false};
};

/// Phase, reason and name of a failure. @param error  its name, alone or before its words
std::string fault_of(Phase phase, Reason reason, std::string_view error);
/// What is at fault, as far as one failure tells.
Cause cause_of(const std::string& name, const Error* error, const Whereabouts& where);

/// One that is down, with what it may share.
struct Stranded {
    std::string name;
    std::optional<Error> error;
    Whereabouts where;
};
/// Those that are down at one time, by cause: the largest first, then by kind and key.
std::vector<OutageGroup> group_by_cause(const std::vector<Stranded>& down);

/// @note One thread at a time, the loop's; but for list().
class Outages {
public:
    /// One is told when nobody has joined it for so long, so that those that go down together are told together.
    static constexpr Clock::duration k_gather = std::chrono::seconds{1};
    /// At the latest so long after the first, however many still come.
    static constexpr Clock::duration k_gather_most = std::chrono::seconds{10};

    struct Joined {
        std::uint64_t id;
        bool is_first;
    };
    /// @param silenced  the connection is
    Joined join(TargetId id, Cause cause, const Error* error, Clock::time_point now, std::chrono::system_clock::time_point wall,
                bool silenced = false);

    struct Left {
        Outage outage;
        std::optional<TargetId> other;  ///< one that is still in it
        bool is_over;
        bool was_told;
        bool was_silenced;  ///< the one that has left
    };
    /// Nothing where it is in none.
    std::optional<Left> leave(TargetId id);

    /// A connection is silenced now, or no more. @returns whether it is in an outage
    bool set_silenced(TargetId id, bool yes);
    struct Bearer {
        TargetId before;  ///< may have left
        TargetId now;
        bool silenced;  ///< all of its connections are
    };
    /// Whose name the alert of this one's outage is to bear: the same as before while that is in it, but one that is not silenced where there is one.
    Bearer choose_bearer(TargetId member);
    /// As chosen last.
    TargetId bearer(TargetId member) const { return of_.at(member)->second.bearer; }
    /// It was in this one in an earlier run. @returns the number of the outage
    std::uint64_t resume(TargetId id, const KeptOutage& before, bool silenced);
    /// The alert of its outage has its name, whoever had it before.
    void bear(TargetId member) { of_.at(member)->second.bearer = member; }
    /// Numbers up to this one were given in an earlier run.
    void go_on_after(std::uint64_t id) noexcept { last_id_ = std::max<std::uint64_t>(last_id_, id); }
    bool contains(std::uint64_t outage) const noexcept;
    /// One that is in it.
    std::optional<TargetId> any_of(std::uint64_t outage) const noexcept;

    /// The one it is in; zero: none.
    std::uint64_t of(TargetId id) const noexcept;
    const Cause* cause_of(TargetId id) const noexcept;

    struct Due {
        Outage outage;
        std::vector<TargetId> members;
        bool silenced;  ///< all of them are
    };
    /// One that has more than one member and is not told yet, and will not grow any more at once. Call until there is none.
    std::optional<Due> due(Clock::time_point now);
    /// When to ask again.
    std::optional<Clock::time_point> next() const;

    /// Shows readers what has changed. @returns false where one is reading: try again in a moment
    bool flush();
    /// Any thread. In the order in which they began.
    std::vector<Outage> list() const;
    /// Any thread. Likewise, for a file.
    std::vector<KeptOutage> kept() const;
    std::uint64_t last_id() const noexcept { return last_id_; }

private:
    struct Group {
        Outage outage;
        std::set<std::pair<bool, TargetId>> members;  // whether it is silenced: those that are not come first
        TargetId bearer{k_no_target};
        bool told{false};
        Clock::time_point began;     // the gathering
        Clock::time_point gathered;  // when it ends
    };
    using Groups = std::map<Cause, Group>;

    Groups groups_;
    std::unordered_map<TargetId, Groups::iterator> of_;
    std::set<std::pair<Clock::time_point, Cause>> untold_;  // those with one member too: the time is when they are gathered
    std::atomic<std::uint64_t> last_id_{0};                 // written by the loop's thread
    bool dirty_{false};

    mutable std::mutex mutex_;
    std::vector<KeptOutage> shown_;  // guarded by mutex_
};

}  // namespace qconn::monitor
