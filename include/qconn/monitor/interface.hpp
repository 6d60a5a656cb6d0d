// SPDX-License-Identifier: Apache-2.0
/// Workflows, services and jobs of the application, which a monitor stops and restarts with the connections that they need.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/core/registry.hpp>

namespace qconn {

/// What an interface of the application is.
enum class InterfaceKind : std::uint8_t { workflow, service, job };
QCONN_API std::string_view to_string(InterfaceKind kind) noexcept;

/// Which interface: in a monitor there is one of a kind and name.
struct InterfaceKey {
    InterfaceKind kind{InterfaceKind::service};
    std::string name;

    friend bool operator==(const InterfaceKey&, const InterfaceKey&) = default;
};
/// As in messages: `service "orders"`.
QCONN_API std::string to_string(const InterfaceKey& id);

/// How much an interface needs a connection.
enum class Dependency : std::uint8_t {
    none,
    required,  ///< it does not run without it
    optional,  ///< it runs all the same; only shown, and of no weight for the order
};
QCONN_API std::string_view to_string(Dependency dependency) noexcept;

/// How the application's workflows, services and jobs are stopped and started.
struct InterfaceOptions {
    InterfaceKind kind{InterfaceKind::service};
    std::string name{};
    /// Called on threads of the monitor's (`stop` also on the thread that calls Interface::stop()), never two at a time for one interface; may block,
    /// throw and call back into the library. Empty: nothing is called, and it counts as done.
    std::function<void()> start{};
    std::function<void()> stop{};
    /// Workflows and services are only restarted with it; jobs always.
    bool autostart{true};
    /// It is running when it is added.
    bool running{true};
    /// For operators to read; the monitor does not look at them.
    std::string version{};
    std::string id{};
    std::string description{};
    /// While one of its groups is disabled it does not run: Monitor::disable_group.
    std::vector<std::string> groups{};
    /// Names of connections that this interface offers to others. Who requires one of them is stopped before this interface and started after it.
    /// A connection is offered by one interface at most.
    std::vector<std::string> provides{};
};

enum class InterfaceState : std::uint8_t {
    running,
    stopping,  ///< its stop function runs, or will when what depends on it has stopped
    blocked,   ///< stopped because of a connection
    starting,  ///< its start function runs, or will when it is its turn
    stopped,   ///< by hand, by itself, its start failed, without autostart, or never started
    disabled,  ///< stopped because a group of its is disabled, or all interfaces are stopped
};
QCONN_API std::string_view to_string(InterfaceState state) noexcept;

/// What a monitor knows of an interface. A snapshot.
struct InterfaceInfo {
    std::string name;
    InterfaceKind kind{InterfaceKind::service};
    InterfaceState state{InterfaceState::running};
    /// Connections that it requires, sorted.
    std::vector<std::string> connections;
    /// Those of them that keep it from running: down, disabled, invalid, or offered by an interface that does not run.
    std::vector<std::string> waits_for;
    /// what() of the last start that threw; empty since one succeeded. Such a start is not tried again before one of its connections has gone down
    /// and come up, or by hand.
    std::string start_error;
    /// Connections that it uses where they are there, sorted.
    std::vector<std::string> optional;
    /// While it is stopping: the interfaces that depend on it and have not stopped yet.
    std::vector<InterfaceKey> stops_after;
    bool autostart{true};
    std::string version;
    std::string id;
    std::string description;
    std::vector<std::string> groups;
    std::vector<std::string> provides;
};

namespace monitor {
class InterfaceImpl;
}

/// Something of the application that depends on connections. Removed from its monitor when the last copy goes, which waits for a function of its that
/// is running, except from inside it and on an I/O thread; nothing is called for it then, and what it offered is no longer held back. A handle;
/// thread-safe.
class QCONN_API Interface {
public:
    /// As Registry::get, and registers the dependency, also when the look-up throws; not with Dependency::none. What is registered already stays as
    /// it is.
    /// @throws Error INTERFACE-ERROR as depend(); nothing is registered or got then
    template <class T>
    Ref<T> get(std::string_view name, Dependency dependency = Dependency::required) {
        return Ref<T>{get_slot(name, typeid(T), typeid(T).name(), dependency)};
    }
    /// Depends on a connection without getting it, or otherwise than before. There need not be one of that name yet.
    /// @throws Error INTERFACE-ERROR where interfaces would require each other in a circle, which the message names; nothing has changed then
    void depend(std::string_view connection, Dependency dependency = Dependency::required);
    /// As depend(connection, Dependency::none).
    void release(std::string_view connection) { depend(connection, Dependency::none); }
    /// By hand: stays stopped whatever its connections do. What requires the connections that it offers is stopped first. Runs the function on this
    /// thread, after one that is running, and returns then. From inside a function of an interface and on an I/O thread it returns at once, and the
    /// function is run later on a thread of the monitor's.
    void stop();
    /// By hand: runs now, or as soon as its connections and groups allow.
    void start();
    /// The application tells that it ended or started by itself.
    void set_running(bool running);
    void set_autostart(bool yes);
    InterfaceInfo info() const;

private:
    friend class Monitor;
    explicit Interface(std::shared_ptr<monitor::InterfaceImpl> impl) noexcept : impl_{std::move(impl)} {}
    std::shared_ptr<core::Slot> get_slot(std::string_view name, const std::type_info& type, const char* type_name, Dependency dependency);
    std::shared_ptr<monitor::InterfaceImpl> impl_;
};

}  // namespace qconn
