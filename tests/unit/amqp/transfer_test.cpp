// SPDX-License-Identifier: Apache-2.0
#include "unit/amqp/engine_peer.hpp"

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

std::string accepted() { return composite(Descriptor::accepted, {}); }
std::string disposition(std::uint32_t first, std::uint32_t last, const std::string& state, bool settled = true, bool receiver = true) {
    return frame(0, Descriptor::disposition, {flag(receiver), u32(first), u32(last), flag(settled), state});
}

/// With a session and a sender, link 0.
struct Sending : Bench {
    explicit Sending(std::uint32_t max_frame_size = 0, std::uint32_t window = 2048) {
        open(max_frame_size);
        begin(0, window);
        sender();
    }
    Sent send(std::uint64_t number, std::string_view message, bool settled = false) { return engine.transfer(0, message, {number, settled, 0, {}}); }
};
/// With a session and a receiver, link 0.
struct Receiving : Bench {
    explicit Receiving(std::uint32_t credit, std::uint32_t threshold = 0, SessionOptions options = {}, std::uint64_t most = 0) {
        open();
        begin(0, 2048, options);
        receiver(credit, threshold, most);
    }
};

}  // namespace

// ---- sending ----

TEST_CASE("a message needs credit, and uses one", "[amqp][transfer]") {
    Sending bench;
    CHECK(bench.send(1, "a") == Sent::blocked);
    bench.credit(2);
    CHECK(bench.host.take() == Lines{"sendable 0"});
    CHECK(bench.send(1, "a") == Sent::whole);
    CHECK(bench.send(2, "b") == Sent::whole);
    CHECK(bench.send(3, "c") == Sent::blocked);
    CHECK(
        bench.take() ==
        Lines{
            R"(0 transfer {"type":"list","value":[{"type":"uint","value":0},{"type":"uint","value":0},{"type":"binary","value":"00000000"},{"type":"uint","value":0},false]} +1)",
            R"(0 transfer {"type":"list","value":[{"type":"uint","value":0},{"type":"uint","value":1},{"type":"binary","value":"00000001"},{"type":"uint","value":0},false]} +1)"});
    // Credit counts from what the peer had seen when it gave it.
    bench.credit(2, 1);
    CHECK(bench.send(3, "c") == Sent::whole);
    CHECK(bench.send(4, "d") == Sent::blocked);
}

TEST_CASE("outcomes come in any order and in ranges, once for each message", "[amqp][transfer]") {
    Sending bench;
    bench.credit(10);
    for (std::uint64_t n = 1; n <= 6; ++n) bench.send(n, "x");
    bench.host.take();

    bench.give(disposition(1, 1, composite(Descriptor::rejected, {error_of("amqp:not-allowed", "no")})));
    CHECK(bench.host.take() == Lines{"outcome 0 #2 rejected: amqp:not-allowed (no)"});
    bench.give(disposition(4, 5, composite(Descriptor::modified, {flag(true), flag(true)})));
    CHECK(bench.host.take() == Lines{"outcome 0 #5 modified, counted as a failed attempt, not to be delivered here again",
                                     "outcome 0 #6 modified, counted as a failed attempt, not to be delivered here again"});
    bench.give(disposition(0, 5, accepted()));
    CHECK(bench.host.take() == Lines{"outcome 0 #1 accepted", "outcome 0 #3 accepted", "outcome 0 #4 accepted"});
    bench.give(disposition(0, 4'000'000'000U - 2'000'000'000U, accepted()));
    CHECK(bench.host.take().empty());
    CHECK(bench.engine.link_state(0).unsettled == 0);
    CHECK(bench.take().size() == 6);
}

TEST_CASE("a range as wide as the numbers are finds what there is", "[amqp][transfer]") {
    Sending bench;
    bench.credit(10);
    bench.send(1, "x");
    bench.send(2, "x");
    bench.host.take();
    bench.give(disposition(0, 0x7fffffff, accepted()));
    CHECK(bench.host.take() == Lines{"outcome 0 #1 accepted", "outcome 0 #2 accepted"});
}

TEST_CASE("a peer that leaves the settling to this side is answered by one range", "[amqp][transfer]") {
    Sending bench;
    bench.credit(10);
    for (std::uint64_t n = 1; n <= 3; ++n) bench.send(n, "x");
    bench.take();
    bench.give(disposition(0, 2, accepted(), false));
    CHECK(bench.take() == Lines{R"(0 disposition {"type":"list","value":[false,{"type":"uint","value":0},{"type":"uint","value":2},true]})"});
    CHECK(bench.engine.link_state(0).unsettled == 0);
}

TEST_CASE("a state that is not the last word settles nothing", "[amqp][transfer]") {
    Sending bench;
    bench.credit(10);
    bench.send(1, "x");
    bench.host.take();
    bench.give(disposition(0, 0, composite(Descriptor::received, {u32(0), encoded(AmqpValue{std::uint64_t{1}})}), false));
    CHECK(bench.host.take().empty());
    CHECK(bench.engine.link_state(0).unsettled == 1);
}

TEST_CASE("a message that was sent settled is told of when its bytes are with the system", "[amqp][transfer]") {
    Sending bench;
    bench.credit(10);
    bench.send(1, "x", true);
    bench.send(2, "y", true);
    bench.host.take();
    const std::size_t all = bench.engine.output().size();
    bench.engine.written(all - 1, bench.now);
    CHECK(bench.host.take().empty());
    bench.engine.written(1, bench.now);
    CHECK(bench.host.take() == Lines{"outcome 0 #1 settled", "outcome 0 #2 settled"});
    CHECK(bench.engine.link_state(0).unsettled == 0);
}

TEST_CASE("what does not fit into a frame goes in several", "[amqp][transfer]") {
    Sending bench{512};
    bench.credit(10);
    const std::string message(1200, 'm');
    CHECK(bench.send(1, message) == Sent::whole);
    const std::string bytes = bench.take_bytes();
    std::string payload;
    std::size_t frames = 0;
    for (std::string_view rest{bytes}; !rest.empty(); ++frames) {
        const auto size = load<std::uint32_t>(rest.data());
        CHECK(size <= 512);
        Reader reader{rest.substr(8, size - 8)};
        Raw raw;
        REQUIRE(reader.read(raw));
        Transfer transfer;
        REQUIRE(parse(raw, transfer) == nullptr);
        CHECK(transfer.has(Transfer::i_delivery_tag) == (frames == 0));
        CHECK(transfer.more == (size == 512));
        payload += reader.rest();
        rest.remove_prefix(size);
    }
    CHECK(frames == 3);
    CHECK(payload == message);
}

TEST_CASE("the window counts frames: a message stops in its middle and goes on", "[amqp][transfer]") {
    Sending bench{512, 2};
    bench.credit(10, 0, false, 0, 2);
    const std::string message(1500, 'm');
    CHECK(bench.send(1, message) == Sent::partly);
    CHECK(bench.take().size() == 2);
    CHECK(bench.send(1, message) == Sent::partly);
    CHECK(bench.take().empty());
    bench.host.take();
    bench.credit(9, 1, false, 2, 2);
    CHECK(bench.host.take() == Lines{"sendable 0"});
    CHECK(bench.send(1, message) == Sent::whole);
    CHECK(bench.take().size() == 2);
    bench.give(disposition(0, 0, accepted()));
    CHECK(bench.host.take() == Lines{"outcome 0 #1 accepted"});
}

TEST_CASE("a message of which a part has gone can be taken back", "[amqp][transfer]") {
    Sending bench{512, 1};
    bench.credit(10, 0, false, 0, 1);
    CHECK(bench.send(1, std::string(900, 'm')) == Sent::partly);
    bench.take();
    bench.engine.abort_transfer(0);
    const Lines sent = bench.take();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0] == R"(0 transfer {"type":"list","value":[{"type":"uint","value":0},null,null,null,null,null,null,null,null,true]})");
    CHECK(bench.engine.link_state(0).unsettled == 0);
}

TEST_CASE("credit is given back when the peer drains and nothing is to be sent", "[amqp][transfer]") {
    Sending bench;
    bench.credit(5, 0, true);
    CHECK(
        bench.take() ==
        Lines{
            R"(0 flow {"type":"list","value":[{"type":"uint","value":0},{"type":"uint","value":2048},{"type":"uint","value":0},{"type":"uint","value":2048},{"type":"uint","value":0},{"type":"uint","value":5},{"type":"uint","value":0},{"type":"uint","value":0},true]})"});
    CHECK(bench.engine.link_state(0).credit == 0);
}

TEST_CASE("what waits goes out before credit is given back", "[amqp][transfer]") {
    Sending bench;
    bench.host.when_sendable = [&](std::uint32_t) { bench.send(1, "x"); };
    CHECK(bench.send(1, "x") == Sent::blocked);
    bench.credit(3, 0, true);
    const Lines sent = bench.take();
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].substr(0, 10) == "0 transfer");
    CHECK(bench.engine.link_state(0).delivery_count == 3);
}

TEST_CASE("credit without a delivery count is that of a peer which has seen no attach", "[amqp][transfer]") {
    Sending bench;
    bench.give(frame(0, Descriptor::flow, {{}, u32(10), u32(0), u32(10), u32(5), {}, u32(65536)}));
    CHECK(bench.engine.link_state(0).credit == 65536);
}

TEST_CASE("an echo is answered", "[amqp][transfer]") {
    Sending bench;
    bench.give(frame(0, Descriptor::flow, {u32(0), u32(10), u32(0), u32(10), {}, {}, {}, {}, {}, flag(true)}));
    CHECK(bench.take().size() == 1);
}

TEST_CASE("with much output waiting messages wait too, and senders take turns", "[amqp][transfer]") {
    EngineOptions options;
    options.most_output = 100;
    Bench bench{options};
    bench.open();
    bench.begin();
    bench.sender();
    bench.credit(1000);
    std::uint64_t number = 0;
    while (bench.engine.transfer(0, "0123456789", {++number, false, 0, {}}) == Sent::whole) {}
    CHECK(bench.engine.output().size() < 200);
    bench.host.take();
    bench.engine.written(bench.engine.output().size(), bench.now);
    CHECK(bench.host.take() == Lines{"sendable 0"});
}

TEST_CASE("one delivery that is never settled does not make the ring grow", "[amqp][transfer]") {
    DeliveryRing<int> ring;
    ring.push(0xfffffff0U, -1);  // the numbers begin anew on the way
    std::uint32_t id = 0xfffffff1U;
    for (int i = 0; i < 100'000; ++i, ++id) {
        ring.push(id, i);
        if (i >= 20) {
            REQUIRE(ring.find(id - 20) != nullptr);
            CHECK(*ring.find(id - 20) == i - 20);
            ring.erase(id - 20);
        }
    }
    REQUIRE(ring.find(0xfffffff0U) != nullptr);
    CHECK(*ring.find(0xfffffff0U) == -1);
    CHECK(ring.size() == 21);
    CHECK(ring.slots() <= 512);
    ring.erase(0xfffffff0U);
    CHECK(ring.find(0xfffffff0U) == nullptr);
    CHECK(ring.find(id) == nullptr);
}

TEST_CASE("numbers without entries lie between those with", "[amqp][transfer]") {
    DeliveryRing<int> ring;
    ring.push(0, 0);
    ring.push(3, 3);
    ring.push(5'000'000, 5);
    CHECK(*ring.find(0) == 0);
    CHECK(ring.find(1) == nullptr);
    CHECK(*ring.find(3) == 3);
    CHECK(*ring.find(5'000'000) == 5);
    CHECK(ring.slots() <= 16);
    CHECK(ring.within(0, 100) == std::vector<std::uint32_t>{0, 3});
}

// ---- receiving ----

TEST_CASE("what comes is accepted by one range for each read", "[amqp][transfer]") {
    Receiving bench{100};
    bench.give({Bench::transfer(0, "a"), Bench::transfer(1, "b"), Bench::transfer(2, "c", true), Bench::transfer(3, "d")});
    CHECK(bench.host.take() == Lines{"message 0 #0 a", "message 0 #1 b", "message 0 #2 settled c", "message 0 #3 d"});
    CHECK(
        bench.take() ==
        Lines{
            R"(0 disposition {"type":"list","value":[true,{"type":"uint","value":0},{"type":"uint","value":1},true,{"descriptor":{"type":"ulong","value":36},"type":"list","value":[]}]})",
            R"(0 disposition {"type":"list","value":[true,{"type":"uint","value":3},null,true,{"descriptor":{"type":"ulong","value":36},"type":"list","value":[]}]})"});
}

TEST_CASE("credit comes back when it has fallen to its threshold", "[amqp][transfer]") {
    Receiving bench{4, 2};
    bench.give(Bench::transfer(0, "a", true));
    CHECK(bench.take().empty());
    bench.give(Bench::transfer(1, "b", true));
    CHECK(
        bench.take() ==
        Lines{
            R"(0 flow {"type":"list","value":[{"type":"uint","value":2},{"type":"uint","value":2048},{"type":"uint","value":0},{"type":"uint","value":2048},{"type":"uint","value":0},{"type":"uint","value":2},{"type":"uint","value":4}]})"});
}

TEST_CASE("what waits for an answer counts against the credit", "[amqp][transfer]") {
    Receiving bench{4, 3};
    bench.host.answer = Answer::later;
    bench.give({Bench::transfer(0, "a"), Bench::transfer(1, "b")});
    bench.take();
    CHECK(bench.engine.link_state(0).credit == 2);
    CHECK(bench.engine.link_state(0).unsettled == 2);
    CHECK(bench.engine.answer(0, 1, composite(Descriptor::released, {})));
    CHECK_FALSE(bench.engine.answer(0, 1, accepted()));
    bench.engine.flush();
    CHECK(bench.engine.link_state(0).credit == 3);
    const Lines sent = bench.take();
    REQUIRE(sent.size() == 2);
    CHECK(
        sent[0] ==
        R"(0 disposition {"type":"list","value":[true,{"type":"uint","value":1},null,true,{"descriptor":{"type":"ulong","value":38},"type":"list","value":[]}]})");
}

TEST_CASE("a peer that has settled wants no answer any more", "[amqp][transfer]") {
    Receiving bench{4, 3};
    bench.host.answer = Answer::later;
    bench.give({Bench::transfer(0, "a"), Bench::transfer(1, "b")});
    bench.give(disposition(0, 0x70000000, {}, true, false));
    CHECK_FALSE(bench.engine.answer(0, 0, accepted()));
    CHECK(bench.engine.link_state(0).unsettled == 0);
}

TEST_CASE("a message in several frames is put together, and may be taken back", "[amqp][transfer]") {
    Receiving bench{4};
    bench.give({Bench::transfer(0, "one ", false, true), frame(0, Descriptor::transfer, {u32(7), {}, {}, {}, {}, flag(true)}, "two "),
                frame(0, Descriptor::transfer, {u32(7)}, "three")});
    CHECK(bench.host.take() == Lines{"message 0 #0 one two three"});
    bench.give({Bench::transfer(1, "gone", false, true), frame(0, Descriptor::transfer, {u32(7), {}, {}, {}, {}, {}, {}, {}, {}, flag(true)})});
    CHECK(bench.host.take().empty());
    bench.give(Bench::transfer(2, "here"));
    CHECK(bench.host.take() == Lines{"message 0 #2 here"});
}

TEST_CASE("drained: what crosses is a message, then there is none", "[amqp][transfer]") {
    Receiving bench{0};
    bench.engine.grant(0, 1);
    bench.engine.flush();
    bench.take();
    bench.engine.grant(0, 0, true);
    bench.engine.flush();
    CHECK(bench.take().size() == 1);
    SECTION("a message crosses") {
        bench.give(Bench::transfer(0, "late"));
        CHECK(bench.host.take() == Lines{"message 0 #0 late"});
        bench.give(frame(0, Descriptor::flow, {u32(0), u32(10), u32(1), u32(10), u32(7), u32(1), u32(0), {}, flag(true)}));
        CHECK(bench.host.take() == Lines{"drained 0"});
    }
    SECTION("the credit comes back") {
        bench.give(frame(0, Descriptor::flow, {u32(0), u32(10), u32(0), u32(10), u32(7), u32(1), u32(0), {}, flag(true)}));
        CHECK(bench.host.take() == Lines{"drained 0"});
        CHECK(bench.engine.link_state(0).credit == 0);
    }
}

TEST_CASE("of a peer that is known for it four times as much as the credit is taken, and no more", "[amqp][transfer]") {
    Receiving bench{1};
    bench.engine.allow_excess(true);
    bench.host.answer = Answer::later;
    bench.give({Bench::transfer(0, "a"), Bench::transfer(1, "b"), Bench::transfer(2, "c"), Bench::transfer(3, "d"), Bench::transfer(4, "e")});
    CHECK(bench.host.take().size() == 5);
    CHECK(bench.take().empty());
    bench.give(Bench::transfer(5, "f"));
    CHECK(bench.take().back().find("transfer-limit-exceeded") != std::string::npos);
}

TEST_CASE("a flow that counts messages which have not come yet takes no credit from them", "[amqp][transfer]") {
    Receiving bench{2};
    bench.give(frame(0, Descriptor::flow, {u32(0), u32(10), u32(2), u32(10), u32(7), u32(2), u32(0), u32(9)}));
    CHECK(bench.engine.link_state(0).available == 9);
    bench.give({Bench::transfer(0, "a"), Bench::transfer(1, "b")});
    CHECK(bench.host.take() == Lines{"message 0 #0 a", "message 0 #1 b"});
}

TEST_CASE("the window is given anew at its half, in frames", "[amqp][transfer]") {
    SessionOptions options;
    options.incoming_window = 4;
    Receiving bench{100, 0, options};
    bench.give({Bench::transfer(0, "a", true), Bench::transfer(1, "b", true)});
    CHECK(
        bench.take() ==
        Lines{
            R"(0 flow {"type":"list","value":[{"type":"uint","value":2},{"type":"uint","value":4},{"type":"uint","value":0},{"type":"uint","value":2048}]})"});
}

TEST_CASE("a peer that sends more than it may is told by what", "[amqp][transfer]") {
    SECTION("more than its credit") {
        Receiving bench{0};
        bench.engine.grant(0, 1);
        bench.give({Bench::transfer(0, "a", true), Bench::transfer(1, "b", true)});
        CHECK(bench.host.take() == Lines{"message 0 #0 settled a"});
        CHECK(bench.take().back().find("transfer-limit-exceeded") != std::string::npos);
    }
    SECTION("more than the window") {
        SessionOptions options;
        options.incoming_window = 2;
        Receiving bench{100, 0, options};
        bench.give({Bench::transfer(0, "a", true), Bench::transfer(1, "b", true), Bench::transfer(2, "c", true)});
        const Lines sent = bench.take();
        REQUIRE_FALSE(sent.empty());
        CHECK(sent.back().find("window-violation") != std::string::npos);
    }
    SECTION("a larger message than was allowed") {
        Receiving bench{100, 0, {}, 10};
        bench.give(Bench::transfer(0, "0123456789", true));
        CHECK(bench.host.take() == Lines{"message 0 #0 settled 0123456789"});
        bench.give(Bench::transfer(1, "0123456789a", true));
        CHECK(bench.take().back().find("message-size-exceeded") != std::string::npos);
        bench.give(frame(0, Descriptor::detach, {u32(7), flag(true)}));
        CHECK(bench.host.take() == Lines{"closed 0 amqp:link:message-size-exceeded"});
    }
    SECTION("on a handle that is no link") {
        Receiving bench{1};
        bench.give(frame(0, Descriptor::transfer, {u32(99), u32(0), bin("t")}, "x"));
        CHECK(bench.take().back().find("unattached-handle") != std::string::npos);
    }
    SECTION("a second message within a first") {
        Receiving bench{10};
        bench.give({Bench::transfer(0, "a", false, true), Bench::transfer(1, "b")});
        CHECK(bench.take().back().find("not-allowed") != std::string::npos);
    }
}
