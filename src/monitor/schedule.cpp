// SPDX-License-Identifier: Apache-2.0
#include "monitor/schedule.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace qconn::monitor {

std::uint64_t stable_hash(std::string_view text) noexcept {
    // FNV-1a, then the finalizer of splitmix64: names that differ in their last digit get phases far apart.
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    return hash ^ (hash >> 31);
}

namespace {

Clock::duration fraction_of(Clock::duration whole, std::uint32_t fraction) noexcept {
    return Clock::duration{static_cast<Clock::duration::rep>(static_cast<double>(whole.count()) * (static_cast<double>(fraction) / 4294967296.0))};
}

}  // namespace

Schedule::Schedule(const Timing& timing) : timing_{timing}, hosts_(1), lists_(k_hosts + 1) {}

std::int64_t Schedule::tick_of(Clock::time_point when) const noexcept {
    const auto ticks = when.time_since_epoch() / k_tick;
    return when.time_since_epoch() % k_tick == Clock::duration::zero() ? ticks : ticks + 1;
}

void Schedule::set_clock(Clock::time_point now) noexcept {
    if (started_) return;
    tick_ = tick_of(now);
    started_ = true;
}

Clock::duration Schedule::share_of(Clock::duration interval) const noexcept {
    const auto share = std::min<Clock::duration>(interval / 50, k_share);
    return static_cast<double>(size()) * static_cast<double>(share.count()) <= k_few * static_cast<double>(interval.count()) ? share : k_tick;
}

Clock::time_point Schedule::grid_after(const Record& record, Clock::duration interval, Clock::time_point when) const noexcept {
    const auto phase = fraction_of(interval, record.phase);
    const auto past = when.time_since_epoch() - (phase - phase % std::max<Clock::duration>(share_of(interval), k_tick));
    auto rounds = past / interval;
    if (past % interval < Clock::duration::zero()) --rounds;
    return when - (past - rounds * interval) + interval;
}

Clock::time_point Schedule::spread_after(const Record& record, Clock::time_point now) const noexcept {
    return now + k_tick + fraction_of(std::min(pace_of(record).interval, k_spread), record.phase);
}

Clock::time_point Schedule::resume_after(const Record& record, Clock::time_point now) const noexcept {
    const auto interval = pace_of(record).interval;
    return interval <= k_spread ? grid_after(record, interval, now) : spread_after(record, now);
}

// ---- lists -------------------------------------------------------------------------------------------------------------------------------

void Schedule::push_back(TargetId id, List list) {
    Ends& ends = lists_[list];
    Record& record = records_[id];
    record.list = list;
    record.next = k_no_target;
    record.prev = ends.last;
    (ends.last == k_no_target ? ends.first : records_[ends.last].next) = id;
    ends.last = id;
    if (list < k_ready) filled_[list / 64] |= std::uint64_t{1} << (list % 64);
}

void Schedule::push_front(TargetId id, List list) {
    Ends& ends = lists_[list];
    Record& record = records_[id];
    record.list = list;
    record.prev = k_no_target;
    record.next = ends.first;
    (ends.first == k_no_target ? ends.last : records_[ends.first].prev) = id;
    ends.first = id;
}

void Schedule::unlink(TargetId id) noexcept {
    Record& record = records_[id];
    if (record.list == k_nowhere) return;
    Ends& ends = lists_[record.list];
    (record.prev == k_no_target ? ends.first : records_[record.prev].next) = record.next;
    (record.next == k_no_target ? ends.last : records_[record.next].prev) = record.prev;
    if (record.list < k_ready && ends.first == k_no_target) filled_[record.list / 64] &= ~(std::uint64_t{1} << (record.list % 64));
    record.list = k_nowhere;
    record.next = record.prev = k_no_target;
}

void Schedule::arm(TargetId id, Clock::time_point when) {
    records_[id].due = when;
    hang(id);
}

void Schedule::hang(TargetId id) {
    const std::int64_t tick = std::max(tick_of(wheel_time(records_[id])), tick_);
    if (tick - tick_ < k_slots) {
        push_back(id, static_cast<List>(tick % k_slots));
        return;
    }
    const std::int64_t round = std::min(tick / k_slots, tick_ / k_slots + k_far_slots - 1);
    push_back(id, k_far + static_cast<List>(round % k_far_slots));
}

// ---- hosts -------------------------------------------------------------------------------------------------------------------------------

std::uint32_t Schedule::enter_host(std::uint64_t key) {
    if (key == 0) return 0;
    const auto key_of = [this](std::uint32_t index) { return hosts_[index].key; };
    std::uint32_t host = host_of_.find(key, key_of);
    if (host == KeyTable::k_none) {
        if (free_hosts_.empty()) {
            host = static_cast<std::uint32_t>(hosts_.size());
            hosts_.emplace_back();
            lists_.emplace_back();
        } else {
            host = free_hosts_.back();
            free_hosts_.pop_back();
        }
        hosts_[host] = {key, 0, 0};
        host_of_.insert(host, key_of);
    }
    ++hosts_[host].targets;
    return host;
}

void Schedule::leave_host(std::uint32_t index) {
    if (index == 0 || --hosts_[index].targets > 0) return;
    host_of_.erase(hosts_[index].key, [this](std::uint32_t other) { return hosts_[other].key; });
    free_hosts_.push_back(index);
}

void Schedule::set_host(TargetId id, std::uint64_t host) {
    Record& record = records_[id];
    if (hosts_[record.host].key == host) return;
    const bool due = record.place == k_due;
    const bool flying = record.place == k_flying;
    if (due) unlink(id);
    if (flying && record.host != 0) --hosts_[record.host].flying;
    const std::uint32_t former = record.host;
    record.host = enter_host(host);
    if (flying && record.host != 0) ++hosts_[record.host].flying;
    if (due) make_due(id);
    admit_from(former);
    leave_host(former);
}

void Schedule::set_pace(TargetId id, const Pace* pace, bool slow, Clock::time_point now) {
    Record& record = records_[id];
    record.pace = pace;
    const auto interval = slow ? pace_of(record).interval_down : pace_of(record).interval;
    if (interval <= Clock::duration::zero()) return rest(id);
    if (record.place != k_waiting) return;
    unlink(id);
    arm(id, record.regular ? grid_after(record, interval, now) : std::min(record.due, grid_after(record, interval, now)));
}

// ---- targets -----------------------------------------------------------------------------------------------------------------------------

TargetId Schedule::add(std::uint64_t hash, std::uint64_t host) {
    TargetId id;
    if (free_records_.empty()) {
        id = static_cast<TargetId>(records_.size());
        records_.emplace_back();
    } else {
        id = free_records_.back();
        free_records_.pop_back();
        records_[id] = {};
    }
    records_[id].phase = static_cast<std::uint32_t>(hash >> 32);
    records_[id].host = enter_host(host);
    return id;
}

void Schedule::remove(TargetId id) {
    unlink(id);
    if (records_[id].place == k_flying) land(id);
    if (records_[id].place == k_due) admit_from(records_[id].host);
    leave_host(records_[id].host);
    records_[id].place = k_resting;
    free_records_.push_back(id);
}

void Schedule::begin(TargetId id, Clock::time_point now) {
    Record& record = records_[id];
    set_clock(now);
    if (pace_of(record).interval <= Clock::duration::zero() || !record.idle) return;
    record.idle = false;
    if (record.place != k_resting) return;
    record.place = k_waiting;
    record.regular = true;
    const auto interval = pace_of(record).interval;
    // On its grid at once, where that comes soon: what is beside it comes on top of the pings of those that are on it.
    arm(id, interval <= timing_.first_within ? grid_after(record, interval, now) : now + fraction_of(timing_.first_within, record.phase));
}

void Schedule::rest(TargetId id) {
    Record& record = records_[id];
    record.idle = true;
    if (record.place == k_flying) return;
    unlink(id);
    // Its place may have been the one that was given to it from its host's queue.
    if (record.place == k_due) admit_from(record.host);
    record.place = k_resting;
}

void Schedule::make_due(TargetId id) {
    Record& record = records_[id];
    record.place = k_due;
    push_back(id, host_full(record.host) ? k_hosts + record.host : k_ready);
}

void Schedule::ping_now(TargetId id, Clock::time_point now) {
    Record& record = records_[id];
    set_clock(now);
    if (record.idle || record.place == k_flying || record.place == k_due) return;
    unlink(id);
    record.due = now;
    record.regular = false;
    make_due(id);
}

void Schedule::ping_soon(TargetId id, Clock::time_point now) {
    Record& record = records_[id];
    if (record.idle || record.place == k_flying || record.place == k_due) return;
    const auto when = record.started + pace_of(record).fast;
    if (when <= now) return ping_now(id, now);
    if (when >= record.due) return;
    unlink(id);
    record.regular = false;
    arm(id, when);
}

bool Schedule::take(TargetId id, Clock::time_point now) {
    set_clock(now);
    if (records_[id].place == k_flying) return false;
    unlink(id);
    launch(id, now, true);
    return true;
}

void Schedule::launch(TargetId id, Clock::time_point now, bool excess) {
    Record& record = records_[id];
    record.place = k_flying;
    record.excess = excess;
    record.started = now;
    ++flying_;
    if (excess) ++excess_;
    if (record.host != 0) ++hosts_[record.host].flying;
    const Pace& pace = pace_of(record);
    record.quick = pace.slow > Clock::duration::zero() && pace.slow < pace.timeout;
    record.stalled = false;
    arm(id, now + pace.timeout);
}

void Schedule::land(TargetId id) {
    Record& record = records_[id];
    --flying_;
    if (record.excess) --excess_;
    record.excess = false;
    record.quick = false;
    record.place = k_resting;
    if (record.host == 0) return;
    --hosts_[record.host].flying;
    admit_from(record.host);
}

void Schedule::admit_from(std::uint32_t host) {
    const TargetId waiting = lists_[k_hosts + host].first;
    if (host == 0 || waiting == k_no_target || host_full(host)) return;
    // It has waited longer than what is ready.
    unlink(waiting);
    push_front(waiting, k_ready);
}

void Schedule::finished(TargetId id, Clock::time_point now, Again again) {
    Record& record = records_[id];
    if (record.place != k_flying) return;
    unlink(id);
    land(id);
    if (record.idle) return;
    record.place = k_waiting;
    record.regular = again == Again::grid || again == Again::slow;
    if (again == Again::spread) return arm(id, std::exchange(record.stalled, false) ? resume_after(record, now) : spread_after(record, now));
    if (again == Again::fast) {
        // A little apart, so that those of one server do not come back as one burst; never later than the fast time.
        const auto spread = fraction_of(pace_of(record).fast / 10, record.phase * 2654435761U);
        return arm(id, now + pace_of(record).fast - spread);
    }
    const auto interval = again == Again::slow ? pace_of(record).interval_down : pace_of(record).interval;
    arm(id, grid_after(record, interval, std::max(record.started + interval / 8, now)));
}

void Schedule::spread_all(Clock::time_point now) {
    set_clock(now);
    for (TargetId id = 0; id < records_.size(); ++id) {
        if (records_[id].place != k_waiting || records_[id].idle) continue;
        unlink(id);
        arm(id, resume_after(records_[id], now));
    }
}

std::optional<Clock::time_point> Schedule::next(TargetId id) const noexcept {
    const Record& record = records_[id];
    if (record.place != k_waiting && record.place != k_due) return std::nullopt;
    return record.due;
}

// ---- time --------------------------------------------------------------------------------------------------------------------------------

std::int64_t Schedule::next_filled(List level, std::uint32_t size, std::int64_t from, std::int64_t to) const noexcept {
    for (std::int64_t at = from; at < to;) {
        const List list = level + static_cast<List>(at % size);
        const std::uint64_t word = filled_[list / 64] >> (list % 64);
        if (word != 0) return std::min<std::int64_t>(at + std::countr_zero(word), to);
        at += 64 - list % 64;
    }
    return to;
}

template <class Work>
void Schedule::empty(List list, Work&& work) {
    TargetId id = std::exchange(lists_[list], {}).first;
    filled_[list / 64] &= ~(std::uint64_t{1} << (list % 64));
    while (id != k_no_target) {
        Record& record = records_[id];
        const TargetId next = record.next;
        record.list = k_nowhere;
        record.next = record.prev = k_no_target;
        work(id, record);
        id = next;
    }
}

void Schedule::cascade(std::int64_t tick) {
    empty(k_far + static_cast<List>((tick / k_slots) % k_far_slots), [this](TargetId id, const Record&) { hang(id); });
}

void Schedule::pass_slot(std::int64_t tick, Clock::time_point now, Turn& turn) {
    empty(static_cast<List>(tick % k_slots), [&](TargetId id, Record& record) {
        if (record.place == k_flying && std::exchange(record.quick, false) && record.due > now) {
            hang(id);
            if (!turn.stalled) turn.slow.push_back(id);
        } else if (record.place == k_flying) {
            record.stalled = turn.stalled;
            turn.expired.push_back(id);  // stays in flight, in no list, until finished()
        } else if (turn.stalled) {
            // All that was missed would come as one burst.
            arm(id, record.regular ? resume_after(record, now) : now + k_tick + fraction_of(std::min(pace_of(record).fast, k_spread), record.phase));
        } else {
            make_due(id);
        }
    });
}

void Schedule::start_ready(Clock::time_point now, Turn& turn) {
    while (turn.starts.size() < timing_.max_starts && has_room()) {
        const TargetId id = lists_[k_ready].first;
        if (id == k_no_target) return;
        unlink(id);
        const std::uint32_t host = records_[id].host;
        if (host_full(host)) {
            push_back(id, k_hosts + host);
            continue;
        }
        turn.late = std::max(turn.late, now - records_[id].due);
        launch(id, now, false);
        turn.starts.push_back(id);
    }
}

void Schedule::advance(Clock::time_point now, Clock::duration lag, Turn& turn) {
    turn.starts.clear();
    turn.expired.clear();
    turn.slow.clear();
    turn.late = {};
    turn.stalled = lag > timing_.stall;
    set_clock(now);
    const std::int64_t end = now.time_since_epoch() / k_tick + 1;  // the first tick that is not over
    while (tick_ < end) {
        if (tick_ % k_slots == 0) cascade(tick_);
        const std::int64_t round_end = (tick_ / k_slots + 1) * k_slots;
        const std::int64_t filled = next_filled(0, k_slots, tick_, std::min(end, round_end));
        if (filled < std::min(end, round_end)) {
            tick_ = filled + 1;  // first, so that what is armed from inside does not land in the slot that is being emptied
            pass_slot(filled, now, turn);
        } else {
            tick_ = std::min(end, round_end);
        }
    }
    start_ready(now, turn);
}

std::optional<Clock::time_point> Schedule::wake() const noexcept {
    if (lists_[k_ready].first != k_no_target && has_room()) return Clock::time_point{};
    std::int64_t tick = next_filled(0, k_slots, tick_, tick_ + k_slots);
    const bool near = tick < tick_ + k_slots;
    // The round that tick_ stands at the beginning of has not been cascaded yet.
    const std::int64_t first_round = (tick_ + k_slots - 1) / k_slots;
    const std::int64_t round = next_filled(k_far, k_far_slots, first_round, first_round + k_far_slots);
    const bool far = round < first_round + k_far_slots;
    if (!near && !far) return std::nullopt;
    if (far && (!near || round * k_slots < tick)) tick = round * k_slots;
    return Clock::time_point{tick * std::chrono::duration_cast<Clock::duration>(k_tick)};
}

}  // namespace qconn::monitor
