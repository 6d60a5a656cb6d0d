// SPDX-License-Identifier: Apache-2.0
/// The way through a jump host: what comes of a channel goes to a socket, and back.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "net/stream.hpp"
#include "ssh/session.hpp"

namespace qconn::ssh {

/// Ends when either side does. @note One thread at a time: the loop's.
class Relay : public std::enable_shared_from_this<Relay> {
public:
    static std::shared_ptr<Relay> start(std::unique_ptr<net::Stream> stream, std::unique_ptr<SessionChannel> channel);
    Relay(std::unique_ptr<net::Stream> stream, std::unique_ptr<SessionChannel> channel);
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
    std::unique_ptr<SessionChannel> channel_;
    Way out_;  // to the channel
    Way in_;
};

}  // namespace qconn::ssh
