// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_download.hpp"

#include <algorithm>
#include <utility>

namespace qconn::sftp {

namespace {

/// Where the size is not known, or less than there is: so many READs into the dark at the most.
constexpr std::size_t k_most_probes = 32;
constexpr std::uint32_t k_least_chunk = 512;
constexpr std::size_t k_least_chunks = 2;

}  // namespace

Download::Download(std::shared_ptr<Session> session, std::string handle, Drain& drain, Range range, std::size_t window)
    : session_{std::move(session)},
      handle_{std::move(handle)},
      drain_{&drain},
      range_{range},
      window_{window},
      limit_{range.most > std::numeric_limits<std::uint64_t>::max() - range.from ? std::numeric_limits<std::uint64_t>::max()
                                                                                 : range.from + range.most},
      next_{range.from},
      place_{range.from},
      most_probes_{range.size.value_or(0) == 0 ? 2U : 1U} {
    session_->enter_transfer();
    chunk_ = first_chunk();
}

Download::~Download() { leave(); }

void Download::leave() noexcept {
    if (std::exchange(counted_, false)) session_->leave_transfer();
}

void Download::detach() noexcept {
    if (drain_ != nullptr) drain_->set_pump(nullptr);
    drain_ = nullptr;
    parts_.clear();
    leave();
}

std::size_t Download::share() const noexcept {
    return std::max<std::size_t>(std::min(session_->share_of(window_), ssh::k_receive_window), k_least_chunks * chunk_);
}

/// Small enough for some of them to be under way.
std::uint32_t Download::first_chunk() const noexcept {
    constexpr std::size_t k_some = 4;
    const std::uint32_t most = session_->read_size();
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(session_->share_of(window_) / k_some, std::min(k_chunk, most), most));
}

void Download::pump() {
    if (drain_ == nullptr || is_done()) return;
    if (place_ >= limit_) return done();
    while (end_ == std::numeric_limits<std::uint64_t>::max() && next_ < limit_) {
        if (next_ - range_.from >= drain_->taken() + share()) {
            drain_->starve();
            if (next_ - range_.from >= drain_->taken() + share()) return;
        }
        std::uint64_t size = chunk_;
        if (range_.size && next_ < *range_.size) {
            size = std::min<std::uint64_t>(size, *range_.size - next_);
        } else {
            if (probes_ >= most_probes_) return;
            ++probes_;
        }
        size = std::min(size, limit_ - next_);
        ask(next_, static_cast<std::uint32_t>(size));
        next_ += size;
    }
}

void Download::ask(std::uint64_t offset, std::uint32_t size) {
    parts_[offset].size = size;
    session_->send(read_request(handle_, offset, size), shared_from_this(), offset);
}

void Download::on_answer(std::uint64_t offset, const Packet& packet, const BlockRef& block) {
    if (drain_ == nullptr || is_done()) return;
    begun = true;
    const auto found = parts_.find(offset);
    if (found == parts_.end()) return;  // behind an end that was told since
    if (range_.size.value_or(0) <= offset && probes_ > 0) --probes_;
    if (packet.type == PacketType::data) {
        const auto data = read_data(packet.body);
        if (!data || data->size() > found->second.size) return malformed("the answer to READ is malformed");
        if (!data->empty()) return on_data(offset, found->second, Slice{block, *data});
    } else {
        const auto status = packet.type == PacketType::status ? read_status(packet.body) : std::nullopt;
        if (!status || status->code == StatusCode::ok) return malformed("the answer to READ is neither data nor a failure");
        if (status->code != StatusCode::eof) {
            refusal = Refusal{status->code, std::string{status->words}};
            return done();
        }
    }
    // The end of the file.
    end_ = std::min(end_, offset);
    parts_.erase(parts_.lower_bound(end_), parts_.end());
    finish_if_whole();
}

void Download::on_data(std::uint64_t offset, Part& part, Slice slice) {
    const auto got = static_cast<std::uint32_t>(slice.bytes.size());
    const std::uint32_t asked = std::exchange(part.size, got);
    if (got < asked) {
        // The end, or less than the server gives at once: the rest is asked for all the same, and what comes next in such pieces.
        if (offset + got < range_.size.value_or(0)) chunk_ = std::min(chunk_, std::max(got, k_least_chunk));
        if (offset + got >= range_.size.value_or(0)) ++probes_;
        ask(offset + got, asked - got);
    } else if (offset >= range_.size.value_or(0)) {
        most_probes_ = std::min(2 * most_probes_, k_most_probes);
    }
    if (offset == place_) {
        parts_.erase(offset);
        deliver(std::move(slice));
        deliver_held();
    } else {
        part.slice = std::move(slice);
    }
    if (drain_ == nullptr || is_done()) return;
    finish_if_whole();
    if (!is_done()) pump();
}

void Download::deliver(Slice slice) {
    const std::size_t size = slice.bytes.size();
    try {
        drain_->take(std::move(slice));
    } catch (...) {
        thrown = std::current_exception();
        return done();
    }
    place_ += size;
}

void Download::deliver_held() {
    while (drain_ != nullptr && !is_done() && !parts_.empty()) {
        const auto first = parts_.begin();
        if (first->first != place_ || first->second.slice.bytes.empty()) return;
        Slice slice = std::move(first->second.slice);
        parts_.erase(first);
        deliver(std::move(slice));
    }
}

void Download::finish_if_whole() {
    if (place_ >= end_ || place_ >= limit_) done();
}

void Download::malformed(std::string_view what) {
    const auto self = shared_from_this();
    session_->fail_protocol(what);
    if (is_done() || drain_ == nullptr) return;
    lost = session_->end_error();
    done();
}

void Download::on_lost(std::uint64_t, const Error& error, bool was_begun) {
    if (drain_ == nullptr || is_done()) return;
    lost = error;
    begun = begun || was_begun;
    done();
}

void Download::done() {
    leave();
    parts_.clear();
    finish();
}

}  // namespace qconn::sftp
