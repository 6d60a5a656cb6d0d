// SPDX-License-Identifier: Apache-2.0
/// One session with a server: connected, checked, logged in, and the channels in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

#include "net/dial.hpp"
#include "net/fd_watch.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"
#include "ssh/channel.hpp"
#include "ssh/login.hpp"
#include "ssh/settings.hpp"
#include "ssh/transport.hpp"

namespace qconn::ssh {

class Relay;
class Session;
class Sessions;

/// What a channel is for.
struct Purpose {
    enum class Kind : std::uint8_t { subsystem, command, forward, nothing };
    Kind kind{Kind::nothing};
    /// The subsystem, the command, or the host.
    std::string what{};
    std::uint16_t port{0};
    std::vector<std::pair<std::string, std::string>> environment{};

    /// For messages: "the subsystem sftp". A command may hold anything, and is not told.
    std::string words() const;
};

/// A channel of a session, which it keeps.
class SessionChannel final : public Channel {
public:
    SessionChannel(std::shared_ptr<Session> session, std::unique_ptr<TransportChannel> channel, std::vector<std::string> refused_environment);
    ~SessionChannel() override;

    net::IoResult read_some(char* data, std::size_t size) override { return read(false, data, size); }
    net::IoResult write_some(std::string_view data) override;
    void wait(net::Ready side, UniqueFunction<void()> callback) override;
    void cancel_waits() noexcept override;
    net::Loop& loop() const noexcept override;
    std::string said() override;

    // Of a command:
    /// read_errors() will be called. Without this they are thrown away, but for the end of them.
    void keep_errors() noexcept { keeps_errors_ = true; }
    net::IoResult read_errors(char* data, std::size_t size) { return read(true, data, size); }
    /// The end of its input.
    void finish_writing();
    bool is_closed() const noexcept;
    const ExitInfo& exit_info() const noexcept;
    const std::vector<std::string>& refused_environment() const noexcept { return refused_environment_; }

    /// For the session: what waits for that side and is ready, or nothing.
    UniqueFunction<void()> take_ready(net::Ready side);

private:
    net::IoResult read(bool errors, char* data, std::size_t size);
    net::IoResult outcome(net::IoResult::Kind kind, std::size_t size) const;
    void drop_errors();

    const std::shared_ptr<Session> session_;
    std::unique_ptr<TransportChannel> channel_;
    const std::vector<std::string> refused_environment_;
    UniqueFunction<void()> on_readable_;
    UniqueFunction<void()> on_writable_;
    bool keeps_errors_{false};
    std::string said_;  // the end of the errors that were thrown away
};

/// @note One thread at a time: the loop's.
class Session : public std::enable_shared_from_this<Session> {
public:
    using Ready = UniqueFunction<void(std::optional<Error>)>;
    using Opened = UniqueFunction<void(Result<std::unique_ptr<SessionChannel>>)>;

    /// @param jump  null: directly
    Session(std::shared_ptr<const Settings> settings, std::shared_ptr<Sessions> jump, net::Loop& loop, Runtime runtime);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// @param ready  called once, never from inside, unless end() comes before
    void start(Ready ready);
    bool is_ready() const noexcept { return state_ == State::ready; }
    bool is_over() const noexcept { return state_ == State::over; }
    /// Once it is ready.
    const SshSessionInfo& info() const noexcept { return info_; }
    /// Where a session that is not ready yet stands.
    Phase phase() const noexcept;
    std::string doing() const;

    /// Called once, when it can carry no further channel.
    void on_over(UniqueFunction<void()> callback) { on_over_ = std::move(callback); }

    /// Once it is ready. The callback comes once, never from inside.
    std::uint64_t open(Purpose purpose, Opened opened);
    /// The callback is not called any more; a channel that is opened nevertheless is closed.
    void forget(std::uint64_t opening) noexcept;

    /// Ends it: openings and channels fail with that error.
    void end(const Error& error);

private:
    friend class SessionChannel;
    enum class State : std::uint8_t { fresh, files, dialling, handshake, remembering, login, ready, over };
    struct Opening {
        Purpose purpose;
        Opened opened;
        std::unique_ptr<TransportChannel> channel;
        int step{0};
        int refusals{0};
        Clock::time_point not_before{};
        std::vector<std::string> refused_environment{};
    };

    void blocking(UniqueFunction<void()> work, void (Session::*then)());
    void on_files();
    void dial();
    void through_jump();
    void on_stream(Result<std::unique_ptr<net::Stream>> stream);
    void through_relay(std::unique_ptr<Channel> way);
    void begin_handshake(std::unique_ptr<net::Stream> stream);
    void check_host_key();
    void begin_login();
    void on_worked();
    void run();
    void schedule();
    void rearm();
    void run_handshake();
    void run_login();
    void run_ready();
    void serve_openings();
    bool may_have_place_soon(const Opening& opening) const;
    static Error interrupted(Error error, const Opening& opening);
    void on_channel_gone();
    /// @returns whether it is decided
    bool serve(Opening& opening, Result<std::unique_ptr<SessionChannel>>& result);
    void wake();
    void tick();
    void watch_idleness();
    void become_ready();
    Error broken(const std::string& words) const;

    const std::shared_ptr<const Settings> settings_;
    const std::shared_ptr<Sessions> jump_;
    const std::shared_ptr<net::Loop> loop_;
    const Runtime runtime_;
    State state_{State::fresh};
    Ready ready_;
    UniqueFunction<void()> on_over_;
    std::vector<KnownHostsFile> known_;
    std::optional<Error> blocked_error_;  // of work on the pool
    HostKey host_key_;
    SshSessionInfo info_;

    std::unique_ptr<net::Dial> dial_;
    Operation jump_operation_;
    std::shared_ptr<Relay> relay_;
    std::unique_ptr<net::Stream> stream_;   // its descriptor is watched; the transport has one of its own of the same socket
    std::shared_ptr<Transport> transport_;  // shared with work on the pool
    std::shared_ptr<Login> login_;
    net::Timer limit_;
    net::Timer tick_;
    net::Timer idle_;
    net::Timer place_;
    Clock::time_point last_closed_{};  // of one of its channels
    bool busy_{false};                 // the pool has the transport
    bool running_{false};
    bool scheduled_{false};
    bool again_{false};  // scheduled while it runs

    std::uint64_t last_opening_{0};
    std::map<std::uint64_t, Opening> openings_;
    std::set<SessionChannel*> channels_;
    std::uint64_t heard_{0};
    bool probed_{false};
    std::optional<Error> error_;  // why it is over
};

}  // namespace qconn::ssh
