// SPDX-License-Identifier: Apache-2.0
/// When an interface of the application is to be stopped and started because of its connections. Pure: no threads, no callbacks, no clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/monitor/monitor.hpp>

namespace qconn::monitor {

/// One interface. What is to be done follows from its fields alone, so nothing is ever queued that has become wrong meanwhile: whoever has a thread
/// for it asks due() at that moment.
class Dependent {
public:
    enum class Act : std::uint8_t { none, stop, start };

    Dependent(InterfaceKind kind, bool autostart, bool running) noexcept : kind_{kind}, autostart_{autostart}, running_{running}, wanted_{running} {}

    /// What to begin now; nothing while something is under way. @param manage  the switch over all interfaces
    Act due(bool manage) const noexcept;
    /// What due() said is begun.
    void begun(Act act) noexcept { doing_ = act; }
    /// It has ended. A stop that threw has stopped it all the same; a start that threw has not started it.
    void ended(bool ok) noexcept;
    Act doing() const noexcept { return doing_; }

    /// Connections that keep it from running, counted.
    void block() noexcept { ++blocks_; }
    void unblock() noexcept { --blocks_; }
    int blocks() const noexcept { return blocks_; }
    /// One of its connections has come up: a start that failed is worth another try.
    void connection_came_up() noexcept { start_failed_ = false; }

    void stop_by_hand() noexcept;
    void start_by_hand() noexcept;
    /// The application says that it started or ended by itself.
    void told(bool running) noexcept;
    void set_autostart(bool yes) noexcept { autostart_ = yes; }

    bool running() const noexcept { return running_; }
    /// Neither stopped by hand nor ended by itself.
    bool wanted() const noexcept { return wanted_; }
    InterfaceState state(bool manage) const noexcept;

private:
    bool may_start() const noexcept { return asked_ || autostart_ || kind_ == InterfaceKind::job; }

    InterfaceKind kind_;
    bool autostart_;
    bool running_;
    bool wanted_;        // it should run whenever it can
    bool asked_{false};  // started by hand: autostart does not matter until it runs
    bool start_failed_{false};
    Act doing_{Act::none};
    std::optional<bool> told_;  // what the application said while it was being started
    int blocks_{0};
};

/// Which interface depends on which connection, and which connections block. Ids are the caller's.
class DependencyTable {
public:
    using Id = std::uint32_t;

    void add(Id id, Dependent dependent);
    void remove(Id id);
    Dependent& at(Id id) { return entries_.at(id).dependent; }
    const Dependent& at(Id id) const { return entries_.at(id).dependent; }

    /// @returns whether it is new
    bool depend(Id id, std::string_view connection);
    bool release(Id id, std::string_view connection);
    /// @returns the interfaces for which something may be due now
    std::vector<Id> block(std::string_view connection);
    /// @param came_up  it is up, and not just gone
    std::vector<Id> unblock(std::string_view connection, bool came_up);

    std::vector<Id> ids() const;
    /// Sorted.
    std::vector<std::string> connections(Id id) const;
    /// Those of them that block, sorted.
    std::vector<std::string> waits_for(Id id) const;

private:
    struct Entry {
        Dependent dependent;
        std::set<std::string, std::less<>> connections;
    };
    std::map<Id, Entry> entries_;
    std::map<std::string, std::set<Id>, std::less<>> dependents_of_;
    std::set<std::string, std::less<>> blocked_;
};

}  // namespace qconn::monitor
