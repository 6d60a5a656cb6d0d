// SPDX-License-Identifier: Apache-2.0
#include "monitor/interfaces.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <tuple>
#include <utility>

#include <qconn/monitor/monitor_error.hpp>

namespace qconn {

std::string_view to_string(InterfaceKind kind) noexcept {
    constexpr std::array<std::string_view, 3> names{"workflow", "service", "job"};
    return names[static_cast<std::size_t>(kind)];
}

std::string to_string(const InterfaceKey& key) { return std::string{to_string(key.kind)} + " \"" + key.name + '"'; }

std::string_view to_string(Dependency dependency) noexcept {
    constexpr std::array<std::string_view, 3> names{"none", "required", "optional"};
    return names[static_cast<std::size_t>(dependency)];
}

std::string_view to_string(InterfaceState state) noexcept {
    constexpr std::array<std::string_view, 6> names{"running", "stopping", "blocked", "starting", "stopped", "disabled"};
    return names[static_cast<std::size_t>(state)];
}

}  // namespace qconn

namespace qconn::monitor {

namespace {

Error refusal(std::string message) { return Error{MonitorErrc::interface, "INTERFACE-ERROR", std::move(message)}; }

}  // namespace

InterfaceHub::InterfaceHub(Runtime runtime, const MonitorOptions& options, Tell tell)
    : runtime_{std::move(runtime)},
      tell_{std::move(tell)},
      pool_{std::make_shared<net::BlockingPool>("qconn-interface", CallLimits{}.most + 1, runtime_.log(), nullptr)},
      graph_{options.manage_interfaces},
      queue_{CallLimits::of(options)} {}

// ---- the set -----------------------------------------------------------------------------------------------------------------------------

InterfaceHub::Id InterfaceHub::add(InterfaceOptions options) {
    const InterfaceKey key{options.kind, options.name};
    const std::scoped_lock lock{mutex_};
    if (graph_.find(options.kind, options.name))
        throw refusal("there is a " + to_string(key) + " in this monitor already; use that one, or let go of it first").with_reason(Reason::exists);
    for (const auto& connection : options.provides)
        if (const auto other = graph_.provider_of(connection))
            throw refusal(to_string(key) + " cannot offer \"" + connection + "\", as " + to_string(graph_.key(*other)) + " offers it already")
                .with_reason(Reason::exists);
    const Id id = ++last_id_;
    graph_.add(id, {options.name,
                    Dependent{options.kind, options.autostart, options.running},
                    {options.provides.begin(), options.provides.end()},
                    {options.groups.begin(), options.groups.end()}});
    auto entry = std::make_shared<Entry>();
    entry->options = std::move(options);
    entries_.emplace(id, std::move(entry));
    look();
    return id;
}

void InterfaceHub::remove(Id id) noexcept {
    Lock lock{mutex_};
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const auto entry = found->second;
    entry->removed = true;
    entries_.erase(found);
    graph_.remove(id);
    look();
    changed_.notify_all();
    if (!runtime_.on_io_thread()) wait_for_end(lock, [&](const Entry& one) { return &one == entry.get(); });
    lock.unlock();  // the functions, which are the application's, go without it
}

void InterfaceHub::close(bool wait) noexcept {
    {
        Lock lock{mutex_};
        closed_ = true;
        queue_.clear();
        changed_.notify_all();
        if (wait) wait_for_end(lock, [](const Entry&) { return true; });
    }
    pool_->discard();
}

// ---- dependencies ------------------------------------------------------------------------------------------------------------------------

void InterfaceHub::make(Id id, std::string_view connection, Dependency how) {
    if (how == Dependency::required) {
        const auto circle = graph_.circle(id, connection);
        if (!circle.empty()) {
            std::string text;
            for (const auto& one : circle) text.append(text.empty() ? "" : " -> ").append(one);
            throw refusal(circle.front() + " cannot require \"" + std::string{connection} + "\", as none of these could be started first: " + text +
                          "; make one of the dependencies optional");
        }
    }
    graph_.depend(id, connection, how);
    look();
}

void InterfaceHub::depend(Id id, std::string_view connection, Dependency how) {
    const std::scoped_lock lock{mutex_};
    if (entries_.contains(id)) make(id, connection, how);
}

void InterfaceHub::depend_newly(Id id, std::string_view connection, Dependency how) {
    const std::scoped_lock lock{mutex_};
    if (entries_.contains(id) && graph_.dependency(id, connection) == Dependency::none) make(id, connection, how);
}

void InterfaceHub::hold(std::string_view connection, Hold hold) {
    if (hold == Hold::keep) return;
    const std::scoped_lock lock{mutex_};
    if (hold == Hold::block)
        graph_.block(connection);
    else
        graph_.unblock(connection);
    look();
}

void InterfaceHub::came_up(std::string_view connection) {
    const std::scoped_lock lock{mutex_};
    graph_.came_up(connection);
    look();
}

// ---- what is asked for -------------------------------------------------------------------------------------------------------------------

void InterfaceHub::stop(Id id) {
    Lock lock{mutex_};
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const auto entry = found->second;
    graph_.stop_by_hand(id);
    // What it would wait for may wait for the function that this is called from.
    if (called_from() || runtime_.on_io_thread()) return look();
    ++entry->stoppers;
    look();
    while (!closed_ && !entry->removed) {
        // On this thread, so that it needs none of the pool's.
        if (graph_.due(id) == DependencyGraph::Act::stop) act(id, entry, lock, false);
        if (entry->removed || (graph_.at(id).doing() == Dependent::Act::none && graph_.state(id) != InterfaceState::stopping)) break;
        changed_.wait(lock);
    }
    --entry->stoppers;
    if (!entry->removed) look_at(id);
}

void InterfaceHub::start(Id id) {
    const std::scoped_lock lock{mutex_};
    if (!entries_.contains(id)) return;
    graph_.start_by_hand(id);
    look();
}

void InterfaceHub::set_running(Id id, bool running) {
    const std::scoped_lock lock{mutex_};
    if (!entries_.contains(id)) return;
    const bool was_running = graph_.at(id).running();
    graph_.told(id, running);
    if (graph_.at(id).running() != was_running) entries_.at(id)->since = std::chrono::system_clock::now();
    look();
}

void InterfaceHub::set_autostart(Id id, bool yes) {
    const std::scoped_lock lock{mutex_};
    if (!entries_.contains(id)) return;
    graph_.set_autostart(id, yes);
    look();
}

void InterfaceHub::set_manage(bool yes) {
    const std::scoped_lock lock{mutex_};
    graph_.set_manage(yes);
    look();
}

bool InterfaceHub::manage() const noexcept {
    const std::scoped_lock lock{mutex_};
    return graph_.manage();
}

void InterfaceHub::set_group(std::string_view group, bool enabled) {
    const std::scoped_lock lock{mutex_};
    graph_.set_group(group, enabled);
    look();
}

std::vector<std::string> InterfaceHub::disabled_groups() const {
    const std::scoped_lock lock{mutex_};
    return {graph_.disabled_groups().begin(), graph_.disabled_groups().end()};
}

bool InterfaceHub::stop_all(Deadline deadline) {
    Lock lock{mutex_};
    graph_.set_all_stopped(true);
    look();
    const auto all_stopped = [this] {
        return std::all_of(entries_.begin(), entries_.end(), [this](const auto& one) {
            const Dependent& dependent = graph_.at(one.first);
            return !dependent.running() && dependent.doing() == Dependent::Act::none;
        });
    };
    const auto over = [&] { return closed_ || all_stopped(); };
    if (!called_from() && !runtime_.on_io_thread()) {
        if (deadline.is_never())
            changed_.wait(lock, over);
        else
            changed_.wait_until(lock, deadline.when(), over);
    }
    return all_stopped();
}

void InterfaceHub::start_all() {
    const std::scoped_lock lock{mutex_};
    graph_.set_all_stopped(false);
    look();
}

// ---- what is done ------------------------------------------------------------------------------------------------------------------------

void InterfaceHub::look() {
    for (const Id id : graph_.take_changed()) look_at(id);
}

void InterfaceHub::look_at(Id id) {
    const DependencyGraph::Act due = graph_.due(id);
    if (closed_ || due == DependencyGraph::Act::none) return;
    if (due == DependencyGraph::Act::stop && entries_.at(id)->stoppers > 0) return changed_.notify_all();
    queue_.add(id, lane(id));
    want_worker();
}

CallQueue::Lane InterfaceHub::lane(Id id) const {
    return graph_.due(id) == DependencyGraph::Act::start && !graph_.at(id).asked() ? CallQueue::Lane::restart : CallQueue::Lane::urgent;
}

void InterfaceHub::want_worker() {
    if (lookout_) return changed_.notify_all();
    // Those that find nothing to do go again, but one stays as the lookout.
    if (workers_ >= queue_.running() + std::min(queue_.queued(), CallLimits{}.at_once)) return;
    ++workers_;
    const auto work = [self = shared_from_this()] { self->work(); };
    try {
        pool_->post(work);
    } catch (const Error&) {
        // The system has no thread for it; the runtime may have one.
        try {
            runtime_.post_blocking(work);
        } catch (const Error&) { --workers_; }
    }
}

CallQueue::Next InterfaceHub::next() {
    for (;;) {
        const CallQueue::Next next = queue_.next(Clock::now());
        if (!next.id) return next;
        // What was due when it was queued may not be any more.
        const auto found = entries_.find(*next.id);
        if (found == entries_.end()) continue;
        const DependencyGraph::Act due = graph_.due(*next.id);
        if (due == DependencyGraph::Act::none || (due == DependencyGraph::Act::stop && found->second->stoppers > 0)) continue;
        if (lane(*next.id) == next.lane || next.lane == CallQueue::Lane::restart) return next;
        queue_.add(*next.id, CallQueue::Lane::restart);
    }
}

void InterfaceHub::work() {
    Lock lock{mutex_};
    for (;;) {
        const CallQueue::Next next = this->next();
        if (!next.id) {
            if (closed_ || lookout_ || queue_.empty()) break;
            lookout_ = true;
            if (next.until == Clock::time_point::max())
                changed_.wait(lock);
            else
                changed_.wait_until(lock, next.until);
            lookout_ = false;
            continue;
        }
        auto entry = entries_.at(*next.id);
        if (!queue_.empty()) want_worker();
        act(*next.id, entry, lock, true);
        if (!entry->removed) continue;
        lock.unlock();  // the functions, which are the application's, go without it
        entry.reset();
        lock.lock();
    }
    --workers_;
}

void InterfaceHub::act(Id id, const std::shared_ptr<Entry>& entry, Lock& lock, bool on_pool) {
    const DependencyGraph::Act due = graph_.due(id);
    if (closed_ || due == DependencyGraph::Act::none) return;
    const bool is_stop = due == DependencyGraph::Act::stop;
    entry->caller = std::this_thread::get_id();
    entry->since = std::chrono::system_clock::now();
    running_.push_back(entry);
    if (on_pool) queue_.begun(id, lane(id), Clock::now());
    graph_.begun(id, due);
    look();
    std::function<void()> function = is_stop ? entry->options.stop : entry->options.start;
    const std::string name = entry->options.name;

    lock.unlock();
    tell_(is_stop ? EventKind::stop : EventKind::start, name);
    bool ok = true;
    std::string problem;
    try {
        if (function) function();
    } catch (const std::exception& e) {
        ok = false;
        problem = e.what();
    } catch (...) {
        ok = false;
        problem = "it threw something that is no std::exception";
    }
    if (!ok)
        runtime_.log().write({LogLevel::warning,
                              {},
                              is_stop ? "interface-stop-threw" : "interface-start-threw",
                              problem,
                              {{"interface", name}, {"kind", std::string{to_string(entry->options.kind)}}}});
    function = nullptr;
    lock.lock();

    entry->caller = {};
    std::erase(running_, entry);
    queue_.ended(id);
    if (!entry->removed) {
        entry->since = std::chrono::system_clock::now();
        if (!is_stop) entry->start_error = problem;
        graph_.ended(id, ok);
        look();
    }
    changed_.notify_all();
}

std::shared_ptr<InterfaceHub::Entry> InterfaceHub::called_from() const {
    const auto found = std::find_if(running_.begin(), running_.end(), [](const auto& entry) { return entry->caller == std::this_thread::get_id(); });
    return found == running_.end() ? nullptr : *found;
}

template <class Which>
void InterfaceHub::wait_for_end(Lock& lock, Which which) {
    const auto self = called_from();
    if (self) self->waits = true;
    changed_.notify_all();
    changed_.wait(lock, [&] {
        return std::none_of(running_.begin(), running_.end(), [&](const auto& entry) {
            return which(*entry) && entry->caller != std::this_thread::get_id() && !(self && entry->waits);
        });
    });
    if (self) self->waits = false;
}

// ---- what is read ------------------------------------------------------------------------------------------------------------------------

InterfaceInfo InterfaceHub::info_locked(Id id) const {
    const Entry& entry = *entries_.at(id);
    InterfaceInfo info;
    info.name = entry.options.name;
    info.kind = entry.options.kind;
    info.state = graph_.state(id);
    info.connections = graph_.connections(id, Dependency::required);
    info.waits_for = graph_.waits_for(id);
    info.start_error = entry.start_error;
    info.optional = graph_.connections(id, Dependency::optional);
    if (info.state == InterfaceState::stopping)
        for (const Id one : graph_.stops_after(id)) info.stops_after.push_back(graph_.key(one));
    info.autostart = graph_.at(id).autostart();
    info.version = entry.options.version;
    info.id = entry.options.id;
    info.description = entry.options.description;
    info.groups = entry.options.groups;
    info.provides = entry.options.provides;
    return info;
}

InterfaceInfo InterfaceHub::info(Id id) const {
    const std::scoped_lock lock{mutex_};
    return entries_.contains(id) ? info_locked(id) : InterfaceInfo{};
}

std::vector<InterfaceInfo> InterfaceHub::infos() const {
    std::vector<InterfaceInfo> infos;
    {
        const std::scoped_lock lock{mutex_};
        infos.reserve(entries_.size());
        for (const auto& [id, entry] : entries_) infos.push_back(info_locked(id));
    }
    std::sort(infos.begin(), infos.end(), [](const auto& a, const auto& b) { return std::tie(a.name, a.kind) < std::tie(b.name, b.kind); });
    return infos;
}

bool InterfaceHub::knows(std::string_view connection) const {
    const std::scoped_lock lock{mutex_};
    return graph_.knows(connection);
}

Facts InterfaceHub::facts_locked(const StatusOf& status) const {
    struct Known {
        std::chrono::system_clock::time_point since;
        std::string start_error;
    };
    const auto known = std::make_shared<std::map<Id, Known>>();
    for (const auto& [id, entry] : entries_) known->emplace(id, Known{entry->since, entry->start_error});
    return {status, [known](Id id) { return known->at(id).since; }, [known](Id id) { return known->at(id).start_error; }};
}

Impact InterfaceHub::impact(std::string_view connection, const StatusOf& status) const {
    Lock lock{mutex_};
    const DependencyGraph graph = graph_;
    const Facts facts = facts_locked(status);
    lock.unlock();
    return impact_of(graph, connection, facts);
}

WhyStopped InterfaceHub::why_stopped(InterfaceKind kind, std::string_view name, const StatusOf& status) const {
    Lock lock{mutex_};
    const auto id = graph_.find(kind, name);
    const InterfaceKey key{kind, std::string{name}};
    if (!id) throw refusal("there is no " + to_string(key) + " in this monitor").with_reason(Reason::not_found);
    const DependencyGraph graph = graph_;
    const Facts facts = facts_locked(status);
    lock.unlock();
    return {key, graph.state(*id), reasons_of(graph, *id, facts)};
}

}  // namespace qconn::monitor
