// SPDX-License-Identifier: Apache-2.0
#include "ssh/relay.hpp"

#include <utility>

#include "net/runtime_impl.hpp"

namespace qconn::ssh {

Relay::Relay(std::unique_ptr<net::Stream> stream, std::unique_ptr<Channel> channel) : stream_{std::move(stream)}, channel_{std::move(channel)} {}

std::shared_ptr<Relay> Relay::start(std::unique_ptr<net::Stream> stream, std::unique_ptr<Channel> channel) {
    auto relay = std::make_shared<Relay>(std::move(stream), std::move(channel));
    relay->to_stream();
    relay->to_channel();
    return relay;
}

void Relay::stop() noexcept {
    if (!stream_) return;
    stream_->cancel_waits();
    channel_->cancel_waits();
    // Not from inside one of their callbacks.
    net::Loop& loop = stream_->loop();
    loop.post([stream = std::shared_ptr<net::Stream>{std::move(stream_)}, channel = std::shared_ptr<Channel>{std::move(channel_)}] {});
}

/// As far as that needs no waiting.
template <class From, class To>
void Relay::carry(Way& way, From& from, To& to) {
    constexpr std::size_t k_block = 256 * 1024;
    constexpr int k_most_blocks = 8;
    const auto again = [&way, this] {
        return [weak = weak_from_this(), in = &way == &in_] {
            if (const auto self = weak.lock(); self && self->stream_) in ? self->to_stream() : self->to_channel();
        };
    };
    for (int i = 0; i < k_most_blocks; ++i) {
        if (way.from == way.bytes.size()) {
            way.bytes.resize(k_block);
            const net::IoResult got = from.read_some(way.bytes.data(), way.bytes.size());
            way.bytes.resize(got.kind == net::IoResult::Kind::done ? got.size : 0);
            way.from = 0;
            if (got.kind == net::IoResult::Kind::want_read) return from.wait(net::Ready::read, again());
            if (got.kind == net::IoResult::Kind::want_write) return from.wait(net::Ready::write, again());  // TLS
            if (got.kind != net::IoResult::Kind::done) return stop();
        }
        const net::IoResult put = to.write_some(std::string_view{way.bytes}.substr(way.from));
        if (put.kind == net::IoResult::Kind::want_write) return to.wait(net::Ready::write, again());
        if (put.kind == net::IoResult::Kind::want_read) return to.wait(net::Ready::read, again());  // TLS
        if (put.kind != net::IoResult::Kind::done) return stop();
        way.from += put.size;
    }
    stream_->loop().post(again());
}

void Relay::to_stream() { carry(in_, *channel_, *stream_); }
void Relay::to_channel() { carry(out_, *stream_, *channel_); }

}  // namespace qconn::ssh
