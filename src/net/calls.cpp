// SPDX-License-Identifier: Apache-2.0
#include "net/calls.hpp"

namespace qconn::net {

std::shared_ptr<Call> Calls::begin(Loop& loop, Job job, Deadline deadline) {
    auto call = std::make_shared<Call>(loop, std::move(job), deadline);
    const std::scoped_lock lock{mutex_};
    if (closed_)
        call->cancel();
    else
        calls_.emplace(call.get(), call);
    return call;
}

void Calls::end(const Call& call) {
    const std::scoped_lock lock{mutex_};
    calls_.erase(&call);
}

void Calls::close() {
    std::unordered_map<const Call*, std::weak_ptr<Call>> all;
    {
        const std::scoped_lock lock{mutex_};
        closed_ = true;
        all.swap(calls_);
    }
    for (const auto& [key, weak] : all) {
        if (const auto call = weak.lock()) call->cancel();
    }
}

void Calls::check_blocking(const Job& job) const {
    runtime_.impl().check_fork();
    if (runtime_.on_io_thread())
        throw make_error(Errc::invalid_argument,
                         "a blocking call on one of the runtime's I/O threads would hold up all others: use the asynchronous form")
            .with_connection(job.label);
}

std::shared_ptr<CallLoop> Calls::take_loop() {
    {
        const std::scoped_lock lock{mutex_};
        if (!free_.empty()) {
            auto loop = std::move(free_.back());
            free_.pop_back();
            return loop;
        }
    }
    return std::make_shared<CallLoop>(runtime_.impl().weak_from_this(), runtime_.log());
}

void Calls::give_back(std::shared_ptr<CallLoop> loop) {
    constexpr std::size_t k_kept = 8;
    const std::scoped_lock lock{mutex_};
    if (free_.size() < k_kept) free_.push_back(std::move(loop));
}

}  // namespace qconn::net
