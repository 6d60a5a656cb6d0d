// SPDX-License-Identifier: Apache-2.0
/// What the library's own layers (monitor, tool) may ask of a registry beyond its public interface.
/// Hold it as `std::weak_ptr<core::RegistryImpl>` (from `Registry::impl()`): registry and user may go in any order. A RegistryImpl that has
/// been closed by its Registry's destructor answers as an empty one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <qconn/core/monitoring.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/net/ping_plan.hpp>

#include "core/secret_reader.hpp"
#include "core/uses.hpp"

namespace qconn {
struct Scheme;
namespace net {
class BlockingPool;
}
}  // namespace qconn

namespace qconn::core {

/// A connection as it stands at one moment. A snapshot; holds no secret.
struct SlotView {
    std::string name;
    /// Stays the same object over reloads, updates and disabling, and also over a removal as long as somebody holds it.
    std::shared_ptr<Slot> slot;
    bool enabled{true};
    bool monitored{true};
    bool locked{false};
    Validity validity{Validity::valid};
    /// Why it is stale or invalid.
    std::string problem;
    std::string scheme;
    /// Null where the scheme is unknown. Lives as long as the registry.
    const Scheme* entry{nullptr};
    /// "host:port" with the scheme's default port, for caps per host; secret references in the URL are left out of it. Empty where it has no host.
    std::string host_key;
    /// The definition's rules with those of the operator over them.
    MonitoringRules monitoring;
    /// As in ConnectionInfo.
    std::optional<Silence> silence;
    std::optional<Acknowledgement> acknowledged;
    /// Differs from the former one when what pings and clients depend on has changed: make a new plan then.
    std::uint32_t build{0};

    bool usable() const noexcept { return enabled && validity != Validity::invalid; }
};

/// What a ping does, and from which secrets that was made.
struct SlotPlan {
    PingPlan plan;
    std::uint32_t build{0};
    /// Of the resolved definition; says nothing about it to anybody outside this process. See refresh_secrets.
    std::uint64_t fingerprint{0};
};

/// The inside of a Registry.
/// @note Thread-safe. None of these functions waits for a reload; none makes a client.
class RegistryImpl {
public:
    RegistryImpl() = default;
    RegistryImpl(const RegistryImpl&) = delete;
    RegistryImpl& operator=(const RegistryImpl&) = delete;
    virtual ~RegistryImpl() = default;

    /// Those of all connections as of one moment, sorted by name; view() tells of each.
    virtual std::vector<std::shared_ptr<Slot>> slots() const = 0;
    /// Nothing where there is none of that name.
    virtual std::optional<SlotView> view(std::string_view name) const = 0;
    virtual std::optional<SlotView> view(const std::shared_ptr<Slot>& slot) const = 0;
    /// All of its definition that pings and clients depend on, as text without secrets: the same in every run while that is the same. Empty where it
    /// is gone.
    virtual std::string configuration(const std::shared_ptr<Slot>& slot) const = 0;
    /// As Registry::get without making a client. @throws Error as that
    virtual std::shared_ptr<Slot> get_slot(std::string_view name, const std::type_info& type, const char* type_name) = 0;

    /// Resolves secrets (which may read files: not for an I/O thread that others wait for) and lets the scheme make the ping.
    /// @throws Error CONNECTION-REMOVED, CONNECTION-DISABLED, INVALID-CONNECTION, SECRET-ERROR (phase secret), and what the scheme throws
    virtual SlotPlan make_plan(const std::shared_ptr<Slot>& slot, PingDepth depth, const SecretLimits& limits = {}) = 0;
    /// For after a failed log-in: resolves the secrets anew. A client that was made from others is retired, the next use makes a new one.
    /// @param fingerprint  of the plan that failed
    /// @returns whether the secrets differ from those of that plan, so that a new plan is worth a try; false too where they cannot be had
    virtual bool refresh_secrets(const std::shared_ptr<Slot>& slot, std::uint64_t fingerprint, const SecretLimits& limits = {}) = 0;
    /// Whose threads make_plan and refresh_secrets are to be called on, as a provider of secrets may hang there; null: those of the runtime's pool.
    virtual std::shared_ptr<net::BlockingPool> secret_pool(const std::shared_ptr<Slot>& slot) const = 0;

    /// As Registry::acknowledge.
    virtual void acknowledge(std::string_view name, const Acknowledgement& acknowledgement) = 0;

    /// As Registry::subscribe. The subscription may outlive the registry.
    virtual Subscription subscribe(std::function<void(const RegistryChange&)> listener) = 0;
    /// As Uses::listen, for all clients of the registry. May outlive it.
    virtual Subscription listen_to_uses(UseListener listener, UseInterest interest) = 0;
    /// Names nearest to one that is unknown, for messages: ` (did you mean "shop-api"?)` or nothing.
    virtual std::string suggestion(std::string_view name) const = 0;

    virtual const Runtime& runtime() const noexcept = 0;
    virtual const Catalogue& catalogue() const noexcept = 0;
    virtual const RegistryOptions& options() const noexcept = 0;
};

}  // namespace qconn::core
