// SPDX-License-Identifier: Apache-2.0
/// Finds the index of a key that is a hash already: open addressing over indexes, which costs 8 bytes or less a key where a node costs 40.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace qconn::monitor {

/// The keys themselves stay with their owner, who is asked for them: `key_of(index)`.
class KeyTable {
public:
    static constexpr std::uint32_t k_none = 0xffffffff;

    template <class KeyOf>
    std::uint32_t find(std::uint64_t key, KeyOf&& key_of) const {
        if (slots_.empty()) return k_none;
        for (std::size_t at = home(key);; at = next(at)) {
            if (slots_[at] == k_none || key_of(slots_[at]) == key) return slots_[at];
        }
    }
    /// The key of `index` must not be in it yet.
    template <class KeyOf>
    void insert(std::uint32_t index, KeyOf&& key_of) {
        if (slots_.size() < 2 * (size_ + 1)) grow(key_of);
        put(index, key_of(index));
        ++size_;
    }
    /// Nothing happens where it is not there.
    template <class KeyOf>
    void erase(std::uint64_t key, KeyOf&& key_of) {
        if (slots_.empty()) return;
        std::size_t hole = home(key);
        while (slots_[hole] != k_none && key_of(slots_[hole]) != key) hole = next(hole);
        if (slots_[hole] == k_none) return;
        --size_;
        // Those behind it that a search would no longer reach move up.
        for (std::size_t at = next(hole); slots_[at] != k_none; at = next(at)) {
            const std::size_t from_home = (at - home(key_of(slots_[at]))) & (slots_.size() - 1);
            const std::size_t from_hole = (at - hole) & (slots_.size() - 1);
            if (from_home >= from_hole) slots_[std::exchange(hole, at)] = slots_[at];
        }
        slots_[hole] = k_none;
    }
    std::size_t size() const noexcept { return size_; }

private:
    std::size_t home(std::uint64_t key) const noexcept { return static_cast<std::size_t>(key) & (slots_.size() - 1); }
    std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }
    void put(std::uint32_t index, std::uint64_t key) {
        std::size_t at = home(key);
        while (slots_[at] != k_none) at = next(at);
        slots_[at] = index;
    }
    template <class KeyOf>
    void grow(KeyOf&& key_of) {
        const auto old = std::exchange(slots_, std::vector<std::uint32_t>(slots_.empty() ? 16 : 2 * slots_.size(), k_none));
        for (const std::uint32_t index : old) {
            if (index != k_none) put(index, key_of(index));
        }
    }

    std::vector<std::uint32_t> slots_;  // as many as a power of two, half of them empty
    std::size_t size_{0};
};

}  // namespace qconn::monitor
