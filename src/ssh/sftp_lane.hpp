// SPDX-License-Identifier: Apache-2.0
/// One channel of a client: its SFTP session, made when it is asked for, and anew when it has ended.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/timer.hpp"
#include "ssh/channel.hpp"
#include "ssh/sftp_call.hpp"
#include "ssh/sftp_session.hpp"

namespace qconn::sftp {

/// Who waits for the session.
class SessionWait final : public Awaited {
public:
    std::shared_ptr<Session> session{};
    std::optional<Error> error{};
    void done() { finish(); }
};

/// @note The loop's thread, but for what says otherwise.
class Lane : public std::enable_shared_from_this<Lane> {
public:
    /// What all lanes of a client have in common.
    struct Common {
        std::shared_ptr<ssh::ChannelSource> source;
        std::string label;
        std::string server;
        std::chrono::milliseconds timeout;
        std::shared_ptr<Sharers> sharers;
    };
    /// How a lane is kept that one could do without.
    struct Spare {
        /// Longest until its session is there.
        std::chrono::milliseconds patience{0};
        /// How long a session without transfers is kept.
        std::chrono::milliseconds linger{0};
    };
    explicit Lane(Common common, std::optional<Spare> spare = {});

    /// The session, or a new one. @throws Error what the source of channels or the server's greeting says, or what stopped the call
    Task<std::shared_ptr<Session>> session(Call& call);
    /// Null: there is none just now.
    std::shared_ptr<Session> current() const noexcept { return session_ && session_->is_open() ? session_ : nullptr; }
    /// Nothing new is asked of it any more, if it is this lane's.
    void give_up(const std::shared_ptr<Session>& session);
    void close();
    /// There was a session when it was looked at last. Any thread.
    bool is_up() const noexcept { return up_.load(std::memory_order_relaxed); }

    void enter() noexcept;
    void leave() noexcept;
    /// Large transfers that are under way in it.
    std::size_t load() const noexcept { return load_; }

private:
    void open();
    void on_late();
    void on_channel(std::uint64_t number, Result<std::unique_ptr<ssh::Channel>> result);
    void tell_waiting(const std::shared_ptr<Session>& session, const std::optional<Error>& error);
    void stop_waiting(const SessionWait* wait);
    void stop_opening();

    const Common common_;
    const std::optional<Spare> spare_;
    std::shared_ptr<Session> session_;           // greeting or open
    std::vector<std::shared_ptr<Session>> old_;  // given up, but not yet ended
    bool opening_{false};                        // the channel
    std::uint64_t opening_number_{0};
    Operation opening_operation_;
    std::vector<std::shared_ptr<SessionWait>> waiting_;
    std::size_t load_{0};
    std::optional<net::Timer> patience_;
    std::optional<net::Timer> linger_;
    std::atomic<bool> up_{false};
};

/// A large transfer's place in a lane.
class Place {
public:
    Place() noexcept = default;
    explicit Place(std::shared_ptr<Lane> lane) noexcept : lane_{std::move(lane)} { lane_->enter(); }
    Place(Place&& other) noexcept : lane_{std::exchange(other.lane_, nullptr)} {}
    Place& operator=(Place&& other) noexcept {
        std::swap(lane_, other.lane_);
        return *this;
    }
    ~Place() {
        if (lane_) lane_->leave();
    }
    Lane* lane() const noexcept { return lane_.get(); }

private:
    std::shared_ptr<Lane> lane_;
};

}  // namespace qconn::sftp
