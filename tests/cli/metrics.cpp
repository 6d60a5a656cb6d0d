// SPDX-License-Identifier: Apache-2.0
// qconn monitor --metrics.
#include <csignal>
#include <optional>
#include <string>

#include <qconn/http/http_client.hpp>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Empty while nobody answers.
std::string scrape(std::uint16_t port) {
    HttpOptions options;
    options.url = "http://127.0.0.1:" + std::to_string(port);
    try {
        return HttpClient{options}.get("/metrics").body;
    } catch (const Error&) { return {}; }
}

}  // namespace

TEST_CASE("monitor --metrics serves what is monitored, beside the events", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    const std::uint16_t port = free_port();
    Process monitor{estate.launch({"monitor", "--json", "--interval", "100ms", "--metrics", std::to_string(port)})};
    CHECK(wait_until([&] { return has(scrape(port), "\nqconn_connection_up{connection=\"files\"} 1\n"); }, 60s));
    CHECK(monitor.wait_for("\"up\""));
    monitor.signal(SIGTERM);
    const Outcome outcome = monitor.finish();
    CHECK(outcome.code == 0);
    CHECK(has(outcome.err, "metrics at http://127.0.0.1:" + std::to_string(port) + "/metrics\n"));
    CHECK(scrape(port).empty());
}

TEST_CASE("monitor --metrics on a port that is taken ends with an error that says so", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    const std::uint16_t port = free_port();
    Process monitor{estate.launch({"monitor", "--json", "--metrics", std::to_string(port)})};
    REQUIRE(wait_until([&] { return !scrape(port).empty(); }, 60s));
    const Outcome second = estate.run({"monitor", "--metrics", "127.0.0.1:" + std::to_string(port)});
    CHECK(second.code == 1);
    CHECK(has(second.err, "LISTEN-ERROR: listening on 127.0.0.1:" + std::to_string(port) + " failed: Address already in use"));
}

TEST_CASE("monitor --metrics wants a port", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    for (const char* bad : {"metrics", "70000", "127.0.0.1:", ":9464", "::1:9464", "9464x"}) {
        CAPTURE(bad);
        const Outcome outcome = estate.run({"monitor", "--metrics", bad});
        CHECK(outcome.code == 2);
        CHECK(has(outcome.err, "--metrics: write "));
    }
}
