// SPDX-License-Identifier: Apache-2.0
#include "ssh/sessions.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "ssh/ssh_error.hpp"

namespace qconn::ssh {

/// Somebody who wants a channel, or only the session.
class Sessions::Request final : public Operation::State, public std::enable_shared_from_this<Request> {
public:
    /// For a channel.
    Request(std::shared_ptr<Sessions> owner, Purpose wanted, Session::Opened on_opened)
        : purpose{std::move(wanted)}, owner_{std::move(owner)}, on_opened_{std::move(on_opened)} {}
    /// For the session alone.
    Request(std::shared_ptr<Sessions> owner, Callback<SshSessionInfo> on_info) : owner_{std::move(owner)}, on_info_{std::move(on_info)} {}

    void cancel() noexcept override {
        if (done()) return;
        try {
            owner_->loop_->post([self = shared_from_this()] { self->owner_->give_up(self, true); });
        } catch (const std::exception&) {}  // without memory for a message it ends with its deadline
    }
    bool done() const noexcept override { return done_.load(); }

    void arm(Deadline deadline) {
        if (deadline.is_never()) return;
        timer_ = std::make_unique<net::Timer>(*owner_->loop_);
        timer_->arm(deadline, [self = weak_from_this()] {
            if (const auto request = self.lock()) request->owner_->give_up(request, false);
        });
    }
    std::string doing() const { return purpose ? "opening " + purpose->words() + " on" : "connecting to"; }

    void finish(Result<std::unique_ptr<SessionChannel>> result) {
        auto info = std::move(on_info_);
        auto opened = std::move(on_opened_);
        const auto keep = release();
        if (opened) opened(std::move(result));
        if (info) info(result ? Result<SshSessionInfo>{SshSessionInfo{}} : Result<SshSessionInfo>{result.error()});
    }
    void finish(const SshSessionInfo& info) {
        auto on_info = std::move(on_info_);
        const auto keep = release();
        if (on_info) on_info(info);
    }

    std::optional<Purpose> purpose;
    std::shared_ptr<Session> session{};  // that opens its channel
    std::uint64_t opening{0};
    bool may_retry{true};

private:
    std::shared_ptr<Request> release() {
        auto self = shared_from_this();
        done_.store(true);
        owner_->forget(self);
        session.reset();
        // Not from inside its own callback.
        if (timer_) owner_->loop_->post([timer = std::shared_ptr<net::Timer>{std::move(timer_)}] {});
        return self;
    }

    const std::shared_ptr<Sessions> owner_;
    Session::Opened on_opened_;
    Callback<SshSessionInfo> on_info_;
    std::unique_ptr<net::Timer> timer_;
    std::atomic<bool> done_{false};
};

std::shared_ptr<Sessions> Sessions::make(SshOptions options, const Runtime& runtime) {
    return make(std::move(options), runtime, runtime.impl().loop());
}

std::shared_ptr<Sessions> Sessions::make(SshOptions options, const Runtime& runtime, net::Loop& loop) {
    std::shared_ptr<Sessions> jump;
    if (options.jump) {
        SshOptions first = *options.jump;
        if (first.label.empty()) first.label = options.label;
        jump = make(std::move(first), runtime, loop);
    }
    return std::make_shared<Sessions>(Key{}, make_settings(std::move(options)), std::move(jump), loop, runtime);
}

Sessions::Sessions(Key, std::shared_ptr<const Settings> settings, std::shared_ptr<Sessions> jump, net::Loop& loop, Runtime runtime)
    : settings_{std::move(settings)}, jump_{std::move(jump)}, loop_{loop.shared_from_this()}, runtime_{std::move(runtime)} {}

Sessions::~Sessions() {
    if (!session_) return;
    // A session belongs to its loop. This may be the last handle of the runtime: it runs what was posted.
    loop_->post([session = std::move(session_), label = settings_->options.label] {
        session->end(stopped(true, "the session", {}, Phase::protocol, label));
    });
}

Operation Sessions::open_subsystem(std::string name, Deadline deadline, Opened callback) {
    Purpose purpose;
    purpose.kind = Purpose::Kind::subsystem;
    purpose.what = std::move(name);
    return open(std::move(purpose), deadline, [callback = std::move(callback)](Result<std::unique_ptr<SessionChannel>> result) mutable {
        if (!result) return callback(Result<std::unique_ptr<Channel>>{result.error()});
        callback(Result<std::unique_ptr<Channel>>{std::unique_ptr<Channel>{std::move(*result)}});
    });
}

Operation Sessions::open(Purpose purpose, Deadline deadline, Session::Opened callback) {
    return start(std::make_shared<Request>(shared_from_this(), std::move(purpose), std::move(callback)), deadline);
}

Operation Sessions::connect(Deadline deadline, Callback<SshSessionInfo> callback) {
    return start(std::make_shared<Request>(shared_from_this(), std::move(callback)), deadline);
}

Operation Sessions::start(std::shared_ptr<Request> request, Deadline deadline) {
    Operation operation{request};
    loop_->post([request = std::move(request), self = shared_from_this(), deadline] {
        if (request->done()) return;
        self->requests_.push_back(request);
        request->arm(deadline);
        self->begin(request);
    });
    return operation;
}

void Sessions::begin(const std::shared_ptr<Request>& request) {
    if (closed_) return give_up(request, true);
    if (session_ && session_->is_over()) session_.reset();
    if (session_) {
        if (session_->is_ready()) go_on(request);
        return;
    }
    session_ = std::make_shared<Session>(settings_, jump_, *loop_, runtime_);
    session_->start([weak = weak_from_this(), session = std::weak_ptr<Session>{session_}](std::optional<Error> error) {
        const auto self = weak.lock();
        const auto strong = session.lock();
        if (self && strong) self->on_ready(strong, std::move(error));
    });
}

void Sessions::on_ready(const std::shared_ptr<Session>& session, std::optional<Error> error) {
    if (session_ != session) return;
    if (error) session_.reset();
    // Those that wait for it; what they do may bring others.
    const std::vector<std::shared_ptr<Request>> all = requests_;
    for (const auto& request : all) {
        if (request->done() || request->session) continue;
        request->may_retry = false;  // a session that is new did not die of age
        if (error)
            request->finish(*error);
        else
            go_on(request);
    }
}

/// The session is ready.
void Sessions::go_on(const std::shared_ptr<Request>& request) {
    if (!session_ || session_->is_over()) return begin(request);
    if (!request->purpose) return request->finish(session_->info());
    request->session = session_;
    request->opening = session_->open(
        *request->purpose, [weak = std::weak_ptr<Request>{request}, owner = weak_from_this()](Result<std::unique_ptr<SessionChannel>> result) {
            const auto waiting = weak.lock();
            const auto self = owner.lock();
            if (!waiting || !self || waiting->done()) return;
            const bool died = !result && waiting->session->is_over() && result.error().retryable();
            if (died && waiting->may_retry && !self->closed_) {
                waiting->may_retry = false;
                waiting->session.reset();
                return self->begin(waiting);
            }
            waiting->finish(std::move(result));
        });
}

void Sessions::give_up(const std::shared_ptr<Request>& request, bool cancelled) {
    if (request->done()) return;
    const std::shared_ptr<Session> session = request->session ? request->session : session_;
    const Phase phase = session && !session->is_over() ? session->phase() : Phase::protocol;
    const std::string doing = session && !session->is_over() ? session->doing() : std::string{};
    const bool opens = request->session != nullptr;
    if (opens) request->session->forget(request->opening);
    request->finish(stopped(cancelled, request->doing() + " \"" + settings_->peer + '"', doing, phase, settings_->options.label));
    // Nobody waits any more for a session that is being made.
    if (!opens && session_ && !session_->is_ready() && requests_.empty())
        std::exchange(session_, nullptr)->end(stopped(true, "connecting", {}, phase, settings_->options.label));
}

void Sessions::forget(const std::shared_ptr<Request>& request) {
    requests_.erase(std::remove(requests_.begin(), requests_.end(), request), requests_.end());
}

void Sessions::close() noexcept {
    try {
        loop_->post([self = shared_from_this()] {
            if (std::exchange(self->closed_, true)) return;
            const std::vector<std::shared_ptr<Request>> all = self->requests_;
            for (const auto& request : all) self->give_up(request, true);
            if (const auto session = std::exchange(self->session_, nullptr))
                session->end(stopped(true, "the session with \"" + self->settings_->peer + '"', {}, Phase::protocol, self->settings_->options.label));
            if (self->jump_) self->jump_->close();
        });
    } catch (const std::exception&) {}  // without memory it ends with its last user
}

}  // namespace qconn::ssh
