// SPDX-License-Identifier: Apache-2.0
#include "rpc_texts.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

const rpc::Dialect k_2_0 = dialect(RpcProtocol::json);
const rpc::Dialect k_1_1 = dialect(RpcProtocol::json, "1.1");
const rpc::Dialect k_1_0 = dialect(RpcProtocol::json, "1.0");

rpc::Requests requests_in(std::string_view text) { return rpc::protocol_of(RpcProtocol::json).read_requests(text); }

}  // namespace

TEST_CASE("a JSON-RPC call is written as its version has it", "[rpc]") {
    const RpcCall call{"add", List{1, 2}};
    CHECK(written(k_2_0, call) == R"({"jsonrpc":"2.0","method":"add","id":1,"params":[1,2]})");
    CHECK(written(k_1_1, call) == R"({"version":"1.1","method":"add","id":1,"params":[1,2]})");
    CHECK(written(k_1_0, call) == R"({"method":"add","id":1,"params":[1,2]})");
    CHECK(written(k_2_0, {"named", Map{{"a", "x"}}}) == R"({"jsonrpc":"2.0","method":"named","id":1,"params":{"a":"x"}})");
    CHECK(written(k_2_0, {"now"}) == R"({"jsonrpc":"2.0","method":"now","id":1})");
    CHECK(written(k_1_0, {"now"}) == R"({"method":"now","id":1,"params":[]})");
    CHECK(written(k_2_0, {.method = "n", .notification = true}) == R"({"jsonrpc":"2.0","method":"n"})");
    CHECK(written(k_1_0, {.method = "n", .notification = true}) == R"({"method":"n","id":null,"params":[]})");
    CHECK(written(k_2_0, std::vector<RpcCall>{{"a"}, {.method = "n", .notification = true}, {"b"}}) ==
          R"([{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","method":"b","id":3}])");
}

TEST_CASE("a method's name cannot break out of a JSON-RPC call", "[rpc]") {
    CHECK(written(k_2_0, {R"(a","id":2,"x":"\)"}) == R"({"jsonrpc":"2.0","method":"a\",\"id\":2,\"x\":\"\\","id":1})");
    for (const std::string& bad :
         {std::string{}, std::string{"a\r\nX: y"}, std::string{"a\n"}, std::string{"a\0b", 3}, std::string{"\x7F"}, std::string{"\xFF"}})
        CHECK(refusal(k_2_0, {bad}).name() == "JSON-SERIALIZATION-ERROR");
    const Error error = refusal(k_2_0, {"put", List{Value::binary("x")}});
    CHECK(error.name() == "JSON-SERIALIZATION-ERROR");
    CHECK(error.message().find("the parameters of put") == 0);
    CHECK_FALSE(error.retryable());
}

TEST_CASE("JSON-RPC answers of every version are read", "[rpc]") {
    CHECK(result_in(k_2_0, R"({"jsonrpc":"2.0","result":[1,{"a":null}],"id":1})") == Value{List{1, Map{{"a", nullptr}}}});
    CHECK(result_in(k_2_0, R"({"jsonrpc":"2.0","result":null,"id":1})").is_null());
    CHECK(result_in(k_2_0, R"({"jsonrpc":"2.0","result":3,"error":null,"id":1})") == Value{3});  // seen of servers that know both versions
    CHECK(result_in(k_1_0, R"({"result":3,"error":null,"id":1})") == Value{3});
    CHECK(result_in(k_1_0, R"({"result":null,"error":null,"id":1})").is_null());
    CHECK(result_in(k_1_1, R"({"version":"1.1","result":"x","id":1})") == Value{"x"});

    CHECK(fault_in(k_2_0, R"({"jsonrpc":"2.0","error":{"code":-32601,"message":"no such","data":[1]},"id":1})") ==
          rpc::Fault{-32601, "no such", List{1}});
    CHECK(fault_in(k_2_0, R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"},"id":null})") == rpc::Fault{-32700, "what?"});
    CHECK(fault_in(k_1_1, R"({"version":"1.1","error":{"name":"JSONRPCError","code":104,"message":"m","error":{"err":"X"}},"id":1})") ==
          rpc::Fault{104, "m", Map{{"err", "X"}}});
    CHECK(fault_in(k_1_0, R"({"result":null,"error":"broken","id":1})") == rpc::Fault{0, "broken"});
    CHECK(fault_in(k_1_0, R"({"result":null,"error":{"type":"X"},"id":1})").data == Value{Map{{"type", "X"}}});
}

TEST_CASE("what is no answer to a JSON-RPC call says why", "[rpc]") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {R"({"jsonrpc":"2.0","result":1,"id":2})", "the id 2"},
        {R"({"jsonrpc":"2.0","result":1,"id":"1"})", "the id \"1\""},
        {R"({"jsonrpc":"2.0","result":1})", "the id null"},
        {R"({"jsonrpc":"2.0","result":1,"error":{"code":1,"message":"x"},"id":1})", "a result and an error"},
        {R"({"jsonrpc":"2.0","id":1})", "neither a result nor an error"},
        {R"({"jsonrpc":"2.0","error":null,"id":1})", "neither a result nor an error"},
        {R"({"jsonrpc":"3.0","result":1,"id":1})", "3.0"},
        {R"([])", "a list instead of an object"},
        {R"(17)", "instead of an object"},
    };
    for (const auto& [text, words] : cases) {
        const Error error = error_in(k_2_0, text);
        CHECK(error.name() == "JSONRPCCLIENT-RESPONSE-ERROR");
        CHECK(error.code() == RpcErrc::response);
        CHECK(error.message().find(words) != std::string_view::npos);
    }
    for (const std::string_view text : {"", "{", "<html>", R"({"result":1,"id":1}x)", "{\"result\":\"\xFF\",\"id\":1}"}) {
        CHECK(error_in(k_2_0, text).name() == "JSON-PARSE-ERROR");
        CHECK(error_in(k_2_0, text).reason() == Reason::bad_answer);
    }
    CHECK(error_in(k_2_0, std::string(1000, '[')).reason() == Reason::limit);
    check_every_beginning(k_2_0, R"({"jsonrpc":"2.0","result":[1,"é"],"id":1})");
}

TEST_CASE("answers to a batch find their calls by the id", "[rpc]") {
    const std::vector<rpc::Expected> three{{"a"}, {"n", true}, {"b"}};
    const auto answer = read(k_2_0, R"([{"id":3,"error":{"code":7,"message":"m"}},{"id":1,"result":"one"}])", three);
    REQUIRE(answer);
    REQUIRE(answer->outcomes.size() == 3);
    CHECK(std::get<Value>(*answer->outcomes[0]) == Value{"one"});
    CHECK(std::get<Value>(*answer->outcomes[1]).is_null());
    CHECK(std::get<rpc::Fault>(*answer->outcomes[2]) == rpc::Fault{7, "m"});

    const auto only_notifications = read(k_2_0, "", {{"n", true}, {"n", true}});
    REQUIRE(only_notifications);
    CHECK(only_notifications->outcomes.size() == 2);
    CHECK_FALSE(read(k_2_0, "", three));
}

TEST_CASE("a batch whose ids do not match is told call by call, a strange id as a whole", "[rpc]") {
    const std::vector<rpc::Expected> two{{"a"}, {"b"}};
    const auto missing = read(k_2_0, R"([{"id":2,"result":2}])", two);
    REQUIRE(missing);
    CHECK(missing->outcomes[0].error().code() == RpcErrc::response);
    CHECK(std::get<Value>(*missing->outcomes[1]) == Value{2});

    const auto twice = read(k_2_0, R"([{"id":2,"result":2},{"id":1,"result":1},{"id":2,"result":3}])", two);
    REQUIRE(twice);
    CHECK(twice->outcomes[0]);
    CHECK(twice->outcomes[1].error().message().find("twice") != std::string_view::npos);

    const auto without_id = read(k_2_0, R"([{"id":2,"result":2},{"id":null,"error":{"code":-32600,"message":"bad call"}}])", two);
    REQUIRE(without_id);
    CHECK(std::get<rpc::Fault>(*without_id->outcomes[0]) == rpc::Fault{-32600, "bad call"});

    for (const std::string_view id : {"3", "0", "-1", "\"1\"", "1.0", "18446744073709551615", "null"}) {
        INFO(id);
        CHECK_FALSE(read(k_2_0, R"([{"id":1,"result":1},{"id":2,"result":2},{"result":3,"id":)" + std::string{id} + "}]", two));
    }
    CHECK_FALSE(read(k_2_0, R"([{"id":1,"result":1},7])", two));
    CHECK_FALSE(read(k_2_0, R"([{"id":1,"result":1}])", std::vector<rpc::Expected>{{"n", true}}));  // a notification has no answer
    CHECK_FALSE(read(k_2_0, R"({"id":1,"result":1})", two));

    const auto refused = read(k_2_0, R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches here"}})", two);
    REQUIRE(refused);
    CHECK(refused->refused == rpc::Fault{-32600, "no batches here"});
}

TEST_CASE("what the client's half writes the server's half of JSON-RPC reads, and the other way round", "[rpc]") {
    const RpcCall call{"sum", List{1, 2.5, "x\n\"é", Map{{"k", nullptr}}}};
    for (const rpc::Dialect& d : {k_2_0, k_1_1, k_1_0}) {
        const rpc::Requests requests = requests_in(written(d, call));
        REQUIRE(requests.all.size() == 1);
        CHECK(requests.all[0].method == "sum");
        CHECK(requests.all[0].params == call.params);
        CHECK(requests.all[0].version == d.version);
        CHECK_FALSE(requests.all[0].fault);
        CHECK_FALSE(requests.all[0].notification);
        CHECK(result_in(d, served(RpcProtocol::json, requests, {call.params})) == call.params);
        CHECK(result_in(d, served(RpcProtocol::json, requests, {Value{}})).is_null());
        CHECK(fault_in(d, served(RpcProtocol::json, requests, {rpc::Fault{5, "m\"", List{1}}})) == rpc::Fault{5, "m\"", List{1}});

        const rpc::Requests notice = requests_in(written(d, RpcCall{.method = "n", .notification = true}));
        CHECK(notice.all[0].notification);
        CHECK(served(RpcProtocol::json, notice, {Value{}}).empty());
    }
    const rpc::Requests batch = requests_in(written(k_2_0, std::vector<RpcCall>{{"a"}, {.method = "n", .notification = true}, {"b"}}));
    CHECK(batch.batch);
    const auto answer = read(k_2_0, served(RpcProtocol::json, batch, {Value{1}, Value{}, rpc::Fault{2, "m"}}), {{"a"}, {"n", true}, {"b"}});
    REQUIRE(answer);
    CHECK(std::get<Value>(*answer->outcomes[0]) == Value{1});
    CHECK(std::get<rpc::Fault>(*answer->outcomes[2]) == rpc::Fault{2, "m"});
}

TEST_CASE("a JSON-RPC server's half answers what it cannot read with the code of the specification", "[rpc]") {
    const auto code_of = [](std::string_view text) {
        const rpc::Requests requests = requests_in(text);
        REQUIRE_FALSE(requests.all.empty());
        REQUIRE(requests.all[0].fault);
        const std::string answer = served(RpcProtocol::json, requests, std::vector<rpc::Outcome>(requests.all.size(), Value{}));
        CHECK(answer.find("\"error\":{\"code\":" + std::to_string(requests.all[0].fault->code)) != std::string::npos);
        return requests.all[0].fault->code;
    };
    CHECK(code_of("{") == rpc::k_parse_error);
    CHECK(code_of("") == rpc::k_parse_error);
    CHECK(code_of("[]") == rpc::k_invalid_request);
    CHECK(code_of("[1]") == rpc::k_invalid_request);
    CHECK(code_of("17") == rpc::k_invalid_request);
    CHECK(code_of(R"({"jsonrpc":"2.0","id":1})") == rpc::k_invalid_request);
    CHECK(code_of(R"({"jsonrpc":"2.0","method":1,"id":1})") == rpc::k_invalid_request);
    CHECK(code_of(R"({"jsonrpc":"9","method":"m","id":1})") == rpc::k_invalid_request);
    CHECK(code_of(R"({"jsonrpc":"2.0","method":"m","id":{}})") == rpc::k_invalid_request);
}
