// SPDX-License-Identifier: Apache-2.0
#include "websocket/frame.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include <qconn/base/error.hpp>

namespace qconn::websocket {
namespace {

constexpr std::size_t k_most_control = 125;

unsigned byte_at(std::string_view text, std::size_t at) noexcept { return static_cast<unsigned char>(text[at]); }

bool is_control(unsigned opcode) noexcept { return opcode >= 8; }
bool is_known(unsigned opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

/// Bytes of a head that begins so; unmasked.
std::size_t head_size(std::string_view head) noexcept {
    const unsigned length = byte_at(head, 1) & 0x7FU;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

}  // namespace

std::string control_frame(Opcode opcode, std::string_view payload) {
    payload = payload.substr(0, k_most_control);
    std::array<unsigned char, 4> mask{};
    if (RAND_bytes(mask.data(), static_cast<int>(mask.size())) != 1) {
        throw make_error(Errc::system, "OpenSSL has no random numbers").with_reason(Reason::local);
    }
    std::string frame;
    frame.reserve(6 + payload.size());
    frame += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
    frame += static_cast<char>(0x80U | payload.size());
    frame.append(reinterpret_cast<const char*>(mask.data()), mask.size());
    for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(byte_at(payload, i) ^ mask[i % mask.size()]);
    return frame;
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
    std::string payload;
    if (code == 0) return payload;
    payload += static_cast<char>(code >> 8U);
    payload += static_cast<char>(code & 0xFFU);
    return payload += reason.substr(0, k_most_control - 2);
}

FrameReader::Found FrameReader::feed(std::string_view& input) {
    while (!in_payload_) {
        const std::size_t want = head_.size() < 2 ? 2 : head_size(head_);
        if (head_.size() == want) {
            const unsigned first = byte_at(head_, 0);
            const unsigned length = byte_at(head_, 1) & 0x7FU;
            const unsigned opcode = first & 0x0FU;
            if (!is_known(opcode) || (byte_at(head_, 1) & 0x80U) != 0 || (is_control(opcode) && (length > k_most_control || (first & 0x80U) == 0))) {
                return Found::broken;
            }
            opcode_ = static_cast<Opcode>(opcode);
            left_ = length;
            if (length > k_most_control) {
                left_ = 0;
                for (std::size_t i = 2; i < head_.size(); ++i) left_ = left_ << 8U | byte_at(head_, i);
            }
            payload_.clear();
            in_payload_ = true;
            break;
        }
        if (input.empty()) return Found::nothing;
        const std::size_t take = std::min(want - head_.size(), input.size());
        head_.append(input.substr(0, take));
        input.remove_prefix(take);
    }
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    const bool control = is_control(static_cast<unsigned>(opcode_));
    if (control) payload_.append(input.substr(0, take));
    input.remove_prefix(take);
    left_ -= take;
    if (left_ > 0) return Found::nothing;
    head_.clear();
    in_payload_ = false;
    return control ? Found::control : Found::data;
}

}  // namespace qconn::websocket
