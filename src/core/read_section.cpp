// SPDX-License-Identifier: Apache-2.0
#include "core/read_section.hpp"

#include <memory>
#include <thread>
#include <utility>

#include "core/thread_cache.hpp"

namespace qconn::core {
namespace {

constinit std::atomic<ReaderRecord*> g_readers{nullptr};
constinit std::atomic<unsigned> g_count{0};

/// Gives the record back when the thread ends.
struct Owner {
    ~Owner() {
        ReaderRecord* record = detail::t_reader;
        detail::t_reader = nullptr;
        detail::t_reader_gone = true;
        if (!record) return;
        const std::unique_ptr<ThreadCache> cache{std::exchange(record->cache, nullptr)};
        detail::give_back_reader(record);
    }
    bool used{false};
};
thread_local Owner t_owner;

ReaderRecord* find_or_make() {
    for (ReaderRecord* record = g_readers.load(std::memory_order_acquire); record; record = record->next) {
        bool expected = false;
        if (!record->taken.load(std::memory_order_relaxed) && record->taken.compare_exchange_strong(expected, true, std::memory_order_acquire))
            return record;
    }
    auto* record = new ReaderRecord;
    record->taken.store(true, std::memory_order_relaxed);
    record->stripe = g_count.fetch_add(1, std::memory_order_relaxed);
    ReaderRecord* head = g_readers.load(std::memory_order_relaxed);
    do {
        record->next = head;
        // Sequentially consistent like the stores to `state`: a writer that misses this record finds its reader on the new pointers.
    } while (!g_readers.compare_exchange_weak(head, record, std::memory_order_seq_cst));
    return record;
}

}  // namespace

namespace detail {

constinit thread_local ReaderRecord* t_reader = nullptr;
constinit thread_local bool t_reader_gone = false;

ReaderRecord* take_reader() {
    ReaderRecord* record = find_or_make();
    t_reader = record;
    if (!t_reader_gone) t_owner.used = true;  // makes the owner, and with it the end of the record
    return record;
}

void give_back_reader(ReaderRecord* record) noexcept {
    t_reader = nullptr;
    record->taken.store(false, std::memory_order_release);
}

}  // namespace detail

void wait_for_readers() noexcept {
    for (ReaderRecord* record = g_readers.load(std::memory_order_seq_cst); record; record = record->next) {
        const std::uint64_t state = record->state.load(std::memory_order_seq_cst);
        if (state % 2 == 0) continue;
        while (record->state.load(std::memory_order_acquire) == state) std::this_thread::yield();
    }
}

}  // namespace qconn::core
