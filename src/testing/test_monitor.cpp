// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/test_monitor.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include <qconn/base/url.hpp>
#include <qconn/core/registry_error.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/testing/scripted.hpp>

#include "base/glob.hpp"
#include "monitor/engine.hpp"
#include "testing/inline_hub.hpp"

namespace qconn::testing {

using monitor::Engine;
using monitor::Hold;
using monitor::Moment;
using monitor::TargetId;

namespace {

constexpr Moment k_begin{Clock::time_point{std::chrono::hours{1000}}, std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

Error unknown(std::string_view name) {
    return Error{RegistryErrc::unknown, "CONNECTION-UNKNOWN", "there is no connection \"" + std::string{name} + "\" in this monitor"}
        .with_connection(name)
        .with_reason(Reason::not_found);
}

std::string host_of(const Registry& registry, const ConnectionInfo& info) {
    const Result<Url> url = Url::try_parse(info.url);
    if (!url || url->host.empty()) return {};
    std::uint16_t port = url->port.value_or(0);
    if (const Scheme* scheme = registry.catalogue().find(info.scheme); port == 0 && scheme)
        if (const auto found = scheme->default_ports.find(info.scheme); found != scheme->default_ports.end()) port = found->second;
    return url->host + ':' + std::to_string(port);
}

bool takes(const SubscribeOptions& options, const Event& event) {
    const bool kind = options.kinds.empty() || std::find(options.kinds.begin(), options.kinds.end(), event.kind) != options.kinds.end();
    return kind && (options.names.empty() || std::any_of(options.names.begin(), options.names.end(),
                                                         [&](const std::string& pattern) { return text::glob_matches(pattern, event.name); }));
}

}  // namespace

class TestMonitor::Impl final : public Engine::Outlet, public std::enable_shared_from_this<Impl> {
public:
    Impl(const MonitorOptions& its_options, Registry* its_registry)
        : registry{its_registry},
          options_{its_options},
          engine{options_, monitor::timing_of(options_, 0), *this, alerts},
          hub{options_, [this](EventKind kind, const std::string& name) { tell(kind, name); }} {}

    // ---- the set ---------------------------------------------------------------------------------------------------------------------------

    void add(const std::string& name, const Engine::Facts& facts, std::string host, bool tell) {
        if (known_.contains(name))
            throw Error{RegistryErrc::exists, "CONNECTION-ERROR", "there is a connection \"" + name + "\" in this monitor already"};
        Engine::Facts all = facts;
        all.host = host.empty() ? 0 : monitor::stable_hash(host);
        // Known before the engine tells of it.
        Known& known = known_[name];
        known.end = ends[name];
        known.where = {std::move(host), {}, facts.rules.via};
        known.id = engine.add(std::make_shared<monitor::Cell>(name), all, now, tell);
        settle();
    }
    void remove(std::string_view name) {
        const TargetId id = find(name);
        abandon(id);
        engine.remove(id, now);
        known_.erase(known_.find(name));
        settle();
    }
    TargetId find(std::string_view name) const {
        const auto found = known_.find(name);
        if (found == known_.end()) throw unknown(name);
        return found->second.id;
    }
    void abandon(TargetId id) {
        if (flights_.erase(id) != 0) engine.abandon(id, now);
    }

    // ---- time ------------------------------------------------------------------------------------------------------------------------------

    /// The next thing that happens by then; that instant, at the latest.
    void step(Clock::time_point end) {
        Clock::time_point next = std::min(end, std::max(hub.wake(), now.mono));
        if (const auto wake = engine.wake()) next = std::min(next, std::max(*wake, now.mono));
        for (const auto& [id, flight] : flights_)
            if (!flight.end.hangs()) next = std::min(next, std::max(flight.due, now.mono));
        now.wall += next - now.mono;
        now.mono = next;
        for (const TargetId id : landed()) land(id);
        monitor::Schedule::Turn turn;
        engine.advance(now, {}, turn);
        for (const TargetId id : turn.expired) expire(id);
        for (const TargetId id : turn.starts)
            if (engine.schedule().in_flight(id) && !flights_.contains(id)) begin(id);
        settle();
    }
    void outside(const char* what) const {
        if (!told_inside_ && !running_) return;
        throw make_error(Errc::invalid_argument,
                         std::string{what} + " was refused: time does not pass inside a listener or a function of an interface");
    }
    bool advance(Clock::duration time, const std::function<bool()>& condition) {
        outside("advancing");
        const Clock::time_point end = now.mono + time;
        // What is due at the end itself comes too, however many steps it takes.
        for (;;) {
            if (condition && condition()) return true;
            if (now.mono >= end && !has_due()) return false;
            step(end);
        }
    }
    PingResult ping(std::string_view name) {
        outside("a ping");
        const TargetId id = find(name);
        const ConnectionState state = engine.state(id);
        if (state == ConnectionState::disabled || state == ConnectionState::invalid)
            throw Error{RegistryErrc::disabled, state == ConnectionState::disabled ? "CONNECTION-DISABLED" : "INVALID-CONNECTION",
                        '"' + std::string{name} + "\" was not pinged: it is " + std::string{to_string(state)}}
                .with_connection(name);
        if (engine.take(id, now)) begin(id);
        while (flights_.contains(id)) step(Clock::time_point::max());
        return last_[id];
    }

    // ---- what is told ----------------------------------------------------------------------------------------------------------------------

    /// Calls everybody for what has happened, and for what happens by that.
    void settle() {
        engine.flush();
        deliver();
        if (std::exchange(running_, true)) return;
        hub.run(now);
        running_ = false;
        deliver();
    }
    void tell(EventKind kind, const std::string& name) {
        Event told;
        told.kind = kind;
        told.name = name;
        told.time = now.wall;
        told.mono = now.mono;
        event(std::move(told));
        deliver();
    }
    Subscription subscribe(std::function<void(const Event&)> listener, SubscribeOptions choice);

    void event(Event told) override {
        told.seq = ++last_seq_;
        if (told.kind == EventKind::up) hub.graph().came_up(told.name);
        untold_.push_back(std::move(told));
    }
    void hold(const std::string& name, Hold hold) override {
        if (hold == Hold::block) hub.graph().block(name);
        if (hold == Hold::release) hub.graph().unblock(name);
    }
    monitor::Whereabouts where(TargetId id) override { return known_.at(engine.cell(id).name()).where; }
    TargetId id_of(const std::string& name) override {
        const auto found = known_.find(name);
        return found == known_.end() ? monitor::k_no_target : found->second.id;
    }

    std::optional<ConnectionStatus> status(std::string_view name) const {
        const auto found = known_.find(name);
        return found == known_.end() ? std::nullopt : std::optional{engine.cell(found->second.id).read()};
    }
    std::vector<ConnectionStatus> statuses() const {
        std::vector<ConnectionStatus> all;
        for (const auto& [name, known] : known_) all.push_back(engine.cell(known.id).read());
        return all;
    }

    Registry* const registry;
    Scripted ends;
    EventRecorder recorder;
    Moment now{k_begin};

private:
    const MonitorOptions options_;

public:
    monitor::AlertBoard alerts;
    Engine engine;
    InlineHub hub;

private:
    struct Known {
        TargetId id{monitor::k_no_target};
        RemoteEnd end;
        monitor::Whereabouts where;
    };
    struct Flight {
        Answer answer;
        RemoteEnd end;
        Clock::time_point started;
        Clock::time_point due;
    };
    struct Listener {
        std::function<void(const Event&)> function;
        SubscribeOptions choice;
    };

    void begin(TargetId id) {
        const RemoteEnd& end = known_.at(engine.cell(id).name()).end;
        Answer answer = end.next_ping();
        const Clock::time_point due = now.mono + answer.latency;
        flights_.emplace(id, Flight{std::move(answer), end, now.mono, due});
    }
    std::vector<TargetId> landed() const {
        std::vector<TargetId> ids;
        for (const auto& [id, flight] : flights_)
            if (flight.due <= now.mono && !flight.end.hangs()) ids.push_back(id);
        return ids;
    }
    bool has_due() const {
        const auto wake = engine.wake();
        return (wake && *wake <= now.mono) || hub.wake() <= now.mono || !landed().empty();
    }
    void land(TargetId id) {
        const Flight flight = std::move(flights_.at(id));
        PingResult result;
        result.ok = flight.answer.is_ok();
        result.inconclusive = flight.answer.reason == Reason::local;
        if (!result.ok) result.error = to_error(flight.answer, engine.cell(id).name());
        outcome(id, flight.started, std::move(result));
    }
    void expire(TargetId id) {
        const auto found = flights_.find(id);
        if (found == flights_.end()) return engine.abandon(id, now);
        PingResult result;
        result.error = to_error(failed(Phase::protocol, Reason::timeout, "no answer came in time"), engine.cell(id).name());
        outcome(id, found->second.started, std::move(result));
    }
    void outcome(TargetId id, Clock::time_point started, PingResult result) {
        flights_.erase(id);
        result.started = started;
        result.time = now.mono - started;
        engine.outcome(id, result, now);
        last_[id] = std::move(result);
    }

    void deliver() {
        if (std::exchange(told_inside_, true)) return;
        const auto self = shared_from_this();  // a listener may let go of the monitor
        const auto tell = recorder.listener();
        while (!untold_.empty()) {
            const Event told = std::move(untold_.front());
            untold_.pop_front();
            tell(told);
            const auto all = listeners_;
            for (const auto& [id, listener] : all) {
                if (!listeners_.contains(id) || !takes(listener->choice, told)) continue;
                try {
                    listener->function(told);
                } catch (...) {}  // as with a monitor: it is the listener's affair
            }
        }
        told_inside_ = false;
    }

    std::map<std::string, Known, std::less<>> known_;
    std::map<TargetId, Flight> flights_;
    std::map<TargetId, PingResult> last_;
    std::deque<Event> untold_;
    std::map<std::uint64_t, std::shared_ptr<Listener>> listeners_;
    std::uint64_t last_listener_{0};
    std::uint64_t last_seq_{0};
    bool told_inside_{false};
    bool running_{false};
};

Subscription TestMonitor::Impl::subscribe(std::function<void(const Event&)> listener, SubscribeOptions choice) {
    class Subscribed final : public Subscription::State {
    public:
        Subscribed(std::weak_ptr<Impl> impl, std::uint64_t id) : impl_{std::move(impl)}, id_{id} {}
        void unsubscribe() noexcept override {
            if (const auto impl = impl_.lock()) impl->listeners_.erase(id_);
        }

    private:
        const std::weak_ptr<Impl> impl_;
        const std::uint64_t id_;
    };
    listeners_.emplace(++last_listener_, std::make_shared<Listener>(Listener{std::move(listener), std::move(choice)}));
    return Subscription{std::make_shared<Subscribed>(weak_from_this(), last_listener_)};
}

// ---- the monitor -------------------------------------------------------------------------------------------------------------------------

TestMonitor::TestMonitor(MonitorOptions options) : impl_{std::make_shared<Impl>(options, nullptr)} {}

TestMonitor::TestMonitor(Registry& registry, MonitorOptions options) : impl_{std::make_shared<Impl>(options, &registry)} {
    for (const ConnectionInfo& info : registry.infos()) {
        Engine::Facts facts;
        facts.enabled = info.enabled;
        facts.monitored = info.monitored;
        if (info.validity == Validity::invalid) {
            facts.problem =
                Error{RegistryErrc::invalid, "INVALID-CONNECTION", info.problem}.with_connection(info.name).with_reason(Reason::bad_value);
        } else {
            monitoring_options().apply(info.options, facts.rules);
            monitoring_options().apply(info.monitoring, facts.rules);
        }
        impl_->add(info.name, facts, host_of(registry, info), false);
    }
}

TestMonitor::~TestMonitor() = default;

void TestMonitor::add(std::string_view name, const MonitoringRules& rules, std::string_view host) {
    Engine::Facts facts;
    facts.rules = rules;
    impl_->add(std::string{name}, facts, std::string{host}, true);
}
void TestMonitor::remove(std::string_view name) { impl_->remove(name); }
void TestMonitor::enable(std::string_view name) {
    impl_->engine.enable(impl_->find(name), impl_->now);
    impl_->settle();
}
void TestMonitor::disable(std::string_view name) {
    impl_->abandon(impl_->find(name));
    impl_->engine.disable(impl_->find(name), impl_->now);
    impl_->settle();
}
RemoteEnd TestMonitor::operator[](std::string_view name) { return impl_->ends[name]; }

void TestMonitor::start() {
    impl_->engine.start(impl_->now);
    impl_->settle();
}
void TestMonitor::stop() {
    impl_->engine.stop(impl_->now);
    for (const ConnectionStatus& one : statuses()) impl_->abandon(impl_->find(one.name));
}
void TestMonitor::advance(std::chrono::milliseconds time) { impl_->advance(time, {}); }
bool TestMonitor::advance_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) { return impl_->advance(limit, condition); }
std::chrono::milliseconds TestMonitor::elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(impl_->now.mono - k_begin.mono);
}
std::chrono::system_clock::time_point TestMonitor::now() const { return impl_->now.wall; }
PingResult TestMonitor::ping(std::string_view name, Deadline) { return impl_->ping(name); }

Subscription TestMonitor::subscribe(std::function<void(const Event&)> listener, SubscribeOptions options) {
    return impl_->subscribe(std::move(listener), std::move(options));
}
EventRecorder& TestMonitor::events() { return impl_->recorder; }

ConnectionStatus TestMonitor::status(std::string_view name) const {
    auto status = impl_->status(name);
    if (!status) throw unknown(name);
    return std::move(*status);
}
std::vector<ConnectionStatus> TestMonitor::statuses() const { return impl_->statuses(); }
std::vector<Alert> TestMonitor::alerts() const { return impl_->alerts.list(); }
std::vector<Outage> TestMonitor::outages() const { return impl_->engine.outages(); }
bool TestMonitor::acknowledge(std::uint64_t id, std::string_view who, std::string_view note) {
    return impl_->alerts.acknowledge(id, {std::string{who}, std::string{note}, impl_->now.wall}).has_value();
}

// ---- interfaces --------------------------------------------------------------------------------------------------------------------------

class TestInterface::Impl {
public:
    Impl(std::shared_ptr<TestMonitor::Impl> its_monitor, InlineHub::Id its_id) : monitor{std::move(its_monitor)}, id{its_id} {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        monitor->hub.remove(id);
        monitor->settle();
    }
    InlineHub::Graph& graph() { return monitor->hub.graph(); }

    const std::shared_ptr<TestMonitor::Impl> monitor;
    const InlineHub::Id id;
};

void TestInterface::depend(std::string_view connection, Dependency dependency) {
    impl_->monitor->hub.depend(impl_->id, connection, dependency);
    impl_->monitor->settle();
}
void TestInterface::stop() {
    impl_->graph().stop_by_hand(impl_->id);
    impl_->monitor->settle();
}
void TestInterface::start() {
    impl_->graph().start_by_hand(impl_->id);
    impl_->monitor->settle();
}
void TestInterface::set_running(bool running) {
    impl_->graph().told(impl_->id, running);
    impl_->monitor->settle();
}
void TestInterface::set_autostart(bool yes) {
    impl_->graph().set_autostart(impl_->id, yes);
    impl_->monitor->settle();
}
InterfaceInfo TestInterface::info() const { return impl_->monitor->hub.info(impl_->id); }
bool TestInterface::depends_on(std::string_view connection) const { return impl_->graph().dependency(impl_->id, connection) != Dependency::none; }
Registry& TestInterface::registry() const {
    if (!impl_->monitor->registry)
        throw make_error(Errc::invalid_argument, "no connection can be had from a TestMonitor that was made without a registry");
    return *impl_->monitor->registry;
}

TestInterface TestMonitor::add_interface(InterfaceOptions options) {
    const auto id = impl_->hub.add(std::move(options), impl_->now);
    TestInterface added{std::make_shared<TestInterface::Impl>(impl_, id)};
    impl_->settle();
    return added;
}
std::vector<InterfaceInfo> TestMonitor::interfaces() const { return impl_->hub.infos(); }
void TestMonitor::set_manage_interfaces(bool yes) {
    impl_->hub.graph().set_manage(yes);
    impl_->settle();
}
bool TestMonitor::manage_interfaces() const { return impl_->hub.graph().manage(); }
void TestMonitor::disable_group(std::string_view group) {
    impl_->hub.graph().set_group(group, false);
    impl_->settle();
}
void TestMonitor::enable_group(std::string_view group) {
    impl_->hub.graph().set_group(group, true);
    impl_->settle();
}
std::vector<std::string> TestMonitor::disabled_groups() const {
    const auto& groups = impl_->hub.graph().disabled_groups();
    return {groups.begin(), groups.end()};
}
bool TestMonitor::stop_interfaces(Deadline) {
    impl_->hub.graph().set_all_stopped(true);
    impl_->settle();
    const auto all = interfaces();
    return std::all_of(all.begin(), all.end(), [](const InterfaceInfo& one) {
        return one.state != InterfaceState::running && one.state != InterfaceState::stopping && one.state != InterfaceState::starting;
    });
}
void TestMonitor::start_interfaces() {
    impl_->hub.graph().set_all_stopped(false);
    impl_->settle();
}
Impact TestMonitor::impact(std::string_view connection) const {
    if (!impl_->status(connection) && !impl_->hub.graph().knows(connection)) throw unknown(connection);
    return impl_->hub.impact(connection, [impl = impl_.get()](std::string_view name) { return impl->status(name); });
}
WhyStopped TestMonitor::why_stopped(InterfaceKind kind, std::string_view name) const {
    return impl_->hub.why_stopped(kind, name, [impl = impl_.get()](std::string_view connection) { return impl->status(connection); });
}

}  // namespace qconn::testing
