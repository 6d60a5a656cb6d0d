// SPDX-License-Identifier: Apache-2.0
/// Calls of a client that are not with its driver: they wait for an authorization, or to be tried again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/http/authenticator.hpp>

#include "net/curl_driver.hpp"

namespace qconn::http {

/// Shared by the client and its calls, so that those find out that the client has gone.
/// @note Thread-safe.
class WaitingRoom : public std::enable_shared_from_this<WaitingRoom> {
public:
    explicit WaitingRoom(net::CurlDriver& driver) : driver_{&driver} {}

    /// Somebody waits: `operation` is cancelled by close(). False: it is closed, `operation` was cancelled. leave() with the same number ends it.
    bool enter(std::uint64_t number, Operation operation);
    void leave(std::uint64_t number);
    std::uint64_t next_number();

    /// Hands a transfer to the driver; nothing where there is none any more.
    std::optional<Operation> start(std::shared_ptr<net::CurlTransfer> transfer);

    /// Keeps the client from going, as long as it lives; for blocking calls. `open` is false where it has gone already.
    class Guest {
    public:
        explicit Guest(WaitingRoom& room);
        ~Guest();
        Guest(const Guest&) = delete;
        Guest& operator=(const Guest&) = delete;
        const bool open;

    private:
        WaitingRoom& room_;
    };

    /// For guests. False: it was closed before that time came.
    bool sleep_until(Clock::time_point when);

    /// No driver any more; all that wait are cancelled.
    void close();
    /// Returns when no guest is left.
    void wait_for_guests();

private:
    bool admit();

    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    net::CurlDriver* driver_;  // null: closed
    std::map<std::uint64_t, Operation> waiting_;
    std::uint64_t last_{0};
    std::size_t guests_{0};
};

}  // namespace qconn::http
