// SPDX-License-Identifier: Apache-2.0
#include "monitor/monitor_impl.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <utility>

#include <qconn/core/registry_error.hpp>

#include "core/slot.hpp"
#include "monitor/whereabouts.hpp"

namespace qconn::monitor {

namespace {

/// A kept stream is used for so many pings and so long, then a new one shows whether the peer still takes connections.
constexpr std::uint32_t k_pings_per_stream = 20;
constexpr auto k_stream_age = std::chrono::minutes{1};
/// A peer that does not keep idle streams is dialled anew each time after as many of them.
constexpr std::uint8_t k_closes_idle = 2;

/// A suspension of the machine, as opposed to the clocks' differing for a moment.
constexpr auto k_nap = std::chrono::milliseconds{500};

/// How long the machine has been suspended since it was started: the monotonic clock stands still meanwhile.
std::chrono::nanoseconds suspended_time() noexcept {
    const auto read = [](clockid_t clock) {
        timespec time{};
        clock_gettime(clock, &time);
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    };
    return read(CLOCK_BOOTTIME) - read(CLOCK_MONOTONIC);
}

std::size_t descriptor_limit() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    return limit.rlim_cur;
}

std::uint64_t host_of(const core::SlotView& view) { return view.host_key.empty() ? 0 : stable_hash(view.host_key); }

std::optional<Error> problem_of(const core::SlotView& view) {
    if (view.validity != Validity::invalid) return std::nullopt;
    return Error{RegistryErrc::invalid, "INVALID-CONNECTION", view.problem}.with_connection(view.name).with_reason(Reason::bad_value);
}

Error disabled(std::string_view name) {
    return Error{RegistryErrc::disabled, "CONNECTION-DISABLED", "\"" + std::string{name} + "\" was not pinged: it is disabled; enable it first"}
        .with_connection(name);
}

Error ended(std::string_view name) {
    return make_error(Errc::cancelled, "pinging \"" + std::string{name} + "\" was given up: the monitor has stopped").with_connection(name);
}

bool is_refused_login(const PingResult& result) {
    return result.error && !result.inconclusive && (result.error->phase() == Phase::auth || result.error->reason() == Reason::denied);
}

PingResult failure(Error error, Clock::time_point started) {
    PingResult result;
    result.inconclusive = error.reason() == Reason::local;
    result.error = std::move(error);
    result.started = started;
    result.time = Clock::now() - started;
    return result;
}

}  // namespace

// ---- pings by hand -----------------------------------------------------------------------------------------------------------------------

/// Somebody who waits for a ping. Completed once, whoever comes first: the ping, its deadline, a cancel.
class ManualPing final : public Operation::State, public std::enable_shared_from_this<ManualPing> {
public:
    /// @param loop  that calls back; null: complete() does, for a callback that only wakes a thread
    ManualPing(std::shared_ptr<net::Loop> loop, std::string name, Callback<PingResult> callback)
        : loop_{std::move(loop)}, name_{std::move(name)}, callback_{std::move(callback)} {}

    const std::string& name() const noexcept { return name_; }

    void complete(Result<PingResult> result) {
        if (done_.exchange(true)) return;
        if (!loop_) return callback_(std::move(result));
        // Posted: whoever completes it is in the middle of something.
        loop_->post([self = shared_from_this(), result = std::move(result)]() mutable {
            auto callback = std::move(self->callback_);
            if (callback) callback(std::move(result));
        });
    }
    void cancel() noexcept override {
        complete(make_error(Errc::cancelled, "waiting for a ping of \"" + name_ + "\" was cancelled").with_connection(name_));
    }
    bool done() const noexcept override { return done_; }

private:
    const std::shared_ptr<net::Loop> loop_;
    const std::string name_;
    Callback<PingResult> callback_;
    std::atomic<bool> done_{false};
};

Operation MonitorImpl::async_ping(std::string name, Deadline deadline, Callback<PingResult> callback) {
    auto ping = std::make_shared<ManualPing>(loop_, std::move(name), std::move(callback));
    post(ping, deadline);
    return Operation{ping};
}

void MonitorImpl::post(const std::shared_ptr<ManualPing>& ping, Deadline deadline) {
    loop_->post([weak = weak_from_this(), ping, deadline] {
        if (const auto self = weak.lock())
            self->join(ping, deadline);
        else
            ping->complete(ended(ping->name()));
    });
}

PingResult MonitorImpl::ping(std::string name, Deadline deadline) {
    if (runtime_.on_io_thread())
        throw make_error(Errc::invalid_argument,
                         "pinging \"" + name + "\" was refused: waiting for it on an I/O thread would stop all that runs there; use async_ping");
    struct Wait {
        std::mutex mutex;
        std::condition_variable came;
        std::optional<Result<PingResult>> result;
    };
    const auto wait = std::make_shared<Wait>();
    // Woken at once, not by way of the loop, which may be in a callback that destroys the monitor.
    const auto wake = [wait](Result<PingResult> result) {
        const std::scoped_lock lock{wait->mutex};
        wait->result.emplace(std::move(result));
        wait->came.notify_all();
    };
    post(std::make_shared<ManualPing>(nullptr, std::move(name), wake), deadline);
    std::unique_lock lock{wait->mutex};
    wait->came.wait(lock, [&] { return wait->result.has_value(); });
    return std::move(*wait->result).value();
}

void MonitorImpl::join(const std::shared_ptr<ManualPing>& ping, Deadline deadline) {
    if (ping->done()) return;
    if (ended_) return ping->complete(ended(ping->name()));
    const auto cell = find(ping->name());
    if (!cell || cell->id == k_no_target) return ping->complete(unknown(ping->name()));
    const TargetId id = cell->id;
    if (engine_.state(id) == ConnectionState::disabled) return ping->complete(disabled(ping->name()));
    if (engine_.state(id) == ConnectionState::invalid)
        return ping->complete(Error{RegistryErrc::invalid, "INVALID-CONNECTION",
                                    "\"" + ping->name() + "\" was not pinged: its definition cannot be used; see its status"}
                                  .with_connection(ping->name())
                                  .with_reason(Reason::bad_value));
    if (engine_.take(id, Moment::now())) begin(id);
    Item& item = items_[id];
    if (!item.flight) return ping->complete(unknown(ping->name()));  // its registry is gone
    Waiter waiter{ping, nullptr};
    if (!deadline.is_never()) {
        waiter.deadline = std::make_unique<net::Timer>(*loop_);
        waiter.deadline->arm(deadline, [ping] {
            ping->complete(make_error(Errc::timeout,
                                      "waiting for a ping of \"" + ping->name() + "\" took longer than its deadline allows; the ping itself goes on")
                               .with_connection(ping->name()));
        });
    }
    item.flight->waiters.push_back(std::move(waiter));
    rearm();
}

// ---- life --------------------------------------------------------------------------------------------------------------------------------

MonitorImpl::MonitorImpl(const std::shared_ptr<core::RegistryImpl>& registry, const MonitorOptions& options)
    : options_{options},
      runtime_{registry->runtime()},
      registry_{registry},
      loop_{runtime_.impl().loop().shared_from_this()},
      listeners_{runtime_, "monitor"},
      timeline_{options.history},
      engine_{options_, timing_of(options_, descriptor_limit()), *this, alerts_},
      max_kept_{descriptor_limit() == 0 ? std::numeric_limits<std::size_t>::max() : descriptor_limit() / 2},
      asleep_{suspended_time()} {}

MonitorImpl::~MonitorImpl() = default;

void MonitorImpl::attach() {
    hub_ = std::make_shared<InterfaceHub>(runtime_, options_, [weak = weak_from_this()](EventKind kind, const std::string& name) {
        const auto self = weak.lock();
        if (!self) return;
        Event event;
        event.kind = kind;
        event.name = name;
        const Moment now = Moment::now();
        event.time = now.wall;
        event.mono = now.mono;
        self->emit(std::move(event));
    });
    std::optional<KeptState> kept;
    if (!options_.state_file.empty()) {
        keeper_ = std::make_shared<StateKeeper>(runtime_, loop_, options_.state_file, [weak = weak_from_this()](const StateKeeper::Put& put) {
            const auto self = weak.lock();
            if (self) self->write_state(put);
            return self != nullptr;
        });
        if ((kept = keeper_->load())) timeline_.restore(std::exchange(kept->timeline, {}));
    }
    const auto registry = registry_.lock();
    if (!registry) return;
    // Changes that come meanwhile wait for the lock; what they say of connections that are listed already is applied again and changes nothing.
    const std::scoped_lock lock{change_mutex_};
    changes_ = registry->subscribe([weak = weak_from_this()](const RegistryChange& change) {
        if (const auto self = weak.lock()) self->on_change(change);
    });
    core::UseInterest interest;
    interest.successes = options_.count_uses;
    if (options_.alert_throughput > 0) interest.slow_from = std::max(options_.alert_throughput_time, std::chrono::milliseconds{1});
    if (const std::chrono::nanoseconds late = options_.alert_late_answer; late.count() > 0)
        interest.slow_from = interest.slow_from.count() > 0 ? std::min(interest.slow_from, late) : late;
    if (options_.ping_after_failed_use || interest.successes || interest.slow_from.count() > 0) {
        uses_ = registry->listen_to_uses(
            [weak = weak_from_this()](const std::string& name, const Error* failure, const Transfer& transfer) {
                const auto self = weak.lock();
                if (!self) return;
                const bool is_slow = transfer.wait.count() > 0 || transfer.time.count() > 0;
                if (is_slow && !failure) return self->answered_slowly(name, transfer);
                self->used(name, !failure);
            },
            interest);
    }
    const auto slots = registry->slots();
    {
        const std::unique_lock index_lock{index_mutex_};
        index_.reserve(slots.size());
        for (const auto& slot : slots) index_.push_back(std::make_shared<Cell>(std::string{slot->name()}));
    }
    on_loop([this, size = slots.size(), kept = std::move(kept)]() mutable {
        if (kept) engine_.recall(std::move(*kept));
        items_.reserve(size);
        engine_.reserve(size);
    });
    // What is said of one costs more than what is kept of it: a part of them at a time.
    constexpr std::size_t k_part = 256;
    struct One {
        std::shared_ptr<Cell> cell;
        core::SlotView view;
        std::uint64_t configuration;
    };
    for (std::size_t i = 0; i < slots.size();) {
        std::vector<One> part;
        for (; i < slots.size() && part.size() < k_part; ++i) {
            auto view = registry->view(slots[i]);
            if (!view) continue;  // its removal is on its way
            const std::uint64_t configuration = configuration_of(*registry, slots[i]);
            part.push_back({index_[i], std::move(*view), configuration});
        }
        on_loop([this, part = std::move(part)] {
            for (const One& one : part) add(one.cell, one.view, one.configuration, false);
            flush();
        });
    }
}

void MonitorImpl::on_loop(UniqueFunction<void()> work) {
    if (loop_->on_thread()) return work();
    if (runtime_.on_io_thread()) return loop_->post([self = shared_from_this(), work = std::move(work)]() mutable { work(); });
    std::mutex mutex;
    std::condition_variable came;
    bool done = false;
    loop_->post([&, work = std::move(work)]() mutable {
        work();
        const std::scoped_lock lock{mutex};  // notified under it: the waiter's stack goes with its return
        done = true;
        came.notify_all();
    });
    std::unique_lock lock{mutex};
    came.wait(lock, [&] { return done; });
}

void MonitorImpl::start() {
    loop_->post([self = shared_from_this()] {
        if (self->ended_) return;
        self->running_ = true;
        if (self->keeper_) self->keeper_->set_running(true);
        self->engine_.start(Moment::now());
        self->rearm();
    });
}

void MonitorImpl::stop() {
    on_loop([this] { stop_on_loop(); });
    save();
}

void MonitorImpl::save() {
    if (!keeper_) return;
    if (!runtime_.on_io_thread()) return keeper_->write_now();
    // After what on_loop() has posted.
    loop_->post([self = shared_from_this()] { self->runtime_.impl().post_blocking([self] { self->keeper_->write_now(); }); });
}

void MonitorImpl::stop_on_loop() {
    running_ = false;
    if (keeper_) keeper_->set_running(false);
    engine_.stop(Moment::now());
    for (TargetId id = 0; id < items_.size(); ++id) {
        if (items_[id].flight) abandon(id, ended(engine_.cell(id).name()));
        drop_stream(items_[id]);
    }
    rearm();
}

void MonitorImpl::close() noexcept {
    if (closed_.exchange(true)) return;
    changes_.unsubscribe();
    uses_.unsubscribe();
    try {
        stop();
    } catch (const std::exception&) {  // no memory: what is not saved is found out anew
    }
    on_loop([this] {
        stop_on_loop();
        ended_ = true;
        if (keeper_) keeper_->close();
        timer_.reset();
        // Streams and slots go on the thread that they were used on.
        items_.clear();
    });
    // The I/O thread waits for nobody: a function of the application's may itself wait for what only this thread can do.
    const bool wait = !runtime_.on_io_thread();
    // What it writes to and tells may go with the monitor's owner.
    if (keeper_ && wait) keeper_->end();
    if (hub_) hub_->close(wait);
    listeners_.close(wait);
}

Subscription MonitorImpl::subscribe(std::function<void(const Event&)> listener, SubscribeOptions options) {
    return Subscription{listeners_.subscribe(std::move(listener), Backlog{std::move(options), options_.group_alerts})};
}

// ---- what is told ------------------------------------------------------------------------------------------------------------------------

void MonitorImpl::emit(Event event) {
    Event remembered;
    {
        const std::scoped_lock lock{emit_mutex_};
        event.seq = ++last_seq_;
        // Several threads looked at the clock before they came here.
        event.mono = last_mono_ = std::max(event.mono, last_mono_);
        if (options_.history) remembered = event;
        listeners_.publish(std::move(event));
    }
    if (loop_->on_thread())
        timeline_.add(std::move(remembered));
    else
        timeline_.add_waiting(std::move(remembered));
    changed();
}

void MonitorImpl::event(Event event) {
    const bool came_up = event.kind == EventKind::up;
    const std::string name = came_up ? event.name : std::string{};
    emit(std::move(event));
    if (came_up) hub_->came_up(name);
}

Whereabouts MonitorImpl::where(TargetId id) {
    if (id >= items_.size()) return {};  // it is just being added
    const auto registry = registry_.lock();
    if (!registry) return {};
    const auto& plan = items_[id].plan;
    return whereabouts_of(*registry, engine_.cell(id).name(), plan ? &plan->plan : nullptr);
}

TargetId MonitorImpl::id_of(const std::string& name) {
    const auto cell = find(name);
    return cell ? cell->id : k_no_target;
}

void MonitorImpl::hold(const std::string& name, Hold hold) { hub_->hold(name, hold); }

bool MonitorImpl::acknowledge(std::uint64_t id, std::string_view who, std::string_view note) {
    if (who.empty())
        throw make_error(Errc::invalid_argument, "acknowledging alert " + std::to_string(id) + " was refused: say who does")
            .with_reason(Reason::bad_value);
    const Acknowledgement acknowledgement{std::string{who}, std::string{note}, std::chrono::system_clock::now()};
    const auto name = alerts_.acknowledge(id, acknowledgement);
    if (!name) return false;
    changed();
    try {
        if (const auto registry = registry_.lock()) registry->acknowledge(*name, acknowledgement);
    } catch (const Error& error) {
        if (error.code() != RegistryErrc::unknown) throw;  // it has gone meanwhile, and its alerts are about to
    }
    return true;
}

void MonitorImpl::raise_transient(std::string type, std::string name, std::string text) {
    // On the loop, so that the state is the one between the events before and after.
    loop_->post([self = shared_from_this(), type = std::move(type), name = std::move(name), text = std::move(text)]() mutable {
        if (self->ended_) return;
        const Moment now = Moment::now();
        const auto cell = self->find(name);
        const bool is_known = cell && cell->id != k_no_target;
        const bool silenced = is_known && self->engine_.is_silenced(cell->id);
        self->alerts_.note(type, name, text, now.wall, silenced);
        if (silenced) return self->flush();
        Event told;
        told.kind = EventKind::alert;
        told.transient = true;
        if (is_known) told.state = told.from = self->engine_.state(cell->id);
        told.name = std::move(name);
        told.alert = std::move(type);
        told.error = std::move(text);
        told.time = now.wall;
        told.mono = now.mono;
        self->emit(std::move(told));
        self->flush();
    });
}

// ---- what is read ------------------------------------------------------------------------------------------------------------------------

MonitorCounts MonitorImpl::counts() const {
    MonitorCounts counts;
    counts.pings_ok = pings_[0];
    counts.pings_failed = pings_[1];
    counts.pings_inconclusive = pings_[2];
    const net::ListenerTotals listeners = listeners_.totals();
    counts.events_skipped = listeners.skipped;
    counts.listener_exceptions = listeners.exceptions;
    const std::scoped_lock lock{emit_mutex_};
    counts.events = last_seq_;
    return counts;
}

std::shared_ptr<Cell> MonitorImpl::find(std::string_view name) const {
    const std::shared_lock lock{index_mutex_};
    const auto at = place_of(name);
    return at == index_.end() || (*at)->name() != name ? nullptr : *at;
}

std::vector<std::shared_ptr<Cell>>::const_iterator MonitorImpl::place_of(std::string_view name) const {
    return std::lower_bound(index_.begin(), index_.end(), name, [](const auto& cell, std::string_view other) { return cell->name() < other; });
}

Error MonitorImpl::unknown(std::string_view name) const {
    std::string message = "there is no connection \"" + std::string{name} + "\"";
    if (const auto registry = registry_.lock()) message += registry->suggestion(name);
    return Error{RegistryErrc::unknown, "CONNECTION-UNKNOWN", std::move(message)}.with_connection(name).with_reason(Reason::not_found);
}

std::optional<ConnectionStatus> MonitorImpl::try_status(std::string_view name) const {
    const auto cell = find(name);
    return cell ? std::optional{cell->read()} : std::nullopt;
}

ConnectionStatus MonitorImpl::status(std::string_view name) const {
    auto status = try_status(name);
    if (!status) throw unknown(name);
    return std::move(*status);
}

Impact MonitorImpl::impact(std::string_view connection) const {
    if (!find(connection) && !hub_->knows(connection)) throw unknown(connection);
    return hub_->impact(connection, [this](std::string_view name) { return try_status(name); });
}

WhyStopped MonitorImpl::why_stopped(InterfaceKind kind, std::string_view name) const {
    return hub_->why_stopped(kind, name, [this](std::string_view connection) { return try_status(connection); });
}

std::vector<std::shared_ptr<Cell>> MonitorImpl::cells() const {
    const std::shared_lock lock{index_mutex_};
    return index_;
}

std::vector<ConnectionStatus> MonitorImpl::statuses() const {
    const auto cells = this->cells();
    std::vector<ConnectionStatus> statuses;
    statuses.reserve(cells.size());
    for (const auto& cell : cells) statuses.push_back(cell->read());
    return statuses;
}

ConnectionHistory MonitorImpl::history(std::string_view name) const {
    const auto cell = find(name);
    if (!cell) throw unknown(name);
    ConnectionHistory history = engine_.histories().read(*cell, Moment::now());
    history.name = name;
    return history;
}

std::vector<Event> MonitorImpl::timeline(const TimelineFilter& filter) const { return filtered(timeline_.list(), filter); }

std::vector<ConnectionCertificate> MonitorImpl::certificates() const {
    std::vector<ConnectionCertificate> all;
    for (const auto& cell : cells())
        if (const auto certificate = cell->certificate()) all.push_back({cell->name(), *certificate});
    sort_by_date(all);
    return all;
}

std::vector<ConnectionCredential> MonitorImpl::credentials() const {
    std::vector<ConnectionCredential> all;
    for (const auto& cell : cells())
        if (const auto known = cell->credentials())
            for (const Credential& one : *known) all.push_back({cell->name(), one});
    sort_by_end(all);
    return all;
}

KeptHead MonitorImpl::head() const {
    KeptHead head;
    head.written = std::chrono::system_clock::now();
    head.running = running_;
    head.manage_interfaces = hub_->manage();
    head.disabled_groups = hub_->disabled_groups();
    head.last_alert = alerts_.last_id();
    head.last_outage = engine_.causes().last_id();
    return head;
}

template <class Sink>
void MonitorImpl::gather(Sink&& sink) const {
    for (const auto& cell : cells()) {
        KeptConnection one{cell->read(), cell->configuration, {}, engine_.histories().keep(*cell, Moment::now())};
        if (const auto certificate = cell->certificate()) one.certificate = *certificate;
        if (const auto credentials = cell->credentials()) one.credentials = *credentials;
        sink(std::move(one));
    }
    for (Alert& one : alerts()) sink(std::move(one));
    for (KeptOutage& one : engine_.causes().kept()) sink(std::move(one));
    for (Event& one : timeline_.list()) sink(std::move(one));
    for (InterfaceInfo& one : hub_->infos()) {
        if (one.state != InterfaceState::running) {
            try {
                sink(why_stopped(one.kind, one.name));
            } catch (const Error&) {  // it has gone meanwhile
            }
        }
        sink(std::move(one));
    }
}

MonitorSnapshot MonitorImpl::snapshot() const {
    KeptState state;
    state.head = head();
    gather([&](auto one) { state.add(std::move(one)); });
    return snapshot_of(std::move(state));
}

void MonitorImpl::write_state(const StateKeeper::Put& put) const {
    constexpr std::size_t k_piece = 64 * 1024;
    StateText text{head()};
    gather([&](const auto& one) {
        text.add(one);
        if (text.size() >= k_piece) put(text.take());
    });
    text.end();
    put(text.take());
}

std::uint64_t MonitorImpl::configuration_of(const core::RegistryImpl& registry, const std::shared_ptr<core::Slot>& slot) const {
    return keeper_ ? stable_hash(registry.configuration(slot)) : 0;
}

// ---- the set of connections --------------------------------------------------------------------------------------------------------------

void MonitorImpl::on_change(const RegistryChange& change) {
    using Kind = RegistryChange::Kind;
    const auto registry = registry_.lock();
    if (!registry || change.name.empty()) return;
    const std::scoped_lock lock{change_mutex_};
    auto view = registry->view(change.name);
    auto cell = find(change.name);
    if (change.kind == Kind::removed) {
        if (!cell) return;
        const std::unique_lock index_lock{index_mutex_};
        index_.erase(place_of(change.name));
    } else if (!cell) {
        if (!view) return;  // gone again; its removal is on its way
        cell = std::make_shared<Cell>(change.name);
        {
            const std::unique_lock index_lock{index_mutex_};
            index_.insert(place_of(change.name), cell);
        }
        loop_->post([self = shared_from_this(), cell, configuration = configuration_of(*registry, view->slot), view = std::move(*view)] {
            if (self->ended_) return;
            self->add(cell, view, configuration, true);
            self->rearm();
        });
        return;
    }
    const std::uint64_t configuration = view ? configuration_of(*registry, view->slot) : 0;
    loop_->post([self = shared_from_this(), cell, change, configuration, view = std::move(view)] {
        if (self->ended_ || cell->id == k_no_target) return;
        if (configuration != 0) cell->configuration = configuration;
        self->apply(cell, change, view);
        self->rearm();
    });
}

void MonitorImpl::add(const std::shared_ptr<Cell>& cell, const core::SlotView& view, std::uint64_t configuration, bool tell) {
    Engine::Facts facts;
    facts.configuration = configuration;
    facts.enabled = view.enabled;
    facts.monitored = view.monitored;
    facts.problem = problem_of(view);
    facts.host = host_of(view);
    facts.rules = view.monitoring;
    facts.silence = view.silence;
    facts.acknowledged = view.acknowledged;
    const TargetId id = engine_.add(cell, facts, Moment::now(), tell);
    if (id >= items_.size()) items_.resize(id + 1);
    items_[id] = {};
    items_[id].slot = view.slot;
    items_[id].depth = view.monitoring.depth.value_or(options_.depth);
}

void MonitorImpl::forget(Item& item) {
    item.plan.reset();
    drop_stream(item);
    item.kept.closed_while_idle = false;
    item.kept.closes = 0;
}

void MonitorImpl::apply(const std::shared_ptr<Cell>& cell, const RegistryChange& change, const std::optional<core::SlotView>& view) {
    using Kind = RegistryChange::Kind;
    const TargetId id = cell->id;
    const Moment now = Moment::now();
    Item& item = items_[id];
    const std::string& name = cell->name();
    switch (change.kind) {
        case Kind::removed:
            abandon(id, unknown(name));
            forget(item);
            engine_.remove(id, now);
            item = {};
            return;
        case Kind::disabled:
            abandon(id, disabled(name));
            drop_stream(item);
            return engine_.disable(id, now);
        case Kind::enabled: return engine_.enable(id, now);
        case Kind::became_invalid: {
            const Error problem =
                Error{RegistryErrc::invalid, "INVALID-CONNECTION", change.problem}.with_connection(name).with_reason(Reason::bad_value);
            abandon(id, problem);
            forget(item);
            return engine_.invalidate(id, problem, now);
        }
        case Kind::became_stale: return engine_.tell_updated(id, change.problem, now);
        case Kind::added:
        case Kind::updated:
        case Kind::became_valid:
        case Kind::settings:
        case Kind::reloaded: break;
    }
    if (!view) return;  // gone meanwhile; its removal is on its way
    item.slot = view->slot;
    engine_.set_host(id, host_of(*view));
    engine_.set_rules(id, view->monitoring, now);
    engine_.set_silence(id, view->silence, now);
    if (view->acknowledged) engine_.acknowledge(id, *view->acknowledged);
    const PingDepth depth = view->monitoring.depth.value_or(options_.depth);
    const bool deeper = std::exchange(item.depth, depth) != depth;
    if (change.kind != Kind::settings) engine_.tell_updated(id, {}, now);
    engine_.set_monitored(id, view->monitored, now);
    if (change.kind == Kind::became_valid) engine_.validate(id, now);
    if (!change.reconnects) {
        if (deeper) forget(item);
        return;
    }
    // Who waits for the ping that is under way means this connection, not that version of it.
    std::vector<Waiter> waiters;
    if (item.flight) waiters = std::move(item.flight->waiters);
    abandon(id, unknown(name));
    forget(item);
    engine_.change(id, now);
    if (waiters.empty()) return;
    if (engine_.take(id, now)) begin(id);
    for (Waiter& waiter : waiters) {
        if (item.flight)
            item.flight->waiters.push_back(std::move(waiter));
        else
            waiter.ping->complete(unknown(name));
    }
}

// ---- uses of clients -----------------------------------------------------------------------------------------------------------------------

void MonitorImpl::used(const std::string& name, bool answered) {
    if (!answered && !options_.ping_after_failed_use) return;
    auto cell = find(name);
    // A thousand calls that fail at once are one request.
    if (!cell || (!answered && cell->use_failed.exchange(true))) return;
    loop_->post([self = shared_from_this(), cell = std::move(cell), answered] {
        if (!answered) cell->use_failed = false;
        if (self->ended_ || cell->id == k_no_target || !self->engine_.is_pinged(cell->id)) return;
        const Moment now = Moment::now();
        if (!answered) {
            self->engine_.look_soon(cell->id, now);
        } else if (self->engine_.take(cell->id, now)) {
            PingResult result;
            result.ok = true;
            result.started = now.mono;
            result.time = cell->published().latency;  // nothing new is known of it
            if (const auto& known = cell->published().credentials()) result.credentials = *known;
            self->engine_.outcome(cell->id, result, now);
        }
        self->rearm();
    });
}

void MonitorImpl::answered_slowly(const std::string& name, const Transfer& transfer) {
    auto cell = find(name);
    if (!cell) return;
    loop_->post([self = shared_from_this(), cell = std::move(cell), transfer] {
        if (self->ended_ || cell->id == k_no_target || !self->running_) return;
        self->engine_.answered_slowly(cell->id, transfer, Moment::now());
        self->rearm();
    });
}

// ---- time --------------------------------------------------------------------------------------------------------------------------------

void MonitorImpl::rearm() {
    if (ended_) return;
    flush();
    if (tick_posted_) return;
    const auto wake = engine_.wake();
    const Clock::time_point when = wake ? *wake : Clock::time_point::max();
    if (when == Clock::time_point{}) {
        // Posted, not called: what the sockets have to say comes in between.
        tick_posted_ = true;
        armed_ = Clock::now();
        loop_->post([self = shared_from_this()] {
            self->tick_posted_ = false;
            self->tick();
        });
        return;
    }
    if (when >= armed_) return;  // a turn too early finds nothing to do, which costs less than arming anew after every ping
    if (!timer_) timer_ = std::make_unique<net::Timer>(*loop_);
    armed_ = when;
    timer_->arm(when, [this] { tick(); });
}

void MonitorImpl::tick() {
    if (ended_) return;
    const Moment now = Moment::now();
    if (const auto asleep = suspended_time(); asleep - asleep_ > k_nap) {
        engine_.slept(asleep - std::exchange(asleep_, asleep), now);
        woke_ = now.mono;
    }
    const auto lag = now.mono > armed_ ? now.mono - armed_ : Clock::duration::zero();
    armed_ = Clock::time_point::max();
    engine_.advance(now, lag, turn_);
    // Pings that end in here may begin others and so on: the lists of this turn are its own.
    Schedule::Turn turn = std::move(turn_);
    turn_ = {};
    in_stall_ = turn.stalled;
    for (const TargetId id : turn.expired) expire(id);
    in_stall_ = false;
    for (const TargetId id : turn.starts)
        if (engine_.schedule().in_flight(id) && !items_[id].flight) begin(id);
    turn_ = std::move(turn);
    rearm();
}

void MonitorImpl::flush() {
    if (flush_posted_) return;
    const bool timeline_shown = timeline_.flush();
    if (engine_.flush() && timeline_shown) return;
    // A reader was in the way. The loop does other things meanwhile.
    flush_posted_ = true;
    loop_->post([self = shared_from_this()] {
        self->flush_posted_ = false;
        if (!self->ended_) self->flush();
    });
}

// ---- one ping ----------------------------------------------------------------------------------------------------------------------------

void MonitorImpl::begin(TargetId id) {
    Item& item = items_[id];
    if (registry_.expired()) return engine_.abandon(id, Moment::now());
    item.flight = std::make_unique<Flight>();
    item.flight->number = ++last_flight_;
    item.flight->started = Clock::now();
    if (item.plan)
        run(id);
    else
        prepare(id, std::nullopt);
}

void MonitorImpl::prepare(TargetId id, std::optional<std::uint64_t> refused_fingerprint) {
    Item& item = items_[id];
    auto& given_up = item.flight->given_up;
    if (!given_up) given_up = std::make_shared<std::atomic<bool>>(false);
    auto work = [weak = weak_from_this(), registry = registry_, slot = item.slot, cell_name = engine_.cell(id).name(), number = item.flight->number,
                 depth = item.depth, refused_fingerprint, loop = loop_,
                 limits = core::SecretLimits{Deadline{engine_.schedule().deadline(id)}, given_up}] {
        std::optional<Result<core::SlotPlan>> plan;
        try {
            const auto alive = registry.lock();
            if (!alive) throw Error{RegistryErrc::removed, "CONNECTION-REMOVED", "the registry of \"" + cell_name + "\" is gone"};
            if (!refused_fingerprint || alive->refresh_secrets(slot, *refused_fingerprint, limits))
                plan.emplace(alive->make_plan(slot, depth, limits));
        } catch (const Error& e) { plan.emplace(e); } catch (const std::exception& e) {
            plan.emplace(make_error(Errc::system, "preparing a ping of \"" + cell_name + "\" failed: " + e.what()).with_connection(cell_name));
        }
        loop->post([weak, cell_name, number, plan = std::move(plan)]() mutable {
            const auto self = weak.lock();
            if (!self || self->ended_) return;
            if (const auto cell = self->find(cell_name)) self->prepared(cell, number, std::move(plan));
        });
    };
    try {
        const auto registry = registry_.lock();
        item.flight->pool = registry ? registry->secret_pool(item.slot) : nullptr;
        net::BlockingPool& pool = item.flight->pool ? *item.flight->pool : runtime_.impl().blocking_pool();
        item.flight->making = pool.post_check(std::move(work), item.slot.get());
    } catch (const Error& e) {
        loop_->post([weak = weak_from_this(), cell = find(engine_.cell(id).name()), number = item.flight->number,
                     error = Error{e}.with_connection(engine_.cell(id).name()).with_phase(Phase::secret)] {
            if (const auto self = weak.lock(); self && cell && !self->ended_) self->prepared(cell, number, Result<core::SlotPlan>{error});
        });
    }
}

void MonitorImpl::give_up_making(Flight& flight) {
    if (!flight.making) return;
    *flight.given_up = true;
    (flight.pool ? *flight.pool : runtime_.impl().blocking_pool()).give_up(flight.making);
}

void MonitorImpl::prepared(const std::shared_ptr<Cell>& cell, std::uint64_t number, std::optional<Result<core::SlotPlan>> plan) {
    if (cell->id == k_no_target) return;
    const TargetId id = cell->id;
    Item& item = items_[id];
    if (!item.flight || item.flight->number != number || item.flight->run) return;
    item.flight->making.reset();
    if (!plan) return finish(id, std::move(*item.flight->refused), nullptr);
    if (!*plan) {
        const Error& error = plan->error();
        if (error.code() == RegistryErrc::disabled || error.code() == RegistryErrc::removed || error.code() == RegistryErrc::invalid)
            return abandon(id, error);  // a change that is on its way
        return finish(id, failure(error, item.flight->started), nullptr);
    }
    item.plan.emplace(std::move(**plan));
    run(id);
}

void MonitorImpl::run(TargetId id) {
    Item& item = items_[id];
    net::PingRun::Options options;
    options.label = engine_.cell(id).name();
    options.deadline = Deadline{engine_.schedule().deadline(id)};
    if (item.kept.stream) {
        item.kept.stream->unwatch();
        const bool worn = item.kept.pings >= k_pings_per_stream && Clock::now() - item.kept.since >= k_stream_age;
        if (worn)
            drop_stream(item);
        else
            options.kept = std::move(item.kept.stream);
    }
    item.flight->run =
        net::PingRun::start(*loop_, item.plan->plan, std::move(options),
                            [this, id](PingResult result, std::unique_ptr<net::Stream> stream) { done(id, std::move(result), std::move(stream)); });
}

void MonitorImpl::done(TargetId id, PingResult result, std::unique_ptr<net::Stream> stream) {
    Item& item = items_[id];
    if (in_stall_ && !result.ok && result.error && result.error->reason() == Reason::timeout) result.inconclusive = true;
    if (!result.ok && item.flight->started < woke_) result.inconclusive = true;
    if (is_refused_login(result) && !item.flight->refused && !in_stall_) {
        const std::uint64_t fingerprint = item.plan->fingerprint;
        item.flight->refused.emplace(std::move(result));
        item.flight->run.reset();
        return prepare(id, fingerprint);
    }
    finish(id, std::move(result), std::move(stream));
}

void MonitorImpl::finish(TargetId id, PingResult result, std::unique_ptr<net::Stream> stream) {
    Item& item = items_[id];
    auto flight = std::move(item.flight);
    give_up_making(*flight);
    flight->run.reset();
    if (item.kept.closed_while_idle) {
        item.kept.closes = result.ok ? static_cast<std::uint8_t>(std::min(item.kept.closes + 1, 255)) : std::uint8_t{0};
        item.kept.closed_while_idle = false;
    }
    ++pings_[result.ok ? 0 : result.inconclusive ? 2 : 1];
    engine_.outcome(id, result, Moment::now());
    if (!result.kept) drop_stream(item);  // another one than before, or none
    if (stream && engine_.is_pinged(id) && item.kept.closes < k_closes_idle)
        keep(id, std::move(stream));
    else
        drop_stream(item);
    for (Waiter& waiter : flight->waiters) waiter.ping->complete(result);
    rearm();
}

void MonitorImpl::expire(TargetId id) {
    Item& item = items_[id];
    if (!item.flight) return engine_.abandon(id, Moment::now());
    if (item.flight->run) return item.flight->run->expire();
    // Its plan is still being made, or its secrets are being resolved anew: then what the log-in said stands.
    if (item.flight->refused) return finish(id, std::move(*item.flight->refused), nullptr);
    const std::string& name = engine_.cell(id).name();
    PingResult late =
        failure(make_error(Errc::timeout, "looking up the secrets of \"" + name + "\" took longer than a ping may; see what its references read")
                    .with_connection(name)
                    .with_phase(Phase::secret),
                item.flight->started);
    late.inconclusive = in_stall_;
    finish(id, std::move(late), nullptr);
}

void MonitorImpl::abandon(TargetId id, const Error& why) {
    Item& item = items_[id];
    if (!item.flight) return;
    auto flight = std::move(item.flight);
    give_up_making(*flight);
    flight->run.reset();
    if (!item.kept.stream) drop_stream(item);  // it went with the run
    engine_.abandon(id, Moment::now());
    for (Waiter& waiter : flight->waiters) waiter.ping->complete(why);
}

// ---- kept streams ------------------------------------------------------------------------------------------------------------------------

void MonitorImpl::keep(TargetId id, std::unique_ptr<net::Stream> stream) {
    Item& item = items_[id];
    if (item.kept.pings == 0) {
        if (kept_ >= max_kept_) return;
        ++kept_;
        item.kept.since = Clock::now();
    }
    ++item.kept.pings;
    item.kept.stream = std::move(stream);
    item.kept.stream->watch_idle([this, id] { stream_closed(id); });
}

void MonitorImpl::drop_stream(Item& item) {
    item.kept.stream.reset();
    if (item.kept.pings != 0) --kept_;
    item.kept.pings = 0;
}

void MonitorImpl::stream_closed(TargetId id) {
    Item& item = items_[id];
    drop_stream(item);
    item.kept.closed_while_idle = true;
    engine_.look_now(id, Moment::now());
    rearm();
}

}  // namespace qconn::monitor
