// SPDX-License-Identifier: Apache-2.0
/// Clients that a registry has replaced while calls were under way on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/client.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn::core {

/// Keeps a client from the moment at which nobody can begin a call on it any more until those that were begun have ended. Clients are destroyed
/// without a lock: where no call is under way by whoever lets go of it last, else on the blocking pool, as the last call ends on an I/O thread and
/// inside the client's own code.
/// @note Thread-safe.
class RetiredClients : public std::enable_shared_from_this<RetiredClients> {
public:
    /// Of one connection. Of more the calls of the oldest are cancelled: calls without a deadline to a peer that hangs must not add up over reloads.
    static constexpr std::size_t k_most = 16;

    explicit RetiredClients(Runtime runtime) : runtime_{std::move(runtime)} {}

    /// The client as it is to be handed out; once the last copy goes it is retired.
    std::shared_ptr<Client> share(std::string_view name, std::shared_ptr<Client> client);
    std::size_t count() const;
    std::size_t count(std::string_view name) const;
    /// Destroys those that are kept, which cancels their calls. None is kept from here on.
    void close();

private:
    class Shared;
    /// By name, and by number in the order of their making.
    using Key = std::pair<std::string, std::uint64_t>;
    using Kept = std::map<Key, std::shared_ptr<Client>>;

    void keep(Kept::node_type one) noexcept;
    void let_go(const Key& key) noexcept;
    void destroy_elsewhere(Kept::node_type one) noexcept;

    const Runtime runtime_;
    mutable std::mutex mutex_;
    Kept kept_;  // guarded by mutex_, as the next
    std::uint64_t last_made_{0};
    bool closed_{false};
};

}  // namespace qconn::core
