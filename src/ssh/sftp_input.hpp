// SPDX-License-Identifier: Apache-2.0
/// Packets out of a stream of bytes. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ssh/sftp_block.hpp"
#include "ssh/sftp_packet.hpp"

namespace qconn::sftp {

/// Bytes are read into blocks, and packets are views into them, so that what a READ brought need not be copied. What a packet lies in stays as long
/// as somebody holds block().
class PacketInput {
public:
    enum class Outcome : std::uint8_t {
        packet,
        more,       ///< it takes more bytes
        malformed,  ///< a length or type that cannot be; it stays so
    };

    /// Blocks have room for two of the largest packets.
    static constexpr std::size_t k_block_size = 2 * (k_max_packet + 4);

    explicit PacketInput(std::shared_ptr<BlockPool> pool) : pool_{std::move(pool)} {}

    /// Where the next bytes go; never empty. Call next() until it wants more before.
    std::span<char> room();
    void filled(std::size_t size) noexcept { end_ += size; }
    Outcome next(Packet& packet) noexcept;
    /// What the packet that next() gave lies in.
    const BlockRef& block() const noexcept { return block_; }

private:
    std::shared_ptr<BlockPool> pool_;
    BlockRef block_;
    std::size_t begin_{0};  // of the packet that comes next
    std::size_t end_{0};    // of what has been read
};

}  // namespace qconn::sftp
