// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_input.hpp"

#include <cstring>

namespace qconn::sftp {

namespace {

constexpr std::size_t k_length = 4;
/// Type, and id or version.
constexpr std::size_t k_least_packet = 5;
/// With less room than this a new block is begun, unless a packet waits for less.
constexpr std::size_t k_least_room = 16 * 1024;

std::uint32_t big_endian(const char* from) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | static_cast<unsigned char>(from[i]);
    return value;
}

}  // namespace

std::span<char> PacketInput::room() {
    if (!block_) block_ = pool_->take();
    const std::size_t held = end_ - begin_;
    if (held == 0 && begin_ > 0 && block_.is_only_owner()) begin_ = end_ = 0;
    // A packet has to lie in one block.
    const std::size_t known = held >= k_length ? k_length + big_endian(block_.data() + begin_) : 0;
    const std::size_t wanted = known > held ? known - held : k_least_room;
    if (k_block_size - end_ < wanted) {
        BlockRef next = pool_->take();
        std::memcpy(next.data(), block_.data() + begin_, held);
        block_ = std::move(next);
        begin_ = 0;
        end_ = held;
    }
    return {block_.data() + end_, k_block_size - end_};
}

PacketInput::Outcome PacketInput::next(Packet& packet) noexcept {
    const std::size_t held = end_ - begin_;
    if (held < k_length) return Outcome::more;
    const char* const at = block_.data() + begin_;
    const std::size_t size = big_endian(at);
    if (size < k_least_packet || size > k_max_packet) return Outcome::malformed;
    if (held < k_length + size) return Outcome::more;
    packet.type = static_cast<PacketType>(static_cast<unsigned char>(at[k_length]));
    packet.id = big_endian(at + k_length + 1);
    packet.body = {at + k_length + k_least_packet, size - k_least_packet};
    begin_ += k_length + size;
    return Outcome::packet;
}

}  // namespace qconn::sftp
