// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>

#include "support/catch.hpp"
#include "support/event_log.hpp"
#include "support/fd_count.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("200 of 500 connections are on a server that dies and returns", "[monitor][integration]") {
    Server mortal{"nginx", {.environment = {"NGINX_CONNECTIONS=4000"}}};
    Server other{"nginx", {.environment = {"NGINX_CONNECTIONS=4000"}}};
    const TempDir directory;
    const auto name_of = [](int i) { return "c" + std::to_string(i); };
    std::string text;
    for (int i = 0; i < 500; ++i) {
        const Server& server = i < 200 ? mortal : other;
        // Half of them ask for something over a kept stream, the others only connect.
        text += "---\ntype: connection\nname: " + name_of(i) + "\ndesc: generated\n";
        if (i % 2 == 0)
            text += "url: rest://" + server.address() + "\noptions:\n  ping_method: GET\n  ping_path: /hello.txt\n";
        else
            text += "url: http://" + server.address() + "\n";
    }
    directory.write("all.qconn.yaml", text);
    const auto before = open_descriptors();

    struct Dependent {
        std::atomic<int> stops{0};
        std::atomic<int> starts{0};
    };
    std::vector<std::unique_ptr<Dependent>> counts;
    EventLog log;
    {
        Runtime runtime{RuntimeOptions{}};
        Registry registry{{.runtime = runtime}};
        REQUIRE(registry.load(directory.path()).ok());
        REQUIRE(registry.size() == 500);
        MonitorOptions options;
        options.interval = 1s;
        options.timeout = 5s;
        Monitor monitor{registry, options};
        const auto watching = monitor.subscribe(log.listener());
        std::vector<Interface> interfaces;
        for (int i = 0; i < 50; ++i) {  // 20 of them depend on connections that die, each on ten
            counts.push_back(std::make_unique<Dependent>());
            Dependent& count = *counts.back();
            interfaces.push_back(
                monitor.add_interface({InterfaceKind::service, "i" + std::to_string(i), [&] { ++count.starts; }, [&] { ++count.stops; }}));
            for (int k = 0; k < 10; ++k) interfaces.back().depend(name_of(10 * i + k));
        }
        const auto all_in = [&](ConnectionState state, int from, int to) {
            return wait_until(
                [&] {
                    for (int i = from; i < to; ++i)
                        if (monitor.status(name_of(i)).state != state) return false;
                    return true;
                },
                30s);
        };

        monitor.start();
        REQUIRE(all_in(ConnectionState::up, 0, 500));
        mortal.kill();
        CHECK(all_in(ConnectionState::down, 0, 200));
        CHECK(wait_until([&] { return monitor.alerts().size() == 200; }));
        mortal.start();
        CHECK(all_in(ConnectionState::up, 0, 200));
        CHECK(wait_until([&] {
            for (const Interface& one : interfaces)
                if (one.info().state != InterfaceState::running) return false;
            return true;
        }));
        CHECK(all_in(ConnectionState::up, 0, 500));
        CHECK(wait_until([&] { return monitor.alerts().empty(); }));
        monitor.stop();
        // All that has happened is still delivered.
        for (int i = 0; i < 500; ++i) CHECK(log.wait_for(name_of(i), i < 200 ? "up failing down alert up alert-cleared" : "up"));
        for (int i = 0; i < 50; ++i) CHECK(log.wait_for("i" + std::to_string(i), i < 20 ? "stop start" : ""));
    }
    for (int i = 0; i < 50; ++i) {
        CHECK(counts[static_cast<std::size_t>(i)]->stops == (i < 20 ? 1 : 0));
        CHECK(counts[static_cast<std::size_t>(i)]->starts == (i < 20 ? 1 : 0));
    }
    std::uint64_t seq = 0;
    for (const Event& event : log.events()) CHECK(event.seq == ++seq);
    CHECK(log.events().size() == 200U * 6 + 300 + 20 * 2);
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}
