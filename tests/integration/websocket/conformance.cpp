// SPDX-License-Identifier: Apache-2.0
// The cases of tests/servers/wsraw.py: a server that sends exact frames and judges what comes back. docs/families/websocket.md lists them.
#include <qconn/http/http_client.hpp>

#include <cstdlib>
#include <sstream>

#include "integration/websocket/fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_case_limit = 60s;

/// QCONN_LONG=1: large messages, and those and compressed ones in parts too.
bool is_long() { return std::getenv("QCONN_LONG") != nullptr; }
/// 16 MiB; 1 MiB compressed in each of the ways that differ by their windows alone.
bool is_large(const std::string& name) { return name == "9.1.4" || name == "9.2.4" || (name.starts_with("13.") && name.ends_with(".6")); }

std::vector<std::string> case_names(HttpClient& http) {
    std::istringstream lines{http.get("/cases", k_case_limit).body};
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) names.push_back(line);
    return names;
}

/// A client that sends back what comes, until it is closed.
void be_echo(const std::string& name, bool in_parts) {
    WebSocketOptions options = to(raw_server(), "/case/" + name);
    options.max_message = 17 << 20;
    options.max_streamed = 17 << 20;
    options.max_queue = 64 << 20;
    options.compression.above = 0;
    Lines ended;
    WebSocketClient* self = nullptr;
    std::string message;
    if (in_parts) {
        options.handlers.on_part = [&](WebSocketKind kind, std::string_view part, bool last) {
            message += part;
            if (last) self->async_send(kind, std::exchange(message, {}), {}, {});
        };
    } else {
        options.handlers.on_message = [&](WebSocketKind kind, std::string_view data) { self->try_send(kind, data); };
    }
    options.handlers.on_event = [&](const WebSocketEvent& event) {
        if (event.what == WebSocketEvent::What::closed) ended.add("");
    };
    WebSocketClient client{options};
    self = &client;
    client.connect(k_case_limit);
    CHECK(ended.wait(1));
}

void check_cases(const std::string& first, const std::string& last, bool in_parts) {
    HttpOptions http_options;
    http_options.url = "http://" + raw_server().address();
    HttpClient http{http_options};
    int count = 0;
    const auto family = [](const std::string& name) { return std::stoi(name); };
    for (const std::string& name : case_names(http)) {
        if (family(name) < std::stoi(first) || family(name) > std::stoi(last)) continue;
        if (is_large(name) && !is_long()) continue;
        ++count;
        INFO("case " << name << (in_parts ? ", in parts" : ""));
        be_echo(name, in_parts);
        std::string verdict;
        wait_until([&] { return (verdict = http.get("/verdict/" + name, k_case_limit).body) != "it has not ended"; });
        CHECK(verdict == "OK");
    }
    CHECK(count > 0);
}

}  // namespace

TEST_CASE("the conformance cases of framing, control frames and reserved bits are passed", "[websocket][integration]") {
    check_cases("1", "4", false);
    check_cases("1", "4", true);
}

TEST_CASE("the conformance cases of fragments and UTF-8 are passed", "[websocket][integration]") {
    check_cases("5", "6", false);
    check_cases("5", "6", true);
}

TEST_CASE("the conformance cases of closing are passed", "[websocket][integration]") { check_cases("7", "7", false); }

TEST_CASE("the conformance cases of sizes and limits are passed", "[websocket][integration]") {
    check_cases("9", "9", false);
    if (is_long()) check_cases("9", "9", true);
}

TEST_CASE("the conformance cases of compression are passed", "[websocket][integration]") {
    check_cases("12", "13", false);
    if (is_long()) check_cases("12", "13", true);
}
