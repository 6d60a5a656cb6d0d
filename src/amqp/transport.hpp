// SPDX-License-Identifier: Apache-2.0
/// The bytes of one AMQP connection: dialed, read, written.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/runtime.hpp>

#include "net/runtime_impl.hpp"

namespace qconn::websocket {
struct Settings;
}

namespace qconn::amqp {

/// Told what happens, and asked for what is to be written; on the loop, never from inside a call to the transport.
class TransportHandler {
public:
    virtual ~TransportHandler() = default;
    virtual void on_up(const std::string& peer, const std::optional<TlsInfo>& tls) = 0;
    /// @returns how many were taken; the rest comes again with more behind it
    virtual std::size_t on_bytes(std::string_view bytes) = 0;
    /// Bytes that are waited for, as far as is known.
    virtual std::size_t wanted() const noexcept = 0;
    /// All that had come for now was given.
    virtual void on_turn() = 0;
    virtual std::string_view output() const noexcept = 0;
    virtual void on_written(std::size_t size) = 0;
    /// The peer has closed its side.
    virtual void on_eof() = 0;
    /// There is none, or it broke. Nothing follows.
    virtual void on_down(Error error) = 0;
};

/// All functions are for the loop's thread.
class Transport {
public:
    /// Begins to dial at once; without a deadline: whoever waits lets go of it.
    /// @param handler  lives until on_down(), finish() or drop()
    static std::shared_ptr<Transport> open(net::Loop& loop, Endpoint endpoint, std::string label, TransportHandler& handler);
    /// The same over WebSocket. Not there where qconn is built without that.
    static std::shared_ptr<Transport> open_websocket(net::Loop& loop, std::shared_ptr<const websocket::Settings> settings, TransportHandler& handler);
    virtual ~Transport() = default;

    /// Where dialing stands.
    virtual Phase phase() const noexcept = 0;
    /// What is dialed has its last chance: on_up() or on_down() come from inside.
    virtual void expire() = 0;
    /// There is output: it is written when the turn of the loop is over.
    virtual void poke() = 0;
    /// Reading stops, and goes on.
    virtual void pause(bool yes) = 0;
    /// Reads what there is now; for looking before a deadline is judged.
    virtual void read_now() = 0;
    /// Writes what there is to be written, and closes so that the peer can read it. The handler is not called any more.
    virtual void finish(const Runtime& runtime) = 0;
    /// Ends at once. The handler is not called any more.
    virtual void drop() noexcept = 0;
};

}  // namespace qconn::amqp
