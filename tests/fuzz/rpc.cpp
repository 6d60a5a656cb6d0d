// SPDX-License-Identifier: Apache-2.0
/// Answers and calls of the RPC protocols: what is read can be written again, and is then read as the same. The first byte chooses the protocol.
#include "rpc/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"

using namespace qconn;

namespace {

/// Runs it; an Error of writing is an answer, too.
template <class Check>
void allow_refusals(Check check) {
    try {
        check();
    } catch (const Error& error) { QCONN_REQUIRE(error.code() == RpcErrc::serialization); }
}

void read_as_answer(const rpc::Dialect& dialect, std::string_view text) {
    const rpc::Protocol& protocol = *dialect.protocol;
    const std::vector<rpc::Expected> expected{{"add"}, {"note", dialect.kind == RpcProtocol::json}, {"add"}};
    const Result<rpc::Outcome> outcome = protocol.read_answer(dialect, text, expected.front());
    if (outcome) QCONN_REQUIRE(outcome->index() < 2);
    if (!outcome) QCONN_REQUIRE(outcome.error().code() == RpcErrc::parse || outcome.error().code() == RpcErrc::response);
    if (protocol.read_batch_answer == nullptr) return;
    const Result<rpc::BatchAnswer> batch = protocol.read_batch_answer(dialect, text, expected);
    if (batch) QCONN_REQUIRE(batch->refused ? batch->outcomes.empty() : batch->outcomes.size() == expected.size());
}

void read_as_calls(const rpc::Dialect& dialect, std::string_view text) {
    const rpc::Protocol& protocol = *dialect.protocol;
    const rpc::Requests requests = protocol.read_requests(text);
    QCONN_REQUIRE(!requests.all.empty());
    std::vector<rpc::Outcome> outcomes;
    for (const rpc::Request& request : requests.all) outcomes.emplace_back(request.params);
    allow_refusals([&] {
        std::string answer;
        protocol.write_answers(answer, requests, outcomes);
    });
    for (const rpc::Request& request : requests.all) {
        if (request.fault) continue;
        allow_refusals([&] {
            rpc::Dialect same = dialect;
            same.version = request.version;
            std::string call;
            protocol.write_call(call, same, {.method = request.method, .params = request.params, .notification = request.notification});
            const rpc::Requests again = protocol.read_requests(call);
            QCONN_REQUIRE(again.all.size() == 1 && !again.all.front().fault);
            QCONN_REQUIRE(again.all.front().method == request.method);
            QCONN_REQUIRE(again.all.front().notification == request.notification);
        });
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const RpcProtocol kind = data[0] == 'j' ? RpcProtocol::json : data[0] == 'x' ? RpcProtocol::xml : RpcProtocol::yaml;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    const rpc::Dialect dialect{&rpc::protocol_of(kind), kind, "2.0", true};
    read_as_answer(dialect, text);
    read_as_calls(dialect, text);
    return 0;
}
