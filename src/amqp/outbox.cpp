// SPDX-License-Identifier: Apache-2.0
#include "amqp/outbox.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace qconn::amqp {

namespace {

constexpr std::size_t k_block = std::size_t{64} * 1024;

}  // namespace

/// Its bytes lie behind it.
struct Outbox::Block {
    std::size_t size;
    std::size_t used{0};
    std::size_t messages{0};  // that are needed

    char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    static Block* make(std::size_t size) { return ::new (::operator new(sizeof(Block) + size)) Block{size}; }
    static void destroy(Block* block) noexcept { ::operator delete(block); }
};

Outbox::~Outbox() {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].live) release(entries_[i]);
    if (current_ != nullptr) Block::destroy(current_);
    if (spare_ != nullptr) Block::destroy(spare_);
}

Outbox::Block* Outbox::room_for(std::size_t size) {
    if (current_ != nullptr && current_->size - current_->used >= size) return current_;
    Block* block = nullptr;
    if (size <= k_block && spare_ != nullptr) {
        block = std::exchange(spare_, nullptr);
    } else {
        block = Block::make(std::max(size, k_block));
        held_ += block->size;
    }
    // The former goes with its last message.
    Block* const former = std::exchange(current_, block);
    if (former != nullptr && former->messages == 0) {
        held_ -= former->size;
        Block::destroy(former);
    }
    return block;
}

Outbox::Entry& Outbox::push(std::string_view bytes, bool settled, std::uint64_t token, std::uint32_t slot) {
    Entry& entry = push_bare(bytes.size(), settled, token, slot);
    fill(entry.number, bytes);
    return entry;
}

Outbox::Entry& Outbox::push_bare(std::size_t size, bool settled, std::uint64_t token, std::uint32_t slot) {
    Kept entry;
    entry.number = last_ + 1;
    entry.token = token;
    entry.size = size;
    entry.slot = slot;
    entry.settled = settled;
    entry.live = true;
    Kept& kept = entries_.push_back(entry);
    ++last_;
    ++live_;
    ++waiting_;
    bytes_ += size;
    return kept;
}

void Outbox::fill(std::uint64_t number, std::string_view bytes) {
    Kept& entry = entries_[index_of(number)];
    Block* const block = room_for(bytes.size());
    char* const to = block->bytes() + block->used;
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    entry.bytes = {to, bytes.size()};
    entry.block = block;
    block->used += bytes.size();
    ++block->messages;
}

std::size_t Outbox::index_of(std::uint64_t number) const noexcept {
    if (entries_.empty() || number <= entries_.front().number) return 0;
    if (number > last_) return entries_.size();
    const std::uint64_t offset = number - entries_.front().number;
    if (offset < entries_.size() && entries_[offset].number == number) return offset;
    std::size_t low = 0;
    for (std::size_t high = entries_.size(); low < high;) {
        const std::size_t middle = (low + high) / 2;
        (entries_[middle].number < number ? low = middle + 1 : high = middle);
    }
    return low;
}

Outbox::Entry* Outbox::unsent() noexcept {
    if (waiting_ == 0) return nullptr;
    for (std::size_t i = index_of(next_unsent_); i < entries_.size(); ++i) {
        Kept& entry = entries_[i];
        if (!entry.live || entry.sent) continue;
        next_unsent_ = entry.number;
        return &entry;
    }
    return nullptr;
}

void Outbox::sent(bool done_with) noexcept {
    const std::size_t index = index_of(next_unsent_);
    if (index >= entries_.size()) return;
    Kept& entry = entries_[index];
    if (entry.number != next_unsent_ || !entry.live || entry.sent) return;
    entry.sent = true;
    entry.partly = false;
    if (done_with) release(entry);
    ++next_unsent_;
    --waiting_;
}

Outbox::Entry* Outbox::find(std::uint64_t number) noexcept {
    const std::size_t index = index_of(number);
    if (index >= entries_.size() || entries_[index].number != number || !entries_[index].live) return nullptr;
    return &entries_[index];
}

void Outbox::erase(std::uint64_t number) noexcept {
    const std::size_t index = index_of(number);
    if (index >= entries_.size() || entries_[index].number != number || !entries_[index].live) return;
    Kept& entry = entries_[index];
    if (!entry.sent) --waiting_;
    entry.live = false;
    --live_;
    bytes_ -= entry.size;
    release(entry);
    while (!entries_.empty() && !entries_.front().live) entries_.pop_front();
    if (entries_.size() >= 64 && live_ < entries_.size() / 8) tidy();
}

void Outbox::release(Kept& entry) noexcept {
    Block* const block = std::exchange(entry.block, nullptr);
    if (block == nullptr) return;
    entry.bytes = {};
    if (--block->messages > 0) return;
    if (block == current_) {
        block->used = 0;
        return;
    }
    if (spare_ == nullptr && block->size == k_block) {
        block->used = 0;
        spare_ = block;
        return;
    }
    held_ -= block->size;
    Block::destroy(block);
}

/// The first has stayed while most that came after it have ended: they are looked for by their numbers from now on.
void Outbox::tidy() noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].live) entries_[kept++] = entries_[i];
    while (entries_.size() > kept) entries_.pop_back();
}

void Outbox::rewind() noexcept {
    next_unsent_ = entries_.empty() ? last_ + 1 : entries_.front().number;
    waiting_ = live_;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        Kept& entry = entries_[i];
        if (!entry.live) continue;
        if (entry.sent || entry.partly) entry.again = true;
        entry.sent = entry.partly = false;
    }
}

}  // namespace qconn::amqp
