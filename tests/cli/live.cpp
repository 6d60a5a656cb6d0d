// SPDX-License-Identifier: Apache-2.0
// The commands that ask real servers: ping, explain, call, monitor.
#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "estate.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

json next_event(Process& process) {
    const auto line = process.line();
    if (!line) return {};
    return json::parse(*line);
}

/// Takes the lines of `monitor --json` and checks of each what must be so of all of them.
class Lines {
public:
    explicit Lines(Process& process) : process_{process} {}

    /// The next event of that connection; null where none came. Those of the others are checked and left out.
    json next(std::string_view name) {
        for (;;) {
            const auto line = process_.line();
            if (!line) return {};
            const json event = check(*line);
            if (event["name"] == name) return event;
        }
    }
    /// "up unknown>up", for as many as are in `wanted`, or until nothing more comes.
    std::string story(std::string_view name, std::string_view wanted) {
        std::string told;
        while (told.size() < wanted.size()) {
            const json event = next(name);
            if (event.is_null()) return told + " (nothing more came)";
            told += told.empty() ? "" : ", ";
            told += event["event"].get<std::string>() + ' ' + event["from"].get<std::string>() + '>' + event["state"].get<std::string>();
            last_ = event;
        }
        return told;
    }
    /// The last event of the last story.
    const json& last() const { return last_; }
    /// What else the tool wrote before it ended.
    void check_rest(std::string_view out) {
        while (!out.empty()) {
            const auto end = out.find('\n');
            REQUIRE(end != std::string_view::npos);  // no half of a line
            check(out.substr(0, end));
            out.remove_prefix(end + 1);
        }
    }

private:
    json check(std::string_view line) {
        INFO(line);
        json event = json::parse(line);
        std::vector<std::string> fields;
        for (const auto& [key, value] : event.items()) fields.push_back(key);
        CHECK(fields == std::vector<std::string>{"alert", "error", "event", "from", "members", "mono_ns", "name", "outage", "phase", "qorus_code",
                                                 "qorus_event", "reason", "seq", "silenced", "skipped", "state", "time", "transient"});
        for (const char* text : {"error", "event", "from", "name", "phase", "reason", "state", "time"}) CHECK(event[text].is_string());
        std::string shape = event["time"];  // RFC 3339, UTC, milliseconds
        for (char& c : shape)
            if (c >= '0' && c <= '9') c = '0';
        CHECK(shape == "0000-00-00T00:00:00.000Z");
        const auto seq = event["seq"].get<std::uint64_t>();
        CHECK(seq == seq_ + 1);
        seq_ = seq;
        const auto mono = event["mono_ns"].get<std::int64_t>();
        CHECK(mono >= mono_);
        mono_ = mono;
        return event;
    }

    Process& process_;
    json last_;
    std::uint64_t seq_{0};
    std::int64_t mono_{0};
};

/// Events of one connection until one of that kind has come; what the others do meanwhile is left out.
std::vector<std::string> kinds_until(Process& process, std::string_view name, std::string_view last) {
    std::vector<std::string> kinds;
    for (;;) {
        const json event = next_event(process);
        if (event.is_null()) {
            kinds.emplace_back("(nothing more came)");
            return kinds;
        }
        if (event["name"] != name) continue;
        kinds.push_back(event["event"]);
        if (kinds.back() == last) return kinds;
    }
}

}  // namespace

TEST_CASE("ping tells what is up and what is down, and why", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "http://" + nginx.address());
    estate.add("dead", "http://127.0.0.1:" + std::to_string(free_port()));
    estate.add("files", "file://" + estate.directory.path());

    const Outcome good = estate.run({"ping", "shop", "files"});
    INFO(good.out + good.err);
    CHECK(good.code == 0);
    CHECK(has(good.out, "2 up"));

    const Outcome bad = estate.run({"ping", "--all"});
    INFO(bad.out + bad.err);
    CHECK(bad.code == 1);
    CHECK(has(bad.out, "2 up, 1 down"));
    CHECK(has(bad.out, "refused"));

    const Outcome machine = estate.run({"ping", "shop", "dead", "--json"});
    const json list = json::parse(machine.out);
    CHECK(machine.code == 1);
    REQUIRE(list.size() == 2);
    CHECK(list[0]["name"] == "shop");
    CHECK(list[0]["state"] == "up");
    CHECK(list[0]["error"].is_null());
    CHECK(list[1]["state"] == "down");
    CHECK(list[1]["phase"] == "connect");
    CHECK(list[1]["reason"] == "refused");
}

TEST_CASE("ping --all lists disabled connections without counting them, invalid ones count", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    estate.add("off", "http://127.0.0.1:1", "enabled: false\n");

    const Outcome fine = estate.run({"ping", "--all"});
    INFO(fine.out);
    CHECK(fine.code == 0);
    CHECK(has(fine.out, "1 up, 1 disabled"));
    CHECK(estate.run({"ping", "off"}).code == 1);

    estate.add("odd", "gopher://x");
    const Outcome invalid = estate.run({"ping", "--all"});
    CHECK(invalid.code == 1);
    CHECK(has(invalid.out, "1 up, 1 disabled, 1 invalid"));
}

TEST_CASE("a ping ends with its time-out, many at a time", "[cli][integration]") {
    const SilentServer silent;
    const Estate estate;
    for (int i = 0; i < 20; ++i)
        estate.add("s" + std::to_string(i), "rest://127.0.0.1:" + std::to_string(silent.port()),
                   "options:\n  ping_method: GET\n  ping_path: health\n");

    const auto began = std::chrono::steady_clock::now();
    const Outcome outcome = estate.run({"ping", "--all", "--timeout", "500ms"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "20 down"));
    CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("explain shows each phase with time and evidence", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "rest://localhost:" + std::to_string(nginx.port()), "options:\n  ping_method: GET\n  ping_path: order.json\n");

    const Outcome text = estate.run({"explain", "shop"});
    INFO(text.out + text.err);
    CHECK(text.code == 0);
    CHECK(has(text.out, "connect"));
    CHECK(has(text.out, "127.0.0.1"));
    CHECK(has(text.out, "200"));
    CHECK(has(text.out, "next: Nothing"));

    const json machine = json::parse(estate.run({"explain", "shop", "--json"}).out);
    CHECK(machine["result"]["state"] == "up");
    CHECK(machine["result"]["steps"].size() >= 2);
    for (const json& step : machine["result"]["steps"]) {
        CHECK(step["ok"] == true);
        CHECK(step["time_ms"].is_number());
    }
}

TEST_CASE("explain shows the TLS version, the certificate and its days", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("open", "https://127.0.0.1:" + std::to_string(nginx.port2()), "options:\n  ssl_verify_cert: false\n");
    estate.add("strict", "https://127.0.0.1:" + std::to_string(nginx.port2()));

    const Outcome open = estate.run({"explain", "open"});
    INFO(open.out + open.err);
    CHECK(open.code == 0);
    CHECK(has(open.out, "TLSv1."));
    CHECK(has(open.out, "days left"));
    CHECK(has(open.out, "CN="));

    const Outcome strict = estate.run({"explain", "strict"});
    INFO(strict.out + strict.err);
    CHECK(strict.code == 1);
    CHECK(has(strict.out, "FAILED"));
    CHECK(has(strict.out, "issuer is not known here"));

    const json machine = json::parse(estate.run({"explain", "strict", "--json"}).out);
    CHECK(machine["result"]["error"]["phase"] == "tls");
    CHECK(has(machine["result"]["error"]["reason"].get<std::string>(), "untrusted"));
}

TEST_CASE("explain says what to do about a refused connection, a missing host and a bad definition", "[cli][integration]") {
    const Estate estate;
    estate.add("dead", "http://127.0.0.1:" + std::to_string(free_port()));
    estate.add("lost", "http://no-such-host.invalid");
    estate.add("odd", "rest://127.0.0.1", "options:\n  tiemout: 5\n");
    estate.add("off", "http://127.0.0.1:1", "enabled: false\n");

    const Outcome dead = estate.run({"explain", "dead"});
    INFO(dead.out);
    CHECK(dead.code == 1);
    CHECK(has(dead.out, "nothing listens on this port"));

    const Outcome lost = estate.run({"explain", "lost", "--timeout", "10s"});
    INFO(lost.out);
    CHECK(lost.code == 1);
    CHECK(has(lost.out, "resolve"));
    CHECK(has(lost.out, "next: "));

    const Outcome odd = estate.run({"explain", "odd"});
    INFO(odd.out);
    CHECK(odd.code == 1);
    CHECK(has(odd.out, "odd.qconn.yaml:6:3"));
    CHECK(has(odd.out, "timeout"));

    CHECK(has(estate.run({"explain", "off"}).out, "enabled: true"));
}

TEST_CASE("explain tells a request that fails apart from a connection that is up", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "http://" + nginx.address() + "/status/503");

    const Outcome outcome = estate.run({"explain", "shop"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "a request fails"));
    CHECK(has(outcome.out, "503"));
}

TEST_CASE("explain looks deeper where the pings of a connection are switched off", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("dead", "http://127.0.0.1:" + std::to_string(free_port()), "options:\n  disable_automatic_pings: true\n");
    estate.add("shop", "rest://" + nginx.address() + "/order.json", "options:\n  disable_automatic_pings: true\n");

    const Outcome dead = estate.run({"explain", "dead"});
    INFO(dead.out + dead.err);
    CHECK(dead.code == 0);  // as the monitor judges it
    CHECK(has(dead.out, "FAILED"));
    CHECK(has(dead.out, "a request fails"));
    CHECK(has(dead.out, "disable_automatic_pings"));
    CHECK(has(dead.out, "nothing listens on this port"));
    const json machine = json::parse(estate.run({"explain", "dead", "--json"}).out);
    CHECK(machine["depth"] == "none");
    CHECK(machine["request"]["state"] == "down");

    const Outcome shop = estate.run({"explain", "shop"});
    INFO(shop.out + shop.err);
    CHECK(has(shop.out, "200"));
    CHECK(has(shop.out, "next: Nothing"));
}

TEST_CASE("call: any method of an RPC server by its name", "[cli][integration]") {
    Server server{"jsonrpc"};
    const Estate estate;
    estate.add("calc", "jsonrpc://" + server.address());
    const auto call = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "calc"});
        return estate.run(words);
    };

    CHECK(call({"add", "40", "2"}).out == "42\n");
    CHECK(json::parse(call({"named", "a=1", "b=x"}).out) == json({{"a", 1}, {"b", "x"}}));
    CHECK(json::parse(call({"echo", "[1, {}]", "a b", "--", "c=d"}).out) == json::parse(R"([[1, {}], "a b", "c=d"])"));
    CHECK(call({"call", "add", "[1, 2]"}).out == "3\n");
    CHECK(has(call({"operations"}).out, "\"system.listMethods\""));
    CHECK(has(call({"help", "system.listMethods"}).out, "Returns a list"));
    CHECK(call({"notify", "note", "[\"x\"]"}).out == "null\n");
    const Outcome fault = call({"fail", "7", "out of stock"});
    CHECK(fault.code == 1);
    CHECK(has(fault.err, "RPC-FAULT: calling fail at http://127.0.0.1:"));
    CHECK(has(fault.err, "error 7: out of stock"));
    CHECK(has(call({"add", "1", "b=2"}).err, "by position or by name"));
    CHECK(has(estate.run({"show", "calc"}).out, "METHOD [PARAM...] [KEY=VALUE...]"));
    CHECK(has(estate.run({"ping", "calc", "--depth", "full"}).out, "up"));
}

TEST_CASE("call: REST operations, their results as JSON", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "rest://" + nginx.address());

    const Outcome order = estate.run({"call", "shop", "get", "order.json"});
    INFO(order.out + order.err);
    CHECK(order.code == 0);
    CHECK(has(json::parse(order.out).dump(), R"("sku":"A-1")"));

    const Outcome echo = estate.run({"call", "shop", "post", "echo", R"({"sku": "A-1", "count": 2})"});
    INFO(echo.out + echo.err);
    CHECK(echo.code == 0);
    CHECK(has(echo.out, "POST /echo"));
    CHECK(has(echo.out, "A-1"));

    const Outcome list = estate.run({"call", "shop", "post", "echo", "[1,2,3]"});
    INFO(list.out + list.err);
    CHECK(has(list.out, "[1,2,3]"));

    const Outcome put = estate.run({"call", "shop", "put", "new.json", R"({"a": 1})"});
    INFO(put.err);
    CHECK(put.code == 0);
    CHECK(has(json::parse(estate.run({"call", "shop", "get", "new.json"}).out).dump(), R"("a":1)"));
    CHECK(estate.run({"call", "shop", "delete", "new.json"}).code == 0);

    const Outcome missing = estate.run({"call", "shop", "get", "new.json"});
    CHECK(missing.code == 1);
    CHECK(missing.out.empty());
    CHECK(has(missing.err, "404"));

    const Outcome machine = estate.run({"call", "shop", "get", "new.json", "--json"});
    CHECK_FALSE(json::parse(machine.err)["error"]["name"].get<std::string>().empty());
}

TEST_CASE("call: operations of an API description, listed and called by id", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "rest://" + nginx.address() + "/elsewhere", "options:\n  swagger: api.yaml\n");
    estate.add("broken", "rest://" + nginx.address(), "options:\n  swagger: broken.yaml\n");
    estate.directory.write("api.yaml", R"yaml(swagger: '2.0'
info: {title: Echo, version: '1'}
basePath: /
paths:
  /echo:
    post:
      operationId: addOrder
      summary: Adds an order
      parameters:
        - {name: id, in: query, required: true, type: integer}
        - {name: order, in: body, schema: {type: object, properties: {count: {type: integer}}}}
      responses: {200: {description: what was sent}}
)yaml");
    estate.directory.write("broken.yaml", "swagger: '2.0'\npaths: 5\n");

    const Outcome listed = estate.run({"call", "shop", "operations"});
    INFO(listed.out + listed.err);
    CHECK(has(listed.out, "addOrder id=INT [body=ANY] [KEY=VALUE...]"));
    CHECK(has(listed.out, "POST /echo: Adds an order"));
    CHECK(has(listed.out, "get PATH"));

    const Outcome sent = estate.run({"call", "shop", "addOrder", "id=17", "count=2"});
    INFO(sent.out + sent.err);
    CHECK(sent.code == 0);
    CHECK(has(sent.out, "POST /echo?id=17"));
    CHECK(has(sent.out, "count"));

    const Outcome refused = estate.run({"call", "shop", "addOrder", "id=17", "count=many"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "REQUEST-VALIDATION-ERROR: POST /echo was not sent: /body/count must be integer, and is string"));
    CHECK(estate.run({"call", "shop", "addOrder"}).code == 2);

    const Outcome broken = estate.run({"call", "broken", "operations"});
    CHECK(broken.code == 1);
    CHECK(has(broken.err, "SWAGGER-SCHEMA-ERROR"));
    CHECK(has(broken.err, "'broken.yaml' cannot be used: line 2, column 8, at /paths"));
    CHECK(has(estate.run({"check"}).out, "2 ok"));
}

TEST_CASE("call ends with its time-out", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "rest://" + nginx.address());

    const auto began = std::chrono::steady_clock::now();
    const Outcome outcome = estate.run({"call", "shop", "get", "delay/30", "--timeout", "500ms"});

    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "TIMEOUT"));
    CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("call: file operations, after -- nothing is an option", "[cli][integration]") {
    const Estate estate;
    estate.add("inbox", "file://" + estate.directory.path());

    CHECK(estate.run({"call", "inbox", "write", "note.txt", "--", "a=b"}).code == 0);
    CHECK(estate.directory.read("note.txt") == "a=b");
    const Outcome slip = estate.run({"call", "inbox", "put", "note.txt", "verfy=true"});
    CHECK(slip.code == 2);
    CHECK(has(slip.err, "there is no option 'verfy'; did you mean 'verify'?"));
    CHECK_FALSE(std::filesystem::exists(estate.directory / "verfy=true"));
    CHECK(estate.run({"call", "inbox", "write", "note.txt", "--", "--json"}).code == 0);
    CHECK(estate.directory.read("note.txt") == "--json");
    CHECK(has(estate.run({"call", "inbox", "read", "note.txt"}).out, "--json"));
    CHECK(estate.run({"call", "inbox", "write", "copy.txt", "@" + (estate.directory / "note.txt")}).code == 0);
    CHECK(estate.directory.read("copy.txt") == "--json");
    CHECK(has(estate.run({"call", "inbox", "stat", "note.txt"}).out, "6"));

    const Outcome list = estate.run({"call", "inbox", "list"});
    INFO(list.out + list.err);
    CHECK(has(json::parse(list.out).dump(), "note.txt"));

    CHECK(estate.run({"call", "inbox", "move", "note.txt", "done.txt"}).code == 0);
    CHECK(estate.run({"call", "inbox", "remove", "done.txt"}).code == 0);
    const Outcome gone = estate.run({"call", "inbox", "read", "done.txt"});
    CHECK(gone.code == 1);
    CHECK(has(gone.err, "done.txt"));
}

TEST_CASE("call: files go to standard output and come from standard input", "[cli][integration]") {
    const Estate estate;
    estate.directory.write("bytes", std::string_view{"a\0\xff\n", 4});
    estate.add("inbox", "file://" + estate.directory.path());

    const Outcome got = estate.run({"call", "inbox", "get", "bytes", "-"});
    INFO(got.err);
    CHECK(got.code == 0);
    CHECK(got.out == std::string_view{"a\0\xff\n", 4});
    CHECK_FALSE(std::filesystem::exists(estate.directory / "-"));

    const std::string pipe = std::string{QCONN_TOOL} + " call inbox get bytes - | " + QCONN_TOOL + " call inbox put - copy";
    const Outcome put = Process{{"/bin/sh", {"-c", pipe}, {}, estate.directory.path()}}.finish();
    INFO(put.err);
    CHECK(put.code == 0);
    CHECK(estate.directory.read("copy") == std::string_view{"a\0\xff\n", 4});

    CHECK(has(estate.run({"call", "inbox", "get", "bytes", "-", "verify=true"}).err, "INVALID-ARGUMENT"));
    CHECK(has(estate.run({"call", "inbox", "put", "-"}).err, "INVALID-ARGUMENT"));
    CHECK(estate.run({"call", "inbox", "get", "gone", "-"}).out.empty());
}

TEST_CASE("call: a result that tells of failures is printed, and the exit code is 1", "[cli][integration]") {
    const Estate estate;
    std::filesystem::create_directories(estate.directory / "inbox");
    std::filesystem::create_directories(estate.directory / "here/a.txt/full");  // where the file belongs
    estate.directory.write("inbox/a.txt", "A");
    estate.directory.write("inbox/b.txt", "B");
    estate.add("inbox", "file://" + (estate.directory / "inbox"));

    const Outcome some = estate.run({"call", "inbox", "get_tree", "here", "go_on=true"});
    INFO(some.out + some.err);
    CHECK(some.code == 1);
    CHECK(json::parse(some.out)["files"] == 1);
    CHECK(has(json::parse(some.out)["failures"].dump(), "a.txt"));
    CHECK(has(some.err, "one was not carried: a.txt: "));
    CHECK(estate.directory.read("here/b.txt") == "B");

    const Outcome data = estate.run({"call", "inbox", "get_tree", "here", "go_on=true", "--json"});
    CHECK(data.code == 1);
    CHECK(json::parse(data.err)["error"]["name"] == "CALL-FAILED");

    CHECK(estate.run({"call", "inbox", "get_tree", "elsewhere", "go_on=true"}).code == 0);
}

TEST_CASE("monitor --json: one object a line with exactly these fields, as a server dies and returns", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "http://" + nginx.address());
    estate.add("files", "file://" + estate.directory.path());
    Process monitor{estate.launch({"monitor", "--json", "--interval", "200ms", "--fast", "100ms", "--timeout", "1s", "--fall", "2"})};

    std::map<std::string, json> first;
    while (first.size() < 2) {
        const json event = next_event(monitor);
        REQUIRE(event.is_object());
        first[event["name"]] = event;
    }
    for (const auto& [name, event] : first) {
        CHECK(event["event"] == "up");
        CHECK(event["from"] == "unknown");
        CHECK(event["state"] == "up");
        CHECK(event["error"] == "");
    }
    const json& up = first["shop"];
    std::vector<std::string> fields;
    for (const auto& [key, value] : up.items()) fields.push_back(key);
    CHECK(fields == std::vector<std::string>{"alert", "error", "event", "from", "members", "mono_ns", "name", "outage", "phase", "qorus_code",
                                             "qorus_event", "reason", "seq", "silenced", "skipped", "state", "time", "transient"});
    const auto time = up["time"].get<std::string>();
    CHECK(time.size() == 24);
    CHECK(time[10] == 'T');
    CHECK(time.back() == 'Z');

    nginx.kill();
    const json failing = next_event(monitor);
    CHECK(failing["event"] == "failing");
    CHECK(failing["name"] == "shop");
    CHECK(failing["from"] == "up");
    const json down = next_event(monitor);
    CHECK(down["event"] == "down");
    CHECK(down["state"] == "down");
    CHECK(down["from"] == "failing");
    CHECK(down["phase"] == "connect");
    CHECK(down["reason"] == "refused");
    CHECK_FALSE(down["error"].get<std::string>().empty());
    CHECK(down["seq"].get<std::uint64_t>() > failing["seq"].get<std::uint64_t>());
    CHECK(down["mono_ns"].get<std::int64_t>() > failing["mono_ns"].get<std::int64_t>());

    nginx.start();
    CHECK(kinds_until(monitor, "shop", "up").back() == "up");

    monitor.signal(SIGTERM);
    const Outcome outcome = monitor.finish();
    CHECK(outcome.code == 0);
    CHECK(has(outcome.err, "watched 2 connections: 2 up"));
}

TEST_CASE("monitor --json: the whole life of a connection, each line complete, in order and flushed", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    const std::string url = "rest://" + nginx.address();
    const std::string asking = "options:\n  ping_method: GET\n  ping_path: /hello.txt\n";
    estate.add("shop", url, asking);
    estate.add("files", "file://" + estate.directory.path());  // something beside it that is always up
    // Fast enough to see it go down, and patient enough to bring the server back before that.
    Process monitor{estate.launch({"monitor", "--json", "--interval", "200ms", "--fast", "200ms", "--timeout", "5s", "--fall", "25"})};
    Lines lines{monitor};
    const auto sees = [&lines](const char* story) { CHECK(lines.story("shop", story) == story); };

    sees("up unknown>up");
    nginx.kill();
    sees("failing up>failing");
    // Refused, unless a ping was under way when the server died.
    CHECK(std::set<std::string>{"refused", "reset", "closed"}.count(lines.last()["reason"].get<std::string>()) == 1);
    nginx.start();
    sees("recovered failing>up");
    CHECK(lines.last()["phase"] == "none");
    CHECK(lines.last()["reason"] == "none");
    CHECK(lines.last()["error"] == "");

    nginx.kill();
    sees("failing up>failing, down failing>down, alert down>down");
    CHECK(has(lines.last()["error"].get<std::string>(), nginx.address()));
    nginx.start();
    sees("up down>up, alert-cleared up>up");

    estate.add("shop", url, "enabled: false\n" + asking);
    sees("updated up>up, disabled up>disabled");
    estate.add("shop", url, asking);
    sees("updated disabled>disabled, enabled disabled>unknown, up unknown>up");
    estate.add("shop", url, "options:\n  tiemout: 5\n");
    const json stale = lines.next("shop");  // the former one stays in use
    CHECK(stale["event"] == "updated");
    CHECK(stale["state"] == "up");
    CHECK(has(stale["error"].get<std::string>(), "tiemout"));
    estate.add("odd", "gopher://x");
    CHECK(lines.story("odd", "added invalid>invalid, invalid unknown>invalid, alert invalid>invalid") ==
          "added invalid>invalid, invalid unknown>invalid, alert invalid>invalid");
    std::filesystem::remove(estate.directory / "odd.qconn.yaml");
    CHECK(lines.story("odd", "alert-cleared invalid>invalid, removed invalid>invalid") == "alert-cleared invalid>invalid, removed invalid>invalid");

    monitor.signal(SIGINT);
    const Outcome outcome = monitor.finish();
    CHECK(outcome.code == 0);
    lines.check_rest(outcome.out);
}

TEST_CASE("monitor ends at once at a signal although a ping hangs", "[cli][integration]") {
    const int signal = GENERATE(SIGINT, SIGTERM);
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "rest://" + nginx.address(), "options:\n  ping_method: GET\n  ping_path: /hello.txt\n");
    Process monitor{estate.launch({"monitor", "--json", "--interval", "100ms", "--timeout", "10m"})};
    Lines lines{monitor};
    REQUIRE(lines.next("shop")["event"] == "up");
    nginx.freeze();
    // Its next ping hangs, and has begun when two of another one have ended.
    estate.add("later", "http://127.0.0.1:" + std::to_string(free_port()));
    const std::string down = "added unknown>unknown, down unknown>down, alert down>down";
    REQUIRE(lines.story("later", down) == down);

    monitor.signal(signal);
    const Outcome outcome = monitor.finish(20s);

    INFO(outcome.err);
    CHECK(outcome.code == 0);
    lines.check_rest(outcome.out);
    CHECK(has(outcome.err, "watched 2 connections"));
}

TEST_CASE("a reader that goes while monitor waits for it ends it quietly", "[cli][integration]") {
    const Estate estate;
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "---\ntype: connection\nname: files-" + std::to_string(i) + "\ndesc: d\nurl: file://" + estate.directory.path() + "\n";
    estate.directory.write("many.qconn.yaml", many);
    Process process{estate.launch({"monitor", "--json", "--interval", "500ms"})};
    REQUIRE(wait_until([&] { return process.unread() > 40000; }, 20s));

    process.close_output();
    const Outcome outcome = process.finish(20s);

    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
}

TEST_CASE("monitor ends by itself after --for and at SIGINT, with a summary and exit code 0", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    estate.add("dead", "http://127.0.0.1:" + std::to_string(free_port()));

    const Outcome timed = estate.run({"monitor", "--interval", "100ms", "--for", "1.5"});
    INFO(timed.out + timed.err);
    CHECK(timed.code == 0);
    CHECK(has(timed.out, "  up "));
    CHECK(has(timed.out, "  down "));
    CHECK(has(timed.out, "watched 2 connections: 1 down, 1 up; "));

    Process process{estate.launch({"monitor", "--interval", "100ms"})};
    CHECK(process.wait_for("  up "));
    process.signal(SIGINT);
    const Outcome stopped = process.finish();
    CHECK(stopped.code == 0);
    CHECK(has(stopped.out, "watched 2 connections"));
}

TEST_CASE("monitor ends when nobody reads it any more", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{estate.launch({"monitor", "--json", "--interval", "100ms"})};
    CHECK(process.line());

    process.close_output();
    const Outcome outcome = process.finish(10s);

    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
}

TEST_CASE("a reader that does not read cannot keep monitor from ending", "[cli][integration]") {
    const Estate estate;
    std::string many;
    for (int i = 0; i < 1000; ++i) {
        many += "---\ntype: connection\nname: files-" + std::to_string(i) + "\ndesc: d\nurl: file://" + estate.directory.path() + "\n";
    }
    estate.directory.write("many.qconn.yaml", many);
    Process process{estate.launch({"monitor", "--json", "--interval", "500ms"})};
    REQUIRE(wait_until([&] { return process.unread() > 40000; }, 20s));

    process.signal(SIGTERM);

    CHECK(process.ends_unread(20s));
    CHECK(process.finish().code == 0);
}

TEST_CASE("monitor reads the definitions again at SIGHUP", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{estate.launch({"monitor", "--json", "--interval", "100ms", "--no-watch"})};
    CHECK(kinds_until(process, "files", "up").back() == "up");

    estate.add("more", "file://" + estate.directory.path());
    process.signal(SIGHUP);

    const auto kinds = kinds_until(process, "more", "up");
    CHECK(kinds == std::vector<std::string>{"added", "up"});
    process.signal(SIGTERM);
    CHECK(process.finish().code == 0);
}

TEST_CASE("monitor follows its files: what is added, changed, broken and removed", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{estate.launch({"monitor", "--json", "--interval", "100ms"})};
    CHECK(kinds_until(process, "files", "up").back() == "up");

    estate.add("more", "file://" + estate.directory.path());
    CHECK(kinds_until(process, "more", "up") == std::vector<std::string>{"added", "up"});
    estate.add("more", "file:///tmp");
    CHECK(kinds_until(process, "more", "updated").back() == "updated");
    estate.add("broken", "fiel:///tmp");
    CHECK(kinds_until(process, "broken", "invalid").back() == "invalid");
    std::filesystem::remove(estate.directory / "more.qconn.yaml");
    CHECK(kinds_until(process, "more", "removed").back() == "removed");

    process.signal(SIGTERM);
    const Outcome outcome = process.finish();
    CHECK(outcome.code == 0);
    CHECK(has(outcome.err, "have errors"));
}
