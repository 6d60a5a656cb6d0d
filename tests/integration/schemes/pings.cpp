// SPDX-License-Identifier: Apache-2.0
// What the pings of the HTTP kinds and of file tell beyond the contract of connections, and their operations by name.
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/file/file_client.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/rest/rest_client.hpp>

#include "net/ping_run.hpp"
#include "support/black_hole.hpp"
#include "support/define.hpp"
#include "support/fd_count.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

const std::string k_login = std::string{k_user} + ':' + std::string{k_password} + '@';

PingResult ping(const Checked& checked, Deadline deadline = 10s, PingDepth depth = PingDepth::standard) {
    INFO(checked.text());
    REQUIRE(checked.valid);
    return net::run_ping_blocking(Runtime{}, checked.ping(depth), checked.definition.name, deadline, true);
}

std::string words(const PingResult& result) {
    std::string all = result.error ? result.error->what() : "ok";
    for (const auto& step : result.steps) all.append("\n  ").append(to_string(step.phase)).append(": ").append(step.evidence);
    return all;
}

const std::string& trust() {
    static const std::string option = "ssl_ca_file: " + tls_file("ca.crt");
    return option;
}

struct Failure {
    Phase phase;
    Reason reason;
};

void check_down(const PingResult& result, Failure expected) {
    INFO(words(result));
    REQUIRE_FALSE(result.ok);
    REQUIRE(result.error);
    CHECK(to_string(result.error->phase()) == to_string(expected.phase));
    CHECK(to_string(result.error->reason()) == to_string(expected.reason));
    CHECK_FALSE(result.inconclusive);
    CHECK(result.error->connection() == "test");
}

}  // namespace

TEST_CASE("up: every kind of HTTP connection, at every depth", "[schemes][integration]") {
    Server nginx{"nginx"};
    const std::string plain = nginx.address();
    const std::string secure = nginx.address2();
    for (const auto& checked : {define("http://" + plain + "/"), define("https://" + secure + "/hello.txt", trust()),
                                define("rest://" + plain + "/hello.txt"), define("rests://" + secure + "/hello.txt", trust()),
                                define("rest://" + k_login + plain + "/auth/", "ping_method: GET\nping_path: hello.txt"),
                                define("rests://" + plain + "/", trust() + "\nping_method: GET\nping_path: https://" + secure + "/hello.txt"),
                                define("rest://" + plain + "/", "ping_method: GET\nping_path: /token\ntoken: " + std::string{k_password}),
                                define("rest://" + plain + "/", "ping_method: POST\nping_path: /echo\nping_body: {a: 1}")}) {
        const PingResult result = ping(checked);
        INFO(checked.definition.url + "\n" + words(result));
        CHECK(result.ok);
        CHECK_FALSE(result.steps.empty());
    }
    for (const PingDepth depth : {PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full}) {
        const PingResult result = ping(define("https://" + k_login + secure + "/auth/hello.txt", trust()), 10s, depth);
        INFO(words(result));
        CHECK(result.ok);
        CHECK(result.tls.has_value() == (depth != PingDepth::connect));
    }
    CHECK(ping(define("https://" + secure + "/status/500", trust())).ok);  // no request is sent
    CHECK(ping(define("https://" + secure + "/status/500", trust()), 10s, PingDepth::auth).ok);
}

TEST_CASE("down: a host that nobody knows", "[schemes][integration]") {
    check_down(ping(define("http://no-such-host.invalid")), {Phase::resolve, Reason::unknown_host});
}

TEST_CASE("down: a black hole, a server that says nothing, one that is frozen", "[schemes][integration]") {
    const BlackHole hole;
    const SilentServer silent;
    const std::string nowhere = "127.0.0.1:" + std::to_string(hole.port());
    const std::string mute = "127.0.0.1:" + std::to_string(silent.port());
    const auto handshake = 2s;  // loading the authorities comes before it, and takes its time on a loaded machine
    const auto started = Clock::now();

    check_down(ping(define("http://" + nowhere), 200ms), {Phase::connect, Reason::timeout});
    check_down(ping(define("https://" + mute), handshake), {Phase::tls, Reason::timeout});
    CHECK(ping(define("http://" + mute)).ok);  // connected, and nothing more is asked
    const PingResult request = ping(define("rest://" + mute, "ping_method: GET\nping_path: x"), 200ms);
    INFO(words(request));
    REQUIRE(request.error);
    CHECK(request.error->reason() == Reason::timeout);
    CHECK(Clock::now() - started < 20s);

    Server nginx{"nginx"};
    nginx.freeze();
    check_down(ping(define("https://" + nginx.address2(), trust()), handshake), {Phase::tls, Reason::timeout});
    nginx.thaw();
    CHECK(ping(define("https://" + nginx.address2(), trust())).ok);
    nginx.kill();
    check_down(ping(define("https://" + nginx.address2(), trust())), {Phase::connect, Reason::refused});
    nginx.start();
    CHECK(ping(define("https://" + nginx.address2(), trust())).ok);
}

TEST_CASE("down: a certificate that does not hold, unless that is waived", "[schemes][integration]") {
    struct Case {
        const char* certificate;
        Reason reason;
        const char* waiver;
    };
    for (const Case& one : {Case{"expired", Reason::certificate_expired, "expired"}, Case{"wrong", Reason::certificate_name, "wrong_host"},
                            Case{"self", Reason::certificate_untrusted, "untrusted"}, Case{"other", Reason::certificate_untrusted, "untrusted"}}) {
        CAPTURE(one.certificate);
        Server nginx{"nginx", {.environment = {std::string{"NGINX_CERT="} + one.certificate}}};
        const std::string url = "rests://" + nginx.address2();
        check_down(ping(define(url, trust())), {Phase::tls, one.reason});
        CHECK(ping(define(url, trust() + "\nssl_waive: [" + one.waiver + "]")).ok);
        CHECK(ping(define(url, "ssl_verify_cert: false")).ok);
        CHECK(ping(define(url), 10s, PingDepth::connect).ok);
    }
    Server nginx{"nginx"};
    const std::string pin = read_file(tls_file("server.sha256")).substr(0, 64);
    CHECK(ping(define("https://" + nginx.address2(), trust() + "\nssl_pinned_sha256: '" + pin + "'")).ok);
    check_down(ping(define("https://" + nginx.address2(), trust() + "\nssl_pinned_sha256: '" + std::string(64, 'a') + "'")),
               {Phase::tls, Reason::certificate_pin});
    check_down(ping(define("https://" + nginx.address2())), {Phase::tls, Reason::certificate_untrusted});  // the system does not know the authority
}

TEST_CASE("down: wrong password, missing log-in, a failing answer", "[schemes][integration]") {
    Server nginx{"nginx"};
    const std::string at = nginx.address();
    const std::string request = "ping_method: GET\nping_path: hello.txt";
    check_down(ping(define("rest://" + std::string{k_user} + ":wrong@" + at + "/auth", request)), {Phase::auth, Reason::denied});
    check_down(ping(define("rest://" + at + "/auth", request)), {Phase::auth, Reason::denied});
    check_down(ping(define("rest://" + at, "ping_method: GET\nping_path: /token\ntoken: wrong")), {Phase::auth, Reason::denied});
    check_down(ping(define("http://" + at + "/auth/hello.txt"), 10s, PingDepth::auth), {Phase::auth, Reason::denied});
    const PingResult failing = ping(define("rest://" + at, "ping_method: GET\nping_path: status/503"));
    check_down(failing, {Phase::protocol, Reason::status});
    CHECK(failing.error->name() == "REST-PING-ERROR");
    CHECK(std::string{failing.error->what()}.find("503") != std::string::npos);
}

TEST_CASE("open: the client of a definition works", "[schemes][integration]") {
    Server nginx{"nginx"};
    const auto http = define("https://" + k_login + nginx.address2() + "/auth", trust()).client<HttpClient>();
    CHECK(http->get("hello.txt", 10s).body == "hello\n");
    const auto rest = define("rest://" + nginx.address()).client<RestClient>();
    CHECK(rest->get("order.json", 10s).body["lines"][0]["sku"] == Value{"A-1"});
    CHECK(rest->HttpClient::get("hello.txt", 10s).status == 200);

    const TempDir dir;
    dir.write("a", "A");
    const auto checked = define("file://" + dir.path());
    CHECK(checked.client<FileClient>()->read("a") == "A");
    CHECK(ping(checked).ok);
    REQUIRE(ping(checked).measures.size() >= 1);
    check_down(ping(define("file://" + dir.path() + "/gone")), {Phase::connect, Reason::not_found});
}

TEST_CASE("operations of HTTP and REST can be called by name", "[schemes][integration]") {
    Server nginx{"nginx"};
    const auto call = [](const Checked& checked, std::string_view name, const Map& arguments) {
        const auto client = checked.client<Client>();
        for (const auto& operation : checked.scheme().operations) {
            if (operation.name == name) return operation.run(*client, arguments, 10s);
        }
        FAIL("no such operation");
        return Value{};
    };
    const auto http = define("http://" + nginx.address());
    const Value answer = call(http, "get", {{"path", "hello.txt"}});
    CHECK(answer["status"] == Value{200});
    CHECK(answer["body"] == Value{"hello\n"});
    CHECK(answer["headers"]["Content-Type"] == Value{"text/plain"});
    CHECK(call(http, "head", {{"path", "hello.txt"}})["status"] == Value{200});
    CHECK(call(http, "put", {{"path", "new.json"}, {"body", Value{Map{{"a", 1}}}}})["status"] == Value{201});
    CHECK(call(http, "delete", {{"path", "new.json"}})["status"] == Value{204});

    const auto rest = define("rest://" + nginx.address());
    CHECK(call(rest, "get", {{"path", "order.json"}})["id"] == Value{17});
    call(rest, "put", {{"path", "new.json"}, {"body", "{\"a\": [1, 2]}"}});
    CHECK(call(rest, "get", {{"path", "new.json"}}) == Value{Map{{"a", List{1, 2}}}});
    const Value echo = call(rest, "post", {{"path", "echo"}, {"sku", "A-1"}, {"count", 2}});
    CHECK(std::string{echo.as_string()}.find(R"({"sku":"A-1","count":2})") != std::string::npos);
    CHECK(call(rest, "delete", {{"path", "new.json"}}).is_null());
    CHECK_THROWS_AS(call(rest, "get", {{"path", "new.json"}}), Error);
}

TEST_CASE("a ping that is cancelled ends at once, in every phase, with one callback", "[schemes][integration]") {
    const BlackHole hole;
    const SilentServer silent;
    const std::string mute = "127.0.0.1:" + std::to_string(silent.port());
    const Runtime runtime;
    const std::vector<Checked> all{define("http://127.0.0.1:" + std::to_string(hole.port())), define("https://" + mute),
                                   define("rest://" + mute, "ping_method: GET\nping_path: x"), define("https://h", "proxy: " + mute)};
    for (const auto& checked : all) ping(checked, 50ms);  // what is made once is made now
    const auto before = open_descriptors();
    const auto started = Clock::now();
    for (const auto& checked : all) {
        for (const int waits : {0, 1, 10, 30}) {
            std::atomic<int> calls{0};
            std::atomic<bool> cancelled{false};
            Operation operation = net::async_ping(runtime, checked.ping(), "test", Deadline{1min}, false, [&](Result<PingResult> result) {
                const std::optional<Error> error = result ? result->error : result.error();
                cancelled = error && error->reason() == Reason::cancelled;
                ++calls;
            });
            std::this_thread::sleep_for(waits * 1ms);  // wherever it is by then
            operation.cancel();
            REQUIRE(wait_until([&] { return calls > 0; }));
            CHECK(cancelled);
            CHECK(calls == 1);
        }
    }
    CHECK(Clock::now() - started < 10s);
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("failing pings leave no descriptor", "[schemes][integration]") {
    Server nginx{"nginx"};
    const BlackHole hole;
    const std::vector<Checked> all{define("http://127.0.0.1:" + std::to_string(hole.port())), define("https://" + nginx.address()),
                                   define("https://" + nginx.address2()), define("rest://" + nginx.address(), "ping_method: GET\nping_path: /close")};
    for (const auto& checked : all) ping(checked, 100ms);  // what is made once is made now
    const auto before = open_descriptors();

    for (int i = 0; i < 5; ++i) {
        for (const auto& checked : all) ping(checked, 100ms);
    }

    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}
