// SPDX-License-Identifier: Apache-2.0
#include "monitor/history.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/text.hpp"

namespace qconn::monitor {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// ---- latencies ---------------------------------------------------------------------------------------------------------------------------

namespace {
constexpr int k_lowest_octave = 8;  // 2^8 us
}

std::size_t RecentLatencies::bucket_of(nanoseconds took) noexcept {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(std::chrono::duration_cast<microseconds>(took).count(), 0));
    const int octave = static_cast<int>(std::bit_width(us)) - 1 - k_lowest_octave;
    if (octave < 0) return 0;
    const std::size_t quarter = (us >> static_cast<unsigned>(octave + k_lowest_octave - 2)) & 3U;
    return std::min(static_cast<std::size_t>(octave) * 4 + quarter, k_buckets - 1);
}

nanoseconds RecentLatencies::middle(std::size_t bucket) noexcept {
    const std::int64_t quarter = (std::int64_t{1} << (bucket / 4 + k_lowest_octave)) * 1000 / 4;
    const std::int64_t from = quarter * (4 + static_cast<std::int64_t>(bucket % 4));
    return nanoseconds{from + quarter / 2};
}

void RecentLatencies::age(Minutes began) {
    const bool follows = began == began_ + k_half;
    longest_before_ = follows ? longest_ : 0;
    longest_ = 0;
    began_ = began;
    if (all_) {
        for (Counts& one : *all_) one = {0, follows ? one.now : 0};
        return;
    }
    std::uint8_t kept = 0;
    for (std::uint8_t i = 0; i < used_ && follows; ++i) {
        if (now_[i] == 0) continue;
        bucket_[kept] = bucket_[i];
        before_[kept++] = now_[i];
    }
    used_ = kept;
    now_ = {};
}

void RecentLatencies::spill() {
    all_ = std::make_unique<All>();
    for (std::uint8_t i = 0; i < used_; ++i) (*all_)[bucket_[i]] = {now_[i], before_[i]};
}

void RecentLatencies::add(nanoseconds took, HistoryTime now) {
    const auto half = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()) / k_half * k_half;
    if (const Minutes began{static_cast<std::uint32_t>(half.count())}; began != began_) age(began);
    const auto us = std::chrono::ceil<microseconds>(took).count();
    longest_ = std::max(longest_, static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, std::numeric_limits<std::uint32_t>::max())));

    const auto bucket = static_cast<std::uint8_t>(bucket_of(took));
    if (!all_) {
        const auto i = static_cast<std::uint8_t>(std::find(bucket_.begin(), bucket_.begin() + used_, bucket) - bucket_.begin());
        if (i == used_ && used_ < k_inside) {
            bucket_[used_] = bucket;
            now_[used_] = before_[used_] = 0;
            ++used_;
        }
        if (i < used_ && now_[i] < std::numeric_limits<std::uint16_t>::max()) {
            ++now_[i];
            return;
        }
        spill();
    }
    ++(*all_)[bucket].now;
}

Latencies RecentLatencies::read(HistoryTime now) const {
    const auto age = now.time_since_epoch() - began_;
    const bool with_now = age < 2 * k_half;
    const bool with_before = age < k_half;

    Latencies read;
    std::array<std::uint64_t, k_buckets> counts{};
    const auto count = [&](std::size_t bucket, std::uint32_t of_now, std::uint32_t of_before) {
        counts[bucket] = (with_now ? of_now : 0) + (with_before ? of_before : 0);
        read.pings += counts[bucket];
    };
    if (all_) {
        for (std::size_t i = 0; i < k_buckets; ++i) count(i, (*all_)[i].now, (*all_)[i].before);
    } else {
        for (std::uint8_t i = 0; i < used_; ++i) count(bucket_[i], now_[i], before_[i]);
    }
    read.longest = microseconds{std::max(with_now ? longest_ : 0, with_before ? longest_before_ : 0)};
    if (read.pings == 0) return read;
    const auto percentile = [&](std::uint64_t percent) {
        const std::uint64_t rank = (read.pings * percent + 99) / 100;
        std::uint64_t seen = 0;
        std::size_t bucket = 0;
        while ((seen += counts[bucket]) < rank) ++bucket;
        return bucket + 1 == counts.size() ? read.longest : std::min(middle(bucket), read.longest);
    };
    read.p50 = percentile(50);
    read.p90 = percentile(90);
    read.p99 = percentile(99);
    return read;
}

// ---- time up and down --------------------------------------------------------------------------------------------------------------------

namespace {

milliseconds& of(Availability& one, Account account) { return account == Account::up ? one.up : one.down; }

/// Up and down in each of the latest parts of time, in units of a hundredth of a second or more that fit 16 bits.
template <std::size_t Parts, std::int64_t Width, std::int64_t Unit>  // both in milliseconds
class Parted {
public:
    static_assert(Width % Unit == 0 && Width / Unit <= std::numeric_limits<std::uint16_t>::max());

    /// Where the window begins that ends now.
    static HistoryTime window(HistoryTime now) { return HistoryTime{milliseconds{(number(now) - static_cast<std::int64_t>(Parts) + 1) * Width}}; }

    void add(Account account, HistoryTime from, HistoryTime to) {
        reach(number(to));
        from = std::max(from, window(HistoryTime{milliseconds{newest_ * Width}}));
        while (from < to) {
            const std::int64_t part = number(from);
            const HistoryTime end = std::min(to, HistoryTime{milliseconds{(part + 1) * Width}});
            // By the units that have begun, so that nothing is lost between the end of one and the beginning of the next.
            auto& units = (account == Account::up ? up_ : down_)[slot(part)];
            units = static_cast<std::uint16_t>(std::min(units + (units_of(end) - units_of(from)), Width / Unit));
            from = end;
        }
    }
    void sum(HistoryTime now, Availability& into) const {
        for_each([&](std::int64_t part, std::int64_t up, std::int64_t down) {
            if (part * Width < window(now).time_since_epoch().count()) return;
            into.up += milliseconds{up * Unit};
            into.down += milliseconds{down * Unit};
        });
    }
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (std::int64_t part = newest_ - static_cast<std::int64_t>(Parts) + 1; part <= newest_; ++part)
            if (part >= 0 && (up_[slot(part)] != 0 || down_[slot(part)] != 0))
                visit(part, std::int64_t{up_[slot(part)]}, std::int64_t{down_[slot(part)]});
    }
    /// @param now  what is later is left out
    void set(std::int64_t part, std::int64_t up, std::int64_t down, HistoryTime now) {
        const auto fits = [](std::int64_t units) { return units >= 0 && units <= Width / Unit; };
        if (part < 0 || part > number(now) || !fits(up) || !fits(down)) return;
        reach(part);
        if (part <= newest_ - static_cast<std::int64_t>(Parts)) return;
        up_[slot(part)] = static_cast<std::uint16_t>(up);
        down_[slot(part)] = static_cast<std::uint16_t>(down);
    }

private:
    static std::int64_t number(HistoryTime time) { return std::max<std::int64_t>(time.time_since_epoch().count(), 0) / Width; }
    static std::int64_t units_of(HistoryTime time) { return time.time_since_epoch().count() / Unit; }
    static std::size_t slot(std::int64_t part) { return static_cast<std::size_t>(part) % Parts; }
    void reach(std::int64_t part) {
        for (std::int64_t next = std::max(newest_ + 1, part - static_cast<std::int64_t>(Parts) + 1); next <= part; ++next)
            up_[slot(next)] = down_[slot(next)] = 0;
        newest_ = std::max(newest_, part);
    }

    std::int64_t newest_{0};
    std::array<std::uint16_t, Parts> up_{};
    std::array<std::uint16_t, Parts> down_{};
};

using LastHour = Parted<13, 5 * 60 * 1000, 10>;
using LastDay = Parted<25, 3600 * 1000, 100>;

void add_overlap(Account account, HistoryTime from, HistoryTime to, HistoryTime window, Availability& into) {
    if (account != Account::none && to > std::max(from, window)) of(into, account) += to - std::max(from, window);
}

}  // namespace

struct UpTime::Ledger {
    LastHour minutes;
    LastDay hours;
    Availability total;
};

void UpTime::Destroy::operator()(Ledger* ledger) const noexcept { delete ledger; }

UpTime::Ledger& UpTime::ledger() {
    if (!ledger_) ledger_.reset(new Ledger{});
    return *ledger_;
}

void UpTime::book(Account account, HistoryTime from, HistoryTime to) {
    Ledger& all = ledger();
    of(all.total, account) += to - from;
    all.minutes.add(account, from, to);
    all.hours.add(account, from, to);
}

void UpTime::turn(Account account, HistoryTime now) {
    if (account == account_) return;
    const HistoryTime from = std::exchange(since_, now);
    const Account before = std::exchange(account_, account);
    if (before == Account::none || from >= now) return;
    if (before == Account::up && !ledger_ && first_from_ == first_to_) {
        first_from_ = from;
        first_to_ = now;
        return;
    }
    if (first_from_ != first_to_) book(Account::up, first_from_, first_to_);
    first_from_ = first_to_ = {};
    book(before, from, now);
}

UpTime::Sums UpTime::sums(HistoryTime now) const {
    Sums sums;
    if (ledger_) {
        ledger_->minutes.sum(now, sums.last_hour);
        ledger_->hours.sum(now, sums.last_day);
        sums.total = ledger_->total;
    }
    const auto add = [&](Account account, HistoryTime from, HistoryTime to) {
        add_overlap(account, from, to, LastHour::window(now), sums.last_hour);
        add_overlap(account, from, to, LastDay::window(now), sums.last_day);
        add_overlap(account, from, to, from, sums.total);
    };
    add(Account::up, first_from_, first_to_);
    add(account_, since_, now);
    return sums;
}

UpTime::Kept UpTime::keep(HistoryTime now) const {
    // Closed in a copy.
    UpTime closed{now};
    closed.since_ = since_;
    closed.account_ = account_;
    closed.first_from_ = first_from_;
    closed.first_to_ = first_to_;
    if (ledger_) closed.ledger_.reset(new Ledger{*ledger_});
    closed.turn(Account::none, now);

    Kept kept;
    kept.began = closed.first_from_;
    kept.ended = closed.first_to_;
    if (!closed.ledger_) return kept;
    kept.total = closed.ledger_->total;
    const auto put = [&](std::int64_t part, std::int64_t up, std::int64_t down) { kept.parts.insert(kept.parts.end(), {part, up, down}); };
    closed.ledger_->minutes.for_each(put);
    kept.minutes = kept.parts.size();
    closed.ledger_->hours.for_each(put);
    return kept;
}

UpTime::UpTime(const Kept& kept, HistoryTime now) : since_{now} {
    if (const HistoryTime ended = std::min(kept.ended, now); kept.began < ended && kept.began.time_since_epoch().count() >= 0) {
        first_from_ = kept.began;
        first_to_ = ended;
    }
    if (kept.total.up.count() <= 0 && kept.total.down.count() <= 0) return;
    ledger().total = kept.total;
    for (std::size_t i = 0; i + 2 < kept.parts.size(); i += 3) {
        if (i < kept.minutes)
            ledger_->minutes.set(kept.parts[i], kept.parts[i + 1], kept.parts[i + 2], now);
        else
            ledger_->hours.set(kept.parts[i], kept.parts[i + 1], kept.parts[i + 2], now);
    }
}

// ---- all of it ---------------------------------------------------------------------------------------------------------------------------

History::History(const ConnectionHistory& before, const UpTime::Kept& kept, HistoryTime now)
    : since_{std::chrono::floor<milliseconds>(before.since)}, up_time_{kept, now} {
    downs_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(before.downs, std::numeric_limits<std::uint32_t>::max()));
    for (const PastOutage& one : before.outages) went_down(one), --downs_;
}

void History::pinged(PingOutcome outcome, nanoseconds took, HistoryTime now) {
    failed_ = failed_ << 1U | (outcome == PingOutcome::failed ? 1U : 0U);
    doubtful_ = doubtful_ << 1U | (outcome == PingOutcome::inconclusive ? 1U : 0U);
    if (pings_ < k_pings) ++pings_;
    if (outcome == PingOutcome::ok) latencies_.add(took, now);
}

void History::stands(ConnectionState state, bool counted, HistoryTime now) {
    const bool up = state == ConnectionState::up || state == ConnectionState::failing;
    const bool down = state == ConnectionState::down;
    up_time_.turn(!counted || (!up && !down) ? Account::none : up ? Account::up : Account::down, now);
}

void History::went_down(PastOutage outage) {
    ++downs_;
    if (!outages_) outages_ = std::make_unique<std::vector<PastOutage>>();
    outage.error = text::shorten(outage.error, k_text);
    outages_->push_back(std::move(outage));
    if (outages_->size() > k_outages) outages_->erase(outages_->begin());
}

void History::regrouped(std::uint64_t outage, OutageKind kind, std::string cause) {
    if (!outages_ || outages_->empty()) return;
    PastOutage& last = outages_->back();
    last.outage = outage;
    last.kind = kind;
    last.cause = std::move(cause);
}

void History::came_back(std::chrono::system_clock::time_point when) {
    if (outages_ && !outages_->empty() && outages_->back().ended == std::chrono::system_clock::time_point{})
        outages_->back().ended = std::max(when, outages_->back().began);
}

ConnectionHistory History::read(HistoryTime now) const {
    ConnectionHistory read;
    for (std::uint8_t i = pings_; i-- > 0;)
        read.pings.push_back((failed_ >> i & 1U) != 0     ? PingOutcome::failed
                             : (doubtful_ >> i & 1U) != 0 ? PingOutcome::inconclusive
                                                          : PingOutcome::ok);
    read.latencies = latencies_.read(now);
    const UpTime::Sums sums = up_time_.sums(now);
    read.last_hour = sums.last_hour;
    read.last_day = sums.last_day;
    read.total = sums.total;
    read.since = since_;
    read.downs = downs_;
    if (outages_) read.outages = *outages_;
    return read;
}

}  // namespace qconn::monitor
