// SPDX-License-Identifier: Apache-2.0
#include "monitor/backlog.hpp"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "monitor/engine.hpp"
#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;

Backlog::Item event(EventKind kind, const std::string& name, ConnectionState from, ConnectionState state) {
    Event one;
    one.kind = kind;
    one.name = name;
    one.from = from;
    one.state = state;
    return std::make_shared<const Event>(std::move(one));
}
Backlog::Item up(const std::string& name) { return event(EventKind::up, name, ConnectionState::down, ConnectionState::up); }
Backlog::Item down(const std::string& name) { return event(EventKind::down, name, ConnectionState::up, ConnectionState::down); }
Backlog::Item added(const std::string& name) { return event(EventKind::added, name, ConnectionState::unknown, ConnectionState::unknown); }
Backlog::Item removed(const std::string& name) { return event(EventKind::removed, name, ConnectionState::up, ConnectionState::up); }
Backlog::Item alert(EventKind kind, const std::string& name, const std::string& type) {
    Event one = *event(kind, name, ConnectionState::down, ConnectionState::down);
    one.alert = type;
    return std::make_shared<const Event>(std::move(one));
}

SubscribeOptions at_most(std::size_t queue) {
    SubscribeOptions options;
    options.queue = queue;
    return options;
}

/// "down:a up:b+3": kind, name, and how many were skipped before.
std::string drain(Backlog& backlog) {
    std::string text;
    while (!backlog.empty()) {
        const auto one = backlog.pop();
        if (!text.empty()) text += ' ';
        text += std::string{to_string(one->kind)} + ':' + one->name;
        if (one->skipped != 0) text += '+' + std::to_string(one->skipped);
    }
    return text;
}

/// What happens to connections, by chance but as the engine has it. Events are numbered from 1.
class Story final : Engine::Outlet {
public:
    Story(unsigned seed, std::vector<std::string> names, const MonitorOptions& options)
        : names_{std::move(names)}, random_{seed}, engine_{options, timing_of(options, 0), *this, alerts_} {
        engine_.start(now_);
    }

    std::vector<Backlog::Item> step() {
        told_.clear();
        now_.mono += std::chrono::seconds{1};
        engine_.advance(now_, {}, turn_);
        for (const TargetId id : turn_.expired) engine_.abandon(id, now_);
        const std::string& name = names_[random_() % names_.size()];
        const auto at = ids_.find(name);
        if (at == ids_.end()) {
            Engine::Facts facts;
            facts.enabled = random_() % 4 != 0;
            if (random_() % 4 == 0) facts.problem = make_error(Errc::parse, "no such scheme");
            ids_[name] = engine_.add(std::make_shared<Cell>(name), facts, now_, true);
            return told_;
        }
        const TargetId id = at->second;
        switch (random_() % 18) {
            case 0: engine_.remove(id, now_), ids_.erase(at); break;
            case 1: engine_.disable(id, now_); break;
            case 2: engine_.invalidate(id, make_error(Errc::parse, "no such scheme"), now_); break;
            case 3: engine_.validate(id, now_); break;
            case 4: engine_.change(id, now_), engine_.tell_updated(id, "", now_); break;
            case 5:
            case 6: engine_.enable(id, now_); break;
            case 7: engine_.set_silence(id, Silence{.by = std::to_string(random_() % 3)}, now_); break;
            case 8: engine_.set_silence(id, std::nullopt, now_); break;
            default: ping(id); break;
        }
        return told_;
    }

private:
    void ping(TargetId id) {
        if (!engine_.schedule().in_flight(id)) engine_.take(id, now_);
        PingResult result;
        result.ok = random_() % 2 == 0;
        if (!result.ok) result.error = make_error(Errc::system, "it said no");
        engine_.outcome(id, result, now_);
    }
    void event(Event one) override {
        one.seq = ++seq_;
        told_.push_back(std::make_shared<const Event>(std::move(one)));
    }
    void hold(const std::string&, Hold) override {}
    /// Two hosts have all of them.
    Whereabouts where(TargetId id) override {
        Whereabouts place;
        place.host = engine_.cell(id).name() < "d" ? "one.example" : "two.example";
        return place;
    }
    TargetId id_of(const std::string& name) override {
        const auto found = ids_.find(name);
        return found == ids_.end() ? k_no_target : found->second;
    }

    const std::vector<std::string> names_;
    std::mt19937 random_;
    Moment now_{Clock::time_point{std::chrono::seconds{1'000'000}}, {}};
    AlertBoard alerts_;
    Engine engine_;
    Schedule::Turn turn_;
    std::map<std::string, TargetId> ids_;
    std::vector<Backlog::Item> told_;
    std::uint64_t seq_{0};
};

bool is_of_connection(const Event& event) { return event.kind != EventKind::outage && event.kind != EventKind::outage_over; }

bool is_of_silence(const Event& event) { return event.kind == EventKind::silenced || event.kind == EventKind::unsilenced; }

/// What a listener knows of each connection and alert after the events that it got.
class Knowledge {
public:
    explicit Knowledge(bool group_alerts) : group_alerts_{group_alerts} {}

    /// @returns what was known of it before
    std::string learn(const Event& event) {
        const bool is_alert = !event.alert.empty();
        if (event.kind == EventKind::updated || event.kind == EventKind::slow) return "";
        if (is_of_silence(event)) return std::exchange(known_[event.name + " silence"], event.kind == EventKind::silenced ? event.error : "");
        const bool is_outage = event.kind == EventKind::outage || event.kind == EventKind::outage_over;
        const bool by_number = is_outage || (is_alert && event.outage != 0 && group_alerts_);
        std::string& known = known_[(by_number ? std::to_string(event.outage) : event.name) + ' ' + event.alert];
        std::string before = known;
        known = is_outage                          ? std::string{event.kind == EventKind::outage ? "on" : ""}
                : is_alert                         ? std::string{event.kind == EventKind::alert ? "raised" : ""}
                : event.kind == EventKind::removed ? ""
                                                   : std::string{to_string(event.state)};
        return before;
    }
    /// Without what is known not to be there.
    std::map<std::string, std::string> all() const {
        auto known = known_;
        std::erase_if(known, [](const auto& one) { return one.second.empty(); });
        return known;
    }

private:
    bool group_alerts_;
    std::map<std::string, std::string> known_;
};

}  // namespace

TEST_CASE("a listener that keeps up gets every event, and none says that some are missing", "[monitor][events]") {
    Backlog backlog{at_most(4)};
    for (int i = 0; i < 100; ++i) {
        CHECK(backlog.push(down("a")) == 0);
        CHECK(backlog.push(up("a")) == 0);
        CHECK(drain(backlog) == "down:a up:a");
    }
}

TEST_CASE("what a slow listener misses are inner pairs, and the next event counts them", "[monitor][events]") {
    Backlog backlog{at_most(4)};
    for (const auto& one : {down("a"), up("a"), down("a"), up("a")}) CHECK(backlog.push(one) == 0);
    CHECK(backlog.push(down("b")) == 2);
    CHECK(drain(backlog) == "down:a+2 up:a down:b");
    CHECK(backlog.push(up("b")) == 0);
    CHECK(drain(backlog) == "up:b");
}

TEST_CASE("a connection that came and went while nobody listened leaves nothing", "[monitor][events]") {
    Backlog backlog{at_most(3)};
    for (const auto& one : {added("a"), event(EventKind::updated, "a", ConnectionState::unknown, ConnectionState::unknown), up("a")})
        backlog.push(one);
    CHECK(backlog.push(removed("a")) == 4);
    CHECK(backlog.empty());
    backlog.push(added("b"));
    CHECK(drain(backlog) == "added:b+4");
}

TEST_CASE("one that was there before its removal is told of", "[monitor][events]") {
    Backlog backlog{at_most(3)};
    for (const auto& one : {removed("a"), added("a"), up("a")}) backlog.push(one);
    CHECK(backlog.push(removed("a")) == 3);
    CHECK(drain(backlog) == "removed:a+3");
}

TEST_CASE("alerts cancel out by themselves, each type apart", "[monitor][events]") {
    Backlog backlog{at_most(4)};
    for (const auto& one : {alert(EventKind::alert, "a", "FULL"), alert(EventKind::alert, "a", "UNAVAILABLE"),
                            alert(EventKind::alert_cleared, "a", "UNAVAILABLE"), alert(EventKind::alert_cleared, "b", "FULL")})
        backlog.push(one);
    CHECK(backlog.push(down("a")) == 2);
    CHECK(drain(backlog) == "alert:a+2 alert-cleared:b down:a");
}

TEST_CASE("an alert of an outage cancels out with the end of it, whatever name that bears", "[monitor][events]") {
    Backlog backlog{at_most(3)};
    Event raised = *alert(EventKind::alert, "a", "UNAVAILABLE");
    Event cleared = *alert(EventKind::alert_cleared, "b", "UNAVAILABLE");
    raised.outage = cleared.outage = 7;
    Event outage = raised;
    outage.kind = EventKind::outage;
    outage.name = "host:1";
    outage.alert.clear();
    Event over = outage;
    over.kind = EventKind::outage_over;
    for (const Event& one : {raised, outage, cleared}) backlog.push(std::make_shared<const Event>(one));
    backlog.push(down("b"));
    backlog.push(std::make_shared<const Event>(over));
    backlog.push(down("c"));
    CHECK(backlog.push(down("d")) == 2);
    CHECK(drain(backlog) == "down:b+4 down:c down:d");
}

TEST_CASE("of the updates of one connection the latest stays", "[monitor][events]") {
    Backlog backlog{at_most(2)};
    for (const char* text : {"first", "second", "third"}) {
        Event one = *event(EventKind::updated, "a", ConnectionState::up, ConnectionState::up);
        one.error = text;
        backlog.push(std::make_shared<const Event>(std::move(one)));
    }
    REQUIRE(backlog.size() == 1);
    CHECK(backlog.pop()->error == "third");
}

TEST_CASE("silences cancel out as alerts do: the last one that holds stays", "[monitor][events][silence]") {
    Backlog backlog{at_most(5)};
    const auto push = [&](EventKind kind, const char* text) {
        Event one = *event(kind, "a", ConnectionState::up, ConnectionState::up);
        one.error = text;
        backlog.push(std::make_shared<const Event>(std::move(one)));
    };
    push(EventKind::unsilenced, "of yesterday");
    for (const char* text : {"first", "second"}) {
        push(EventKind::silenced, text);
        push(EventKind::unsilenced, text);
    }
    push(EventKind::silenced, "third");
    REQUIRE(backlog.size() == 2);
    CHECK(backlog.pop()->error == "of yesterday");
    CHECK(backlog.pop()->error == "third");
    for (const auto kind : {EventKind::added, EventKind::silenced, EventKind::unsilenced, EventKind::updated, EventKind::updated}) push(kind, "");
    push(EventKind::removed, "");
    CHECK(backlog.empty());
}

TEST_CASE("of transient alerts of one type and connection the latest stays", "[monitor][events]") {
    Backlog backlog{at_most(3)};
    for (const char* type : {"SLOW", "LOST", "SLOW", "SLOW"}) {
        Event one = *alert(EventKind::alert, "a", type);
        one.transient = true;
        backlog.push(std::make_shared<const Event>(std::move(one)));
    }
    REQUIRE(backlog.size() == 2);
    CHECK(backlog.pop()->alert == "LOST");
    CHECK(backlog.pop()->alert == "SLOW");
}

TEST_CASE("what cannot cancel out waits, however many", "[monitor][events]") {
    Backlog backlog{at_most(10)};
    for (int i = 0; i < 1000; ++i) CHECK(backlog.push(down(std::to_string(i))) == 0);
    CHECK(backlog.size() == 1000);
}

TEST_CASE("what was missing before an event that is left out counts as well", "[monitor][events]") {
    Backlog backlog{at_most(3)};
    Event second = *up("a");
    second.skipped = 5;
    for (const auto& one : {down("a"), Backlog::Item{std::make_shared<const Event>(second)}, down("a")}) backlog.push(one);
    CHECK(backlog.push(up("a")) == 2);
    CHECK(drain(backlog) == "down:a+7 up:a");
}

TEST_CASE("without a limit nothing is left out", "[monitor][events]") {
    Backlog backlog{at_most(0)};
    for (int i = 0; i < 5000; ++i) CHECK(backlog.push(i % 2 == 0 ? down("a") : up("a")) == 0);
    CHECK(backlog.size() == 5000);
}

TEST_CASE("only the kinds and names that were asked for wait", "[monitor][events]") {
    SubscribeOptions options;
    options.kinds = {EventKind::down, EventKind::alert};
    options.names = {"shop-*", "depot?"};
    Backlog backlog{options};
    for (const char* name : {"shop-a", "shop-", "shop", "Shop-a", "depot1", "depot12", "my-shop-a"}) {
        backlog.push(down(name));
        backlog.push(up(name));
    }
    backlog.push(alert(EventKind::alert, "shop-a", "FULL"));
    CHECK(drain(backlog) == "down:shop-a down:shop- down:depot1 alert:shop-a");
}

TEST_CASE("whatever is left out, each event follows from the one before and the last says what is", "[monitor][events]") {
    const unsigned seed = GENERATE(range(1U, 201U));
    CAPTURE(seed);
    std::mt19937 random{seed};
    std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
    names.resize(1 + random() % names.size());
    MonitorOptions options;
    options.group_alerts = seed % 2 == 0;
    Story story{seed, names, options};
    Backlog backlog{at_most(1 + random() % 20), options.group_alerts};
    const std::size_t slowness = 1 + random() % 40;

    Knowledge truth{options.group_alerts};
    Knowledge heard{options.group_alerts};
    std::map<std::uint64_t, std::string> truly_before;
    std::map<std::string, EventKind> last_kind;
    std::map<std::string, ConnectionState> true_state;
    std::map<std::string, ConnectionState> last_state;
    std::uint64_t happened = 0;
    std::uint64_t came = 0;
    std::uint64_t missing = 0;
    std::uint64_t said_missing = 0;
    std::uint64_t last_seq = 0;
    const auto deliver = [&] {
        const auto one = backlog.pop();
        ++came;
        said_missing += one->skipped;
        REQUIRE(one->seq > last_seq);
        last_seq = one->seq;
        if (is_of_connection(*one)) last_state[one->name] = one->state;
        REQUIRE(heard.learn(*one) == truly_before[one->seq]);
        if (!one->alert.empty() || one->kind == EventKind::updated || one->kind == EventKind::slow || !is_of_connection(*one) || is_of_silence(*one))
            return;
        const auto [at, first] = last_kind.try_emplace(one->name, one->kind);
        if (!first) {
            if (one->kind == EventKind::up || one->kind == EventKind::down)
                REQUIRE((at->second != one->kind || one->from == ConnectionState::unknown));  // it changed in between, which has no event
            at->second = one->kind;
        }
    };

    for (int i = 0; i < 600; ++i) {
        for (const auto& one : story.step()) {
            ++happened;
            truly_before[one->seq] = truth.learn(*one);
            if (is_of_connection(*one)) true_state[one->name] = one->state;
            missing += backlog.push(one);
        }
        while (!backlog.empty() && random() % slowness == 0) deliver();
    }
    while (!backlog.empty()) deliver();

    CHECK(came + missing == happened);
    CHECK(said_missing <= missing);
    CHECK(heard.all() == truth.all());
    for (const auto& [name, state] : last_state)
        if (truth.all().contains(name + ' ')) CHECK(state == true_state[name]);  // else it is not there any more
}
