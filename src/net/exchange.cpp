// SPDX-License-Identifier: Apache-2.0
#include "net/exchange.hpp"

#include <array>
#include <exception>
#include <utility>

#include <qconn/base/result.hpp>
#include <qconn/net/net_error.hpp>

#include "net/dial.hpp"
#include "net/dialogue_driver.hpp"

namespace qconn::net {
namespace {

/// A dialled stream, or what came of it.
struct DialOutcome {
    Baton baton;
    std::optional<Result<std::unique_ptr<Stream>>> result;
};

bool must_wait(const IoResult& step) noexcept { return step.kind == IoResult::Kind::want_read || step.kind == IoResult::Kind::want_write; }
Ready side_of(const IoResult& step) noexcept { return step.kind == IoResult::Kind::want_read ? Ready::read : Ready::write; }

}  // namespace

Error lost(const Job& job, const Stream& stream, std::optional<Error> error, std::string_view awaited) {
    if (error) return in_job(job, std::move(*error)).with_phase(Phase::protocol);
    std::string what = stream.peer() + " closed the connection before ";
    what.append(awaited).append(" came");
    return in_job(job, Error{make_error_code(NetErrc::io), error_name(NetErrc::io), std::move(what)})
        .with_phase(Phase::protocol)
        .with_reason(Reason::closed)
        .with_retryable(true)
        .with_spoils_connection(true);
}

Task<std::unique_ptr<Stream>> connect(Call& call, const Endpoint& endpoint, Deadline by) {
    DialOutcome outcome;
    auto dial = start_dial(call.loop(), endpoint, call.job().label, nullptr, [&outcome](Result<std::unique_ptr<Stream>> result) {
        outcome.result.emplace(std::move(result));
        outcome.baton.notify();
    });
    call.expect(Phase::connect, "the connection", {}, by);
    std::exception_ptr stopped;
    try {
        co_await Wait{call, outcome.baton};
    } catch (Error& error) { stopped = std::make_exception_ptr(error.with_phase(dial->phase())); }
    if (stopped) std::rethrow_exception(stopped);
    dial.reset();
    if (!*outcome.result) throw in_job(call.job(), outcome.result->error());
    co_return std::move(*outcome.result).value();
}

Task<bool> shake_hands(Call& call, Stream& stream) {
    for (;;) {
        auto step = stream.handshake();
        if (step.kind == IoResult::Kind::done) co_return true;
        if (!must_wait(step)) {
            if (step.error) throw in_job(call.job(), std::move(*step.error)).with_phase(Phase::tls);
            throw lost(call.job(), stream, std::nullopt, "the TLS handshake was over");
        }
        const auto side = side_of(step);
        co_await StreamWait{call, stream, side};
    }
}

Task<std::string> hold(Call& call, Stream& stream, Dialogue& dialogue, UniqueFunction<void(Stream&)> begin_tls, Deadline by,
                       const std::error_category& own) {
    using State = DialogueDriver::State;
    DialogueDriver driver{stream, dialogue};
    State state = driver.begin();
    while (state != State::done) {
        call.expect(dialogue.phase(), dialogue.awaited(), {}, by);
        if (state == State::failed) {
            Error error = driver.error();
            const bool ours = error.code().category() == own;
            throw ours ? error : in_job(call.job(), std::move(error));
        }
        if (state == State::start_tls) {
            begin_tls(stream);
            co_await shake_hands(call, stream);
            state = driver.begin();
        } else {
            const auto side = driver.waits_for();
            co_await StreamWait{call, stream, side};
            state = driver.pump();
        }
    }
    co_return driver.rest();
}

Task<bool> write_all(Call& call, Stream& stream, std::string_view bytes, Phase phase, std::string_view awaited, std::chrono::milliseconds silence) {
    while (!bytes.empty()) {
        auto step = stream.write_some(bytes);
        if (step.kind == IoResult::Kind::done) {
            bytes.remove_prefix(step.size);
            continue;
        }
        if (!must_wait(step)) throw lost(call.job(), stream, std::move(step.error), awaited);
        call.expect(phase, awaited, silence);
        const auto side = side_of(step);
        co_await StreamWait{call, stream, side};
    }
    co_return true;
}

Task<bool> read_more(Call& call, Stream& stream, std::string& input, Phase phase, std::string_view awaited, std::chrono::milliseconds silence) {
    std::array<char, 16 * 1024> buffer;
    for (;;) {
        auto step = stream.read_some(buffer.data(), buffer.size());
        if (step.kind == IoResult::Kind::done) {
            input.append(buffer.data(), step.size);
            co_return true;
        }
        if (step.kind == IoResult::Kind::closed) co_return false;
        if (!must_wait(step)) throw lost(call.job(), stream, std::move(step.error), awaited);
        call.expect(phase, awaited, silence);
        const auto side = side_of(step);
        co_await StreamWait{call, stream, side};
    }
}

}  // namespace qconn::net
