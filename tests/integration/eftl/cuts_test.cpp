// SPDX-License-Identifier: Apache-2.0
// Connections that are cut again and again at random bytes while numbered messages go both ways: nothing that was acknowledged is lost, no completion
// stays open, and what the server takes twice is only what it could not know.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// QCONN_LONG=1: 500 cuts and 50,000 messages each way.
bool is_long() { return std::getenv("QCONN_LONG") != nullptr; }

void cut_again_and_again(bool tls, int messages, int cuts) {
    EftlBus bus;
    bus.config({{"max_size", 0}});
    EftlOptions options = bus.options(tls);
    options.client_id = "cut";
    options.max_in_flight = 20;
    options.auto_reconnect_max_delay = 5ms;
    EftlClient client{options};

    std::mutex mutex;
    std::vector<std::int64_t> came;
    EftlSubscription what;
    what.matcher.equals("type", "in");
    what.durable = "in";
    what.on_message = [&](const EftlMessage& message) {
        const std::scoped_lock lock{mutex};
        came.push_back(*message.get_long("n"));
    };
    client.subscribe(what, soon());
    // From now on each connection has its random end.
    const int bytes = std::max(3'000, messages * 65 / cuts);
    bus.fault({{"fault", "drop"}, {"times", 0}, {"seed", 4711}, {"min_bytes", 200}, {"max_bytes", bytes}});
    bus.fault({{"fault", "drop"}, {"on", "now"}, {"how", "reset"}});

    std::thread inject{[&] {
        for (int done = 0; done < messages; done += 500)
            bus.post("publish", Map{{"body", Map{{"type", "in"}}}, {"counter", "n"}, {"start", done + 1}, {"count", std::min(500, messages - done)}});
    }};
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
    for (int i = 1; i <= messages; ++i) {
        while (client.in_flight() >= options.max_in_flight) client.wait_for_room(Deadline{120s});
        client.async_publish(numbered("out", i), Deadline{120s}, [&](const Result<void>& result) { result ? ++good : ++bad; });
    }
    client.flush(Deadline{180s});
    inject.join();
    CHECK(good == messages);
    CHECK(bad == 0);
    CHECK(client.in_flight() == 0);
    CHECK(wait_until([&] { return std::scoped_lock{mutex}, came.size() >= static_cast<std::size_t>(messages); }, 120s));

    const std::uint64_t links = client.session().link;
    WARN((tls ? "TLS: " : "plain: ") << messages << " messages each way, " << links << " connections");
    CHECK(links > static_cast<std::uint64_t>(is_long() ? cuts : cuts / 4));

    // The server never lost the session, so neither side sees anything twice.
    {
        const std::scoped_lock lock{mutex};
        std::vector<std::int64_t> wanted;
        for (int i = 1; i <= messages; ++i) wanted.push_back(i);
        CHECK(came == wanted);
    }
    std::map<std::int64_t, int> taken;
    const Value all = bus.get("messages?field=n&kind=publish");
    for (const Value& n : all["values"].as_list()) ++taken[n.as_int64()];
    CHECK(taken.size() == static_cast<std::size_t>(messages));
    CHECK(std::all_of(taken.begin(), taken.end(), [](const auto& one) { return one.second == 1; }));

    bus.fault({{"fault", "none"}});
    client.disconnect(Deadline{30s});
    CHECK(bus.breaches() == "");
}

}  // namespace

TEST_CASE("connections that are cut at random bytes lose nothing", "[eftl][integration]") {
    if (is_long())
        cut_again_and_again(false, 50'000, 500);
    else
        cut_again_and_again(false, 3'000, 60);
}

TEST_CASE("nor do those under TLS", "[eftl][integration]") {
    if (is_long())
        cut_again_and_again(true, 50'000, 500);
    else
        cut_again_and_again(true, 2'000, 40);
}
