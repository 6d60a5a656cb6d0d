// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_engine.hpp"

#include <algorithm>
#include <utility>

#include "net/runtime_impl.hpp"
#include "ssh/sftp_upload.hpp"

namespace qconn::sftp {

namespace {

/// How long tidying up after a call may take.
constexpr std::chrono::seconds k_tidy_limit{10};
/// Sessions that were given up and still owe answers.
constexpr std::size_t k_most_old = 4;
/// Sessions that one call may lose before anything of it was sent.
constexpr int k_most_tries = 3;
/// Blocks for uploads that are kept.
constexpr std::size_t k_upload_spare = 32;

SftpOptions checked(SftpOptions options) {
    constexpr std::size_t k_least_window = 64 * 1024;
    options.window = std::max(options.window, k_least_window);
    while (options.path.size() > 1 && options.path.ends_with('/')) options.path.pop_back();
    return options;
}

}  // namespace

Engine::Engine(std::shared_ptr<ssh::ChannelSource> source, SftpOptions options, Runtime runtime)
    : options_{checked(std::move(options))},
      redactions_{redactions_of(options_.label)},
      runtime_{std::move(runtime)},
      source_{std::move(source)},
      server_{source_->peer()},
      upload_pool_{make_block_pool(k_upload_block, k_upload_spare)} {}

Engine::~Engine() = default;

void Engine::close(std::shared_ptr<Engine> self) {
    net::Loop& loop = self->loop();
    loop.post([self = std::move(self)] {
        self->closing_ = true;
        const auto calls = self->calls_;
        for (const auto& call : calls) call->stop(stopped(call->subject(), true, ": the client was destroyed"));
        self->close_if_idle();
    });
}

void Engine::close_if_idle() {
    if (!closing_ || !calls_.empty()) return;
    if (opening_) {
        opening_ = false;
        ++opening_number_;
        opening_operation_.cancel();
    }
    // What calls have left to be tidied up are calls too, and have ended.
    for (const auto& old : std::exchange(old_, {})) old->close();
    if (const auto session = std::exchange(session_, nullptr)) session->close();
}

void Engine::leave(const std::shared_ptr<Call>& call) {
    calls_.erase(call);
    close_if_idle();
}

bool Engine::may_begin_anew(const Call& call, const Error& error, int tries) const {
    if (call.is_stopped() || !error.spoils_connection() || error.code() != make_error_code(SftpErrc::session)) return false;
    // The session may have ended while it was idle, which is seen only when it is used.
    return call.has_begun() ? tries == 1 && call.is_repeatable() : tries < k_most_tries;
}

void Engine::tidy(std::string verb, std::string path, std::function<Task<void>(Call&)> body) {
    auto call = std::make_shared<Call>(shared_from_this(), std::move(verb), std::move(path), Deadline{k_tidy_limit});
    // Begun at once, also where the client is going: its close() has stopped what was there before.
    const bool closing = std::exchange(closing_, false);
    run<void>(shared_from_this(), call, std::move(body), [](const Result<void>&) {});
    closing_ = closing;
}

void Engine::give_up(const std::shared_ptr<Session>& session) {
    if (session != session_) return;
    session_ = nullptr;
    old_.push_back(session);
    session->retire();
    if (old_.size() > k_most_old) {
        const auto oldest = old_.front();
        oldest->close();
    }
}

Task<std::shared_ptr<Session>> Engine::session(Call& call) {
    if (session_ && session_->is_open()) co_return session_;
    const auto wait = std::make_shared<SessionWait>();
    waiting_.push_back(wait);
    open();
    try {
        co_await call.until(*wait);
    } catch (const Error&) {
        stop_waiting(wait.get());
        throw;
    }
    if (wait->error) {
        call.note_begun();  // a session that cannot be had is not tried again
        call.set_repeatable(false);
        // Its own words where it is the session's; others know better what they did.
        if (wait->error->code().category() == sftp_category()) throw call.lost(*wait->error);
        throw *wait->error;
    }
    co_return wait->session;
}

void Engine::stop_waiting(const SessionWait* wait) {
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.get() == wait; }), waiting_.end());
    if (waiting_.empty() && opening_) {
        // Nobody wants it any more.
        opening_ = false;
        ++opening_number_;
        opening_operation_.cancel();
        opening_operation_ = {};
    }
}

void Engine::open() {
    if (opening_ || session_) return;
    opening_ = true;
    const std::uint64_t number = ++opening_number_;
    opening_operation_ = source_->open_subsystem("sftp", {}, [self = shared_from_this(), number](Result<std::unique_ptr<ssh::Channel>> result) {
        self->on_channel(number, std::move(result));
    });
}

void Engine::on_channel(std::uint64_t number, Result<std::unique_ptr<ssh::Channel>> result) {
    if (number != opening_number_ || !opening_) return;
    opening_ = false;
    opening_operation_ = {};
    if (!result) return tell_waiting(nullptr, result.error());
    auto session = std::make_shared<Session>(std::move(*result), options_.label, server_, options_.timeout);
    session_ = session;
    session->start(
        [weak = weak_from_this(), raw = std::weak_ptr{session}](std::optional<Error> error) {
            const auto self = weak.lock();
            if (!self) return;
            self->tell_waiting(error ? nullptr : raw.lock(), error);
        },
        [weak = weak_from_this(), raw = session.get()] {
            const auto self = weak.lock();
            if (!self) return;
            if (self->session_.get() == raw) self->session_ = nullptr;
            const auto is_it = [&](const auto& one) { return one.get() == raw; };
            self->old_.erase(std::remove_if(self->old_.begin(), self->old_.end(), is_it), self->old_.end());
        });
}

void Engine::tell_waiting(const std::shared_ptr<Session>& session, const std::optional<Error>& error) {
    for (const auto& one : std::exchange(waiting_, {})) {
        one->session = session;
        one->error = error;
        one->done();
    }
}

}  // namespace qconn::sftp
