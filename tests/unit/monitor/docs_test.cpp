// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>
#include <string>

#include <qconn/core/monitoring.hpp>
#include <qconn/monitor/monitor.hpp>

#include "core/option_tables.hpp"
#include "monitor/state.hpp"
#include "support/catch.hpp"

namespace {

/// What stands in the page between two comments.
std::string between(const std::string& begin, const std::string& end) {
    std::ifstream file{QCONN_TESTS_DIR "/../docs/monitor.md"};
    std::stringstream text;
    text << file.rdbuf();
    const std::string page = text.str();
    const std::string first = "<!-- " + begin + " -->\n";
    const auto from = page.find(first);
    const auto to = page.find("<!-- " + end + " -->");
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    return page.substr(from + first.size(), to - from - first.size());
}

}  // namespace

TEST_CASE("the tables in the documentation are those in the code", "[monitor]") {
    CHECK(between("transitions: kept equal to the code by a test", "end of transitions") == qconn::monitor::transitions_markdown());
    CHECK(between("monitoring options: kept equal to the table by a test", "end of monitoring options") ==
          qconn::core::options_markdown(qconn::monitoring_options().specs()));
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
