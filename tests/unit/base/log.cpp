// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/log.hpp>

#include <stdexcept>
#include <string>

#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("a log takes its level and above", "[base][log]") {
    std::string seen;
    const Log log{LogLevel::warning, [&](const LogRecord& r) { seen.append(r.event).append(";"); }};

    log.write({LogLevel::info, "", "a", "", {}});
    log.write({LogLevel::warning, "", "b", "", {}});
    log.write({LogLevel::error, "", "c", "", {}});

    CHECK(seen == "b;c;");
    CHECK(log.enabled(LogLevel::error));
    CHECK_FALSE(log.enabled(LogLevel::debug));
}

TEST_CASE("a sink that throws does no harm", "[base][log]") {
    const Log log{LogLevel::debug, [](const LogRecord&) { throw std::runtime_error{"full"}; }};
    CHECK_NOTHROW(log.write({LogLevel::error, "", "a", "", {}}));
}

TEST_CASE("a default log follows the process's default, also when that changes later", "[base][log]") {
    const Log log;
    int seen = 0;
    set_default_log(LogLevel::info, [&](const LogRecord&) { ++seen; });
    log.write({LogLevel::info, "", "a", "", {}});
    set_default_log(LogLevel::off, {});
    log.write({LogLevel::error, "", "a", "", {}});
    set_default_log(LogLevel::warning, {});
    CHECK(seen == 1);
}
