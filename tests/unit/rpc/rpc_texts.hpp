// SPDX-License-Identifier: Apache-2.0
/// Texts of calls and answers, short enough to be compared.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rpc/codec.hpp"
#include "support/catch.hpp"

namespace qconn::test {

inline rpc::Dialect dialect(RpcProtocol kind, std::string version = "2.0", bool extensions = false) {
    return {&rpc::protocol_of(kind), kind, std::move(version), extensions};
}

inline std::string written(const rpc::Dialect& d, const RpcCall& call) {
    std::string out;
    d.protocol->write_call(out, d, call);
    return out;
}

inline std::string written(const rpc::Dialect& d, const std::vector<RpcCall>& calls) {
    std::string out;
    d.protocol->write_batch(out, d, calls);
    return out;
}

inline Result<rpc::Outcome> read(const rpc::Dialect& d, std::string_view text, std::string method = "add") {
    return d.protocol->read_answer(d, text, {std::move(method)});
}

inline Result<rpc::BatchAnswer> read(const rpc::Dialect& d, std::string_view text, const std::vector<rpc::Expected>& expected) {
    return d.protocol->read_batch_answer(d, text, expected);
}

/// The result in that text; anything else fails.
inline Value result_in(const rpc::Dialect& d, std::string_view text, std::string method = "add") {
    const auto outcome = read(d, text, std::move(method));
    INFO(text);
    if (!outcome) FAIL(outcome.error().what());
    REQUIRE(std::holds_alternative<Value>(*outcome));
    return std::get<Value>(*outcome);
}

inline rpc::Fault fault_in(const rpc::Dialect& d, std::string_view text) {
    const auto outcome = read(d, text);
    INFO(text);
    if (!outcome) FAIL(outcome.error().what());
    REQUIRE(std::holds_alternative<rpc::Fault>(*outcome));
    return std::get<rpc::Fault>(*outcome);
}

inline Error error_in(const rpc::Dialect& d, std::string_view text) {
    const auto outcome = read(d, text);
    INFO(text);
    REQUIRE_FALSE(outcome);
    return outcome.error();
}

/// What writing it must fail with.
inline Error refusal(const rpc::Dialect& d, const RpcCall& call) {
    try {
        written(d, call);
    } catch (const Error& error) { return error; }
    FAIL("it was written");
    throw std::logic_error{"not reached"};
}

/// What a server makes of a text, and what it answers with.
inline std::string served(RpcProtocol kind, const rpc::Requests& requests, const std::vector<rpc::Outcome>& outcomes) {
    std::string out;
    rpc::protocol_of(kind).write_answers(out, requests, outcomes);
    return out;
}

/// Every proper beginning of a text is an error, and none is read beyond its end.
inline void check_every_beginning(const rpc::Dialect& d, const std::string& text) {
    for (std::size_t n = 0; n < text.size(); ++n) {
        const std::vector<char> exact{text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n)};
        INFO(n);
        CHECK_FALSE(read(d, std::string_view{exact.data(), exact.size()}));
    }
}

}  // namespace qconn::test
