// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>
#include <string>

#include <qconn/monitor/monitor.hpp>

#include "monitor/state.hpp"
#include "support/catch.hpp"

TEST_CASE("the table of transitions in the documentation is the one in the code", "[monitor]") {
    std::ifstream file{QCONN_TESTS_DIR "/../docs/monitor.md"};
    std::stringstream text;
    text << file.rdbuf();
    const std::string page = text.str();
    const std::string begin = "<!-- transitions: kept equal to the code by a test -->\n";
    const auto from = page.find(begin);
    const auto to = page.find("<!-- end of transitions -->");
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);

    CHECK(page.substr(from + begin.size(), to - from - begin.size()) == qconn::monitor::transitions_markdown());
}

TEST_CASE("every state and event has its name", "[monitor]") {
    using namespace qconn;
    CHECK(to_string(ConnectionState::invalid) == "invalid");
    CHECK(to_string(EventKind::up) == "up");
    CHECK(to_string(EventKind::alert_cleared) == "alert-cleared");
    CHECK(to_string(EventKind::start) == "start");
    CHECK(to_string(InterfaceKind::job) == "job");
    CHECK(to_string(InterfaceState::stopped) == "stopped");
}
