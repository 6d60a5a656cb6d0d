// SPDX-License-Identifier: Apache-2.0
/// A byte stream inside an SSH session: the seam between the transport and what is spoken over it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/result.hpp>

#include "net/fd_watch.hpp"
#include "net/stream.hpp"

namespace qconn::ssh {

/// What a channel's other end may send before it is read.
inline constexpr std::size_t k_receive_window = std::size_t{4} << 20U;

/// An open channel with a subsystem or a command at its other end. Reads and writes return at once. Destroying it closes the channel.
/// @note One thread at a time: the loop's.
class Channel {
public:
    virtual ~Channel() = default;

    /// done, want_read, closed or failed. A transport may hold input although nothing more arrives: read until want_read before waiting.
    virtual net::IoResult read_some(char* data, std::size_t size) = 0;
    /// done (maybe of a part), want_write or failed.
    virtual net::IoResult write_some(std::string_view data) = 0;
    /// Calls back once when it is worth trying again; never from inside this call. One wait for each side at a time.
    virtual void wait(net::Ready side, UniqueFunction<void()> callback) = 0;
    virtual void cancel_waits() noexcept = 0;
    virtual net::Loop& loop() const noexcept = 0;
    /// The end of what the other end said beside its bytes, on its standard error: for messages.
    virtual std::string said() { return {}; }
};

/// Where channels come from: a session with a server, made when it is needed.
/// @note Thread-safe.
class ChannelSource {
public:
    using Opened = UniqueFunction<void(Result<std::unique_ptr<Channel>>)>;

    virtual ~ChannelSource() = default;
    /// The loop that all its channels live on.
    virtual net::Loop& loop() const noexcept = 0;
    /// Connects and logs in where that has not been done, and opens a channel to that subsystem ("sftp"). The callback comes once, on the loop's
    /// thread, never from inside this call; after Operation::cancel with CANCELLED.
    virtual Operation open_subsystem(std::string name, Deadline deadline, Opened callback) = 0;
    /// The server, for messages: "edi@files.example:22".
    virtual std::string peer() const = 0;
};

}  // namespace qconn::ssh
