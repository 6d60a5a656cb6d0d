// SPDX-License-Identifier: Apache-2.0
// The module of examples/module alone: its wire format, its ping, its entry point.
#include <memory>
#include <string>

#include <qconn/core/module.hpp>

#include "options.hpp"
#include "resp.hpp"
#include "support/catch.hpp"

using namespace qconn;

namespace {

redis::RedisOptions with_password() {
    redis::RedisOptions options;
    options.password = Secret{"s3same"};
    return options;
}

/// What comes of feeding it all of the text at once.
Dialogue::Step fed(Dialogue& ping, std::string_view input, bool closed = false) {
    std::string out;
    (void)ping.begin(out);
    return ping.feed(input, closed, out);
}

Error failure_of(const redis::RedisOptions& options, std::string_view input, bool closed = false) {
    const auto step = fed(*redis::make_ping(options, false), input, closed);
    REQUIRE(step.want == Dialogue::Want::failed);
    REQUIRE(step.error);
    return *step.error;
}

}  // namespace

TEST_CASE("the entry point of the example adds a scheme that a catalogue takes", "[module]") {
    ModuleHost host{{}};
    qconn_module_1(host);
    CHECK(host.info().name == "redis");
    REQUIRE(host.schemes().size() == 1);
    Catalogue catalogue;
    catalogue.add(host.schemes().front());

    const auto finding = [&](const std::string& url) {
        ParsedDefinitions parsed = parse_definitions("type: connection\nname: cache\ndesc: d\nurl: " + url + "\n", "cache.qconn.yaml");
        Diagnostics found;
        return catalogue.check(parsed.definitions.at(0), found, &parsed) ? std::string{} : found.at(0).code;
    };
    CHECK(finding("redis://edi:secret@cache.example:6380/").empty());
    CHECK(finding("redis://cache.example/3") == "redis-url");
}

TEST_CASE("a reply of the example's protocol is taken whole or not at all, wherever it is cut", "[module]") {
    for (const std::string reply : {"+PONG\r\n", "-ERR no\r\n", ":17\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n"}) {
        for (std::size_t cut = 0; cut < reply.size(); ++cut) CHECK_FALSE(redis::take_reply(std::string_view{reply}.substr(0, cut)));
        const auto taken = redis::take_reply(reply + "+more");
        REQUIRE(taken);
        CHECK(taken->used == reply.size());
    }
    CHECK(redis::take_reply("$5\r\nhello\r\n")->reply.text == "hello");
    CHECK(redis::take_reply("$-1\r\n")->reply.kind == redis::Reply::Kind::nothing);
    for (const std::string bad : {"H", "HTTP/1.1 400\r\n", "$x\r\n", "$1\r\nabc", "$999999999999\r\n", "$\r\n", "\r\n"})
        CHECK_THROWS_AS(redis::take_reply(bad), Error);
    CHECK_THROWS_AS(redis::take_reply("+" + std::string(redis::k_max_line, 'x')), Error);
    std::string command;
    redis::put_command(command, {"SET", "a", ""});
    CHECK(command == "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n");
}

TEST_CASE("the example's ping logs in, pings and reads the version, in pieces of any size", "[module]") {
    const std::string input = "+OK\r\n+PONG\r\n$43\r\n# Server\r\nredis_version:7.0.15\r\nredis_git:0\r\n";
    const auto ping = redis::make_ping(with_password(), true);
    std::string out;
    (void)ping->begin(out);
    CHECK(out == "*2\r\n$4\r\nAUTH\r\n$6\r\ns3same\r\n*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n");
    CHECK(ping->phase() == Phase::auth);
    std::string waiting;
    Dialogue::Step step;
    for (const char c : input) {
        REQUIRE(step.want == Dialogue::Want::read);
        waiting += c;
        step = ping->feed(waiting, false, out);
        waiting.erase(0, step.used);
    }
    CHECK(step.want == Dialogue::Want::done);
    CHECK(ping->evidence() == "Redis 7.0.15");
}

TEST_CASE("what fails the example's ping is told by phase and reason, and shows no secret", "[module]") {
    const Error denied = failure_of(with_password(), "-WRONGPASS invalid username-password pair\r\n");
    CHECK(denied.phase() == Phase::auth);
    CHECK(denied.reason() == Reason::denied);
    CHECK(std::string{denied.what()}.find("s3same") == std::string::npos);
    CHECK(failure_of({}, "-NOAUTH Authentication required.\r\n").reason() == Reason::denied);
    CHECK(failure_of({}, "-LOADING Redis is loading\r\n").retryable());
    CHECK(failure_of({}, "HTTP/1.1 400 Bad Request\r\n").reason() == Reason::bad_answer);
    CHECK(failure_of({}, "+PO", true).reason() == Reason::closed);
    CHECK(failure_of(with_password(), "", true).phase() == Phase::auth);
}
