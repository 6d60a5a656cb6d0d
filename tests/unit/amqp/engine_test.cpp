// SPDX-License-Identifier: Apache-2.0
#include "unit/amqp/engine_peer.hpp"

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

EngineOptions with_plain() {
    EngineOptions out;
    out.container_id = "me";
    out.hostname = "host";
    out.mechanisms = {{"PLAIN", Secret{std::string_view{"\0alice\0secret", 13}}}};
    return out;
}

std::string mechanisms(std::initializer_list<const char*> names) {
    AmqpArray array{AmqpType::symbol, {}};
    for (const char* const name : names) array.elements.emplace_back(AmqpSymbol{name});
    return frame(0, Descriptor::sasl_mechanisms, {encoded(AmqpValue{array})});
}
std::string outcome(std::uint8_t code) { return frame(0, Descriptor::sasl_outcome, {encoded(AmqpValue{code})}); }

}  // namespace

// ---- opening ----

TEST_CASE("a log-in by PLAIN goes before the open", "[amqp][engine]") {
    Bench bench{with_plain()};
    CHECK(bench.take() == Lines{"header 3"});

    bench.give(k_sasl_header + mechanisms({"ANONYMOUS", "PLAIN"}));
    CHECK(
        bench.take() ==
        Lines{
            R"(0 sasl-init {"type":"list","value":[{"type":"symbol","value":"PLAIN"},{"type":"binary","value":"00616C69636500736563726574"},"host"]})"});

    bench.give(outcome(0));
    const Lines sent = bench.take();
    REQUIRE(sent.size() == 2);
    CHECK(sent[0] == "header 0");
    CHECK(sent[1].substr(0, 7) == "0 open ");

    bench.give(k_amqp_header + frame(0, Descriptor::open, {str("them")}));
    CHECK(bench.host.take() == Lines{"open them"});
    CHECK(bench.engine.is_open());
}

TEST_CASE("the same comes of it when each byte comes alone", "[amqp][engine]") {
    Bench bench{with_plain()};
    const std::string all = k_sasl_header + mechanisms({"PLAIN"}) + outcome(0) + k_amqp_header + frame(0, Descriptor::open, {str("them")});

    for (const char byte : all) bench.give(std::string_view{&byte, 1});

    CHECK(bench.host.take() == Lines{"open them"});
}

TEST_CASE("a single mechanism may come as a symbol that is no array", "[amqp][engine]") {
    Bench bench{with_plain()};
    bench.give(k_sasl_header + frame(0, Descriptor::sasl_mechanisms, {sym("PLAIN")}) + outcome(0));
    CHECK(bench.take().size() == 4);
}

TEST_CASE("without a mechanism in common, both lists are told and nothing of the password is sent", "[amqp][engine]") {
    Bench bench{with_plain()};
    bench.take();
    bench.give(k_sasl_header + mechanisms({"EXTERNAL", "GSSAPI"}));
    CHECK(bench.host.take() == Lines{"over: no way to log in is common to both: the peer offers EXTERNAL, GSSAPI, and this client has PLAIN"});
    CHECK(bench.host.error->name() == "AMQP-AUTH-ERROR");
    CHECK(bench.take().empty());
}

TEST_CASE("a refused log-in is final, one that the server could not decide on is not", "[amqp][engine]") {
    Bench bench{with_plain()};
    SECTION("wrong password") {
        bench.give(k_sasl_header + mechanisms({"PLAIN"}) + outcome(1));
        CHECK_FALSE(bench.host.error->retryable());
        CHECK(bench.host.error->reason() == Reason::denied);
    }
    SECTION("a fault that may pass") {
        bench.give(k_sasl_header + mechanisms({"PLAIN"}) + outcome(4));
        CHECK(bench.host.error->retryable());
    }
    CHECK(bench.host.error->phase() == Phase::auth);
    CHECK(bench.host.error->name() == "AMQP-AUTH-ERROR");
}

TEST_CASE("who speaks something else is told by what it is", "[amqp][engine]") {
    const auto answered = [](std::string_view header, EngineOptions options) {
        Bench bench{std::move(options)};
        bench.give(header);
        REQUIRE(bench.host.error);
        CHECK(bench.host.error->name() == "AMQP-CONNECTION-ERROR");
        return std::string{bench.host.error->message()};
    };
    CHECK(answered({"AMQP\0\0\x09\1", 8}, {}).find("AMQP 0-9-1") != std::string::npos);
    CHECK(answered({"AMQP\2\1\0\0", 8}, {}).find("amqps") != std::string::npos);
    CHECK(answered(k_sasl_header, {}).find("wants a log-in") != std::string::npos);
    CHECK(answered(k_amqp_header, with_plain()).find("sasl: none") != std::string::npos);
    CHECK(answered("HTTP/1.1", {}).find("no AMQP") != std::string::npos);
}

TEST_CASE("a connection that the peer closes at once has its reason", "[amqp][engine]") {
    Bench bench;
    bench.give(k_amqp_header + frame(0, Descriptor::open, {str("them")}) +
               frame(0, Descriptor::close, {error_of("amqp:not-found", "no such virtual host")}));
    CHECK(bench.host.take() == Lines{"open them", "over: the peer closed the connection: amqp:not-found (no such virtual host)"});
    CHECK(bench.take().back() == R"(0 close {"type":"list","value":[]})");
    CHECK(bench.host.error->reason() == Reason::not_found);
    REQUIRE(bench.host.error->detail<AmqpErrorDetail>() != nullptr);
}

TEST_CASE("closing waits for the answer, and hears nothing of what was under way", "[amqp][engine]") {
    Bench bench;
    bench.open();
    bench.engine.close();
    CHECK(bench.take() == Lines{R"(0 close {"type":"list","value":[]})"});
    bench.give(frame(3, Descriptor::flow, {u32(0), u32(1), u32(0), u32(1)}));
    CHECK(bench.host.take().empty());
    bench.give(frame(0, Descriptor::close, {}));
    CHECK(bench.host.take() == Lines{"over"});
}

// ---- sessions and links ----

TEST_CASE("channels and handles are each side's own", "[amqp][engine]") {
    Bench bench;
    bench.open();
    CHECK(*bench.engine.begin({}) == 0);
    CHECK(*bench.engine.begin({}) == 1);
    bench.give(frame(9, Descriptor::begin, {u16(1), u32(0), u32(10), u32(10)}) + frame(4, Descriptor::begin, {u16(0), u32(0), u32(10), u32(10)}));
    CHECK(bench.host.take() == Lines{"begun 1", "begun 0"});
    bench.take();

    LinkOptions options;
    options.name = "l";
    options.target = composite(Descriptor::target, {str("q")});
    CHECK(*bench.engine.attach(1, options) == 0);
    bench.give(frame(9, Descriptor::attach, {str("l"), u32(77), flag(true), {}, {}, {}, composite(Descriptor::target, {})}));
    CHECK(bench.host.take() == Lines{"attached 0 l"});
    bench.give(frame(9, Descriptor::flow, {u32(0), u32(10), u32(0), u32(10), u32(77), u32(0), u32(1)}));
    CHECK(bench.engine.can_send(0));
}

TEST_CASE("there are as many sessions as channel-max has numbers, and no more", "[amqp][engine]") {
    Bench bench;
    bench.open(0, 1);
    CHECK(bench.engine.begin({}).has_value());
    CHECK(bench.engine.begin({}).has_value());
    const auto third = bench.engine.begin({});
    REQUIRE_FALSE(third.has_value());
    CHECK(third.error().name() == "AMQP-SESSION-ERROR");
}

TEST_CASE("there are as many links as handle-max has numbers, and no more", "[amqp][engine]") {
    Bench bench;
    bench.open();
    *bench.engine.begin({});
    bench.give(frame(0, Descriptor::begin, {u16(0), u32(0), u32(10), u32(10), u32(0)}));
    LinkOptions options;
    options.name = "one";
    CHECK(bench.engine.attach(0, options).has_value());
    options.name = "two";
    const auto second = bench.engine.attach(0, options);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().name() == "AMQP-LINK-ERROR");
}

TEST_CASE("a refused link is an attach without its end and then a detach", "[amqp][engine]") {
    Bench bench;
    bench.open();
    bench.begin();
    LinkOptions options;
    options.name = "l";
    options.target = composite(Descriptor::target, {str("nowhere")});
    const std::uint32_t link = *bench.engine.attach(0, options);
    bench.take();
    bench.give(frame(0, Descriptor::attach, {str("l"), u32(0), flag(true)}));
    CHECK_FALSE(bench.engine.can_send(link));
    bench.give(frame(0, Descriptor::detach, {u32(0), flag(true), error_of("amqp:not-found")}));
    CHECK(bench.host.take() == Lines{"attached 0 l", "closed 0 amqp:not-found"});
    CHECK(bench.take() == Lines{R"(0 detach {"type":"list","value":[{"type":"uint","value":0},true]})"});
}

TEST_CASE("sessions and links of the peer's are answered and refused", "[amqp][engine]") {
    Bench bench;
    bench.open();
    bench.begin();
    bench.give(frame(0, Descriptor::attach, {str("theirs"), u32(3), flag(false), {}, {}, {}, {}, {}, {}, u32(0)}));
    const Lines sent = bench.take();
    REQUIRE(sent.size() == 2);
    CHECK(sent[0] == R"(0 attach {"type":"list","value":["theirs",{"type":"uint","value":0},true]})");
    CHECK(sent[1].find("amqp:not-allowed") != std::string::npos);
    bench.give(frame(0, Descriptor::detach, {u32(3), flag(true)}));
    CHECK(bench.take().empty());

    bench.give(frame(5, Descriptor::begin, {{}, u32(0), u32(10), u32(10)}));
    const Lines refusal = bench.take();
    REQUIRE(refusal.size() == 2);
    CHECK(refusal[1].find("amqp:not-allowed") != std::string::npos);
    bench.give(frame(5, Descriptor::end, {}));
    CHECK(bench.host.take().empty());
    CHECK(bench.engine.is_open());
    CHECK(bench.engine.sessions() == 1);
}

TEST_CASE("the end of a session is the end of its links", "[amqp][engine]") {
    Bench bench;
    bench.open();
    bench.begin();
    bench.sender();
    bench.give(frame(0, Descriptor::end, {error_of("amqp:internal-error")}));
    CHECK(bench.host.take() == Lines{"ended 0 amqp:internal-error"});
    CHECK(bench.take() == Lines{R"(0 end {"type":"list","value":[]})"});
    CHECK(bench.engine.sessions() == 0);
}

// ---- time ----

TEST_CASE("an empty frame goes out before the peer's patience ends, and only if nothing else does", "[amqp][engine]") {
    Bench bench;
    bench.open(0, 10, 10'000);
    CHECK(bench.engine.next_deadline() == bench.now + 5s);
    bench.now += 5s;
    bench.engine.tick(bench.now);
    CHECK(bench.take() == Lines{"0 empty"});
    CHECK(bench.engine.next_deadline() == bench.now + 5s);
}

TEST_CASE("a peer that says nothing for too long is given up, after a second look", "[amqp][engine]") {
    EngineOptions options;
    options.idle_time_out = 10s;
    Bench bench{options};
    CHECK(bench.take_bytes().find(std::string_view{"\x70\x00\x00\x13\x88", 5}) != std::string::npos);  // half of it is told
    bench.open();
    bench.now += 10s;
    bench.engine.tick(bench.now);
    CHECK(bench.engine.is_open());
    bench.now += 99ms;
    bench.give(frame(0, std::string_view{}));
    bench.now += 10s;
    bench.engine.tick(bench.now);
    bench.now += 100ms;
    bench.engine.tick(bench.now);
    CHECK(bench.host.take() == Lines{"over: the peer is silent: nothing came for 10000 ms"});
    CHECK(bench.take().size() == 1);
}

// ---- faults ----

TEST_CASE("what is no frame ends the connection with a framing error", "[amqp][engine]") {
    const auto ended_by = [](std::string_view bytes) {
        EngineOptions options;
        options.max_frame_size = 1024;
        Bench bench{options};
        bench.open();
        bench.give(bytes);
        REQUIRE(bench.host.error);
        CHECK(bench.host.error->name() == "AMQP-PROTOCOL-ERROR");
        const Lines sent = bench.take();
        REQUIRE(sent.size() == 1);
        return sent.front();
    };
    CHECK(ended_by({"\0\0\0\7\2\0\0\0", 8}).find("framing-error") != std::string::npos);
    CHECK(ended_by({"\0\0\0\x08\1\0\0\0", 8}).find("framing-error") != std::string::npos);
    CHECK(ended_by({"\0\0\0\x08\3\0\0\0", 8}).find("framing-error") != std::string::npos);
    CHECK(ended_by({"\0\0\x04\1\2\0\0\0", 8}).find("framing-error") != std::string::npos);
    CHECK(ended_by({"\0\0\0\x08\2\1\0\0", 8}).find("framing-error") != std::string::npos);
    CHECK(ended_by(frame(0, std::string_view{"\0", 1})).find("decode-error") != std::string::npos);
    CHECK(ended_by(frame(0, std::string_view{"\0\x53\x14\xc0\x20\x05", 6})).find("decode-error") != std::string::npos);
    CHECK(ended_by(frame(3, Descriptor::flow, {u32(0), u32(0), u32(0), u32(0)})).find("not-allowed") != std::string::npos);
    CHECK(ended_by(frame(0, Descriptor::open, {str("again")})).find("illegal-state") != std::string::npos);
    CHECK(ended_by(frame(0, Descriptor::begin, {u16(8), u32(0), u32(0), u32(0)})).find("not-allowed") != std::string::npos);
}

TEST_CASE("a peer whose first frame is not open is told so", "[amqp][engine]") {
    Bench bench;
    bench.give(k_amqp_header + frame(0, Descriptor::begin, {{}, u32(0), u32(0), u32(0)}));
    CHECK(bench.host.error->message() == "the peer broke the protocol: the first frame is begin and not open");
}

TEST_CASE("a peer that goes without a word is told from one that was asked to", "[amqp][engine]") {
    Bench bench;
    SECTION("before the open") {
        bench.engine.received_end();
        CHECK(bench.host.take() == Lines{"over: the peer closed the connection before it had opened it"});
    }
    SECTION("after it") {
        bench.open();
        bench.engine.received_end();
        CHECK(bench.host.take() == Lines{"over: the peer closed the connection without a word"});
        CHECK(bench.host.error->retryable());
    }
    SECTION("after our close") {
        bench.open();
        bench.engine.close();
        bench.engine.received_end();
        CHECK(bench.host.take() == Lines{"over"});
    }
}
