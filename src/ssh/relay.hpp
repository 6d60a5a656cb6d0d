// SPDX-License-Identifier: Apache-2.0
/// Ways that are no socket of our own: what comes of a channel of a jump host, or through TLS to a proxy, goes to a socket, and back.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/stream.hpp"
#include "ssh/channel.hpp"

namespace qconn::ssh {

/// A stream as a channel. @note One thread at a time: the loop's.
class StreamChannel final : public Channel {
public:
    explicit StreamChannel(std::unique_ptr<net::Stream> stream) : stream_{std::move(stream)} {}
    net::IoResult read_some(char* data, std::size_t size) override { return stream_->read_some(data, size); }
    net::IoResult write_some(std::string_view data) override { return stream_->write_some(data); }
    void wait(net::Ready side, UniqueFunction<void()> callback) override { stream_->wait(side, std::move(callback)); }
    void cancel_waits() noexcept override { stream_->cancel_waits(); }
    net::Loop& loop() const noexcept override { return stream_->loop(); }

private:
    std::unique_ptr<net::Stream> stream_;
};

/// Ends when either side does. @note One thread at a time: the loop's.
class Relay : public std::enable_shared_from_this<Relay> {
public:
    static std::shared_ptr<Relay> start(std::unique_ptr<net::Stream> stream, std::unique_ptr<Channel> channel);
    Relay(std::unique_ptr<net::Stream> stream, std::unique_ptr<Channel> channel);
    void stop() noexcept;

private:
    struct Way {
        std::string bytes{};
        std::size_t from{0};
        bool ended{false};
    };
    template <class From, class To>
    void carry(Way& way, From& from, To& to);
    void to_stream();
    void to_channel();

    std::unique_ptr<net::Stream> stream_;
    std::unique_ptr<Channel> channel_;
    Way out_;  // to the channel
    Way in_;
};

}  // namespace qconn::ssh
