// SPDX-License-Identifier: Apache-2.0
#include "amqp/ping.hpp"

#include "support/catch.hpp"
#include "unit/amqp/engine_peer.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct Ping {
    explicit Ping(PingProof proof, bool log_in = true) {
        AmqpOptions options;
        options.hosts = {{"bus.example", 0}};
        options.container_id = "the-client";
        options.username = "edi";
        options.password = Secret{"secret"};
        if (!log_in) options.sasl = AmqpSasl::none;
        dialogue = make_amqp_ping(make_settings(std::move(options)), proof);
        CHECK(dialogue->begin(out).want == Dialogue::Want::read);
    }
    Dialogue::Step feed(std::string_view bytes, bool closed = false) {
        input += bytes;
        Dialogue::Step step = dialogue->feed(input, closed, out);
        input.erase(0, step.used);
        return step;
    }

    std::unique_ptr<Dialogue> dialogue;
    std::string input;
    std::string out;
};

std::string offers(const char* name) { return frame(0, Descriptor::sasl_mechanisms, {sym(name)}); }
std::string says(std::uint8_t code) { return frame(0, Descriptor::sasl_outcome, {encoded(AmqpValue{code})}); }
std::string opens() { return k_amqp_header + frame(0, Descriptor::open, {str("broker"), {}, u32(65'536)}); }
std::string closes() { return frame(0, Descriptor::close, {}); }
std::string begins() { return frame(0, Descriptor::begin, {u16(0), u32(0), u32(10), u32(10)}); }
std::string ends() { return frame(0, Descriptor::end, {}); }

const std::string k_logged_in = k_sasl_header + offers("PLAIN") + says(0);

}  // namespace

TEST_CASE("a ping logs in, opens and closes, and says who answered", "[amqp]") {
    Ping ping{PingProof::open};
    CHECK(ping.dialogue->awaited() == "the AMQP header");
    CHECK(ping.dialogue->phase() == Phase::protocol);
    CHECK(ping.feed(k_sasl_header).want == Dialogue::Want::read);
    CHECK(ping.dialogue->awaited() == "the answer to the log-in");
    CHECK(ping.dialogue->phase() == Phase::auth);
    CHECK(ping.feed(offers("PLAIN") + says(0)).want == Dialogue::Want::read);
    CHECK(ping.dialogue->awaited() == "the answer to the open");
    CHECK(ping.feed(opens()).want == Dialogue::Want::read);
    CHECK(ping.dialogue->awaited() == "the answer to the close");
    CHECK(ping.feed(closes()).want == Dialogue::Want::done);
    CHECK(ping.dialogue->evidence() == "opened by \"broker\", frames up to 65536 bytes");
    CHECK_FALSE(ping.dialogue->keeps_stream());
    CHECK(ping.out.find("the-client") == std::string::npos);
}

TEST_CASE("a full ping begins a session and ends it", "[amqp]") {
    Ping ping{PingProof::session, false};
    CHECK(ping.feed(opens()).want == Dialogue::Want::read);
    CHECK(ping.dialogue->awaited() == "the answer to the begin of a session");
    CHECK(ping.feed(begins()).want == Dialogue::Want::read);
    CHECK(ping.feed(ends()).want == Dialogue::Want::read);
    CHECK(ping.feed(closes()).want == Dialogue::Want::done);
    CHECK(ping.dialogue->evidence() == "opened by \"broker\", frames up to 65536 bytes; session begun and ended");
}

TEST_CASE("the same comes of a ping when each byte comes alone", "[amqp]") {
    Ping ping{PingProof::session};
    const std::string all = k_logged_in + opens() + begins() + ends() + closes();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) REQUIRE(ping.feed(all.substr(i, 1)).want == Dialogue::Want::read);
    CHECK(ping.feed(all.substr(all.size() - 1)).want == Dialogue::Want::done);
}

TEST_CASE("a ping that the peer cuts at any byte fails, until the close was sent", "[amqp]") {
    const std::string all = k_logged_in + opens();
    for (std::size_t i = 0; i < all.size(); ++i) {
        Ping ping{PingProof::open};
        const Dialogue::Step step = ping.feed(all.substr(0, i), true);
        CAPTURE(i);
        REQUIRE(step.want == Dialogue::Want::failed);
        CHECK(step.error->name() == "AMQP-CONNECTION-ERROR");
        CHECK(step.error->reason() == Reason::closed);
    }
    Ping ping{PingProof::open};
    CHECK(ping.feed(all, true).want == Dialogue::Want::done);  // without an answer to the close, as some do
}

TEST_CASE("a ping fails with the peer's words where it opens the connection and closes it at once", "[amqp]") {
    const std::string refusal = frame(0, Descriptor::close, {qconn::test::error_of("amqp:unauthorized-access", "not you")});
    for (const bool together : {true, false}) {
        Ping ping{PingProof::open};
        ping.feed(k_logged_in);
        Dialogue::Step step = ping.feed(together ? opens() + refusal : opens());
        if (!together) {
            REQUIRE(step.want == Dialogue::Want::read);
            step = ping.feed(refusal);
        }
        CAPTURE(together);
        REQUIRE(step.want == Dialogue::Want::failed);
        CHECK(step.error->name() == "AMQP-CONNECTION-ERROR");
        CHECK(step.error->reason() == Reason::permission);
        CHECK(step.error->message().find("amqp:unauthorized-access (not you)") != std::string_view::npos);
    }
}

TEST_CASE("a ping that is sent elsewhere fails as a redirect", "[amqp]") {
    Ping ping{PingProof::open, false};
    ping.feed(opens());
    const Dialogue::Step step = ping.feed(frame(0, Descriptor::close, {qconn::test::error_of("amqp:connection:redirect", "go there")}));
    REQUIRE(step.want == Dialogue::Want::failed);
    CHECK(step.error->name() == "AMQP-REDIRECT");
    CHECK(step.error->phase() == Phase::redirect);
}

TEST_CASE("a ping tells a refused log-in, and one that is not common to both", "[amqp]") {
    Ping wrong{PingProof::open};
    const Dialogue::Step refused = wrong.feed(k_sasl_header + offers("PLAIN") + says(1));
    REQUIRE(refused.want == Dialogue::Want::failed);
    CHECK(refused.error->name() == "AMQP-AUTH-ERROR");
    CHECK(refused.error->phase() == Phase::auth);
    CHECK(refused.error->reason() == Reason::denied);

    Ping foreign{PingProof::open};
    const Dialogue::Step step = foreign.feed(k_sasl_header + offers("GSSAPI"));
    REQUIRE(step.want == Dialogue::Want::failed);
    CHECK(step.error->phase() == Phase::auth);
    CHECK(step.error->message().find("GSSAPI") != std::string_view::npos);
}

TEST_CASE("a ping of something that speaks no AMQP says what it speaks", "[amqp]") {
    Ping http{PingProof::open};
    const Dialogue::Step step = http.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
    REQUIRE(step.want == Dialogue::Want::failed);
    CHECK(step.error->name() == "AMQP-CONNECTION-ERROR");
    CHECK(step.error->phase() == Phase::protocol);
    CHECK(step.error->reason() == Reason::bad_answer);

    Ping older{PingProof::open};
    const Dialogue::Step rabbit = older.feed({"AMQP\0\0\x09\1", 8});
    REQUIRE(rabbit.want == Dialogue::Want::failed);
    CHECK(rabbit.error->message().find("0-9-1") != std::string_view::npos);
}

TEST_CASE("a full ping fails where the peer will have no session", "[amqp]") {
    Ping ping{PingProof::session, false};
    ping.feed(opens());
    ping.feed(begins());
    ping.feed(frame(0, Descriptor::end, {qconn::test::error_of("amqp:not-allowed", "no sessions today")}));
    const Dialogue::Step step = ping.feed(closes());
    REQUIRE(step.want == Dialogue::Want::failed);
    CHECK(step.error->name() == "AMQP-SESSION-ERROR");
    CHECK(step.error->message().find("no sessions today") != std::string_view::npos);
}
