// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <qconn/base/deadline.hpp>

#include "net/blocking_pool.hpp"
#include "net/local_fault.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn::net {

namespace {

/// One who waits. `callback` and `given_up` belong to the loop's thread, `answer` to the resolver's mutex.
struct Waiter {
    std::shared_ptr<Loop> loop;
    Resolver::Callback callback;
    bool given_up{false};
    bool served{false};  // guarded by the mutex: it has had an answer
    std::unique_ptr<Resolved> answer{};
};

/// One look-up under way, for all who wait for that name.
struct Flight {
    std::string host;
    std::vector<std::shared_ptr<Waiter>> waiters;
    std::shared_ptr<BlockingPool::Check> check;
    Clock::time_point began{Clock::now()};
};

}  // namespace

struct Resolver::State : std::enable_shared_from_this<State> {
    State(std::size_t threads, Lookup function, std::chrono::milliseconds until_stale)
        : lookup{std::move(function)}, patience{until_stale}, pool{std::make_shared<BlockingPool>("qconn-resolve", threads, Log{}, nullptr)} {}

    struct Kept {
        AddressList addresses;
        Clock::time_point until;
        Clock::time_point came;
    };

    const Lookup lookup;
    const std::chrono::milliseconds patience;
    const std::shared_ptr<BlockingPool> pool;
    std::mutex mutex;  // taken before the pool's
    std::map<std::string, std::shared_ptr<Flight>, std::less<>> flights;
    std::map<std::string, Kept, std::less<>> kept;
    bool stopped{false};

    void keep(const std::string& host, AddressList addresses) {
        const auto now = Clock::now();
        if (kept.size() >= k_cache_size) std::erase_if(kept, [now](const auto& entry) { return entry.second.until <= now; });
        if (kept.size() >= k_cache_size) kept.clear();
        kept.insert_or_assign(host, Kept{std::move(addresses), now + k_cache_time, now});
    }

    /// With the mutex held: what was known of it before; nothing: nothing, or that is too old.
    AddressList stale(std::string_view host) {
        const auto found = kept.find(host);
        if (found == kept.end()) return nullptr;
        if (found->second.came + k_stale_time > Clock::now()) return found->second.addresses;
        kept.erase(found);
        return nullptr;
    }

    /// With the mutex held. @throws Error where no thread will come to it
    std::shared_ptr<Flight> begin(std::string_view host, const std::shared_ptr<Waiter>& waiter) {
        auto flight = std::make_shared<Flight>();
        flight->host = host;
        flight->waiters.push_back(waiter);
        flight->check = pool->post_check([self = shared_from_this(), flight] { self->finish(*flight, self->lookup(flight->host)); });
        flights.emplace(flight->host, flight);
        return flight;
    }

    void finish(Flight& flight, Resolved resolved) {
        std::vector<std::shared_ptr<Waiter>> served;  // what they hold is not let go of under the lock
        const std::scoped_lock lock{mutex};
        flights.erase(flight.host);
        served.swap(flight.waiters);
        if (stopped) return;
        if (resolved.addresses) {
            keep(flight.host, resolved.addresses);
        } else if (resolved.reason == Reason::unknown_host) {
            kept.erase(flight.host);
        } else if (auto known = stale(flight.host)) {
            resolved = {std::move(known), Reason::none, std::move(resolved.words), true};
        }
        for (const auto& waiter : served) serve(waiter, resolved);
    }

    /// With the mutex held. An answer that comes after another is none.
    void serve(const std::shared_ptr<Waiter>& waiter, Resolved resolved) {
        if (std::exchange(waiter->served, true)) return;
        waiter->answer = std::make_unique<Resolved>(std::move(resolved));
        deliver(waiter);
    }

    /// The waiter has its answer.
    void deliver(const std::shared_ptr<Waiter>& waiter) {
        waiter->loop->post([self = shared_from_this(), waiter] {
            if (waiter->given_up) return;
            std::unique_ptr<Resolved> answer{};
            {
                const std::scoped_lock lock{self->mutex};
                answer = std::move(waiter->answer);
            }
            if (!answer) return;  // taken before its delivery
            const auto callback = std::make_unique<Callback>(std::move(waiter->callback));
            (*callback)(std::move(*answer));
        });
    }

    void give_up(const std::shared_ptr<Flight>& flight, const std::shared_ptr<Waiter>& waiter) {
        waiter->given_up = true;
        const auto callback = std::make_unique<Callback>(std::move(waiter->callback));  // destroyed without the lock
        const std::scoped_lock lock{mutex};
        if (!flight || std::erase(flight->waiters, waiter) == 0 || !flight->waiters.empty()) return;
        if (pool->give_up(flight->check)) flights.erase(flight->host);
    }
};

namespace {

class QueryImpl final : public Resolver::Query {
public:
    using GiveUp = std::function<void()>;
    using Take = std::function<std::unique_ptr<Resolved>()>;
    QueryImpl(GiveUp give_up, Take take, std::unique_ptr<Timer> patience)
        : give_up_{std::move(give_up)}, take_{std::move(take)}, patience_{std::move(patience)} {}
    QueryImpl(const QueryImpl&) = delete;
    QueryImpl& operator=(const QueryImpl&) = delete;
    ~QueryImpl() override { give_up_(); }
    std::unique_ptr<Resolved> take() override { return take_(); }

private:
    GiveUp give_up_;
    Take take_;
    std::unique_ptr<Timer> patience_;
};

}  // namespace

Resolver::Resolver(std::size_t threads, Lookup lookup, std::chrono::milliseconds patience)
    : state_{std::make_shared<State>(threads, std::move(lookup), patience)} {}

Resolver::~Resolver() {
    {
        const std::scoped_lock lock{state_->mutex};
        state_->stopped = true;
    }
    state_->pool->discard();
}

std::unique_ptr<Resolver::Query> Resolver::resolve(std::string_view host, Loop& loop, Callback callback) {
    const auto waiter = std::make_shared<Waiter>(Waiter{loop.shared_from_this(), std::move(callback)});
    std::shared_ptr<Flight> flight;
    std::unique_ptr<Timer> patience;
    auto addresses = at_hand(host);
    const std::scoped_lock lock{state_->mutex};
    if (addresses) {
        state_->serve(waiter, {std::move(addresses)});
    } else {
        auto known = state_->stale(host);
        const auto fail = [&](Reason reason, std::string words) {
            const bool is_known = known != nullptr;
            state_->serve(waiter, {std::move(known), is_known ? Reason::none : reason, std::move(words), is_known});
        };
        const auto found = state_->flights.find(host);
        if (found != state_->flights.end()) {
            flight = found->second;
            flight->waiters.push_back(waiter);
            state_->pool->take_back(flight->check);
        } else if (state_->pool->hung() >= state_->pool->limit()) {
            fail(Reason::resolver,
                 "all " + std::to_string(state_->pool->limit()) + " threads for name look-ups wait for a name service that does not answer");
        } else {
            try {
                flight = state_->begin(host, waiter);
            } catch (const Error&) { fail(Reason::local, "the system has no thread for the look-up"); }
        }
        if (flight && known) {
            patience = std::make_unique<Timer>(loop);
            patience->arm(Deadline{flight->began + state_->patience}, [state = state_, waiter, known] {
                const std::scoped_lock in{state->mutex};
                state->serve(waiter, {known, Reason::none, "the name service has not answered so far", true});
            });
        }
    }
    return std::make_unique<QueryImpl>([state = state_, flight, waiter] { state->give_up(flight, waiter); },
                                       [state = state_, waiter]() -> std::unique_ptr<Resolved> {
                                           const std::scoped_lock in{state->mutex};
                                           return std::move(waiter->answer);
                                       },
                                       std::move(patience));
}

AddressList Resolver::at_hand(std::string_view host) {
    if (const auto literal = Address::literal(host)) return std::make_shared<const std::vector<Address>>(1, *literal);
    const std::scoped_lock lock{state_->mutex};
    const auto found = state_->kept.find(host);
    if (found == state_->kept.end()) return nullptr;
    return found->second.until > Clock::now() ? found->second.addresses : nullptr;
}

void Resolver::forget(std::string_view host) {
    const std::scoped_lock lock{state_->mutex};
    const auto found = state_->kept.find(host);
    if (found != state_->kept.end()) found->second.until = {};
}

std::size_t Resolver::hung() const { return state_->pool->hung(); }

Resolved Resolver::system_lookup(const std::string& host) {
    if (host.empty() || host.find('\0') != host.npos) return {nullptr, Reason::unknown_host, "that is no host name"};
    // No AI_ADDRCONFIG: it hides ::1 and 127.0.0.1 on machines that have only the loopback interface. An address of a family that has no route fails
    // at once when it is connected to, and the next is tried.
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    const int system_error = errno;
    if (code != 0) {
        Resolved failed;
        failed.words = code == EAI_SYSTEM ? std::generic_category().message(system_error) : gai_strerror(code);
        switch (code) {
            case EAI_NONAME:
            case EAI_NODATA:
            case EAI_ADDRFAMILY: failed.reason = Reason::unknown_host; break;
            case EAI_MEMORY: failed.reason = Reason::local; break;
            case EAI_SYSTEM: failed.reason = is_local_fault(system_error) ? Reason::local : Reason::resolver; break;
            default: failed.reason = Reason::resolver; break;
        }
        return failed;
    }
    auto addresses = std::make_shared<std::vector<Address>>();
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        const auto address = Address::from(at->ai_addr, at->ai_addrlen);
        if (address && std::find(addresses->begin(), addresses->end(), *address) == addresses->end()) addresses->push_back(*address);
    }
    freeaddrinfo(found);
    if (addresses->empty()) return {nullptr, Reason::unknown_host, "it has no IPv4 or IPv6 address"};
    return {std::move(addresses)};
}

}  // namespace qconn::net
