// SPDX-License-Identifier: Apache-2.0
/// A network that can be broken: a TCP proxy in front of a real server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <qconn/base/export.hpp>

namespace qconn::testing {

/// What becomes of who connects.
enum class Door : std::uint8_t {
    open,    ///< passed on to the server; reset where that is not there
    refuse,  ///< nothing listens there
    reset,   ///< taken, and RST at once
    close,   ///< taken, and FIN at once
    silent,  ///< taken, and never a word
};

/// How a FaultProxy misbehaves. A value type; the default passes everything.
struct Faults {
    /// Of new connections. Those that stand go on.
    Door door{Door::open};
    /// Nothing passes any more, in either direction and on connections that stand too; not even that an end closes. What comes meanwhile is delivered
    /// once this is over.
    bool half_open{false};
    /// Each block, in either direction, passes after that time.
    std::chrono::milliseconds delay{0};
    /// The most that passes, in either direction. Zero: no limit.
    std::size_t bytes_per_second{0};
    /// The largest piece that is sent at once, for example 1. Zero: no limit.
    std::size_t chunk{0};
    /// After so many bytes to the client, counted for each connection: FIN to both; RST to the client; silence, and the connection stays.
    std::optional<std::size_t> close_after{};
    std::optional<std::size_t> reset_after{};
    std::optional<std::size_t> stall_after{};
    /// Index of a byte to the client whose bits are inverted.
    std::optional<std::size_t> invert_at{};
};

/// A TCP proxy on a free port of 127.0.0.1. Everything may be changed while it runs; it works in a thread of its own, without qconn's runtime, and
/// leaves no descriptor behind.
/// @note Thread-safe.
class QCONN_API FaultProxy {
public:
    /// @param port  of the server, on 127.0.0.1
    /// @throws std::system_error
    explicit FaultProxy(std::uint16_t port, Faults faults = {});
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;
    /// Resets the connections that stand.
    ~FaultProxy();

    std::uint16_t port() const noexcept;
    /// "127.0.0.1:PORT".
    std::string address() const;

    /// In the place of those before; holds when it has returned.
    void set(Faults faults);
    /// No faults.
    void clear() { set({}); }
    /// RST to every client now.
    void cut();

    /// How many were taken so far, and how many stand.
    std::size_t connections() const;
    std::size_t live() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace qconn::testing
