// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_upload.hpp"

#include <algorithm>
#include <utility>

namespace qconn::sftp {

Upload::Upload(std::shared_ptr<Session> session, std::string handle, Feed& feed, std::uint64_t at, std::size_t window)
    : session_{std::move(session)}, handle_{std::move(handle)}, feed_{&feed}, window_{window}, next_{at} {
    session_->enter_transfer();
}

Upload::~Upload() { leave(); }

void Upload::leave() noexcept {
    if (std::exchange(counted_, false)) session_->leave_transfer();
}

void Upload::detach() noexcept {
    if (feed_ != nullptr) feed_->set_pump(nullptr);
    feed_ = nullptr;
    leave();
}

void Upload::pump() {
    const auto self = shared_from_this();
    const std::uint32_t chunk = session_->write_size();
    while (feed_ != nullptr && !ended_ && !failed()) {
        const std::size_t share = std::max<std::size_t>(session_->share_of(window_), chunk);
        if (bytes_under_way_ + chunk > share && bytes_under_way_ > 0) return;
        Feed::Piece piece;
        Feed::Next what = Feed::Next::later;
        try {
            what = feed_->next(piece, chunk);
        } catch (...) {
            thrown = std::current_exception();
            return end();
        }
        if (what == Feed::Next::later) return;
        if (what == Feed::Next::end) {
            ended_ = true;
            if (under_way_.empty()) return end();
            return sent.set();
        }
        const std::uint64_t offset = next_;
        under_way_.emplace(offset, Feed::Piece{keeps_ ? piece.block : BlockRef{}, piece.size});
        ++unanswered_;
        bytes_under_way_ += piece.size;
        next_ += piece.size;
        session_->send_write(std::move(piece.block), k_upload_begin, piece.size, handle_, offset, self, offset);
    }
}

void Upload::on_answer(std::uint64_t offset, const Packet& packet, const BlockRef&) {
    begun = true;
    const auto status = packet.type == PacketType::status ? read_status(packet.body) : std::nullopt;
    if (!status) {
        const auto self = shared_from_this();
        session_->fail_protocol("the answer to WRITE is no status");
        if (failed() || feed_ == nullptr) return;
        lost = session_->end_error();
        return end();
    }
    --unanswered_;
    const auto found = under_way_.find(offset);
    if (found == under_way_.end()) return;
    if (status->code != StatusCode::ok) {
        if (failed()) return;
        refusal = Refusal{status->code, std::string{status->words}};  // it stays under way: nothing behind it counts as stored
        refused = std::move(found->second);
        if (feed_ != nullptr) end();
        return;
    }
    taken_ += found->second.size;
    bytes_under_way_ -= found->second.size;
    under_way_.erase(found);
    if (failed() || feed_ == nullptr) return;
    try {
        feed_->stored(stored_end());
    } catch (...) {
        thrown = std::current_exception();
        return end();
    }
    if (ended_ && under_way_.empty()) return end();
    pump();
}

void Upload::on_lost(std::uint64_t, const Error& error, bool was_begun) {
    if (failed() || feed_ == nullptr) return;
    lost = error;
    begun = begun || was_begun;
    end();
}

void Upload::end() {
    const auto self = shared_from_this();
    leave();
    if (done.is_done()) return;
    // Who waits for one of them may go on at once: both are done by then.
    if (sent.is_done()) return done.set();
    done.set();
    sent.set();
}

}  // namespace qconn::sftp
