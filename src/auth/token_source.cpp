// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <qconn/auth/oauth2.hpp>
#include <qconn/base/url.hpp>

#include "auth/auth_error.hpp"
#include "auth/token_answer.hpp"
#include "auth/token_request.hpp"
#include "auth/token_state.hpp"
#include "base/redaction.hpp"
#include "base/text.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn {

namespace {

using auth::make_auth_error;
using Advice = auth::TokenState::Advice;

constexpr std::size_t k_remembered = 16;  // secrets of former tokens, which may still be under way

std::int64_t unix_seconds() noexcept {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// What a fetch asks for.
enum class Step : std::uint8_t { refresh, login, code };

constexpr std::string_view words_of(Step step) noexcept {
    switch (step) {
        case Step::refresh: return "renewing the token";
        case Step::login: return "logging in";
        case Step::code: return "exchanging the code for a token";
    }
    return {};
}

}  // namespace

/// @note State is guarded by mutex_ or belongs to the thread of loop_, as it says there.
class TokenSource::Core : public std::enable_shared_from_this<Core> {
public:
    /// Somebody who wants a token.
    class Waiter final : public Operation::State, public std::enable_shared_from_this<Waiter> {
    public:
        Waiter(std::weak_ptr<Core> core, Deadline until, Callback<TokenPtr> told)
            : deadline{until}, core_{std::move(core)}, callback_{std::move(told)} {}

        void cancel() noexcept override {
            const auto core = core_.lock();
            if (!core || done_.load()) return;
            try {
                core->loop_->post([core, self = shared_from_this()] { core->give_up(*self, core->cancelled("the wait for a token was cancelled")); });
            } catch (...) {  // no memory: it ends by its deadline
            }
        }
        bool done() const noexcept override { return done_.load(); }

        /// On the loop's thread, any number of times; the first outcome counts.
        void deliver(const Core& core, Result<TokenPtr> result) {
            if (done_.exchange(true)) return;
            core.loop_->post([callback = std::move(callback_), result = std::move(result), runtime = core.runtime_]() mutable {
                if (callback) callback(std::move(result));
                callback = nullptr;
            });
        }

        const Deadline deadline;
        const Clock::time_point since{Clock::now()};

    private:
        std::weak_ptr<Core> core_;
        std::atomic<bool> done_{false};
        Callback<TokenPtr> callback_;  // of the loop's thread
    };
    using WaiterPtr = std::shared_ptr<Waiter>;

    Core(OAuth2Options given, SendForm send, Runtime runtime)
        : options{std::move(given)},
          runtime_{std::move(runtime)},
          loop_{runtime_.impl().loop().shared_from_this()},
          send_{std::move(send)},
          state_{options} {
        remember(options.refresh_token);
        remember(options.token);
        publish_secrets();
    }

    const OAuth2Options options;

    WaiterPtr make_waiter(Deadline deadline, Callback<TokenPtr> callback) {
        return std::make_shared<Waiter>(weak_from_this(), deadline, std::move(callback));
    }
    Operation start(WaiterPtr waiter, bool was_refused, TokenPtr refused) {
        loop_->post([self = shared_from_this(), waiter, was_refused, refused = std::move(refused)] { self->begin(waiter, was_refused, refused); });
        return Operation{std::move(waiter)};
    }
    Operation start_code(WaiterPtr waiter, AuthorizationRequest request, std::string_view code, std::string_view came_back) {
        const bool same_state = came_back == request.state && !request.state.empty();
        loop_->post([self = shared_from_this(), waiter, request = std::move(request), code = Secret{code}, same_state] {
            self->begin_code(waiter, request, code, same_state);
        });
        return Operation{std::move(waiter)};
    }

    /// Blocks until the callback has come.
    template <class Start>
    TokenPtr wait(Start start) {
        if (runtime_.on_io_thread()) {
            throw make_error(Errc::invalid_argument,
                             "a token was waited for on an I/O thread of its runtime, where that would hold up everything else; use the asynchronous "
                             "form, or post_blocking")
                .with_connection(options.label);
        }
        struct Box {
            std::mutex mutex;
            std::condition_variable changed;
            std::optional<Result<TokenPtr>> result;
        };
        const auto box = std::make_shared<Box>();
        start([box](Result<TokenPtr> result) {
            const std::scoped_lock lock{box->mutex};
            box->result.emplace(std::move(result));
            box->changed.notify_all();
        });
        std::unique_lock lock{box->mutex};
        box->changed.wait(lock, [&] { return box->result.has_value(); });
        return std::move(*box->result).value();
    }

    TokenPtr current() {
        const std::scoped_lock lock{mutex_};
        const Advice advice = state_.ask(Clock::now());
        if (advice == Advice::use_and_fetch) {
            state_.begin_fetch();
            loop_->post([self = shared_from_this()] { self->fetch(); });
        }
        return advice == Advice::use || advice == Advice::use_and_fetch ? state_.token() : nullptr;
    }
    TokenPtr last() const {
        const std::scoped_lock lock{mutex_};
        return state_.last();
    }
    void resume(Token token) {
        const std::scoped_lock lock{mutex_};
        remember(token.access);
        remember(token.refresh);
        publish_secrets();
        state_.resume(std::move(token), Clock::now());
    }
    bool needs_person() const {
        const std::scoped_lock lock{mutex_};
        return state_.needs_person(Clock::now());
    }
    void set_listener(std::function<void(const Token&)> listener) {
        auto shared = std::make_shared<const std::function<void(const Token&)>>(std::move(listener));
        const std::scoped_lock lock{mutex_};
        listener_.swap(shared);
    }
    std::string redact(std::string text) const {
        const auto secrets = [this] {
            const std::scoped_lock lock{mutex_};
            return own_redaction_;
        }();
        if (!secrets) return text;
        std::string clean = secrets->apply(text);
        wipe(text);
        return clean;
    }

    void shut_down() {
        loop_->post([self = shared_from_this()] {
            self->closed_ = true;
            self->sending_.cancel();
            for (const WaiterPtr& waiter : std::exchange(self->waiters_, {}))
                waiter->deliver(*self, self->cancelled("the source of tokens has gone"));
            for (const WaiterPtr& waiter : std::exchange(self->code_waiters_, {}))
                waiter->deliver(*self, self->cancelled("the source of tokens has gone"));
            self->timer_.reset();
        });
    }

private:
    // The following on the loop's thread.

    void begin(const WaiterPtr& waiter, bool was_refused, const TokenPtr& refused) {
        if (waiter->done()) return;
        if (closed_) return waiter->deliver(*this, cancelled("the source of tokens has gone"));
        Advice advice{};
        TokenPtr token;
        std::optional<Error> failure;
        {
            const std::scoped_lock lock{mutex_};
            const auto now = Clock::now();
            advice = was_refused ? state_.refused(refused, now) : state_.ask(now);
            if (advice == Advice::fetch || advice == Advice::use_and_fetch) state_.begin_fetch();
            token = state_.token();
            failure = state_.failure();
        }
        switch (advice) {
            case Advice::use: return waiter->deliver(*this, token);
            case Advice::use_and_fetch: waiter->deliver(*this, token); return fetch();
            case Advice::report: return waiter->deliver(*this, TokenPtr{});
            case Advice::fail: return waiter->deliver(*this, *failure);
            case Advice::fetch:
            case Advice::wait: break;
        }
        waiters_.push_back(waiter);
        arm();
        if (advice == Advice::fetch) fetch();
    }

    void begin_code(const WaiterPtr& waiter, const AuthorizationRequest& request, const Secret& code, bool same_state) {
        if (waiter->done()) return;
        if (closed_) return waiter->deliver(*this, cancelled("the source of tokens has gone"));
        if (!same_state) {
            return waiter->deliver(*this,
                                   named(make_auth_error(AuthErrc::option,
                                                         "the code was not used: the state that came back from the browser is not the one that "
                                                         "it was sent away with, so it may belong to somebody else; begin anew",
                                                         Reason::bad_value)));
        }
        {
            const std::scoped_lock lock{mutex_};
            remember(code);
            publish_secrets();
        }
        code_waiters_.push_back(waiter);
        arm();
        try {
            Operation operation =
                send_(auth::code_request(options, request, code.reveal()), Deadline{options.fetch_timeout}, answer_of(Step::code, waiter));
        } catch (const Error& error) { settle(Step::code, waiter, named(error)); }
    }

    /// By the refresh token where there is one.
    void fetch() {
        if (closed_) return;
        bool by_refresh = false;
        {
            const std::scoped_lock lock{mutex_};
            by_refresh = !state_.refresh_token().empty();
        }
        const Step step = by_refresh ? Step::refresh : Step::login;
        until_ = Deadline{options.fetch_timeout};
        if (!by_refresh && !auth::can_log_in(options.grant)) return settle(step, nullptr, no_way());
        send(step);
    }

    void send(Step step) {
        try {
            if (const std::string missing = text::join(auth::missing_parts(options), ", "); !missing.empty() && step == Step::login) {
                throw make_auth_error(AuthErrc::option,
                                      "no token can be fetched by grant " + std::string{to_string(options.grant)} + ": missing " + missing,
                                      Reason::missing);
            }
            if (options.token_url.empty())
                throw make_auth_error(AuthErrc::option, "no token can be fetched: missing oauth2_token_url", Reason::missing);
            TokenRequest request;
            if (step == Step::refresh) {
                const std::scoped_lock lock{mutex_};
                request = auth::refresh_request(options, state_.refresh_token());
            } else {
                request = auth::login_request(options, unix_seconds());
            }
            sending_ = send_(std::move(request), until_, answer_of(step, nullptr));
        } catch (const Error& error) { settle(step, nullptr, named(error)); }
    }

    Callback<TokenAnswer> answer_of(Step step, WaiterPtr waiter) {
        return [weak = weak_from_this(), step, waiter = std::move(waiter)](Result<TokenAnswer> answer) mutable {
            const auto self = weak.lock();
            if (!self) return;
            const auto now = Clock::now();
            self->loop_->post(
                [self, step, waiter = std::move(waiter), answer = std::move(answer), now] { self->answered(step, waiter, answer, now); });
        };
    }

    void answered(Step step, const WaiterPtr& waiter, const Result<TokenAnswer>& answer, Clock::time_point now) {
        if (closed_) return;
        if (!answer) return settle(step, waiter, unreachable(step, answer.error()));
        auth::TokenOutcome outcome = auth::read_token_answer(*answer, now);
        if (outcome.token) return settle(step, waiter, std::move(*outcome.token), now);
        if (step == Step::refresh && outcome.refused) {
            if (outcome.error == "invalid_grant") {
                const std::scoped_lock lock{mutex_};
                state_.drop_refresh_token();
            }
            if (auth::can_log_in(options.grant)) return send(Step::login);
        }
        settle(step, waiter, refused_error(step, answer->status, outcome));
    }

    void settle(Step step, const WaiterPtr& waiter, Token token, Clock::time_point now) {
        TokenPtr fresh;
        std::shared_ptr<const std::function<void(const Token&)>> listener;
        {
            const std::scoped_lock lock{mutex_};
            const bool was_fetching = state_.is_fetching();
            fresh = state_.fetched(std::move(token), now);
            if (step == Step::code && was_fetching) state_.begin_fetch();  // that one is still under way
            remember(fresh->access);
            remember(fresh->refresh);
            if (const Value* identity = fresh->fields.find("id_token"); identity && identity->is_string()) remember(Secret{identity->as_string()});
            publish_secrets();
            listener = listener_;
        }
        if (listener && *listener) {
            try {
                (*listener)(*fresh);
            } catch (...) { log_thrown(); }
        }
        if (waiter) end(code_waiters_, waiter, fresh);
        for (const WaiterPtr& one : std::exchange(waiters_, {})) one->deliver(*this, fresh);
        arm();
    }

    void settle(Step step, const WaiterPtr& waiter, Error error) {
        if (step == Step::code) return end(code_waiters_, waiter, std::move(error));
        {
            const std::scoped_lock lock{mutex_};
            state_.failed(error, Clock::now());
        }
        for (const WaiterPtr& one : std::exchange(waiters_, {})) one->deliver(*this, error);
        arm();
    }

    void end(std::vector<WaiterPtr>& of, const WaiterPtr& waiter, Result<TokenPtr> result) {
        std::erase(of, waiter);
        waiter->deliver(*this, std::move(result));
        arm();
    }

    void give_up(Waiter& waiter, Error error) {
        const auto is_it = [&waiter](const WaiterPtr& one) { return one.get() == &waiter; };
        waiter.deliver(*this, std::move(error));
        std::erase_if(waiters_, is_it);
        std::erase_if(code_waiters_, is_it);
        arm();
    }

    /// For the first deadline of those who wait.
    void arm() {
        Deadline next;
        for (const auto* list : {&waiters_, &code_waiters_})
            for (const WaiterPtr& waiter : *list) next = earlier(next, waiter->deadline);
        if (!timer_ && next.is_never()) return;
        if (!timer_) timer_ = std::make_unique<net::Timer>(*loop_);
        timer_->arm(next, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->expire();
        });
    }

    void expire() {
        std::vector<WaiterPtr> late;
        for (auto* list : {&waiters_, &code_waiters_}) {
            std::erase_if(*list, [&late](const WaiterPtr& waiter) {
                if (!waiter->deadline.has_passed()) return false;
                late.push_back(waiter);
                return true;
            });
        }
        for (const WaiterPtr& waiter : late) {
            const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - waiter->since);
            waiter->deliver(*this,
                            named(make_error(Errc::timeout, "waiting for a token: " + server() + " had not answered when the deadline passed after " +
                                                                std::to_string(waited.count()) + " ms")
                                      .with_phase(Phase::auth)
                                      .with_retryable(true)));
        }
        arm();
    }

    // Texts.

    Error named(Error error) const {
        if (error.connection().empty() && !options.label.empty()) error.with_connection(options.label);
        return error;
    }
    Error cancelled(std::string words) const { return named(make_error(Errc::cancelled, std::move(words))); }
    std::string server() const {
        const std::string& url = options.alternative_token_url.empty() ? options.token_url : options.alternative_token_url;
        return "the token server " + mask_url(url.substr(0, url.find('?')));
    }
    Error no_way() const {
        if (options.grant == OAuth2Grant::none)
            return named(
                make_auth_error(AuthErrc::token, "there is no token, and no grant to get one by: set token or oauth2_grant_type", Reason::missing));
        const bool by_person = options.grant == OAuth2Grant::authorization_code;
        return named(make_auth_error(AuthErrc::token,
                                     std::string{"there is no token and no refresh token: "} +
                                         (by_person ? "a person has to allow the access (needs_auth)" +
                                                          (options.label.empty() ? "" : "; 'qconn auth " + options.label + " --save' logs in")
                                                    : std::string{"set oauth2_refresh_token to a new one"}),
                                     Reason::denied));
    }
    Error unreachable(Step step, const Error& cause) const {
        Error error = make_auth_error(AuthErrc::login, std::string{words_of(step)} + " at " + server() + ": " + redact(std::string{cause.message()}),
                                      cause.reason());
        return named(std::move(error).with_retryable(cause.retryable()));
    }
    Error refused_error(Step step, int status, const auth::TokenOutcome& outcome) const {
        std::string message = std::string{words_of(step)} + " at " + server() + " failed: it answered " + std::to_string(status);
        if (!outcome.error.empty()) message += " " + outcome.error;
        if (!outcome.problem.empty()) message += (outcome.error.empty() ? ", " : ": ") + outcome.problem;
        const bool trouble = status / 100 == 5 || status == 429 || status == 408;
        message += trouble                             ? "; try again later"
                   : outcome.error.empty()             ? "; is oauth2_token_url right?"
                   : step == Step::refresh             ? "; a person may have to allow the access anew"
                   : outcome.error == "invalid_client" ? "; check id and secret of the client"
                   : outcome.error == "invalid_grant" && options.grant == OAuth2Grant::password && step == Step::login
                       ? "; check user name and password"
                       : "; check the options oauth2_*";
        const AuthErrc code = step == Step::refresh && !trouble ? AuthErrc::token : AuthErrc::login;
        const Reason reason = outcome.refused ? Reason::denied : status / 100 == 2 ? Reason::bad_answer : Reason::status;
        return named(make_auth_error(code, redact(std::move(message)), reason).with_retryable(trouble));
    }
    void log_thrown() const noexcept {
        LogRecord record;
        record.level = LogLevel::error;
        record.connection = options.label;
        record.event = "callback-threw";
        record.text = "who is told of new tokens (on_token) threw";
        runtime_.log().write(record);
    }

    // Under mutex_.

    void remember(const Secret& secret) {
        if (secret.empty() || std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
        secrets_.push_back(secret);
        if (secrets_.size() > k_remembered) secrets_.pop_front();
    }
    void publish_secrets() {
        Redaction all;
        for (const Secret& secret : secrets_) all.add(secret.reveal(), k_masked);
        for (const Secret* always : {&options.client_secret, &options.password}) all.add(always->reveal(), k_masked);
        if (options.basic_auth) all.add(auth::client_authorization(options).reveal().substr(std::string_view{"Basic "}.size()), k_masked);
        own_redaction_ = std::make_shared<const Redaction>(all);
        published_ = options.label.empty() ? nullptr : publish(options.label, std::move(all));
    }

    const Runtime runtime_;
    const std::shared_ptr<net::Loop> loop_;
    const SendForm send_;
    mutable std::mutex mutex_;
    // Guarded by mutex_:
    auth::TokenState state_;
    std::deque<Secret> secrets_;
    std::shared_ptr<const Redaction> own_redaction_;
    std::shared_ptr<const Redaction> published_;  // in force for errors and records of the label
    std::shared_ptr<const std::function<void(const Token&)>> listener_;
    // Of the loop's thread:
    std::vector<WaiterPtr> waiters_;
    std::vector<WaiterPtr> code_waiters_;
    Operation sending_;
    Deadline until_;  // of the fetch that is under way
    std::unique_ptr<net::Timer> timer_;
    bool closed_{false};
};

TokenSource::TokenSource(OAuth2Options options, SendForm send, Runtime runtime) {
    const auto refuse = [&options](std::string message) {
        throw make_auth_error(AuthErrc::option, std::move(message), Reason::bad_value).with_connection(options.label);
    };
    if (!send) refuse("a source of tokens needs a function that sends forms");
    if (options.fetch_timeout < std::chrono::seconds{1}) refuse("the time for fetching a token is at least a second");
    if (options.refresh_ahead.count() < 0) refuse("the time before the end at which a token is renewed is not negative");
    for (const Map* map : {&options.auth_args, &options.token_args}) {
        for (const auto& [name, value] : *map)
            if (value.is_map() || value.is_list()) refuse("the value of \"" + text::printable(name) + "\" in the further arguments is no text");
    }
    core_ = std::make_shared<Core>(std::move(options), std::move(send), std::move(runtime));
}

TokenSource::~TokenSource() { core_->shut_down(); }

const OAuth2Options& TokenSource::options() const noexcept { return core_->options; }

TokenPtr TokenSource::current() { return core_->current(); }

Operation TokenSource::async_token(Deadline deadline, Callback<TokenPtr> callback) {
    return core_->start(core_->make_waiter(deadline, std::move(callback)), false, nullptr);
}

Operation TokenSource::async_renew(TokenPtr refused, Deadline deadline, Callback<TokenPtr> callback) {
    return core_->start(core_->make_waiter(deadline, std::move(callback)), true, std::move(refused));
}

TokenPtr TokenSource::token(Deadline deadline) {
    if (TokenPtr token = current()) return token;
    return core_->wait([&](Callback<TokenPtr> callback) { async_token(deadline, std::move(callback)); });
}

TokenPtr TokenSource::renew(TokenPtr refused, Deadline deadline) {
    return core_->wait([&](Callback<TokenPtr> callback) { async_renew(std::move(refused), deadline, std::move(callback)); });
}

TokenPtr TokenSource::last() const { return core_->last(); }

void TokenSource::resume(Token token) { core_->resume(std::move(token)); }

bool TokenSource::needs_authorization() const { return core_->needs_person(); }

AuthorizationRequest TokenSource::begin_authorization(std::string_view redirect_url) const {
    try {
        return auth::authorization_request(core_->options, redirect_url);
    } catch (Error& error) {
        error.with_connection(core_->options.label);
        throw;
    }
}

Operation TokenSource::async_finish_authorization(const AuthorizationRequest& request, std::string_view code, std::string_view state,
                                                  Deadline deadline, Callback<TokenPtr> callback) {
    return core_->start_code(core_->make_waiter(deadline, std::move(callback)), request, code, state);
}

TokenPtr TokenSource::finish_authorization(const AuthorizationRequest& request, std::string_view code, std::string_view state, Deadline deadline) {
    return core_->wait([&](Callback<TokenPtr> callback) { async_finish_authorization(request, code, state, deadline, std::move(callback)); });
}

void TokenSource::on_token(std::function<void(const Token&)> callback) { core_->set_listener(std::move(callback)); }

std::string TokenSource::redact(std::string text) const { return core_->redact(std::move(text)); }

}  // namespace qconn
