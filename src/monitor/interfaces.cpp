// SPDX-License-Identifier: Apache-2.0
#include "monitor/interfaces.hpp"

#include <array>
#include <exception>
#include <utility>

#include <qconn/monitor/monitor_error.hpp>

namespace qconn {

std::string_view to_string(InterfaceKind kind) noexcept {
    constexpr std::array<std::string_view, 3> names{"workflow", "service", "job"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(InterfaceState state) noexcept {
    constexpr std::array<std::string_view, 5> names{"running", "stopping", "blocked", "starting", "stopped"};
    return names[static_cast<std::size_t>(state)];
}

}  // namespace qconn

namespace qconn::monitor {

InterfaceHub::InterfaceHub(Runtime runtime, bool manage, Tell tell) : runtime_{std::move(runtime)}, tell_{std::move(tell)}, manage_{manage} {}

InterfaceHub::Id InterfaceHub::add(InterfaceOptions options) {
    const std::scoped_lock lock{mutex_};
    for (const auto& [id, entry] : entries_)
        if (entry->options.kind == options.kind && entry->options.name == options.name)
            throw Error{MonitorErrc::interface, "INTERFACE-ERROR",
                        "there is a " + std::string{to_string(options.kind)} + " \"" + options.name +
                            "\" in this monitor already; use that one, or let go of it first"}
                .with_reason(Reason::exists);
    const Id id = ++last_id_;
    table_.add(id, Dependent{options.kind, options.autostart, options.running});
    auto entry = std::make_shared<Entry>();
    entry->options = std::move(options);
    entries_.emplace(id, std::move(entry));
    return id;
}

void InterfaceHub::remove(Id id) noexcept {
    std::unique_lock lock{mutex_};
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const auto entry = found->second;
    entry->removed = true;
    entries_.erase(found);
    table_.remove(id);
    if (!runtime_.on_io_thread())
        changed_.wait(lock, [&] { return entry->caller == std::thread::id{} || entry->caller == std::this_thread::get_id(); });
    changed_.notify_all();
    lock.unlock();  // the functions, which are the application's, go without it
}

void InterfaceHub::close(bool wait) noexcept {
    std::unique_lock lock{mutex_};
    closed_ = true;
    queue_.clear();
    changed_.notify_all();
    if (!wait) return;
    changed_.wait(lock, [this] {
        for (const auto& [id, entry] : entries_)
            if (entry->caller != std::thread::id{} && entry->caller != std::this_thread::get_id()) return false;
        return true;
    });
}

void InterfaceHub::depend(Id id, std::string_view connection) {
    const std::scoped_lock lock{mutex_};
    if (entries_.contains(id) && table_.depend(id, connection)) look_at(id);
}

void InterfaceHub::release(Id id, std::string_view connection) {
    const std::scoped_lock lock{mutex_};
    if (entries_.contains(id) && table_.release(id, connection)) look_at(id);
}

void InterfaceHub::hold(std::string_view connection, Hold hold) {
    if (hold == Hold::keep) return;
    const std::scoped_lock lock{mutex_};
    look_at(hold == Hold::block ? table_.block(connection) : table_.unblock(connection, false));
}

void InterfaceHub::came_up(std::string_view connection) {
    const std::scoped_lock lock{mutex_};
    look_at(table_.unblock(connection, true));
}

void InterfaceHub::stop(Id id) {
    std::unique_lock lock{mutex_};
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const auto entry = found->second;
    table_.at(id).stop_by_hand();
    if (entry->caller == std::this_thread::get_id()) return;  // from its own start function: when that has returned
    if (runtime_.on_io_thread()) return look_at(id);
    while (!closed_ && !entry->removed) {
        // On this thread, so that it needs none of the pool's, where the caller may be on the last one.
        if (table_.at(id).due(manage_) == Dependent::Act::stop) act(id, entry, lock);
        if (entry->removed || (table_.at(id).doing() == Dependent::Act::none && table_.at(id).due(manage_) != Dependent::Act::stop)) return;
        changed_.wait(lock);
    }
}

void InterfaceHub::start(Id id) {
    const std::scoped_lock lock{mutex_};
    if (!entries_.contains(id)) return;
    table_.at(id).start_by_hand();
    look_at(id);
}

void InterfaceHub::set_running(Id id, bool running) {
    const std::scoped_lock lock{mutex_};
    if (!entries_.contains(id)) return;
    table_.at(id).told(running);
    look_at(id);
}

void InterfaceHub::set_autostart(Id id, bool yes) {
    const std::scoped_lock lock{mutex_};
    if (!entries_.contains(id)) return;
    table_.at(id).set_autostart(yes);
    look_at(id);
}

void InterfaceHub::set_manage(bool yes) {
    const std::scoped_lock lock{mutex_};
    manage_ = yes;
    look_at(table_.ids());
}

bool InterfaceHub::manage() const noexcept {
    const std::scoped_lock lock{mutex_};
    return manage_;
}

void InterfaceHub::look_at(Id id) {
    Entry& entry = *entries_.at(id);
    if (closed_ || entry.queued || table_.at(id).due(manage_) == Dependent::Act::none) return;
    entry.queued = true;
    queue_.push_back(id);
    begin_workers();
}

void InterfaceHub::look_at(const std::vector<Id>& ids) {
    for (const Id id : ids) look_at(id);
}

void InterfaceHub::begin_workers() {
    if (workers_ >= k_workers) return;
    ++workers_;
    runtime_.post_blocking([self = shared_from_this()] { self->work(); });
}

void InterfaceHub::work() {
    std::unique_lock lock{mutex_};
    while (!queue_.empty()) {
        const Id id = queue_.front();
        queue_.pop_front();
        const auto found = entries_.find(id);
        if (found == entries_.end()) continue;
        auto entry = found->second;
        entry->queued = false;
        act(id, entry, lock);
        if (!entry->removed) continue;
        lock.unlock();  // the functions, which are the application's, go without it
        entry.reset();
        lock.lock();
    }
    --workers_;
}

void InterfaceHub::act(Id id, const std::shared_ptr<Entry>& entry, std::unique_lock<std::mutex>& lock) {
    // Asked only now: what was due when it was queued may not be any more.
    const Dependent::Act due = table_.at(id).due(manage_);
    if (closed_ || due == Dependent::Act::none) return;
    table_.at(id).begun(due);
    entry->caller = std::this_thread::get_id();
    const bool is_stop = due == Dependent::Act::stop;
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
    if (!entry->removed) {
        table_.at(id).ended(ok);
        if (!is_stop) entry->start_error = problem;
        look_at(id);
    }
    changed_.notify_all();
}

InterfaceInfo InterfaceHub::info_locked(Id id) const {
    const Entry& entry = *entries_.at(id);
    InterfaceInfo info;
    info.name = entry.options.name;
    info.kind = entry.options.kind;
    info.state = table_.at(id).state(manage_);
    info.connections = table_.connections(id);
    info.waits_for = table_.waits_for(id);
    info.start_error = entry.start_error;
    return info;
}

InterfaceInfo InterfaceHub::info(Id id) const {
    const std::scoped_lock lock{mutex_};
    return entries_.contains(id) ? info_locked(id) : InterfaceInfo{};
}

std::vector<InterfaceInfo> InterfaceHub::infos() const {
    const std::scoped_lock lock{mutex_};
    std::vector<InterfaceInfo> infos;
    infos.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) infos.push_back(info_locked(id));
    return infos;
}

}  // namespace qconn::monitor
