// SPDX-License-Identifier: Apache-2.0
/// Which interface requires which connection, which interface offers which, and what is due for each because of that. Pure: no threads, no callbacks,
/// no clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/monitor/interface.hpp>

#include "monitor/dependents.hpp"

namespace qconn::monitor {

/// The interfaces of a monitor. Ids are the caller's.
///
/// An interface *offers* its connections while it runs and is to go on running. As soon as that is not so, each of them is *withheld*: it blocks what
/// requires it, as a connection that is down does, and so on along the chain. An interface is stopped when nothing that it withholds connections from
/// runs any more. There are no circles, so that always comes.
///
/// A copy is a dry run.
class DependencyGraph {
public:
    using Id = std::uint32_t;
    using Act = Dependent::Act;
    struct Node {
        std::string name;
        Dependent dependent;
        std::set<std::string, std::less<>> provides{};
        std::set<std::string, std::less<>> groups{};
    };

    explicit DependencyGraph(bool manage = true) noexcept : manage_{manage} {}

    /// None of its connections may be offered by another.
    void add(Id id, Node node);
    void remove(Id id);
    bool contains(Id id) const { return entries_.contains(id); }
    std::optional<Id> find(InterfaceKind kind, std::string_view name) const;
    std::optional<Id> provider_of(std::string_view connection) const;

    /// The circle that would come about if it required that connection, from the interface back to itself, as texts; empty: none.
    std::vector<std::string> circle(Id id, std::string_view connection) const;
    /// It must not make a circle.
    void depend(Id id, std::string_view connection, Dependency how);
    Dependency dependency(Id id, std::string_view connection) const;

    void block(std::string_view connection);
    void unblock(std::string_view connection);
    /// It is up anew, which need not mean yet that it blocks no more.
    void came_up(std::string_view connection);

    void stop_by_hand(Id id);
    void start_by_hand(Id id);
    void told(Id id, bool running);
    void set_autostart(Id id, bool yes);
    void set_manage(bool yes);
    void set_group(std::string_view group, bool enabled);
    void set_all_stopped(bool yes);

    /// What to begin now.
    Act due(Id id) const;
    void begun(Id id, Act act);
    void ended(Id id, bool ok);

    /// The interfaces for which something may be due since this was last asked.
    std::vector<Id> take_changed();

    const Dependent& at(Id id) const { return entries_.at(id).node.dependent; }
    InterfaceKey key(Id id) const;
    InterfaceState state(Id id) const { return at(id).state(manage_); }
    bool manage() const noexcept { return manage_; }
    bool all_stopped() const noexcept { return all_stopped_; }
    const std::set<std::string, std::less<>>& disabled_groups() const noexcept { return disabled_groups_; }
    const std::set<std::string, std::less<>>& provides(Id id) const { return entries_.at(id).node.provides; }
    const std::set<std::string, std::less<>>& groups(Id id) const { return entries_.at(id).node.groups; }
    std::vector<Id> ids() const;
    /// Who depends on it in that way.
    std::vector<Id> dependents_of(std::string_view connection, Dependency how) const;
    bool knows(std::string_view connection) const;
    /// Its connections of that kind, sorted.
    std::vector<std::string> connections(Id id, Dependency how) const;
    /// The required ones that keep it from running, sorted.
    std::vector<std::string> waits_for(Id id) const;
    bool is_blocked(std::string_view connection) const { return blocked_.contains(connection); }
    /// Its interface does not offer it now.
    bool is_withheld(std::string_view connection) const;
    /// What must have stopped before it is.
    std::vector<Id> stops_after(Id id) const;

private:
    struct Entry {
        Node node;
        bool offers{false};
        std::map<std::string, Dependency, std::less<>> connections{};
    };
    using Users = std::map<std::string, std::map<Id, Dependency>, std::less<>>;

    /// To be called after each change of an interface: what it means for the others.
    void follow(Id id);
    template <class Change>
    void change(Id id, Change change) {
        change(entries_.at(id).node.dependent);
        follow(id);
    }
    void mark_provider(std::string_view connection);
    /// How many times a connection blocks who requires it: it is down, it is withheld.
    int weight(std::string_view connection) const { return int{is_blocked(connection)} + int{is_withheld(connection)}; }
    /// It has to go, and something of it is still there.
    bool is_leaving(Id id) const;
    bool reaches(std::string_view connection, Id target, std::set<Id>& seen, std::vector<std::string>& path) const;

    std::map<Id, Entry> entries_;
    Users users_;  // of connections
    std::map<std::string, Id, std::less<>> providers_;
    std::set<std::string, std::less<>> blocked_;
    std::set<std::string, std::less<>> disabled_groups_;
    std::set<Id> changed_;
    bool manage_;
    bool all_stopped_{false};
};

}  // namespace qconn::monitor
