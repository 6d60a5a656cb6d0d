// SPDX-License-Identifier: Apache-2.0
#include "amqp/transport.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "net/dial.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"

namespace qconn::amqp {

namespace {

using net::IoResult;
using net::Ready;

constexpr std::size_t k_buffer = std::size_t{64} * 1024;
/// Read in one turn, before others have theirs.
constexpr std::size_t k_turn = std::size_t{1024} * 1024;
/// How long the peer has for closing after we have.
constexpr std::chrono::milliseconds k_linger{1'000};

class SocketTransport final : public Transport, public std::enable_shared_from_this<SocketTransport> {
public:
    SocketTransport(net::Loop& loop, Endpoint endpoint, std::string label, TransportHandler& handler)
        : loop_{loop.shared_from_this()}, endpoint_{std::move(endpoint)}, label_{std::move(label)}, handler_{&handler} {}

    void start() {
        dial_ = net::start_dial(*loop_, endpoint_, label_, nullptr, [this](Result<std::unique_ptr<net::Stream>> result) {
            const auto self = shared_from_this();
            ended_dial_ = std::move(dial_);
            if (!result) return down(result.error());
            stream_ = std::move(*result);
            handler_->on_up(stream_->peer(), stream_->tls_info());
            if (handler_ == nullptr) return;
            flush();
            read();
        });
    }

    Phase phase() const noexcept override { return dial_ ? dial_->phase() : Phase::protocol; }
    void expire() override {
        const auto self = shared_from_this();
        if (dial_) dial_->expire();
    }
    void poke() override {
        if (in_turn_ || std::exchange(flush_posted_, true)) return;
        loop_->post([weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self) return;
            self->flush_posted_ = false;
            self->flush();
        });
    }
    void pause(bool yes) override {
        if (paused_ == yes) return;
        paused_ = yes;
        if (yes || !stream_) return;
        loop_->post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->read();
        });
    }
    void read_now() override { read(); }
    void finish(const Runtime& runtime) override {
        const auto self = shared_from_this();
        if (!stream_ || handler_ == nullptr) return drop();  // it broke: nothing of it can be written
        // What is left is this one's own from here on, and its time is limited.
        rest_ = handler_->output();
        handler_ = nullptr;
        linger_.emplace(runtime);
        self_ = self;
        timer_ = std::make_unique<net::Timer>(*loop_);
        timer_->arm(Deadline{k_linger}, [this] { end_linger(); });
        linger();
    }
    void drop() noexcept override {
        handler_ = nullptr;
        if (dial_) dial_->cancel();
        if (!stream_) return;
        stream_->cancel_waits();
        stream_->close();
    }

private:
    void down(Error error) {
        if (TransportHandler* const handler = std::exchange(handler_, nullptr)) handler->on_down(std::move(error));
    }
    void wait(Ready side) {
        try {
            stream_->wait(side, [this, side] {
                const auto self = shared_from_this();
                if (handler_ == nullptr) return linger_ ? linger() : void();
                if (side == Ready::read) {
                    if (std::exchange(write_wants_read_, false)) flush();
                    read();
                } else {
                    write_waits_ = false;
                    flush();
                    if (std::exchange(read_wants_write_, false)) read();
                }
            });
        } catch (const Error& error) { down(error); }
    }

    void read() {
        const auto self = shared_from_this();
        if (handler_ == nullptr || !stream_ || in_turn_ || paused_) return;
        in_turn_ = true;
        std::size_t all = 0;
        bool more = true;
        bool ended = false;
        std::optional<Error> broke;
        while (more && handler_ != nullptr && !paused_) {
            make_room();
            IoResult result = stream_->read_some(buffer_.get() + end_, size_ - end_);
            switch (result.kind) {
                case IoResult::Kind::done: {
                    const bool filled = result.size == size_ - end_;
                    end_ += result.size;
                    all += result.size;
                    begin_ += handler_->on_bytes({buffer_.get() + begin_, end_ - begin_});
                    if (begin_ == end_) begin_ = end_ = 0;
                    // A short read has emptied the socket: the next would say so, and cost a system call.
                    if (!filled && !stream_->may_hold_input()) {
                        more = false;
                        read_waits_ = true;
                    } else if (all >= k_turn) {
                        more = false;
                        again();
                    }
                    break;
                }
                case IoResult::Kind::want_read:
                    more = false;
                    read_waits_ = true;
                    break;
                case IoResult::Kind::want_write:
                    more = false;
                    read_wants_write_ = true;
                    break;
                case IoResult::Kind::closed:
                    more = false;
                    ended = true;
                    break;
                case IoResult::Kind::failed:
                    more = false;
                    broke = std::move(result.error);
                    break;
            }
        }
        if (handler_ != nullptr && all > 0) handler_->on_turn();
        in_turn_ = false;
        if (handler_ == nullptr) return;
        if (broke) return down(std::move(*broke));
        if (ended) return handler_->on_eof();
        flush();
        if (handler_ == nullptr) return;
        if (std::exchange(read_waits_, false)) wait(Ready::read);
        if (read_wants_write_ && !write_waits_) wait(Ready::write);
    }
    void again() {
        loop_->post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->read();
        });
    }
    /// Grows by what has come, never to what a frame says that it will have.
    void make_room() {
        if (!buffer_) {
            buffer_ = std::make_unique<char[]>(k_buffer);
            size_ = k_buffer;
        }
        if (begin_ > 0 && size_ - end_ < k_buffer / 4) {
            std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (end_ < size_) return;
        const std::size_t wider = std::min(std::max(size_ * 2, k_buffer), std::max(handler_->wanted(), size_ + k_buffer));
        auto bytes = std::make_unique<char[]>(wider);
        std::memcpy(bytes.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        buffer_ = std::move(bytes);
        size_ = wider;
    }

    void flush() {
        const auto self = shared_from_this();
        if (handler_ == nullptr || !stream_ || write_waits_ || write_wants_read_ || in_turn_) return;
        in_turn_ = true;
        while (handler_ != nullptr) {
            const std::string_view rest = handler_->output();
            if (rest.empty()) break;
            IoResult result = stream_->write_some(rest);
            if (result.kind == IoResult::Kind::done) {
                handler_->on_written(result.size);
                continue;
            }
            in_turn_ = false;
            if (result.kind == IoResult::Kind::want_write) {
                write_waits_ = true;
                return wait(Ready::write);
            }
            if (result.kind == IoResult::Kind::want_read) {
                write_wants_read_ = true;
                return wait(Ready::read);
            }
            // What the peer has said before it broke is read first.
            if (result.kind == IoResult::Kind::failed && !write_broke_) {
                write_broke_ = true;
                read();
                if (handler_ != nullptr && result.error) down(std::move(*result.error));
            }
            return;
        }
        in_turn_ = false;
    }

    void linger() {
        while (!rest_.empty()) {
            const IoResult result = stream_->write_some(rest_);
            if (result.kind == IoResult::Kind::done) {
                rest_.erase(0, result.size);
                continue;
            }
            if (result.kind == IoResult::Kind::want_write) return wait(Ready::write);
            if (result.kind == IoResult::Kind::want_read) return wait(Ready::read);
            return end_linger();
        }
        if (!std::exchange(said_, true) && stream_->finish_writing().kind == IoResult::Kind::failed) return end_linger();
        // Bytes that nobody reads would make the system reset the connection, and the peer lose our last ones.
        char sink[4096];
        for (int i = 0; i < 64; ++i) {
            const IoResult result = stream_->read_some(sink, sizeof sink);
            if (result.kind == IoResult::Kind::done) continue;
            if (result.kind == IoResult::Kind::want_read) return wait(Ready::read);
            return end_linger();
        }
        wait(Ready::read);
    }
    void end_linger() {
        stream_->cancel_waits();
        stream_->close();
        // Not from inside its own callbacks.
        loop_->post([gone = std::exchange(self_, nullptr), timer = std::shared_ptr<net::Timer>{std::move(timer_)}] {});
    }

    const std::shared_ptr<net::Loop> loop_;
    const Endpoint endpoint_;
    const std::string label_;
    TransportHandler* handler_;
    std::unique_ptr<net::Dial> dial_;
    std::unique_ptr<net::Dial> ended_dial_;
    std::unique_ptr<net::Stream> stream_;
    std::unique_ptr<char[]> buffer_;
    std::size_t size_{0};
    std::size_t begin_{0};
    std::size_t end_{0};
    bool in_turn_{false};
    bool paused_{false};
    bool flush_posted_{false};
    bool read_waits_{false};
    bool write_waits_{false};
    bool read_wants_write_{false};
    bool write_wants_read_{false};
    bool write_broke_{false};
    bool said_{false};
    std::string rest_;
    std::optional<Runtime> linger_;
    std::unique_ptr<net::Timer> timer_;
    std::shared_ptr<SocketTransport> self_;
};

}  // namespace

std::shared_ptr<Transport> Transport::open(net::Loop& loop, Endpoint endpoint, std::string label, TransportHandler& handler) {
    auto out = std::make_shared<SocketTransport>(loop, std::move(endpoint), std::move(label), handler);
    out->start();
    return out;
}

}  // namespace qconn::amqp
