// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_ends.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "net/runtime_impl.hpp"

namespace qconn::sftp {

namespace {

/// Blocks that are read ahead of the loop.
constexpr std::size_t k_ahead = 4;
/// Batches of entries that may wait for a visitor.
constexpr std::size_t k_waiting_batches = 16;
/// More entries than that are not taken into memory.
constexpr std::size_t k_most_entries = 10'000'000;

/// As much as there is room for, so that a source that gives little at once makes no small packets.
std::uint32_t fill(ByteSource& source, char* to, std::uint32_t most, bool& ended) {
    std::uint32_t size = 0;
    while (size < most) {
        const std::size_t got = source.read(to + size, most - size);
        if (got == 0) {
            ended = true;
            break;
        }
        size += static_cast<std::uint32_t>(std::min<std::size_t>(got, most - size));
    }
    return size;
}

/// To that byte, or else to the beginning.
std::optional<std::uint64_t> go_to(ByteSource& source, std::uint64_t from) {
    if (source.seek(from)) return from;
    if (from != 0 && source.seek(0)) return 0;
    return std::nullopt;
}

}  // namespace

void SinkDrain::take(Slice slice) {
    sink_->write(slice.bytes);
    taken_ += slice.bytes.size();
    if (progress_) progress_(from_ + taken_, all_);
}

void TextDrain::expect(std::optional<std::uint64_t> size) {
    if (!size) return;
    if (*size > most_) throw too_large_();
    text.reserve(static_cast<std::size_t>(*size));
}

void TextDrain::take(Slice slice) {
    if (slice.bytes.size() > most_ - text.size()) throw too_large_();
    text += slice.bytes;
}

SourceFeed::SourceFeed(std::shared_ptr<ByteSource> source, Progress progress, std::shared_ptr<BlockPool> pool)
    : source_{std::move(source)}, progress_{std::move(progress)}, pool_{std::move(pool)}, size_{source_->size()} {}

void SourceFeed::begin(std::uint64_t from) {
    position_ = go_to(*source_, from);
    told_ = position_.value_or(0);
    if (!ready_.is_done()) ready_.set();
}

Feed::Next SourceFeed::next(Piece& piece, std::uint32_t most) {
    piece.block = pool_->take();
    bool ended = false;
    piece.size = fill(*source_, piece.block.data() + k_upload_begin, most, ended);
    return piece.size == 0 ? Next::end : Next::piece;
}

void SourceFeed::stored(std::uint64_t end) {
    if (progress_ && end != std::exchange(told_, end)) progress_(end, size_);
}

bool VectorTaker::take(std::vector<FileInfo> some) {
    if (entries.size() + some.size() > k_most_entries)
        throw make_error(Errc::limit, "the directory has more than " + std::to_string(k_most_entries) + " entries; visit() takes any number");
    if (entries.empty())
        entries = std::move(some);
    else
        std::move(some.begin(), some.end(), std::back_inserter(entries));
    return true;
}

void Desk::serve(const std::function<void()>& cancel) {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [&] { return finished_ || (!thrown_ && has_work(false)); });
        if (finished_ && (!good_ || thrown_ || !has_work(true))) return;
        try {
            work(lock);
        } catch (...) {
            if (!lock.owns_lock()) lock.lock();
            thrown_ = std::current_exception();
            lock.unlock();
            after_throw(cancel);
            lock.lock();
        }
    }
}

void Desk::finish(bool good) {
    {
        const std::scoped_lock lock{mutex_};
        finished_ = true;
        good_ = good;
    }
    changed_.notify_all();  // who is woken finds the mutex free
}

void Desk::wake_loop() {
    loop_->post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->pump_) self->pump_();
    });
}

void SinkDesk::expect(std::optional<std::uint64_t> size) {
    const std::scoped_lock lock{mutex_};
    all_ = size;
}

void SinkDesk::take(Slice slice) {
    std::unique_lock lock{mutex_};
    const bool first = queue_.empty();
    queue_.push_back(std::move(slice));
    lock.unlock();
    if (first) changed_.notify_all();
}

void SinkDesk::work(std::unique_lock<std::mutex>& lock) {
    std::vector<Slice> some = std::move(queue_);
    queue_.clear();
    const auto all = all_;
    lock.unlock();
    for (auto& slice : some) {
        sink_.write(slice.bytes);
        const std::uint64_t taken = taken_.fetch_add(slice.bytes.size()) + slice.bytes.size();
        slice.block = {};
        if (starved_.exchange(false)) wake_loop();
        if (progress_) progress_(from_ + taken, all);
    }
    lock.lock();
}

SourceDesk::SourceDesk(ByteSource& source, const Progress& progress, std::shared_ptr<BlockPool> pool, std::shared_ptr<net::Loop> loop)
    : Desk{std::move(loop)}, source_{source}, progress_{progress}, pool_{std::move(pool)}, size_{source.size()}, most_{k_chunk} {}

void SourceDesk::prime() {
    if (!size_ || *size_ > most_) return;
    std::unique_lock lock{mutex_};
    primed_ = true;
    if (!go_to(source_, 0)) return;
    read_piece(lock);
    reading_ = true;
}

void SourceDesk::begin(std::uint64_t from) {
    const std::scoped_lock lock{mutex_};
    if (begun_) return;  // the call goes on over another session; nothing has been taken from the queue yet
    begun_ = true;
    if (primed_) {
        if (reading_) position_ = 0;
        ready_.set();
        if (ended_ || !reading_) return;
    } else {
        seek_to_ = from;
    }
    changed_.notify_all();
}

bool SourceDesk::has_work(bool finished) const {
    if (progress_ && stored_ != told_) return true;
    if (finished) return false;
    return seek_to_ || (reading_ && !ended_ && queue_.size() < k_ahead);
}

void SourceDesk::work(std::unique_lock<std::mutex>& lock) {
    if (progress_ && stored_ != told_) {
        told_ = stored_;
        const std::uint64_t done = told_;
        lock.unlock();
        progress_(done, size_);
        lock.lock();
    } else if (seek_to_) {
        seek(lock);
    } else {
        read(lock);
    }
}

void SourceDesk::seek(std::unique_lock<std::mutex>& lock) {
    const std::uint64_t from = *std::exchange(seek_to_, std::nullopt);
    lock.unlock();
    const auto place = go_to(source_, from);
    lock.lock();
    reading_ = place.has_value();
    stored_ = told_ = place.value_or(0);
    tell(place);
}

void SourceDesk::tell(std::optional<std::uint64_t> position) {
    loop_->post([weak = weak_from_this(), position] {
        const auto self = std::static_pointer_cast<SourceDesk>(weak.lock());
        if (!self || self->ready_.is_done()) return;
        self->position_ = position;
        self->ready_.set();
    });
}

void SourceDesk::read(std::unique_lock<std::mutex>& lock) {
    read_piece(lock);
    if (std::exchange(hungry_, false)) wake_loop();
}

void SourceDesk::read_piece(std::unique_lock<std::mutex>& lock) {
    const std::uint32_t most = most_;
    lock.unlock();
    Piece piece;
    piece.block = pool_->take();
    bool ended = false;
    piece.size = fill(source_, piece.block.data() + k_upload_begin, most, ended);
    lock.lock();
    ended_ = ended;
    if (piece.size > 0) queue_.push_back(std::move(piece));
}

void SourceDesk::after_throw(const std::function<void()>&) {
    // The transfer fails by its own way, so that what it has begun is tidied up before the call ends.
    tell(std::nullopt);
    wake_loop();
}

Feed::Next SourceDesk::next(Piece& piece, std::uint32_t most) {
    const std::scoped_lock lock{mutex_};
    most_ = most;
    if (has_thrown()) throw std::runtime_error{"the source failed"};
    if (queue_.empty()) {
        if (ended_) return Next::end;
        hungry_ = true;
        return Next::later;
    }
    if (queue_.size() == k_ahead) changed_.notify_all();
    piece = std::move(queue_.front());
    queue_.pop_front();
    return Next::piece;
}

void SourceDesk::stored(std::uint64_t end) {
    if (!progress_) return;
    const std::scoped_lock lock{mutex_};
    stored_ = end;
    changed_.notify_all();
}

bool VisitorDesk::take(std::vector<FileInfo> entries) {
    const std::scoped_lock lock{mutex_};
    if (queue_.empty()) changed_.notify_all();
    queue_.push_back(std::move(entries));
    return !enough_;
}

bool VisitorDesk::is_full() noexcept {
    const std::scoped_lock lock{mutex_};
    full_ = queue_.size() >= k_waiting_batches;
    return full_;
}

void VisitorDesk::work(std::unique_lock<std::mutex>& lock) {
    std::vector<FileInfo> some = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    bool more = true;
    for (auto& one : some) {
        more = visitor_(std::move(one));
        if (!more) break;
    }
    lock.lock();
    if (!more) enough_ = true;
    if (std::exchange(full_, false)) wake_loop();
}

}  // namespace qconn::sftp
