// SPDX-License-Identifier: Apache-2.0
#include "websocket/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include <qconn/net/net_error.hpp>

#include "base/text.hpp"
#include "net/dial.hpp"
#include "net/dialogue_driver.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"
#include "websocket/engine.hpp"
#include "websocket/handshake.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn::websocket {
namespace {

using net::Ready;

/// More than that is written at once, and not when the turn is over.
constexpr std::size_t k_write_now = std::size_t{256} * 1024;
/// Pings of ours that have no pong yet and are remembered.
constexpr std::size_t k_pings = 16;
/// How long the server has for closing the TCP connection after the close frames.
constexpr std::chrono::milliseconds k_server_closes{1'000};

class StreamInput final : public ByteInput {
public:
    explicit StreamInput(net::Stream& stream) noexcept : stream_{stream} {}
    net::IoResult read_some(char* data, std::size_t size) override {
        net::IoResult result = stream_.read_some(data, size);
        heard_ = heard_ || result.kind == net::IoResult::Kind::done;
        return result;
    }
    bool empties() const noexcept override { return !stream_.may_hold_input(); }
    /// Whether anything has come since the last question.
    bool take_heard() noexcept { return std::exchange(heard_, false); }

private:
    net::Stream& stream_;
    bool heard_{false};
};

class LiveConnection final : public Connection, private EngineEvents {
public:
    LiveConnection(net::Loop& loop, std::shared_ptr<const Settings> settings, Handler& handler, Delivery delivery)
        : loop_{loop.shared_from_this()},
          runtime_{loop.runtime()},
          settings_{std::move(settings)},
          handler_{&handler},
          delivery_{delivery},
          target_{settings_->base},
          timer_{loop} {}
    LiveConnection(const LiveConnection&) = delete;
    LiveConnection& operator=(const LiveConnection&) = delete;
    ~LiveConnection() override { forget_all(); }

    void start(Deadline deadline) {
        const auto& limit = settings_->options.connect_timeout;
        const Deadline by = limit.count() > 0 ? earlier(deadline, Deadline{limit}) : deadline;
        timer_.arm(by, [this] { on_open_timeout(); });
        dial();
    }

    bool is_open() const noexcept override { return state_ == State::open; }
    net::Loop& loop() const noexcept override { return *loop_; }
    Phase phase() const noexcept override { return state_ == State::dialing && dial_ ? dial_->phase() : Phase::protocol; }
    const WebSocketInfo& info() const noexcept override { return info_; }

    void send(WebSocketKind kind, std::string_view data) override { send(kind, data, {}); }
    void send(WebSocketKind kind, std::string_view data, Sent done) override {
        if (!is_open()) return refuse(std::move(done));
        if (in_parts_) {
            waiting_bytes_ += data.size();
            waiting_.push_back({kind, std::string{data}, std::move(done)});
            return check_full();
        }
        engine_->put(kind, data);
        note_sent(std::move(done));
    }
    void send_part(WebSocketKind kind, std::string_view data, bool last, Sent done) override {
        if (!is_open()) return refuse(std::move(done));
        in_parts_ = !last;
        engine_->put_part(kind, data, last);
        note_sent(std::move(done));
        while (!in_parts_ && !waiting_.empty()) {
            Waiting one = std::move(waiting_.front());
            waiting_.pop_front();
            waiting_bytes_ -= one.data.size();
            engine_->put(one.kind, one.data);
            note_sent(std::move(one.done));
        }
    }
    std::size_t queued() const noexcept override { return (engine_ ? engine_->output().size() : 0) + waiting_bytes_; }
    void when_queued(std::size_t at_most, Sent done) override {
        if (state_ == State::ended) return refuse(std::move(done));
        level_waits_.push_back({at_most, std::move(done)});
        schedule_flush();
    }

    void ping() override {
        if (state_ != State::open) return;
        if (pings_.size() == k_pings) pings_.pop_front();
        pings_.push_back({++ping_number_, Clock::now()});
        engine_->put_ping(std::to_string(ping_number_));
        last_ping_ = pings_.back().at;
        schedule_flush();
    }

    void pause() noexcept override {
        paused_ = true;
        if (engine_) engine_->pause();
    }
    void resume() override {
        if (!std::exchange(paused_, false) || !engine_) return;
        engine_->resume();
        heard_ = Clock::now();  // what it was silent for meanwhile was our doing
        schedule_read();
    }

    void close(std::uint16_t code, std::string_view reason) override {
        switch (state_) {
            case State::dialing:
            case State::handshake: fail(cancelled("it was closed before it was open")); return;
            case State::open: break;
            default: return;
        }
        state_ = State::closing;
        engine_->put_close(code, reason);
        asked_ = true;
        resume();
        arm_close_timer(settings_->options.close_timeout);
        schedule_flush();
    }
    void fail(Error error) override {
        if (state_ != State::ended) finish(std::move(error));
    }
    void drop(std::uint16_t code) noexcept override {
        handler_ = nullptr;
        if (state_ == State::ended) return;
        try {
            if (state_ == State::open && code != 0) {
                engine_->put_close(code, {});
                static_cast<void>(write_some());
            }
            finish(cancelled("it was given up here"));
        } catch (const std::exception&) {
            // Without memory for the words it ends all the same, with its owner.
        }
    }

private:
    enum class State : std::uint8_t {
        dialing,
        handshake,
        open,
        closing,    ///< our close frame is on its way, the server's is waited for
        lingering,  ///< both went, or nothing more can be read; what is left is written, and the server may close
        ended,
    };
    struct Written {
        std::uint64_t end;
        Sent done;
    };
    struct Waiting {
        WebSocketKind kind;
        std::string data;
        Sent done;
    };
    struct LevelWait {
        std::size_t at_most;
        Sent done;
    };
    struct Ping {
        std::uint64_t number;
        Clock::time_point at;
    };

    // --- Words

    std::string name() const { return shown_target(target_); }
    const std::string& label() const noexcept { return settings_->options.label; }
    Error cancelled(std::string_view what) const {
        return make_error(Errc::cancelled, "the WebSocket connection to " + name() + ": " + std::string{what}).with_connection(label());
    }
    Error failure(WebSocketErrc code, const std::string& what, Reason reason) const {
        Error error = make_websocket_error(code, "the WebSocket connection to " + name() + ' ' + what, Phase::protocol, reason, label());
        error.with_spoils_connection(true);
        return error;
    }

    // --- Opening

    void dial() {
        state_ = State::dialing;
        started_ = Clock::now();
        endpoint_ = settings_->endpoint_of(target_);
        dial_ = net::start_dial(*loop_, endpoint_, label(), nullptr, [this](Result<std::unique_ptr<net::Stream>> result) {
            const auto self = shared_from_this();
            on_stream(std::move(result));
        });
    }
    void on_stream(Result<std::unique_ptr<net::Stream>> result) {
        ended_dials_.push_back(std::move(dial_));
        if (!result) return finish(opening_error(result.error()));
        const auto now = Clock::now();
        info_.connect = now - started_;
        started_ = now;
        state_ = State::handshake;
        stream_ = std::move(*result);
        dialogue_ = std::make_unique<HandshakeDialogue>(settings_, target_, target_.same_origin(settings_->base),
                                                        redirects_ < settings_->options.max_redirects);
        driver_ = std::make_unique<net::DialogueDriver>(*stream_, *dialogue_);
        try {
            on_handshake(driver_->begin());
        } catch (...) { finish(error_of(std::current_exception())); }
    }
    void pump_handshake() {
        const auto self = shared_from_this();
        if (state_ != State::handshake) return;
        try {
            on_handshake(driver_->pump());
        } catch (...) { finish(error_of(std::current_exception())); }
    }
    void on_handshake(net::DialogueDriver::State state) {
        using Driver = net::DialogueDriver;
        switch (state) {
            case Driver::State::waiting: stream_->wait(driver_->waits_for(), [this] { pump_handshake(); }); return;
            case Driver::State::start_tls:
            case Driver::State::failed: finish(opening_error(driver_->error())); return;
            case Driver::State::done: break;
        }
        if (!dialogue_->location().empty()) return follow(dialogue_->location());
        const std::string rest = driver_->rest();
        driver_.reset();
        open(rest);
    }
    Error opening_error(Error error) const {
        // What the network says tells nothing of what it was for.
        if (error.code().category() == net_category() || error.code().category() == base_category()) {
            error.with_prefix("opening the WebSocket " + name() + " failed: ");
        }
        return error;
    }
    void follow(const std::string& location) {
        ++redirects_;
        std::string where{location};
        if (text::iequals(where.substr(0, 3), "ws:") || text::iequals(where.substr(0, 4), "wss:")) where.replace(0, 2, "http");
        http::Target next;
        try {
            next = http::resolve_location(target_, where);
        } catch (const Error& error) {
            return finish(make_websocket_error(WebSocketErrc::redirect,
                                               "the WebSocket handshake with " + name() + ": " + std::string{error.message()}, Phase::redirect,
                                               Reason::bad_answer, label()));
        }
        if (target_.tls && !next.tls) {
            return finish(make_websocket_error(
                WebSocketErrc::redirect,
                "the WebSocket handshake with " + name() + " was redirected to " + shown_target(next) + ", which has no TLS; it was not followed",
                Phase::redirect, Reason::bad_answer, label()));
        }
        target_ = std::move(next);
        driver_.reset();
        dialogue_.reset();
        stream_.reset();
        dial();
    }
    void open(const std::string& rest) {
        const WebSocketOptions& options = settings_->options;
        Agreed& agreed = dialogue_->agreed();
        info_.url = name();
        info_.subprotocol = std::move(agreed.subprotocol);
        info_.compressed = agreed.deflate.enabled;
        info_.headers = std::move(agreed.headers);
        info_.remote_address = stream_->peer();
        info_.redirects = redirects_;
        info_.handshake = Clock::now() - started_;
        info_.tls = stream_->tls_info();
        EngineOptions engine;
        engine.deflate = agreed.deflate;
        engine.level = options.compression.level;
        engine.compress_above = options.compression.above;
        engine.whole = delivery_ == Delivery::whole;
        engine.max_message = engine.whole ? options.max_message : options.max_streamed;
        engine.max_output = options.max_queue + (std::size_t{64} << 10U);
        dialogue_.reset();
        input_ = std::make_unique<StreamInput>(*stream_);
        engine_ = Engine::make(*loop_->context(), *input_, *this, engine);
        if (paused_) engine_->pause();
        if (!rest.empty()) engine_->prefill(rest);
        state_ = State::open;
        heard_ = last_ping_ = Clock::now();
        arm_keep_alive();
        call_handler([this] { handler_->on_open(info_); });
        read();
    }
    void on_open_timeout() {
        const auto self = shared_from_this();
        if (state_ == State::dialing && dial_) {
            dial_->expire();  // on_stream() may come from inside
            if (state_ != State::handshake) return;
        }
        if (state_ != State::handshake) return;
        // Sockets are read before deadlines are judged.
        pump_handshake();
        if (state_ != State::handshake) return;
        if (auto refusal = dialogue_->refusal_so_far()) return finish(std::move(*refusal));
        finish(opening_error(make_error(Errc::timeout, stream_->peer() + (driver_->replied() ? " did not end " : " did not send ") +
                                                           std::string{dialogue_->awaited()} + " in time")
                                 .with_phase(Phase::protocol)
                                 .with_connection(label())
                                 .with_retryable(true)));
    }

    // --- Reading

    void schedule_read() {
        if (std::exchange(read_posted_, true)) return;
        loop_->post([weak = weak_from_this(), this] {
            if (const auto self = weak.lock()) {
                read_posted_ = false;
                read();
            }
        });
    }
    /// Reads what there is, and writes what came of it.
    void read() {
        const auto self = shared_from_this();
        if (!engine_ || state_ == State::ended || in_turn_) return;
        if (state_ == State::lingering) return linger();
        in_turn_ = true;
        const Engine::Waits waits = engine_->run();
        in_turn_ = false;
        if (state_ == State::ended) return;
        if (input_->take_heard()) heard_ = Clock::now();
        if (ending_) return finish_ending();
        flush();
        if (state_ == State::ended) return;
        switch (waits) {
            case Engine::Waits::read: wait(Ready::read); return;
            case Engine::Waits::write:
                read_wants_write_ = true;
                wait(Ready::write);
                return;
            case Engine::Waits::turn: schedule_read(); return;
            case Engine::Waits::nothing: return;
        }
    }
    void wait(Ready side) {
        try {
            if (side == Ready::read)
                stream_->wait(side, [this] { on_readable(); });
            else
                stream_->wait(side, [this] { on_writable(); });
        } catch (...) { finish(error_of(std::current_exception())); }
    }
    void on_readable() {
        const auto self = shared_from_this();
        if (std::exchange(write_wants_read_, false)) flush();
        read();
    }
    void on_writable() {
        const auto self = shared_from_this();
        write_waits_ = false;
        flush();
        if (std::exchange(read_wants_write_, false)) read();
    }

    void on_data(WebSocketKind kind, std::string_view data, bool last) override {
        if (handler_ == nullptr || state_ > State::closing) return;
        if (delivery_ == Delivery::whole)
            handler_->on_message(kind, data);
        else
            handler_->on_part(kind, data, last);
    }
    void on_pong_frame(std::string_view payload) override {
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(payload.data(), payload.data() + payload.size(), number);
        if (error != std::errc{} || end != payload.data() + payload.size()) return;
        const auto found = std::find_if(pings_.begin(), pings_.end(), [number](const Ping& one) { return one.number == number; });
        if (found == pings_.end()) return;
        const auto round_trip = Clock::now() - found->at;
        pings_.erase(pings_.begin(), found + 1);  // a server may answer the last of several only
        if (handler_ != nullptr) handler_->on_pong(round_trip);
    }
    void on_ping_frame() override {
        if (handler_ != nullptr) handler_->on_ping();
    }
    void on_close_frame(std::uint16_t code, std::string_view reason) override {
        close_.code = code;
        close_.reason = reason;
        close_.clean = true;
        close_.by_server = !asked_;
        if (!asked_) {
            std::string what = "was closed by the server with " + shown_close(code, settings_->redact(std::string{reason}));
            Error error = failure(WebSocketErrc::closed, what,
                                  code == 1008 || code == 3000 ? Reason::permission
                                  : code == 1009               ? Reason::limit
                                                               : Reason::closed);
            error.with_retryable(code == 1000 || code == 1001 || code == 1005 || code == 1006 || code == 1011 || code == 1012 || code == 1013);
            set_detail(error);
            reason_ = std::move(error);
        }
        ending_ = true;
    }
    void on_fault(EngineFault fault) override {
        ending_ = true;
        switch (fault.kind) {
            case EngineFault::Kind::protocol:
                reason_ = failure(WebSocketErrc::protocol, "was closed here, as the server broke the protocol: " + fault.words, Reason::bad_answer);
                close_.code = 1002;
                return;
            case EngineFault::Kind::too_big:
                reason_ = too_big();
                close_.code = 1009;
                return;
            case EngineFault::Kind::closed: {
                cut_ = true;
                Error error = failure(WebSocketErrc::closed, "was cut: the server closed it without a close frame", Reason::closed);
                reason_ = std::move(error.with_retryable(true));
                set_detail(*reason_);
                return;
            }
            case EngineFault::Kind::broken:
                cut_ = true;
                reason_ = broken(*fault.error);
                return;
            case EngineFault::Kind::thrown:
                cut_ = true;
                reason_ = std::move(fault.error);
                return;
        }
    }
    Error broken(const Error& error) const {
        Error out = failure(WebSocketErrc::closed, "broke: " + std::string{error.message()}, error.reason());
        out.with_retryable(true);
        set_detail(out);
        return out;
    }
    Error too_big() const {
        const WebSocketOptions& options = settings_->options;
        const std::uint64_t limit = delivery_ == Delivery::whole ? options.max_message : options.max_streamed;
        return failure(WebSocketErrc::limit, "was closed here, as a message came that is longer than " + std::to_string(limit) + " bytes",
                       Reason::limit);
    }
    void set_detail(Error& error) const {
        auto detail = std::make_shared<WebSocketErrorDetail>();
        detail->close_code = close_.clean ? close_.code : std::uint16_t{0};
        detail->close_reason = close_.reason;
        error.with_detail(std::move(detail));
    }

    // --- Writing

    void refuse(Sent done) {
        if (!done) return;
        loop_->post([done = std::move(done), error = reason_ ? *reason_ : cancelled("it is not open")]() mutable { done(&error); });
    }
    void note_sent(Sent done) {
        writes_.push_back({written_ + engine_->output().size(), std::move(done)});
        check_full();
        if (engine_->output().size() >= k_write_now && !write_waits_) {
            write_some();
            if (state_ == State::ended) return;
        }
        schedule_flush();
    }
    void check_full() {
        if (queued() > settings_->options.max_queue) was_full_ = true;
    }
    void schedule_flush() {
        if (in_turn_ || std::exchange(flush_posted_, true)) return;
        loop_->post([weak = weak_from_this(), this] {
            if (const auto self = weak.lock()) {
                flush_posted_ = false;
                flush();
            }
        });
    }
    /// @returns whether all is written
    bool write_some() {
        for (;;) {
            const std::string_view rest = engine_->output();
            if (rest.empty()) return true;
            net::IoResult result = stream_->write_some(rest);
            switch (result.kind) {
                case net::IoResult::Kind::done:
                    engine_->wrote(result.size);
                    written_ += result.size;
                    break;
                case net::IoResult::Kind::want_read:
                    write_wants_read_ = true;
                    wait(Ready::read);
                    return false;
                case net::IoResult::Kind::want_write:
                    write_waits_ = true;
                    wait(Ready::write);
                    return false;
                case net::IoResult::Kind::closed:
                case net::IoResult::Kind::failed:
                    if (!write_broke_ && result.error) write_broke_ = broken(*result.error);
                    return false;
            }
        }
    }
    void flush() {
        if (!engine_ || state_ == State::ended) return;
        const auto self = shared_from_this();
        const bool all = write_waits_ || write_broke_ ? false : write_some();
        if (state_ == State::ended) return;
        if (write_broke_ && state_ != State::lingering) {
            // What the server has said before may still be there: its reason.
            if (!std::exchange(write_break_seen_, true) && !in_turn_) read();
            if (state_ != State::ended && !ending_) finish(*write_broke_);
            return;
        }
        tell_written();
        if (state_ == State::lingering && (all || write_broke_)) finish_writing();
    }
    void tell_written() {
        while (first_write_ < writes_.size() && writes_[first_write_].end <= written_) {
            Sent done = std::move(writes_[first_write_++].done);
            if (done) call_handler([&] { done(nullptr); });
        }
        if (first_write_ == writes_.size()) {
            writes_.clear();
            first_write_ = 0;
        } else if (first_write_ > 1024 && first_write_ > writes_.size() / 2) {
            writes_.erase(writes_.begin(), writes_.begin() + static_cast<std::ptrdiff_t>(first_write_));
            first_write_ = 0;
        }
        for (std::size_t i = 0; i < level_waits_.size();) {
            if (queued() > level_waits_[i].at_most) {
                ++i;
                continue;
            }
            Sent done = std::move(level_waits_[i].done);
            level_waits_.erase(level_waits_.begin() + static_cast<std::ptrdiff_t>(i));
            call_handler([&] { done(nullptr); });
        }
        if (was_full_ && queued() <= settings_->options.max_queue / 2 && handler_ != nullptr) {
            was_full_ = false;
            call_handler([this] { handler_->on_room(); });
        }
    }
    /// What it sends leaves when this is over.
    template <class F>
    void call_handler(F&& call) {
        if (handler_ == nullptr) return;
        const bool before = std::exchange(in_turn_, true);
        try {
            call();
        } catch (...) {
            in_turn_ = before;
            finish(error_of(std::current_exception()));
            return;
        }
        in_turn_ = before;
        if (!before && state_ != State::ended) schedule_flush();
    }

    // --- Time

    void arm_keep_alive() {
        const WebSocketOptions& options = settings_->options;
        Deadline next;
        if (options.timeout.count() > 0) next = earlier(next, Deadline{heard_ + options.timeout});
        if (options.ping_interval.count() > 0) next = earlier(next, Deadline{std::max(heard_, last_ping_) + options.ping_interval});
        if (next.is_never()) {
            timer_.cancel();
            return;
        }
        timer_.arm(next, [this] { on_keep_alive(); });
    }
    void on_keep_alive() {
        const auto self = shared_from_this();
        if (state_ != State::open) return;
        const WebSocketOptions& options = settings_->options;
        const auto silent = [this] { return Clock::now() - heard_; };
        if (paused_) {
            heard_ = Clock::now();  // nobody listens
        } else if (options.timeout.count() > 0 && silent() >= options.timeout) {
            // Sockets are read before deadlines are judged.
            read();
            if (state_ != State::open) return;
            if (silent() >= options.timeout) {
                finish(failure(WebSocketErrc::timeout,
                               "was given up: nothing came from the server for " + std::to_string(options.timeout.count()) +
                                   " ms, not even the answer to a ping",
                               Reason::timeout)
                           .with_retryable(true));
                return;
            }
        }
        if (options.ping_interval.count() > 0 && Clock::now() - std::max(heard_, last_ping_) >= options.ping_interval) ping();
        if (state_ == State::open) arm_keep_alive();
    }
    // --- Ending

    void arm_close_timer(std::chrono::milliseconds time) {
        timer_.arm(Deadline{time}, [this] {
            const auto self = shared_from_this();
            finish(std::nullopt);
        });
    }
    /// Nothing more is read as frames: because of the server's close frame, an error of its, or the end of the stream.
    void finish_ending() {
        ending_ = false;
        if (cut_) return finish(std::move(reason_));
        state_ = State::lingering;
        arm_close_timer(std::min(settings_->options.close_timeout, k_server_closes));
        flush();
    }
    /// All is said; the server closes first (RFC 6455 section 7.1.1), or is not waited for any longer.
    void finish_writing() {
        if (std::exchange(said_all_, true)) return;
        linger();
    }
    void linger() {
        if (!said_all_) return;
        std::array<char, 4096> scrap;  // NOLINT: filled by read_some
        for (int i = 0; i < 64; ++i) {
            const net::IoResult result = stream_->read_some(scrap.data(), scrap.size());
            switch (result.kind) {
                case net::IoResult::Kind::done: break;
                case net::IoResult::Kind::want_read: wait(Ready::read); return;
                case net::IoResult::Kind::want_write:
                case net::IoResult::Kind::closed:
                case net::IoResult::Kind::failed: finish(std::nullopt); return;
            }
        }
        schedule_read();
    }
    void finish(std::optional<Error> error) {
        if (state_ == State::ended) return;
        const auto self = shared_from_this();
        state_ = State::ended;
        if (!error) error = std::move(reason_);
        if (!error && !close_.clean && !asked_) error = failure(WebSocketErrc::closed, "ended", Reason::closed);
        reason_ = error;
        timer_.cancel();
        End end;
        end.close = close_;
        end.error = error;
        end.unsent = waiting_.size();
        for (std::size_t i = first_write_; i < writes_.size(); ++i) end.unsent += writes_[i].end > written_ ? 1 : 0;
        if (engine_) engine_->pause();  // it may be running
        if (stream_) stream_->close();
        // Told from outside of whatever has called this.
        loop_->post([self, this, end = std::move(end)]() mutable { tell_end(std::move(end)); });
    }
    void tell_end(End end) {
        const Error why = end.error ? *end.error : cancelled("it was closed");
        const auto tell = [&](Sent& done, bool sent = false) {
            if (!done) return;
            try {
                done(sent ? nullptr : &why);
            } catch (...) {
                loop_->log().write(
                    {.level = LogLevel::error, .connection = label(), .event = "callback-threw", .text = "a callback threw", .fields = {}});
            }
        };
        for (std::size_t i = first_write_; i < writes_.size(); ++i) tell(writes_[i].done, writes_[i].end <= written_);
        for (Waiting& one : waiting_) tell(one.done);
        for (LevelWait& one : level_waits_) tell(one.done);
        writes_.clear();
        waiting_.clear();
        level_waits_.clear();
        if (handler_ != nullptr) std::exchange(handler_, nullptr)->on_end(std::move(end));
        forget_all();
    }
    void forget_all() noexcept {
        dial_.reset();
        ended_dials_.clear();
        driver_.reset();
        dialogue_.reset();
        engine_.reset();
        input_.reset();
        stream_.reset();
    }

    const std::shared_ptr<net::Loop> loop_;  // first, so that it goes last
    const std::shared_ptr<net::RuntimeImpl> runtime_;
    const std::shared_ptr<const Settings> settings_;
    Handler* handler_;
    const Delivery delivery_;
    State state_{State::dialing};
    http::Target target_;
    int redirects_{0};
    Clock::time_point started_{};
    WebSocketInfo info_;
    Endpoint endpoint_;
    net::Timer timer_;
    std::unique_ptr<net::Dial> dial_;
    std::vector<std::unique_ptr<net::Dial>> ended_dials_;  // one may still be calling
    std::unique_ptr<net::Stream> stream_;
    std::unique_ptr<HandshakeDialogue> dialogue_;
    std::unique_ptr<net::DialogueDriver> driver_;
    std::unique_ptr<StreamInput> input_;
    std::unique_ptr<Engine> engine_;
    bool in_turn_{false};  // what is sent now leaves when it is over
    bool read_posted_{false};
    bool flush_posted_{false};
    bool paused_{false};
    bool read_wants_write_{false};
    bool write_wants_read_{false};
    bool write_waits_{false};
    std::optional<Error> write_broke_;
    bool write_break_seen_{false};
    // What waits to be written: messages end at those positions of the stream.
    std::uint64_t written_{0};
    std::vector<Written> writes_;
    std::size_t first_write_{0};
    bool was_full_{false};
    std::vector<LevelWait> level_waits_;
    bool in_parts_{false};
    std::deque<Waiting> waiting_;
    std::size_t waiting_bytes_{0};
    // Keep-alive.
    Clock::time_point heard_{};
    Clock::time_point last_ping_{};
    std::uint64_t ping_number_{0};
    std::deque<Ping> pings_;
    // The end.
    bool asked_{false};   // close() was called
    bool ending_{false};  // the engine has said its last word
    bool cut_{false};
    bool said_all_{false};
    WebSocketClose close_;
    std::optional<Error> reason_;
};

}  // namespace

std::shared_ptr<Connection> Connection::open(net::Loop& loop, std::shared_ptr<const Settings> settings, Handler& handler, Delivery delivery,
                                             Deadline deadline) {
    auto connection = std::make_shared<LiveConnection>(loop, std::move(settings), handler, delivery);
    connection->start(deadline);
    return connection;
}

}  // namespace qconn::websocket
