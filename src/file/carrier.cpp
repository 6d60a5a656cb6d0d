// SPDX-License-Identifier: Apache-2.0
#include "file/carrier.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace qconn::file {
namespace {

/// What a function throws, as an Error.
template <class Call>
std::optional<Error> error_from(Call call) {
    try {
        call();
        return {};
    } catch (const Error& error) { return error; } catch (const std::exception& error) {
        return make_error(Errc::system, error.what());
    } catch (...) { return make_error(Errc::system, "something was thrown that is no std::exception"); }
}

}  // namespace

bool is_of_whole_call(const Error& error) noexcept { return error.reason() == Reason::cancelled || error.code() == Errc::timeout; }

Carrier::Carrier(const FileTransferClient& client, const TreeOptions& options)
    : label_{client.label()},
      options_{options},
      most_{options.transfers > 0 ? options.transfers : std::max<std::size_t>(client.useful_transfers(), 1)} {}

void Carrier::add(std::string path, Job job) {
    std::unique_lock lock{mutex_};
    // Once there is no room it waits for much of it, and is not woken for every file that is done.
    if (waiting_.size() >= most_waiting()) room_.wait(lock, [&] { return has_room() || stopped_; });
    throw_what_ended_it();
    waiting_.push_back({std::move(path), std::move(job)});
    if (idle_ < waiting_.size() && threads_.size() < most_) threads_.emplace_back([this] { work(); });
    const bool wakes = idle_ > 0;
    lock.unlock();
    if (wakes) work_.notify_one();
}

void Carrier::fail(const std::string& path, const Error& error) {
    const std::lock_guard lock{mutex_};
    failed(path, error);
    throw_what_ended_it();
}

void Carrier::finish() {
    {
        std::unique_lock lock{mutex_};
        room_.wait(lock, [&] { return is_done() || stopped_; });
    }
    stop();
    const std::lock_guard lock{mutex_};
    throw_what_ended_it();
}

TreeReport Carrier::take_report() {
    std::sort(report_.failures.begin(), report_.failures.end(), [](const TreeFailure& a, const TreeFailure& b) { return a.path < b.path; });
    return std::move(report_);
}

void Carrier::work() {
    std::unique_lock lock{mutex_};
    for (;;) {
        ++idle_;
        work_.wait(lock, [&] { return !waiting_.empty() || stopped_; });
        --idle_;
        if (stopped_) return;
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        const bool makes_room = has_room();
        lock.unlock();
        if (makes_room) room_.notify_one();
        std::uint64_t bytes = 0;
        std::optional<Error> failure = error_from([&] { bytes = next.job(); });
        lock.lock();
        if (failure) {
            failed(next.path, std::move(*failure));
        } else {
            ++report_.files;
            report_.bytes += bytes;
            tell(lock, next.path);
        }
        --running_;
        if (is_done() || stopped_) room_.notify_one();
    }
}

void Carrier::failed(const std::string& path, Error error) {
    if (options_.go_on && !is_of_whole_call(error)) {
        report_.failures.push_back({path, std::move(error)});
        return;
    }
    stopped_ = true;
    if (!ended_by_) ended_by_ = std::move(error);
}

// One at a time, and without the lock: what the caller does in there may take its time.
void Carrier::tell(std::unique_lock<std::mutex>& lock, const std::string& path) {
    if (!options_.progress) return;
    turn_.wait(lock, [&] { return !telling_; });
    if (!stopped_) {
        telling_ = true;
        const TreeProgress so_far = report_;
        lock.unlock();
        bool more = true;
        std::optional<Error> ends = error_from([&] { more = options_.progress(so_far, path); });
        if (!more) ends = make_error(Errc::cancelled, "the transfer of a tree was ended by its caller");
        lock.lock();
        telling_ = false;
        if (ends) {
            ends->with_connection(label_);
            stopped_ = true;
            if (!ended_by_) ended_by_ = std::move(ends);
        }
    }
    turn_.notify_one();
}

void Carrier::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopped_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace qconn::file
