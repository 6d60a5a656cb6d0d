// SPDX-License-Identifier: Apache-2.0
/// When an interface of the application is to be stopped and started. Pure: no threads, no callbacks, no clock.
#pragma once

#include <cstdint>
#include <optional>

#include <qconn/monitor/interface.hpp>

namespace qconn::monitor {

/// One interface. What is to be done follows from its fields alone, so nothing is ever queued that has become wrong meanwhile: whoever has a thread
/// for it asks due() at that moment.
class Dependent {
public:
    enum class Act : std::uint8_t { none, stop, start };
    /// Whether it should run whenever it can, and who says that it should not.
    enum class Wish : std::uint8_t { run, by_hand, ended, not_started };

    Dependent(InterfaceKind kind, bool autostart, bool running) noexcept
        : kind_{kind}, autostart_{autostart}, running_{running}, wish_{running ? Wish::run : Wish::not_started} {}

    /// What to begin now; nothing while something is under way. @param manage  connections stop and start interfaces
    Act due(bool manage) const noexcept;
    /// What due() said is begun.
    void begun(Act act) noexcept;
    /// It has ended. A stop that threw has stopped it all the same; a start that threw has not started it.
    void ended(bool ok) noexcept;
    Act doing() const noexcept { return doing_; }

    /// Connections that keep it from running, counted.
    void block() noexcept { ++blocks_; }
    void unblock() noexcept { --blocks_; }
    int blocks() const noexcept { return blocks_; }
    /// What an operator has said of many at once keeps it from running, counted: a disabled group, the end of all.
    void hold() noexcept { ++holds_; }
    void unhold() noexcept;
    int holds() const noexcept { return holds_; }
    /// One of its connections has come up: a start that failed is worth another try.
    void connection_came_up() noexcept;

    void stop_by_hand() noexcept;
    void start_by_hand() noexcept;
    /// The application says that it started or ended by itself.
    void told(bool running) noexcept;
    void set_autostart(bool yes) noexcept { autostart_ = yes; }

    InterfaceKind kind() const noexcept { return kind_; }
    bool autostart() const noexcept { return autostart_; }
    bool running() const noexcept { return running_; }
    Wish wish() const noexcept { return wish_; }
    bool start_failed() const noexcept { return start_failed_; }
    /// Its next start was asked for by hand.
    bool asked() const noexcept { return asked_; }
    /// Nothing speaks against its running.
    bool is_free(bool manage) const noexcept { return wish_ == Wish::run && holds_ == 0 && (!manage || blocks_ == 0); }
    /// It would be started were it free.
    bool may_start() const noexcept { return asked_ || autostart_ || kind_ == InterfaceKind::job; }
    /// It runs, and is not on its way to being stopped.
    bool stays(bool manage) const noexcept { return running_ && doing_ == Act::none && is_free(manage); }
    InterfaceState state(bool manage) const noexcept;

private:
    InterfaceKind kind_;
    bool autostart_;
    bool running_;
    Wish wish_;
    bool asked_{false};    // started by hand: autostart does not matter until it runs
    bool resumes_{false};  // a hold has stopped it, so it starts when that goes also where connections start nothing
    bool start_failed_{false};
    bool try_again_{false};  // a connection has come up while it was being started
    Act doing_{Act::none};
    std::optional<bool> told_;  // what the application said while it was being started
    int blocks_{0};
    int holds_{0};
};

}  // namespace qconn::monitor
