// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_call.hpp"

#include <utility>

#include "base/text.hpp"
#include "net/runtime_impl.hpp"
#include "ssh/sftp_engine.hpp"

namespace qconn::sftp {

namespace {

/// Less than this is no silence: a deadline may be shorter than the way to the server.
constexpr std::chrono::seconds k_silent{1};

}  // namespace

void Slot::on_answer(std::uint64_t, const Packet& packet, const BlockRef&) {
    answer.type = packet.type;
    answer.body.assign(packet.body);
    if (abandoned_) return close_handle();
    finish();
}

void Slot::on_lost(std::uint64_t, const Error& error, bool was_begun) {
    lost = error;
    begun = was_begun;
    finish();
}

void Slot::abandon() {
    if (taken) return;
    abandoned_ = true;
    if (is_done() && !lost) close_handle();
}

void Slot::close_handle() {
    if (!opens_ || answer.type != PacketType::handle) return;
    const auto handle = read_handle(answer.body);
    if (handle) session_->forget(handle_request(PacketType::close, *handle));
}

Call::Call(std::shared_ptr<Engine> engine, std::string verb, std::string path, Deadline deadline)
    : engine_{std::move(engine)}, verb_{std::move(verb)}, path_{std::move(path)}, deadline_{deadline} {}

Call::~Call() = default;

Subject Call::subject() const noexcept { return subject(path_); }

Subject Call::subject(std::string_view path) const noexcept { return {engine_->options().label, engine_->server(), verb_, path}; }

void Call::cancel() noexcept {
    if (done()) return;
    try {
        engine_->loop().post([self = shared_from_this()] {
            if (self->done()) return;
            self->stop(stopped(self->subject(), true, self->committed_ ? "; whether it took effect is not known" : ""));
        });
    } catch (...) {  // no memory: it ends in its own time
    }
}

void Call::begin() {
    if (deadline_.is_never()) return;
    timer_.emplace(engine_->loop());
    timer_->arm(deadline_, [this] { expire(); });
}

void Call::end() {
    timer_.reset();
    done_.store(true, std::memory_order_release);
}

void Call::expire() {
    const auto self = shared_from_this();
    // A server that has said nothing since it was asked is not asked again.
    const auto session = session_.lock();
    const bool is_silent = session && session->owed() > 0 && session->last_heard() <= asked_ && Clock::now() - asked_ >= k_silent;
    if (is_silent) engine_->give_up(session);
    stop(stopped(subject(), false, committed_ ? "; whether it took effect is not known" : ""));
}

void Call::stop(const Error& error) {
    if (stopped_ || done()) return;
    stopped_ = error;
    if (Awaited* const waited = std::exchange(waits_for_, nullptr)) waited->wake();
}

void Call::woken(Awaited& what) {
    waits_for_ = nullptr;
    what.waiter_ = nullptr;
    if (stopped_) throw *stopped_;
}

Answer Call::take_answer(Slot& slot) {
    woken(slot);
    slot.taken = true;
    if (!slot.lost) {
        begun_ = true;
        return std::move(slot.answer);
    }
    if (slot.begun) begun_ = true;
    throw lost(*slot.lost);
}

Error Call::lost(const Error& error) const {
    Error told = error;
    std::string prefix = verb_;
    if (!path_.empty()) prefix += " \"" + text::printable(path_) + '"';
    told.with_prefix(prefix + " failed: ");
    return told;
}

Pending Call::send(const std::shared_ptr<Session>& session, std::string packet, bool opens) {
    auto slot = std::make_shared<Slot>(session, opens);
    session_ = session;
    asked_ = Clock::now();
    session->send(std::move(packet), slot);
    return Pending{std::move(slot)};
}

}  // namespace qconn::sftp
