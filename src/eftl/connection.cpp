// SPDX-License-Identifier: Apache-2.0
#include "eftl/connection.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "eftl/eftl_error.hpp"

namespace qconn::eftl {

namespace {

using TimePoint = Clock::time_point;

Error no_such_subscription(std::string_view id, std::string_view what) {
    return eftl_error(EftlErrc::subscription,
                      std::string{what} + " failed: there is no subscription \"" + text::printable(text::shorten(std::string{id}, 40)) + '"');
}

std::uint64_t seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
}

}  // namespace

// ---- what waits ----

/// An operation that the server answers.
class Connection::Submission final : public Operation::State, public std::enable_shared_from_this<Submission> {
public:
    Submission(std::shared_ptr<Connection> owner, Kind kind, std::string frame, Deadline deadline, Callback<Answer> callback)
        : owner_{std::move(owner)},
          kind_{kind},
          frame_{std::move(frame)},
          size_{frame_.size()},
          deadline_{deadline},
          callback_{std::move(callback)} {}

    void cancel() noexcept override {
        if (done() || cancelled_.exchange(true)) return;
        try {
            owner_->post([self = shared_from_this()] {
                if (self->seq_ != 0) self->owner_->engine_.cancel(self->seq_, net::stopped(true, "an operation"));
            });
        } catch (const std::exception&) {}
    }
    bool done() const noexcept override { return done_.load(); }
    std::size_t size() const noexcept { return size_; }

    // The loop's:
    void start(TimePoint now) {
        if (cancelled_.load()) return finish(net::stopped(true, "an operation"));
        seq_ = owner_->engine_.submit(kind_, std::move(frame_), now, deadline_.when(),
                                      [self = shared_from_this()](Result<Answer> result) { self->finish(std::move(result)); });
    }
    void finish(Result<Answer> result) {
        owner_->release(size_);
        refuse(std::move(result));
    }
    /// One that was not let in.
    void refuse(Result<Answer> result) {
        if (done_.exchange(true)) return;
        seq_ = 0;
        auto callback = std::move(callback_);
        if (!callback) return;
        try {
            if (result)
                callback(std::move(result));
            else
                callback(owner_->labelled(result.error()));
        } catch (const std::exception& e) { owner_->callback_threw(e.what()); }
    }

private:
    const std::shared_ptr<Connection> owner_;
    const Kind kind_;
    std::string frame_;
    const std::size_t size_;
    const Deadline deadline_;
    Callback<Answer> callback_;
    std::int64_t seq_{0};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> done_{false};
};

/// One WebSocket connection, or the attempt to make it.
class Connection::Link final : public websocket::Handler {
public:
    explicit Link(Connection& owner) : owner_{&owner} {}
    void on_open(const WebSocketInfo&) override {
        if (owner_ != nullptr) owner_->link_opened(this);
    }
    void on_message(WebSocketKind kind, std::string_view data) override {
        if (owner_ != nullptr && kind == WebSocketKind::text) owner_->link_brought(this, data);
    }
    void on_end(websocket::End end) override {
        if (owner_ != nullptr) return owner_->link_ended(this, std::move(end));
        // Not from inside its own function.
        socket->loop().post([gone = std::exchange(self_, nullptr)] {});
    }
    /// From now on its own: until the close handshake is over.
    static void leave(std::unique_ptr<Link> link, std::uint16_t code, const Runtime& runtime) {
        const std::shared_ptr<Link> own{std::move(link)};
        own->owner_ = nullptr;
        own->runtime_.emplace(runtime);
        own->self_ = own;
        own->socket->close(code, {});
    }

    std::shared_ptr<websocket::Connection> socket;

private:
    Connection* owner_;  // which drops the socket before it goes, or leaves it
    std::shared_ptr<Link> self_;
    std::optional<Runtime> runtime_;  // whose threads it needs to the end
};

// ---- making and ending ----

std::shared_ptr<Connection> Connection::make(EftlOptions options, const Runtime& runtime) {
    return std::make_shared<Connection>(Key{}, make_settings(std::move(options)), runtime);
}

Connection::Connection(Key, std::shared_ptr<const Settings> settings, const Runtime& runtime)
    : settings_{std::move(settings)},
      runtime_{runtime},
      loop_{runtime.impl().loop().shared_from_this()},
      handlers_{std::make_shared<const EftlHandlers>()},
      random_{seed()},
      engine_{settings_->engine, *this, [this] { return std::uniform_real_distribution<double>{}(random_); }} {}

Connection::~Connection() = default;

Error Connection::stopped(bool cancelled, std::string_view what) { return net::stopped(cancelled, what); }

void Connection::callback_threw(const char* what) const { log(LogLevel::error, "callback-threw", what); }

void Connection::set_wrapper(UniqueFunction<Callback<Answer>(Callback<Answer>)> wrapper) {
    const std::scoped_lock lock{mutex_};
    wrapper_ = std::move(wrapper);
}

Callback<Answer> Connection::wrapped(Callback<Answer> callback) {
    const std::scoped_lock lock{mutex_};
    return wrapper_ ? wrapper_(std::move(callback)) : std::move(callback);
}

void Connection::shut() noexcept {
    silenced_.store(true);
    {
        const std::scoped_lock lock{mutex_};
        wrapper_ = nullptr;
    }
    try {
        post([self = shared_from_this()] {
            self->over_ = true;
            const Error why = net::stopped(true, "the operation").with_phase(Phase::protocol);
            self->engine_.abandon(why);
            self->end_queues(why);
            self->queues_.clear();
            for (auto* waits : {&self->room_waits_, &self->flush_waits_}) {
                const auto all = std::exchange(*waits, {});
                for (const auto& one : all) one->finish(why);
            }
            self->state_.store(EftlState::disconnected);
            self->timer_.reset();
        });
    } catch (const std::exception&) {}  // without memory it ends with its last user
    if (loop_->on_thread()) return;
    const std::scoped_lock running{calling_};
}

void Connection::refuse_on_loop() const {
    if (!runtime_.on_io_thread()) return;
    throw labelled(make_error(
        Errc::invalid_argument,
        "a blocking eFTL call was made on an I/O thread of its runtime, where it would hold up everything else; use the asynchronous form, "
        "or post_blocking"));
}

Error Connection::labelled(Error error) const {
    if (error.connection().empty() && !label().empty()) error.with_connection(label());
    return error;
}

void Connection::set_handlers(EftlHandlers handlers) {
    auto all = std::make_shared<const EftlHandlers>(std::move(handlers));
    const std::scoped_lock lock{mutex_};
    handlers_.swap(all);
}

// ---- commands ----

void Connection::post(UniqueFunction<void()> command) {
    bool first = false;
    {
        const std::scoped_lock lock{mutex_};
        commands_.push_back(std::move(command));
        first = !std::exchange(scheduled_, true);
    }
    if (first) loop_->post([self = shared_from_this()] { self->run_commands(); });
}

void Connection::run_commands() {
    std::vector<UniqueFunction<void()>> commands;
    {
        const std::scoped_lock lock{mutex_};
        commands.swap(commands_);
        scheduled_ = false;
    }
    for (auto& one : commands) {
        try {
            one();
        } catch (const std::exception& e) { log(LogLevel::error, "callback-threw", e.what()); }
        one = nullptr;
    }
    if (engine_.has_acks()) engine_.flush_acks();
    settled();
}

/// After anything that may have changed the engine.
void Connection::settled() {
    if (over_) return;
    wake_flush();
    rearm();
    if (!room_waits_.empty() || !flush_waits_.empty()) resolve_waits();
    if (paused_) taken();
}

void Connection::rearm() {
    const TimePoint next = engine_.next_deadline();
    if (next >= armed_) return;
    if (!timer_) timer_ = std::make_unique<net::Timer>(*loop_);
    armed_ = next;
    timer_->arm(Deadline{next}, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->over_) return;
        self->armed_ = TimePoint::max();
        self->engine_.tick(Clock::now());
        self->settled();
    });
}

/// What was consumed is acknowledged when all that has come was looked at.
void Connection::wake_flush() {
    if (flush_posted_ || !engine_.has_acks()) return;
    flush_posted_ = true;
    loop_->post([self = shared_from_this()] {
        self->flush_posted_ = false;
        self->engine_.flush_acks();
    });
}

void Connection::ensure_connection(TimePoint now) {
    if (over_ || asked_to_disconnect_ || !options().connect_on_use || engine_.state() != EftlState::disconnected) return;
    engine_.connect(now, [](const Result<EftlSession>&) {});
}

void Connection::resolve_waits() {
    if (has_room(1)) {
        const auto all = std::exchange(room_waits_, {});
        for (const auto& one : all) one->finish({});
    }
    if (in_flight() == 0) {
        const auto all = std::exchange(flush_waits_, {});
        for (const auto& one : all) one->finish({});
    }
}

// ---- the connection ----

Operation Connection::connect(bool again, Deadline deadline, Callback<EftlSession> callback) {
    const auto wait = std::make_shared<Wait<EftlSession>>(shared_from_this(), again ? "reconnecting" : "connecting", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (wait->done()) return;
        if (self->over_) return wait->give_up(true);
        self->asked_to_disconnect_ = false;
        const std::uint64_t number = self->engine_.connect(Clock::now(), [wait](Result<EftlSession> result) { wait->finish(std::move(result)); });
        if (number == 0) return;
        wait->on_give_up = [weak = self->weak_from_this(), number](const Error& why) {
            if (const auto owner = weak.lock()) owner->engine_.cancel_connect(number, why);
        };
        wait->arm(deadline);
    });
    return Operation{wait};
}

Operation Connection::disconnect(Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "disconnecting", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (wait->done()) return;
        self->asked_to_disconnect_ = true;
        const TimePoint now = Clock::now();
        self->engine_.disconnect(deadline.when(), [wait] { wait->finish({}); });
        self->engine_.tick(now);  // the deadline may be over already
        wait->on_give_up = [weak = self->weak_from_this()](const Error&) {
            const auto owner = weak.lock();
            if (!owner) return;
            const TimePoint at_once = Clock::now();
            owner->engine_.disconnect(at_once, [] {});
            owner->engine_.tick(at_once);
        };
    });
    return Operation{wait};
}

EftlSession Connection::session() const {
    const std::scoped_lock lock{mutex_};
    return session_;
}

std::string Connection::client_id() const {
    {
        const std::scoped_lock lock{mutex_};
        if (!session_.client_id.empty()) return session_.client_id;
    }
    const std::string& own = options().servers.front().client_id;
    return own.empty() ? options().client_id : own;
}

// ---- operations ----

bool Connection::has_room(std::size_t size) const noexcept {
    const std::size_t count = in_flight_.load(std::memory_order_relaxed);
    return count == 0 || (count < options().max_in_flight && bytes_.load(std::memory_order_relaxed) + size <= options().max_in_flight_bytes);
}

bool Connection::admit(std::size_t size) noexcept {
    // Several threads may overshoot by one each; what is bounded is memory, not the exact number.
    if (!has_room(size)) return false;
    in_flight_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(size, std::memory_order_relaxed);
    return true;
}

void Connection::release(std::size_t size) {
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(size, std::memory_order_relaxed);
}

Operation Connection::submit(Kind kind, std::string frame, Deadline deadline, Callback<Answer> callback) {
    const std::size_t size = frame.size();
    const auto submission = std::make_shared<Submission>(shared_from_this(), kind, std::move(frame), deadline, std::move(callback));
    if (!admit(size)) {
        post([submission, count = in_flight()] {
            submission->refuse(eftl_error(EftlErrc::busy, "an operation was not begun: " + std::to_string(count) +
                                                              " others wait for the server's answers; wait for room (async_room), or raise "
                                                              "max_in_flight"));
        });
        return Operation{submission};
    }
    post([submission, self = shared_from_this()] {
        const TimePoint now = Clock::now();
        self->ensure_connection(now);
        submission->start(now);
    });
    return Operation{submission};
}

Operation Connection::room(Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "waiting for room", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (self->over_) return wait->give_up(true);
        self->room_waits_.remove_if([](const auto& one) { return one->done(); });
        self->room_waits_.push_back(wait);
        wait->arm(deadline);
    });
    return Operation{wait};
}

Operation Connection::flush(Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "waiting for the answers to everything", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (self->over_) return wait->give_up(true);
        self->flush_waits_.remove_if([](const auto& one) { return one->done(); });
        self->flush_waits_.push_back(wait);
        wait->arm(deadline);
    });
    return Operation{wait};
}

void Connection::tell(std::string frame) {
    post([self = shared_from_this(), frame = std::move(frame)]() mutable {
        self->ensure_connection(Clock::now());
        self->engine_.tell(std::move(frame));
    });
}

// ---- subscriptions ----

Connection::Known Connection::known(std::string_view id, std::string_view what) const {
    const std::scoped_lock lock{mutex_};
    const auto found = known_.find(id);
    if (found == known_.end()) throw labelled(no_such_subscription(id, what));
    return found->second;
}

Connection::Known Connection::forget(std::string_view id, std::string_view what) {
    const std::scoped_lock lock{mutex_};
    const auto found = known_.find(id);
    if (found == known_.end()) throw labelled(no_such_subscription(id, what));
    const Known out = found->second;
    known_.erase(found);
    std::erase(order_, id);
    return out;
}

void Connection::require_protocol(std::string_view what) const {
    const std::scoped_lock lock{mutex_};
    if (session_.link == 0 || session_.protocol >= 1) return;
    throw labelled(
        eftl_error(EftlErrc::unsupported, std::string{what} + " failed: " + session_.server + " is too old for that (it speaks protocol 0)"));
}

Operation Connection::subscribe(EftlSubscription subscription, Deadline deadline, Callback<std::string> callback) {
    const auto wait = std::make_shared<Wait<std::string>>(shared_from_this(), "subscribing", std::move(callback));
    auto what = std::make_shared<EftlSubscription>(std::move(subscription));
    post([self = shared_from_this(), wait, deadline, what = std::move(what)] {
        if (wait->done()) return;
        if (self->over_) return wait->give_up(true);
        const TimePoint now = Clock::now();
        self->ensure_connection(now);
        std::string id = self->engine_.next_id();
        const bool consumes = static_cast<bool>(what->on_message);
        {
            const std::scoped_lock lock{self->mutex_};
            self->known_[id] = {what->ack, consumes};
            self->order_.push_back(id);
        }
        if (!consumes) self->queues_[id];
        wait->on_give_up = [weak = self->weak_from_this(), id](const Error& why) {
            if (const auto owner = weak.lock()) owner->engine_.cancel_subscribe(id, why);
        };
        self->engine_.subscribe(id, std::move(*what), consumes, now, deadline.when(), [self, wait, id](Result<std::string> result) {
            if (!result) {
                {
                    const std::scoped_lock lock{self->mutex_};
                    self->known_.erase(id);
                    std::erase(self->order_, id);
                }
                self->end_queue(id, result.error());
            }
            wait->finish(std::move(result));
        });
    });
    return Operation{wait};
}

Operation Connection::receive(std::string_view id, Deadline deadline, Callback<EftlMessage> callback) {
    const auto wait = std::make_shared<Wait<EftlMessage>>(shared_from_this(), "receiving", std::move(callback));
    post([self = shared_from_this(), wait, deadline, id = std::string{id}] {
        if (wait->done()) return;
        self->begin_receive(id, wait);
        wait->arm(deadline);
    });
    return Operation{wait};
}

void Connection::begin_receive(const std::string& id, const std::shared_ptr<Wait<EftlMessage>>& wait) {
    if (over_) return wait->give_up(true);
    const auto found = queues_.find(id);
    if (found == queues_.end()) {
        bool handled = false;
        {
            const std::scoped_lock lock{mutex_};
            handled = known_.contains(id);
        }
        return wait->finish(handled ? eftl_error(EftlErrc::subscription, "receiving failed: the messages of subscription \"" + text::printable(id) +
                                                                             "\" go to its on_message")
                                    : no_such_subscription(id, "receiving"));
    }
    if (found->second.messages.empty() && engine_.state() == EftlState::disconnected)
        return wait->finish(eftl_error(EftlErrc::not_connected, "receiving failed: there is no connection; call connect() or reconnect()"));
    found->second.waiting.remove_if([](const auto& one) { return one->done(); });
    found->second.waiting.push_back(wait);
    hand_out(found->second);
}

void Connection::hand_out(Queue& queue) {
    while (!queue.messages.empty() && !queue.waiting.empty()) {
        const auto wait = std::move(queue.waiting.front());
        queue.waiting.pop_front();
        if (wait->done()) continue;
        EftlMessage message = std::move(queue.messages.front());
        queue.messages.pop_front();
        --unread_;
        EftlReceipt receipt = message.receipt();
        wait->finish(std::move(message));
        engine_.consumed(receipt);
    }
}

void Connection::taken() {
    if (!paused_ || unread_ > options().max_unread / 2) return;
    paused_ = false;
    engine_.was_deaf(Clock::now());
    if (link_ && link_->socket) link_->socket->resume();
}

void Connection::end_queue(const std::string& id, const Error& why) {
    const auto found = queues_.find(id);
    if (found == queues_.end()) return;
    Queue queue = std::move(found->second);
    queues_.erase(found);
    unread_ -= queue.messages.size();
    for (const auto& one : queue.waiting) one->finish(why);
}

/// Those who wait; what has come stays.
void Connection::end_queues(const Error& why) {
    for (auto& [id, queue] : queues_) {
        const auto waiting = std::exchange(queue.waiting, {});
        for (const auto& one : waiting) one->finish(why);
    }
}

void Connection::acknowledge(const EftlMessage& message, bool all) {
    const EftlReceipt& receipt = message.receipt();
    const Known subscription = known(receipt.subscription, "acknowledging a message");
    if (subscription.ack != EftlAck::client) {
        throw labelled(eftl_error(EftlErrc::subscription,
                                  "acknowledging a message failed: it came by a subscription whose messages are " +
                                      std::string{subscription.ack == EftlAck::none ? "not acknowledged at all" : "acknowledged automatically"} +
                                      "; subscribe with EftlAck::client"));
    }
    post([self = shared_from_this(), receipt, all] { self->engine_.acknowledge(receipt, all); });
}

void Connection::unsubscribe(std::string_view id, bool keep_durable) {
    if (keep_durable) require_protocol("closing a subscription");
    forget(id, keep_durable ? "closing a subscription" : "unsubscribing");
    post([self = shared_from_this(), id = std::string{id}, keep_durable] {
        self->engine_.unsubscribe(id, keep_durable);
        self->end_queue(id, eftl_error(EftlErrc::subscription, "receiving failed: the subscription was ended"));
    });
}

void Connection::unsubscribe_all(bool keep_durable) {
    if (keep_durable) require_protocol("closing all subscriptions");
    for (const std::string& id : subscriptions()) {
        try {
            unsubscribe(id, keep_durable);
        } catch (const Error& error) {
            if (error.code() != EftlErrc::subscription) throw;  // another thread was faster
        }
    }
}

void Connection::stop(std::string_view id) {
    known(id, "stopping a subscription");
    {
        const std::scoped_lock lock{mutex_};
        if (session_.link > 0 && !session_.stop_supported)
            throw labelled(eftl_error(EftlErrc::unsupported, "stopping a subscription failed: " + session_.server + " cannot do that"));
    }
    post([self = shared_from_this(), id = std::string{id}] { self->engine_.stop(id); });
}

void Connection::start(std::string_view id) {
    known(id, "starting a subscription");
    {
        const std::scoped_lock lock{mutex_};
        if (session_.link > 0 && !session_.stop_supported)
            throw labelled(eftl_error(EftlErrc::unsupported, "starting a subscription failed: " + session_.server + " cannot do that"));
    }
    post([self = shared_from_this(), id = std::string{id}] { self->engine_.start(id); });
}

std::vector<std::string> Connection::subscriptions() const {
    const std::scoped_lock lock{mutex_};
    return order_;
}

// ---- what the engine wants ----

void Connection::dial(std::size_t server) {
    drop(0);
    link_ = std::make_unique<Link>(*this);
    link_->socket = websocket::Connection::open(*loop_, settings_->links[server], *link_, websocket::Connection::Delivery::whole, Deadline{});
}

void Connection::send(std::string_view frame) {
    if (link_) link_->socket->send(WebSocketKind::text, frame);
}

void Connection::send_and_tell(std::string_view frame, UniqueFunction<void(const Error*)> done) {
    if (link_ && link_->socket->is_open()) return link_->socket->send(WebSocketKind::text, frame, std::move(done));
    const Error error = eftl_error(EftlErrc::disconnected, "the connection has just been lost");
    done(&error);
}

void Connection::close(std::uint16_t code, std::string_view reason) {
    if (paused_) {
        paused_ = false;
        link_->socket->resume();  // the server's close frame may be behind other messages
    }
    if (link_) link_->socket->close(code, reason);
}

void Connection::drop(std::uint16_t code) {
    if (!link_) return;
    paused_ = false;
    if (link_->socket) link_->socket->drop(code);
    // It may be its own function that this is called from.
    loop_->post([gone = std::shared_ptr<Link>{std::move(link_)}] {});
}

void Connection::leave(std::uint16_t code) {
    if (!link_) return;
    if (std::exchange(paused_, false)) link_->socket->resume();
    Link::leave(std::move(link_), code, runtime_);
}

// ---- what the engine tells ----

void Connection::log(LogLevel level, std::string_view event, const std::string& text) const {
    const Log& log = runtime_.log();
    if (log.enabled(level)) log.write({.level = level, .connection = label(), .event = event, .text = text, .fields = {}});
}

template <class Call>
void Connection::tell_user(Call&& call) noexcept {
    if (silenced_.load()) return;
    const std::scoped_lock running{calling_};
    if (silenced_.load()) return;
    try {
        call();
    } catch (const std::exception& e) { log(LogLevel::error, "callback-threw", e.what()); } catch (...) {
        log(LogLevel::error, "callback-threw", "an exception that is no std::exception");
    }
}

void Connection::on_state(EftlState state) {
    state_.store(state, std::memory_order_release);
    if (state == EftlState::reconnecting) log(LogLevel::warning, "eftl-lost", "the connection was lost; it is being made anew");
    std::shared_ptr<const EftlHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        handlers = handlers_;
    }
    if (handlers->on_state_change) tell_user([&] { handlers->on_state_change(state); });
}

void Connection::on_welcome(Welcome kind, const EftlSession& session) {
    std::shared_ptr<const EftlHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        session_ = session;
        handlers = handlers_;
    }
    log(LogLevel::info, "eftl-connected", "logged in at " + session.server + (session.resumed ? ", which has kept the session" : ""));
    // What was not given out comes again from a server that has lost the session.
    if (!session.resumed) {
        for (auto& [id, queue] : queues_) {
            const std::size_t before = queue.messages.size();
            std::erase_if(queue.messages, [&](const EftlMessage& one) { return one.receipt().sequence && one.receipt().link < session.link; });
            unread_ -= before - queue.messages.size();
        }
    }
    const auto& call = kind == Welcome::first ? handlers->on_connect : kind == Welcome::manual ? handlers->on_reconnect : handlers->on_recover;
    if (call) tell_user([&] { call(session); });
}

void Connection::on_disconnect(int code, const std::string& reason) {
    end_queues(eftl_error(EftlErrc::disconnected,
                          "receiving ended: the connection is over" + (reason.empty() ? std::string{} : ": " + text::printable(reason)), code,
                          reason));
    log(LogLevel::info, "eftl-disconnected", "the connection is over, code " + std::to_string(code));
    std::shared_ptr<const EftlHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        handlers = handlers_;
    }
    if (handlers->on_disconnect) tell_user([&] { handlers->on_disconnect(code, reason); });
}

void Connection::on_error(int code, const std::string& reason) {
    log(LogLevel::warning, "eftl-error", "the server reports " + std::to_string(code) + ": " + text::printable(text::shorten(reason, 300)));
    std::shared_ptr<const EftlHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        handlers = handlers_;
    }
    if (handlers->on_error) tell_user([&] { handlers->on_error(code, reason); });
}

void Connection::on_subscribed(const Subscribed& subscription) {
    if (subscription.what.on_subscribe) tell_user([&] { subscription.what.on_subscribe(subscription.id); });
}

void Connection::on_subscription_error(const Subscribed& subscription, int code, const std::string& reason, bool gone) {
    if (gone) {
        {
            const std::scoped_lock lock{mutex_};
            known_.erase(subscription.id);
            std::erase(order_, subscription.id);
        }
        end_queue(subscription.id, eftl_error(EftlErrc::subscribe, "receiving ended: the server refused the subscription", code, reason));
    }
    if (subscription.what.on_error) tell_user([&] { subscription.what.on_error(subscription.id, code, reason); });
}

void Connection::on_message(const Subscribed& subscription, EftlMessage message) {
    if (subscription.consumes) return tell_user([&] { subscription.what.on_message(std::move(message)); });
    const auto found = queues_.find(subscription.id);
    if (found == queues_.end()) return;
    found->second.messages.push_back(std::move(message));
    ++unread_;
    hand_out(found->second);
    if (paused_ || unread_ <= options().max_unread || !link_) return;
    paused_ = true;
    link_->socket->pause();
}

// ---- what links tell ----

void Connection::link_opened(const Link* link) {
    const auto self = weak_from_this().lock();
    if (!self || link != link_.get()) return;
    engine_.link_up(Clock::now());
    settled();
}

void Connection::link_brought(const Link* link, std::string_view text) {
    const auto self = weak_from_this().lock();
    if (!self || link != link_.get()) return;
    engine_.received(text, Clock::now());
    settled();
}

void Connection::link_ended(const Link* link, websocket::End end) {
    const auto self = weak_from_this().lock();
    if (!self || link != link_.get()) return;
    loop_->post([gone = std::shared_ptr<Link>{std::move(link_)}] {});
    paused_ = false;
    int code = end.close.by_server ? end.close.code : eftl_code::k_connection_error;
    if (end.error && end.error->phase() == Phase::tls) code = eftl_code::k_tls;
    engine_.link_down(code, end.close.by_server ? std::string_view{end.close.reason} : std::string_view{}, end.error ? &*end.error : nullptr,
                      Clock::now());
    settled();
}

}  // namespace qconn::eftl
