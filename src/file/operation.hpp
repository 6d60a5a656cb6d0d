// SPDX-License-Identifier: Apache-2.0
/// Calls that are under way: when to stop, and the asynchronous form.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

#include "file/file_error.hpp"

namespace qconn::file {

/// Asked between blocks. A value that lives as long as the call.
class Stop {
public:
    /// @param call    state of an asynchronous call
    /// @param closed  whether the client of a blocking one was destroyed
    explicit Stop(Deadline deadline, std::atomic<int>* call = nullptr, const std::atomic<bool>* closed = nullptr) noexcept
        : deadline_{deadline}, call_{call}, closed_{closed} {}
    /// @throws Error TIMEOUT, CANCELLED
    void check(const Task& task) const;
    /// As check, just before what cannot be taken back: from here on a cancellation comes too late.
    void commit(const Task& task) const;

private:
    Deadline deadline_;
    std::atomic<int>* call_;
    const std::atomic<bool>* closed_;
};

/// States of an asynchronous call: who moves it out of `open` decides its outcome.
enum CallState : int {
    k_open,       ///< waiting or running
    k_committed,  ///< its effect is being made; a cancellation comes too late, the real outcome counts
    k_done,       ///< the callback is on its way
};

/// A call on the blocking pool. Its callback is posted to an I/O thread by whoever decides the outcome first: the work, a cancellation, the deadline.
class Call : public Operation::State, public std::enable_shared_from_this<Call> {
public:
    using Work = UniqueFunction<void(const Stop&)>;  ///< throws Error
    using Finish = UniqueFunction<void(std::optional<Error>)>;

    Call(Runtime runtime, std::string label, std::string directory, std::string verb, std::string path, Deadline deadline);
    ~Call() override;
    /// @param work    runs on the pool
    /// @param finish  runs once on an I/O thread, without an error when the work has succeeded
    /// @param gone    called once when the outcome is decided, from any thread
    void start(Work work, Finish finish, UniqueFunction<void()> gone);

    void cancel() noexcept override;
    bool done() const noexcept override { return state_.load() == k_done; }
    Task task() const noexcept { return {label_, directory_, verb_, path_}; }

private:
    struct Alarm;
    void expire();
    void deliver(std::optional<Error> error);

    const Runtime runtime_;
    const std::string label_, directory_, verb_, path_;
    const Deadline deadline_;
    std::atomic<int> state_{k_open};
    Finish finish_;                // belongs to whoever has set k_done
    UniqueFunction<void()> gone_;  // likewise
    std::shared_ptr<Alarm> alarm_;
};

/// The calls that a client has under way, to cancel them with it.
class Calls {
public:
    Calls() = default;
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;

    void add(const std::shared_ptr<Call>& call);
    void remove(const Call* call);
    void cancel_all();

private:
    std::mutex guard_;
    std::unordered_map<const Call*, std::weak_ptr<Call>> calls_;  // under guard_
};

}  // namespace qconn::file
