// SPDX-License-Identifier: Apache-2.0
// The eFTL server for tests of programs, with our own client.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <qconn/eftl/eftl_client.hpp>
#include <qconn/testing/test_eftl_server.hpp>

#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
using qconn::testing::EftlFaults;
using qconn::testing::EftlRefusal;
using qconn::testing::TestEftlServer;
using qconn::testing::Unexpected;

namespace {

constexpr auto k_soon = 20s;
/// What does not happen has not happened by then.
constexpr auto k_short = 100ms;

EftlMessage note(std::string_view type, std::int64_t n) {
    EftlMessage message;
    message.set_string("type", type).set_long("n", n);
    return message;
}

EftlMatcher of_type(std::string_view type) {
    EftlMatcher matcher;
    matcher.equals("type", type);
    return matcher;
}

EftlSubscription subscription(std::string_view type, EftlAck ack = EftlAck::automatic) {
    EftlSubscription what;
    what.matcher = of_type(type);
    what.ack = ack;
    return what;
}

std::vector<std::int64_t> numbers(const std::vector<EftlMessage>& messages) {
    std::vector<std::int64_t> out;
    for (const EftlMessage& one : messages) out.push_back(one.get_long("n").value_or(-1));
    return out;
}
using Numbers = std::vector<std::int64_t>;

/// "EFTL-PUBLISH-ERROR 12 why not", or "fine".
std::string outcome_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        const auto* detail = error.detail<EftlErrorDetail>();
        return std::string{error.name()} + (detail != nullptr ? ' ' + std::to_string(detail->code) + ' ' + detail->reason : "");
    }
    return "fine";
}

}  // namespace

TEST_CASE("a test sees what a program publishes, and what it publishes itself comes to subscribers alone", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    for (int i = 1; i <= 3; ++i) client.publish(note("order", i), k_soon);
    client.publish(note("other", 1), k_soon);

    CHECK(numbers(server.expect(3, of_type("order"))) == Numbers{1, 2, 3});
    CHECK(server.messages().size() == 4);
    CHECK_FALSE(server.messages()[0].is_request());

    const std::string id = client.subscribe(subscription("price"), k_soon);
    CHECK(server.subscriptions().size() == 1);
    CHECK(server.subscriptions()[0].id == id);
    CHECK(server.subscriptions()[0].client_id == client.client_id());
    CHECK(server.subscriptions()[0].what.matcher == of_type("price"));
    server.publish(note("stock", 1));
    server.publish(note("price", 2));
    const EftlMessage came = client.receive(id, k_soon);
    CHECK(came == note("price", 2));
    CHECK(came.delivery_count() == 1);
    CHECK(numbers(server.expect_acknowledged(1)) == Numbers{2});
    CHECK(server.acknowledged()[0].receipt().sequence == came.receipt().sequence);
    server.forget_messages();
    CHECK(server.messages().empty());
    CHECK(server.acknowledged().empty());
}

TEST_CASE("what was expected and did not come is told with what came", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    client.publish(note("order", 7), k_soon);
    try {
        server.expect(1, of_type("invoice"), k_short);
        FAIL("it came");
    } catch (const Unexpected& what) {
        CHECK(std::string{what.what()} == "of 1 messages 0 came; what came in all:\n  {\"type\":\"order\",\"n\":7}\n");
    }
    CHECK_THROWS_AS(server.expect_acknowledged(1, {}, k_short), Unexpected);
    CHECK_THROWS_AS(server.request(note("order", 1), k_short), Unexpected);
    CHECK_FALSE(server.wait_until([] { return false; }, k_short));
}

TEST_CASE("a program logs in with the right password only, and on the channel that is there", "[testing][integration]") {
    TestEftlServer server{{.channel = "/orders", .username = "edi", .password = Secret{"right"}}};
    EftlClient client{server.client()};
    client.connect(k_soon);
    CHECK(server.wait_until([&] { return server.sessions() == 1; }));

    EftlOptions wrong = server.client();
    wrong.password = Secret{"wrong"};
    CHECK(outcome_of([&] { EftlClient{wrong}.connect(k_soon); }).starts_with("EFTL-LOGIN-ERROR 4002"));
    EftlOptions lost = server.client();
    lost.servers.front().channel = "/nowhere";
    CHECK(outcome_of([&] { EftlClient{lost}.connect(k_soon); }).starts_with("EFTL-CONNECT-ERROR"));
    CHECK(server.log_ins() == 1);
    client.disconnect(k_soon);
    CHECK(server.wait_until([&] { return server.sessions() == 0; }));
}

TEST_CASE("messages come in order and are acknowledged by whoever has to", "[testing][integration]") {
    TestEftlServer server;
    EftlOptions options = server.client();
    options.max_pending_acks = 2;
    EftlClient client{options};
    const std::string id = client.subscribe(subscription("a", EftlAck::client), k_soon);
    for (int i = 1; i <= 5; ++i) server.publish(note("a", i));
    std::vector<EftlMessage> came{client.receive(id, k_soon), client.receive(id, k_soon)};
    CHECK(numbers(came) == Numbers{1, 2});
    CHECK(server.subscriptions()[0].unacknowledged == 2);
    CHECK(outcome_of([&] { client.receive(id, k_short); }) == "TIMEOUT");  // two may wait
    client.acknowledge(came[1]);
    CHECK(numbers(server.expect_acknowledged(1)) == Numbers{2});
    CHECK(client.receive(id, k_soon).get_long("n") == 3);
    client.acknowledge(came[0]);
    const EftlMessage fourth = client.receive(id, k_soon);
    client.acknowledge_all(fourth);
    CHECK(numbers(server.expect_acknowledged(4)) == Numbers{2, 1, 3, 4});

    const std::string careless = client.subscribe(subscription("b", EftlAck::none), k_soon);
    server.publish(note("b", 1));
    CHECK(client.receive(careless, k_soon).get_long("n") == 1);
    CHECK(server.subscriptions()[1].unacknowledged == 0);
}

TEST_CASE("a durable keeps messages for its subscriber, by its type", "[testing][integration]") {
    TestEftlServer server;
    EftlOptions options = server.client();
    options.client_id = "reader";

    SECTION("standard: what was not acknowledged comes again, until it is removed") {
        EftlSubscription what = subscription("a", EftlAck::client);
        what.durable = "inbox";
        {
            EftlClient client{options};
            const std::string id = client.subscribe(what, k_soon);
            for (int i = 1; i <= 3; ++i) server.publish(note("a", i));
            client.acknowledge(client.receive(id, k_soon));
            client.receive(id, k_soon);
            client.close_subscription(id);
            client.disconnect(k_soon);
        }
        CHECK(server.wait_until([&] { return server.waiting("inbox") == 2; }));
        server.publish(note("a", 4));
        CHECK(server.waiting("inbox") == 3);
        EftlClient client{options};
        const std::string id = client.subscribe(what, k_soon);
        const EftlMessage again = client.receive(id, k_soon);
        CHECK(again.get_long("n") == 2);
        CHECK(again.delivery_count() == 2);
        CHECK(client.receive(id, k_soon).get_long("n") == 3);
        CHECK(client.receive(id, k_soon).get_long("n") == 4);
        client.unsubscribe(id);
        client.disconnect(k_soon);
        server.publish(note("a", 5));
        CHECK(server.waiting("inbox") == 0);
    }
    SECTION("shared: each message to one of them, and what one did not acknowledge to another when that is lost") {
        EftlSubscription what = subscription("a", EftlAck::client);
        what.durable = "pool";
        what.type = EftlDurable::shared;
        EftlClient one{server.client()};
        auto two = std::make_unique<EftlClient>(server.client());
        const std::string first = one.subscribe(what, k_soon);
        const std::string second = two->subscribe(what, k_soon);
        for (int i = 1; i <= 4; ++i) server.publish(note("a", i));
        for (int i = 0; i < 2; ++i) one.acknowledge(one.receive(first, k_soon));
        CHECK(numbers(server.expect_acknowledged(2)) == Numbers{1, 3});
        two->receive(second, k_soon);
        two.reset();
        CHECK(one.receive(first, k_soon).get_long("n") == 2);
        CHECK(one.receive(first, k_soon).get_long("n") == 4);
    }
    SECTION("last value: the newest for each value of the key") {
        EftlSubscription what = subscription("a");
        what.durable = "newest";
        what.type = EftlDurable::last_value;
        what.key = "type";
        EftlClient client{options};
        client.close_subscription(client.subscribe(what, k_soon));
        REQUIRE(server.wait_until([&] { return server.subscriptions().empty(); }));
        for (int i = 1; i <= 3; ++i) server.publish(note("a", i));
        CHECK(client.receive(client.subscribe(what, k_soon), k_soon).get_long("n") == 3);
    }
    SECTION("another matcher for the same durable is refused") {
        EftlSubscription what = subscription("a");
        what.durable = "inbox";
        EftlClient client{options};
        client.subscribe(what, k_soon);
        what.matcher = of_type("b");
        CHECK(outcome_of([&] { client.subscribe(what, k_soon); }).starts_with("EFTL-SUBSCRIBE-ERROR 22"));
    }
}

TEST_CASE("requests are answered by programs, and by the test", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    server.answer(of_type("add"), [](const EftlMessage& request) { return note("sum", *request.get_long("n") + 1); });
    CHECK(client.request(note("add", 1), k_soon).get_long("n") == 2);
    CHECK(server.messages()[0].is_request());
    server.answer(of_type("add"), [](const EftlMessage&) -> EftlMessage { throw std::runtime_error{"no idea"}; });
    CHECK(outcome_of([&] { client.request(note("add", 1), k_short); }).starts_with("EFTL-REQUEST-TIMEOUT"));

    EftlClient other{server.client()};
    EftlSubscription what = subscription("double");
    what.on_message = [&](const EftlMessage& request) { other.async_reply(request, note("twice", 2 * *request.get_long("n")), k_soon, nullptr); };
    other.subscribe(what, k_soon);
    CHECK(client.request(note("double", 4), k_soon).get_long("n") == 8);
    CHECK(server.request(note("double", 5)).get_long("n") == 10);
}

TEST_CASE("maps are shared by programs and the test", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    server.set_map_value("prices", "A", note("price", 5));
    CHECK(client.map("prices").get("A", k_soon) == note("price", 5));
    client.map("prices").set("B", note("price", 6), k_soon);
    CHECK(server.map_value("prices", "B") == note("price", 6));
    client.map("prices").remove("A", k_soon);
    CHECK_FALSE(server.map_value("prices", "A"));
    client.destroy_map("prices");
    CHECK_FALSE(client.map("prices").get("B", k_soon));
}

TEST_CASE("a session outlives its connection, and nothing comes twice", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    std::atomic<bool> resumed{false};
    EftlHandlers handlers;
    handlers.on_recover = [&](const EftlSession& session) { resumed = session.resumed; };
    client.set_handlers(handlers);
    const std::string id = client.subscribe(subscription("a"), k_soon);
    server.publish(note("a", 1));
    CHECK(client.receive(id, k_soon).get_long("n") == 1);
    server.drop();
    server.publish(note("a", 2));
    CHECK(client.receive(id, k_soon).get_long("n") == 2);
    CHECK(wait_until([&] { return resumed.load(); }));
    CHECK(server.log_ins() == 2);

    // Answers that were lost with the connection are given again, and what they are for is carried out once.
    server.set({.withhold_answers = true});
    Outcomes<void> outcomes;
    for (int i = 1; i <= 3; ++i) client.async_publish(note("b", i), k_soon, outcomes.callback());
    CHECK(numbers(server.expect(3, of_type("b"))) == Numbers{1, 2, 3});
    CHECK(outcomes.count() == 0);
    server.clear();
    server.drop();
    REQUIRE(outcomes.wait(3));
    for (const auto& one : outcomes.results()) CHECK(one.has_value());
    CHECK(server.messages(of_type("b")).size() == 3);
}

TEST_CASE("a session that was forgotten is none, and what it had not acknowledged in a durable comes again", "[testing][integration]") {
    TestEftlServer server;
    EftlOptions options = server.client();
    options.client_id = "reader";
    options.resend = EftlResend::resumed;
    EftlClient client{options};
    std::atomic<int> forgotten{0};
    EftlHandlers handlers;
    handlers.on_recover = [&](const EftlSession& session) { forgotten += session.resumed ? 0 : 1; };
    client.set_handlers(handlers);
    EftlSubscription what = subscription("a", EftlAck::client);
    what.durable = "inbox";
    const std::string id = client.subscribe(what, k_soon);
    server.publish(note("a", 1));
    CHECK(client.receive(id, k_soon).delivery_count() == 1);
    server.set({.forget_sessions = true, .withhold_answers = true});
    Outcomes<void> outcomes;
    client.async_publish(note("b", 1), k_soon, outcomes.callback());
    server.expect(1, of_type("b"));
    server.drop();
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results()[0].error().name() == "EFTL-DISCONNECTED");
    CHECK(client.receive(id, k_soon).delivery_count() == 2);
    CHECK(wait_until([&] { return forgotten == 1; }));
}

TEST_CASE("a server refuses what it is told to, with the code and the words", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    client.connect(k_soon);
    server.set({.refuse_publish = EftlRefusal{12, "not here"},
                .refuse_request = EftlRefusal{40, "nor that"},
                .refuse_subscribe = EftlRefusal{13, "nor there"},
                .refuse_map = EftlRefusal{14, "nor this"}});
    CHECK(outcome_of([&] { client.publish(note("a", 1), k_soon); }) == "EFTL-PUBLISH-ERROR 12 not here");
    CHECK(outcome_of([&] { client.request(note("a", 1), k_soon); }) == "EFTL-REQUEST-ERROR 40 nor that");
    CHECK(outcome_of([&] { client.subscribe(subscription("a"), k_soon); }) == "EFTL-SUBSCRIBE-ERROR 13 nor there");
    CHECK(outcome_of([&] { client.map("m").set("k", note("a", 1), k_soon); }) == "EFTL-MAP-ERROR 14 nor this");
    CHECK(server.messages().empty());
    server.set({.refuse_log_in = EftlRefusal{4002, "who are you"}});
    CHECK(outcome_of([&] { EftlClient{server.client()}.connect(k_soon); }) == "EFTL-LOGIN-ERROR 4002 who are you");
    server.set({.refuse_handshake = 503});
    CHECK(outcome_of([&] { EftlClient{server.client()}.connect(k_soon); }).starts_with("EFTL-CONNECT-ERROR 1006"));
    server.clear();
    client.publish(note("a", 2), k_soon);
    CHECK(numbers(server.messages()) == Numbers{2});
}

TEST_CASE("a server closes with each code, and reports what nobody asked for", "[testing][integration]") {
    TestEftlServer server;
    for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 4000, 4001, 4002}) {
        CAPTURE(code);
        EftlClient client{server.client()};
        std::atomic<int> told{0};
        std::atomic<int> reported{0};
        EftlHandlers handlers;
        handlers.on_disconnect = [&](int c, const std::string& reason) { told = reason == "of a test" ? c : -1; };
        handlers.on_error = [&](int c, const std::string&) { reported = c; };
        client.set_handlers(handlers);
        client.connect(k_soon);
        server.report(20, "bad subscription id");
        CHECK(wait_until([&] { return reported == 20; }));
        server.close(code, "of a test");
        CHECK(wait_until([&] { return told == code; }));
    }
    EftlClient client{server.client()};
    client.connect(k_soon);
    server.close(1012);
    CHECK(wait_until([&] { return client.session().link == 2; }));
}

TEST_CASE("a server that is silent, slow, in pieces, or talks nonsense", "[testing][integration]") {
    // Only a section about silence has a time-out: a machine that is busy may be silent too.
    TestEftlServer server;
    EftlClient client{server.client()};
    client.connect(k_soon);

    SECTION("silent: the client sees that nothing comes, and what it sent meanwhile is taken later") {
        TestEftlServer mute{{.heartbeat = 50ms, .timeout = 300ms}};
        EftlClient waiting{mute.client()};
        waiting.connect(k_soon);
        mute.set({.silent = true});
        Outcomes<void> outcomes;
        waiting.async_publish(note("a", 1), k_soon, outcomes.callback());
        CHECK(wait_until([&] { return waiting.state() == EftlState::reconnecting; }));
        CHECK(mute.messages().empty());
        mute.clear();
        REQUIRE(outcomes.wait(1));
        CHECK(outcomes.results()[0].has_value());
    }
    SECTION("heartbeats keep it") {
        TestEftlServer lively{{.heartbeat = 50ms, .timeout = 600ms}};
        EftlClient waiting{lively.client()};
        waiting.connect(k_soon);
        CHECK_FALSE(wait_until([&] { return waiting.session().link != 1; }, 800ms));
    }
    SECTION("slow") {
        server.set({.delay = 100ms});
        const auto begin = Clock::now();
        client.publish(note("a", 1), k_soon);
        CHECK(Clock::now() - begin >= 100ms);
    }
    SECTION("in fragments") {
        server.set({.fragment = 3});
        const std::string id = client.subscribe(subscription("a"), k_soon);
        server.publish(note("a", 1));
        CHECK(client.receive(id, k_soon) == note("a", 1));
    }
    SECTION("nonsense") {
        server.send("{]");
        CHECK(wait_until([&] { return client.session().link == 2; }));
        client.publish(note("a", 1), k_soon);
    }
    SECTION("ends without a close after so many frames") {
        server.set({.drop_after = 3});
        server.drop();
        for (int i = 1; i <= 6; ++i) client.publish(note("a", i), k_soon);
        CHECK(numbers(server.messages()) == Numbers{1, 2, 3, 4, 5, 6});
        CHECK(server.log_ins() >= 4);
    }
}

TEST_CASE("a log-in that is not answered, a size that is kept, servers of old", "[testing][integration]") {
    TestEftlServer server{{.protocol = 0, .quality_of_service = false, .max_size = 500}};
    EftlClient client{server.client()};
    CHECK(client.connect(k_soon).protocol == 0);
    CHECK(client.session().max_size == 500);
    CHECK_FALSE(client.session().quality_of_service);
    CHECK_FALSE(client.session().stop_supported);
    const std::string id = client.subscribe(subscription("a"), k_soon);
    client.publish(note("a", 1), k_soon);
    CHECK_FALSE(client.receive(id, k_soon).receipt().sequence);
    CHECK(outcome_of([&] { client.publish(EftlMessage{}.set_string("a", std::string(600, 'x')), k_soon); }).starts_with("EFTL-MESSAGE-TOO-LARGE"));
    server.set({.ignore_log_in = true});
    EftlOptions impatient = server.client();
    impatient.login_timeout = k_short;
    CHECK(outcome_of([&] { EftlClient{impatient}.connect(k_soon); }).starts_with("EFTL-CONNECT-ERROR"));
}

TEST_CASE("of two programs with one client id the older is sent away", "[testing][integration]") {
    TestEftlServer server;
    EftlOptions options = server.client();
    options.client_id = "twin";
    EftlClient older{options};
    std::atomic<int> told{0};
    EftlHandlers handlers;
    handlers.on_disconnect = [&](int code, const std::string&) { told = code; };
    older.set_handlers(handlers);
    older.connect(k_soon);
    EftlClient newer{options};
    newer.connect(k_soon);
    CHECK(wait_until([&] { return told == 4000; }));
    CHECK(server.sessions() == 1);
    CHECK(newer.is_connected());
}

TEST_CASE("stopped subscriptions get nothing until they are started", "[testing][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    const std::string id = client.subscribe(subscription("a"), k_soon);
    client.stop_subscription(id);
    REQUIRE(server.wait_until([&] { return server.subscriptions()[0].stopped; }));
    server.publish(note("a", 1));
    CHECK(server.subscriptions()[0].unacknowledged == 0);
    client.start_subscription(id);
    CHECK(client.receive(id, k_soon).get_long("n") == 1);
}

TEST_CASE("many messages from many threads pass a server for tests", "[testing][integration]") {
    TestEftlServer server;
    EftlClient reader{server.client()};
    const std::string id = reader.subscribe(subscription("a"), k_soon);
    std::vector<std::thread> threads;
    std::atomic<int> failed{0};
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            EftlClient client{server.client()};
            for (int i = 0; i < 100; ++i) failed += outcome_of([&] { client.publish(note("a", i), k_soon); }) == "fine" ? 0 : 1;
        });
    }
    for (int i = 0; i < 100; ++i) server.publish(note("a", i));
    for (int i = 0; i < 400; ++i) reader.receive(id, k_soon);
    for (auto& one : threads) one.join();
    CHECK(failed == 0);
    CHECK(server.expect_acknowledged(400).size() == 400);
}

TEST_CASE("a server for tests leaves no descriptor and no thread behind", "[testing][integration]") {
    std::thread{[] {}}.join();  // a sanitizer has a thread of its own from the first one on
    const auto descriptors = open_descriptors();
    const auto threads = count_threads();
    {
        TestEftlServer server;
        EftlClient client{server.client()};
        client.connect(k_soon);
        EftlClient other{server.client()};
        other.connect(k_soon);
        other.disconnect(k_soon);
    }
    // Those of a runtime end with its last client, a moment later.
    CHECK(wait_until([&] { return open_descriptors() <= descriptors; }));
    CHECK(wait_until([&] { return count_threads() <= threads; }));
}
