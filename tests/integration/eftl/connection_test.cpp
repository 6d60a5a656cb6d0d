// SPDX-License-Identifier: Apache-2.0
// How connections are made, lost, made anew and ended.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <qconn/testing/test_eftl_server.hpp>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// What handlers are told, in order.
class Story {
public:
    EftlHandlers handlers() {
        EftlHandlers out;
        out.on_connect = [this](const EftlSession&) { add("on_connect"); };
        out.on_reconnect = [this](const EftlSession&) { add("on_reconnect"); };
        out.on_recover = [this](const EftlSession& session) { add(session.resumed ? "on_recover resumed" : "on_recover"); };
        out.on_disconnect = [this](int code, const std::string&) { add("on_disconnect " + std::to_string(code)); };
        out.on_error = [this](int code, const std::string& reason) { add("on_error " + std::to_string(code) + ' ' + reason); };
        out.on_state_change = [this](EftlState state) { add(std::string{to_string(state)}); };
        return out;
    }
    void add(std::string line) {
        const std::scoped_lock lock{mutex_};
        lines_.push_back(std::move(line));
    }
    std::vector<std::string> lines() {
        const std::scoped_lock lock{mutex_};
        return lines_;
    }
    bool ends_with(const std::string& line) {
        const auto all = lines();
        return !all.empty() && all.back() == line;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> lines_;
};

std::string what_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) { return error.what(); }
    return {};
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a connection is made, told, and ended with a close handshake", "[eftl][integration]") {
    EftlBus bus;
    for (const bool tls : {false, true}) {
        CAPTURE(tls);
        EftlClient client{bus.options(tls)};
        Story story;
        client.set_handlers(story.handlers());
        CHECK_FALSE(client.is_connected());
        const EftlSession session = client.connect(soon());
        CHECK(session.protocol == 1);
        CHECK(session.heartbeat == 240s);
        CHECK(session.timeout == 600s);
        CHECK(session.max_size == 8192);
        CHECK(session.quality_of_service);
        CHECK_FALSE(session.resumed);
        CHECK(client.client_id() == session.client_id);
        CHECK(client.is_connected());
        CHECK(what_of([&] { client.connect(soon()); }).starts_with("EFTL-ALREADY-CONNECTED"));
        client.disconnect(soon());
        CHECK(story.lines() == Lines{"connecting", "connected", "on_connect", "disconnecting", "disconnected", "on_disconnect 1000"});
        CHECK(what_of([&] { client.publish(numbered("x", 1), soon()); }).starts_with("EFTL-NOT-CONNECTED"));
        client.reconnect(soon());
        CHECK(story.ends_with("on_reconnect"));
        CHECK(client.session().client_id == session.client_id);
        client.disconnect(soon());
        client.disconnect(soon());  // nothing to do
    }
    CHECK(bus.breaches() == "");
}

TEST_CASE("of a list, whichever server lives is found, and a dead list names them all", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    const std::string dead = "ws://127.0.0.1:" + std::to_string(free_port()) + "/channel";
    options.servers = EftlServer::parse_list(dead + "|" + bus.url() + "|" + dead);
    for (int i = 0; i < 5; ++i) {
        EftlClient client{options};
        CHECK(client.connect(soon()).server == bus.url());
        client.disconnect(soon());
    }
    options.servers = EftlServer::parse_list(dead + "|" + dead);
    EftlClient client{options};
    const std::string words = what_of([&] { client.connect(soon()); });
    CHECK(words.starts_with("EFTL-CONNECT-ERROR"));
    CHECK(words.find(dead) != words.rfind(dead));
    CHECK(bus.breaches() == "");
}

TEST_CASE("wrong credentials, a channel that is not there and a refused upgrade say what they are", "[eftl][integration]") {
    EftlBus bus;
    {
        EftlOptions options = bus.options();
        options.password = Secret{"wr0ng-w0rd"};
        EftlClient client{options};
        try {
            client.connect(soon());
            FAIL("it was let in");
        } catch (const Error& error) {
            CHECK(error.name() == "EFTL-LOGIN-ERROR");
            CHECK(error.phase() == Phase::auth);
            CHECK(error.reason() == Reason::denied);
            CHECK(error.connection() == "bus");
            CHECK(std::string{error.what()}.find("wr0ng-w0rd") == std::string::npos);
        }
        CHECK(what_of([&] { client.publish(numbered("x", 1), soon()); }).starts_with("EFTL-LOGIN-ERROR"));
    }
    {
        EftlOptions options = bus.options();
        options.servers.front().channel = "/nowhere";
        EftlClient client{options};
        const std::string words = what_of([&] { client.connect(soon()); });
        CHECK(words.starts_with("EFTL-CONNECT-ERROR"));
        CHECK(words.find("404") != std::string::npos);
    }
    {
        bus.fault({{"fault", "refuse"}, {"status", 503}});
        EftlClient client{bus.options()};
        CHECK(what_of([&] { client.connect(soon()); }).find("503") != std::string::npos);
    }
    CHECK(bus.breaches() == "");
}

TEST_CASE("a certificate that nobody vouches for is refused, unless all are trusted", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options(true);
    options.tls.ca_file.clear();
    {
        EftlClient client{options};
        try {
            client.connect(soon());
            FAIL("it was let in");
        } catch (const Error& error) {
            CHECK(error.phase() == Phase::tls);
            CHECK(error.reason() == Reason::certificate_untrusted);
            CHECK(error.detail<EftlErrorDetail>()->code == 1015);
        }
    }
    options.tls.verify = false;
    EftlClient client{options};
    client.connect(soon());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a log-in or upgrade that is not answered ends in time, also when the caller has less", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.login_timeout = 150ms;
    options.handshake_timeout = 150ms;
    for (const char* fault : {"silent", "stall_upgrade", "half_open"}) {
        CAPTURE(fault);
        bus.fault({{"fault", fault}});
        EftlClient client{options};
        const auto begin = Clock::now();
        CHECK(what_of([&] { client.connect(soon()); }).starts_with("EFTL-CONNECT-ERROR"));
        CHECK(Clock::now() - begin < 5s);
    }
    bus.fault({{"fault", "silent"}});
    EftlClient client{bus.options()};
    CHECK(what_of([&] { client.connect(Deadline{100ms}); }).starts_with("TIMEOUT"));
    CHECK(client.state() == EftlState::disconnected);
    Outcomes<EftlSession> outcomes;
    bus.fault({{"fault", "silent"}});
    Operation operation = client.async_connect(soon(), outcomes.callback());
    operation.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results()[0].error().name() == "CANCELLED");
    CHECK(bus.breaches() == "");
}

TEST_CASE("a connection that breaks comes back with its session, and nothing is told twice", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    Story story;
    client.set_handlers(story.handlers());
    std::mutex mutex;
    std::vector<std::int64_t> came;
    EftlSubscription what;
    what.matcher.equals("type", "cut");
    what.on_message = [&](const EftlMessage& message) {
        const std::scoped_lock lock{mutex};
        came.push_back(*message.get_long("n"));
    };
    what.on_subscribe = [&](const std::string& id) { story.add("on_subscribe " + id); };
    client.subscribe(what, soon());
    bus.inject("cut", 3);
    REQUIRE(wait_until([&] { return std::scoped_lock{mutex}, came.size() == 3; }));
    bus.fault({{"fault", "drop"}, {"on", "now"}, {"how", "reset"}});
    REQUIRE(wait_until([&] { return client.session().link == 2; }));
    client.publish(numbered("cut", 4), soon());
    REQUIRE(wait_until([&] { return std::scoped_lock{mutex}, came.size() >= 4; }));
    CHECK(came == std::vector<std::int64_t>{1, 2, 3, 4});
    client.disconnect(soon());
    CHECK(story.lines() == Lines{"connecting", "connected", "on_connect", "on_subscribe 1", "disconnected", "reconnecting", "connected",
                                 "on_recover resumed", "on_subscribe 1", "disconnecting", "disconnected", "on_disconnect 1000"});
    CHECK(bus.breaches() == "");
}

TEST_CASE("what was kept over a loss is sent, and what was not answered once more", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    client.connect(soon());
    bus.fault({{"fault", "drop"}, {"on", "now"}, {"after_messages", 5}, {"how", "reset"}});
    Outcomes<void> outcomes;
    for (int i = 1; i <= 50; ++i) client.async_publish(numbered("kept", i), soon(), outcomes.callback());
    REQUIRE(outcomes.wait(50));
    for (const auto& one : outcomes.results()) CHECK(one.has_value());
    List values = bus.get("messages?field=n")["values"].as_list();
    CHECK(values.size() == 50);
    CHECK(client.session().link == 2);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("1,000 subscriptions and 10,000 messages in flight outlive a loss, and leave nothing behind", "[eftl][integration]") {
    constexpr std::size_t k_subscriptions = 1'000;
    // QCONN_LONG=1: as many as the name says; the server looks at each subscription for each message.
    const std::size_t messages = std::getenv("QCONN_LONG") != nullptr ? 10'000 : 1'000;
    testing::TestEftlServer server;
    EftlClient client{server.client()};
    Outcomes<std::string> subscribed;
    EftlSubscription what;
    what.matcher.present("wanted");
    for (std::size_t i = 0; i < k_subscriptions; ++i) client.async_subscribe(what, soon(), subscribed.callback());
    REQUIRE(subscribed.wait(k_subscriptions));
    server.set({.withhold_answers = true});
    std::atomic<std::size_t> good{0};
    const EftlMessage message = numbered("flight", 1);
    for (std::size_t i = 0; i < messages; ++i)
        client.async_publish(message, Deadline{60s}, [&](const Result<void>& result) { good += result ? 1 : 0; });
    CHECK(client.in_flight() == messages);
    server.expect(messages, {}, 60s);
    CHECK(good == 0);

    server.clear();
    server.drop();
    client.flush(Deadline{60s});

    CHECK(good == messages);
    CHECK(client.in_flight() == 0);
    CHECK(server.messages().size() == messages);  // none was carried out twice
    REQUIRE(server.subscriptions().size() == k_subscriptions);
    server.publish(EftlMessage{}.set_long("wanted", 1));
    for (const std::string& id : client.subscriptions()) REQUIRE(client.receive(id, soon()).get_long("wanted") == 1);
    client.unsubscribe_all();
    CHECK(client.subscriptions().empty());
    CHECK(server.wait_until([&] { return server.subscriptions().empty(); }, 20s));
    client.disconnect(soon());
}

TEST_CASE("a session that the server has lost is told, and what was open is sent again or given up", "[eftl][integration]") {
    EftlBus bus;
    for (const EftlResend choice : {EftlResend::always, EftlResend::resumed}) {
        EftlOptions options = bus.options();
        options.resend = choice;
        EftlClient client{options};
        Story story;
        client.set_handlers(story.handlers());
        client.connect(soon());
        bus.fault({{"fault", "lose_acks"}, {"on", "now"}});
        Outcomes<void> outcomes;
        client.async_publish(numbered("lost", 1), soon(), outcomes.callback());
        REQUIRE(wait_until([&] { return bus.get("messages?count=1&kind=publish")["count"].as_int64() > 0; }));
        bus.fault({{"fault", "lose_session"}, {"on", "now"}});
        REQUIRE(outcomes.wait(1));
        if (choice == EftlResend::always) {
            CHECK(outcomes.results()[0].has_value());
        } else {
            CHECK(outcomes.results()[0].error().name() == "EFTL-DISCONNECTED");
            CHECK(outcomes.results()[0].error().detail<EftlErrorDetail>()->code == 11);
        }
        CHECK(wait_until([&] { return story.ends_with("on_recover"); }));
        client.disconnect(soon());
    }
    CHECK(bus.breaches() == "");
}

TEST_CASE("each close code means what the protocol says", "[eftl][integration]") {
    EftlBus bus;
    for (const int code : {1000, 1001, 1008, 1011, 4000, 4002}) {
        CAPTURE(code);
        EftlOptions options = bus.options();
        options.connect_on_use = false;
        EftlClient client{options};
        Story story;
        client.set_handlers(story.handlers());
        client.connect(soon());
        bus.fault({{"fault", "close"}, {"on", "now"}, {"code", code}, {"reason", "of a test"}});
        CHECK(wait_until([&] { return story.ends_with("on_disconnect " + std::to_string(code)); }));
        CHECK(what_of([&] { client.publish(numbered("x", 1), soon()); }).starts_with("EFTL-NOT-CONNECTED"));
        client.reconnect(soon());
        client.publish(numbered("x", 1), soon());
        client.disconnect(soon());
    }
    EftlClient client{bus.options()};
    client.connect(soon());
    bus.fault({{"fault", "close"}, {"on", "now"}, {"code", 1012}});
    CHECK(wait_until([&] { return client.session().link == 2; }));
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("of two connections with one client id the older ends with 4000 and stays away", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.client_id = "twin";
    EftlClient older{options};
    Story story;
    older.set_handlers(story.handlers());
    older.connect(soon());
    EftlClient newer{options};
    newer.connect(soon());
    CHECK(wait_until([&] { return story.ends_with("on_disconnect 4000"); }));
    std::this_thread::sleep_for(120ms);
    CHECK(older.state() == EftlState::disconnected);
    CHECK(newer.is_connected());
    newer.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a dead server is given up after as many attempts as are allowed, and a manual reconnection begins anew", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.auto_reconnect_attempts = 3;
    EftlClient client{options};
    Story story;
    client.set_handlers(story.handlers());
    client.connect(soon());
    bus.server.kill();
    Outcomes<void> outcomes;
    client.async_publish(numbered("x", 1), soon(), outcomes.callback());
    REQUIRE(wait_until([&] { return story.ends_with("on_disconnect 1006"); }));
    REQUIRE(outcomes.wait(1));
    CHECK_FALSE(outcomes.results()[0].has_value());
    bus.server.start();
    client.reconnect(soon());
    CHECK(story.ends_with("on_reconnect"));
    client.publish(numbered("x", 2), soon());
    client.disconnect(soon());
}

TEST_CASE("a server that lets in and then ends each connection is given up after as many attempts as are allowed", "[eftl][integration]") {
    testing::TestEftlServer server{{}, {.drop_after = 1}};
    EftlOptions options = server.client();
    options.auto_reconnect_attempts = 2;
    options.auto_reconnect_max_delay = 300ms;  // the waits are half of that at least; one that stood for longer would count anew
    EftlClient client{options};
    Story story;
    client.set_handlers(story.handlers());
    client.connect(soon());
    CHECK(wait_until([&] { return story.ends_with("on_disconnect 1006"); }));
    CHECK(server.log_ins() >= 3);
    server.clear();
    client.reconnect(soon());
    client.publish(numbered("x", 1), soon());
    client.disconnect(soon());
}

TEST_CASE("a disconnection loses nothing that was begun", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "delay_acks"}, {"ms", 100}});
    EftlClient client{bus.options()};
    client.connect(soon());
    Outcomes<void> outcomes;
    for (int i = 1; i <= 500; ++i) client.async_publish(numbered("last", i), soon(), outcomes.callback());
    client.disconnect(soon());
    CHECK(outcomes.count() == 500);
    for (const auto& one : outcomes.results()) REQUIRE(one.has_value());
    CHECK(bus.breaches() == "");
}

TEST_CASE("destroying a client ends everything as cancelled, and no handler is called after that", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "lose_acks"}});
    Outcomes<void> outcomes;
    std::atomic<bool> gone{false};
    std::atomic<bool> late{false};
    {
        EftlClient client{bus.options()};
        EftlSubscription what;
        what.on_message = [&](const EftlMessage&) { late = late || gone; };
        client.subscribe(what, soon());
        for (int i = 0; i < 100; ++i) client.async_publish(numbered("x", i), soon(), outcomes.callback());
        REQUIRE(wait_until([&] { return bus.get("messages?count=1")["count"].as_int64() == 100; }));
    }
    gone = true;
    REQUIRE(outcomes.wait(100));
    for (const auto& one : outcomes.results()) CHECK(one.error().name() == "CANCELLED");
    CHECK_FALSE(late);
    // It says good-bye, without waiting for anything.
    CHECK(wait_until([&] {
        const Value all = bus.get("connections")["connections"];
        return all.size() > 0 && all[0]["state"] == Value{"over"} && all[0]["disconnected"] == Value{true};
    }));
    CHECK(bus.breaches() == "");
}

TEST_CASE("a blocking call on an I/O thread is refused", "[eftl][integration]") {
    EftlBus bus;
    Runtime runtime{RuntimeOptions{}};
    EftlClient client{bus.options(), runtime};
    Outcomes<int> outcomes;
    runtime.post([&, callback = std::make_shared<Callback<int>>(outcomes.callback())] {
        const std::string words = what_of([&] { client.publish(numbered("x", 1), soon()); });
        (*callback)(words.starts_with("INVALID-ARGUMENT") ? 1 : 0);
    });
    REQUIRE(outcomes.wait(1));
    CHECK(*outcomes.results()[0] == 1);
}
