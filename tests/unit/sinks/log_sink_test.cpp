// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <string>
#include <vector>

#include <qconn/monitor/monitor.hpp>
#include <qconn/sinks/log_sink.hpp>

#include "support/catch.hpp"
#include "unit/monitor/remote.hpp"

namespace {

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

}  // namespace

TEST_CASE("events become records with a level by their kind, a sentence and fields", "[sinks][threads]") {
    std::mutex mutex;
    std::vector<std::string> records;
    const Log log{LogLevel::debug, [&](const LogRecord& record) {
                      const std::scoped_lock lock{mutex};
                      std::string text = std::string{to_string(record.level)} + ' ' + std::string{record.connection} + ' ' +
                                         std::string{record.event} + ": " + std::string{record.text};
                      for (const auto& [name, value] : record.fields)
                          if (name != "seq") text += ' ' + std::string{name} + '=' + value;
                      records.push_back(text);
                  }};
    const auto world = std::make_shared<World>();
    const Catalogue catalogue = remote_catalogue(world);
    RegistryOptions registry_options;
    registry_options.catalogue = &catalogue;
    registry_options.runtime = Runtime{RuntimeOptions{}};
    Registry registry{registry_options};
    registry.add(remote("shop"));
    Monitor monitor{registry, MonitorOptions{0ms, 20s}};
    LogSinkOptions options;
    options.log = log;
    const Subscription logging = log_sink(monitor, options);
    const Interface orders = monitor.add_interface({InterfaceKind::service, "orders", {}, {}, false});
    Interface{orders}.depend("shop");

    monitor.ping("shop");
    world->set_up("shop", false);
    monitor.ping("shop");
    monitor.ping("shop");
    const auto size = [&] {
        const std::scoped_lock lock{mutex};
        return records.size();
    };
    REQUIRE(wait_until([&] { return size() == 5; }));

    monitor.start();
    registry.set_silence("shop", Silence{.by = "ann"});
    REQUIRE(wait_until([&] { return size() == 6; }));
    registry.disable("shop");
    REQUIRE(wait_until([&] { return size() == 8; }));

    const std::scoped_lock lock{mutex};
    CHECK(records[0] == "info shop up: \"shop\" is up state=up from=unknown");
    CHECK(records[1].starts_with("warning shop failing: \"shop\" has failed once: "));
    CHECK(records[2].starts_with("error shop down: \"shop\" is down: "));
    CHECK(records[2].ends_with(" state=down from=failing phase=connect reason=refused outage=1"));
    CHECK(records[3].starts_with("warning shop alert: \"shop\" has an alert, USER-CONNECTION-UNAVAILABLE: "));
    CHECK(records[4] == "warning  stop: \"orders\" is being stopped interface=orders");
    CHECK(records[5] == "info shop silenced: \"shop\" is silenced: mute until it is taken back by ann state=down from=down outage=1 silenced=true");
    CHECK(records[6].ends_with(" silenced=true"));
}

TEST_CASE("what happens to a silenced connection is written, but not as what somebody is called for", "[sinks][silence][threads]") {
    std::mutex mutex;
    std::vector<std::string> records;
    const Log log{LogLevel::debug, [&](const LogRecord& record) {
                      const std::scoped_lock lock{mutex};
                      records.push_back(std::string{to_string(record.level)} + ' ' + std::string{record.event});
                  }};
    const auto world = std::make_shared<World>();
    const Catalogue catalogue = remote_catalogue(world);
    RegistryOptions registry_options;
    registry_options.catalogue = &catalogue;
    registry_options.runtime = Runtime{RuntimeOptions{}};
    Registry registry{registry_options};
    registry.add(remote("shop"));
    registry.set_silence("shop", Silence{});
    Monitor monitor{registry, MonitorOptions{0ms, 20s}};
    LogSinkOptions options;
    options.log = log;
    const Subscription logging = log_sink(monitor, options);
    monitor.start();
    for (const bool up : {true, false, false}) {
        world->set_up("shop", up);
        monitor.ping("shop");
    }
    CHECK(wait_until([&] {
        const std::scoped_lock lock{mutex};
        return records == std::vector<std::string>{"info silenced", "info up", "info failing", "info down"};
    }));
}
