// SPDX-License-Identifier: Apache-2.0
/// A monitor over connections whose remote ends live in the test, and interfaces that write down what is asked of them.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <qconn/monitor/monitor.hpp>

#include "remote.hpp"
#include "support/event_log.hpp"
#include "support/wait.hpp"

namespace qconn::test {

/// Only pings by hand, so that each test says what happens when.
inline MonitorOptions by_hand() {
    MonitorOptions options;
    options.interval = std::chrono::milliseconds{0};
    options.timeout = std::chrono::seconds{20};
    return options;
}

struct Scene {
    explicit Scene(const MonitorOptions& options = by_hand(), std::initializer_list<const char*> names = {"shop"}) {
        for (const char* name : names) registry->add(remote(name));
        monitor.emplace(*registry, options);
        watching = monitor->subscribe(log.listener());
        monitor->start();
    }

    std::shared_ptr<World> world{std::make_shared<World>()};
    Catalogue catalogue{remote_catalogue(world)};
    Runtime runtime{RuntimeOptions{}};
    std::optional<Registry> registry{std::in_place, RegistryOptions{&catalogue, runtime}};
    EventLog log;
    std::optional<Monitor> monitor;
    Subscription watching;

    PingResult ping(const std::string& name, bool up) {
        world->set_up(name, up);
        return monitor->ping(name);
    }
    void bring_down(const std::string& name) {
        ping(name, false);
        ping(name, false);
    }
};

template <class F>
std::string error_name(F&& f) {
    try {
        f();
    } catch (const Error& e) { return std::string{e.name()}; }
    return "no error";
}

/// What the functions of an interface were called for: "stop start".
struct Calls {
    std::mutex mutex;
    std::string text;
    std::function<void()> in_start;
    std::function<void()> in_stop;

    InterfaceOptions options(std::string name, InterfaceKind kind = InterfaceKind::service) {
        InterfaceOptions options;
        options.kind = kind;
        options.name = std::move(name);
        options.start = [this] {
            add("start");
            if (in_start) in_start();
        };
        options.stop = [this] {
            add("stop");
            if (in_stop) in_stop();
        };
        return options;
    }
    void add(const char* what) {
        const std::scoped_lock lock{mutex};
        text.append(text.empty() ? "" : " ").append(what);
    }
    std::string get() {
        const std::scoped_lock lock{mutex};
        return text;
    }
    bool wait_for(const std::string& story) {
        return wait_until([&] { return get() == story; });
    }
};

}  // namespace qconn::test
