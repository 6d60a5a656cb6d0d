// SPDX-License-Identifier: Apache-2.0
/// One session at a time to a mailbox, and who holds it.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/deadline.hpp>

#include "mail/pop3_task.hpp"

namespace qconn::mail::pop3 {

/// @note Thread-safe.
class Gate : public std::enable_shared_from_this<Gate> {
public:
    /// The right to have a session, as long as it lives. Move-only.
    class Ticket {
    public:
        Ticket() noexcept = default;
        Ticket(Ticket&& other) noexcept : gate_{std::move(other.gate_)} {}
        Ticket& operator=(Ticket&& other) noexcept {
            if (this != &other) {
                release();
                gate_ = std::move(other.gate_);
            }
            return *this;
        }
        ~Ticket() { release(); }
        void release() noexcept {
            if (const auto gate = std::move(gate_)) gate->next();
            gate_.reset();
        }

    private:
        friend class Gate;
        explicit Ticket(std::shared_ptr<Gate> gate) noexcept : gate_{std::move(gate)} {}
        std::shared_ptr<Gate> gate_;
    };

    /// In the order of asking.
    /// @param holder  what others are told
    /// @throws Error POP3-IN-USE when it is `by`; TIMEOUT, CANCELLED
    Task<Ticket> enter(Call& call, std::string holder, Deadline by);

private:
    struct Waiter;

    void next() noexcept;

    std::mutex mutex_;
    // Guarded by it:
    bool taken_{false};
    std::string holder_;
    Clock::time_point since_{};
    std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace qconn::mail::pop3
