// SPDX-License-Identifier: Apache-2.0
#include "testing/websocket_peer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace qconn::testing {

namespace {

constexpr std::size_t k_longest_head = 65536;
constexpr std::uint64_t k_longest_payload = std::uint64_t{64} << 20U;

// RFC 6455 section 5.2
constexpr unsigned k_op_text = 1;
constexpr unsigned k_op_binary = 2;
constexpr unsigned k_op_close = 8;
constexpr unsigned k_op_ping = 9;
constexpr unsigned k_op_pong = 10;

/// FIPS 180-4 section 6.1: the handshake has nothing better. No secret depends on it.
std::string sha1(std::string_view text) {
    std::string padded{text};
    padded += '\x80';
    while (padded.size() % 64 != 56) padded += '\0';
    const std::uint64_t bits = std::uint64_t{text.size()} * 8;
    for (int shift = 56; shift >= 0; shift -= 8) padded += static_cast<char>(bits >> static_cast<unsigned>(shift) & 0xFFU);
    std::array<std::uint32_t, 5> h{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    for (std::size_t block = 0; block < padded.size(); block += 64) {
        std::array<std::uint32_t, 80> w{};
        for (std::size_t i = 0; i < 64; ++i) w[i / 4] = w[i / 4] << 8U | static_cast<unsigned char>(padded[block + i]);
        for (std::size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        auto [a, b, c, d, e] = h;
        for (std::size_t i = 0; i < 80; ++i) {
            const std::uint32_t f = i < 20 ? ((b & c) | (~b & d)) : i >= 40 && i < 60 ? ((b & c) | (b & d) | (c & d)) : (b ^ c ^ d);
            const std::uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            const std::uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
            e = std::exchange(d, std::exchange(c, std::rotl(std::exchange(b, std::exchange(a, next)), 30)));
        }
        h = {h[0] + a, h[1] + b, h[2] + c, h[3] + d, h[4] + e};
    }
    std::string out;
    for (const std::uint32_t word : h)
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(word >> static_cast<unsigned>(shift) & 0xFFU);
    return out;
}

std::string base64_of(std::string_view bytes) {
    constexpr std::string_view k_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k) three = three << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : k_digits[three >> (18U - 6U * static_cast<unsigned>(k)) & 63U];
    }
    return out;
}

std::string frame_of(unsigned opcode, std::string_view payload, bool fin) {
    std::string out{static_cast<char>((fin ? 0x80U : 0U) | opcode)};
    const std::uint64_t size = payload.size();
    const unsigned more = size < 126 ? 0 : size < 65536 ? 2 : 8;
    out += static_cast<char>(more == 0 ? size : more == 2 ? 126 : 127);
    for (unsigned i = more; i > 0; --i) out += static_cast<char>(size >> (8U * (i - 1)) & 0xFFU);
    return out.append(payload);
}

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string websocket_acceptance(std::string_view key, std::string_view subprotocol) {
    std::string out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
    out += base64_of(sha1(std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    if (!subprotocol.empty()) out.append("\r\nSec-WebSocket-Protocol: ").append(subprotocol);
    return out + "\r\n\r\n";
}

std::string http_refusal(int status) {
    return "HTTP/1.1 " + std::to_string(status) + (status == 404 ? " Not Found" : " Refused") + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

std::string text_frames(std::string_view text, std::size_t fragment) {
    if (fragment == 0 || text.size() <= fragment) return frame_of(k_op_text, text, true);
    std::string out;
    unsigned opcode = k_op_text;
    for (std::size_t at = 0; at < text.size(); at += fragment)
        out += frame_of(std::exchange(opcode, 0U), text.substr(at, fragment), at + fragment >= text.size());
    return out;
}

std::string pong_frame(std::string_view payload) { return frame_of(k_op_pong, payload, true); }

std::string close_frame(std::uint16_t code, std::string_view reason) {
    std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
    return frame_of(k_op_close, payload.append(reason.substr(0, 123)), true);
}

WebSocketPeer::Got WebSocketPeer::next() {
    std::optional<Got> got = open_ ? frame() : handshake();
    while (!got) got = frame();
    if (got == Got::nothing || at_ > (std::size_t{1} << 20U)) input_.erase(0, std::exchange(at_, 0));
    return *got;
}

WebSocketPeer::Got WebSocketPeer::handshake() {
    const std::size_t end = input_.find("\r\n\r\n");
    if (end == std::string::npos) return input_.size() > k_longest_head ? Got::garbage : Got::nothing;
    std::string_view head = std::string_view{input_}.substr(0, end + 2);
    at_ = end + 4;
    const auto line = [&head] {
        const std::size_t size = head.find("\r\n");
        const std::string_view out = head.substr(0, size);
        head.remove_prefix(size + 2);
        return out;
    };
    std::string_view first = line();
    if (!first.starts_with("GET /")) return Got::garbage;
    first.remove_prefix(4);
    path_ = first.substr(0, first.find_first_of(" ?"));
    bool upgrades = false;
    while (!head.empty()) {
        const std::string_view one = line();
        const std::size_t colon = std::min(one.find(':'), one.size());
        const std::string_view name = one.substr(0, colon);
        const std::string_view value = without_blanks(one.substr(std::min(colon + 1, one.size())));
        if (same_name(name, "Sec-WebSocket-Key")) key_ = value;
        if (same_name(name, "Sec-WebSocket-Protocol")) subprotocols_ = value;
        if (same_name(name, "Upgrade")) upgrades = same_name(value, "websocket");
    }
    if (!upgrades || key_.empty()) return Got::garbage;
    open_ = true;
    return Got::handshake;
}

/// Nothing: a part of a message was taken.
std::optional<WebSocketPeer::Got> WebSocketPeer::frame() {
    const std::string_view rest = std::string_view{input_}.substr(at_);
    const auto byte = [&rest](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(rest[i])); };
    if (rest.size() < 2) return Got::nothing;
    const bool fin = (byte(0) & 0x80U) != 0;
    const unsigned opcode = byte(0) & 0x0FU;
    if ((byte(0) & 0x70U) != 0 || (byte(1) & 0x80U) == 0) return Got::garbage;  // no extension was agreed on; clients mask
    std::uint64_t size = byte(1) & 0x7FU;
    const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    const std::size_t head = 2 + more + 4;
    if (rest.size() < head) return Got::nothing;
    if (more != 0) size = 0;
    for (std::size_t i = 0; i < more; ++i) size = size << 8U | byte(2 + i);
    const bool control = opcode >= k_op_close;
    if (size > k_longest_payload || (control && (size > 125 || !fin))) return Got::garbage;
    if (rest.size() - head < size) return Got::nothing;
    std::string payload{rest.substr(head, static_cast<std::size_t>(size))};
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ byte(head - 4 + i % 4));
    at_ += head + payload.size();
    if (control) {
        payload_ = std::move(payload);
        switch (opcode) {
            case k_op_close: return Got::close;
            case k_op_ping: return Got::ping;
            case k_op_pong: return Got::pong;
            default: return Got::garbage;
        }
    }
    // A message begins with its kind, and goes on with 0.
    if (opcode > k_op_binary || (opcode == 0) != (kind_ != 0)) return Got::garbage;
    if (opcode != 0) kind_ = opcode;
    message_ += payload;
    if (message_.size() > k_longest_payload) return Got::garbage;
    if (!fin) return std::nullopt;
    payload_ = std::exchange(message_, {});
    return std::exchange(kind_, 0U) == k_op_text ? Got::text : Got::binary;
}

}  // namespace qconn::testing
