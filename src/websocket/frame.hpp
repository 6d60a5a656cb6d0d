// SPDX-License-Identifier: Apache-2.0
/// Small frames (RFC 6455 section 5.2) written and read by hand: control frames, and the little that a ping needs to see of others. Messages are
/// Beast's affair (engine.hpp). Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qconn::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// A whole control frame of a client, masked with a random key. At most 125 bytes of payload.
std::string control_frame(Opcode opcode, std::string_view payload);
/// The payload of a close frame; code 0: an empty one.
std::string close_payload(std::uint16_t code, std::string_view reason);

/// Finds the frames of a server in what comes piece by piece; keeps the payloads of control frames only.
class FrameReader {
public:
    enum class Found : std::uint8_t {
        nothing,  ///< all input was used, more is needed
        control,  ///< opcode() and payload()
        data,     ///< the end of a frame of data
        broken,   ///< what comes is no frame
    };
    /// Uses input up to the end of a frame.
    Found feed(std::string_view& input);
    Opcode opcode() const noexcept { return opcode_; }
    const std::string& payload() const noexcept { return payload_; }

private:
    std::string head_;
    std::string payload_;
    std::uint64_t left_{0};
    Opcode opcode_{Opcode::text};
    bool in_payload_{false};
};

}  // namespace qconn::websocket
