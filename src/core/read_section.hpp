// SPDX-License-Identifier: Apache-2.0
/// How readers of the registry's shared structures keep them alive without a lock: a grace period scheme (RCU) for the whole process.
///
/// A reader enters a ReadSection, follows atomic pointers and leaves: one store to a cache line of its own each way, whatever writers do. A writer
/// that has unlinked something calls wait_for_readers() before it destroys it; that waits for those who were inside at the time (nanoseconds, unless
/// one has been preempted there). Sections hold no user code, no I/O and no lock, so they always end. Only standard atomics with sequential
/// consistency, no fences: ThreadSanitizer understands all of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace qconn::core {

class ThreadCache;

/// A thread's place in the list of readers. Reused by other threads when its thread ends; never freed.
struct alignas(64) ReaderRecord {
    /// Odd while its thread is inside a section; goes up by one at each end of one.
    std::atomic<std::uint64_t> state{0};
    /// Nested sections; the thread's own.
    unsigned depth{0};
    /// A small number that few threads share.
    unsigned stripe{0};
    std::atomic<bool> taken{false};
    ReaderRecord* next{nullptr};
    /// What look-ups by this thread found; the thread's own, dropped when it ends.
    ThreadCache* cache{nullptr};
};

namespace detail {
extern constinit thread_local ReaderRecord* t_reader;
ReaderRecord* take_reader();
void give_back_reader(ReaderRecord* record) noexcept;
/// Whether this thread is past the end of its thread_local objects, so that records are taken for one section only.
extern constinit thread_local bool t_reader_gone;
}  // namespace detail

/// While one exists on this thread nothing that it can reach is destroyed. Nests. Must not hold up: no user code, I/O or waiting inside.
class ReadSection {
public:
    ReadSection() : record_{detail::t_reader ? detail::t_reader : detail::take_reader()} {
        if (record_->depth++ == 0) record_->state.store(record_->state.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
    }
    ReadSection(const ReadSection&) = delete;
    ReadSection& operator=(const ReadSection&) = delete;
    ~ReadSection() {
        if (--record_->depth != 0) return;
        record_->state.store(record_->state.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        if (detail::t_reader_gone) detail::give_back_reader(record_);
    }

    unsigned stripe() const noexcept { return record_->stripe; }
    ReaderRecord& record() const noexcept { return *record_; }
    /// Whether the record stays this thread's after the section: only then may it hold a cache.
    bool is_lasting() const noexcept { return !detail::t_reader_gone; }

private:
    ReaderRecord* record_;
};

/// Returns once every section that was open when it was called has ended. Must not be called from inside one.
void wait_for_readers() noexcept;

}  // namespace qconn::core
