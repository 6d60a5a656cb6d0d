// SPDX-License-Identifier: Apache-2.0
// AMQP over WebSocket: OASIS Advanced Message Queuing Protocol (AMQP) WebSocket Binding 1.0. The bytes of the connection are those of binary
// messages, whose limits mean nothing.
#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/transport.hpp"
#include "websocket/connection.hpp"

namespace qconn::amqp {

namespace {

/// Handed to the socket and not yet to the system; above, the engine's output waits where it is.
constexpr std::size_t k_most_handed = std::size_t{1024} * 1024;

class WebSocketTransport final : public Transport, public websocket::Handler, public std::enable_shared_from_this<WebSocketTransport> {
public:
    WebSocketTransport(net::Loop& loop, TransportHandler& handler) : loop_{loop.shared_from_this()}, handler_{&handler} {}

    void start(std::shared_ptr<const websocket::Settings> settings) {
        socket_ = websocket::Connection::open(*loop_, std::move(settings), *this, websocket::Connection::Delivery::parts, {});
        self_ = shared_from_this();  // until on_end(), or drop()
    }

    Phase phase() const noexcept override { return socket_->phase(); }
    void expire() override {
        if (socket_->is_open() || handler_ == nullptr) return;
        const Phase stood = socket_->phase();
        socket_->drop(0);
        down(make_error(Errc::timeout, "there was no WebSocket connection in time").with_phase(stood).with_retryable(true));
        release();
    }
    void poke() override {
        if (std::exchange(flush_posted_, true)) return;
        loop_->post([weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self) return;
            self->flush_posted_ = false;
            self->flush();
        });
    }
    void pause(bool yes) override { yes ? socket_->pause() : socket_->resume(); }
    void read_now() override {}  // what has come was handed out
    void finish(const Runtime& runtime) override {
        if (handler_ == nullptr || !socket_->is_open()) return drop();
        const std::string_view rest = handler_->output().substr(handed_);
        if (!rest.empty()) socket_->send(WebSocketKind::binary, rest);
        handler_ = nullptr;
        runtime_.emplace(runtime);
        socket_->close(1000, {});
    }
    void drop() noexcept override {
        handler_ = nullptr;
        socket_->drop(1001);
        release();
    }

    void on_open(const WebSocketInfo& info) override {
        if (handler_ == nullptr) return;
        handler_->on_up(info.remote_address, info.tls);
        flush();
    }
    void on_message(WebSocketKind, std::string_view) override {}
    void on_part(WebSocketKind kind, std::string_view part, bool) override {
        if (handler_ == nullptr) return;
        if (kind == WebSocketKind::text)
            return socket_->fail(amqp_error(AmqpErrc::protocol, "the peer sent text over WebSocket, and AMQP is binary there"));
        if (rest_.empty()) {
            const std::size_t used = handler_->on_bytes(part);
            rest_.assign(part.substr(used));
        } else {
            rest_ += part;
            rest_.erase(0, handler_->on_bytes(rest_));
        }
        if (handler_ == nullptr || std::exchange(turn_posted_, true)) return;
        // Parts that came together are one turn.
        loop_->post([weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self) return;
            self->turn_posted_ = false;
            if (self->handler_ != nullptr) self->handler_->on_turn();
            self->flush();
        });
    }
    void on_end(websocket::End end) override {
        const auto keep = shared_from_this();
        if (turn_posted_ && handler_ != nullptr) handler_->on_turn();
        if (handler_ != nullptr) {
            if (end.error && end.close.code != 1000)
                down(std::move(*end.error));
            else
                std::exchange(handler_, nullptr)->on_eof();
        }
        release();
    }

private:
    void down(Error error) {
        if (TransportHandler* const handler = std::exchange(handler_, nullptr)) handler->on_down(std::move(error));
    }
    void release() {
        // Not from inside its own function, and not before its runtime.
        if (self_) loop_->post([gone = std::exchange(self_, nullptr)] {});
    }
    void flush() {
        if (handler_ == nullptr || !socket_->is_open() || handed_ >= k_most_handed) return;
        const std::string_view rest = handler_->output().substr(handed_);
        if (rest.empty()) return;
        const std::size_t size = rest.size();
        handed_ += size;
        socket_->send(WebSocketKind::binary, rest, [weak = weak_from_this(), size](const Error* error) {
            const auto self = weak.lock();
            if (!self || self->handler_ == nullptr || error != nullptr) return;  // on_end() tells
            self->handed_ -= size;
            self->handler_->on_written(size);
            self->flush();
        });
    }

    const std::shared_ptr<net::Loop> loop_;
    TransportHandler* handler_;
    std::shared_ptr<websocket::Connection> socket_;
    std::shared_ptr<WebSocketTransport> self_;
    std::optional<Runtime> runtime_;  // whose threads the close needs to its end
    std::string rest_;                // of frames that have not come wholly
    std::size_t handed_{0};
    bool flush_posted_{false};
    bool turn_posted_{false};
};

}  // namespace

std::shared_ptr<Transport> Transport::open_websocket(net::Loop& loop, std::shared_ptr<const websocket::Settings> settings,
                                                     TransportHandler& handler) {
    auto out = std::make_shared<WebSocketTransport>(loop, handler);
    out->start(std::move(settings));
    return out;
}

}  // namespace qconn::amqp
