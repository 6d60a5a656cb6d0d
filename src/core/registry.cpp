// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/plan.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/net/ping_plan.hpp>

#include "core/store.hpp"
#include "net/ping_run.hpp"

namespace qconn {
namespace {

core::Store& store_of(const std::shared_ptr<core::RegistryImpl>& impl) noexcept { return static_cast<core::Store&>(*impl); }

}  // namespace

Subscription::State::~State() = default;

Registry::Registry(RegistryOptions options) : impl_{core::Store::make(std::move(options))} {}
Registry::~Registry() { store_of(impl_).close(); }

LoadReport Registry::load(const std::string& path) { return store_of(impl_).load({path}); }
LoadReport Registry::load(const std::vector<std::string>& paths) { return store_of(impl_).load(paths); }
LoadReport Registry::reload() { return store_of(impl_).reload(); }
Plan Registry::plan(const std::vector<std::string>& paths) { return store_of(impl_).plan(paths); }

std::shared_ptr<Client> Registry::client(std::string_view name) { return get<Client>(name).pin(); }

void Registry::add(Definition definition) { store_of(impl_).add(std::move(definition)); }
void Registry::update(Definition definition) { store_of(impl_).update(std::move(definition)); }
void Registry::remove(std::string_view name) { store_of(impl_).remove(name); }
bool Registry::enable(std::string_view name) { return store_of(impl_).set(name, core::Version::k_enabled, true); }
bool Registry::disable(std::string_view name) { return store_of(impl_).set(name, core::Version::k_enabled, false); }
void Registry::set_monitored(std::string_view name, bool yes) { store_of(impl_).set(name, core::Version::k_monitored, yes); }
void Registry::set_debug_data(std::string_view name, bool yes) { store_of(impl_).set(name, core::Version::k_debug_data, yes); }
void Registry::set_locked(std::string_view name, bool yes) { store_of(impl_).set(name, core::Version::k_locked, yes); }
void Registry::set_tags(std::string_view name, Map tags) { store_of(impl_).set(name, &core::Overrides::tags, std::move(tags)); }
void Registry::set_monitoring(std::string_view name, Map rules) { store_of(impl_).set_monitoring(name, std::move(rules)); }
void Registry::set_silence(std::string_view name, std::optional<Silence> silence) { store_of(impl_).set_silence(name, std::move(silence)); }
void Registry::acknowledge(std::string_view name, std::string_view by, std::string_view note) {
    store_of(impl_).acknowledge(name, {std::string{by}, std::string{note}, std::chrono::system_clock::now()});
}

bool Registry::contains(std::string_view name) const { return store_of(impl_).contains(name); }
std::size_t Registry::size() const { return store_of(impl_).size(); }
std::vector<std::string> Registry::names() const { return store_of(impl_).names(); }
ConnectionInfo Registry::info(std::string_view name) const { return store_of(impl_).info(name); }
std::vector<ConnectionInfo> Registry::infos() const { return store_of(impl_).infos(); }
Definition Registry::definition(std::string_view name) const { return store_of(impl_).definition(name); }
const Catalogue& Registry::catalogue() const noexcept { return impl_->catalogue(); }
const Runtime& Registry::runtime() const noexcept { return impl_->runtime(); }

PingPlan Registry::ping_plan(std::string_view name, PingDepth depth) const { return impl_->make_plan(store_of(impl_).slot(name), depth).plan; }

PingResult Registry::ping(std::string_view name, PingDepth depth, Deadline deadline, bool steps) {
    const auto slot = store_of(impl_).slot(name);
    PingResult result;
    result.started = Clock::now();
    try {
        const core::SlotPlan plan = impl_->make_plan(slot, depth, {.deadline = deadline});
        return net::run_ping_blocking(impl_->runtime(), plan.plan, name, deadline, steps);
    } catch (const Error& error) {
        // A secret that cannot be had is a failure of the connection; everything else is one of the call.
        if (error.phase() != Phase::secret) throw;
        result.error = error;
        result.time = Clock::now() - result.started;
        if (steps) result.steps.push_back({Phase::secret, false, result.time, std::string{error.message()}});
        return result;
    }
}

bool Registry::refresh_secrets(std::string_view name, Deadline deadline) { return store_of(impl_).refresh_secrets(name, deadline); }
std::size_t Registry::refresh_all_secrets(Deadline deadline) { return store_of(impl_).refresh_all_secrets(deadline); }

std::size_t Registry::retired_clients() const { return store_of(impl_).retired_clients(); }

Subscription Registry::subscribe(std::function<void(const RegistryChange&)> listener) { return impl_->subscribe(std::move(listener)); }

std::shared_ptr<core::Slot> Registry::get_slot(std::string_view name, const std::type_info& type, const char* type_name) {
    return impl_->get_slot(name, type, type_name);
}
std::shared_ptr<void> Registry::open_client(std::string_view name, const std::type_info& type, const char*, const OpenOptions& options) {
    return store_of(impl_).open(name, type, options);
}

}  // namespace qconn
