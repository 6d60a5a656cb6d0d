// SPDX-License-Identifier: Apache-2.0
#include "net/dialogue_driver.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "net/stream.hpp"

namespace qconn::net {

DialogueDriver::State DialogueDriver::fail(Error error) {
    if (error.connection().empty()) error.with_connection(stream_.label());
    if (error.phase() == Phase::none) error.with_phase(dialogue_.phase());
    error_ = std::move(error);
    return State::failed;
}

DialogueDriver::State DialogueDriver::begin() {
    input_.clear();
    const auto state = follow(dialogue_.begin(output_), false);
    if (state != State::waiting || stream_.may_hold_input()) return state == State::waiting ? pump() : state;
    // An answer takes its time: it is waited for, not looked for at once.
    const bool flushed = flush();
    if (want_ == Dialogue::Want::start_tls) return flushed ? State::start_tls : State::waiting;
    if (flushed) waits_for_ = Ready::read;
    return State::waiting;
}

DialogueDriver::State DialogueDriver::follow(Dialogue::Step step, bool closed) {
    want_ = step.want;
    switch (step.want) {
        case Dialogue::Want::failed:
            return fail(step.error
                            ? std::move(*step.error)
                            : Error{make_error_code(NetErrc::io), error_name(NetErrc::io), "the dialogue failed"}.with_reason(Reason::bad_answer));
        case Dialogue::Want::done: flush(); return State::done;
        case Dialogue::Want::start_tls:
        case Dialogue::Want::read: break;
    }
    if (closed) {
        if (send_error_) return fail(std::move(*send_error_));
        std::string message = stream_.peer() + " closed the connection before ";
        message.append(dialogue_.awaited());
        message += replied_ ? " was complete" : " came";
        return fail(Error{make_error_code(NetErrc::io), error_name(NetErrc::io), std::move(message)}
                        .with_reason(Reason::closed)
                        .with_retryable(true)
                        .with_spoils_connection(true));
    }
    return State::waiting;
}

/// @returns whether everything is sent
bool DialogueDriver::flush() {
    while (sent_ < output_.size()) {
        if (send_error_) return true;  // the answer may still be there to be read
        auto result = stream_.write_some(std::string_view{output_}.substr(sent_));
        switch (result.kind) {
            case IoResult::Kind::done: sent_ += result.size; break;
            case IoResult::Kind::want_read: waits_for_ = Ready::read; return false;
            case IoResult::Kind::want_write: waits_for_ = Ready::write; return false;
            case IoResult::Kind::closed:
            case IoResult::Kind::failed:
                if (result.error) send_error_ = std::move(result.error);
                return true;
        }
    }
    output_.clear();
    sent_ = 0;
    return true;
}

/// @param input  all that there is: input_, or, where that is empty, what has just come and lies in no string yet
DialogueDriver::State DialogueDriver::offer(std::string_view input, bool closed) {
    Dialogue::Step step = dialogue_.feed(input, closed, output_);
    if (input_.empty())
        input_.assign(input.substr(step.used));
    else
        input_.erase(0, step.used);
    return follow(std::move(step), closed);
}

DialogueDriver::State DialogueDriver::pump() {
    std::array<char, 16 * 1024> buffer;  // NOLINT: filled by read_some
    for (;;) {
        const bool flushed = flush();
        if (want_ == Dialogue::Want::start_tls) return flushed ? State::start_tls : State::waiting;
        const Ready blocked_on = waits_for_;
        auto result = stream_.read_some(buffer.data(), buffer.size());
        switch (result.kind) {
            case IoResult::Kind::done: {
                replied_ = true;
                std::string_view input{buffer.data(), result.size};
                if (!input_.empty()) input = input_.append(input);
                if (input.size() > k_max_input) {
                    return fail(Error{make_error_code(NetErrc::io), error_name(NetErrc::io),
                                      stream_.peer() + " sent more than 1 MiB that is not the protocol"}
                                    .with_reason(Reason::limit));
                }
                const State state = offer(input, false);
                if (state != State::waiting) return state;
                break;
            }
            case IoResult::Kind::want_read: waits_for_ = flushed ? Ready::read : blocked_on; return State::waiting;
            case IoResult::Kind::want_write: waits_for_ = Ready::write; return State::waiting;
            case IoResult::Kind::closed: return offer(input_, true);
            case IoResult::Kind::failed: return fail(send_error_ && !replied_ ? std::move(*send_error_) : std::move(*result.error));
        }
    }
}

}  // namespace qconn::net
