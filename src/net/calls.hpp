// SPDX-License-Identifier: Apache-2.0
/// The calls that are under way on one client, each a coroutine on a loop.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <qconn/net/runtime.hpp>

#include "net/call.hpp"
#include "net/loop_impl.hpp"
#include "net/run_task.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::net {

/// Makes calls on the thread that waits for them, or on a loop of the runtime, and ends them all. @note Thread-safe
class Calls {
public:
    explicit Calls(Runtime runtime) : runtime_{std::move(runtime)} {}

    const Runtime& runtime() const noexcept { return runtime_; }

    /// Known from now on, so that the end of the client ends it.
    std::shared_ptr<Call> begin(Loop& loop, Job job, Deadline deadline);
    void end(const Call& call);
    /// Ends all, and whatever is begun after this.
    void close();

    /// On the calling thread, which waits.
    /// @param make  Task<T>(std::shared_ptr<Call>)
    /// @throws Error INVALID-ARGUMENT on an I/O thread of the runtime, FORK-ERROR, what the task throws
    template <class T, class Make>
    T blocking(Job job, Deadline deadline, Make make) {
        check_blocking(job);
        const auto loop = take_loop();
        const auto call = begin(*loop, std::move(job), deadline);
        std::optional<Result<T>> result;
        bool done = false;
        loop->post([&] {
            run_task<T>(make(call), [&](Result<T> outcome) {
                call->end();
                result.emplace(std::move(outcome));
                done = true;
            });
        });
        loop->run_until(done);
        end(*call);
        give_back(loop);
        return std::move(*result).value();
    }

    /// On a loop of the runtime.
    /// @param owner   holds this object, and lives until the call has ended
    /// @param make    as in blocking()
    /// @param finish  gets the Result<T> on the loop's thread, not inside of what ended the call
    template <class T, class Make, class Finish>
    Operation start(std::shared_ptr<void> owner, Job job, Deadline deadline, Make make, Finish finish) {
        runtime_.impl().check_fork();
        Loop& loop = runtime_.impl().loop();
        const auto call = begin(loop, std::move(job), deadline);
        loop.post([this, owner = std::move(owner), call, make = std::move(make), finish = std::move(finish)]() mutable {
            auto task = make(call);
            run_task<T>(std::move(task), [this, owner = std::move(owner), call, finish = std::move(finish)](Result<T> outcome) mutable {
                call->end();
                end(*call);
                call->loop().post([finish = std::move(finish), outcome = std::move(outcome)]() mutable { finish(std::move(outcome)); });
            });
        });
        return Operation{call};
    }

private:
    void check_blocking(const Job& job) const;
    std::shared_ptr<CallLoop> take_loop();
    void give_back(std::shared_ptr<CallLoop> loop);

    const Runtime runtime_;
    std::mutex mutex_;
    std::unordered_map<const Call*, std::weak_ptr<Call>> calls_;  // guarded by mutex_
    std::vector<std::shared_ptr<CallLoop>> free_;                 // likewise: of threads that wait for their calls themselves
    bool closed_{false};                                          // likewise
};

}  // namespace qconn::net
