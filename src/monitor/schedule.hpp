// SPDX-License-Identifier: Apache-2.0
/// When which connection is pinged. Pure: the time is an argument, starting and ending pings is the caller's.
///
/// A hashed timer wheel of two levels holds each target exactly once: waiting for its next ping, or for the deadline of the one under way. Beside
/// it stand two kinds of queues, in order of due time: targets that are due but over the cap in all, and those over the cap of their host.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>

#include "monitor/key_table.hpp"

namespace qconn::monitor {

using TargetId = std::uint32_t;
constexpr TargetId k_no_target = 0xffffffff;

/// How often one connection is pinged. A value type.
struct Pace {
    Clock::duration interval{std::chrono::seconds{30}};       ///< zero: only those asked for
    Clock::duration interval_down{std::chrono::seconds{30}};  ///< the same while it is down
    Clock::duration fast{std::chrono::seconds{2}};
    Clock::duration timeout{std::chrono::seconds{30}};
    Clock::duration slow{0};  ///< a ping that takes longer is slow; zero, or not below timeout: none is

    auto operator<=>(const Pace&) const = default;
};

/// How often pings are made: the pace of a target that has none of its own, and what all share. A value type.
struct Timing : Pace {
    std::size_t max_in_flight{1024};
    std::size_t max_per_host{64};
    /// Pings begun in one turn, so that sockets are read in between.
    std::size_t max_starts{256};
    /// First pings come within this time where the interval is longer.
    Clock::duration first_within{std::chrono::seconds{10}};
    /// A turn that comes this much later than it was asked for is a stall: deadlines that passed meanwhile say nothing about the peers.
    Clock::duration stall{std::chrono::seconds{1}};
};

/// A stable hash, so that a name has the same phase in every run and on every machine.
std::uint64_t stable_hash(std::string_view text) noexcept;

class Schedule {
public:
    /// What is to be done now.
    struct Turn {
        /// Begin a ping of each; answer with finished() later. They count as in flight from here.
        std::vector<TargetId> starts;
        /// The deadline of each has passed: end its ping, and answer with finished().
        std::vector<TargetId> expired;
        /// Each has been in flight for longer than a quick one, and still is.
        std::vector<TargetId> slow;
        /// How much later than it was due one of `starts` begins, at most.
        Clock::duration late{0};
        /// The process did not run when it should have: what expired is not to be held against the peers.
        bool stalled{false};
    };

    explicit Schedule(const Timing& timing);

    const Timing& timing() const noexcept { return timing_; }

    /// Room for so many more.
    void reserve(std::size_t targets) { records_.reserve(records_.size() + targets); }
    /// A new target; it rests. @param hash  stable_hash of its name  @param host  what the cap per host counts; zero: nothing
    TargetId add(std::uint64_t hash, std::uint64_t host);
    /// It may be in flight; then its place is freed at once.
    void remove(TargetId id);
    /// The first regular ping, spread over the interval.
    void begin(TargetId id, Clock::time_point now);
    /// No more pings until begin() or ping_now(); one in flight runs on (finished() then leaves it at rest).
    void rest(TargetId id);
    /// A ping as soon as the caps allow. Nothing where one is in flight, or where there are no regular pings.
    void ping_now(TargetId id, Clock::time_point now);
    /// A ping at once whatever the caps say: the caller begins it now. @returns false where one is in flight already
    bool take(TargetId id, Clock::time_point now);
    /// A ping as soon as the caps allow, but not before the fast time after the start of the last one. Nothing where ping_now() does nothing.
    void ping_soon(TargetId id, Clock::time_point now);
    void set_host(TargetId id, std::uint64_t host);
    /// Zero: it has none.
    std::uint64_t host(TargetId id) const noexcept { return hosts_[records_[id].host].key; }
    /// Targets that there are.
    std::size_t size() const noexcept { return records_.size() - free_records_.size(); }
    /// From now on, also for a ping that is waited for. @param pace  outlives its use; null: that of all  @param slow  it is down
    void set_pace(TargetId id, const Pace* pace, bool slow, Clock::time_point now);

    /// When one that has been pinged is pinged next. Its grid stays as it is.
    enum class Again : std::uint8_t {
        grid,    ///< at the next point of its grid
        slow,    ///< the same by its interval while it is down
        fast,    ///< after the fast time
        spread,  ///< within the interval, at most within k_spread: what comes back after trouble of this machine must not come as one burst. After a
                 ///< stall at the next point of its grid, where that is as soon
    };
    /// Ends the flight of one.
    void finished(TargetId id, Clock::time_point now, Again again);
    bool in_flight(TargetId id) const noexcept { return records_[id].place == k_flying; }
    /// When the ping under way must have ended.
    Clock::time_point deadline(TargetId id) const noexcept { return records_[id].due; }
    std::size_t in_flight() const noexcept { return flying_; }
    /// All that wait for a regular ping get it soon, spread as after a stall.
    void spread_all(Clock::time_point now);
    /// When it is pinged next; nothing while it rests or flies.
    std::optional<Clock::time_point> next(TargetId id) const noexcept;

    /// What is due by now. Calls come in order of time.
    /// @param lag   how much later this call comes than it was asked for
    /// @param turn  overwritten; handed in to spare allocations
    void advance(Clock::time_point now, Clock::duration lag, Turn& turn);
    /// When to call advance() again; the clock's beginning where something can be begun at once; nothing where all rests.
    std::optional<Clock::time_point> wake() const noexcept;

    static constexpr Clock::duration k_tick = std::chrono::milliseconds{5};
    static constexpr Clock::duration k_share = std::chrono::milliseconds{20};
    static constexpr double k_few = 24;  ///< pings in k_share, on average: more are spread as evenly as ticks are
    static constexpr Clock::duration k_spread = std::chrono::seconds{5};

private:
    using List = std::uint32_t;

    static constexpr std::uint32_t k_slots = 4096;        // level 0: 20.5 s in ticks
    static constexpr std::uint32_t k_far_slots = 1024;    // level 1: 5.8 h in turns of level 0; what is later is looked at again
    static constexpr List k_far = k_slots;                // lists of level 1 begin here
    static constexpr List k_ready = k_far + k_far_slots;  // due, to be begun
    static constexpr List k_hosts = k_ready + 1;          // due, but over the cap of host 0, 1, …
    static constexpr List k_nowhere = 0xffffffff;

    enum Place : std::uint8_t { k_resting, k_waiting, k_due, k_flying };

    struct Record {
        const Pace* pace{nullptr};  // null: that of all
        TargetId next{k_no_target};
        TargetId prev{k_no_target};
        Clock::time_point due;      // of the next ping; in flight: its deadline
        Clock::time_point started;  // of the last ping
        List list{k_nowhere};
        std::uint32_t phase{0};  // as a fraction of 2^32 of the interval
        std::uint32_t host{0};   // index of hosts_
        Place place{k_resting};
        bool idle{true};      // no regular pings: rests when its ping has ended
        bool excess{false};   // in flight beside the caps
        bool regular{false};  // due at a point of its grid
        bool quick{false};    // in flight, and not slow so far
        bool stalled{false};  // in flight, and its deadline has passed while the process did not run
    };
    static_assert(sizeof(Record) <= 64);

    struct Host {
        std::uint64_t key{0};
        std::uint32_t targets{0};
        std::uint32_t flying{0};
    };
    struct Ends {
        TargetId first{k_no_target};
        TargetId last{k_no_target};
    };

    std::int64_t tick_of(Clock::time_point when) const noexcept;
    const Pace& pace_of(const Record& record) const noexcept { return record.pace != nullptr ? *record.pace : timing_; }
    /// Points of the grids of all that have this interval are multiples of it: so those which are due together share a wake-up of this process also
    /// where they are few.
    Clock::duration share_of(Clock::duration interval) const noexcept;
    Clock::time_point grid_after(const Record& record, Clock::duration interval, Clock::time_point when) const noexcept;
    void push_back(TargetId id, List list);
    void push_front(TargetId id, List list);
    void unlink(TargetId id) noexcept;
    void arm(TargetId id, Clock::time_point when);
    /// Where the wheel has to look at it next.
    void hang(TargetId id);
    Clock::time_point wheel_time(const Record& record) const noexcept { return record.quick ? record.started + pace_of(record).slow : record.due; }
    Clock::time_point spread_after(const Record& record, Clock::time_point now) const noexcept;
    /// When one that missed its ping is pinged: on its grid where that is soon. A ping beside the grid would come on top of those of others that are
    /// on it, and twice as many as ever would be made until all are on it again.
    Clock::time_point resume_after(const Record& record, Clock::time_point now) const noexcept;
    void set_clock(Clock::time_point now) noexcept;
    bool has_room() const noexcept { return flying_ - excess_ < timing_.max_in_flight; }
    bool host_full(std::uint32_t host) const noexcept { return host != 0 && hosts_[host].flying >= timing_.max_per_host; }
    void make_due(TargetId id);
    void land(TargetId id);
    void admit_from(std::uint32_t host);
    void launch(TargetId id, Clock::time_point now, bool excess);
    void start_ready(Clock::time_point now, Turn& turn);
    void pass_slot(std::int64_t tick, Clock::time_point now, Turn& turn);
    void cascade(std::int64_t tick);
    /// Takes all out of a list of the wheel and gives each to `work`, which may put it into the same list again: for a whole turn later.
    template <class Work>
    void empty(List list, Work&& work);
    std::int64_t next_filled(List level, std::uint32_t size, std::int64_t from, std::int64_t to) const noexcept;
    std::uint32_t enter_host(std::uint64_t key);
    void leave_host(std::uint32_t index);

    Timing timing_;
    std::vector<Record> records_;
    std::vector<TargetId> free_records_;
    std::vector<Host> hosts_;  // 0: those without a host
    std::vector<std::uint32_t> free_hosts_;
    KeyTable host_of_;
    std::vector<Ends> lists_;
    std::array<std::uint64_t, (k_slots + k_far_slots) / 64> filled_{};  // a bit for each list of the wheel that is not empty
    std::int64_t tick_{0};                                              // all ticks before it have been passed
    std::size_t flying_{0};
    std::size_t excess_{0};
    bool started_{false};
};

}  // namespace qconn::monitor
