// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/registry_error.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/monitor_error.hpp>

#include "monitor/monitor_impl.hpp"

namespace qconn {

namespace monitor {

/// What the copies of an Interface share.
class InterfaceImpl {
public:
    InterfaceImpl(std::shared_ptr<InterfaceHub> its_hub, InterfaceHub::Id its_id, std::weak_ptr<core::RegistryImpl> its_registry)
        : hub{std::move(its_hub)}, id{its_id}, registry{std::move(its_registry)} {}
    InterfaceImpl(const InterfaceImpl&) = delete;
    InterfaceImpl& operator=(const InterfaceImpl&) = delete;
    ~InterfaceImpl() { hub->remove(id); }

    const std::shared_ptr<InterfaceHub> hub;
    const InterfaceHub::Id id;
    const std::weak_ptr<core::RegistryImpl> registry;
};

}  // namespace monitor

void Interface::depend(std::string_view connection, Dependency dependency) { impl_->hub->depend(impl_->id, connection, dependency); }
void Interface::stop() { impl_->hub->stop(impl_->id); }
void Interface::start() { impl_->hub->start(impl_->id); }
void Interface::set_running(bool running) { impl_->hub->set_running(impl_->id, running); }
void Interface::set_autostart(bool yes) { impl_->hub->set_autostart(impl_->id, yes); }
InterfaceInfo Interface::info() const { return impl_->hub->info(impl_->id); }

std::shared_ptr<core::Slot> Interface::get_slot(std::string_view name, const std::type_info& type, const char* type_name, Dependency dependency) {
    // First, as it counts also where the look-up throws: what could not be had may come.
    if (dependency != Dependency::none) impl_->hub->depend_newly(impl_->id, name, dependency);
    const auto registry = impl_->registry.lock();
    if (!registry)
        throw Error{RegistryErrc::removed, "CONNECTION-REMOVED", "the connection \"" + std::string{name} + "\" cannot be had: its registry is gone"}
            .with_connection(name);
    return registry->get_slot(name, type, type_name);
}

Monitor::Monitor(Registry& registry, MonitorOptions options) : impl_{std::make_shared<monitor::MonitorImpl>(registry.impl(), options)} {
    impl_->attach();
}
Monitor::~Monitor() { impl_->close(); }

void Monitor::start() { impl_->start(); }
void Monitor::stop() { impl_->stop(); }
Subscription Monitor::subscribe(std::function<void(const Event&)> listener, SubscribeOptions options) {
    return impl_->subscribe(std::move(listener), std::move(options));
}
bool Monitor::drain(Deadline deadline) { return impl_->drain(deadline); }

ConnectionStatus Monitor::status(std::string_view name) const { return impl_->status(name); }
std::vector<ConnectionStatus> Monitor::statuses() const { return impl_->statuses(); }
ConnectionHistory Monitor::history(std::string_view name) const { return impl_->history(name); }
std::vector<Event> Monitor::timeline(const TimelineFilter& filter) const { return impl_->timeline(filter); }
std::vector<ConnectionCredential> Monitor::credentials() const { return impl_->credentials(); }
std::vector<ConnectionCertificate> Monitor::certificates() const { return impl_->certificates(); }
MonitorSnapshot Monitor::snapshot() const { return impl_->snapshot(); }
std::vector<Alert> Monitor::alerts() const { return impl_->alerts(); }
std::vector<Outage> Monitor::outages() const { return impl_->outages(); }
bool Monitor::acknowledge(std::uint64_t id, std::string_view who, std::string_view note) { return impl_->acknowledge(id, who, note); }
void Monitor::raise_transient(std::string type, std::string name, std::string text) {
    impl_->raise_transient(std::move(type), std::move(name), std::move(text));
}
std::vector<Alert> Monitor::recent_alerts() const { return impl_->recent_alerts(); }
MonitorCounts Monitor::counts() const { return impl_->counts(); }
MonitorHealth Monitor::health() const { return impl_->health(); }

PingResult Monitor::ping(std::string_view name, Deadline deadline) {
    const auto impl = impl_;  // the monitor may go meanwhile
    return impl->ping(std::string{name}, deadline);
}
Operation Monitor::async_ping(std::string name, Deadline deadline, Callback<PingResult> callback) {
    return impl_->async_ping(std::move(name), deadline, std::move(callback));
}

Interface Monitor::add_interface(InterfaceOptions options) {
    const auto id = impl_->hub()->add(std::move(options));
    impl_->changed();
    return Interface{std::make_shared<monitor::InterfaceImpl>(impl_->hub(), id, impl_->registry())};
}
std::vector<InterfaceInfo> Monitor::interfaces() const { return impl_->hub()->infos(); }
void Monitor::set_manage_interfaces(bool yes) {
    impl_->hub()->set_manage(yes);
    impl_->changed();
}
bool Monitor::manage_interfaces() const noexcept { return impl_->hub()->manage(); }
void Monitor::disable_group(std::string_view group) {
    impl_->hub()->set_group(group, false);
    impl_->changed();
}
void Monitor::enable_group(std::string_view group) {
    impl_->hub()->set_group(group, true);
    impl_->changed();
}
std::vector<std::string> Monitor::disabled_groups() const { return impl_->hub()->disabled_groups(); }
bool Monitor::stop_interfaces(Deadline deadline) {
    const auto hub = impl_->hub();  // the monitor may go meanwhile
    return hub->stop_all(deadline);
}
void Monitor::start_interfaces() { impl_->hub()->start_all(); }
Impact Monitor::impact(std::string_view connection) const { return impl_->impact(connection); }
WhyStopped Monitor::why_stopped(InterfaceKind kind, std::string_view name) const { return impl_->why_stopped(kind, name); }
const MonitorOptions& Monitor::options() const noexcept { return impl_->options(); }

}  // namespace qconn
