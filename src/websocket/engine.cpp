// SPDX-License-Identifier: Apache-2.0
// The one file that Boost.Beast is compiled in.
//
// Beast's stream stands on a layer in memory (Pipe). Its writes append to one buffer and so are never waited for, which is why Beast's synchronous
// functions are used for them: no operation, no allocation, and any number of messages leave with one system call. Its reads are asynchronous
// operations, as they may have to wait anywhere; what completes them is run(), on an executor of their own (Turns) whose queue run() empties. The
// handshake is not Beast's (handshake.hpp): Beast gets an answer that is made here, to begin with.
#include "websocket/engine.hpp"

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/buffers_cat.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn::websocket {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using boost::system::error_code;

constexpr std::size_t k_input_room = std::size_t{64} * 1024;
/// Reads of that size go where Beast wants them, without our buffer in between.
constexpr std::size_t k_direct_read = std::size_t{16} * 1024;
constexpr std::size_t k_message_room = std::size_t{64} * 1024;
/// Less room than that is no use for the rest of a message.
constexpr std::size_t k_least_read = std::size_t{4} * 1024;
/// Room that is kept after a message that was larger.
constexpr std::size_t k_kept_room = std::size_t{1} << 20;
/// After so much others of the loop have a turn.
constexpr std::size_t k_turn_bytes = std::size_t{512} * 1024;
constexpr std::size_t k_turn_steps = 4096;

/// Memory of operations, used again and again: there are ever only a few at a time, of a few sizes.
class Recycler {
public:
    Recycler() = default;
    Recycler(const Recycler&) = delete;
    Recycler& operator=(const Recycler&) = delete;
    ~Recycler() {
        for (void* one : kept_) ::operator delete(one);
    }
    void* take(std::size_t size) {
        if (size > k_block) return ::operator new(size);
        for (void*& one : kept_) {
            if (one != nullptr) return std::exchange(one, nullptr);
        }
        return ::operator new(k_block);
    }
    void give(void* memory, std::size_t size) noexcept {
        if (size <= k_block) {
            for (void*& one : kept_) {
                if (one == nullptr) {
                    one = memory;
                    return;
                }
            }
        }
        ::operator delete(memory);
    }

private:
    static constexpr std::size_t k_block = 1024;
    std::array<void*, 4> kept_{};
};

/// The same for Asio and Beast.
template <class T>
class RecyclingAllocator {
public:
    using value_type = T;
    explicit RecyclingAllocator(Recycler& recycler) noexcept : recycler_{&recycler} {}
    template <class U>
    RecyclingAllocator(const RecyclingAllocator<U>& other) noexcept : recycler_{other.recycler_} {}
    T* allocate(std::size_t count) { return static_cast<T*>(recycler_->take(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t count) noexcept { recycler_->give(memory, count * sizeof(T)); }
    friend bool operator==(const RecyclingAllocator& a, const RecyclingAllocator& b) noexcept { return a.recycler_ == b.recycler_; }

    Recycler* recycler_;
};

/// Something that is to be called once, or dropped.
class Step {
public:
    Step* next{nullptr};
    virtual void call(error_code ec, std::size_t size) = 0;  ///< and frees itself before
    virtual void drop() noexcept = 0;

protected:
    ~Step() = default;
};

template <class F>
class StepOf final : public Step {
public:
    static StepOf* make(Recycler& recycler, F&& work) {
        void* const memory = recycler.take(sizeof(StepOf));
        return ::new (memory) StepOf(recycler, std::forward<F>(work));
    }
    void call(error_code ec, std::size_t size) override {
        Work work = std::move(work_);
        drop();
        if constexpr (std::is_invocable_v<Work&, error_code, std::size_t>)
            work(ec, size);
        else
            work();
    }
    void drop() noexcept override {
        Recycler& recycler = recycler_;
        this->~StepOf();
        recycler.give(this, sizeof(StepOf));
    }

private:
    using Work = std::decay_t<F>;
    StepOf(Recycler& recycler, F&& work) : recycler_{recycler}, work_{std::forward<F>(work)} {}
    ~StepOf() = default;
    Recycler& recycler_;
    Work work_;
};

/// What is to be done next, in order.
class Turns {
public:
    explicit Turns(asio::io_context& context) noexcept : context_{context} {}
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;
    ~Turns() { clear(); }

    template <class F>
    void add(F&& work) {
        Step* const step = StepOf<F>::make(recycler_, std::forward<F>(work));
        (last_ != nullptr ? last_->next : first_) = step;
        last_ = step;
    }
    Step* take() noexcept {
        Step* const step = first_;
        if (step == nullptr) return nullptr;
        first_ = step->next;
        if (first_ == nullptr) last_ = nullptr;
        return step;
    }
    void clear() noexcept {
        while (Step* const step = take()) step->drop();
    }
    Recycler& recycler() noexcept { return recycler_; }
    asio::io_context& context() const noexcept { return context_; }

private:
    asio::io_context& context_;
    Recycler recycler_;
    Step* first_{nullptr};
    Step* last_{nullptr};
};

/// What Asio knows of that.
class TurnExecutor {
public:
    explicit TurnExecutor(Turns& turns) noexcept : turns_{&turns} {}

    template <class F>
    void execute(F&& work) const {
        turns_->add(std::forward<F>(work));
    }
    asio::io_context& query(asio::execution::context_t) const noexcept { return turns_->context(); }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept { return asio::execution::blocking.never; }
    TurnExecutor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }
    friend bool operator==(const TurnExecutor& a, const TurnExecutor& b) noexcept { return a.turns_ == b.turns_; }
    friend bool operator!=(const TurnExecutor& a, const TurnExecutor& b) noexcept { return a.turns_ != b.turns_; }

private:
    Turns* turns_;
};

/// The bytes to be written: appended at one end, taken away at the other.
class Output {
public:
    std::string_view rest() const noexcept { return std::string_view{bytes_}.substr(taken_); }
    std::size_t size() const noexcept { return bytes_.size() - taken_; }
    template <class Buffers>
    std::size_t append_all(const Buffers& buffers) {
        std::size_t all = 0;
        for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
            const asio::const_buffer one{*it};
            append(std::string_view{static_cast<const char*>(one.data()), one.size()});
            all += one.size();
        }
        return all;
    }
    void append(std::string_view bytes) {
        // What was written is moved over only when that is the larger part.
        if (taken_ > k_message_room && taken_ > size()) {
            bytes_.erase(0, taken_);
            taken_ = 0;
        }
        bytes_.append(bytes);
    }
    void take(std::size_t size) noexcept {
        taken_ += size;
        if (taken_ < bytes_.size()) return;
        taken_ = 0;
        bytes_.clear();
        if (bytes_.capacity() > 4 * k_kept_room) std::string{}.swap(bytes_);
    }

private:
    std::string bytes_;
    std::size_t taken_{0};
};

/// What the layer and the engine share.
struct Shared {
    Shared(asio::io_context& context, std::size_t most_output) : turns{context}, max_output{most_output} {}
    ~Shared() {
        if (read != nullptr) read->drop();
    }

    Turns turns;
    Output output;
    const std::size_t max_output;
    bool opening{true};       // Beast's handshake, which goes nowhere
    std::string greeting;     // its request, then the answer that is made for it
    bool answered{false};
    bool silent{false};       // nothing more is to be sent
    std::array<asio::mutable_buffer, 4> wanted{};  // of the read that waits
    std::size_t wanted_size{0};
    Step* read{nullptr};
};

std::string opening_answer(std::string_view request, const Deflate& deflate) {
    constexpr std::string_view k_field = "Sec-WebSocket-Key: ";
    const std::size_t at = request.find(k_field);
    const std::size_t begin = at == std::string_view::npos ? request.size() : at + k_field.size();
    std::string answer = "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ";
    answer += accept_of(request.substr(begin, request.find('\r', begin) - begin));
    if (deflate.enabled) {
        answer += "\r\nSec-WebSocket-Extensions: permessage-deflate";
        if (deflate.server_no_context_takeover) answer += "; server_no_context_takeover";
        if (deflate.client_no_context_takeover) answer += "; client_no_context_takeover";
        answer += "; server_max_window_bits=" + std::to_string(deflate.server_window_bits);
        answer += "; client_max_window_bits=" + std::to_string(std::max(deflate.client_window_bits, 9));
    }
    return answer += "\r\n\r\n";
}

/// Beast's next layer.
class Pipe {
public:
    using executor_type = TurnExecutor;

    Pipe(Shared& shared, const Deflate& deflate) : shared_{&shared}, deflate_{&deflate} {}
    TurnExecutor get_executor() const noexcept { return TurnExecutor{shared_->turns}; }

    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, error_code& ec) {
        ec = {};
        if (!shared_->opening) return shared_->output.append_all(buffers);
        for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
            const asio::const_buffer one{*it};
            shared_->greeting.append(static_cast<const char*>(one.data()), one.size());
        }
        return asio::buffer_size(buffers);
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers) {
        error_code ec;
        return write_some(buffers, ec);
    }
    /// Of the handshake only.
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, error_code& ec) {
        ec = {};
        if (!std::exchange(shared_->answered, true)) shared_->greeting = opening_answer(shared_->greeting, *deflate_);
        if (!shared_->opening || shared_->greeting.empty()) {
            ec = asio::error::eof;
            return 0;
        }
        const std::size_t size = asio::buffer_copy(buffers, asio::buffer(shared_->greeting));
        shared_->greeting.erase(0, size);
        return size;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers) {
        error_code ec;
        return read_some(buffers, ec);
    }

    template <class Buffers, class Handler>
    void async_read_some(const Buffers& buffers, Handler&& handler) {
        shared_->wanted_size = 0;
        for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
            if (shared_->wanted_size == shared_->wanted.size()) break;
            const asio::mutable_buffer one{*it};
            if (one.size() > 0) shared_->wanted[shared_->wanted_size++] = one;
        }
        shared_->read = StepOf<Handler>::make(shared_->turns.recycler(), std::forward<Handler>(handler));
    }
    /// Pongs, and the close frames that Beast sends by itself.
    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler&& handler) {
        const std::size_t size = asio::buffer_size(buffers);
        constexpr unsigned char k_pong = 0x8A;
        const asio::const_buffer first{*asio::buffer_sequence_begin(buffers)};
        const bool pong = first.size() > 0 && *static_cast<const unsigned char*>(first.data()) == k_pong;
        if (!shared_->silent && (!pong || shared_->output.size() < shared_->max_output)) shared_->output.append_all(buffers);
        shared_->turns.add([handler = std::forward<Handler>(handler), size]() mutable { handler(error_code{}, size); });
    }

private:
    Shared* shared_;
    const Deflate* deflate_;
};

// The end of the connection is the owner's affair.
template <class Handler>
void async_teardown(beast::role_type, Pipe& pipe, Handler&& handler) {
    pipe.get_executor().execute([handler = std::forward<Handler>(handler)]() mutable { handler(error_code{}); });
}
void beast_close_socket(Pipe&) {}

class BeastEngine;

/// What Beast calls when some of a message has been read.
struct OnRead {
    using allocator_type = RecyclingAllocator<char>;
    BeastEngine* engine;
    Recycler* recycler;
    allocator_type get_allocator() const noexcept { return allocator_type{*recycler}; }
    void operator()(error_code ec, std::size_t size) const;
};

class BeastEngine final : public Engine {
public:
    BeastEngine(asio::io_context& context, ByteInput& input, EngineEvents& events, const EngineOptions& options)
        : options_{options}, input_{input}, events_{events}, shared_{context, options.max_output}, stream_{shared_, options_.deflate} {
        if (options_.deflate.enabled) {
            ws::permessage_deflate deflate;
            deflate.client_enable = true;
            deflate.server_max_window_bits = 15;
            deflate.client_max_window_bits = 15;
            deflate.compLevel = options_.level;
            deflate.memLevel = 8;
            deflate.msg_size_threshold = 0;  // the choice is made here, once for all parts of a message
            stream_.set_option(deflate);
        }
        stream_.auto_fragment(false);
        stream_.write_buffer_bytes(k_write_room);
        stream_.read_message_max(static_cast<std::size_t>(options_.max_message));
        error_code ec;
        ws::response_type answer;
        stream_.handshake(answer, "server", "/", ec);
        if (ec) throw make_error(Errc::system, "Beast does not begin: " + ec.message());
        shared_.opening = false;
        std::string{}.swap(shared_.greeting);
        stream_.control_callback([this](ws::frame_type type, beast::string_view payload) {
            if (type == ws::frame_type::pong) guarded([&] { events_.on_pong_frame({payload.data(), payload.size()}); });
            if (type == ws::frame_type::ping) guarded([&] { events_.on_ping_frame(); });
        });
    }

    void prefill(std::string_view bytes) override {
        make_input_room();
        std::string kept{input_room_.get() + input_begin_, input_end_ - input_begin_};
        kept += bytes;
        if (kept.size() > k_input_room) {
            early_ = std::move(kept);
            return;
        }
        std::memcpy(input_room_.get(), kept.data(), kept.size());
        input_begin_ = 0;
        input_end_ = kept.size();
    }

    Waits run() override { return go_on(); }
    void pause() noexcept override { paused_ = true; }
    void resume() noexcept override { paused_ = false; }

    void put(WebSocketKind kind, std::string_view data) override {
        if (shared_.silent || over_) return;
        begin_message(kind, data.size());
        error_code ec;
        stream_.write(asio::const_buffer{data.data(), data.size()}, ec);
        check_write(ec);
    }
    void put_part(WebSocketKind kind, std::string_view data, bool last) override {
        if (shared_.silent || over_) return;
        if (!std::exchange(in_message_, !last)) begin_message(kind, std::max(data.size(), last ? data.size() : options_.compress_above));
        error_code ec;
        stream_.write_some(last, asio::const_buffer{data.data(), data.size()}, ec);
        check_write(ec);
    }
    void put_ping(std::string_view payload) override {
        if (shared_.silent || over_) return;
        error_code ec;
        stream_.ping(ws::ping_data{payload.data(), payload.size()}, ec);
        check_write(ec);
    }
    /// By hand: Beast's own close() would drop the messages that still come.
    void put_close(std::uint16_t code, std::string_view reason) override {
        if (std::exchange(shared_.silent, true)) return;
        append_close(code, reason);
    }

    std::string_view output() const noexcept override { return shared_.output.rest(); }
    void wrote(std::size_t size) noexcept override { shared_.output.take(size); }

    void on_read(error_code ec, std::size_t size) {
        reading_ = false;
        if (over_) return;
        if (ec) return on_end(ec);
        const bool last = stream_.is_message_done();
        const WebSocketKind kind = stream_.got_text() ? WebSocketKind::text : WebSocketKind::binary;
        if (!options_.whole) {
            if (size > 0 || last) deliver(kind, {message_.get(), size}, last);
            return;
        }
        have_ += size;
        if (!last) {
            if (room_ - have_ < k_least_read) grow();
            return;
        }
        const std::size_t all = std::exchange(have_, 0);
        deliver(kind, {message_.get(), all}, true);
        large_ = all >= k_direct_read;
        if (room_ > k_kept_room) make_room(k_message_room);
    }

private:
    static constexpr std::size_t k_write_room = std::size_t{16} * 1024;

    template <class F>
    void guarded(F&& call) {
        if (over_) return;
        try {
            call();
        } catch (...) { fault({EngineFault::Kind::thrown, {}, error_of(std::current_exception())}); }
    }
    void deliver(WebSocketKind kind, std::string_view data, bool last) {
        guarded([&] { events_.on_data(kind, data, last); });
    }
    void fault(EngineFault fault) {
        if (std::exchange(over_, true)) return;
        events_.on_fault(std::move(fault));
    }

    void begin_message(WebSocketKind kind, std::size_t size) {
        stream_.text(kind == WebSocketKind::text);
        // Beast's deflate has no window of 8 bits; a message need not be compressed.
        stream_.compress(options_.deflate.enabled && size >= options_.compress_above && options_.deflate.client_window_bits > 8);
    }
    void check_write(error_code ec) {
        // Only a stream that Beast has given up refuses; that is told by the read.
        if (ec) shared_.silent = true;
    }
    void append_close(std::uint16_t code, std::string_view reason) { shared_.output.append(control_frame(Opcode::close, close_payload(code, reason))); }

    Waits go_on() {
        std::size_t bytes = 0;
        for (std::size_t steps = 0; steps < k_turn_steps && bytes < k_turn_bytes; ++steps) {
            if (paused_ && !over_) return Waits::nothing;
            if (Step* const step = shared_.turns.take()) {
                step->call({}, 0);
                continue;
            }
            if (over_) return Waits::nothing;
            if (shared_.read == nullptr) {
                if (reading_) return Waits::nothing;
                start_read();
                continue;
            }
            if (input_begin_ == input_end_ && !early_.empty()) refill_early();
            if (input_begin_ != input_end_) {
                bytes += serve();
                continue;
            }
            if (std::exchange(emptied_, false)) return Waits::read;
            const std::optional<Waits> waits = read_more(bytes);
            if (waits) return *waits;
        }
        return Waits::turn;
    }

    void start_read() {
        if (!message_) make_room(k_message_room);
        if (!options_.whole) have_ = 0;
        reading_ = true;
        stream_.async_read_some(asio::mutable_buffer{message_.get() + have_, room_ - have_}, OnRead{this, &shared_.turns.recycler()});
    }

    /// From our buffer to where Beast wants it.
    std::size_t serve() {
        std::size_t served = 0;
        for (std::size_t i = 0; i < shared_.wanted_size && input_begin_ != input_end_; ++i) {
            const std::size_t size = std::min(shared_.wanted[i].size(), input_end_ - input_begin_);
            std::memcpy(shared_.wanted[i].data(), input_room_.get() + input_begin_, size);
            input_begin_ += size;
            served += size;
        }
        finish_read({}, served);
        return served;
    }
    std::optional<Waits> read_more(std::size_t& bytes) {
        const asio::mutable_buffer first = shared_.wanted[0];
        // Small reads fetch more than is asked for, unless messages are so large that what is fetched would be copied for nothing.
        const bool direct = first.size() >= k_direct_read || large_;
        if (!direct) make_input_room();
        char* const to = direct ? static_cast<char*>(first.data()) : input_room_.get();
        const std::size_t most = direct ? first.size() : k_input_room;
        net::IoResult result = input_.read_some(to, most);
        switch (result.kind) {
            case net::IoResult::Kind::done:
                bytes += result.size;
                emptied_ = result.size < most && input_.empties();
                if (direct) {
                    finish_read({}, result.size);
                } else {
                    input_begin_ = 0;
                    input_end_ = result.size;
                }
                return std::nullopt;
            case net::IoResult::Kind::want_read: return Waits::read;
            case net::IoResult::Kind::want_write: return Waits::write;
            case net::IoResult::Kind::closed: finish_read(asio::error::eof, 0); return std::nullopt;
            case net::IoResult::Kind::failed: broken_ = std::move(result.error); finish_read(asio::error::connection_reset, 0); return std::nullopt;
        }
        return Waits::read;
    }
    void finish_read(error_code ec, std::size_t size) {
        Step* const step = std::exchange(shared_.read, nullptr);
        step->call(ec, size);
    }

    void on_end(error_code ec) {
        if (ec == ws::error::closed) {
            over_ = true;
            shared_.silent = true;
            const ws::close_reason& reason = stream_.reason();
            const auto code = reason.code == ws::close_code::none ? std::uint16_t{1005} : static_cast<std::uint16_t>(reason.code);
            events_.on_close_frame(code, {reason.reason.data(), reason.reason.size()});
            return;
        }
        if (broken_) return fault({EngineFault::Kind::broken, {}, std::move(broken_)});
        if (ec == asio::error::eof) return fault({EngineFault::Kind::closed, {}, {}});
        const bool too_big = ec == ws::error::message_too_big;
        // Beast says nothing to the peer where it cannot inflate.
        if (ec.category() != make_error_code(ws::error::closed).category() && !std::exchange(shared_.silent, true)) append_close(1007, {});
        shared_.silent = true;
        fault({too_big ? EngineFault::Kind::too_big : EngineFault::Kind::protocol, ec.message(), {}});
    }

    void make_input_room() {
        if (!input_room_) input_room_ = std::make_unique_for_overwrite<char[]>(k_input_room);
    }
    void refill_early() {
        const std::size_t size = std::min(early_.size(), k_input_room);
        std::memcpy(input_room_.get(), early_.data(), size);
        early_.erase(0, size);
        input_begin_ = 0;
        input_end_ = size;
    }
    void make_room(std::size_t size) {
        message_ = std::make_unique_for_overwrite<char[]>(size);
        room_ = size;
    }
    void grow() {
        const std::size_t more = room_ * 2;
        auto larger = std::make_unique_for_overwrite<char[]>(more);
        std::memcpy(larger.get(), message_.get(), have_);
        message_ = std::move(larger);
        room_ = more;
    }

    const EngineOptions options_;
    ByteInput& input_;
    EngineEvents& events_;
    Shared shared_;
    ws::stream<Pipe> stream_;  // after what it uses
    bool over_{false};
    bool paused_{false};
    bool reading_{false};     // an operation of Beast's is under way
    bool emptied_{false};     // the last read got all that there was
    bool large_{false};       // the last message was
    bool in_message_{false};  // parts of one were put
    std::optional<Error> broken_;
    std::unique_ptr<char[]> message_;
    std::size_t room_{0};
    std::size_t have_{0};
    std::unique_ptr<char[]> input_room_;
    std::size_t input_begin_{0};
    std::size_t input_end_{0};
    std::string early_;
};

void OnRead::operator()(error_code ec, std::size_t size) const { engine->on_read(ec, size); }

}  // namespace

std::unique_ptr<Engine> Engine::make(asio::io_context& context, ByteInput& input, EngineEvents& events, const EngineOptions& options) {
    return std::make_unique<BeastEngine>(context, input, events, options);
}

}  // namespace qconn::websocket
