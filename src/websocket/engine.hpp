// SPDX-License-Identifier: Apache-2.0
/// Frames of RFC 6455, by Boost.Beast, without sockets: bytes in from a source, bytes out into a buffer. Beast is in engine.cpp and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/websocket/websocket_options.hpp>

#include "net/stream.hpp"
#include "websocket/deflate_offer.hpp"

namespace boost::asio {
class io_context;
}

namespace qconn::websocket {

/// Where an engine reads from: a net::Stream, or memory.
class ByteInput {
public:
    virtual ~ByteInput() = default;
    /// As Stream::read_some().
    virtual net::IoResult read_some(char* data, std::size_t size) = 0;
    /// A read that brought less than was asked for has emptied it: there is no need to ask again before it is ready.
    virtual bool empties() const noexcept = 0;
};

/// Why an engine cannot go on.
struct EngineFault {
    enum class Kind : std::uint8_t {
        protocol,  ///< the peer broke the protocol; a close frame of 1002 or 1007 is in the output
        too_big,   ///< a message is larger than is allowed; 1009
        closed,    ///< the input ended without a close frame
        broken,    ///< `error`
        thrown,    ///< `error`: what a function of EngineEvents has thrown
    };
    Kind kind{Kind::protocol};
    std::string words{};
    std::optional<Error> error{};
};

/// What an engine has read. Called from inside run() only. Each may call the engine's functions for writing, and pause().
class EngineEvents {
public:
    virtual ~EngineEvents() = default;
    /// A whole message, or a part of one, as EngineOptions say; the view is good for the call.
    virtual void on_data(WebSocketKind kind, std::string_view data, bool last) = 0;
    /// A ping; the answer is in the output.
    virtual void on_ping_frame() = 0;
    virtual void on_pong_frame(std::string_view payload) = 0;
    /// A close frame; the answer is in the output, unless put_close() was called before. Nothing more is read.
    virtual void on_close_frame(std::uint16_t code, std::string_view reason) = 0;
    /// Nothing more is read.
    virtual void on_fault(EngineFault fault) = 0;
};

struct EngineOptions {
    Deflate deflate{};
    int level{6};
    /// Smaller messages are not compressed.
    std::size_t compress_above{0};
    /// 0: no limit.
    std::uint64_t max_message{0};
    /// Messages are put together before they are told of.
    bool whole{true};
    /// Pings are not answered while more than that waits in the output.
    std::size_t max_output{std::size_t{1} << 20};
};

/// The frames of one connection, from the end of the handshake on, in the role of a client.
/// @note One thread at a time. Not to be destroyed from inside run().
class Engine {
public:
    /// @param context  for timers that Beast makes and never arms; its thread need not run
    /// @param input, events  live as long as the engine
    static std::unique_ptr<Engine> make(boost::asio::io_context& context, ByteInput& input, EngineEvents& events, const EngineOptions& options);
    virtual ~Engine() = default;

    /// Bytes of the peer that were read with its answer to the handshake.
    virtual void prefill(std::string_view bytes) = 0;

    enum class Waits : std::uint8_t {
        read,     ///< run() again when the input can be read
        write,    ///< or written: TLS may want that for a read
        turn,     ///< run() again soon: others may have a turn
        nothing,  ///< paused, or over
    };
    /// Reads and tells of what has come, as far as that needs no waiting.
    virtual Waits run() = 0;
    /// Stops before the next message or part. resume() does nothing by itself: run() follows.
    virtual void pause() noexcept = 0;
    virtual void resume() noexcept = 0;

    /// Append frames to the output. Nothing is appended after put_close(), or when the peer's close frame has come.
    virtual void put(WebSocketKind kind, std::string_view data) = 0;
    virtual void put_part(WebSocketKind kind, std::string_view data, bool last) = 0;
    virtual void put_ping(std::string_view payload) = 0;
    virtual void put_close(std::uint16_t code, std::string_view reason) = 0;

    /// What is to be written.
    virtual std::string_view output() const noexcept = 0;
    virtual void wrote(std::size_t size) noexcept = 0;
};

}  // namespace qconn::websocket
