// SPDX-License-Identifier: Apache-2.0
/// A queue in one growing piece of memory.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace qconn::amqp {

/// First in, first out, and by index. What was taken out is used again: no allocation while the size stays below what it once was (a std::deque
/// allocates and frees a block for every few entries that pass through).
template <class T>
class Ring {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return slots_.size(); }
    T& operator[](std::size_t index) noexcept { return slots_[(head_ + index) & (slots_.size() - 1)]; }
    const T& operator[](std::size_t index) const noexcept { return slots_[(head_ + index) & (slots_.size() - 1)]; }
    T& front() noexcept { return (*this)[0]; }
    const T& front() const noexcept { return (*this)[0]; }
    T& back() noexcept { return (*this)[size_ - 1]; }

    T& push_back(T value) {
        if (size_ == slots_.size()) widen();
        T& slot = slots_[(head_ + size_) & (slots_.size() - 1)];
        slot = std::move(value);
        ++size_;
        return slot;
    }
    void pop_front() noexcept {
        head_ = (head_ + 1) & (slots_.size() - 1);
        --size_;
    }
    void pop_back() noexcept { --size_; }
    void clear() noexcept { head_ = size_ = 0; }

private:
    void widen() {
        std::vector<T> wider(slots_.empty() ? 16 : slots_.size() * 2);
        for (std::size_t i = 0; i < size_; ++i) wider[i] = std::move((*this)[i]);
        slots_ = std::move(wider);
        head_ = 0;
    }

    std::vector<T> slots_;  // a power of two
    std::size_t head_{0};
    std::size_t size_{0};
};

}  // namespace qconn::amqp
