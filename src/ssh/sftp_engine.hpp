// SPDX-License-Identifier: Apache-2.0
/// What an SftpClient is made of: its lanes, and its calls.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

#include <qconn/net/runtime.hpp>
#include <qconn/ssh/sftp_client.hpp>

#include "base/redaction.hpp"
#include "net/loop_impl.hpp"
#include "ssh/channel.hpp"
#include "ssh/sftp_call.hpp"
#include "ssh/sftp_lane.hpp"

namespace qconn::sftp {

/// A session, and for a large transfer its place there.
struct Seat {
    std::shared_ptr<Session> session{};
    Place place{};
};

/// @note The loop's thread, but for what says otherwise.
class Engine : public std::enable_shared_from_this<Engine> {
public:
    Engine(std::shared_ptr<ssh::ChannelSource> source, SftpOptions options, Runtime runtime);
    ~Engine();

    // Thread-safe:
    const SftpOptions& options() const noexcept { return options_; }
    const std::string& server() const noexcept { return server_; }
    const Runtime& runtime() const noexcept { return runtime_; }
    net::Loop& loop() const noexcept { return source_->loop(); }
    /// Where the bytes of uploads are put.
    const std::shared_ptr<BlockPool>& upload_pool() const noexcept { return upload_pool_; }
    /// It has a session, or had when that was looked at last.
    bool is_up() const noexcept { return first_->is_up(); }
    /// Ends all calls as cancelled, and then the session.
    static void close(std::shared_ptr<Engine> self) noexcept;
    /// After close(): until nothing is under way any more, or a moment has passed. What is tidied up at a server that does not answer goes on without
    /// it.
    void wait_for_end();
    /// Runs `body` on the loop, and `callback` after it, once.
    template <class T>
    Operation start(std::string verb, std::string path, Deadline deadline, std::function<Task<T>(Call&)> body, Callback<T> callback);

    /// The session, or a new one. @throws Error what the source of channels says, or what stopped the call
    Task<std::shared_ptr<Session>> session(Call& call);
    /// For a large transfer: in the lane that has the fewest, which may be a new one. A server that refuses another channel is not asked again while
    /// the first session stands. @throws as session()
    Task<Seat> seat(Call& call);
    /// Work that nobody waits for: tidying up after a call that has ended.
    void tidy(std::string verb, std::string path, std::function<Task<void>(Call&)> body);
    /// Nothing new is asked of it any more.
    void give_up(const std::shared_ptr<Session>& session);
    /// A part that is gone on with is used by one transfer at a time.
    bool claim(const std::string& path) { return claimed_.insert(path).second; }
    void release(const std::string& path) { claimed_.erase(path); }

private:
    friend class Call;
    template <class T>
    static Detached run(std::shared_ptr<Engine> self, std::shared_ptr<Call> call, std::function<Task<T>(Call&)> body, Callback<T> callback);
    bool may_begin_anew(const Call& call, const Error& error, int tries) const;
    void enter(const std::shared_ptr<Call>& call) { calls_.insert(call); }
    void leave(const std::shared_ptr<Call>& call);
    void count_begun();
    void count_ended();
    std::size_t take_place(Place& place);
    void on_no_lane(std::size_t index, const std::shared_ptr<Session>& first, const std::optional<Error>& error);
    void close_if_idle();

    const SftpOptions options_;
    const Redactions redactions_;  // in force also for what is said after the client has gone
    const Runtime runtime_;
    const std::shared_ptr<ssh::ChannelSource> source_;
    const std::string server_;
    const std::shared_ptr<BlockPool> upload_pool_;
    const std::shared_ptr<Sharers> sharers_{std::make_shared<Sharers>()};
    const std::shared_ptr<Lane> first_;         // everybody's
    std::vector<std::shared_ptr<Lane>> lanes_;  // with it; the others are made when large transfers are many
    std::size_t usable_;                        // of the lanes, so far as is known
    std::weak_ptr<Session> usable_with_;        // the first lane's session when another was refused
    int ended_by_another_{0};                   // connections, one after the other, that ended as another channel was asked for
    std::weak_ptr<Session> ended_last_;
    std::unordered_set<std::shared_ptr<Call>> calls_;
    std::unordered_set<std::string> claimed_;
    bool closing_{false};
    std::mutex end_mutex_;
    std::condition_variable end_;
    std::size_t under_way_{0};  // under end_mutex_: calls without their callbacks, which may wait for whom they like
};

/// Whether a lane of its own is worth the round trips that it takes. A source that cannot tell its size may be endless.
inline bool is_large(const std::optional<std::uint64_t>& size) noexcept {
    constexpr std::uint64_t k_large = std::uint64_t{4} << 20U;
    return !size || *size >= k_large;
}

template <class T>
Operation Engine::start(std::string verb, std::string path, Deadline deadline, std::function<Task<T>(Call&)> body, Callback<T> callback) {
    auto call = std::make_shared<Call>(shared_from_this(), std::move(verb), std::move(path), deadline);
    count_begun();
    loop().post([self = shared_from_this(), call, body = std::move(body), callback = std::move(callback)]() mutable {
        run<T>(std::move(self), std::move(call), std::move(body), std::move(callback));
    });
    return Operation{std::move(call)};
}

template <class T>
Detached Engine::run(std::shared_ptr<Engine> self, std::shared_ptr<Call> call, std::function<Task<T>(Call&)> body, Callback<T> callback) {
    std::optional<Result<T>> result;
    self->enter(call);
    call->begin();
    if (self->closing_) call->stop(stopped(call->subject(), true, ": the client was closed"));
    for (int tries = 1; !result; ++tries) {
        std::optional<Error> error;
        try {
            Task<T> task = body(*call);
            if constexpr (std::is_void_v<T>) {
                co_await std::move(task);
                result.emplace();
            } else {
                T value = co_await std::move(task);
                result.emplace(std::move(value));
            }
        } catch (const Error& thrown) { error = thrown; } catch (const std::exception& thrown) {
            error = failed_end(call->subject(), thrown.what());
        } catch (...) { error = failed_end(call->subject(), "an exception that is no std::exception"); }
        if (error && !self->may_begin_anew(*call, *error, tries)) result.emplace(std::move(*error));
    }
    call->end();
    body = nullptr;
    self->count_ended();
    UniqueFunction<void()> told{[&] {
        Callback<T> once = std::move(callback);
        if (once) once(std::move(*result));
    }};
    net::run_guarded(told, self->loop().log());
    self->leave(call);
}

}  // namespace qconn::sftp
