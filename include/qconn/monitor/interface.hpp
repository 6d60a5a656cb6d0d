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

/// How the application's workflows, services and jobs are stopped and started.
struct InterfaceOptions {
    InterfaceKind kind{InterfaceKind::service};
    std::string name;
    /// Called on the blocking pool (`stop` also on the thread that calls Interface::stop()), never two at a time for one interface; may block, throw
    /// and call back into the library.
    std::function<void()> start;
    std::function<void()> stop;
    /// Workflows and services are only restarted with it; jobs always.
    bool autostart{true};
    /// It is running when it is added.
    bool running{true};
};

enum class InterfaceState : std::uint8_t {
    running,
    stopping,
    blocked,  ///< stopped because of a connection
    starting,
    stopped,  ///< by hand, or never started
};
QCONN_API std::string_view to_string(InterfaceState state) noexcept;

struct InterfaceInfo {
    std::string name;
    InterfaceKind kind{InterfaceKind::service};
    InterfaceState state{InterfaceState::running};
    /// Connections it has asked for, sorted.
    std::vector<std::string> connections;
    /// Those of them that keep it from running.
    std::vector<std::string> waits_for;
    /// what() of the last start that threw; empty since one succeeded. Such a start is not tried again before one of its connections has gone down
    /// and come up, or by hand.
    std::string start_error;
};

namespace monitor {
class InterfaceImpl;
}  // namespace monitor

/// Something of the application that depends on connections. Removed from its monitor when the last copy goes, which waits for a function of its that
/// is running, except from inside it and on an I/O thread. A handle; thread-safe.
class QCONN_API Interface {
public:
    /// As Registry::get, and registers the dependency, also when the look-up throws; not where `depend` is false.
    template <class T>
    Ref<T> get(std::string_view name, bool depend = true) {
        return Ref<T>{get_slot(name, typeid(T), typeid(T).name(), depend)};
    }
    /// Depends on a connection without getting it.
    void depend(std::string_view connection);
    void release(std::string_view connection);
    /// By hand: stays stopped whatever its connections do. Runs the function on this thread, after one that is running, and returns then. From inside
    /// its own functions and on an I/O thread it returns at once, and the function is run on the blocking pool.
    void stop();
    /// By hand: runs now, or as soon as its connections allow.
    void start();
    /// The application tells that it ended or started by itself.
    void set_running(bool running);
    void set_autostart(bool yes);
    InterfaceInfo info() const;

private:
    friend class Monitor;
    explicit Interface(std::shared_ptr<monitor::InterfaceImpl> impl) noexcept : impl_{std::move(impl)} {}
    std::shared_ptr<core::Slot> get_slot(std::string_view name, const std::type_info& type, const char* type_name, bool depend);
    std::shared_ptr<monitor::InterfaceImpl> impl_;
};

}  // namespace qconn
