// SPDX-License-Identifier: Apache-2.0
#include <qconn/monitor/settings.hpp>

#include <chrono>
#include <string>

#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;

TEST_CASE("settings that are absent keep their defaults", "[monitor][settings]") {
    const MonitorOptions options = monitor_options({});

    CHECK(options.interval == MonitorOptions{}.interval);
    CHECK(options.fast == 0ms);
    CHECK(options.manage_interfaces);
}

TEST_CASE("settings are taken under our names and under those of Qorus", "[monitor][settings]") {
    CHECK(monitor_options({{"interval", 10'000}}).interval == 10s);
    CHECK(monitor_options({{"ping-interval", 10'000}}).interval == 10s);
    CHECK_FALSE(monitor_options({{"manage-interfaces", false}}).manage_interfaces);
    CHECK_FALSE(monitor_options({{"qorus.manage-interfaces", "no"}}).manage_interfaces);
    CHECK(monitor_options({{"alert-fs-full", 90}}).alert_fs_full == 90);
    CHECK(monitor_options({{"max_in_flight", "12"}}).max_in_flight == 12);
}

TEST_CASE("wrong settings say what is wrong", "[monitor][settings]") {
    const auto says = [](const Map& settings, const char* part) {
        try {
            (void)monitor_options(settings);
        } catch (const Error& e) {
            UNSCOPED_INFO(e.what());
            return std::string{e.what()}.find(part) != std::string::npos;
        }
        return false;
    };

    CHECK(says({{"intervall", 1}}, "SETTINGS-ERROR"));
    CHECK(says({{"intervall", 1}}, "did you mean 'interval'?"));
    CHECK(says({{"interval", 50}}, "at least 100 ms"));
    CHECK(says({{"fall", 0}}, "'fall'"));
    CHECK(says({{"manage_interfaces", "ture"}}, "'manage_interfaces'"));
    CHECK(says({{"alert_fs_full", 101}}, "'alert_fs_full'"));
}
