// SPDX-License-Identifier: Apache-2.0
/// One call of a client: its deadline, its cancellation, and what it waits for.
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>

#include "net/timer.hpp"
#include "ssh/sftp_error.hpp"
#include "ssh/sftp_session.hpp"
#include "ssh/sftp_task.hpp"

namespace qconn::sftp {

class Engine;

/// An answer, kept beyond its packet.
struct Answer {
    PacketType type{};
    std::string body{};
};

/// Where one answer is waited for.
class Slot final : public Receiver, public Awaited {
public:
    Slot(std::shared_ptr<Session> session, bool opens) : session_{std::move(session)}, opens_{opens} {}
    void on_answer(std::uint64_t, const Packet& packet, const BlockRef&) override;
    void on_lost(std::uint64_t, const Error& error, bool begun) override;

    Session& session() const noexcept { return *session_; }
    /// A handle that nobody waits for any more is closed.
    void abandon();

    Answer answer{};
    std::optional<Error> lost{};
    bool begun{false};
    bool taken{false};

private:
    void close_handle();
    const std::shared_ptr<Session> session_;
    const bool opens_;
    bool abandoned_{false};
};

/// A request whose answer is still to be awaited; several may be under way.
class Pending {
public:
    explicit Pending(std::shared_ptr<Slot> slot) noexcept : slot_{std::move(slot)} {}
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&&) = delete;
    ~Pending() {
        if (slot_) slot_->abandon();
    }
    const std::shared_ptr<Slot>& slot() const noexcept { return slot_; }

private:
    std::shared_ptr<Slot> slot_;
};

/// @note The loop's thread, but for cancel() and done().
class Call final : public Operation::State, public std::enable_shared_from_this<Call> {
public:
    Call(std::shared_ptr<Engine> engine, std::string verb, std::string path, Deadline deadline);
    ~Call() override;

    // Thread-safe:
    void cancel() noexcept override;
    bool done() const noexcept override { return done_.load(std::memory_order_acquire); }

    void begin();
    /// No cancellation, no deadline any more.
    void end();
    void stop(const Error& error);
    bool is_stopped() const noexcept { return stopped_.has_value(); }
    /// What cannot be taken back is on its way.
    void commit() noexcept { committed_ = true; }
    /// It tidies up after another, which is not stopped with the client.
    void note_tidying() noexcept { tidying_ = true; }
    bool is_tidying() const noexcept { return tidying_; }
    /// Something of it has reached the server, or may have.
    bool has_begun() const noexcept { return begun_; }
    void note_begun() noexcept { begun_ = true; }
    /// It changes nothing, and its caller has seen nothing of it yet: it may be made once more, over another session.
    void set_repeatable(bool yes) noexcept { repeatable_ = yes; }
    bool is_repeatable() const noexcept { return repeatable_; }

    Engine& engine() const noexcept { return *engine_; }
    Subject subject() const noexcept;
    /// Of this call, about another path.
    Subject subject(std::string_view path) const noexcept;
    /// The error of the session, as this call's.
    Error lost(const Error& error) const;
    const std::string& path() const noexcept { return path_; }
    const std::string& verb() const noexcept { return verb_; }

    Pending send(const std::shared_ptr<Session>& session, std::string packet, bool opens = false);

    /// Waits until it is done. @throws Error what stopped the call
    struct [[nodiscard]] Wait {
        Call& call;
        Awaited& what;
        bool await_ready() const noexcept { return call.is_stopped() || what.is_done(); }
        void await_suspend(std::coroutine_handle<> self) const noexcept {
            what.waiter_ = self;
            call.waits_for_ = &what;
        }
        void await_resume() const { call.woken(what); }
    };
    Wait until(Awaited& what) noexcept { return {*this, what}; }

    /// @throws Error what stopped the call, or ended the session
    struct [[nodiscard]] WaitForAnswer {
        Call& call;
        Slot& slot;
        bool await_ready() const noexcept { return call.is_stopped() || slot.is_done(); }
        void await_suspend(std::coroutine_handle<> self) const noexcept { call.until(slot).await_suspend(self); }
        Answer await_resume() const { return call.take_answer(slot); }
    };
    WaitForAnswer answer(Pending& pending) noexcept { return {*this, *pending.slot()}; }

private:
    void woken(Awaited& what);
    Answer take_answer(Slot& slot);
    void expire();

    const std::shared_ptr<Engine> engine_;
    const std::string verb_, path_;
    const Deadline deadline_;
    std::optional<net::Timer> timer_;
    std::optional<Error> stopped_;
    Awaited* waits_for_{nullptr};
    std::weak_ptr<Session> session_;  // asked last
    Clock::time_point asked_{};
    bool committed_{false};
    bool tidying_{false};
    bool begun_{false};
    bool repeatable_{false};
    std::atomic<bool> done_{false};
};

}  // namespace qconn::sftp
