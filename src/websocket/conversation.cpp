// SPDX-License-Identifier: Apache-2.0
#include "websocket/conversation.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <random>
#include <utility>

#include "base/outcome_box.hpp"
#include "base/text.hpp"
#include "net/backoff.hpp"
#include "websocket/handshake.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn::websocket {
namespace {

double random_share() {
    thread_local std::minstd_rand engine{std::random_device{}()};
    return std::uniform_real_distribution<double>{0.0, 1.0}(engine);
}

/// Mostly ASCII: eight bytes at a time.
bool is_text(std::string_view data) noexcept {
    std::size_t at = 0;
    for (; at + 8 <= data.size(); at += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, data.data() + at, 8);
        if ((eight & 0x8080808080808080U) != 0) break;
    }
    return text::valid_utf8(data.substr(at));
}

}  // namespace

// --- What is sent from a source

class Conversation::Streamed {
public:
    Streamed(WebSocketKind kind, std::shared_ptr<CallOf<std::uint64_t>> call) : kind_{kind}, call_{std::move(call)} {}
    Streamed(const Streamed&) = delete;
    Streamed& operator=(const Streamed&) = delete;
    virtual ~Streamed() = default;

    struct Next {
        std::string data;
        bool last{false};
    };
    /// Loop's thread: the next part, or nothing where it is on its way. @throws what the source does
    virtual std::optional<Next> next() = 0;
    WebSocketKind kind() const noexcept { return kind_; }
    CallOf<std::uint64_t>& call() noexcept { return *call_; }

    // The loop's:
    bool begun{false};
    bool asked{false};
    std::uint64_t sent{0};

protected:
    static Next read(ByteSource& source, std::size_t most, std::uint64_t& done) {
        Next part;
        part.data.resize(most);
        std::size_t size = 0;
        while (size < most) {
            const std::size_t more = source.read(part.data.data() + size, most - size);
            if (more == 0) {
                part.last = true;
                break;
            }
            size += more;
        }
        part.data.resize(size);
        done += size;
        if (const auto all = source.size(); all && done >= *all) part.last = true;
        return part;
    }

private:
    const WebSocketKind kind_;
    const std::shared_ptr<CallOf<std::uint64_t>> call_;
};

class Conversation::Setup final : public WebSocketSetup {
public:
    Setup(Connection& connection, const WebSocketInfo& info, bool first) : connection_{connection}, info_{info}, first_{first} {}
    const WebSocketInfo& info() const noexcept override { return info_; }
    bool is_first() const noexcept override { return first_; }
    void send(WebSocketKind kind, std::string_view data) override {
        if (kind == WebSocketKind::text && !is_text(data)) {
            throw make_websocket_error(WebSocketErrc::option, "a text message must be UTF-8; send it as binary", Phase::none, Reason::bad_value);
        }
        connection_.send(kind, data);
    }

private:
    Connection& connection_;
    const WebSocketInfo& info_;
    const bool first_;
};

// --- Who receives

namespace {

/// Counts a receiver from the moment of its call on.
class Waiting {
public:
    explicit Waiting(std::atomic<std::size_t>& count) noexcept : count_{count} { count_.fetch_add(1); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { count_.fetch_sub(1); }

private:
    std::atomic<std::size_t>& count_;
};

}  // namespace

class Conversation::MessageReceiver final : public Receiver {
public:
    MessageReceiver(std::shared_ptr<Conversation> owner, std::shared_ptr<CallOf<WebSocketMessage>> call)
        : owner_{std::move(owner)}, waiting_{owner_->receivers_waiting_}, call_{std::move(call)} {}

    Took take(Part& part) override {
        if (message_.data.size() + part.data.size() > owner_->options().max_message) {
            Error error = owner_->too_long();
            call_->fail(error);
            if (owner_->connection_) owner_->connection_->close(1009, {});
            return Took::cut;
        }
        begun_ = true;
        message_.kind = part.kind;
        if (message_.data.empty())
            message_.data = std::move(part.data);
        else
            message_.data += part.data;
        return part.last ? Took::done : Took::more;
    }
    void finish() override { call_->finish(std::move(message_)); }
    Call& call() noexcept override { return *call_; }
    bool lose_message() override {
        message_ = {};
        begun_ = false;
        return true;
    }
    std::optional<Part> give_back() override {
        if (!begun_) return std::nullopt;
        begun_ = false;
        return Part{message_.kind, std::move(message_.data), false};
    }
    bool has_begun() const noexcept override { return begun_; }

private:
    const std::shared_ptr<Conversation> owner_;
    const Waiting waiting_;
    const std::shared_ptr<CallOf<WebSocketMessage>> call_;
    WebSocketMessage message_;
    bool begun_{false};
};

class Conversation::SinkReceiver final : public Receiver {
public:
    SinkReceiver(std::shared_ptr<Conversation> owner, std::shared_ptr<ByteSink> sink, std::shared_ptr<CallOf<WebSocketReceived>> call)
        : owner_{std::move(owner)}, waiting_{owner_->receivers_waiting_}, sink_{std::move(sink)}, call_{std::move(call)} {}

    Took take(Part& part) override {
        begun_ = true;
        received_.kind = part.kind;
        received_.size += part.data.size();
        try {
            if (!part.data.empty()) sink_->write(part.data);
        } catch (...) {
            call_->fail(owner_->stream_error("the sink of a message failed: ", std::current_exception()));
            return Took::cut;
        }
        return part.last ? Took::done : Took::more;
    }
    void finish() override { call_->finish(received_); }
    Call& call() noexcept override { return *call_; }
    bool lose_message() override { return !begun_; }
    std::optional<Part> give_back() override { return std::nullopt; }
    bool has_begun() const noexcept override { return begun_; }

private:
    const std::shared_ptr<Conversation> owner_;
    const Waiting waiting_;
    const std::shared_ptr<ByteSink> sink_;
    const std::shared_ptr<CallOf<WebSocketReceived>> call_;
    WebSocketReceived received_;
    bool begun_{false};
};

/// Hands parts to a thread that waits for them.
class Conversation::PipeReceiver final : public Receiver {
public:
    explicit PipeReceiver(std::shared_ptr<Conversation> owner) : owner_{std::move(owner)}, waiting_{owner_->receivers_waiting_} {}

    void set_call(std::shared_ptr<CallOf<WebSocketReceived>> call) { call_ = std::move(call); }
    /// Of the call: the end.
    void put_outcome(Result<WebSocketReceived> outcome) {
        const std::scoped_lock lock{mutex_};
        outcome_.emplace(std::move(outcome));
        changed_.notify_all();
    }
    /// The thread's: the next part; nothing: all came. @throws Error the call's
    std::optional<Part> next() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return outcome_ || !parts_.empty(); });
        if (outcome_ && !*outcome_) throw outcome_->error();
        if (parts_.empty()) return std::nullopt;
        Part part = std::move(parts_.front());
        parts_.pop_front();
        bytes_ -= part.data.size();
        const bool was_full = std::exchange(full_, false);
        lock.unlock();
        if (was_full) {
            owner_->loop_->post([owner = owner_] { owner->feed_receivers(); });
        }
        return part;
    }

    Took take(Part& part) override {
        const std::scoped_lock lock{mutex_};
        if (bytes_ > owner_->options().max_unread / 2) {
            full_ = true;
            return Took::full;
        }
        begun_ = true;
        const bool last = part.last;
        bytes_ += part.data.size();
        received_.kind = part.kind;
        received_.size += part.data.size();
        parts_.push_back(std::move(part));
        changed_.notify_all();
        return last ? Took::done : Took::more;
    }
    void finish() override { call_->finish(received_); }
    Call& call() noexcept override { return *call_; }
    bool lose_message() override { return !begun_; }
    std::optional<Part> give_back() override { return std::nullopt; }
    bool has_begun() const noexcept override { return begun_; }
    WebSocketReceived received() const {
        const std::scoped_lock lock{mutex_};
        return received_;
    }

private:
    const std::shared_ptr<Conversation> owner_;
    const Waiting waiting_;
    std::shared_ptr<CallOf<WebSocketReceived>> call_;
    bool begun_{false};
    mutable std::mutex mutex_;  // of what follows
    std::condition_variable changed_;
    std::deque<Part> parts_;
    std::size_t bytes_{0};
    bool full_{false};
    WebSocketReceived received_;
    std::optional<Result<WebSocketReceived>> outcome_;
};

// --- The conversation

std::shared_ptr<Conversation> Conversation::make(WebSocketOptions options, const Runtime& runtime) {
    auto settings = std::make_shared<const Settings>(std::move(options));
    // Said when the client is made, not when it connects.
    if (settings->base.tls) static_cast<void>(runtime.impl().tls_context(*settings->tls, settings->options.label));
    return std::make_shared<Conversation>(Key{}, std::move(settings), runtime.impl().loop(), runtime);
}

Conversation::Conversation(Key, std::shared_ptr<const Settings> settings, net::Loop& loop, Runtime runtime)
    : settings_{std::move(settings)},
      pulls_{!settings_->options.handlers.on_message && !settings_->options.handlers.on_part},
      loop_{loop.shared_from_this()},
      runtime_{std::move(runtime)},
      handlers_{settings_->options.handlers},
      retry_timer_{loop} {}

void Conversation::set_handlers(WebSocketHandlers handlers) {
    if (handlers.on_message && handlers.on_part) {
        throw make_websocket_error(WebSocketErrc::option, "on_message and on_part exclude each other", Phase::none, Reason::bad_value,
                                   options().label);
    }
    const auto set = [this, &handlers] {
        if (begun_) return false;
        pulls_ = !handlers.on_message && !handlers.on_part;
        handlers_ = std::move(handlers);
        return true;
    };
    bool done = false;
    if (loop_->on_thread()) {
        done = set();
    } else {
        const auto box = std::make_shared<OutcomeBox<bool>>();
        loop_->post([&set, box] { box->put(set()); });
        done = box->take();
    }
    if (!done) {
        throw make_error(Errc::invalid_argument, "handlers are set before the first connection is made, or with the options")
            .with_connection(options().label);
    }
}

Conversation::~Conversation() = default;

std::string Conversation::what(std::string_view doing) const { return std::string{doing} + ' ' + shown_target(settings_->base); }

Error Conversation::closed_error() const {
    return make_websocket_error(WebSocketErrc::closed,
                                "the WebSocket connection to " + shown_target(settings_->base) + " was closed here; connect() opens it again",
                                Phase::protocol, Reason::closed, options().label);
}

Error Conversation::cancelled_error() const {
    return make_error(Errc::cancelled, "the client of " + shown_target(settings_->base) + " was destroyed").with_connection(options().label);
}

Error Conversation::in_phase(Error error) const {
    if (connection_ && !open_) error.with_phase(connection_->phase());
    return error;
}

Error Conversation::too_long() const {
    return make_websocket_error(WebSocketErrc::limit,
                                "a message of " + shown_target(settings_->base) + " is longer than " + std::to_string(options().max_message) +
                                    " bytes, and the connection was closed; receive it in parts, or allow more (max_message)",
                                Phase::protocol, Reason::limit, options().label)
        .with_spoils_connection(true);
}

Error Conversation::stream_error(std::string_view before, const std::exception_ptr& thrown) const {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) { return error; } catch (const std::exception& other) {
        return make_websocket_error(WebSocketErrc::stream, std::string{before} + other.what(), Phase::none, Reason::local, options().label);
    } catch (...) {
        return make_websocket_error(WebSocketErrc::stream, std::string{before} + "it threw what is no std::exception", Phase::none, Reason::local,
                                    options().label);
    }
}

template <class F>
void Conversation::call_user(F&& call) {
    std::string words;
    try {
        call();
        return;
    } catch (const std::exception& e) { words = e.what(); } catch (...) {
        words = "an exception that is no std::exception";
    }
    loop_->log().write({.level = LogLevel::error, .connection = options().label, .event = "callback-threw", .text = words, .fields = {}});
}

void Conversation::tell(const WebSocketEvent& event) {
    if (shut_) return;
    if (handlers_.log || handlers_.errlog || handlers_.dbglog) write_logs(event);
    if (handlers_.on_event && !shut_) call_user([&] { handlers_.on_event(event); });
}

void Conversation::write_logs(const WebSocketEvent& event) {
    using What = WebSocketEvent::What;
    const auto line = [this](const std::function<void(std::string_view)>& to, const std::string& text) {
        if (to && !shut_) call_user([&] { to(text); });
    };
    const auto milliseconds = [&event] { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(event.delay).count()) + " ms"; };
    const std::string name = shown_target(settings_->base);
    switch (event.what) {
        case What::open:
            line(handlers_.log, name + " is connected" + (event.info->subprotocol.empty() ? "" : ", subprotocol " + event.info->subprotocol));
            return;
        case What::closed:
            line(handlers_.log, name + " was closed: " + shown_close(event.close->code, settings_->redact(event.close->reason)));
            if (event.error != nullptr) line(handlers_.errlog, event.error->what());
            return;
        case What::reconnect:
            line(handlers_.errlog, event.error->what());
            line(handlers_.dbglog, name + " is connected anew in " + milliseconds());
            return;
        case What::gave_up: line(handlers_.errlog, name + " is given up: " + event.error->what()); return;
        case What::pong: line(handlers_.dbglog, name + " answered a ping within " + milliseconds()); return;
        case What::ping: line(handlers_.dbglog, name + " sent a ping"); return;
    }
}

template <class T, class Work>
Operation Conversation::start(const std::shared_ptr<CallOf<T>>& call, Work work) {
    loop_->post([self = shared_from_this(), call, work = std::move(work)]() mutable {
        if (call->done()) return;
        if (self->shut_) return call->fail(self->cancelled_error());
        work(*self);
    });
    return Operation{call};
}

// --- Connecting

void Conversation::need_connection(bool now) {
    if (shut_ || closed_here_ || connection_ || (retry_waits_ && !now)) return;
    retry_waits_ = false;
    retry_timer_.cancel();
    begun_ = true;
    connection_ = Connection::open(*loop_, settings_, *this, handlers_.on_message ? Connection::Delivery::whole : Connection::Delivery::parts, {});
}

void Conversation::give_up_unwanted() {
    const auto wanted = [](const auto& calls) { return std::any_of(calls.begin(), calls.end(), [](const auto& call) { return !call->done(); }); };
    if (!connection_ || open_ || ever_open_) return;
    if (wanted(connects_) || !held_.empty() || !streams_.empty() || !receivers_.empty()) return;
    connection_->drop(0);
    connection_.reset();
}

Operation Conversation::connect(Deadline deadline, Callback<WebSocketInfo> callback) {
    auto call = std::make_shared<CallOf<WebSocketInfo>>(*loop_, options().label, what("connecting to"), std::move(callback));
    return start(call, [call, deadline](Conversation& self) {
        self.closed_here_ = false;
        if (self.open_) return call->finish(self.info_);
        self.connects_.push_back(call);
        call->begin(deadline, [self = self.shared_from_this(), call](Error error) {
            std::erase(self->connects_, call);
            call->fail(self->in_phase(std::move(error)));
            self->give_up_unwanted();
        });
        if (!call->done()) self.need_connection(true);
    });
}

void Conversation::on_open(const WebSocketInfo& info) {
    const auto self = shared_from_this();
    const auto connection = connection_;
    info_ = info;
    stands_since_ = Clock::now();
    if (handlers_.on_setup) {
        try {
            Setup setup{*connection, info_, !ever_open_};
            handlers_.on_setup(setup);
        } catch (...) {
            const Error inner = error_of(std::current_exception());
            Error error = make_websocket_error(
                WebSocketErrc::setup, "the set-up of the connection to " + shown_target(settings_->base) + " failed: " + std::string{inner.message()},
                Phase::protocol, inner.reason() == Reason::none ? Reason::local : inner.reason(), options().label);
            connection->fail(std::move(error));
            return;
        }
    }
    if (shut_ || connection_ != connection || !connection->is_open()) return;
    open_ = true;
    ever_open_ = true;
    unseen_error_.reset();
    WebSocketEvent event;
    event.what = WebSocketEvent::What::open;
    event.info = &info_;
    tell(event);
    const auto connects = std::exchange(connects_, {});
    for (const auto& call : connects) call->finish(info_);
    if (shut_) return;
    drain();
    release_held();
    next_stream();
    check_unread();
}

void Conversation::on_end(End end) {
    const auto self = shared_from_this();
    const bool stood = open_.exchange(false) || end.close.clean || !closes_.empty();
    const auto connection = std::exchange(connection_, nullptr);
    if (reading_paused_) reading_paused_ = false;
    const Error error = end.error ? *end.error : closed_error();
    if (stood && Clock::now() - stands_since_ > options().reconnect.max_delay) attempts_ = 0;

    const auto pings = std::exchange(pings_, {});
    const auto flushes = std::exchange(flushes_, {});
    const auto closes = std::exchange(closes_, {});
    const auto connects = std::exchange(connects_, {});
    inbox_.drop_unfinished();
    std::vector<std::shared_ptr<Receiver>> lost;
    for (const auto& receiver : receivers_) {
        if (receiver->has_begun() && !receiver->lose_message()) lost.push_back(receiver);
    }
    if (!streams_.empty() && streams_.front()->begun) {
        const auto stream = streams_.front();
        streams_.pop_front();
        stream->call().fail(error);
    }
    for (const auto& call : pings) call->fail(error);
    for (const auto& flush : flushes) flush.call->fail(error);
    for (const auto& call : connects) call->fail(error);
    for (const auto& receiver : lost) end_receiver(receiver, error);

    if (stood) {
        WebSocketEvent event;
        event.what = WebSocketEvent::What::closed;
        event.close = &end.close;
        event.error = end.error ? &*end.error : nullptr;
        event.unsent = end.unsent;
        tell(event);
    }
    for (const auto& call : closes) call->finish(end.close);
    if (shut_ || connection_) return;  // connected anew by what was called
    if (closed_here_) return fail_all(closed_error());
    if (options().reconnect.enabled && ever_open_) return try_again_later(error);
    fail_all(error);
    if (pulls_ && stood && receivers_.empty()) unseen_error_ = error;
}

void Conversation::try_again_later(const Error& error) {
    ++attempts_;
    const WebSocketReconnect& how = options().reconnect;
    if (how.attempts > 0 && attempts_ > how.attempts) {
        attempts_ = 0;
        ever_open_ = false;
        WebSocketEvent event;
        event.what = WebSocketEvent::What::gave_up;
        event.error = &error;
        tell(event);
        fail_all(error);
        return;
    }
    for (const Item& item : held_) {
        if (item.call) item.call->note(error);
    }
    for (const auto& receiver : receivers_) receiver->call().note(error);
    const auto wait = net::backoff(how.delay, how.max_delay, attempts_, random_share());
    retry_waits_ = true;
    retry_timer_.arm(Deadline{wait}, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->need_connection(true);
    });
    WebSocketEvent event;
    event.what = WebSocketEvent::What::reconnect;
    event.error = &error;
    event.delay = wait;
    tell(event);
}

void Conversation::fail_all(const Error& error) {
    drain();
    refuse_held(error);
    const auto streams = std::exchange(streams_, {});
    for (const auto& stream : streams) stream->call().fail(error);
    const auto connects = std::exchange(connects_, {});
    for (const auto& call : connects) call->fail(error);
    const auto receivers = std::exchange(receivers_, {});
    for (const auto& receiver : receivers) receiver->call().fail(error);
}

// --- Sending

bool Conversation::has_room(std::size_t size) const noexcept {
    const std::size_t now = queued();
    return now == 0 || now + size <= options().max_queue;
}

bool Conversation::enqueue(Item item) {
    if (item.counted) queued_.fetch_add(item.data.size());
    const std::scoped_lock lock{outbox_mutex_};
    outbox_.push_back(std::move(item));
    return !std::exchange(drain_posted_, true);
}

bool Conversation::try_send(WebSocketKind kind, std::string_view data) {
    if (kind == WebSocketKind::text && !is_text(data)) {
        throw make_websocket_error(WebSocketErrc::option, "a text message must be UTF-8; it was not sent, send it as binary", Phase::none,
                                   Reason::bad_value, options().label);
    }
    if (!is_open() || !has_room(data.size())) return false;
    if (loop_->on_thread()) {
        if (!held_.empty() || !connection_ || !connection_->is_open()) return false;
        queued_.fetch_add(data.size());
        connection_->send(kind, data, [this, size = data.size()](const Error*) { on_sent(size); });
        return true;
    }
    Item item;
    item.kind = kind;
    item.data = data;
    if (enqueue(std::move(item))) loop_->post([self = shared_from_this()] { self->drain(); });
    return true;
}

Operation Conversation::send(WebSocketKind kind, std::string data, Until until, Deadline deadline, Callback<void> callback) {
    auto call = std::make_shared<CallOf<void>>(*loop_, options().label, what("sending a message to"), std::move(callback));
    if (kind == WebSocketKind::text && !is_text(data)) {
        return start(call, [call](Conversation& self) {
            call->fail(make_websocket_error(WebSocketErrc::option, "a text message must be UTF-8; it was not sent, send it as binary", Phase::none,
                                            Reason::bad_value, self.options().label));
        });
    }
    Item item;
    item.kind = kind;
    item.counted = until == Until::written;
    if (item.counted && !has_room(data.size())) {
        return start(call, [call](Conversation& self) {
            call->fail(make_websocket_error(WebSocketErrc::queue,
                                            "the message to " + shown_target(self.settings_->base) +
                                                " was not queued: " + std::to_string(self.queued()) + " bytes wait already, and the limit is " +
                                                std::to_string(self.options().max_queue) + " (max_queue)",
                                            Phase::none, Reason::limit, self.options().label)
                           .with_retryable(true));
        });
    }
    item.data = std::move(data);
    item.call = call;
    item.deadline = deadline;
    if (item.counted && loop_->on_thread() && open_ && held_.empty() && connection_->is_open()) {
        call->begin(deadline, nullptr);
        queued_.fetch_add(item.data.size());
        put(std::move(item));
        return Operation{call};
    }
    if (enqueue(std::move(item))) loop_->post([self = shared_from_this()] { self->drain(); });
    return Operation{call};
}

void Conversation::drain() {
    for (;;) {
        {
            const std::scoped_lock lock{outbox_mutex_};
            drain_posted_ = false;
            if (outbox_.empty()) return;
            std::swap(outbox_, draining_);
        }
        std::vector<Item> items = std::move(draining_);
        for (Item& item : items) hand_over(std::move(item));
        items.clear();
        draining_ = std::move(items);
    }
}

void Conversation::hand_over(Item item) {
    const auto refuse = [&](const Error& error) {
        if (item.counted) on_sent(item.data.size());
        if (item.call) item.call->fail(error);
    };
    if (item.call) {
        if (!item.call->done()) {
            item.call->begin(item.deadline,
                             [self = shared_from_this(), call = item.call](Error error) { call->fail(self->in_phase(std::move(error))); });
        }
        if (item.call->done()) {
            if (item.counted) on_sent(item.data.size());
            return;
        }
    }
    if (shut_) return refuse(cancelled_error());
    if (closed_here_) return refuse(closed_error());
    held_.push_back(std::move(item));
    if (open_)
        release_held();
    else
        need_connection();
}

void Conversation::release_held() {
    while (open_ && connection_ && connection_->is_open() && !held_.empty()) {
        Item& first = held_.front();
        const bool gone = first.call && first.call->done();
        const std::size_t waits = connection_->queued();
        if (!gone && !first.counted && waits != 0 && waits + first.data.size() > options().max_queue) return;  // on_sent() goes on
        Item item = std::move(first);
        held_.pop_front();
        if (gone) {
            if (item.counted) on_sent(item.data.size());
            continue;
        }
        if (item.counted) {
            put(std::move(item));
            continue;
        }
        const auto call = std::move(item.call);
        item.call = nullptr;
        queued_.fetch_add(item.data.size());
        put(std::move(item));
        call->finish({});
    }
}

void Conversation::put(Item item) {
    const std::size_t size = item.data.size();
    if (!item.call) {
        connection_->send(item.kind, item.data, [this, size](const Error*) { on_sent(size); });
        return;
    }
    connection_->send(item.kind, item.data, [this, size, call = std::move(item.call)](const Error* error) {
        on_sent(size);
        if (error != nullptr)
            call->fail(*error);
        else
            call->finish({});
    });
}

void Conversation::on_sent(std::size_t size) {
    queued_.fetch_sub(size);
    if (!held_.empty()) release_held();
    if (!flushes_.empty()) check_flushes();
}

void Conversation::refuse_held(const Error& error) {
    auto held = std::exchange(held_, {});
    for (Item& item : held) {
        if (item.counted) on_sent(item.data.size());
        if (item.call) item.call->fail(error);
    }
}

Operation Conversation::flush(Deadline deadline, std::size_t at_most, Callback<void> callback) {
    auto call = std::make_shared<CallOf<void>>(*loop_, options().label, what("sending what is queued to"), std::move(callback));
    return start(call, [call, deadline, at_most](Conversation& self) {
        self.drain();
        self.flushes_.push_back({at_most, call});
        call->begin(deadline, [self = self.shared_from_this(), call](Error error) {
            std::erase_if(self->flushes_, [&](const Flush& one) { return one.call == call; });
            call->fail(std::move(error));
        });
        self.check_flushes();
    });
}

void Conversation::check_flushes() {
    for (std::size_t i = 0; i < flushes_.size();) {
        if (queued() > flushes_[i].at_most) {
            ++i;
            continue;
        }
        const auto call = flushes_[i].call;
        flushes_.erase(flushes_.begin() + static_cast<std::ptrdiff_t>(i));
        call->finish({});
    }
}

// --- Sending from a source

void Conversation::next_stream() {
    while (!streams_.empty() && streams_.front()->call().done()) streams_.pop_front();
    if (streams_.empty()) return;
    if (!open_) return need_connection();
    if (!streams_.front()->asked) want_part();
}

void Conversation::want_part() {
    const auto stream = streams_.front();
    stream->asked = true;
    std::optional<Streamed::Next> part;
    try {
        part = stream->next();
    } catch (...) { return end_stream(stream.get(), stream_error("the source of a message failed: ", std::current_exception())); }
    if (part) give_part(stream, std::move(part->data), part->last);
}

void Conversation::give_part(const std::shared_ptr<Streamed>& stream, std::string data, bool last) {
    if (streams_.empty() || streams_.front() != stream || !stream->asked) return;
    stream->asked = false;
    if (!open_ || !connection_->is_open()) return end_stream(stream.get(), closed_error());
    stream->begun = true;
    stream->sent += data.size();
    queued_.fetch_add(data.size());
    connection_->send_part(stream->kind(), data, last, [this, stream, last, size = data.size()](const Error* error) {
        on_sent(size);
        if (error != nullptr || streams_.empty() || streams_.front() != stream) return;  // on_end() sees to it
        if (!last) return want_part();
        streams_.pop_front();
        stream->call().finish(stream->sent);
        next_stream();
    });
}

void Conversation::end_stream(const Streamed* streamed, const Error& error) {
    const auto found = std::find_if(streams_.begin(), streams_.end(), [streamed](const auto& one) { return one.get() == streamed; });
    if (found == streams_.end()) return;
    const auto stream = *found;
    streams_.erase(found);
    stream->call().fail(error);
    if (stream->begun && connection_) {
        // The rest of the message cannot be sent, nor taken back.
        connection_->fail(make_websocket_error(WebSocketErrc::stream,
                                               "a message to " + shown_target(settings_->base) + " was broken off in its middle", Phase::protocol,
                                               Reason::cancelled, options().label)
                              .with_spoils_connection(true));
        return;
    }
    give_up_unwanted();
    next_stream();
}

class Conversation::LoopStreamed final : public Streamed {
public:
    LoopStreamed(WebSocketKind kind, std::shared_ptr<CallOf<std::uint64_t>> call, std::shared_ptr<ByteSource> source, std::size_t part_size)
        : Streamed{kind, std::move(call)}, source_{std::move(source)}, part_size_{part_size} {}
    std::optional<Next> next() override { return read(*source_, part_size_, done_); }

private:
    const std::shared_ptr<ByteSource> source_;
    const std::size_t part_size_;
    std::uint64_t done_{0};
};

/// Its source is read by the thread that waits for the end.
class Conversation::ThreadStreamed final : public Streamed {
public:
    ThreadStreamed(WebSocketKind kind, std::shared_ptr<CallOf<std::uint64_t>> call, std::size_t part_size)
        : Streamed{kind, std::move(call)}, part_size_{part_size} {}

    std::optional<Next> next() override {
        const std::scoped_lock lock{mutex_};
        wanted_ = true;
        changed_.notify_all();
        return std::nullopt;
    }
    void put_outcome(Result<std::uint64_t> outcome) {
        const std::scoped_lock lock{mutex_};
        outcome_.emplace(std::move(outcome));
        changed_.notify_all();
    }
    /// The thread's: a part to be given, nothing where it is over. @throws Error the call's; what the source does
    std::optional<Next> work(ByteSource& source) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return outcome_ || wanted_; });
        if (outcome_) return std::nullopt;
        wanted_ = false;
        lock.unlock();
        return read(source, part_size_, done_);
    }
    std::uint64_t outcome() {
        const std::scoped_lock lock{mutex_};
        return std::move(*outcome_).value();
    }

private:
    const std::size_t part_size_;
    std::uint64_t done_{0};  // the thread's
    std::mutex mutex_;       // of what follows
    std::condition_variable changed_;
    bool wanted_{false};
    std::optional<Result<std::uint64_t>> outcome_;
};

Operation Conversation::start_stream(const std::shared_ptr<Streamed>& stream, const std::shared_ptr<CallOf<std::uint64_t>>& call, Deadline deadline) {
    return start(call, [call, stream, deadline](Conversation& self) {
        if (self.closed_here_) return call->fail(self.closed_error());
        self.drain();
        self.streams_.push_back(stream);
        call->begin(deadline,
                    [self = self.shared_from_this(), stream](const Error& error) { self->end_stream(stream.get(), self->in_phase(error)); });
        if (self.streams_.size() == 1) self.next_stream();
    });
}

Operation Conversation::send_from(WebSocketKind kind, std::shared_ptr<ByteSource> source, Deadline deadline, Callback<std::uint64_t> callback) {
    auto call = std::make_shared<CallOf<std::uint64_t>>(*loop_, options().label, what("sending a message to"), std::move(callback));
    auto stream = std::make_shared<LoopStreamed>(kind, call, std::move(source), options().part_size);
    return start_stream(stream, call, deadline);
}

std::uint64_t Conversation::send_from_here(WebSocketKind kind, ByteSource& source, Deadline deadline) {
    const auto place = std::make_shared<std::weak_ptr<ThreadStreamed>>();
    auto call =
        std::make_shared<CallOf<std::uint64_t>>(*loop_, options().label, what("sending a message to"), [place](Result<std::uint64_t> outcome) {
            if (const auto stream = place->lock()) stream->put_outcome(std::move(outcome));
        });
    const auto stream = std::make_shared<ThreadStreamed>(kind, call, options().part_size);
    *place = stream;
    start_stream(stream, call, deadline);
    for (;;) {
        std::optional<Streamed::Next> part;
        try {
            part = stream->work(source);
        } catch (...) {
            const Error error = stream_error("the source of a message failed: ", std::current_exception());
            loop_->post([self = shared_from_this(), stream, error] { self->end_stream(stream.get(), error); });
            throw error;
        }
        if (!part) return stream->outcome();
        loop_->post(
            [self = shared_from_this(), stream, part = std::move(*part)]() mutable { self->give_part(stream, std::move(part.data), part.last); });
    }
}

// --- Receiving

void Conversation::on_message(WebSocketKind kind, std::string_view data) {
    if (!shut_) call_user([&] { handlers_.on_message(kind, data); });
}

void Conversation::on_part(WebSocketKind kind, std::string_view part, bool last) {
    if (shut_) return;
    if (!pulls_) return call_user([&] { handlers_.on_part(kind, part, last); });
    const auto self = shared_from_this();
    inbox_.put({kind, std::string{part}, last});
    feed_receivers();
    if (inbox_.bytes() <= options().max_unread || !connection_) return;
    reading_paused_ = true;
    connection_->pause();
    check_unread();
}

void Conversation::check_unread() {
    if (!reading_paused_ || inbox_.bytes() > options().max_unread / 2) return;
    reading_paused_ = false;
    if (connection_) connection_->resume();
}

void Conversation::feed_receivers() {
    while (!receivers_.empty()) {
        const auto receiver = receivers_.front();
        if (receiver->call().done()) {
            receivers_.pop_front();
            continue;
        }
        std::optional<Part> part = inbox_.take();
        if (!part) break;
        const bool last = part->last;
        const Receiver::Took took = receiver->take(*part);
        if (took == Receiver::Took::more) continue;
        if (took == Receiver::Took::full) {
            inbox_.put_back(std::move(*part));
            break;
        }
        std::erase(receivers_, receiver);
        if (took == Receiver::Took::done)
            receiver->finish();
        else if (!last)
            inbox_.skip_rest();
    }
    check_unread();
}

std::optional<WebSocketMessage> Conversation::take() {
    if (!pulls_ || receivers_waiting_ != 0) return std::nullopt;
    auto message = inbox_.take_message(options().max_message);
    if (message && reading_paused_) {
        loop_->post([self = shared_from_this()] { self->check_unread(); });
    }
    return message;
}

void Conversation::start_receiver(const std::shared_ptr<Receiver>& receiver, Deadline deadline) {
    Call& call = receiver->call();
    if (!pulls_) {
        return call.fail(make_websocket_error(WebSocketErrc::option,
                                              "messages of " + shown_target(settings_->base) + " go to the handler of the options", Phase::none,
                                              Reason::bad_value, options().label));
    }
    if (inbox_.empty()) {
        if (unseen_error_) {
            const Error error = *std::exchange(unseen_error_, std::nullopt);
            return call.fail(error);
        }
        if (closed_here_ && !connection_) return call.fail(closed_error());
    }
    receivers_.push_back(receiver);
    call.begin(deadline, [self = shared_from_this(), receiver](Error error) { self->end_receiver(receiver, self->in_phase(std::move(error))); });
    feed_receivers();
    if (!receivers_.empty()) need_connection();
}

void Conversation::end_receiver(const std::shared_ptr<Receiver>& receiver, Error error) {
    const auto found = std::find(receivers_.begin(), receivers_.end(), receiver);
    if (found != receivers_.end()) {
        receivers_.erase(found);
        if (auto part = receiver->give_back())
            inbox_.put_back(std::move(*part));
        else if (receiver->has_begun() && connection_)
            inbox_.skip_rest();
    }
    receiver->call().fail(std::move(error));
    feed_receivers();
    give_up_unwanted();
}

Operation Conversation::receive(Deadline deadline, Callback<WebSocketMessage> callback) {
    auto call = std::make_shared<CallOf<WebSocketMessage>>(*loop_, options().label, what("receiving from"), std::move(callback));
    std::shared_ptr<Receiver> receiver = std::make_shared<MessageReceiver>(shared_from_this(), call);
    return start(call, [receiver, deadline](Conversation& self) { self.start_receiver(receiver, deadline); });
}

Operation Conversation::receive_to(std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<WebSocketReceived> callback) {
    auto call = std::make_shared<CallOf<WebSocketReceived>>(*loop_, options().label, what("receiving from"), std::move(callback));
    std::shared_ptr<Receiver> receiver = std::make_shared<SinkReceiver>(shared_from_this(), std::move(sink), call);
    return start(call, [receiver, deadline](Conversation& self) { self.start_receiver(receiver, deadline); });
}

WebSocketReceived Conversation::receive_here(ByteSink& sink, Deadline deadline) {
    const auto receiver = std::make_shared<PipeReceiver>(shared_from_this());
    auto call = std::make_shared<CallOf<WebSocketReceived>>(*loop_, options().label, what("receiving from"),
                                                            [weak = std::weak_ptr{receiver}](Result<WebSocketReceived> outcome) {
                                                                if (const auto pipe = weak.lock()) pipe->put_outcome(std::move(outcome));
                                                            });
    receiver->set_call(call);
    start(call, [receiver = std::shared_ptr<Receiver>{receiver}, deadline](Conversation& self) { self.start_receiver(receiver, deadline); });
    for (;;) {
        const std::optional<Part> part = receiver->next();
        if (!part) return receiver->received();
        try {
            if (!part->data.empty()) sink.write(part->data);
        } catch (...) {
            const Error error = stream_error("the sink of a message failed: ", std::current_exception());
            loop_->post([self = shared_from_this(), receiver = std::shared_ptr<Receiver>{receiver}, error] { self->end_receiver(receiver, error); });
            throw error;
        }
        if (part->last) return receiver->received();
    }
}

// --- Pings and the end

Operation Conversation::ping(Deadline deadline, Callback<std::chrono::nanoseconds> callback) {
    auto call = std::make_shared<CallOf<std::chrono::nanoseconds>>(*loop_, options().label, what("pinging"), std::move(callback));
    return start(call, [call, deadline](Conversation& self) {
        const auto go = [](Conversation& me, const std::shared_ptr<CallOf<std::chrono::nanoseconds>>& mine, Deadline by) {
            me.pings_.push_back(mine);
            mine->begin(by, [me = me.shared_from_this(), mine](Error error) {
                std::erase(me->pings_, mine);
                mine->fail(std::move(error));
            });
            if (!mine->done()) me.connection_->ping();
        };
        if (self.open_) return go(self, call, deadline);
        if (self.closed_here_) return call->fail(self.closed_error());
        self.connect(deadline, [self = self.shared_from_this(), call, deadline, go](Result<WebSocketInfo> opened) {
            if (call->done()) return;
            if (!opened) return call->fail(opened.error());
            if (!self->open_) return call->fail(self->closed_error());
            go(*self, call, deadline);
        });
    });
}

void Conversation::on_pong(std::chrono::nanoseconds round_trip) {
    const auto self = shared_from_this();
    WebSocketEvent event;
    event.what = WebSocketEvent::What::pong;
    event.delay = round_trip;
    tell(event);
    const auto pings = std::exchange(pings_, {});
    for (const auto& call : pings) call->finish(round_trip);
}

void Conversation::on_ping() {
    if (!handlers_.ping_events && !handlers_.dbglog) return;
    const auto self = shared_from_this();
    WebSocketEvent event;
    event.what = WebSocketEvent::What::ping;
    if (handlers_.ping_events)
        tell(event);
    else
        write_logs(event);
}

Operation Conversation::close(std::uint16_t code, std::string reason, Deadline deadline, Callback<WebSocketClose> callback) {
    auto call = std::make_shared<CallOf<WebSocketClose>>(*loop_, options().label, what("closing the connection to"), std::move(callback));
    return start(call, [call, code, reason = std::move(reason), deadline](Conversation& self) {
        if (!can_be_sent(code) || reason.size() > 123 || !text::valid_utf8(reason)) {
            return call->fail(make_websocket_error(
                WebSocketErrc::option, "a close code is 1000 to 1003, 1007 to 1014, or 3000 to 4999, and its reason at most 123 bytes of UTF-8",
                Phase::none, Reason::bad_value, self.options().label));
        }
        call->begin(deadline, nullptr);
        if (!call->done()) self.do_close(code, reason, call);
    });
}

void Conversation::do_close(std::uint16_t code, const std::string& reason, std::shared_ptr<CallOf<WebSocketClose>> call) {
    drain();
    retry_waits_ = false;
    retry_timer_.cancel();
    closed_here_ = true;
    if (!connection_) {
        fail_all(closed_error());
        call->finish(WebSocketClose{});
        return;
    }
    closes_.push_back(std::move(call));
    if (open_) {
        // What was accepted goes out before; what waits for room was not.
        auto held = std::exchange(held_, {});
        for (Item& item : held) {
            if (item.counted && !(item.call && item.call->done()))
                put(std::move(item));
            else if (item.call)
                item.call->fail(closed_error());
        }
        open_ = false;
    }
    connection_->close(code, reason);
}

void Conversation::shut_down_here() {
    if (std::exchange(shut_, true)) return;
    const Error error = cancelled_error();
    retry_timer_.cancel();
    open_ = false;
    if (const auto connection = std::exchange(connection_, nullptr)) {
        connection->drop(1001);
        // It tells of each message that it had; this is still there then.
        loop_->post([self = shared_from_this()] {});
    }
    const auto pings = std::exchange(pings_, {});
    for (const auto& call : pings) call->fail(error);
    const auto flushes = std::exchange(flushes_, {});
    for (const auto& flush : flushes) flush.call->fail(error);
    const auto closes = std::exchange(closes_, {});
    for (const auto& call : closes) call->fail(error);
    fail_all(error);
}

void Conversation::shut_down() noexcept {
    try {
        const auto self = shared_from_this();
        if (loop_->on_thread()) return shut_down_here();
        const auto box = std::make_shared<OutcomeBox<int>>();
        loop_->post([self, box] {
            self->shut_down_here();
            box->put(0);
        });
        box->take();
    } catch (const std::exception&) {
        // Without memory for that the connection stays until the process ends.
    }
}

}  // namespace qconn::websocket
