// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/client.hpp>

#include <atomic>
#include <cstddef>

namespace qconn {

/// How many operations are under way. Outlives the client with the last of them.
struct ClientCalls {
    /// And one more until somebody waits for their end.
    std::atomic<std::size_t> count{1};
    /// Set before that one goes.
    UniqueFunction<void()> idle;

    /// @returns whether it was the last
    bool leave() noexcept { return count.fetch_sub(1, std::memory_order_acq_rel) == 1; }
};

Client::Client() : calls_{std::make_shared<ClientCalls>()} {}
Client::~Client() = default;

bool Client::when_idle(UniqueFunction<void()> idle) {
    const auto calls = calls_;  // the last operation may end at once, and the client with it
    calls->idle = std::move(idle);
    return !calls->leave();
}

Client::Hold Client::hold() const noexcept {
    calls_->count.fetch_add(1, std::memory_order_relaxed);
    return Hold{calls_};
}

Client::Hold::~Hold() {
    if (calls_ && calls_->leave()) calls_->idle();
}

}  // namespace qconn
