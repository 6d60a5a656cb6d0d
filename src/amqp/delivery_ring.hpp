// SPDX-License-Identifier: Apache-2.0
/// What was sent and not yet settled, by delivery-id.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "amqp/ring.hpp"

namespace qconn::amqp {

/// Entries with rising numbers (serial arithmetic of 32 bits), which end in any order. A flat ring, as most end in theirs; what stays behind while
/// many others have ended moves to a map, so that one delivery that is never settled costs one entry and not a growing ring.
template <class Entry>
class DeliveryRing {
public:
    bool empty() const noexcept { return live_ == 0; }
    std::size_t size() const noexcept { return live_; }
    /// Slots of the ring, for a test that it does not grow.
    std::size_t slots() const noexcept { return ring_.capacity(); }

    /// @param id  after the last; those between have no entry
    void push(std::uint32_t id, Entry entry) {
        // More than seven in eight have ended, and the first has not: what keeps the ring from moving on goes out of its way.
        if (ring_.size() == ring_.capacity() && ring_.size() >= 64 && live_ - strays_.size() < ring_.size() / 8) put_aside();
        std::uint32_t gap = id - next();
        if (!ring_.empty() && gap > k_gap) put_aside();
        if (ring_.empty()) {
            first_ = id;
            gap = 0;
        }
        for (; gap > 0; --gap) ring_.push_back({});
        ring_.push_back({std::move(entry), true});
        ++live_;
    }
    /// Null: it has ended, or never was. Good until the next push().
    Entry* find(std::uint32_t id) noexcept {
        const std::uint32_t offset = id - first_;
        if (offset < ring_.size()) return ring_[offset].live ? &ring_[offset].entry : nullptr;
        if (strays_.empty()) return nullptr;
        const auto found = strays_.find(id);
        return found == strays_.end() ? nullptr : &found->second;
    }
    /// Nothing happens where find() finds none.
    void erase(std::uint32_t id) noexcept {
        const std::uint32_t offset = id - first_;
        if (offset >= ring_.size()) {
            live_ -= strays_.erase(id);
            return;
        }
        if (!ring_[offset].live) return;
        ring_[offset].live = false;
        --live_;
        while (!ring_.empty() && !ring_.front().live) {
            ring_.pop_front();
            ++first_;
        }
    }
    /// The numbers from `first` to `last` that are here, in order.
    std::vector<std::uint32_t> within(std::uint32_t first, std::uint32_t last) const {
        std::vector<std::uint32_t> out;
        for (const auto& [id, entry] : strays_)
            if (id - first <= last - first) out.push_back(id);
        for (std::size_t i = 0; i < ring_.size(); ++i) {
            const std::uint32_t id = first_ + static_cast<std::uint32_t>(i);
            if (ring_[i].live && id - first <= last - first) out.push_back(id);
        }
        std::sort(out.begin(), out.end(), [first](std::uint32_t a, std::uint32_t b) { return a - first < b - first; });
        return out;
    }
    /// Those for which the call says true end.
    template <class Call>
    void erase_if(Call&& call) {
        for (const std::uint32_t id : within(first_, first_ - 1))
            if (call(*find(id))) erase(id);
    }

private:
    static constexpr std::uint32_t k_gap = 64;
    struct Slot {
        Entry entry{};
        bool live{false};
    };

    std::uint32_t next() const noexcept { return first_ + static_cast<std::uint32_t>(ring_.size()); }
    void put_aside() {
        for (; !ring_.empty(); ring_.pop_front(), ++first_)
            if (ring_.front().live) strays_.emplace(first_, std::move(ring_.front().entry));
    }

    Ring<Slot> ring_;  // its first entry is live
    std::uint32_t first_{0};
    std::size_t live_{0};  // strays too
    std::unordered_map<std::uint32_t, Entry> strays_;
};

}  // namespace qconn::amqp
