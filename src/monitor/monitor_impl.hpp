// SPDX-License-Identifier: Apache-2.0
/// Registry, engine, pings and interfaces put together on one event loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <qconn/monitor/monitor.hpp>
#include <qconn/net/ping_plan.hpp>

#include "core/registry_impl.hpp"
#include "monitor/alerts.hpp"
#include "monitor/backlog.hpp"
#include "monitor/engine.hpp"
#include "monitor/interfaces.hpp"
#include "monitor/state_keeper.hpp"
#include "monitor/timeline.hpp"
#include "net/blocking_pool.hpp"
#include "net/listeners.hpp"
#include "net/ping_run.hpp"
#include "net/runtime_impl.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"

namespace qconn::monitor {

class ManualPing;

/// The inside of a Monitor. Which thread does what:
/// - the loop's thread: the engine, the pings, the kept streams; it waits for nothing and nobody;
/// - threads of the blocking pool: making plans (secrets may be files; those of providers have pools of their own), the registry's changes,
/// listeners, functions of interfaces;
/// - callers: what they read is in cells and on the alert board.
class MonitorImpl final : public std::enable_shared_from_this<MonitorImpl>, private Engine::Outlet {
public:
    MonitorImpl(const std::shared_ptr<core::RegistryImpl>& registry, const MonitorOptions& options);
    MonitorImpl(const MonitorImpl&) = delete;
    MonitorImpl& operator=(const MonitorImpl&) = delete;
    ~MonitorImpl() override;

    /// Follows the registry. Once, before all else.
    void attach();
    void start();
    void stop();
    /// The end: nothing is pinged or called from then on. Waits for functions of the application's that run, except for one that it is called from,
    /// and except on an I/O thread.
    void close() noexcept;

    Subscription subscribe(std::function<void(const Event&)> listener, SubscribeOptions options);
    bool drain(Deadline deadline) { return listeners_.drain(deadline); }
    ConnectionStatus status(std::string_view name) const;
    std::vector<ConnectionStatus> statuses() const;
    ConnectionHistory history(std::string_view name) const;
    std::vector<Event> timeline(const TimelineFilter& filter) const;
    std::vector<ConnectionCertificate> certificates() const;
    std::vector<ConnectionCredential> credentials() const;
    MonitorSnapshot snapshot() const;
    std::vector<Alert> alerts() const { return alerts_.list(); }
    std::vector<Outage> outages() const { return engine_.outages(); }
    std::vector<Alert> recent_alerts() const { return alerts_.recent(); }
    bool acknowledge(std::uint64_t id, std::string_view who, std::string_view note);
    void raise_transient(std::string type, std::string name, std::string text);
    MonitorCounts counts() const;
    MonitorHealth health() const { return engine_.health(); }
    Operation async_ping(std::string name, Deadline deadline, Callback<PingResult> callback);
    PingResult ping(std::string name, Deadline deadline);

    Impact impact(std::string_view connection) const;
    WhyStopped why_stopped(InterfaceKind kind, std::string_view name) const;
    const std::shared_ptr<InterfaceHub>& hub() const noexcept { return hub_; }
    /// Something of what the state file has is not what it was; events are seen to.
    void changed() const {
        if (keeper_) keeper_->changed();
    }
    const std::weak_ptr<core::RegistryImpl>& registry() const noexcept { return registry_; }
    const MonitorOptions& options() const noexcept { return options_; }

private:
    struct Waiter {
        std::shared_ptr<ManualPing> ping;
        std::unique_ptr<net::Timer> deadline;
    };
    /// One ping from its beginning to its outcome.
    struct Flight {
        std::uint64_t number{0};  // tells answers of the pool to this one from late ones to another
        Clock::time_point started;
        std::unique_ptr<net::PingRun> run;                 // null while its plan is being made
        std::shared_ptr<net::BlockingPool> pool;           // of the provider of its secrets; null: the runtime's
        std::shared_ptr<net::BlockingPool::Check> making;  // of its plan, the last time; may hang, as secrets may be files
        std::shared_ptr<std::atomic<bool>> given_up;       // the making; null before it
        std::vector<Waiter> waiters;
        std::optional<PingResult> refused;  // the log-in failed; secrets are being resolved anew
    };
    /// A stream that waits for the next ping.
    struct Kept {
        std::unique_ptr<net::Stream> stream;
        Clock::time_point since;
        std::uint32_t pings{0};
        std::uint8_t closes{0};  // how often in a row its peer closed an idle stream although the next ping was good
        bool closed_while_idle{false};
    };
    /// What the loop holds for each connection, by TargetId.
    struct Item {
        std::shared_ptr<core::Slot> slot;
        PingDepth depth{PingDepth::standard};
        std::optional<core::SlotPlan> plan;
        std::unique_ptr<Flight> flight;
        Kept kept;
    };

    // Engine::Outlet
    void event(Event event) override;
    void hold(const std::string& name, Hold hold) override;
    Whereabouts where(TargetId id) override;
    TargetId id_of(const std::string& name) override;

    void emit(Event event);

    // On the pool:
    void on_change(const RegistryChange& change);
    /// Where it stands in the index, or would. The index is not changed meanwhile.
    std::vector<std::shared_ptr<Cell>>::const_iterator place_of(std::string_view name) const;

    /// On any thread: a client's use has ended.
    void used(const std::string& name, bool answered);
    /// Likewise, and its answer was slow.
    void answered_slowly(const std::string& name, const Transfer& transfer);

    // On the loop:
    void add(const std::shared_ptr<Cell>& cell, const core::SlotView& view, std::uint64_t configuration, bool tell);
    void apply(const std::shared_ptr<Cell>& cell, const RegistryChange& change, const std::optional<core::SlotView>& view);
    void tick();
    /// To be called at the end of whatever changed something: sees to the next turn, and to what readers have not been shown.
    void rearm();
    void flush();
    void begin(TargetId id);
    void prepare(TargetId id, std::optional<std::uint64_t> refused_fingerprint);
    void prepared(const std::shared_ptr<Cell>& cell, std::uint64_t number, std::optional<Result<core::SlotPlan>> plan);
    void run(TargetId id);
    void done(TargetId id, PingResult result, std::unique_ptr<net::Stream> stream);
    void finish(TargetId id, PingResult result, std::unique_ptr<net::Stream> stream);
    void expire(TargetId id);
    void keep(TargetId id, std::unique_ptr<net::Stream> stream);
    void drop_stream(Item& item);
    void stream_closed(TargetId id);
    /// Ends the flight, if there is one, without an outcome; who waits gets the error.
    void abandon(TargetId id, const Error& why);
    void forget(Item& item);
    void join(const std::shared_ptr<ManualPing>& ping, Deadline deadline);
    /// What there is to know, piece by piece.
    template <class Sink>
    void gather(Sink&& sink) const;
    KeptHead head() const;
    void write_state(const StateKeeper::Put& put) const;
    std::uint64_t configuration_of(const core::RegistryImpl& registry, const std::shared_ptr<core::Slot>& slot) const;
    void save();
    /// From any thread: join() on the loop's.
    void post(const std::shared_ptr<ManualPing>& ping, Deadline deadline);
    void give_up_making(Flight& flight);
    void stop_on_loop();
    /// Runs it on the loop's thread and waits; at once where this is that thread, without waiting where it is another I/O thread.
    void on_loop(UniqueFunction<void()> work);
    std::shared_ptr<Cell> find(std::string_view name) const;
    /// By name.
    std::vector<std::shared_ptr<Cell>> cells() const;
    std::optional<ConnectionStatus> try_status(std::string_view name) const;
    Error unknown(std::string_view name) const;

    const MonitorOptions options_;
    const Runtime runtime_;
    const std::weak_ptr<core::RegistryImpl> registry_;
    const std::shared_ptr<net::Loop> loop_;
    std::shared_ptr<InterfaceHub> hub_;
    std::shared_ptr<StateKeeper> keeper_;  // null: no state file

    mutable std::mutex emit_mutex_;
    std::uint64_t last_seq_{0};    // guarded by emit_mutex_
    Clock::time_point last_mono_;  // guarded by emit_mutex_
    net::Listeners<Event, Subscription::State, Backlog> listeners_;
    Timeline timeline_;
    std::array<std::atomic<std::uint64_t>, 3> pings_{};  // ok, failed, inconclusive; written by the loop's thread

    mutable std::shared_mutex index_mutex_;
    std::vector<std::shared_ptr<Cell>> index_;  // by name; guarded by index_mutex_; never changed by the loop's thread
    std::mutex change_mutex_;                   // one change of the set at a time
    Subscription changes_;
    Subscription uses_;
    std::atomic<bool> closed_{false};
    std::atomic<bool> running_{false};  // written by the loop's thread

    // Loop's thread:
    AlertBoard alerts_;
    Engine engine_;
    Schedule::Turn turn_;
    std::vector<Item> items_;
    std::unique_ptr<net::Timer> timer_;
    Clock::time_point armed_{Clock::time_point::max()};
    bool tick_posted_{false};
    bool flush_posted_{false};
    bool in_stall_{false};  // deadlines that pass now are not the peers' fault
    std::uint64_t last_flight_{0};
    std::size_t kept_{0};
    std::size_t max_kept_;
    std::chrono::nanoseconds asleep_{0};  // what suspended_time() last said
    Clock::time_point woke_{};            // pings from before say nothing about their peers
    bool ended_{false};
};

}  // namespace qconn::monitor
