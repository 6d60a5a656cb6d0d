// SPDX-License-Identifier: Apache-2.0
// Webhooks against a server that takes, refuses, hangs and is not there.
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <qconn/sinks/webhook_sink.hpp>

#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "unit/monitor/remote.hpp"

namespace {

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto k_enough = 60s;

WebhookOptions quick() {
    WebhookOptions options;
    options.path = "hook";
    options.retry = 10ms;
    options.longest_retry = 50ms;
    options.flush = 20s;
    return options;
}

struct Scene {
    Scene() { registry.add(remote("shop")), monitor.emplace(registry, MonitorOptions{0ms, 20s}); }

    std::shared_ptr<World> world{std::make_shared<World>()};
    Catalogue catalogue{remote_catalogue(world)};
    Registry registry{[this] {
        RegistryOptions options;
        options.catalogue = &catalogue;
        options.runtime = Runtime{RuntimeOptions{}};
        return options;
    }()};
    Server server{"hook"};
    std::optional<Monitor> monitor;

    HttpOptions to_server() const {
        HttpOptions options;
        options.url = "http://" + server.address() + "/base";
        return options;
    }
    void rules(std::string_view text) const { server.directory().write("rules", text); }
    void no_rules() const { ::unlink((server.directory() / "rules").c_str()); }
    std::vector<Json> posts() const {
        std::vector<Json> all;
        if (::access((server.directory() / "posts").c_str(), F_OK) != 0) return all;
        std::istringstream lines{server.directory().read("posts")};
        for (std::string line; std::getline(lines, line) && !lines.eof();) all.push_back(Json::parse(line));
        return all;
    }
    /// "up failing down", each `seq` once.
    std::string story(const std::string& name = "shop") const {
        std::string text;
        std::set<std::pair<std::string, std::uint64_t>> seen;
        for (const Json& post : posts())
            for (const Json& event : post["body"]["events"])
                if (event["name"] == name && seen.emplace(post["body"]["run"], event["seq"]).second)
                    text += (text.empty() ? "" : " ") + event["event"].get<std::string>();
        return text;
    }
    void ping(const std::string& name, bool up) {
        world->set_up(name, up);
        monitor->ping(name);
    }
    void out_and_back() {
        ping("shop", false);
        ping("shop", false);
        ping("shop", true);
    }
};

}  // namespace

TEST_CASE("events are posted in their order, as the connection of the hook authenticates", "[sinks][integration]") {
    Scene scene;
    Registry hooks;
    Definition hook;
    hook.name = "hook";
    hook.url = "rest://" + scene.server.address() + "/base";
    hook.options.set("username", "monitor");
    hook.options.set("password", "Passw0rd-1");
    hooks.add(hook);
    const WebhookSink webhook{*scene.monitor, hooks.get<HttpClient>("hook"), quick()};
    scene.ping("shop", true);
    scene.out_and_back();
    REQUIRE(wait_until([&] { return scene.story() == "up failing down alert up alert-cleared"; }, k_enough));

    const auto posts = scene.posts();
    CHECK(posts[0]["path"] == "/base/hook");
    CHECK(posts[0]["type"] == "application/json");
    CHECK(posts[0]["authorization"] == "Basic bW9uaXRvcjpQYXNzdzByZC0x");
    CHECK(posts[0]["body"]["dropped"] == 0);
    const Json first = posts[0]["body"]["events"][0];
    CHECK(first["qorus_event"] == "CONNECTION_UP");
    CHECK(first["qorus_code"] == 5101);
    REQUIRE(wait_until([&] { return webhook.counts().delivered == 6; }, k_enough));
    const WebhookCounts counts = webhook.counts();
    CHECK(counts.posts == posts.size());
    CHECK(counts.failures == 0);
    CHECK(counts.waiting == 0);
    CHECK(counts.error.empty());
}

TEST_CASE("a server that fails gets all that it missed, several events in a post", "[sinks][integration]") {
    Scene scene;
    scene.rules(R"({"status": 500})");
    const WebhookSink webhook{*scene.monitor, scene.to_server(), quick()};
    scene.ping("shop", true);
    REQUIRE(wait_until([&] { return webhook.counts().failures >= 3; }, k_enough));
    CHECK(webhook.counts().error.find("500") != std::string::npos);
    scene.out_and_back();
    REQUIRE(wait_until([&] { return webhook.counts().waiting == 6; }, k_enough));
    CHECK(scene.posts().empty());
    scene.no_rules();
    REQUIRE(wait_until([&] { return scene.story() == "up failing down alert up alert-cleared"; }, k_enough));
    CHECK(scene.posts().size() <= 2);
    CHECK(wait_until([&] { return webhook.counts().error.empty(); }, k_enough));
}

TEST_CASE("a server that is not there gets all once it is", "[sinks][integration]") {
    Scene scene;
    scene.server.stop();
    const WebhookSink webhook{*scene.monitor, scene.to_server(), quick()};
    scene.ping("shop", true);
    REQUIRE(wait_until([&] { return webhook.counts().failures >= 2; }, k_enough));
    scene.out_and_back();
    scene.server.start();
    CHECK(wait_until([&] { return scene.story() == "up failing down alert up alert-cleared"; }, k_enough));
}

TEST_CASE("a server that hangs keeps neither the monitor nor the end of the webhook waiting", "[sinks][integration]") {
    Scene scene;
    scene.rules(R"({"hang": true})");
    EventLog log;
    const auto watching = scene.monitor->subscribe(log.listener());
    WebhookOptions options = quick();
    options.timeout = 10min;
    options.flush = 50ms;
    std::optional<WebhookSink> webhook{std::in_place, *scene.monitor, scene.to_server(), options};
    scene.ping("shop", true);
    scene.out_and_back();
    CHECK(log.wait_for("shop", "up failing down alert up alert-cleared", k_enough));
    REQUIRE(wait_until([&] { return webhook->counts().waiting == 6; }, k_enough));
    const auto began = Clock::now();
    webhook.reset();
    CHECK(Clock::now() - began < k_enough);
}

TEST_CASE("a post that takes too long is made again", "[sinks][integration]") {
    Scene scene;
    scene.rules(R"({"hang": true})");
    WebhookOptions options = quick();
    options.timeout = 300ms;
    const WebhookSink webhook{*scene.monitor, scene.to_server(), options};
    scene.ping("shop", true);
    REQUIRE(wait_until([&] { return webhook.counts().failures >= 2; }, k_enough));
    scene.no_rules();
    CHECK(wait_until([&] { return scene.story() == "up"; }, k_enough));
}

TEST_CASE("while the server fails for long inner events are left out, and the posts say how many", "[sinks][integration]") {
    Scene scene;
    scene.rules(R"({"status": 503})");
    WebhookOptions options = quick();
    options.events.queue = 10;
    options.batch = 5;
    const WebhookSink webhook{*scene.monitor, scene.to_server(), options};
    scene.ping("shop", true);
    REQUIRE(wait_until([&] { return webhook.counts().failures >= 1; }, k_enough));
    for (int i = 0; i < 40; ++i) scene.out_and_back();
    REQUIRE(wait_until([&] { return webhook.counts().skipped + webhook.counts().waiting == 201; }, k_enough));
    CHECK(webhook.counts().waiting < 50);
    const std::uint64_t skipped = webhook.counts().skipped;
    scene.no_rules();
    REQUIRE(wait_until([&] { return webhook.counts().waiting == 0; }, k_enough));
    std::uint64_t said = 0;
    std::string last_state;
    for (const Json& post : scene.posts())
        for (const Json& event : post["body"]["events"]) {
            said += event["skipped"].get<std::uint64_t>();
            last_state = event["state"];
        }
    CHECK(said == skipped);
    CHECK(last_state == "up");
}

TEST_CASE("too large a post is made smaller", "[sinks][integration]") {
    Scene scene;
    scene.rules(R"({"status": 503})");
    const WebhookSink webhook{*scene.monitor, scene.to_server(), quick()};
    scene.ping("shop", true);
    scene.out_and_back();
    REQUIRE(wait_until([&] { return webhook.counts().waiting == 6; }, k_enough));
    scene.rules(R"({"at_most": 2})");
    REQUIRE(wait_until([&] { return scene.story() == "up failing down alert up alert-cleared"; }, k_enough));
    CHECK(webhook.counts().dropped == 0);
}

TEST_CASE("an event that the server refuses alone is dropped, logged and told, and holds up no other", "[sinks][integration]") {
    Scene scene;
    scene.registry.add(remote("poison"));
    scene.rules(R"({"status": 503})");
    std::mutex mutex;
    std::vector<std::string> records;
    WebhookOptions options = quick();
    options.log = Log{LogLevel::info, [&](const LogRecord& record) {
                          const std::scoped_lock lock{mutex};
                          records.emplace_back(record.event);
                      }};
    options.events.kinds = {EventKind::up};
    const WebhookSink webhook{*scene.monitor, scene.to_server(), options};
    REQUIRE(wait_until([&] { return scene.monitor->statuses().size() == 2; }, k_enough));
    scene.ping("poison", true);
    scene.ping("shop", true);
    REQUIRE(wait_until([&] { return webhook.counts().waiting == 2 && webhook.counts().failures > 0; }, k_enough));
    scene.rules(R"({"not": "poison"})");
    REQUIRE(wait_until([&] { return scene.story() == "up"; }, k_enough));
    REQUIRE(wait_until([&] { return webhook.counts().posts == 1; }, k_enough));
    CHECK(webhook.counts().dropped == 1);
    CHECK(scene.posts().at(0)["body"]["dropped"] == 1);
    CHECK(scene.story("poison").empty());
    CHECK(wait_until(
        [&] {
            const std::scoped_lock lock{mutex};
            return records == std::vector<std::string>{"webhook-failed", "webhook-refused", "webhook-recovered"};
        },
        k_enough));
}

TEST_CASE("the end of a webhook posts what waits", "[sinks][integration]") {
    Scene scene;
    scene.rules(R"({"status": 500})");
    WebhookOptions options = quick();
    options.retry = options.longest_retry = 10min;
    std::optional<WebhookSink> webhook{std::in_place, *scene.monitor, scene.to_server(), options};
    scene.ping("shop", true);
    scene.out_and_back();
    REQUIRE(wait_until([&] { return webhook->counts().waiting == 6 && webhook->counts().failures == 1; }, k_enough));
    scene.no_rules();
    webhook.reset();
    CHECK(scene.story() == "up failing down alert up alert-cleared");
}
