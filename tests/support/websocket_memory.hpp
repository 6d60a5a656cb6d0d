// SPDX-License-Identifier: Apache-2.0
/// The frames of a server in memory, and what an engine makes of them.
#pragma once

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket/engine.hpp"

namespace qconn::test {

/// A frame as a server sends it.
inline std::string server_frame(unsigned opcode, std::string_view payload, bool fin = true, unsigned reserved = 0) {
    std::string frame{static_cast<char>((fin ? 0x80U : 0U) | reserved << 4U | opcode)};
    const auto size = static_cast<std::uint64_t>(payload.size());
    const auto add = [&](int bytes) {
        for (int i = bytes - 1; i >= 0; --i) frame += static_cast<char>(size >> (8U * static_cast<unsigned>(i)) & 0xFFU);
    };
    if (size < 126) {
        add(1);
    } else if (size < 65536) {
        frame += '\x7e';
        add(2);
    } else {
        frame += '\x7f';
        add(8);
    }
    return frame.append(payload);
}

/// A frame that a client has sent, unmasked.
struct ClientFrame {
    unsigned first{0};
    bool masked{false};
    std::string payload;
};

/// All whole frames at the beginning of it.
inline std::vector<ClientFrame> client_frames(std::string_view wire) {
    std::vector<ClientFrame> all;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(wire[at]); };
    while (wire.size() >= 2) {
        std::uint64_t size = byte(1) & 0x7FU;
        std::size_t at = 2;
        const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
        if (more != 0) size = 0;
        for (std::size_t i = 0; i < more; ++i) size = size << 8U | byte(at++);
        ClientFrame frame{byte(0), (byte(1) & 0x80U) != 0, {}};
        const std::string_view mask = wire.substr(at, frame.masked ? 4 : 0);
        at += mask.size();
        if (wire.size() < at + size) break;
        frame.payload = wire.substr(at, static_cast<std::size_t>(size));
        for (std::size_t i = 0; i < frame.payload.size() && !mask.empty(); ++i) frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
        wire.remove_prefix(at + static_cast<std::size_t>(size));
        all.push_back(std::move(frame));
    }
    return all;
}

/// An engine that reads from memory, and what it tells, as text.
class MemoryEngine final : private websocket::ByteInput, private websocket::EngineEvents {
public:
    explicit MemoryEngine(const websocket::EngineOptions& options = {}) : engine_{websocket::Engine::make(context_, *this, *this, options)} {}

    /// All of it, in pieces of at most so many bytes.
    void feed(std::string_view bytes, std::size_t piece = 0) {
        input_ += bytes;
        piece_ = piece == 0 ? input_.size() : piece;
        run();
    }
    void end() {
        ended_ = true;
        run();
    }
    void run() {
        for (int i = 0; i < 1'000'000; ++i) {
            if (engine_->run() != websocket::Engine::Waits::turn) return;
        }
    }
    websocket::Engine& engine() noexcept { return *engine_; }
    /// "text:hello", "pong:x", "close:1000:bye", "fault:2"
    std::vector<std::string> take_told() { return std::exchange(told_, {}); }
    std::vector<ClientFrame> take_sent() {
        const std::string wire{engine_->output()};
        engine_->wrote(wire.size());
        return client_frames(wire);
    }
    std::size_t told_bytes() const noexcept { return told_bytes_; }
    bool keeps{true};          ///< false: only counts
    std::size_t pause_after{0};  ///< messages; 0: never

private:
    net::IoResult read_some(char* data, std::size_t size) override {
        if (input_.empty()) return {ended_ ? net::IoResult::Kind::closed : net::IoResult::Kind::want_read};
        const std::size_t taken = std::min({size, input_.size(), piece_});
        std::copy_n(input_.begin(), taken, data);
        input_.erase(0, taken);
        return {net::IoResult::Kind::done, taken};
    }
    bool empties() const noexcept override { return false; }
    void tell(std::string text) {
        if (keeps) told_.push_back(std::move(text));
    }
    void on_data(WebSocketKind kind, std::string_view data, bool last) override {
        told_bytes_ += data.size();
        tell((kind == WebSocketKind::text ? "text:" : "binary:") + std::string{data} + (last ? "" : "..."));
        if (pause_after != 0 && --pause_after == 0) engine_->pause();
    }
    void on_ping_frame() override { tell("ping"); }
    void on_pong_frame(std::string_view payload) override { tell("pong:" + std::string{payload}); }
    void on_close_frame(std::uint16_t code, std::string_view reason) override { tell("close:" + std::to_string(code) + ':' + std::string{reason}); }
    void on_fault(websocket::EngineFault fault) override { tell("fault:" + std::to_string(static_cast<int>(fault.kind))); }

    boost::asio::io_context context_;
    std::string input_;
    std::size_t piece_{0};
    bool ended_{false};
    std::vector<std::string> told_;
    std::size_t told_bytes_{0};
    std::unique_ptr<websocket::Engine> engine_;  // last, so that it goes first
};

}  // namespace qconn::test
