// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <qconn/net/ping_plan.hpp>
#include <qconn/rpc/rpc_client.hpp>

#include "support/define.hpp"
#include "support/text.hpp"

using namespace qconn;
using test::define;
using test::has;

namespace {

RpcOptions rpc_options(std::string_view url, std::string_view options = {}) {
    const auto checked = define(url, options);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<RpcClient>()->rpc_options();
}

const NetPing& net_ping(const PingPlan& plan) {
    const auto* ping = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
    REQUIRE(ping != nullptr);
    return **ping;
}

/// What a ping writes once its stream stands; empty where it writes nothing.
std::string wire(const PingPlan& plan) {
    std::string out;
    if (const auto& dialogue = net_ping(plan).dialogue) dialogue()->begin(out);
    return out;
}

/// How a ping ends that is answered so. "ok", or the error's words.
std::string outcome(const PingPlan& plan, const std::string& body, const std::string& head = "HTTP/1.1 200 OK\r\n") {
    const auto dialogue = net_ping(plan).dialogue();
    std::string out;
    dialogue->begin(out);
    const Dialogue::Step step = dialogue->feed(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, false, out);
    if (step.want == Dialogue::Want::done) return "ok";
    return step.want == Dialogue::Want::failed ? std::string{step.error->message()} : "more";
}

}  // namespace

TEST_CASE("an RPC scheme has its protocol, its default path and its options", "[schemes][rpc]") {
    CHECK(rpc_options("jsonrpc://h").protocol == RpcProtocol::json);
    CHECK(rpc_options("jsonrpc://h").url == "http://h/JSON");
    CHECK(rpc_options("xmlrpcs://h:8443").protocol == RpcProtocol::xml);
    CHECK(rpc_options("xmlrpcs://h:8443").url == "https://h:8443/RPC2");
    CHECK(rpc_options("yamlrpc://h").protocol == RpcProtocol::yaml);
    CHECK(rpc_options("yamlrpc://socket=%2Frun%2Fapp.sock").url == "http://socket=%2Frun%2Fapp.sock/YAML");
    CHECK(rpc_options("xmlrpc://h/").url == "http://h/");
    CHECK(rpc_options("xmlrpc://h/api?v=2").url == "http://h/api?v=2");
    const RpcOptions login = rpc_options("jsonrpc://edi:p/w@d@h");
    CHECK(login.url == "http://h/JSON");
    CHECK(login.username == "edi");
    CHECK(login.password.reveal() == "p/w@d");
    CHECK(rpc_options("jsonrpc://h", "version: '1.0'\nmax_redirects: 2").version == "1.0");
    CHECK(rpc_options("jsonrpc://h", "max_redirects: 2").max_redirects == 2);
    CHECK(rpc_options("xmlrpc://h", "extensions: true").extensions);
    CHECK_FALSE(rpc_options("xmlrpc://h").extensions);
    CHECK_FALSE(define("jsonrpc://h", "version: '3.0'").valid);
    CHECK_FALSE(define("xmlrpc://h", "version: '1.0'").valid);
    CHECK_FALSE(define("yamlrpc://h", "extensions: true").valid);
    CHECK_FALSE(define("jsonrpc://h", "ping_call: \"a\\nb\"").valid);
    CHECK(has(define("jsonrpc://h", "ping_params: [1]").text(), "'ping_params' has no effect without 'ping_call'"));
}

TEST_CASE("a ping of an RPC scheme connects, and calls where it is told to or is to prove more", "[schemes][rpc]") {
    CHECK(wire(define("jsonrpc://h").ping(PingDepth::standard)).empty());
    CHECK(wire(define("jsonrpc://h").ping(PingDepth::connect)).empty());
    for (const PingDepth depth : {PingDepth::auth, PingDepth::full}) {
        const std::string asked = wire(define("jsonrpc://edi:secret@h").ping(depth));
        CHECK(asked.starts_with("POST /JSON HTTP/1.1\r\n"));
        CHECK(has(asked, "Content-Type: application/json;charset=utf-8\r\n"));
        CHECK(has(asked, "Authorization: Basic "));
        CHECK(has(asked, R"({"jsonrpc":"2.0","method":"system.listMethods","id":1})"));
    }
    const auto own = define("xmlrpc://h", "ping_call: health.check\nping_params: [deep]\nheaders: {Content-Type: text/x-own}");
    const std::string asked = wire(own.ping(PingDepth::standard));
    CHECK(has(asked, "<methodName>health.check</methodName><params><param><value><string>deep</string></value></param></params>"));
    CHECK(has(asked, "Content-Type: text/x-own\r\n"));
    CHECK(has(wire(define("yamlrpc://h", "ping_call: x").ping(PingDepth::standard)), "method: \"x\"\nparams: null\n"));
}

TEST_CASE("a ping that calls a method of the definition wants a result, any other an answer of the protocol", "[schemes][rpc]") {
    const std::string fault = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}})";
    const std::string result = R"({"jsonrpc":"2.0","id":1,"result":null})";
    const auto own = define("jsonrpc://h", "ping_call: health").ping(PingDepth::standard);
    CHECK(outcome(own, result) == "ok");
    CHECK(has(outcome(own, fault), "error -32601 of health: no such method"));
    CHECK(has(outcome(own, "<html>"), "check the path of the URL"));
    const auto full = define("jsonrpc://h").ping(PingDepth::full);
    CHECK(outcome(full, result) == "ok");
    CHECK(outcome(full, fault) == "ok");
    CHECK(has(outcome(full, "<html>"), "check the path of the URL"));
    CHECK(has(outcome(full, result, "HTTP/1.1 500 X\r\n"), "500"));
    CHECK(outcome(define("jsonrpc://h").ping(PingDepth::auth), "<html>", "HTTP/1.1 404 X\r\n") == "ok");
}
