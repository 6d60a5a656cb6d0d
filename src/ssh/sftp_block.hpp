// SPDX-License-Identifier: Apache-2.0
/// Memory that bulk data travels in: filled once, then handed on without a copy, also to another thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace qconn::sftp {

class BlockPool;

/// Bytes that several own.
struct Block {
    std::shared_ptr<BlockPool> home;
    std::unique_ptr<char[]> bytes;
    std::atomic<unsigned> owners{0};
};

/// An owner of a block; empty or not. The last one gives it back to its pool, from whichever thread.
class BlockRef {
public:
    BlockRef() noexcept = default;
    explicit BlockRef(Block* block) noexcept : block_{block} { block_->owners.fetch_add(1, std::memory_order_relaxed); }
    BlockRef(const BlockRef& other) noexcept : block_{other.block_} {
        if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    BlockRef(BlockRef&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
    BlockRef& operator=(BlockRef other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~BlockRef();

    explicit operator bool() const noexcept { return block_ != nullptr; }
    char* data() const noexcept { return block_->bytes.get(); }
    /// Nobody else reads it any more.
    bool is_only_owner() const noexcept { return block_->owners.load(std::memory_order_acquire) == 1; }

private:
    Block* block_{nullptr};
};

/// A part of a block, kept alive with it.
struct Slice {
    BlockRef block;
    std::string_view bytes;
};

/// Blocks of one size; some of those that nobody has are kept.
/// @note Thread-safe.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
public:
    BlockPool(std::size_t block_size, std::size_t keep) : size_{block_size}, keep_{keep} {}
    BlockPool(const BlockPool&) = delete;
    BlockPool& operator=(const BlockPool&) = delete;
    ~BlockPool() {
        for (Block* block : spare_) delete block;
    }

    std::size_t block_size() const noexcept { return size_; }
    BlockRef take() {
        Block* block = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            if (!spare_.empty()) {
                block = spare_.back();
                spare_.pop_back();
            }
        }
        if (block == nullptr) {
            auto made = std::make_unique<Block>();
            made->bytes.reset(new char[size_]);  // without zeros
            block = made.release();
        }
        block->home = shared_from_this();
        return BlockRef{block};
    }

    /// Lets go of those that are kept; nothing is under way.
    void trim() noexcept {
        const std::scoped_lock lock{mutex_};
        for (Block* block : spare_) delete block;
        spare_.clear();
    }

private:
    friend class BlockRef;
    void give_back(std::unique_ptr<Block> block) noexcept {
        const auto self = std::move(block->home);  // maybe the last owner of the pool: after the lock
        const std::scoped_lock lock{mutex_};
        if (spare_.size() < keep_ && spare_.capacity() >= keep_) spare_.push_back(block.release());
    }
    void reserve() { spare_.reserve(keep_); }
    friend std::shared_ptr<BlockPool> make_block_pool(std::size_t block_size, std::size_t keep);

    const std::size_t size_;
    const std::size_t keep_;
    std::mutex mutex_;
    std::vector<Block*> spare_;  // under mutex_
};

inline std::shared_ptr<BlockPool> make_block_pool(std::size_t block_size, std::size_t keep) {
    auto pool = std::make_shared<BlockPool>(block_size, keep);
    pool->reserve();
    return pool;
}

inline BlockRef::~BlockRef() {
    if (block_ == nullptr || block_->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const auto home = block_->home;
    home->give_back(std::unique_ptr<Block>{block_});
}

}  // namespace qconn::sftp
