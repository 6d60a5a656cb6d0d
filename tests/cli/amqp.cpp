// SPDX-License-Identifier: Apache-2.0
// What the tool sends and receives by AMQP 1.0.
#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn::test;

namespace {

std::string with_error(const Outcome& outcome) { return outcome.out + outcome.err; }

}  // namespace

TEST_CASE("messages of AMQP are sent and received, with all that they have", "[amqp][integration]") {
    const Server server{"rhea"};
    const Estate estate;
    estate.add("bus", "amqp://qconntest:Passw0rd-1@" + server.address());
    const Outcome sent =
        estate.run({"call", "bus", "send", "orders", "hello there", "message-id=17", "correlation-id=abc", "subject=order", "content-type=text/plain",
                    "durable=true", "ttl=60000", "priority=7", "reply-to=back", "app.region=north", "app.count=3"});
    INFO(with_error(sent) + server.log());
    CHECK(sent.code == 0);

    const Outcome received = estate.run({"call", "bus", "receive", "orders", "--json"});
    INFO(with_error(received));
    CHECK(received.code == 0);
    for (const char* part : {R"("body": "hello there")", R"("type": "string")", R"("message-id": 17)", R"("correlation-id": "abc")",
                             R"("subject": "order")", R"("content-type": "text/plain")", R"("durable": true)", R"("ttl": 60000)", R"("priority": 7)",
                             R"("reply-to": "back")", R"("region": "north")", R"("count": 3)"}) {
        CAPTURE(part);
        CHECK(has(received.out, part));
    }
}

TEST_CASE("bodies of every kind go out by the tool as what they are named", "[amqp][integration]") {
    const Server server{"proton"};
    const Estate estate;
    estate.add("bus", "amqp://" + server.address() + "/kinds");
    struct Body {
        const char* type;
        const char* text;
        const char* seen;  // in the server's words
    };
    for (const Body& one : {Body{"string", "17", R"("body": ["string", "17"])"}, Body{"int", "-17", R"("body": ["int", -17])"},
                            Body{"ulong", "17", R"("body": ["ulong", 17])"}, Body{"double", "1.5", R"("body": ["double", 1.5])"},
                            Body{"boolean", "true", R"("body": ["boolean", true])"}, Body{"symbol", "red", R"("body": ["symbol", "red"])"},
                            Body{"binary", "00ff", R"("body": ["binary", "00ff"])"}, Body{"data", "some text", "736f6d652074657874"},
                            Body{"uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
                            Body{"value", "[1]", R"("body": ["list", [["long", 1]]])"},
                            Body{"json", R"({"type":"map","value":["a",{"type":"ubyte","value":3}]})", R"(["ubyte", 3])"}}) {
        const Outcome sent = estate.run({"call", "bus", "send", one.text, std::string{"type="} + one.type});
        INFO(one.type << ": " << with_error(sent) << server.log());
        CHECK(sent.code == 0);
        CHECK(has(server.log(), one.seen));
    }
    const Outcome received = estate.run({"call", "bus", "receive", "count=20", "timeout=500", "--json"});
    INFO(with_error(received));
    CHECK(received.code == 0);
    CHECK(has(received.out, R"("type": "ulong")"));
    CHECK(has(received.out, R"("body": "some text")"));

    const Outcome bad = estate.run({"call", "bus", "send", "300", "type=ubyte"});
    CHECK(bad.code == 1);
    CHECK(has(bad.err, "AMQP-DECODE-ERROR"));
}

TEST_CASE("the tool tells what became of a message, and gives the outcome that it is told", "[amqp][integration]") {
    const Server server{"proton"};
    const Estate estate;
    estate.add("bus", "amqp://" + server.address());
    const Outcome rejected = estate.run({"call", "bus", "send", "reject", "x"});
    CHECK(rejected.code == 1);
    CHECK(has(rejected.err, "AMQP-DELIVERY-ERROR"));
    CHECK(has(rejected.err, "the message does not please"));
    CHECK(estate.run({"call", "bus", "send", "reject", "x", "settled=true"}).code == 0);  // nobody says what became of it
    const Outcome refused = estate.run({"call", "bus", "send", "refused", "x"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "amqp:not-found"));

    for (const char* word : {"one", "two"}) CHECK(estate.run({"call", "bus", "send", "inbox", word}).code == 0);
    CHECK(has(estate.run({"call", "bus", "fetch", "inbox", "outcome=released"}).out, "one"));
    const Outcome taken = estate.run({"call", "bus", "fetch", "inbox", "outcome=rejected", "condition=example:old", "description=too late"});
    INFO(with_error(taken) + server.log());
    CHECK(has(taken.out, "one"));
    CHECK(has(server.log(), "example:old"));
    CHECK(has(server.log(), "too late"));
    const Outcome rest = estate.run({"call", "bus", "receive", "inbox", "count=5", "timeout=500"});
    CHECK(rest.code == 0);
    CHECK(has(rest.out, "two"));
    CHECK_FALSE(has(rest.out, "one"));
    const Outcome none = estate.run({"call", "bus", "fetch", "inbox", "timeout=300"});
    CHECK(none.code == 1);
    CHECK(has(none.err, "AMQP-RECEIVE-ERROR"));
}

TEST_CASE("requests of AMQP are replied to, at a node that the peer makes", "[amqp][integration]") {
    const Server server{"rhea"};
    const Estate estate;
    estate.add("bus", "amqp://qconntest:Passw0rd-1@" + server.address() + "/echo");
    const Outcome asked = estate.run({"call", "bus", "request", "are you there", "message-id=q1"});
    INFO(with_error(asked));
    CHECK(asked.code == 0);
    CHECK(has(asked.out, "are you there"));
    CHECK(has(asked.out, "q1"));
    const Outcome seen = estate.run({"call", "bus", "request", "are you there", "--verbose"});
    INFO(with_error(seen));
    CHECK(has(seen.err, "> [0] open "));
    CHECK(has(seen.err, "< [0] begin "));
    CHECK(has(seen.err, " transfer "));
    CHECK_FALSE(has(seen.err, "Passw0rd-1"));
    CHECK_FALSE(has(seen.err, "nothing was sent over HTTP"));
    const Outcome nobody = estate.run({"call", "bus", "request", "void", "hello", "timeout=1000"});
    CHECK(nobody.code == 1);
    CHECK(has(nobody.err, "AMQP-REQUEST-REPLY-TIMEOUT"));
}

TEST_CASE("the tool asks an AMQP peer what it is, and refuses what it cannot say to it", "[amqp][integration]") {
    const Server server{"proton"};
    const Estate estate;
    estate.add("bus", "amqp://" + server.address());
    const Outcome info = estate.run({"call", "bus", "info"});
    INFO(with_error(info));
    CHECK(info.code == 0);
    CHECK(has(info.out, "container-id"));
    CHECK(estate.run({"call", "bus", "links"}).code == 0);
    const Outcome typo = estate.run({"call", "bus", "send", "a", "b", "mesage-id=1"});
    CHECK(typo.code != 0);
    CHECK(has(typo.err, "mesage-id"));
    const Outcome no_address = estate.run({"call", "bus", "send", "hello"});
    CHECK(no_address.code != 0);
    CHECK(has(no_address.err, "address"));
    CHECK(estate.run({"call", "bus", "receive", "a", "outcome=lost"}).code != 0);
    CHECK(estate.run({"ping", "bus"}).code == 0);
}
