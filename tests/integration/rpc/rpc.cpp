// SPDX-License-Identifier: Apache-2.0
// RPC calls against Python's XML-RPC server, jsonrpclib-pelix, a YAML-RPC server, and answers made for the purpose.
#include <qconn/rpc/rpc_client.hpp>

#include <algorithm>
#include <limits>
#include <set>

#include "integration/http/http_fixture.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

/// A protocol with a server that speaks it.
struct Peer {
    RpcProtocol protocol;
    const char* server;
    const char* response_error;
    const char* parse_error;
    const char* content_type;
};
constexpr Peer k_json{RpcProtocol::json, "jsonrpc", "JSONRPCCLIENT-RESPONSE-ERROR", "JSON-PARSE-ERROR", "application/json"};
constexpr Peer k_xml{RpcProtocol::xml, "xmlrpc", "XMLRPCCLIENT-RESPONSE-ERROR", "PARSE-XMLRPC-RESPONSE-ERROR", "text/xml"};
constexpr Peer k_yaml{RpcProtocol::yaml, "yamlrpc", "YAMLRPCCLIENT-RESPONSE-ERROR", "YAML-PARSER-ERROR", "application/x-yaml"};
constexpr Peer k_peers[] = {k_json, k_xml, k_yaml};

Server& server_of(const Peer& peer) {
    static Server json{"jsonrpc"};
    static Server xml{"xmlrpc"};
    static Server yaml{"yamlrpc"};
    return peer.protocol == RpcProtocol::json ? json : peer.protocol == RpcProtocol::xml ? xml : yaml;
}

RpcOptions rpc_options(const Peer& peer, const std::string& url) {
    RpcOptions out;
    out.label = "shop-rpc";
    out.url = url;
    out.protocol = peer.protocol;
    return out;
}

/// At the server's default path, with all that its protocol can carry.
RpcOptions rpc_options(const Peer& peer) {
    RpcOptions out = rpc_options(peer, "http://" + server_of(peer).address());
    out.extensions = true;
    return out;
}

Value call(RpcClient& client, Form form, const RpcCall& request, Deadline deadline = {}) {
    if (form == Form::blocking) return client.call(request, deadline);
    Outcomes<Value> outcomes;
    client.async_call(request, deadline, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    return outcomes.results().front().value();
}

std::vector<Result<Value>> batch(RpcClient& client, Form form, const std::vector<RpcCall>& calls) {
    if (form == Form::blocking) return client.batch(calls);
    Outcomes<std::vector<Result<Value>>> outcomes;
    client.async_batch(calls, {}, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    return outcomes.results().front().value();
}

/// The error that it must end with.
template <class Work>
Error failure_of(Work work) {
    try {
        work();
    } catch (const Error& error) { return error; }
    FAIL("it was answered");
    throw std::logic_error{"not reached"};
}

Error failure(RpcClient& client, Form form, const RpcCall& request, Deadline deadline = {}) {
    return failure_of([&] { call(client, form, request, deadline); });
}

std::string answer(int status, const std::string& type, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + (type.empty() ? "" : "Content-Type: " + type + "\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("methods are called at the path that the protocol has", "[rpc][integration]") {
    for (const Peer& peer : k_peers) {
        INFO(peer.server);
        RpcClient client{rpc_options(peer)};
        CHECK(client.call("add", List{1, 2}, 10s) == Value{3});
        for (const Form form : k_forms) {
            CHECK(call(client, form, {"add", List{40, 2}}) == Value{42});
            CHECK(call(client, form, {"echo", List{"ünïcødé <&> \"x\"\n'\t"}}) == Value{"ünïcødé <&> \"x\"\n'\t"});
        }
        CHECK(client.rpc_options().protocol == peer.protocol);
        CHECK(client.label() == "shop-rpc");
    }
}

TEST_CASE("every kind of value that a protocol has makes the round trip", "[rpc][integration]") {
    const List all{0,
                   -1,
                   2'147'483'647,
                   -2'147'483'648LL,
                   true,
                   false,
                   0.5,
                   -1e-9,
                   1e300,
                   "",
                   "true",
                   "2020-02-29",
                   "é€😀",
                   List{},
                   Map{},
                   nullptr,
                   List{1, List{"x", List{}}},
                   Map{{"a", 1}, {"b", Map{{"c", List{nullptr}}}}}};
    const auto with = [&all](const List& more) {
        List out = all;
        out.insert(out.end(), more.begin(), more.end());
        return out;
    };
    const Value bytes = Value::binary(std::string_view{"\x00\xFF\x10", 3});
    constexpr double k_infinity = std::numeric_limits<double>::infinity();
    const List json = with({std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()});
    const List xml = with({bytes, Timestamp{1582979696, 0, 0, false}});
    const List yaml =
        with({std::numeric_limits<std::int64_t>::max(), bytes, Timestamp{1273066502, 100'000'000, 120, true}, Timestamp{1273017600, 0, 0, false},
              Duration{27, 4, 18'367'000'008'000}, Duration{-1, 0, -2'000}, Value::decimal("3.5"), Value::decimal("123456789012345678901234567890.5"),
              Value::tagged("!number", "3.5n{256}"), Value::tagged("!sqlnull", {}), k_infinity, -k_infinity, "@inf@", "P1D", "sqlnull", "3.5n{128}"});
    for (const auto& [peer, values] : {std::pair{k_json, json}, {k_xml, xml}, {k_yaml, yaml}}) {
        INFO(peer.server);
        RpcClient client{rpc_options(peer)};
        CHECK(client.call("echo", List{values}) == Value{values});
        for (const Value& value : values) CHECK(client.call("echo", List{value}) == value);
    }
    // Python's XML-RPC reads i8 and does not write it.
    CHECK(RpcClient{rpc_options(k_xml)}.call("text", List{5'000'000'000LL}) == Value{"5000000000"});
    RpcOptions plain = rpc_options(k_xml);
    plain.extensions = false;
    CHECK(RpcClient{plain}.call("text", List{5'000'000'000LL}) == Value{"'5000000000'"});

    // What servers send of their own accord, and the tags that ours come with.
    for (const Peer& peer : k_peers) {
        INFO(peer.server);
        const Value types = RpcClient{rpc_options(peer)}.call("types");
        CHECK(types["int"] == Value{42});
        CHECK(types["float"] == Value{2.5});
        CHECK(types["true"] == Value{true});
        CHECK(types["null"].is_null());
        CHECK(types["list"][1][1] == Value{"x"});
        CHECK(types["bytes"] == (peer.protocol == RpcProtocol::json ? Value{} : bytes));
    }
    RpcClient client{rpc_options(k_yaml)};
    const Value types = client.call("types");
    CHECK(types["number"] == Value::decimal("3.5"));
    CHECK(types["precise"] == Value::tagged("!number", "3.5n{256}"));
    CHECK(types["duration"] == Value{Duration{27, 4, 18'367'000'008'000}});
    CHECK(types["when"] == Value{Timestamp{1273066502, 100'000'000, 120, true}});
    CHECK(types["day"] == Value{Timestamp{1273017600, 0, 0, false}});
    CHECK(types["sqlnull"] == Value::tagged("!sqlnull", {}));
    CHECK(client.call("words") == Value{List{true, "true", "yes", nullptr, nullptr, nullptr, Value::tagged("!sqlnull", {}),
                                             Timestamp{1273066502, 100'000'000, 120, true}, Duration{0, 1, 0}, 17, 1.5, "17", "plain words"}});
    CHECK(client.call("seen", List{Value::decimal("3.5"), Duration{0, 1, 0}, "x", bytes, Value::tagged("!sqlnull", {}), k_infinity}) ==
          Value{List{List{"!number", "3.5n{128}"}, List{"!duration", "P1D"}, List{"tag:yaml.org,2002:str", "x"},
                     List{"tag:yaml.org,2002:binary", "AP8Q"}, List{"!sqlnull", "null"}, List{"tag:yaml.org,2002:float", "@inf@"}}});
    CHECK(client.call("wrapped", List{Map{{"a", 1}}}) == Value{Map{{"a", 1}}});
    CHECK(client.call("named", Map{{"a", 1}, {"b", List{2}}}) == Value{Map{{"a", 1}, {"b", List{2}}}});
    CHECK(RpcClient{rpc_options(k_json)}.call("named", Map{{"a", 1}}) == Value{Map{{"a", 1}}});
}

TEST_CASE("an error of the server is the error, with its code and data", "[rpc][integration]") {
    for (const Peer& peer : k_peers) {
        INFO(peer.server);
        RpcClient client{rpc_options(peer)};
        for (const Form form : k_forms) {
            const Error error = failure(client, form, {"fail", List{1234, "no ünits left"}});
            CHECK(error.name() == "RPC-FAULT");
            CHECK(error.code() == RpcErrc::fault);
            CHECK(has(error.message(), "calling fail at http://127.0.0.1:"));
            CHECK(has(error.message(), "error 1234: no ünits left"));
            CHECK(error.connection() == "shop-rpc");
            CHECK(error.phase() == Phase::protocol);
            CHECK(error.reason() == Reason::status);
            CHECK_FALSE(error.retryable());
            const auto* fault = error.detail<RpcFaultDetail>();
            REQUIRE(fault != nullptr);
            CHECK(fault->code == 1234);
            CHECK(fault->message == "no ünits left");
            REQUIRE(fault->response);
            CHECK(fault->response->status == 200);
            if (peer.protocol == RpcProtocol::yaml) CHECK(fault->data["err"] == Value{"ASKED-FOR"});

            CHECK(failure(client, form, {"crash"}).name() == "RPC-FAULT");
            const Error unknown = failure(client, form, {"no.such.method"});
            CHECK(unknown.name() == "RPC-FAULT");
            if (peer.protocol != RpcProtocol::xml) CHECK(unknown.reason() == Reason::not_found);  // Python's server has a code of its own
        }
        CHECK(client.call("add", List{1, 2}) == Value{3});
    }
}

TEST_CASE("the other versions of JSON-RPC are spoken", "[rpc][integration]") {
    for (const char* version : {"1.0", "1.1"}) {
        RpcOptions options = rpc_options(k_json);
        options.version = version;
        RpcClient client{options};
        CHECK(client.call("add", List{1, 2}) == Value{3});
        CHECK(client.call("types")["int"] == Value{42});
        CHECK(failure(client, Form::blocking, {"fail", List{7, "x"}}).name() == "RPC-FAULT");
        CHECK(failure_of([&] { client.batch({{"add", List{1, 2}}}); }).name() == "RPC-UNSUPPORTED-ERROR");
    }
    RpcOptions options = rpc_options(k_json);
    options.version = "3.0";
    CHECK(failure_of([&] { RpcClient{options}; }).name() == "RPC-OPTION-ERROR");
}

TEST_CASE("batches come back in the order of their calls, each with its own outcome", "[rpc][integration]") {
    for (const Peer& peer : {k_json, k_xml}) {
        INFO(peer.server);
        RpcClient client{rpc_options(peer)};
        for (const Form form : k_forms) {
            const auto few = batch(client, form, {{"add", List{1, 2}}, {"fail", List{7, "x"}}, {"echo", List{nullptr}}, {"no.such.method"}});
            REQUIRE(few.size() == 4);
            CHECK(*few[0] == Value{3});
            REQUIRE_FALSE(few[1]);
            CHECK(few[1].error().name() == "RPC-FAULT");
            CHECK(few[1].error().connection() == "shop-rpc");
            CHECK(has(few[1].error().message(), "calling fail in a batch at http://"));
            REQUIRE(few[1].error().detail<RpcFaultDetail>() != nullptr);
            CHECK(few[1].error().detail<RpcFaultDetail>()->code == 7);
            CHECK(few[2]->is_null());
            CHECK_FALSE(few[3]);
            CHECK(batch(client, form, {}).empty());

            std::vector<RpcCall> calls;
            for (int i = 0; i < 1000; ++i) calls.push_back({"add", List{i, 1}});
            const auto many = batch(client, form, calls);
            REQUIRE(many.size() == 1000);
            CHECK(std::all_of(many.begin(), many.end(), [&, i = 0](const Result<Value>& one) mutable { return one && *one == Value{++i}; }));
        }
    }
    RpcClient yaml{rpc_options(k_yaml)};
    for (const std::vector<RpcCall>& calls : {std::vector<RpcCall>{}, {{"add", List{1, 2}}}}) {
        for (const Form form : k_forms) CHECK(failure_of([&] { batch(yaml, form, calls); }).name() == "RPC-UNSUPPORTED-ERROR");
    }
}

TEST_CASE("notifications arrive and no answer to them is wanted", "[rpc][integration]") {
    RpcClient client{rpc_options(k_json)};
    client.notify("note", List{"one"});
    Outcomes<void> outcomes;
    client.async_notify("note", List{"two"}, {}, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results().front());
    const auto mixed = client.batch({{.method = "note", .params = List{"three"}, .notification = true}, {"add", List{1, 2}}});
    REQUIRE(mixed.size() == 2);
    CHECK(mixed[0]->is_null());
    CHECK(*mixed[1] == Value{3});
    const auto silent = client.batch({{.method = "note", .params = List{"four"}, .notification = true}});
    REQUIRE(silent.size() == 1);
    CHECK(silent[0]);
    client.notify("no.such.method");
    std::set<std::string> notes;
    CHECK(wait_until([&] {
        const Value told = client.call("notes");
        for (const Value& one : told.as_list()) notes.emplace(one.as_string());
        return notes.size() == 4;
    }));
    for (const Peer& peer : {k_xml, k_yaml}) {
        RpcClient other{rpc_options(peer)};
        CHECK(failure_of([&] { other.notify("note", List{"x"}); }).name() == "RPC-UNSUPPORTED-ERROR");
    }
}

TEST_CASE("servers tell what they offer, and who may use it", "[rpc][integration]") {
    for (const Peer& peer : k_peers) {
        INFO(peer.server);
        RpcClient client{rpc_options(peer)};
        const std::vector<std::string> methods = client.list_methods();
        CHECK(std::find(methods.begin(), methods.end(), "add") != methods.end());

        RpcOptions login = rpc_options(peer, "http://" + server_of(peer).address() + "/auth");
        login.username = k_user;
        login.password = Secret{k_password};
        CHECK(RpcClient{login}.call("add", List{1, 2}) == Value{3});
        login.password = Secret{"wrong"};
        RpcClient wrong{login};
        const Error refused = failure(wrong, Form::blocking, {"add", List{1, 2}});
        CHECK(refused.name() == "HTTP-CLIENT-RECEIVE-ERROR");
        CHECK(refused.phase() == Phase::auth);
        CHECK(refused.reason() == Reason::denied);

        std::string large;
        for (int i = 0; large.size() < 1'000'000; ++i) large += std::to_string(i * 7919) + "é ";
        CHECK(client.call("echo", List{large}) == Value{large});
        List numbers;
        for (int i = 0; i < 5000; ++i) numbers.push_back(i);
        CHECK(client.call("echo", List{numbers}) == Value{numbers});
    }
    RpcClient xml{rpc_options(k_xml)};
    CHECK(has(xml.method_help("system.listMethods"), "list of the methods"));
    CHECK(has(to_text(xml.method_signature("add")), "not supported"));
}

TEST_CASE("a request has the path and the headers of its protocol, unless told otherwise", "[rpc][integration]") {
    const std::pair<Peer, std::string> cases[] = {
        {k_json, "POST /JSON HTTP/1.1\r\n"}, {k_xml, "POST /RPC2 HTTP/1.1\r\n"}, {k_yaml, "POST /YAML HTTP/1.1\r\n"}};
    for (const auto& [peer, line] : cases) {
        ScriptedServer server{answer(500, "text/plain", "x")};
        const std::string at = server.url().substr(0, server.url().size() - 1);
        failure_of([&] { RpcClient{rpc_options(peer, at)}.call("add", List{1}); });
        CHECK(server.received().find(line) == 0);
        CHECK(has(server.received(), "Content-Type: " + std::string{peer.content_type} + ";charset=utf-8\r\n"));
        CHECK(has(server.received(), "Accept: " + std::string{peer.content_type} + "\r\n"));

        RpcOptions own = rpc_options(peer, at + "/api?v=2");
        own.headers = {{"Accept", "a/b"}, {"Content-Type", "c/d"}, {"X-Own", "1"}};
        failure_of([&] { RpcClient{own}.call("add", List{1}); });
        CHECK(has(server.received(), "POST /api?v=2 HTTP/1.1\r\n"));
        CHECK(has(server.received(), "Accept: a/b\r\n"));
        CHECK(has(server.received(), "Content-Type: c/d\r\n"));

        // What cannot be written never reaches the server.
        REQUIRE(wait_until([&server] { return server.requests() == 2; }));
        RpcClient client{rpc_options(peer, at)};
        for (const Form form : k_forms) {
            CHECK(failure(client, form, {"a\r\nX-Injected: 1"}).code() == RpcErrc::serialization);
            CHECK(failure(client, form,
                          {"add", List{Value::tagged("!", Value::tagged("!", peer.protocol == RpcProtocol::json ? Value::binary("x") : Value{}))}})
                      .connection() == "shop-rpc");
        }
        CHECK(server.requests() == 2);
    }
}

TEST_CASE("what is no answer of the protocol is an error with the answer attached", "[rpc][integration]") {
    for (const Peer& peer : k_peers) {
        INFO(peer.server);
        struct Case {
            std::string answer;
            std::string name;
            std::string words;
        };
        const std::string type = peer.content_type;
        const std::string response = peer.response_error;
        const std::vector<Case> cases{
            {answer(200, "text/html", "<html/>"), response, "the Content-Type of the answer is \"text/html\""},
            {answer(200, type, "{ <"), peer.parse_error, "status 200"},
            {answer(200, type, ""), peer.protocol == RpcProtocol::yaml ? response : peer.parse_error, "but "},
            {answer(200, type + ";charset=klingon", "\xFF"), response, "klingon"},
            {answer(200, type, peer.protocol == RpcProtocol::xml ? "<methodResponse/>" : R"({"id": 1})"), response, "neither"},
        };
        for (const Case& one : cases) {
            ScriptedServer server{one.answer};
            RpcClient client{rpc_options(peer, server.url())};
            for (const Form form : k_forms) {
                const Error error = failure(client, form, {"add", List{1, 2}});
                INFO(error.what());
                CHECK(error.name() == one.name);
                CHECK(has(error.message(), one.words));
                CHECK(has(error.message(), "calling add at " + server.url()));
                CHECK(error.connection() == "shop-rpc");
                CHECK_FALSE(error.retryable());
                REQUIRE(error.detail<HttpErrorDetail>() != nullptr);
                CHECK(one.answer.ends_with(error.detail<HttpErrorDetail>()->response.body));
            }
        }
    }
}

TEST_CASE("a failing status is told by its body where that is of the protocol", "[rpc][integration]") {
    const std::pair<Peer, std::string> faults[] = {{k_json, R"({"jsonrpc":"2.0","error":{"code":-32603,"message":"it broke"},"id":null})"},
                                                   {k_xml,
                                                    "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>-32603</int></"
                                                    "value></member><member><name>faultString</name>"
                                                    "<value>it broke</value></member></struct></value></fault></methodResponse>"},
                                                   {k_yaml, "error: {name: YAMLRPCError, code: -32603, message: it broke}"}};
    for (const auto& [peer, body] : faults) {
        INFO(peer.server);
        ScriptedServer broken{answer(500, peer.content_type, body)};
        RpcClient first{rpc_options(peer, broken.url())};
        const Error fault = failure(first, Form::blocking, {"add"});
        CHECK(fault.name() == "RPC-FAULT");
        CHECK(has(fault.message(), "error -32603: it broke (status 500)"));
        CHECK(fault.detail<RpcFaultDetail>()->response->status == 500);

        for (const auto& [status, retryable] : {std::pair{500, false}, {502, false}, {504, false}, {503, true}, {429, true}, {404, false}}) {
            ScriptedServer plain{answer(status, "text/plain", "sorry")};
            RpcClient second{rpc_options(peer, plain.url())};
            const Error error = failure(second, Form::blocking, {"add"});
            CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
            CHECK(has(error.message(), "calling add at "));
            CHECK(error.retryable() == retryable);
            CHECK(error.detail<HttpErrorDetail>()->response.body == "sorry");
            if (status == 500) CHECK(failure(second, Form::blocking, {.method = "add", .repeatable = true}).retryable());
        }
    }
}

TEST_CASE("answers that break off, stall or come in another charset", "[rpc][integration]") {
    const std::string half = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<methodResponse><params>";
    for (const Form form : k_forms) {
        ScriptedServer closing{half, ScriptedServer::After::close};
        RpcClient first{rpc_options(k_xml, closing.url())};
        const Error cut = failure(first, form, {"add"});
        CHECK(cut.code() == HttpErrc::receive);
        CHECK(cut.phase() == Phase::body);
        CHECK_FALSE(cut.retryable());  // it may have been carried out

        ScriptedServer silent{half};
        RpcClient second{rpc_options(k_xml, silent.url())};
        const Error late = failure(second, form, {"add"}, 200ms);
        CHECK(late.code() == HttpErrc::timeout);
        CHECK_FALSE(late.retryable());
    }
    ScriptedServer latin{
        answer(200, "text/xml;charset=iso-8859-1", "<methodResponse><params><param><value>\xE4</value></param></params></methodResponse>")};
    CHECK(RpcClient{rpc_options(k_xml, latin.url())}.call("x") == Value{"ä"});
    ScriptedServer declared{answer(
        200, "text/xml;charset=iso-8859-1",
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><methodResponse><params><param><value>\xE4</value></param></params></methodResponse>")};
    CHECK(RpcClient{rpc_options(k_xml, declared.url())}.call("x") == Value{"ä"});
    ScriptedServer unnamed{answer(200, "application/json", "{\"id\":1,\"result\":\"\xE4\"}")};
    RpcOptions assuming = rpc_options(k_json, unnamed.url());
    assuming.assume_charset = "ISO-8859-1";
    CHECK(RpcClient{assuming}.call("x") == Value{"ä"});
    ScriptedServer untyped{answer(200, "", R"({"id":1,"result":7})")};
    CHECK(RpcClient{rpc_options(k_json, untyped.url())}.call("x") == Value{7});
}

TEST_CASE("a call is sent again only where it may be", "[rpc][integration]") {
    const auto once_cut = [](int connection, int request) {
        return connection == 0 && request == 1 ? std::nullopt : std::optional{answer(200, "application/json", R"({"id":1,"result":7})")};
    };
    ScriptedServer first{once_cut};
    RpcClient careful{rpc_options(k_json, first.url())};
    CHECK(careful.call("x") == Value{7});
    const Error error = failure(careful, Form::blocking, {"x"});
    CHECK_FALSE(error.retryable());
    CHECK(has(error.message(), "may have carried this out"));

    ScriptedServer second{once_cut};
    RpcClient careless{rpc_options(k_json, second.url())};
    CHECK(careless.call("x") == Value{7});
    CHECK(careless.call(RpcCall{.method = "x", .repeatable = true}) == Value{7});
    CHECK(second.connections() == 2);
}

TEST_CASE("a batch that is answered as a whole, or with strange ids, fails as a whole", "[rpc][integration]") {
    const std::vector<RpcCall> two{{"a"}, {"b"}};
    for (const Form form : k_forms) {
        ScriptedServer refusing{answer(200, "application/json", R"({"id":null,"error":{"code":-32600,"message":"no batches"}})")};
        RpcClient first{rpc_options(k_json, refusing.url())};
        const Error refused = failure_of([&] { batch(first, form, two); });
        CHECK(refused.name() == "RPC-FAULT");
        CHECK(has(refused.message(), "a batch of 2 calls at "));

        ScriptedServer strange{answer(200, "application/json", R"([{"id":1,"result":1},{"id":9,"result":2}])")};
        RpcClient second{rpc_options(k_json, strange.url())};
        const Error unknown = failure_of([&] { batch(second, form, two); });
        CHECK(unknown.name() == "JSONRPCCLIENT-RESPONSE-ERROR");
        CHECK(has(unknown.message(), "the id 9"));

        ScriptedServer forgetful{answer(200, "application/json", R"([{"id":2,"result":2}])")};
        RpcClient third{rpc_options(k_json, forgetful.url())};
        const auto partly = batch(third, form, two);
        REQUIRE(partly.size() == 2);
        REQUIRE_FALSE(partly[0]);
        CHECK(partly[0].error().name() == "JSONRPCCLIENT-RESPONSE-ERROR");
        CHECK(partly[0].error().detail<HttpErrorDetail>() != nullptr);
        CHECK(*partly[1] == Value{2});
    }
}

TEST_CASE("a server that repeats a secret does not get it into the message of a fault", "[rpc][integration]") {
    ScriptedServer server{answer(200, "application/json", R"({"id":1,"error":{"code":1,"message":"wrong password s3cretpass"}})")};
    RpcOptions secret = rpc_options(k_json, server.url());
    secret.username = "u";
    secret.password = Secret{"s3cretpass"};
    RpcClient client{secret};
    const Error error = failure(client, Form::blocking, {"x"});
    CHECK_FALSE(has(error.message(), "s3cretpass"));
    CHECK(has(error.message(), "<masked>"));
}
