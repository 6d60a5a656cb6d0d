// SPDX-License-Identifier: Apache-2.0
#include "net/ping_run.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "base/redaction.hpp"
#include "net/blocking_pool.hpp"
#include "net/dial.hpp"
#include "net/dialogue_driver.hpp"
#include "net/loop_impl.hpp"
#include "net/runtime_impl.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"
#include "net/tls_context.hpp"
#include "net/tls_contexts.hpp"

namespace qconn::net {

namespace {

Error cancelled(Phase phase, std::string_view label) {
    return make_error(Errc::cancelled, "the ping was cancelled").with_phase(phase).with_reason(Reason::cancelled).with_connection(label);
}

/// Whatever is being thrown, as an Error.
Error current_error(Phase phase, std::string_view label) {
    try {
        throw;
    } catch (const Error& e) {
        Error error = e;
        if (error.phase() == Phase::none) error.with_phase(phase);
        if (error.connection().empty()) error.with_connection(label);
        return error;
    } catch (const std::bad_alloc&) {
        return make_error(Errc::system, "there was no memory for the ping").with_phase(phase).with_reason(Reason::local).with_connection(label);
    } catch (const std::exception& e) {
        return make_error(Errc::system, std::string{"the ping threw: "} + e.what()).with_phase(phase).with_connection(label);
    } catch (...) { return make_error(Errc::system, "the ping threw something that is no std::exception").with_phase(phase).with_connection(label); }
}

std::optional<Credential> own_certificate(const PingResult& result) {
    if (!result.tls || !result.tls->own) return {};
    const TlsCertificate& own = *result.tls->own;
    return Credential{Credential::Kind::client_certificate, own.subject, own.issuer, own.not_before, own.not_after, own.sha256};
}

/// `done`, given what is to be shown besides.
PingRun::Done with_credentials(PingRun::Done done, std::function<std::vector<Credential>()> credentials) {
    return [done = std::move(done), credentials = std::move(credentials)](PingResult result, std::unique_ptr<Stream> kept) mutable {
        for (Credential& one : credentials()) result.credentials.push_back(std::move(one));
        done(std::move(result), std::move(kept));
    };
}

void conclude(PingResult& result, std::optional<Error> error) {
    result.time = Clock::now() - result.started;
    result.ok = !error;
    result.inconclusive = error && error->reason() == Reason::local;
    result.error = std::move(error);
    if (auto own = own_certificate(result)) result.credentials.push_back(std::move(*own));
}

/// Takes out what came from secret references; errors have that behind them.
void clean(PingResult& result, std::string_view label) {
    for (auto& step : result.steps) step.evidence = redacted(label, std::move(step.evidence));
    if (!result.tls) return;
    result.tls->verdict = redacted(label, std::move(result.tls->verdict));
}

/// A ping over a stream. On its loop's thread.
class NetRun : public std::enable_shared_from_this<NetRun> {
public:
    NetRun(Loop& loop, std::shared_ptr<const NetPing> plan, std::shared_ptr<const Redaction> redaction, PingRun::Options options, PingRun::Done done)
        : runtime_{loop.runtime()},
          loop_{loop},
          plan_{std::move(plan)},
          redaction_{std::move(redaction)},
          label_{options.label},
          wants_steps_{options.steps},
          stream_{std::move(options.kept)},
          done_{std::move(done)} {}

    void start() {
        result_.started = Clock::now();
        starting_ = true;
        guarded([this] {
            if (stream_ && plan_->dialogue && stream_->looks_idle()) {
                result_.kept = true;
                note({Phase::connect, true, {}, "connected to " + stream_->peer() + " since an earlier ping"});
                begin_dialogue();
            } else {
                stream_.reset();
                dial();
            }
        });
        starting_ = false;
    }

    void expire() {
        if (ended_) return;
        const auto self = shared_from_this();
        expired_ = true;
        if (outcome_) {
            deliver();
        } else if (dial_) {
            dial_->expire();
        } else if (driver_ && handshaking_) {
            if (!tls_query_) on_handshake();
        } else if (driver_) {
            guarded([this] { follow(driver_->pump()); });
        }
        if (!ended_) fail(timeout());
    }

    void cancel() {
        if (ended_) return;
        const auto self = shared_from_this();
        outcome_.reset();
        fail(cancelled(phase(), label_));
        deliver();
    }

    /// Ends without a call.
    void drop() noexcept {
        ended_ = true;
        release();
        const auto dropped = std::exchange(done_, nullptr);
    }

    Phase phase() const noexcept {
        if (dial_) return dial_->phase();
        if (handshaking_) return Phase::tls;
        return dialogue_ ? dialogue_->phase() : Phase::connect;
    }

private:
    struct Outcome {
        std::optional<Error> error;
        std::unique_ptr<Stream> kept;
    };

    void note(PingStep step) {
        if (wants_steps_) result_.steps.push_back(std::move(step));
    }

    void dial() {
        const bool bare = !plan_->dialogue && !plan_->endpoint.tls && !plan_->endpoint.proxy;
        const SocketUse use = plan_->keep ? SocketUse::lasting : bare ? SocketUse::handshake : SocketUse::exchange;
        dial_ = start_dial(
            loop_, plan_->endpoint, label_, wants_steps_ ? &trace_ : nullptr,
            [this](Result<std::unique_ptr<Stream>> dialled) { on_dialled(std::move(dialled)); }, use);
    }

    void on_dialled(Result<std::unique_ptr<Stream>> dialled) {
        const auto self = shared_from_this();
        dial_.reset();
        for (auto& step : trace_.steps) note(std::move(step));
        trace_.steps.clear();
        guarded([&] {
            if (!dialled) {
                failure_noted_ = true;
                fail(dialled.error());
                return;
            }
            stream_ = std::move(dialled).value();
            result_.tls = stream_->tls_info();
            if (plan_->dialogue) {
                begin_dialogue();
                return;
            }
            std::unique_ptr<Stream> kept;
            if (plan_->keep)
                kept = std::move(stream_);
            else if (!stream_->has_tls())
                stream_->abort();
            finish({std::nullopt, std::move(kept)});
        });
    }

    void begin_dialogue() {
        dialogue_ = plan_->dialogue();
        driver_ = std::make_unique<DialogueDriver>(*stream_, *dialogue_);
        step_start_ = Clock::now();
        follow(driver_->begin());
    }

    void on_ready() {
        const auto self = shared_from_this();
        guarded([this] { follow(driver_->pump()); });
    }

    void follow(DialogueDriver::State state) {
        switch (state) {
            case DialogueDriver::State::waiting:
                if (!expired_) stream_->wait(driver_->waits_for(), [this] { on_ready(); });
                return;
            case DialogueDriver::State::start_tls: begin_tls(); return;
            case DialogueDriver::State::failed: on_dialogue_failed(); return;
            case DialogueDriver::State::done: break;
        }
        note({dialogue_->phase(), true, Clock::now() - step_start_, dialogue_->evidence()});
        std::unique_ptr<Stream> kept;
        if (plan_->keep && driver_->rest().empty() && dialogue_->keeps_stream()) {
            stream_->cancel_waits();
            kept = std::move(stream_);
        }
        finish({std::nullopt, std::move(kept)});
    }

    void on_dialogue_failed() {
        const Error error = driver_->error();
        const bool broke = error.code() == make_error_code(NetErrc::io);
        if (result_.kept && broke && !driver_->replied()) {
            // The peer had closed it meanwhile: that says nothing about a new connection.
            result_.kept = false;
            if (wants_steps_) result_.steps.clear();
            driver_.reset();
            dialogue_.reset();
            stream_.reset();
            dial();
            if (expired_ && dial_) dial_->expire();
            return;
        }
        fail(error);
    }

    void begin_tls() {
        if (!plan_->start_tls || stream_->has_tls()) {
            throw make_error(Errc::invalid_argument, "the dialogue asks for TLS, for which the plan has no options (NetPing::start_tls)");
        }
        note({dialogue_->phase(), true, Clock::now() - step_start_, dialogue_->evidence()});
        step_start_ = Clock::now();
        handshaking_ = true;
        if (auto context = runtime_->tls_contexts()->at_hand(plan_->start_tls)) return begin_handshake(std::move(context));
        tls_query_ =
            std::make_unique<TlsContextQuery>(*runtime_, loop_, plan_->start_tls, label_, [this](Result<std::shared_ptr<const TlsContext>> made) {
                const auto self = shared_from_this();
                tls_query_.reset();
                guarded([&] { begin_handshake(std::move(made).value()); });
            });
    }

    void begin_handshake(std::shared_ptr<const TlsContext> context) {
        stream_->start_tls(std::move(context), TlsPeer{plan_->endpoint.host, plan_->endpoint.port, label_, plan_->endpoint.alpn});
        on_handshake();
    }

    void on_handshake() {
        const auto self = shared_from_this();
        guarded([this] {
            auto outcome = stream_->handshake();
            const Ready side = outcome.kind == IoResult::Kind::want_write ? Ready::write : Ready::read;
            switch (outcome.kind) {
                case IoResult::Kind::done: break;
                case IoResult::Kind::want_read:
                case IoResult::Kind::want_write:
                    if (!expired_) stream_->wait(side, [this] { on_handshake(); });
                    return;
                case IoResult::Kind::closed:
                case IoResult::Kind::failed: fail(std::move(*outcome.error)); return;
            }
            handshaking_ = false;
            result_.tls = stream_->tls_info();
            note({Phase::tls, true, Clock::now() - step_start_, summary(*result_.tls)});
            step_start_ = Clock::now();
            follow(driver_->begin());
        });
    }

    Error timeout() {
        std::string message;
        if (tls_query_) {
            message = "loading the TLS options took too long; the file systems of the files that they name may hang";
        } else if (handshaking_) {
            message = "the TLS handshake with " + stream_->peer() + " took too long: the server does not complete it";
        } else if (stream_ && dialogue_) {
            message = stream_->peer() + " is connected, but ";
            message.append(dialogue_->awaited());
            message += driver_->replied() ? " was not complete in time" : " did not come in time";
            message += "; the server may hang or be overloaded";
        } else {
            message = "the ping took too long";
        }
        return make_error(Errc::timeout, std::move(message)).with_reason(Reason::timeout).with_retryable(true);
    }

    template <class F>
    void guarded(F step) {
        try {
            step();
        } catch (...) { fail(current_error(phase(), label_)); }
    }

    void fail(Error error) {
        if (ended_ || outcome_) return;
        if (error.connection().empty()) error.with_connection(label_);
        if (error.phase() == Phase::none) error.with_phase(phase());
        if (!failure_noted_ && wants_steps_) {
            const auto time = step_start_ == Clock::time_point{} ? Clock::duration{} : Clock::now() - step_start_;
            note({error.phase(), false, time, std::string{error.message()}});
        }
        finish({std::move(error), nullptr});
    }

    void finish(Outcome outcome) {
        if (ended_ || outcome_) return;
        conclude(result_, std::move(outcome.error));
        outcome.error.reset();
        outcome_ = std::move(outcome);
        release();
        if (starting_)
            loop_.post([self = shared_from_this()] { self->deliver(); });
        else
            deliver();
    }

    void deliver() {
        if (ended_ || !outcome_) return;
        const auto self = shared_from_this();
        ended_ = true;
        auto kept = std::move(outcome_->kept);
        clean(result_, label_);
        auto done = std::exchange(done_, nullptr);
        UniqueFunction<void()> call{[&] { done(std::move(result_), std::move(kept)); }};
        run_guarded(call, loop_.log());
    }

    void release() noexcept {
        dial_.reset();
        tls_query_.reset();
        driver_.reset();
        dialogue_.reset();
        stream_.reset();
    }

    const std::shared_ptr<RuntimeImpl> runtime_;  // does not end while a ping runs
    Loop& loop_;
    const std::shared_ptr<const NetPing> plan_;
    const std::shared_ptr<const Redaction> redaction_;  // in force while the run has something to say
    const std::string label_;
    const bool wants_steps_;
    bool starting_{false};
    bool ended_{false};
    bool expired_{false};
    bool handshaking_{false};
    bool failure_noted_{false};
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<Dialogue> dialogue_;
    std::unique_ptr<DialogueDriver> driver_;  // goes before what it refers to
    std::unique_ptr<Dial> dial_;
    std::unique_ptr<TlsContextQuery> tls_query_;
    DialTrace trace_;
    Clock::time_point step_start_{};
    PingResult result_;
    std::optional<Outcome> outcome_;
    PingRun::Done done_;
};

/// The result of a ping that is no dialogue.
void conclude(PingResult& result, std::optional<Error> error, PingEvidence seen, bool wants_steps, std::string_view label) {
    result.measures = std::move(seen.measures);
    result.credentials = std::move(seen.credentials);
    result.tls = std::move(seen.tls);
    conclude(result, std::move(error));
    if (wants_steps) {
        if (result.error)
            result.steps.push_back({result.error->phase(), false, result.time, std::string{result.error->message()}});
        else
            result.steps.push_back({Phase::protocol, true, result.time, std::move(seen.text)});
    }
    clean(result, label);
}

/// A ping that blocks a thread of the pool, after earlier ones of the same plan. This object belongs to the loop's thread; the job only posts.
class BlockingRun : public std::enable_shared_from_this<BlockingRun> {
public:
    BlockingRun(Loop& loop, std::shared_ptr<const BlockingPing> plan, std::shared_ptr<const Redaction> redaction, const PingRun::Options& options,
                PingRun::Done done)
        : runtime_{loop.runtime()},
          loop_{loop},
          plan_{std::move(plan)},
          redaction_{std::move(redaction)},
          label_{options.label},
          deadline_{options.deadline},
          wants_steps_{options.steps},
          done_{std::move(done)} {}

    void start() {
        result_.started = Clock::now();
        // The job shares nothing but the plan with a run that may have ended by the time it returns.
        auto job = [weak = weak_from_this(), loop = loop_.shared_from_this(), plan = plan_, redaction = redaction_, deadline = deadline_,
                    label = label_] {
            if (weak.expired()) return;  // given up before its turn came
            PingEvidence seen;
            std::optional<Error> error;
            try {
                seen = plan->run(deadline);
            } catch (...) { error = current_error(Phase::protocol, label); }
            loop->post([weak, seen = std::move(seen), error = std::move(error)]() mutable {
                if (const auto self = weak.lock()) self->finish(std::move(error), std::move(seen));
            });
        };
        try {
            if (!runtime_) throw make_error(Errc::cancelled, "the runtime has ended");
            pool_ = &runtime_->blocking_pool();
            check_ = pool_->post_check(std::move(job), plan_.get());
        } catch (...) {
            loop_.post([self = shared_from_this(), error = current_error(Phase::protocol, label_)] { self->finish(error, {}); });
        }
    }

    void expire() {
        if (ended_) return;
        std::string message =
            "the check did not end in time; what it asks may hang (a file system, a server), or all threads for blocking work are busy";
        if (const auto since = check_ ? pool_->held_up_since(check_) : std::nullopt) {
            const auto age = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - *since).count();
            message = "the check of " + std::to_string(age) + (age == 1 ? " second" : " seconds") +
                      " ago still hangs, and another is not begun before it has returned; what it asks (a file system, a server) does not answer";
        }
        give_up();
        finish(make_error(Errc::timeout, std::move(message))
                   .with_phase(Phase::protocol)
                   .with_reason(Reason::timeout)
                   .with_retryable(true)
                   .with_connection(label_),
               {});
    }

    void cancel() {
        if (ended_) return;
        give_up();
        finish(cancelled(Phase::protocol, label_), {});
    }

    void drop() noexcept {
        if (!ended_) give_up();
        ended_ = true;
        const auto dropped = std::exchange(done_, nullptr);
    }

    Phase phase() const noexcept { return Phase::protocol; }

private:
    void give_up() noexcept {
        if (check_) pool_->give_up(check_);
    }

    void finish(std::optional<Error> error, PingEvidence seen) {
        if (ended_) return;
        const auto self = shared_from_this();
        ended_ = true;
        conclude(result_, std::move(error), std::move(seen), wants_steps_, label_);
        auto done = std::exchange(done_, nullptr);
        UniqueFunction<void()> call{[&] { done(std::move(result_), nullptr); }};
        run_guarded(call, loop_.log());
    }

    const std::shared_ptr<RuntimeImpl> runtime_;
    Loop& loop_;
    const std::shared_ptr<const BlockingPing> plan_;
    const std::shared_ptr<const Redaction> redaction_;
    const std::string label_;
    const Deadline deadline_;
    const bool wants_steps_;
    bool ended_{false};
    BlockingPool* pool_{nullptr};  // lives as long as the runtime
    std::shared_ptr<BlockingPool::Check> check_;
    PingResult result_;
    PingRun::Done done_;
};

/// A ping that is a call. This object belongs to the loop's thread; the callback only posts.
class CallRun : public std::enable_shared_from_this<CallRun> {
public:
    CallRun(Loop& loop, std::shared_ptr<const CallPing> plan, std::shared_ptr<const Redaction> redaction, const PingRun::Options& options,
            PingRun::Done done)
        : runtime_{loop.runtime()},
          loop_{loop},
          plan_{std::move(plan)},
          redaction_{std::move(redaction)},
          label_{options.label},
          deadline_{options.deadline},
          wants_steps_{options.steps},
          done_{std::move(done)} {}

    void start() {
        result_.started = Clock::now();
        try {
            operation_ = plan_->begin(deadline_, [weak = weak_from_this(), loop = loop_.shared_from_this()](Result<PingEvidence> outcome) {
                loop->post([weak, outcome = std::move(outcome)]() mutable {
                    if (const auto self = weak.lock()) self->on_outcome(std::move(outcome));
                });
            });
        } catch (...) {
            loop_.post([self = shared_from_this(), error = current_error(Phase::protocol, label_)] { self->finish(error, {}); });
        }
    }

    void expire() {
        if (ended_) return;
        operation_.cancel();
        finish(make_error(Errc::timeout, "the call did not end in time")
                   .with_phase(Phase::protocol)
                   .with_reason(Reason::timeout)
                   .with_retryable(true)
                   .with_connection(label_),
               {});
    }

    void cancel() {
        if (ended_) return;
        operation_.cancel();
        finish(cancelled(Phase::protocol, label_), {});
    }

    void drop() noexcept {
        if (!ended_) operation_.cancel();
        ended_ = true;
        const auto dropped = std::exchange(done_, nullptr);
    }

    Phase phase() const noexcept { return Phase::protocol; }

private:
    void on_outcome(Result<PingEvidence> outcome) {
        if (outcome) return finish({}, std::move(*outcome));
        Error error = outcome.error();
        if (error.phase() == Phase::none) error.with_phase(Phase::protocol);
        if (error.connection().empty()) error.with_connection(label_);
        finish(std::move(error), {});
    }

    void finish(std::optional<Error> error, PingEvidence seen) {
        if (ended_) return;
        const auto self = shared_from_this();
        ended_ = true;
        conclude(result_, std::move(error), std::move(seen), wants_steps_, label_);
        auto done = std::exchange(done_, nullptr);
        UniqueFunction<void()> call{[&] { done(std::move(result_), nullptr); }};
        run_guarded(call, loop_.log());
    }

    const std::shared_ptr<RuntimeImpl> runtime_;
    Loop& loop_;
    const std::shared_ptr<const CallPing> plan_;
    const std::shared_ptr<const Redaction> redaction_;
    const std::string label_;
    const Deadline deadline_;
    const bool wants_steps_;
    bool ended_{false};
    Operation operation_;
    PingResult result_;
    PingRun::Done done_;
};

template <class Run>
class RunHandle final : public PingRun {
public:
    explicit RunHandle(std::shared_ptr<Run> run) : run_{std::move(run)} {}
    RunHandle(const RunHandle&) = delete;
    RunHandle& operator=(const RunHandle&) = delete;
    ~RunHandle() override { run_->drop(); }
    // The handle may go from inside Done.
    void expire() override {
        std::shared_ptr<Run> { run_ } -> expire();
    }
    void cancel() override {
        std::shared_ptr<Run> { run_ } -> cancel();
    }
    Phase phase() const noexcept override { return run_->phase(); }

private:
    std::shared_ptr<Run> run_;
};

/// A ping with a timer, controlled from any thread. All but done() and cancel() belongs to the loop's thread.
class PingOperation final : public Operation::State, public std::enable_shared_from_this<PingOperation> {
public:
    PingOperation(const Runtime& runtime, PingPlan plan, std::string label, bool steps, Callback<PingResult> callback)
        : runtime_{runtime},
          loop_{runtime.impl().loop()},
          plan_{std::move(plan)},
          label_{std::move(label)},
          steps_{steps},
          callback_{std::move(callback)} {}

    void start(Deadline deadline) {
        loop_.post([self = shared_from_this(), deadline] { self->run(deadline); });
    }

    void cancel() noexcept override {
        if (done()) return;
        try {
            loop_.post([self = shared_from_this()] {
                if (self->run_)
                    self->run_->cancel();
                else if (!self->done())
                    self->finish(cancelled(Phase::none, self->label_));
            });
        } catch (const std::exception&) {
            // Without memory for a message it ends with its deadline.
        }
    }

    bool done() const noexcept override { return done_.load(std::memory_order_acquire); }

private:
    void run(Deadline deadline) {
        if (done()) return;
        self_ = shared_from_this();
        timer_ = std::make_unique<Timer>(loop_);
        run_ = PingRun::start(loop_, plan_, {.label = label_, .deadline = deadline, .steps = steps_, .kept = nullptr},
                              // Owns itself until it is done.
                              [self = shared_from_this()](PingResult result, std::unique_ptr<Stream>) { self->on_done(std::move(result)); });
        timer_->arm(deadline, [this] { run_->expire(); });
    }

    void on_done(PingResult result) {
        if (result.error && result.error->code() == make_error_code(Errc::cancelled))
            finish(*result.error);
        else
            finish(std::move(result));
    }

    void finish(Result<PingResult> result) {
        timer_.reset();
        run_.reset();
        done_.store(true, std::memory_order_release);
        const auto self = std::exchange(self_, nullptr);
        auto callback = std::exchange(callback_, nullptr);
        UniqueFunction<void()> call{[&] { callback(std::move(result)); }};
        run_guarded(call, loop_.log());
    }

    const Runtime runtime_;
    Loop& loop_;
    const PingPlan plan_;
    const std::string label_;
    const bool steps_;
    Callback<PingResult> callback_;
    std::unique_ptr<Timer> timer_;
    std::unique_ptr<PingRun> run_;
    std::shared_ptr<PingOperation> self_;  // while it runs: whoever started it may have let go of the handle
    std::atomic<bool> done_{false};
};

}  // namespace

std::unique_ptr<PingRun> PingRun::start(Loop& loop, const PingPlan& plan, Options options, Done done) {
    if (plan.credentials) done = with_credentials(std::move(done), plan.credentials);
    const auto begin = [](auto run) -> std::unique_ptr<PingRun> {
        auto handle = std::make_unique<RunHandle<typename decltype(run)::element_type>>(run);
        run->start();
        return handle;
    };
    if (const auto* net = std::get_if<std::shared_ptr<const NetPing>>(&plan.what))
        return begin(std::make_shared<NetRun>(loop, *net, plan.redaction, std::move(options), std::move(done)));
    if (const auto* call = std::get_if<std::shared_ptr<const CallPing>>(&plan.what))
        return begin(std::make_shared<CallRun>(loop, *call, plan.redaction, options, std::move(done)));
    const auto& blocking = std::get<std::shared_ptr<const BlockingPing>>(plan.what);
    return begin(std::make_shared<BlockingRun>(loop, blocking, plan.redaction, options, std::move(done)));
}

Operation async_ping(const Runtime& runtime, PingPlan plan, std::string label, Deadline deadline, bool steps, Callback<PingResult> callback) {
    auto operation = std::make_shared<PingOperation>(runtime, std::move(plan), std::move(label), steps, std::move(callback));
    operation->start(deadline);
    return Operation{operation};
}

PingResult run_ping_blocking(const Runtime& runtime, const PingPlan& plan, std::string_view label, Deadline deadline, bool steps) {
    if (runtime.impl().on_io_thread()) {
        throw make_error(Errc::invalid_argument,
                         "a blocking ping was called on an I/O thread of its own runtime and would wait for itself; call it elsewhere, or use the "
                         "asynchronous form")
            .with_connection(label);
    }
    struct Wait {
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<Result<PingResult>> result;
    };
    const auto wait = std::make_shared<Wait>();
    async_ping(runtime, plan, std::string{label}, deadline, steps, [wait](Result<PingResult> result) {
        const std::scoped_lock lock{wait->mutex};
        wait->result = std::move(result);
        wait->changed.notify_all();
    });
    std::unique_lock lock{wait->mutex};
    wait->changed.wait(lock, [&] { return wait->result.has_value(); });
    return std::move(*wait->result).value();
}

}  // namespace qconn::net
