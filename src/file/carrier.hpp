// SPDX-License-Identifier: Apache-2.0
/// Files of a tree on their way, several at once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <qconn/file/tree.hpp>

namespace qconn::file {

/// Deadlines and cancellations are those of the whole call, whatever it was doing.
bool is_of_whole_call(const Error& error) noexcept;

/// Carries files over with several threads, and keeps count.
class Carrier {
public:
    using Job = std::function<std::uint64_t()>;  ///< @returns bytes

    Carrier(const FileTransferClient& client, const TreeOptions& options);
    Carrier(const Carrier&) = delete;
    Carrier& operator=(const Carrier&) = delete;
    ~Carrier() { stop(); }

    /// Waits where many wait already. @throws Error where one has failed, or the caller has had enough
    void add(std::string path, Job job);
    /// What failed without a job. @throws Error where that ends the call
    void fail(const std::string& path, const Error& error);
    /// Waits for all.
    void finish();
    /// Counts something under the lock.
    template <class Change>
    void note(Change change) {
        const std::lock_guard lock{mutex_};
        change(report_);
    }
    TreeReport take_report();

private:
    struct Waiting {
        std::string path;
        Job job;
    };

    void work();
    void failed(const std::string& path, Error error);
    void tell(std::unique_lock<std::mutex>& lock, const std::string& path);
    std::size_t most_waiting() const noexcept { return 4 * most_; }
    bool has_room() const noexcept { return waiting_.size() <= most_waiting() / 2; }
    bool is_done() const noexcept { return waiting_.empty() && running_ == 0; }
    void throw_what_ended_it() const {
        if (ended_by_) throw Error{*ended_by_};
    }
    void stop();

    const std::string label_;
    const TreeOptions& options_;
    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable work_;      // of the threads: there is some, or no more is to be done
    std::condition_variable room_;      // of the caller's thread: there is room, all is done, or something has ended it
    std::condition_variable turn_;      // of the threads: nobody is telling the caller of a file
    std::deque<Waiting> waiting_;       // these are guarded by mutex_
    std::vector<std::thread> threads_;  // only the caller's thread adds and joins
    std::size_t idle_{0};
    std::size_t running_{0};
    bool telling_{false};
    bool stopped_{false};
    std::optional<Error> ended_by_;
    TreeReport report_;
};

}  // namespace qconn::file
