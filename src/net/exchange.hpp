// SPDX-License-Identifier: Apache-2.0
/// Steps that every exchange over a stream has, as coroutines of a Call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/dialogue.hpp>
#include <qconn/net/endpoint.hpp>

#include "net/call.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace qconn::net {

/// For a time that may be zero: never.
inline Deadline deadline_of(std::chrono::milliseconds time) { return time.count() > 0 ? Deadline{time} : Deadline{}; }

/// Of a stream that was closed (no `error`) or broke.
/// @param awaited  what did not come: "the greeting"
Error lost(const Job& job, const Stream& stream, std::optional<Error> error, std::string_view awaited);

/// Names, addresses, proxy, and TLS where the endpoint has it. What is thrown has the phase that it stood in.
/// @param endpoint  lives as long
Task<std::unique_ptr<Stream>> connect(Call& call, const Endpoint& endpoint, Deadline by);

/// After Stream::start_tls(). The call says what is waited for.
Task<bool> shake_hands(Call& call, Stream& stream);

/// Carries a dialogue out. @returns input that it has not used
/// @param begin_tls  puts TLS over the stream, where the dialogue asks for that
/// @param own        of errors that say already what was being done
Task<std::string> hold(Call& call, Stream& stream, Dialogue& dialogue, UniqueFunction<void(Stream&)> begin_tls, Deadline by,
                       const std::error_category& own);

/// Waits `silence` at a time. @throws Error as lost()
Task<bool> write_all(Call& call, Stream& stream, std::string_view bytes, Phase phase, std::string_view awaited, std::chrono::milliseconds silence);

/// Appends what has come to `input`, at least a byte. @returns false: the peer has closed its side
Task<bool> read_more(Call& call, Stream& stream, std::string& input, Phase phase, std::string_view awaited, std::chrono::milliseconds silence);

}  // namespace qconn::net
