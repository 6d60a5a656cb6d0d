// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "rpc_texts.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

const rpc::Dialect k_yaml = dialect(RpcProtocol::yaml);

rpc::Requests requests_in(std::string_view text) { return rpc::protocol_of(RpcProtocol::yaml).read_requests(text); }

}  // namespace

TEST_CASE("a YAML-RPC call is a map of method and params", "[rpc]") {
    CHECK(written(k_yaml, {"add", List{1, "2"}}) == "method: \"add\"\nparams: [1, \"2\"]\n");
    CHECK(written(k_yaml, {"now"}) == "method: \"now\"\nparams: null\n");
    CHECK(written(k_yaml, {"named", Map{{"a", "true"}}}) == "method: \"named\"\nparams: {a: \"true\"}\n");
}

TEST_CASE("values have the tags that Qorus gives them", "[rpc]") {
    const std::vector<std::pair<Value, std::string>> tags{
        {Value::decimal("3.5"), "!number \"3.5n{128}\""},
        {Duration{27, 4, (5 * 3600 + 6 * 60 + 7) * 1'000'000'000LL + 8000}, "!duration P2Y3M4DT5H6M7S8u"},
        {Duration{}, "!duration P0D"},
        {Value::binary(std::string_view{"\x00\xFF\x10", 3}), "!!binary \"AP8Q\""},
        {Timestamp{1273066502, 100'000'000, 120, true}, "2010-05-05T15:35:02.1+02:00"},
        {Value::tagged("!sqlnull", {}), "!sqlnull null"},
        {std::numeric_limits<double>::infinity(), "!!float \"@inf@\""},
        {-std::numeric_limits<double>::infinity(), "!!float \"-@inf@\""},
        {"P1D", "\"P1D\""},
        {"sqlnull", "\"sqlnull\""},
        {"2010-05-05", "\"2010-05-05\""},
    };
    for (const auto& [value, text] : tags) {
        CHECK(written(k_yaml, {"m", List{value}}) == "method: \"m\"\nparams: [" + text + "]\n");
        CHECK(result_in(k_yaml, "result: " + text) == value);
    }
}

TEST_CASE("both forms of a YAML-RPC result are read", "[rpc]") {
    CHECK(result_in(k_yaml, "result: 3", "add") == Value{3});
    CHECK(result_in(k_yaml, "result:\n  add: 3\n", "add") == Value{3});
    CHECK(result_in(k_yaml, "result: {add: null}", "add").is_null());
    // Nothing but exactly the method is taken away.
    CHECK(result_in(k_yaml, "result: {Add: 3}", "add") == Value{Map{{"Add", 3}}});
    CHECK(result_in(k_yaml, "result: {add: 3, more: 4}", "add") == Value{Map{{"add", 3}, {"more", 4}}});
    CHECK(result_in(k_yaml, "result: {add: {add: 3}}", "add") == Value{Map{{"add", 3}}});
    CHECK(result_in(k_yaml, "result: null").is_null());
    CHECK(result_in(k_yaml, "result: !mine [1]") == Value::tagged("!mine", List{1}));
}

TEST_CASE("YAML-RPC errors are read", "[rpc]") {
    CHECK(fault_in(k_yaml, "error:\n  name: YAMLRPCError\n  code: 105\n  message: \"YAML-RPC-SERVER-UNKNOWN-METHOD: x\"\n") ==
          rpc::Fault{105, "YAML-RPC-SERVER-UNKNOWN-METHOD: x"});
    CHECK(fault_in(k_yaml, "error: {name: YAMLRPCError, code: 104, message: m, error: {err: X}}") == rpc::Fault{104, "m", Map{{"err", "X"}}});
}

TEST_CASE("what is no answer to a YAML-RPC call says why", "[rpc]") {
    for (const std::string_view text : {"", "just words", "[1]", "other: 1", "result: 1\nerror: {code: 1, message: m}", "error: null"}) {
        INFO(text);
        CHECK(error_in(k_yaml, text).name() == "YAMLRPCCLIENT-RESPONSE-ERROR");
    }
    for (const std::string_view text : {"result: [", "result: 'x", "a: b: c", "--- 1\n--- 2\n", "result: *nowhere"}) {
        INFO(text);
        CHECK(error_in(k_yaml, text).name() == "YAML-PARSER-ERROR");
    }
    CHECK(error_in(k_yaml, "result: " + std::string(2000, '[')).reason() == Reason::limit);
    std::string bomb = "a0: &a0 [x, x]\n";
    for (int i = 1; i < 40; ++i)
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" + std::to_string(i - 1) + "]\n";
    CHECK(error_in(k_yaml, bomb + "result: *a39\n").reason() == Reason::limit);
}

TEST_CASE("a method's name cannot break out of a YAML-RPC call", "[rpc]") {
    CHECK(written(k_yaml, {"a\"b: #"}) == "method: \"a\\\"b: #\"\nparams: null\n");
    CHECK(refusal(k_yaml, {"a\nparams: [1]"}).name() == "YAML-SERIALIZATION-ERROR");
    Value nested{1};
    for (int i = 0; i < 200; ++i) nested = List{std::move(nested)};
    CHECK(refusal(k_yaml, {"deep", nested}).name() == "YAML-SERIALIZATION-ERROR");
}

TEST_CASE("what the client's half writes the server's half of YAML-RPC reads, and the other way round", "[rpc]") {
    const Value values = List{1, "x\r\n: é", Value::decimal("1.25"), Duration{1, 2, 3000}, nullptr, Map{{"k: ", List{}}}};
    const rpc::Requests requests = requests_in(written(k_yaml, {"echo", values}));
    REQUIRE(requests.all.size() == 1);
    CHECK(requests.all[0].method == "echo");
    CHECK(requests.all[0].params == values);
    CHECK(result_in(k_yaml, served(RpcProtocol::yaml, requests, {values})) == values);
    CHECK(fault_in(k_yaml, served(RpcProtocol::yaml, requests, {rpc::Fault{5, "m: \n", List{1}}})) == rpc::Fault{5, "m: \n", List{1}});
    for (const std::string_view bad : {"[", "x", "params: []", "method: [1]"}) {
        INFO(bad);
        REQUIRE(requests_in(bad).all.at(0).fault);
        CHECK(fault_in(k_yaml, served(RpcProtocol::yaml, requests_in(bad), {Value{}})).code == requests_in(bad).all[0].fault->code);
    }
}
