// SPDX-License-Identifier: Apache-2.0
/// What an SftpClient is made of: its session, made when it is needed, and its calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include <qconn/net/runtime.hpp>
#include <qconn/ssh/sftp_client.hpp>

#include "base/redaction.hpp"
#include "net/loop_impl.hpp"
#include "ssh/channel.hpp"
#include "ssh/sftp_call.hpp"

namespace qconn::sftp {

/// Who waits for the session.
class SessionWait final : public Awaited {
public:
    std::shared_ptr<Session> session{};
    std::optional<Error> error{};
    void done() { finish(); }
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
    /// Ends all calls as cancelled, and then the session.
    static void close(std::shared_ptr<Engine> self);
    /// Runs `body` on the loop, and `callback` after it, once.
    template <class T>
    Operation start(std::string verb, std::string path, Deadline deadline, std::function<Task<T>(Call&)> body, Callback<T> callback);

    /// The session, or a new one. @throws Error what the source of channels says, or what stopped the call
    Task<std::shared_ptr<Session>> session(Call& call);
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
    void open();
    void on_channel(std::uint64_t number, Result<std::unique_ptr<ssh::Channel>> result);
    void tell_waiting(const std::shared_ptr<Session>& session, const std::optional<Error>& error);
    void stop_waiting(const SessionWait* wait);
    void close_if_idle();

    const SftpOptions options_;
    const Redactions redactions_;  // in force also for what is said after the client has gone
    const Runtime runtime_;
    const std::shared_ptr<ssh::ChannelSource> source_;
    const std::string server_;
    const std::shared_ptr<BlockPool> upload_pool_;
    std::shared_ptr<Session> session_;           // greeting or open
    std::vector<std::shared_ptr<Session>> old_;  // given up, but not yet ended
    bool opening_{false};                        // the channel
    std::uint64_t opening_number_{0};
    Operation opening_operation_;
    std::vector<std::shared_ptr<SessionWait>> waiting_;
    std::unordered_set<std::shared_ptr<Call>> calls_;
    std::unordered_set<std::string> claimed_;
    bool closing_{false};
};

template <class T>
Operation Engine::start(std::string verb, std::string path, Deadline deadline, std::function<Task<T>(Call&)> body, Callback<T> callback) {
    auto call = std::make_shared<Call>(shared_from_this(), std::move(verb), std::move(path), deadline);
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
    if (self->closing_) call->stop(stopped(call->subject(), true, ": the client was destroyed"));
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
    UniqueFunction<void()> told{[&] {
        Callback<T> once = std::move(callback);
        if (once) once(std::move(*result));
    }};
    net::run_guarded(told, self->loop().log());
    self->leave(call);
}

}  // namespace qconn::sftp
