// SPDX-License-Identifier: Apache-2.0
// What comes, and how it is acknowledged.
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// Numbers as they come, from whatever thread.
class Numbers {
public:
    std::function<void(EftlMessage)> handler() {
        return [this](const EftlMessage& message) {
            const std::scoped_lock lock{mutex_};
            all_.push_back(message.get_long("n").value_or(-1));
        };
    }
    std::vector<std::int64_t> all() {
        const std::scoped_lock lock{mutex_};
        return all_;
    }

private:
    std::mutex mutex_;
    std::vector<std::int64_t> all_;
};

EftlSubscription of_type(const std::string& type) {
    EftlSubscription what;
    what.matcher.equals("type", type);
    return what;
}

std::vector<std::int64_t> up_to(std::int64_t n) {
    std::vector<std::int64_t> out;
    for (std::int64_t i = 1; i <= n; ++i) out.push_back(i);
    return out;
}

}  // namespace

TEST_CASE("messages come in order, and all are acknowledged when the client says good-bye", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.client_id = "reader";
    options.max_pending_acks = 10;
    EftlClient client{options};
    Numbers numbers;
    EftlSubscription what = of_type("feed");
    what.durable = "feed";
    what.on_message = numbers.handler();
    client.subscribe(what, soon());
    bus.inject("feed", 1000);
    CHECK(wait_until([&] { return numbers.all().size() == 1000; }));
    CHECK(numbers.all() == up_to(1000));
    client.disconnect(soon());

    EftlClient again{options};
    Numbers more;
    what.on_message = more.handler();
    again.subscribe(what, soon());
    bus.inject("feed", 1);
    CHECK(wait_until([&] { return !more.all().empty(); }));
    CHECK(more.all() == up_to(1));  // nothing came twice
    again.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("what the client has not acknowledged comes again, what it has does not", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.client_id = "by-hand";
    EftlSubscription what = of_type("hand");
    what.durable = "hand";
    what.ack = EftlAck::client;
    {
        EftlClient client{options};
        const std::string id = client.subscribe(what, soon());
        bus.inject("hand", 4);
        std::vector<EftlMessage> all;
        for (int i = 0; i < 4; ++i) all.push_back(client.receive(id, soon()));
        client.acknowledge(all[0]);
        client.acknowledge(all[2]);
        client.close_subscription(id);
        client.disconnect(soon());
        CHECK_THROWS_AS(client.acknowledge(all[1]), Error);
    }
    {
        EftlClient client{options};
        const std::string id = client.subscribe(what, soon());
        CHECK(client.receive(id, soon()).get_long("n") == 2);
        const EftlMessage last = client.receive(id, soon());
        CHECK(last.get_long("n") == 4);
        CHECK(last.delivery_count() > 1);
        client.acknowledge_all(last);
        client.disconnect(soon());
    }
    {
        EftlClient client{options};
        const std::string id = client.subscribe(what, soon());
        Outcomes<EftlMessage> nothing;
        client.async_receive(id, Deadline{100ms}, nothing.callback());
        REQUIRE(nothing.wait(1));
        CHECK(nothing.results()[0].error().name() == "TIMEOUT");
        client.unsubscribe(id);
        client.disconnect(soon());
    }
    CHECK(bus.breaches() == "");
}

TEST_CASE("the server stops at the number of messages that may wait for their acknowledgement", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.max_pending_acks = 3;
    EftlClient client{options};
    EftlSubscription what = of_type("window");
    what.ack = EftlAck::client;
    const std::string id = client.subscribe(what, soon());
    bus.inject("window", 10);
    std::vector<EftlMessage> all;
    for (int i = 0; i < 3; ++i) all.push_back(client.receive(id, soon()));
    CHECK_THROWS_AS(client.receive(id, Deadline{100ms}), Error);
    client.acknowledge_all(all.back());
    CHECK(client.receive(id, soon()).get_long("n") == 4);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("nothing is acknowledged where nobody wants it", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    EftlSubscription what = of_type("none");
    what.ack = EftlAck::none;
    const std::string id = client.subscribe(what, soon());
    bus.inject("none", 50);
    for (int i = 1; i <= 50; ++i) CHECK(client.receive(id, soon()).get_long("n") == i);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a stopped subscription gets nothing until it is started", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    Numbers numbers;
    EftlSubscription what = of_type("pause");
    what.on_message = numbers.handler();
    const std::string id = client.subscribe(what, soon());
    bus.inject("pause", 5);
    REQUIRE(wait_until([&] { return numbers.all().size() == 5; }));
    client.stop_subscription(id);
    client.publish(numbered("other", 1), soon());  // the server has the stop now
    bus.post("publish", Map{{"body", Map{{"type", "pause"}}}, {"counter", "n"}, {"start", 6}, {"count", 5}});
    client.publish(numbered("other", 2), soon());
    CHECK(numbers.all().size() == 5);
    client.start_subscription(id);
    CHECK(wait_until([&] { return numbers.all().size() == 10; }));
    CHECK(numbers.all() == up_to(10));
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("an ended subscription gets nothing more, and its id is not used again", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    const std::string first = client.subscribe(of_type("end"), soon());
    const std::string second = client.subscribe(of_type("end"), soon());
    CHECK(client.subscriptions() == std::vector<std::string>{first, second});
    client.unsubscribe(first);
    CHECK_THROWS_AS(client.receive(first, soon()), Error);
    CHECK_THROWS_AS(client.unsubscribe(first), Error);
    client.unsubscribe_all();
    CHECK(client.subscriptions().empty());
    const std::string third = client.subscribe(of_type("end"), soon());
    CHECK(third != first);
    CHECK(third != second);
    client.close_all_subscriptions();
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a shared durable gives each message to one of its subscribers", "[eftl][integration]") {
    EftlBus bus;
    EftlClient one{bus.options()};
    EftlClient two{bus.options()};
    std::atomic<int> count{0};
    EftlSubscription what = of_type("share");
    what.durable = "share";
    what.type = EftlDurable::shared;
    what.on_message = [&](const EftlMessage&) { ++count; };
    one.subscribe(what, soon());
    two.subscribe(what, soon());
    bus.inject("share", 100);
    CHECK(wait_until([&] { return count == 100; }));
    one.publish(numbered("other", 1), soon());
    CHECK(count == 100);
    one.disconnect(soon());
    two.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a last-value subscription begins with the newest message", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.client_id = "last";
    EftlSubscription what = of_type("last");
    what.durable = "last";
    what.type = EftlDurable::last_value;
    what.key = "type";
    {
        EftlClient client{options};
        const std::string id = client.subscribe(what, soon());
        client.close_subscription(id);
        client.disconnect(soon());
    }
    bus.inject("last", 5);
    EftlClient client{options};
    const std::string id = client.subscribe(what, soon());
    CHECK(client.receive(id, soon()).get_long("n") == 5);
    client.unsubscribe(id);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("more than may wait here waits at the server", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.max_unread = 100;
    EftlClient client{options};
    EftlSubscription what = of_type("flood");
    what.ack = EftlAck::none;
    const std::string id = client.subscribe(what, soon());
    bus.inject("flood", 5000);
    for (int i = 1; i <= 5000; ++i) REQUIRE(client.receive(id, soon()).get_long("n") == i);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a handler that throws harms nothing, and one may use the client", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    std::atomic<int> echoes{0};
    EftlSubscription what = of_type("throw");
    what.on_message = [&](const EftlMessage& message) {
        client.async_publish(numbered("echo", *message.get_long("n")), soon(), nullptr);
        throw std::runtime_error{"of a test"};
    };
    client.subscribe(what, soon());
    EftlSubscription echo = of_type("echo");
    echo.on_message = [&](const EftlMessage&) { ++echoes; };
    client.subscribe(echo, soon());
    bus.inject("throw", 20);
    CHECK(wait_until([&] { return echoes == 20; }));
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}
