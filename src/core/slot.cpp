// SPDX-License-Identifier: Apache-2.0
#include "core/slot.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <qconn/core/registry_error.hpp>

#include "core/slot_pack.hpp"
#include "core/store.hpp"

namespace qconn::core {
namespace {

std::uint64_t next_hub_id() noexcept {
    static constinit std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// "RestClient" for qconn::RestClient.
std::string readable(const std::type_info& type) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free};
    std::string name = text ? text.get() : type.name();
    if (name.starts_with("qconn::")) name.erase(0, 7);
    return name;
}

}  // namespace

Hub::Hub(std::weak_ptr<Store> of) noexcept : id{next_hub_id()}, store{std::move(of)} {}

Version* Version::make(const Version& header, std::string_view content, std::string_view extra) {
    static_assert(offsetof(Version, flags) + sizeof(std::uint16_t) == k_data);
    void* block = ::operator new(std::max(sizeof(Version), k_data + content.size() + extra.size()));
    auto* version = new (block) Version{header};
    version->content_size = static_cast<std::uint32_t>(content.size());
    version->extra_size = static_cast<std::uint32_t>(extra.size());
    // From here on only single members are written: an assignment of the whole might write to the padding that the texts begin in.
    char* data = static_cast<char*>(block) + k_data;
    if (!content.empty()) std::memcpy(data, content.data(), content.size());  // null is no source, not even of nothing
    if (!extra.empty()) std::memcpy(data + content.size(), extra.data(), extra.size());
    return version;
}

void Version::destroy(Version* version) noexcept {
    if (!version) return;
    ::explicit_bzero(reinterpret_cast<char*>(version) + k_data, std::size_t{version->content_size} + version->extra_size);
    ::operator delete(version);
}

Slot::~Slot() {
    for (Version* version = head_.load(std::memory_order_acquire); version;) Version::destroy(std::exchange(version, version->before));
    if (ClientCell* cell = cell_.load(std::memory_order_acquire)) cell->release();
    hub_.release();
}

bool ClientCell::begin(const std::string& name) {
    std::unique_lock lock{mutex_};
    if (stripes_.load(std::memory_order_acquire)) return false;
    if (maker_ == std::thread::id{}) {
        maker_ = std::this_thread::get_id();
        return true;
    }
    if (maker_ == std::this_thread::get_id())
        throw Error{RegistryErrc::invalid, "INVALID-CONNECTION", "making the client of \"" + name + "\" asks for the client of \"" + name + "\""}
            .with_connection(name)
            .with_reason(Reason::bad_value);
    const std::uint64_t attempt = attempts_;
    ended_.wait(lock, [&] { return attempts_ != attempt; });
    if (stripes_.load(std::memory_order_acquire)) return false;
    if (const Error* error = std::get_if<Error>(&last_error_)) throw Error{*error};
    std::rethrow_exception(std::get<std::exception_ptr>(last_error_));
}

void ClientCell::finish(Made made) {
    auto stripes = std::make_unique<Stripes>();
    for (auto& stripe : *stripes) stripe = std::make_shared<Stripe>(Stripe{made.client});
    const std::scoped_lock lock{mutex_};
    fingerprint_.store(made.fingerprint, std::memory_order_release);
    stripes_.store(stripes.release(), std::memory_order_release);
    maker_ = {};
    ++attempts_;
    last_error_ = std::exception_ptr{};
    ended_.notify_all();
}

void ClientCell::fail(Failure why) noexcept {
    const std::scoped_lock lock{mutex_};
    maker_ = {};
    ++attempts_;
    last_error_ = std::move(why);
    ended_.notify_all();
}

const ClientType* find_type(const Scheme& scheme, const std::type_info& type) noexcept {
    for (const ClientType& one : scheme.clients)
        if (one.type == &type) return &one;
    for (const ClientType& one : scheme.clients)  // the same type may have several type_infos where shared libraries are about
        if (*one.type == type) return &one;
    return nullptr;
}

void* cast_client(const Scheme& scheme, const std::type_info& type, Client* client) noexcept {
    const ClientType* found = find_type(scheme, type);
    return found ? found->cast(client) : nullptr;
}

void throw_removed(const std::string& name) {
    throw Error{RegistryErrc::removed, "CONNECTION-REMOVED",
                "the connection \"" + name + "\" is not there any more: it was removed, or its registry is gone"}
        .with_connection(name)
        .with_reason(Reason::not_found);
}

void throw_type_error(const std::string& name, const Scheme& scheme, const std::type_info& type) {
    std::string have;
    for (const ClientType& one : scheme.clients) {
        if (one.name.empty() || one.name == "Client") continue;
        have += have.empty() ? "" : " or ";
        have += one.name;
    }
    throw Error{RegistryErrc::type, "CONNECTION-TYPE-ERROR",
                "the connection \"" + name + "\" was asked for as " + readable(type) + ", but its scheme " +
                    (scheme.names.empty() ? "" : scheme.names.front()) + " gives " + (have.empty() ? "no client of a public type" : have)}
        .with_connection(name)
        .with_reason(Reason::bad_value);
}

void require_usable(const Slot& slot, const Version* version) {
    if (!version || version->has(Version::k_removed)) throw_removed(slot.name());
    if (version->usable()) return;
    const std::string& name = slot.name();
    if (!version->has(Version::k_enabled))
        throw Error{RegistryErrc::disabled, "CONNECTION-DISABLED", "the connection \"" + name + "\" is disabled; enable it first"}
            .with_connection(name)
            .with_reason(Reason::permission);
    throw Error{RegistryErrc::invalid, "INVALID-CONNECTION",
                "the connection \"" + name + "\" cannot be used: " + unpack_extra(version->extra()).problem}
        .with_connection(name)
        .with_reason(Reason::bad_value);
}

const std::string& slot_name(const std::shared_ptr<Slot>& slot) noexcept {
    static const std::string none;
    return slot ? slot->name() : none;
}

std::shared_ptr<void> pin(const std::shared_ptr<Slot>& slot, const std::type_info& type, const char*) {
    if (!slot) throw make_error(Errc::invalid_argument, "an empty Ref was used; get one from a Registry first");
    {
        const ReadSection section;
        const Version* version = slot->current();
        const ClientCell* cell = slot->cell();
        if (version && cell && version->usable() && cell->build == version->build) {
            if (const ClientCell::Stripes* stripes = cell->stripes()) {
                const auto& stripe = (*stripes)[section.stripe() % ClientCell::k_stripes];
                if (void* client = cast_client(*version->scheme, type, stripe->client.get())) return {stripe, client};
            }
        }
    }
    const std::shared_ptr<Store> store = slot->hub().store.lock();
    if (!store) throw_removed(slot->name());
    return store->pin_made(slot, type);
}

}  // namespace qconn::core
