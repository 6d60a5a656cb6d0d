// SPDX-License-Identifier: Apache-2.0
// Each wait for a server that says nothing has a deadline and can be cancelled.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <qconn/testing/test_eftl_server.hpp>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"

using namespace qconn;
using namespace qconn::test;
using qconn::testing::TestEftlServer;

namespace {

constexpr auto k_moment = 50ms;

/// The same for results of every kind.
template <class T>
Callback<T> without_value(Outcomes<void>& outcomes) {
    return [done = std::make_shared<Callback<void>>(outcomes.callback())](const Result<T>& result) {
        if (result)
            (*done)({});
        else
            (*done)(result.error());
    };
}

/// Begins something that the server does not let end.
struct Way {
    std::string name;
    std::string late;
    std::function<Operation(EftlClient&, Deadline, Outcomes<void>&)> begin;
};

const std::vector<Way>& all_ways() {
    static const std::vector<Way> ways = [] {
        EftlMessage asked;
        asked.receipt().reply_to = "somebody";
        asked.receipt().request_id = 1;
        using Client = EftlClient;
        using Ends = Outcomes<void>;
        return std::vector<Way>{
            {"publish", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.async_publish(numbered("x", 1), d, o.callback()); }},
            {"request", "EFTL-REQUEST-TIMEOUT",
             [](Client& c, Deadline d, Ends& o) { return c.async_request(numbered("x", 1), d, without_value<EftlMessage>(o)); }},
            {"reply", "TIMEOUT", [asked](Client& c, Deadline d, Ends& o) { return c.async_reply(asked, numbered("x", 1), d, o.callback()); }},
            {"map set", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.map("m").async_set("k", numbered("x", 1), d, o.callback()); }},
            {"map get", "TIMEOUT",
             [](Client& c, Deadline d, Ends& o) { return c.map("m").async_get("k", d, without_value<std::optional<EftlMessage>>(o)); }},
            {"map remove", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.map("m").async_remove("k", d, o.callback()); }},
            {"subscribe", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.async_subscribe({}, d, without_value<std::string>(o)); }},
            {"receive", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.async_receive("1", d, without_value<EftlMessage>(o)); }},
            {"room", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.async_room(d, o.callback()); }},
            {"flush", "TIMEOUT", [](Client& c, Deadline d, Ends& o) { return c.async_flush(d, o.callback()); }},
        };
    }();
    return ways;
}

std::string only_outcome(Outcomes<void>& outcomes) {
    if (!outcomes.wait(1)) return "nothing";
    const auto all = outcomes.results();
    return all[0] ? "done" : std::string{all[0].error().name()};
}

}  // namespace

TEST_CASE("every wait for a silent server has a deadline and can be cancelled, and the client is of use afterwards", "[eftl][integration]") {
    TestEftlServer server;
    EftlOptions options = server.client();
    EftlClient client{options};
    EftlSubscription later;
    later.matcher.equals("type", "after");
    REQUIRE(client.subscribe(later, soon()) == "1");
    options.max_in_flight = 1;
    EftlClient full{options};
    full.connect(soon());
    server.set({.silent = true});
    Outcomes<void> filling;
    full.async_publish(numbered("full", 1), soon(), filling.callback());
    const Operation open = client.async_publish(numbered("open", 1), soon(), filling.callback());  // what flush waits for

    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        EftlClient& used = way.name == "room" ? full : client;
        Outcomes<void> late;
        way.begin(used, Deadline{k_moment}, late);
        CHECK(only_outcome(late) == way.late);
        Outcomes<void> cancelled;
        Operation operation = way.begin(used, soon(), cancelled);
        operation.cancel();
        CHECK(only_outcome(cancelled) == "CANCELLED");
        CHECK(late.count() + cancelled.count() == 2);  // each once
    }
    CHECK(filling.count() == 0);
    CHECK(client.subscriptions() == std::vector<std::string>{"1"});

    server.clear();
    REQUIRE(filling.wait(2));
    client.publish(numbered("after", 1), soon());
    CHECK(client.receive("1", soon()) == numbered("after", 1));
    CHECK(client.in_flight() == 0);
}

TEST_CASE("a connection and its end have deadlines and can be cancelled", "[eftl][integration]") {
    TestEftlServer server{{}, {.ignore_log_in = true}};
    EftlClient client{server.client()};
    const auto connect = [&](Deadline deadline, Outcomes<void>& outcomes) {
        return client.async_connect(deadline, without_value<EftlSession>(outcomes));
    };
    const auto reconnect = [&](Deadline deadline, Outcomes<void>& outcomes) {
        return client.async_reconnect(deadline, without_value<EftlSession>(outcomes));
    };
    for (const auto& begin : {std::function<Operation(Deadline, Outcomes<void>&)>{connect}, {reconnect}}) {
        Outcomes<void> late;
        begin(Deadline{k_moment}, late);
        CHECK(only_outcome(late) == "TIMEOUT");
        Outcomes<void> cancelled;
        begin(soon(), cancelled).cancel();
        CHECK(only_outcome(cancelled) == "CANCELLED");
        CHECK(client.state() == EftlState::disconnected);
    }
    server.clear();

    // What is open when the time for the end is over ends too; to cancel is to say that it is over.
    for (const bool cancel : {false, true}) {
        CAPTURE(cancel);
        client.reconnect(soon());
        server.set({.withhold_answers = true});
        Outcomes<void> open;
        client.async_publish(numbered("x", 1), soon(), open.callback());
        Outcomes<void> ended;
        Operation operation = client.async_disconnect(cancel ? soon() : Deadline{k_moment}, ended.callback());
        if (cancel) operation.cancel();
        CHECK(only_outcome(ended) == "done");
        CHECK(only_outcome(open) == "EFTL-DISCONNECTED");
        CHECK(client.state() == EftlState::disconnected);
        server.clear();
    }
}
