// SPDX-License-Identifier: Apache-2.0
/// A monitor's engine in a time of its own.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "monitor/engine.hpp"

namespace qconn::test {

using namespace qconn::monitor;
using namespace std::chrono_literals;

/// An engine with a clock of its own; pings are answered by the test.
struct Play : Engine::Outlet {
    explicit Play(const MonitorOptions& options = {1000ms, 500ms}, bool started = true) : engine{options, timing_of(options, 0), *this, alerts} {
        if (started) engine.start(now);
    }

    Moment now{Clock::time_point{1'000'000s}, std::chrono::system_clock::time_point{1'700'000'000s}};
    AlertBoard alerts;
    Engine engine;
    std::vector<Event> events;
    std::map<std::string, Hold> holds;
    Schedule::Turn turn;

    void event(Event one) override { events.push_back(std::move(one)); }
    void hold(const std::string& name, Hold hold) override { holds[name] = hold; }
    Whereabouts where(TargetId id) override { return places[engine.cell(id).name()]; }
    TargetId id_of(const std::string& name) override {
        const auto found = ids.find(name);
        return found == ids.end() ? k_no_target : found->second;
    }
    std::map<std::string, Whereabouts> places;
    std::map<std::string, TargetId> ids;

    TargetId add(const std::string& name, const Engine::Facts& facts = {}, bool tell = false) {
        return ids[name] = engine.add(std::make_shared<Cell>(name), facts, now, tell);
    }
    static PingResult good() {
        PingResult result;
        result.ok = true;
        result.time = 3ms;
        return result;
    }
    static PingResult bad(Reason reason = Reason::refused, Phase phase = Phase::connect) {
        PingResult result;
        result.error = make_error(Errc::system, "it said no").with_phase(phase).with_reason(reason);
        return result;
    }
    static PingResult doubtful() {
        PingResult result = bad(Reason::local);
        result.inconclusive = true;
        return result;
    }
    void pass(Clock::duration time) {
        now.mono += time;
        now.wall += time;
    }
    void ping(TargetId id, const PingResult& result) {
        pass(1s);
        if (!engine.schedule().in_flight(id)) engine.take(id, now);
        engine.outcome(id, result, now);
    }
    /// "down:shop alert:shop", in order; then forgets them.
    std::string told() {
        std::string text;
        for (const Event& one : events) {
            if (!text.empty()) text += ' ';
            text += std::string{to_string(one.kind)} + ':' + one.name;
            if (!one.alert.empty()) text += ':' + one.alert;
        }
        events.clear();
        return text;
    }
    ConnectionStatus status(TargetId id) { return engine.cell(id).read(); }
};

}  // namespace qconn::test
