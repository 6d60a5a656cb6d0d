// SPDX-License-Identifier: Apache-2.0
/// What is remembered of one connection, in 150 bytes while nothing goes wrong with it. Pure: the time is an argument.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <qconn/monitor/event.hpp>
#include <qconn/monitor/history.hpp>

namespace qconn::monitor {

/// The time of histories: that of the wall clock when the monitor was made, and steady from there on. So hours are the same hours in the next run of
/// the program, and a clock that is set makes no time up or down.
using HistoryTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// The latencies of the last half hour to hour: how often which was seen in this half hour and in the one before. Four buckets to an octave, from 256
/// us to 16.8 s, with what is beyond in the outermost. A peer's latencies mostly lie within a factor of four: eight buckets are held inside.
class RecentLatencies {
public:
    static constexpr std::chrono::minutes k_half{30};
    static constexpr std::size_t k_buckets = 64;
    static constexpr std::size_t k_inside = 8;

    void add(std::chrono::nanoseconds took, HistoryTime now);
    Latencies read(HistoryTime now) const;

    static std::size_t bucket_of(std::chrono::nanoseconds took) noexcept;
    /// What all of a bucket are within an eighth of.
    static std::chrono::nanoseconds middle(std::size_t bucket) noexcept;

private:
    using Minutes = std::chrono::duration<std::uint32_t, std::ratio<60>>;
    struct Counts {
        std::uint32_t now{0};
        std::uint32_t before{0};
    };
    using All = std::array<Counts, k_buckets>;

    void age(Minutes began);
    void spill();

    // The buckets that have something, in no order; unused once there is all_.
    std::array<std::uint16_t, k_inside> now_{};
    std::array<std::uint16_t, k_inside> before_{};
    std::array<std::uint8_t, k_inside> bucket_{};
    std::uint8_t used_{0};
    Minutes began_{0};                 // this half hour
    std::uint32_t longest_{0};         // in it: microseconds, rounded up
    std::uint32_t longest_before_{0};  // likewise
    std::unique_ptr<All> all_;
};

/// Which account time goes into.
enum class Account : std::uint8_t { none, up, down };

/// How long it was up and down. An account of small numbers is made once there is more to remember than one time in which it was up.
class UpTime {
public:
    explicit UpTime(HistoryTime now) noexcept : since_{now} {}

    /// From now on time goes into that account.
    void turn(Account account, HistoryTime now);
    Account account() const noexcept { return account_; }

    struct Sums {
        Availability last_hour;
        Availability last_day;
        Availability total;
    };
    Sums sums(HistoryTime now) const;

    /// All of it as numbers, for a file: what went before `now`.
    struct Kept {
        HistoryTime began{};  ///< one time in which it was up; began == ended: none
        HistoryTime ended{};
        Availability total{};             ///< beside that
        std::vector<std::int64_t> parts;  ///< of total: of the last hour, then of the last day: number of the part, up, down
        std::size_t minutes{0};           ///< how many of these numbers are of the last hour
    };
    Kept keep(HistoryTime now) const;
    /// What is not from before `now` is left out.
    UpTime(const Kept& kept, HistoryTime now);

    UpTime(UpTime&&) noexcept = default;
    UpTime& operator=(UpTime&&) noexcept = default;

private:
    struct Ledger;
    struct Destroy {
        void operator()(Ledger* ledger) const noexcept;
    };
    Ledger& ledger();
    void book(Account account, HistoryTime from, HistoryTime to);

    HistoryTime since_;         // of the account
    HistoryTime first_from_{};  // the one time that is in no ledger; equal: none
    HistoryTime first_to_{};
    std::unique_ptr<Ledger, Destroy> ledger_;
    Account account_{Account::none};
};

class History {
public:
    static constexpr std::size_t k_pings = 64;
    static constexpr std::size_t k_outages = 16;
    static constexpr std::size_t k_text = 1000;  ///< of an error, in bytes

    explicit History(HistoryTime now) noexcept : since_{now}, up_time_{now} {}
    /// What was remembered before, as far as it goes on.
    History(const ConnectionHistory& before, const UpTime::Kept& kept, HistoryTime now);

    void pinged(PingOutcome outcome, std::chrono::nanoseconds took, HistoryTime now);
    /// @param counted  false: this time is in no account, as in maintenance, or while nothing is watched
    void stands(ConnectionState state, bool counted, HistoryTime now);
    void went_down(PastOutage outage);
    /// It is down for another cause than was found at first.
    void regrouped(std::uint64_t outage, OutageKind kind, std::string cause);
    void came_back(std::chrono::system_clock::time_point when);

    /// All but the name.
    ConnectionHistory read(HistoryTime now) const;
    UpTime::Kept keep(HistoryTime now) const { return up_time_.keep(now); }

private:
    HistoryTime since_;
    UpTime up_time_;
    RecentLatencies latencies_;
    std::uint64_t failed_{0};    // the latest pings, a bit each, the latest lowest
    std::uint64_t doubtful_{0};  // likewise
    std::unique_ptr<std::vector<PastOutage>> outages_;
    std::uint32_t downs_{0};
    std::uint8_t pings_{0};  // how many of the bits are pings
};
static_assert(sizeof(History) <= 152);

}  // namespace qconn::monitor
