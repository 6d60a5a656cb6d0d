// SPDX-License-Identifier: Apache-2.0
// Ten thousand connections for a day (QCONN_SOAK_DAYS: for so many) in virtual time, with faults of all kinds at random (QCONN_SOAK_SEED: others).
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <queue>
#include <set>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::size_t k_connections = 10'000;
constexpr std::size_t k_hosts = 400;
constexpr auto k_interval = 30min;

/// xorshift64*: the same course in every run with the same seed.
class Random {
public:
    std::uint64_t operator()() noexcept {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1d;
    }
    std::size_t below(std::size_t n) noexcept { return static_cast<std::size_t>((*this)() >> 11) % n; }
    bool one_in(std::size_t n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_{88172645463325252 ^ seed()};

    static std::uint64_t seed() {
        const char* text = std::getenv("QCONN_SOAK_SEED");
        return text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
    }
};

/// What a listener and an interface can know of one connection from what they are told.
struct Told {
    ConnectionState state{ConnectionState::unknown};
    bool blocked{false};
    bool silenced{false};
};

class Soak final : public Engine::Outlet {
public:
    Soak() : engine_{options(), timing_of(options(), 0), *this, alerts_} {
        told_.resize(k_connections);
        host_fails_.resize(k_hosts);
        last_.assign(k_connections, now_.mono);
        for (std::size_t i = 0; i < k_connections; ++i) add(i);
        engine_.start(now_);
    }

    void run(Clock::duration time) {
        const Clock::time_point end = now_.mono + time;
        std::size_t turns = 0;
        while (now_.mono < end) {
            Clock::time_point next = end;
            if (const auto wake = engine_.wake()) next = std::min(next, std::max(*wake, now_.mono));
            if (!answers_.empty()) next = std::min(next, answers_.top().when);
            next = std::min(next, next_fault_);
            pass(std::max(next, now_.mono));
            while (!answers_.empty() && answers_.top().when <= now_.mono) {
                const Answer answer = answers_.top();
                answers_.pop();
                if (flights_[answer.id] == answer.flight) finish(answer.id);
            }
            if (now_.mono >= next_fault_) fault();
            engine_.advance(now_, std::exchange(lag_, {}), turn_);
            require(engine_.schedule().in_flight() <= options().max_in_flight + by_hand_);
            for (const TargetId id : turn_.expired) expire(id, turn_.stalled);
            for (const TargetId id : turn_.starts) begin(id);
            engine_.flush();
            if (++turns % 50'000 == 0) check_all();
        }
        check_all();
    }

    std::map<std::uint_least32_t, std::size_t> wrong;  // by line, how often
    std::size_t pings{0};
    std::size_t downs{0};
    std::size_t outages{0};
    std::size_t silences{0};
    std::size_t held_back{0};  // alerts, at each check

private:
    struct Answer {
        Clock::time_point when;
        TargetId id;
        std::uint32_t flight;
        bool operator>(const Answer& other) const noexcept { return when > other.when; }
    };

    static MonitorOptions options() {
        MonitorOptions options{k_interval, 10s};
        options.max_per_host = 16;
        return options;
    }

    void require(bool right, const std::source_location& where = std::source_location::current()) {
        if (!right) ++wrong[where.line()];
    }
    void pass(Clock::time_point to) {
        now_.wall += to - now_.mono;
        now_.mono = to;
    }

    static std::string name(std::size_t i) { return "c" + std::to_string(i); }
    /// Of a connection.
    static std::size_t number(const std::string& name) {
        std::size_t number = k_connections;
        std::from_chars(name.data() + 1, name.data() + name.size(), number);
        if (name.front() != 'c' || number >= k_connections) throw std::logic_error{"\"" + name + "\" is no connection"};
        return number;
    }
    static std::size_t host(std::size_t i) { return i % k_hosts; }

    void add(std::size_t i) {
        Engine::Facts facts;
        facts.host = host(i) + 1;
        if (i % 7 == 0) facts.rules.interval_down = 30s;
        if (i % 11 == 0) facts.rules.restart_delay = 60s;
        if (i % 13 == 0) facts.rules.flap_changes = 2;
        if (i % 17 == 0) facts.rules.rise = 2;
        if (i % 19 == 0) facts.rules.min_down = 5min;
        if (i % 23 == 0) facts.rules.fall = 1;
        told_[i] = {};
        const TargetId id = engine_.add(std::make_shared<Cell>(name(i)), facts, now_, now_.mono != k_begin);
        ids_.resize(std::max<std::size_t>(ids_.size(), i + 1), k_no_target);
        ids_[i] = id;
        flights_.resize(std::max<std::size_t>(flights_.size(), id + 1));
        last_[i] = now_.mono;
    }

    void begin(TargetId id) {
        ++pings;
        const std::size_t i = number(engine_.cell(id).name());
        last_[i] = now_.mono;
        ++flights_[id];
        // A dead host refuses at once or says nothing; others take up to 50 ms.
        if (host_fails_[host(i)] == 2) return;
        answers_.push({now_.mono + std::chrono::microseconds{random_.below(50'000)}, id, flights_[id]});
    }
    void finish(TargetId id) {
        if (!engine_.schedule().in_flight(id)) return;
        const std::size_t i = number(engine_.cell(id).name());
        ++flights_[id];
        if (local_trouble_)
            engine_.outcome(id, Play::doubtful(), now_);
        else if (host_fails_[host(i)] != 0 || random_.one_in(5000))
            engine_.outcome(id, Play::bad(), now_);
        else
            engine_.outcome(id, Play::good(), now_);
    }
    void expire(TargetId id, bool stalled) {
        ++flights_[id];
        PingResult result = Play::bad(Reason::timeout);
        result.inconclusive = stalled;
        engine_.outcome(id, result, now_);
    }
    void abandon(TargetId id) {
        if (!engine_.schedule().in_flight(id)) return;
        ++flights_[id];
        engine_.abandon(id, now_);
    }

    void fault() {
        next_fault_ = now_.mono + std::chrono::milliseconds{1000 + random_.below(40'000)};
        const std::size_t i = random_.below(k_connections);
        const TargetId id = ids_[i];
        switch (random_.below(14)) {
            case 0:
            case 1: host_fails_[random_.below(k_hosts)] = static_cast<char>(1 + random_.below(2)); break;
            case 2:
            case 3:
            case 4: host_fails_[random_.below(k_hosts)] = 0; break;
            case 5:
                abandon(id);
                engine_.disable(id, now_);
                break;
            case 6:
                for (std::size_t j = i; j < i + 200; ++j) engine_.enable(ids_[j % k_connections], now_);
                break;
            case 7:
                abandon(id);
                engine_.invalidate(id, make_error(Errc::parse, "no"), now_);
                break;
            case 8:
                for (std::size_t j = i; j < i + 200; ++j) engine_.validate(ids_[j % k_connections], now_);
                break;
            case 9:
                abandon(id);
                if (random_.one_in(2)) {
                    engine_.change(id, now_);
                } else {
                    ++flights_[id];
                    engine_.remove(id, now_);
                    add(i);
                }
                break;
            case 10:
            case 11: silence(i); break;
            case 12:  // by hand
                by_hand_ = 1;
                if (engine_.state(id) != ConnectionState::disabled && engine_.state(id) != ConnectionState::invalid && engine_.take(id, now_))
                    begin(id);
                break;
            default:
                if (random_.one_in(20)) {
                    local_trouble_ = !local_trouble_;
                } else if (random_.one_in(20)) {  // the process did not run
                    const auto gap = std::chrono::seconds{2 + random_.below(100)};
                    pass(now_.mono + gap);
                    lag_ = gap;
                }
        }
        if (local_trouble_ && random_.one_in(5)) local_trouble_ = false;
    }

    /// Of a whole host now and then, for a while or until it is taken back; some begin later.
    void silence(std::size_t i) {
        std::optional<Silence> silence;
        if (!random_.one_in(4)) {
            silence.emplace();
            silence->kind = random_.one_in(2) ? Silence::Kind::mute : Silence::Kind::maintenance;
            silence->from = now_.wall + (random_.one_in(3) ? std::chrono::minutes{random_.below(60)} : std::chrono::minutes{0});
            if (!random_.one_in(3)) silence->until = silence->from + std::chrono::minutes{1 + random_.below(120)};
        }
        if (!random_.one_in(2)) return engine_.set_silence(ids_[i], silence, now_);
        for (std::size_t j = host(i); j < k_connections; j += k_hosts) engine_.set_silence(ids_[j], silence, now_);
    }

    // ---- what is told ----------------------------------------------------------------------------------------------------------------------

    void event(Event event) override {
        switch (event.kind) {
            case EventKind::alert:
                require(!event.silenced);
                require(alerted_.insert(key(event.alert, event.name, event.outage)).second);
                return;
            case EventKind::alert_cleared: require(alerted_.erase(key(event.alert, event.name, event.outage)) == 1); return;
            case EventKind::silenced:
                ++silences;
                require(!std::exchange(told_[number(event.name)].silenced, true));
                return;
            case EventKind::unsilenced: require(std::exchange(told_[number(event.name)].silenced, false)); return;
            case EventKind::outage:
                ++outages;
                require(event.members.size() > 1 && told_outages_.insert(event.outage).second);
                return;
            case EventKind::outage_over: require(told_outages_.erase(event.outage) == 1); return;
            case EventKind::stop:
            case EventKind::start: return;
            default: break;
        }
        Told& one = told_[number(event.name)];
        using S = ConnectionState;
        switch (event.kind) {
            case EventKind::up: require(event.from == S::unknown || event.from == S::down); break;
            case EventKind::down:
                ++downs;
                require(event.from == S::unknown || event.from == S::up || event.from == S::failing);
                break;
            case EventKind::failing: require(event.from == S::up); break;
            case EventKind::recovered: require(event.from == S::failing); break;
            default: break;
        }
        // That it became unknown, as what it connects to has changed, is no event of its own; that it is enabled and invalid are two of one step.
        require(event.from == one.state || event.from == S::unknown || event.kind == EventKind::added || event.kind == EventKind::invalid);
        one.state = event.state;
    }
    void hold(const std::string& name, Hold hold) override {
        Told& one = told_[number(name)];
        if (hold == Hold::block) one.blocked = true;
        if (hold == Hold::release) one.blocked = false;
    }
    Whereabouts where(TargetId id) override {
        const std::size_t i = number(engine_.cell(id).name());
        Whereabouts where{"h" + std::to_string(host(i)) + ":1", {}, {}};
        if (i % 29 == 0) where.via = {name(i / 29)};
        return where;
    }
    TargetId id_of(const std::string& name) override { return ids_[number(name)]; }

    /// What an alert stands for: the name of one for an outage may change.
    static std::pair<std::string, std::string> key(const std::string& type, const std::string& name, std::uint64_t outage) {
        return {type, type == k_alert_unavailable ? std::to_string(outage) : name};
    }

    void check_all() {
        std::map<std::uint64_t, std::size_t> members;
        std::map<std::uint64_t, std::size_t> loud;  // of them those that are not silenced
        std::set<std::string> flapping;
        for (std::size_t i = 0; i < k_connections; ++i) {
            const ConnectionStatus status = engine_.cell(ids_[i]).read();
            const Told& one = told_[i];
            using S = ConnectionState;
            require(status.state == one.state ||
                    (status.state == S::unknown && one.state != S::unknown));  // a change of what it connects to is no event
            if (status.state == S::down || status.state == S::disabled || status.state == S::invalid) require(one.blocked);
            if (status.state == S::up && one.blocked) require(i % 11 == 0 || status.flapping);  // damped
            require((status.outage != 0) == (status.state == S::down));
            if (status.outage != 0) ++members[status.outage];
            if (status.outage != 0 && !status.silence) ++loud[status.outage];
            require((status.silence != std::nullopt) == one.silenced);
            if (status.silence) require(status.silence->is_in_force(now_.wall));
            if (status.flapping) flapping.insert(status.name);
            // Nobody is forgotten: a ping comes within its interval, and an eighth where the last one was by hand just before its time.
            if (engine_.is_pinged(ids_[i])) require(now_.mono - last_[i] < k_interval + k_interval / 8 + 120s);
        }
        const auto standing = engine_.outages();
        require(standing.size() == members.size());
        for (const Outage& one : standing) require(members[one.id] == one.members);
        std::size_t unavailable = 0;
        std::size_t told = 0;
        std::size_t flaps = 0;
        for (const Alert& alert : alerts_.list()) {
            unavailable += alert.type == k_alert_unavailable ? 1 : 0;
            flaps += alert.type == k_alert_flapping ? 1 : 0;
            const bool is_silenced = alert.type == k_alert_unavailable ? loud[alert.outage] == 0
                                     : alert.name == k_self            ? false  // about no connection: nobody can silence it
                                                                       : told_[number(alert.name)].silenced;
            require(alert.silenced == is_silenced);
            if (alert.type == k_alert_unavailable) require(alert.silenced == told_[number(alert.name)].silenced);
            if (alert.type == k_alert_flapping) require(flapping.contains(alert.name));
            const bool was_told = alerted_.contains(key(alert.type, alert.name, alert.outage));
            told += was_told ? 1 : 0;
            held_back += was_told ? 0 : 1;
            if (!alert.silenced) require(was_told);
        }
        require(told == alerted_.size());  // nothing was told that stands no more
        require(unavailable == standing.size());
        require(flaps == flapping.size());
    }

    static constexpr Clock::time_point k_begin{1'000'000s};
    Moment now_{k_begin, std::chrono::system_clock::time_point{1'700'000'000s}};
    AlertBoard alerts_;
    Engine engine_;
    Schedule::Turn turn_;
    Random random_;
    std::vector<Told> told_;
    std::vector<TargetId> ids_;
    std::vector<std::uint32_t> flights_;  // by id: which answer is awaited
    std::vector<Clock::time_point> last_;
    std::vector<char> host_fails_;  // 1: refuses, 2: is silent
    std::priority_queue<Answer, std::vector<Answer>, std::greater<>> answers_;
    std::set<std::pair<std::string, std::string>> alerted_;
    std::set<std::uint64_t> told_outages_;
    Clock::time_point next_fault_{k_begin + 60s};
    Clock::duration lag_{};
    std::size_t by_hand_{0};
    bool local_trouble_{false};
};

}  // namespace

TEST_CASE("ten thousand connections, a day, faults at random: every rule holds at every step", "[monitor][slow]") {
    const char* days = std::getenv("QCONN_SOAK_DAYS");
    Soak soak;
    soak.run(24h * (days != nullptr ? std::max(std::atoi(days), 1) : 1));
    for (const auto& [line, times] : soak.wrong) FAIL_CHECK("line " << line << ", times: " << times);
    WARN(soak.pings << " pings, " << soak.downs << " downs, " << soak.outages << " outages, " << soak.silences << " silences, " << soak.held_back
                    << " alerts held back");
    CHECK(soak.downs > 2000);
    CHECK(soak.outages > 50);
    CHECK(soak.silences > 1000);
    CHECK(soak.held_back > 0);
}
