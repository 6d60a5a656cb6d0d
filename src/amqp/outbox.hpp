// SPDX-License-Identifier: Apache-2.0
/// Messages of one sender that wait to be sent, or for their outcome.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "amqp/ring.hpp"

namespace qconn::amqp {

/// Encoded messages, in the order of their numbers (from 1). Their bytes lie in blocks that many messages share, each of which goes when none of its
/// messages is needed any more: no allocation per message, and one that waits for ever holds one block.
class Outbox {
public:
    struct Entry {
        std::uint64_t number{0};
        std::uint64_t token{0};  ///< the owner's
        std::string_view bytes;  ///< empty where they are not needed any more
        std::size_t size{0};
        std::uint32_t slot{0};  ///< likewise
        bool settled{false};
        bool sent{false};           ///< handed to the engine, in this connection
        bool partly{false};         ///< a part of it is
        bool again{false};          ///< was sent in an earlier connection, which ended before its outcome was known
        bool transactional{false};  ///< the owner's
        bool live{false};
    };

    /// Good until the next push() or erase(). Of one that is about to be sent whole the bytes need not be kept: see fill().
    Entry& push(std::string_view bytes, bool settled, std::uint64_t token, std::uint32_t slot = 0);
    /// The same without its bytes.
    Entry& push_bare(std::size_t size, bool settled, std::uint64_t token, std::uint32_t slot);
    /// The bytes of such a one are needed after all.
    void fill(std::uint64_t number, std::string_view bytes);
    /// The first that was not sent; null: none. Good until the next push() or erase().
    Entry* unsent() noexcept;
    /// The one that unsent() gave is sent. @param done_with  its bytes are not needed any more
    void sent(bool done_with = false) noexcept;
    Entry* find(std::uint64_t number) noexcept;
    /// Its outcome is known, or it is given up.
    void erase(std::uint64_t number) noexcept;
    /// The connection has ended. What was sent, and is still here, is sent again, in its order.
    void rewind() noexcept;

    bool empty() const noexcept { return live_ == 0; }
    std::size_t size() const noexcept { return live_; }
    /// Not sent, or not wholly.
    std::size_t waiting() const noexcept { return waiting_; }
    /// Of what is here.
    std::size_t bytes() const noexcept { return bytes_; }
    /// Memory of blocks, for a test that it does not grow.
    std::size_t held() const noexcept { return held_; }
    std::size_t slots() const noexcept { return entries_.capacity(); }

    /// For each that is here, in order. The call may not change the outbox.
    template <class Call>
    void each(Call&& call) {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (entries_[i].live) call(static_cast<Entry&>(entries_[i]));
    }

    Outbox() = default;
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;
    ~Outbox();

private:
    struct Block;
    struct Kept : Entry {
        Block* block{nullptr};
    };

    Block* room_for(std::size_t size);
    void release(Kept& entry) noexcept;
    void tidy() noexcept;
    /// Of the first whose number is not below that.
    std::size_t index_of(std::uint64_t number) const noexcept;

    Ring<Kept> entries_;  // by number; without gaps but for those that tidy() has made
    Block* current_{nullptr};
    Block* spare_{nullptr};
    std::uint64_t last_{0};  // number
    std::uint64_t next_unsent_{1};
    std::size_t live_{0};
    std::size_t waiting_{0};
    std::size_t bytes_{0};
    std::size_t held_{0};
};

}  // namespace qconn::amqp
