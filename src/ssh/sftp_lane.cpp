// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_lane.hpp"

#include <algorithm>

#include "net/runtime_impl.hpp"

namespace qconn::sftp {

namespace {

/// Sessions that were given up and still owe answers.
constexpr std::size_t k_most_old = 4;

}  // namespace

Lane::Lane(Common common, std::optional<Spare> spare) : common_{std::move(common)}, spare_{spare} {}

void Lane::close() {
    // Here and not with the lane, whose last owner may be on any thread.
    linger_.reset();
    patience_.reset();
    stop_opening();
    // What calls have left to be tidied up are calls too, and have ended.
    for (const auto& old : std::exchange(old_, {})) old->close();
    if (const auto session = std::exchange(session_, nullptr)) session->close();
}

void Lane::enter() noexcept {
    ++load_;
    linger_.reset();
}

void Lane::leave() noexcept {
    if (--load_ > 0 || !spare_ || !session_) return;
    try {
        // What is still owed to who tidies up comes before the end.
        linger_.emplace(common_.source->loop()).arm(spare_->linger, [this] {
            const auto keep = shared_from_this();
            if (const auto session = session_) give_up(session);
        });
    } catch (const std::exception&) {}  // no memory: it stays until its client goes
}

void Lane::give_up(const std::shared_ptr<Session>& session) {
    if (session != session_) return;
    session_ = nullptr;
    up_ = false;
    old_.push_back(session);
    session->retire();
    if (old_.size() > k_most_old) {
        const auto oldest = old_.front();
        oldest->close();
    }
}

Task<std::shared_ptr<Session>> Lane::session(Call& call) {
    if (const auto now = current()) co_return now;
    const auto wait = std::make_shared<SessionWait>();
    waiting_.push_back(wait);
    open();
    try {
        co_await call.until(*wait);
    } catch (const Error&) {
        stop_waiting(wait.get());
        throw;
    }
    if (wait->error) throw *wait->error;
    co_return wait->session;
}

void Lane::stop_waiting(const SessionWait* wait) {
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.get() == wait; }), waiting_.end());
    if (waiting_.empty()) stop_opening();  // nobody wants it any more
}

void Lane::stop_opening() {
    if (!opening_) return;
    opening_ = false;
    ++opening_number_;
    if (patience_) patience_->cancel();
    opening_operation_.cancel();
    opening_operation_ = {};
}

void Lane::open() {
    if (opening_ || session_) return;
    opening_ = true;
    if (spare_) patience_.emplace(common_.source->loop()).arm(spare_->patience, [this] { on_late(); });
    const std::uint64_t number = ++opening_number_;
    opening_operation_ = common_.source->open_subsystem(
        "sftp", {},
        [self = shared_from_this(), number](Result<std::unique_ptr<ssh::Channel>> result) { self->on_channel(number, std::move(result)); });
}

void Lane::on_late() {
    const auto keep = shared_from_this();
    stop_opening();
    const auto session = std::exchange(session_, nullptr);
    tell_waiting(nullptr, make_error(Errc::timeout, "the server has not opened another channel in time"));
    if (session) session->close();
}

void Lane::on_channel(std::uint64_t number, Result<std::unique_ptr<ssh::Channel>> result) {
    if (number != opening_number_ || !opening_) return;
    opening_ = false;
    opening_operation_ = {};
    if (!result) {
        if (patience_) patience_->cancel();
        return tell_waiting(nullptr, result.error());
    }
    auto session = std::make_shared<Session>(std::move(*result), common_.label, common_.server, common_.timeout, common_.sharers);
    session_ = session;
    session->start(
        [weak = weak_from_this(), raw = std::weak_ptr{session}](std::optional<Error> error) {
            const auto self = weak.lock();
            if (!self) return;
            if (self->patience_) self->patience_->cancel();
            self->up_ = !error;
            self->tell_waiting(error ? nullptr : raw.lock(), error);
        },
        [weak = weak_from_this(), raw = session.get()] {
            const auto self = weak.lock();
            if (!self) return;
            if (self->session_.get() == raw) {
                self->session_ = nullptr;
                self->up_ = false;
            }
            const auto is_it = [&](const auto& one) { return one.get() == raw; };
            self->old_.erase(std::remove_if(self->old_.begin(), self->old_.end(), is_it), self->old_.end());
        });
}

void Lane::tell_waiting(const std::shared_ptr<Session>& session, const std::optional<Error>& error) {
    for (const auto& one : std::exchange(waiting_, {})) {
        one->session = session;
        one->error = error;
        one->done();
    }
}

}  // namespace qconn::sftp
