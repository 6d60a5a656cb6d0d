// SPDX-License-Identifier: Apache-2.0
/// A monitor in a time of its own: hours of pings, outages and restarts in a moment, the same in every run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/core/monitoring.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/impact.hpp>
#include <qconn/monitor/interface.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/outage.hpp>
#include <qconn/net/ping.hpp>
#include <qconn/testing/event_recorder.hpp>
#include <qconn/testing/script.hpp>

namespace qconn::testing {

/// An interface of a TestMonitor; as Interface, and its functions are called in the place of what calls for them. Removed when the last copy goes.
/// @note One thread at a time, the monitor's.
class QCONN_API TestInterface {
public:
    /// As Interface::get, of the registry that the monitor was made with. @throws Error also where there was none
    template <class T>
    Ref<T> get(std::string_view name, Dependency dependency = Dependency::required) {
        if (dependency != Dependency::none && !depends_on(name)) depend(name, dependency);
        return registry().get<T>(name);
    }
    /// @throws Error INTERFACE-ERROR for a circle
    void depend(std::string_view connection, Dependency dependency = Dependency::required);
    void release(std::string_view connection) { depend(connection, Dependency::none); }
    void stop();
    void start();
    void set_running(bool running);
    void set_autostart(bool yes);
    InterfaceInfo info() const;

private:
    friend class TestMonitor;
    class Impl;
    explicit TestInterface(std::shared_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
    bool depends_on(std::string_view connection) const;
    Registry& registry() const;
    std::shared_ptr<Impl> impl_;
};

/// The rules of Monitor (schedule, states, alerts, outages, damping, interfaces) without threads, sockets and clock. Nothing is dialled: pings are
/// answered by a RemoteEnd for each connection. Time passes in advance() and ping() only; listeners and functions of interfaces are called from
/// inside these, and from inside what else causes it, in order. The members that Monitor has too are called as there, so that code which gets the
/// monitor as a template parameter works with both.
/// @note One thread at a time.
class QCONN_API TestMonitor {
public:
    /// Without connections: add() them.
    explicit TestMonitor(MonitorOptions options = {});
    /// With the connections of a registry as they are now, by the rules of their definitions. Changes of it are not followed. It must outlive this.
    explicit TestMonitor(Registry& registry, MonitorOptions options = {});
    TestMonitor(const TestMonitor&) = delete;
    TestMonitor& operator=(const TestMonitor&) = delete;
    ~TestMonitor();

    /// @param host  "host:port" that it shares with others, for outages; empty: none
    void add(std::string_view name, const MonitoringRules& rules = {}, std::string_view host = {});
    void remove(std::string_view name);
    void enable(std::string_view name);
    void disable(std::string_view name);
    /// What pings of that connection meet. At first all is ok.
    RemoteEnd operator[](std::string_view name);

    void start();
    void stop();
    /// Lets time pass, with all that happens meanwhile. @throws Error INVALID-ARGUMENT from inside a listener or a function of an interface
    void advance(std::chrono::milliseconds time);
    /// Until the condition holds; looks at it after each thing that happens. @returns false where it did not within that time
    bool advance_until(const std::function<bool()>& condition, std::chrono::milliseconds limit);
    /// Since this was made.
    std::chrono::milliseconds elapsed() const;
    /// Begins with the year 2026.
    std::chrono::system_clock::time_point now() const;
    /// A ping by hand, as long as it takes; the deadline, which would be one of the real clock, has no meaning.
    /// @throws Error CONNECTION-UNKNOWN, CONNECTION-DISABLED; INVALID-ARGUMENT as advance()
    PingResult ping(std::string_view name, Deadline deadline = {});

    /// Called at once for each event. SubscribeOptions::queue has no meaning.
    Subscription subscribe(std::function<void(const Event&)> listener, SubscribeOptions options = {});
    /// True: nothing ever waits.
    bool drain(Deadline = {}) const { return true; }
    /// All events so far.
    EventRecorder& events();

    ConnectionStatus status(std::string_view name) const;
    std::vector<ConnectionStatus> statuses() const;
    std::vector<Alert> alerts() const;
    std::vector<Outage> outages() const;
    bool acknowledge(std::uint64_t id, std::string_view who, std::string_view note = {});

    /// @throws Error INTERFACE-ERROR
    TestInterface add_interface(InterfaceOptions options);
    std::vector<InterfaceInfo> interfaces() const;
    void set_manage_interfaces(bool yes);
    bool manage_interfaces() const;
    void disable_group(std::string_view group);
    void enable_group(std::string_view group);
    std::vector<std::string> disabled_groups() const;
    /// @returns whether all have stopped: false from inside a function of one of them
    bool stop_interfaces(Deadline = {});
    void start_interfaces();
    Impact impact(std::string_view connection) const;
    WhyStopped why_stopped(InterfaceKind kind, std::string_view name) const;

private:
    friend class TestInterface;
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn::testing
