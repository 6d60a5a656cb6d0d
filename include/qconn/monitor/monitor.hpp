// SPDX-License-Identifier: Apache-2.0
/// Pings every connection of a registry, says what is up and down, stops and restarts what depends on it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/monitor/certificate.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/history.hpp>
#include <qconn/monitor/impact.hpp>
#include <qconn/monitor/interface.hpp>
#include <qconn/monitor/outage.hpp>
#include <qconn/monitor/snapshot.hpp>
#include <qconn/net/ping.hpp>

namespace qconn {

/// How often, and how patiently, connections are pinged. Those down to `flap_window`, but for `slow` and the caps, a connection may have of its own
/// (core/monitoring.hpp).
struct MonitorOptions {
    /// Time between two pings of one connection, start to start. Not below 100 ms. Zero: only manual pings.
    std::chrono::milliseconds interval{30'000};
    /// A ping that has not ended by then has failed.
    std::chrono::milliseconds timeout{30'000};
    /// A ping that takes longer is slow: ConnectionStatus::slow, long before it fails, and the event `slow`. Zero: half of `timeout`, and no event.
    /// As long as `timeout` or longer: none is.
    std::chrono::milliseconds slow{0};
    /// Failures in a row that make a connection down. At least 1.
    int fall{2};
    /// Successes in a row that make a down connection up. At least 1.
    int rise{1};
    /// Time to the next ping after a first failure (and after a first success with rise above 1). Zero: interval/10, within 100 ms and 2 s.
    std::chrono::milliseconds fast{0};
    PingDepth depth{PingDepth::standard};
    /// `interval` while a connection is down. Zero: the same.
    std::chrono::milliseconds interval_down{0};
    /// A connection stays up, or down, for at least so long, whatever its pings say.
    std::chrono::milliseconds min_up{0};
    std::chrono::milliseconds min_down{0};
    /// What depends on a connection that came back starts again only once it has been up for so long.
    std::chrono::milliseconds restart_delay{0};
    /// A connection flaps when it has gone down more often than this within `flap_window`: CONNECTION-FLAPPING is raised, and until that is over
    /// its dependents stay stopped. Zero: never.
    int flap_changes{0};
    std::chrono::milliseconds flap_window{600'000};
    /// A use of a client that could not reach its remote end, got no answer or was cut off asks for a ping at once (not more often than the fast
    /// time). It counts for nothing itself.
    bool ping_after_failed_use{true};
    /// A use that was answered counts as a good ping; of one client at most one in a second.
    bool count_uses{false};
    /// Pings under way at once, in all (and never more than a quarter of the descriptors that the process may have) and to one host and port.
    std::size_t max_in_flight{4096};
    std::size_t max_per_host{64};
    /// Used percentage of a file connection's file system (space or inodes) above which FILESYSTEM-FULL is raised.
    int alert_fs_full{85};
    /// CERTIFICATE-EXPIRES is raised when the certificate of a connection's server has fewer days left, CREDENTIAL-EXPIRES when its own or its token
    /// has. Zero: once it has expired.
    int alert_certificate_days{14};
    /// A call on a client whose answer began so much later than its request ended raises SOCKET-OPERATION-WARNING, a transient alert, of one
    /// connection at most one in a minute. Zero: none does.
    std::chrono::milliseconds alert_late_answer{10'000};
    /// An answer that arrives with fewer bytes in a second than these: SOCKET-THROUGHPUT-WARNING, likewise. Zero: none.
    std::size_t alert_throughput{20'480};
    /// One that takes less time to arrive says nothing about that.
    std::chrono::milliseconds alert_throughput_time{1000};
    /// Connections that go down for one cause (monitor/outage.hpp) have one alert; false: each has its own.
    bool group_alerts{true};
    /// Interfaces are stopped and started as their connections go down and come up. Alerts and events come in any case.
    bool manage_interfaces{true};
    /// Start functions of interfaces that run at once after an outage, and that are begun in a second. Zero: no limit. What is started by hand does
    /// not count, and stops are not held back.
    std::size_t restarts_at_once{8};
    std::size_t restarts_per_second{50};
    /// What Monitor::history and Monitor::timeline tell is remembered: some 150 bytes a connection that has never failed, some kilobytes one that has
    /// often.
    bool history{true};
    /// A file in which the monitor keeps what it knows, for its next run and for other processes (read_monitor_state). What was down is down again
    /// after a restart, since the same time, and the alert for it stands with the same number; neither is told again. Written within seconds of a
    /// change and at stop(). Empty: none. One that cannot be used is logged and set aside. One monitor at a time has it, by a lock on FILE.lock:
    /// another one waits for it for at most a second, when it is made, then says so in the log and goes without.
    std::string state_file{};
};

namespace monitor {
class MonitorImpl;
}

/// Watches the connections of a registry. Registry and monitor may go in any order.
/// @note Thread-safe.
class QCONN_API Monitor {
public:
    explicit Monitor(Registry& registry, MonitorOptions options = {});
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    /// As stop(), and ends all subscriptions; interfaces are left as they are (see stop_interfaces()). Waits for listeners and functions of
    /// interfaces that are running, except for one that it is called from. On an I/O thread it waits for none: they may still be running when it has
    /// returned, and must not use the monitor any more; those that wait in ping() get CANCELLED. A writing of the state file that is under way is
    /// waited for likewise, but where its file system hangs for 5 s at most; otherwise nothing is written or logged for the file any more.
    ~Monitor();

    /// Begins to ping. The first ping of each connection comes within its interval, spread by name.
    void start();
    /// Ends pinging. When it has returned no ping is under way (on an I/O thread of a runtime that has several: soon after); events that have
    /// happened are still delivered. The state file has what was known, and a writing of it that is under way is waited for (5 s at most each where
    /// its file system hangs), except on an I/O thread. States stay readable.
    void stop();

    /// Events of one connection arrive in order; a listener is never called twice at once; a slow or throwing one delays nobody else.
    /// Calls come from the runtime's threads with no lock held: it may call anything, and unsubscribe itself. What it throws is counted and logged.
    Subscription subscribe(std::function<void(const Event&)> listener, SubscribeOptions options = {});
    /// Waits until each listener has been called for what has happened so far: after stop(), before sinks are destroyed. Not from a listener.
    /// @returns false where the deadline came first
    bool drain(Deadline deadline = {});

    /// From memory; no ping, no lock that a ping waits for. @throws Error CONNECTION-UNKNOWN
    ConnectionStatus status(std::string_view name) const;
    std::vector<ConnectionStatus> statuses() const;
    /// From memory likewise; empty but for the name where MonitorOptions::history is off. @throws Error CONNECTION-UNKNOWN
    ConnectionHistory history(std::string_view name) const;
    /// The latest 1000 events, the oldest first; those with `seq` zero are from before this process (MonitorOptions::state_file). Left out are
    /// `failing`, `recovered`, and the `up` of a connection that was unknown and of which there is nothing else.
    std::vector<Event> timeline(const TimelineFilter& filter = {}) const;
    /// Of all connections that have shown one, what expires first comes first.
    std::vector<ConnectionCertificate> certificates() const;
    /// What they have besides, as pings have seen it: client certificates, tokens that only a person can replace, host keys. What ends first comes
    /// first, what has no end last.
    std::vector<ConnectionCredential> credentials() const;
    /// All of it together, as it goes into the state file. Takes time for each connection; no ping waits for it.
    MonitorSnapshot snapshot() const;
    /// The ongoing ones, in the order in which they were raised.
    std::vector<Alert> alerts() const;
    /// What is down, by cause, in the order in which it began.
    std::vector<Outage> outages() const;
    /// Notes on an ongoing alert who sees to it, in the place of an earlier note. It stands and is cleared as ever; the next one of its kind is a new
    /// one. As Registry::acknowledge of its connection: so it counts for all its ongoing alerts, and after a restart.
    /// Writes the registry's state file: not on an I/O thread. @returns false where no such alert stands @throws Error INVALID-ARGUMENT: no `who`
    bool acknowledge(std::uint64_t id, std::string_view who, std::string_view note = {});
    /// Tells of something that was noticed once and is not watched: an `alert` event with `transient`, and one of recent_alerts(). `name` need not be
    /// a connection of this registry; where it is one the event has its state.
    void raise_transient(std::string type, std::string name, std::string text);
    /// The latest 100 transient alerts, the oldest first.
    std::vector<Alert> recent_alerts() const;
    MonitorCounts counts() const;
    MonitorHealth health() const;

    /// A manual ping: joins the one under way, or starts now. It counts like any other. The one that waits throws Error INVALID-ARGUMENT on an I/O
    /// thread of the runtime, CANCELLED where the monitor stops.
    PingResult ping(std::string_view name, Deadline deadline = {});
    Operation async_ping(std::string name, Deadline deadline, Callback<PingResult> callback);

    /// @throws Error INTERFACE-ERROR where kind and name are taken, or another interface offers one of its connections
    Interface add_interface(InterfaceOptions options);
    /// Sorted by name, then kind.
    std::vector<InterfaceInfo> interfaces() const;
    void set_manage_interfaces(bool yes);
    bool manage_interfaces() const noexcept;

    /// Stops the interfaces of a group, in order, and keeps them stopped, whatever else they are in; also those that are added later. Returns at
    /// once. Holds with manage_interfaces off too.
    void disable_group(std::string_view group);
    /// Its interfaces start as after an outage: workflows and services with autostart, jobs always.
    void enable_group(std::string_view group);
    /// Sorted.
    std::vector<std::string> disabled_groups() const;

    /// Stops all interfaces, what depends on others first, and starts none from then on; with manage_interfaces off too. To be called before the end
    /// of the application: the end of the monitor calls no function. From inside a function of an interface and on an I/O thread it returns at once.
    /// @returns whether all have stopped by the deadline; the others go on being stopped
    bool stop_interfaces(Deadline deadline = {});
    /// Takes that back: they start as after an outage, in order.
    void start_interfaces();

    /// What would happen if that connection went down now. @throws Error CONNECTION-UNKNOWN
    Impact impact(std::string_view connection) const;
    /// @throws Error INTERFACE-ERROR where there is no such interface
    WhyStopped why_stopped(InterfaceKind kind, std::string_view name) const;

    const MonitorOptions& options() const noexcept;

private:
    std::shared_ptr<monitor::MonitorImpl> impl_;
};

}  // namespace qconn
