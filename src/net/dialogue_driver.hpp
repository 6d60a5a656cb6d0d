// SPDX-License-Identifier: Apache-2.0
/// Carries a Dialogue's bytes to and from a Stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/net/dialogue.hpp>

#include "net/fd_watch.hpp"

namespace qconn::net {

class Stream;

/// Reads and writes as far as that needs no waiting; who owns it waits. @note One thread at a time; stream and dialogue live as long as it.
class DialogueDriver {
public:
    /// Input that a dialogue leaves lying about; each has smaller limits of its own.
    static constexpr std::size_t k_max_input = std::size_t{1024} * 1024;

    enum class State : std::uint8_t {
        waiting,    ///< call pump() again when the stream is ready for waits_for()
        start_tls,  ///< then begin() again
        done,
        failed,  ///< error()
    };

    DialogueDriver(Stream& stream, Dialogue& dialogue) : stream_{stream}, dialogue_{dialogue} {}

    State begin();
    State pump();
    Ready waits_for() const noexcept { return waits_for_; }
    const Error& error() const { return *error_; }
    /// Whether the peer has said anything yet.
    bool replied() const noexcept { return replied_; }
    /// Input that the dialogue has not used.
    const std::string& rest() const noexcept { return input_; }

private:
    State follow(Dialogue::Step step, bool closed);
    bool flush();
    State offer(std::string_view input, bool closed);
    State fail(Error error);

    Stream& stream_;
    Dialogue& dialogue_;
    std::string input_;
    std::string output_;
    std::size_t sent_{0};
    Ready waits_for_{Ready::read};
    bool replied_{false};
    Dialogue::Want want_{Dialogue::Want::read};
    std::optional<Error> error_;
    std::optional<Error> send_error_;
};

}  // namespace qconn::net
