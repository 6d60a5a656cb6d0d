// SPDX-License-Identifier: Apache-2.0
/// A protocol's part of a ping, or of any short exchange, without I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// What is said over an established byte stream, as a state machine without sockets, clocks or threads: bytes in, bytes and a decision out. The
/// network layer carries it out, plain or under TLS, and owns the deadline.
/// @note One thread at a time.
class QCONN_API Dialogue {
public:
    enum class Want {
        read,       ///< send what is in `out`, then more input
        start_tls,  ///< send what is in `out`, then the handshake, then begin() again
        done,       ///< over; what is in `out` is sent where that needs no waiting
        failed,
    };
    struct Step {
        Want want{Want::read};
        /// How much of the input was used; the rest is offered again together with what comes next.
        std::size_t used{0};
        /// Set exactly when `want` is `failed`: phase, reason and the peer's own words.
        std::optional<Error> error{};
    };

    virtual ~Dialogue();
    /// The stream is ready. Appends to `out`.
    virtual Step begin(std::string& out) = 0;
    /// `input` has arrived, in pieces of any size; with `closed` the peer will send nothing more.
    virtual Step feed(std::string_view input, bool closed, std::string& out) = 0;
    /// Asked after `done`: whether the same stream can carry another one of the same kind.
    virtual bool keeps_stream() const noexcept { return false; }
    /// What the peer said, for people: a status line, a greeting. No secrets.
    virtual std::string evidence() const { return {}; }
    /// What the wait that a time-out ended was for: "the greeting", "the answer to GET /health".
    virtual std::string_view awaited() const noexcept { return "an answer"; }
    /// The phase that a time-out or a cut connection is reported in.
    virtual Phase phase() const noexcept { return Phase::protocol; }
};

}  // namespace qconn
