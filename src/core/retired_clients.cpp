// SPDX-License-Identifier: Apache-2.0
#include "core/retired_clients.hpp"

#include <iterator>
#include <limits>

#include "net/runtime_impl.hpp"

namespace qconn::core {

/// What the copies of a shared client hold together. The place in the map is made beforehand: retiring must not fail.
class RetiredClients::Shared {
public:
    Shared(std::weak_ptr<RetiredClients> retired, Kept::node_type one) noexcept : retired_{std::move(retired)}, one_{std::move(one)} {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() {
        if (const auto retired = retired_.lock()) retired->keep(std::move(one_));
    }

private:
    std::weak_ptr<RetiredClients> retired_;
    Kept::node_type one_;
};

std::shared_ptr<Client> RetiredClients::share(std::string_view name, std::shared_ptr<Client> client) {
    Client* const plain = client.get();
    std::uint64_t number = 0;
    {
        const std::scoped_lock lock{mutex_};
        number = ++last_made_;
    }
    Kept one;
    one.emplace(Key{name, number}, std::move(client));
    return {std::make_shared<Shared>(weak_from_this(), one.extract(one.begin())), plain};
}

void RetiredClients::keep(Kept::node_type one) noexcept {
    try {
        Kept::node_type oldest;
        {
            const std::scoped_lock lock{mutex_};
            if (closed_) return;
            const Key& key = one.key();
            // Under the lock, for which the end of the last call then waits.
            const bool busy = one.mapped()->when_idle([weak = weak_from_this(), key] {
                if (const auto self = weak.lock()) self->let_go(key);
            });
            if (!busy) return;
            const auto first = kept_.lower_bound({key.first, 0});
            const auto behind = kept_.upper_bound({key.first, std::numeric_limits<std::uint64_t>::max()});
            if (static_cast<std::size_t>(std::distance(first, behind)) >= k_most) oldest = kept_.extract(first);
            kept_.insert(std::move(one));
        }
        if (oldest.empty()) return;
        const std::string name = oldest.key().first;
        destroy_elsewhere(std::move(oldest));
        runtime_.log().write(
            {LogLevel::warning,
             name,
             "retired-clients",
             "calls on " + std::to_string(k_most) + " former clients of the connection have not ended; those of the oldest were cancelled",
             {}});
    } catch (const std::exception&) {
        // Without memory it goes, and its calls are cancelled.
    }
}

void RetiredClients::let_go(const Key& key) noexcept {
    Kept::node_type one;
    {
        const std::scoped_lock lock{mutex_};
        one = kept_.extract(key);
    }
    destroy_elsewhere(std::move(one));
}

void RetiredClients::destroy_elsewhere(Kept::node_type one) noexcept {
    if (one.empty()) return;
    try {
        runtime_.impl().post_blocking([one = std::move(one)] {});
    } catch (const std::exception&) {
        // No thread can be started: it went here.
    }
}

std::size_t RetiredClients::count() const {
    const std::scoped_lock lock{mutex_};
    return kept_.size();
}

std::size_t RetiredClients::count(std::string_view name) const {
    const std::scoped_lock lock{mutex_};
    const std::string key{name};
    return static_cast<std::size_t>(std::distance(kept_.lower_bound({key, 0}), kept_.upper_bound({key, std::numeric_limits<std::uint64_t>::max()})));
}

void RetiredClients::close() {
    Kept all;  // destroyed without the lock
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    all.swap(kept_);
}

}  // namespace qconn::core
