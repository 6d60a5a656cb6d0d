// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <string_view>

#include "net/socks4.hpp"
#include "net/socks5.hpp"
#include "support/catch.hpp"
#include "support/proxy_talk.hpp"

using namespace qconn;
using namespace qconn::net;
using namespace qconn::test;
using namespace std::literals;

namespace {

Proxy proxy(Proxy::Kind kind, std::string username = {}, std::string_view password = {}) {
    Proxy made;
    made.kind = kind;
    made.host = "proxy.example";
    made.port = 1080;
    made.username = std::move(username);
    made.password = Secret{password};
    return made;
}

const Proxy k_socks4 = proxy(Proxy::Kind::socks4, "joe");
const Proxy k_socks4a = proxy(Proxy::Kind::socks4a);
const Proxy k_socks5 = proxy(Proxy::Kind::socks5);
const Proxy k_socks5h = proxy(Proxy::Kind::socks5h);
const Proxy k_closed = proxy(Proxy::Kind::socks5h, "joe", "canary-7");

const ProxyTarget k_name{"target.example", 443, std::nullopt};
const ProxyTarget k_ipv4{"target.example", 443, Address::literal("192.0.2.7")};

template <class Machine>
ProxyTalk tell(const Proxy& proxy, const ProxyTarget& target, std::string_view answer, std::size_t size = 1) {
    Machine machine{proxy, target};
    CHECK(machine.phase() == Phase::proxy);
    CHECK_FALSE(machine.wants_new_connection());
    return talk(machine, answer, size);
}

Reason reason_of(const ProxyTalk& talk) {
    REQUIRE(talk.step.want == Dialogue::Want::failed);
    REQUIRE(talk.step.error);
    CHECK(talk.step.error->phase() == Phase::proxy);
    CHECK(talk.step.error->name() == "PROXY-ERROR");
    const std::string text = talk.step.error->what();
    CHECK(text.find("proxy.example:1080") != std::string::npos);
    CHECK(text.find("canary-7") == std::string::npos);
    return talk.step.error->reason();
}

std::string text_of(const ProxyTalk& talk) { return talk.step.error ? std::string{talk.step.error->message()} : "ok"; }

}  // namespace

TEST_CASE("SOCKS4 sends the address of the target", "[net][socks]") {
    const auto size = GENERATE(1U, 3U, 100U);
    const auto done = tell<Socks4>(k_socks4, k_ipv4, "\0\x5A\0\0\0\0\0\0tunnel"sv, size);

    CHECK(done.step.want == Dialogue::Want::done);
    CHECK(done.rest == "tunnel");
    CHECK(done.sent == "\x04\x01\x01\xBB\xC0\0\x02\x07joe\0"sv);
}

TEST_CASE("SOCKS4a sends the name of the target, or its address where that is the name", "[net][socks]") {
    CHECK(tell<Socks4>(k_socks4a, k_name, "\0\x5A\0\0\0\0\0\0"sv).sent == "\x04\x01\x01\xBB\0\0\0\x01\0target.example\0"sv);
    CHECK(tell<Socks4>(k_socks4a, {"127.0.0.1", 80, {}}, {}).sent == "\x04\x01\0\x50\x7F\0\0\x01\0"sv);
}

TEST_CASE("what SOCKS4 cannot carry is not sent", "[net][socks]") {
    const auto nowhere = [](const Proxy& by, const ProxyTarget& target) {
        const auto refused = tell<Socks4>(by, target, {});
        CHECK(refused.sent.empty());
        return reason_of(refused);
    };
    CHECK(nowhere(k_socks4, k_name) == Reason::bad_value);
    CHECK(nowhere(k_socks4, {"h", 1, Address::literal("::1")}) == Reason::unsupported);
    CHECK(nowhere(k_socks4a, {"::1", 1, {}}) == Reason::unsupported);
    CHECK(nowhere(k_socks4a, {"", 1, {}}) == Reason::bad_value);
    CHECK(nowhere(k_socks4a, {std::string{"a\0b", 3}, 1, {}}) == Reason::bad_value);
    CHECK(nowhere(proxy(Proxy::Kind::socks4, std::string{"a\0b", 3}), k_ipv4) == Reason::bad_value);
}

TEST_CASE("refusals of a SOCKS4 proxy tell who is at fault", "[net][socks]") {
    CHECK(reason_of(tell<Socks4>(k_socks4, k_ipv4, "\0\x5B"sv)) == Reason::status);
    CHECK(reason_of(tell<Socks4>(k_socks4, k_ipv4, "\0\x5C\0\0\0\0\0\0"sv)) == Reason::denied);
    CHECK(reason_of(tell<Socks4>(k_socks4, k_ipv4, "\0\x5D\0\0\0\0\0\0"sv)) == Reason::denied);
    CHECK(reason_of(tell<Socks4>(k_socks4, k_ipv4, "\0\x01\0\0\0\0\0\0"sv)) == Reason::bad_answer);
    CHECK(reason_of(tell<Socks4>(k_socks4, k_ipv4, "HTTP/1.1 400 Bad Request\r\n"sv)) == Reason::bad_answer);
}

TEST_CASE("a SOCKS4 reply that ends at any byte is incomplete", "[net][socks]") {
    const auto reply = "\0\x5A\0\0\0\0\0\0"sv;
    for (std::size_t n = 0; n < reply.size(); ++n) CHECK(reason_of(tell<Socks4>(k_socks4, k_ipv4, reply.substr(0, n))) == Reason::closed);
}

TEST_CASE("SOCKS5 without a log-in", "[net][socks]") {
    const auto size = GENERATE(1U, 2U, 5U, 100U);
    const auto reply = GENERATE("\x05\0\0\x01\0\0\0\0\0\0"sv, "\x05\0\0\x03\x02hi\0\0"sv, "\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv);

    const auto done = tell<Socks5>(k_socks5h, k_name, "\x05\0"s + std::string{reply} + "tunnel", size);

    CHECK(done.step.want == Dialogue::Want::done);
    CHECK(done.rest == "tunnel");
    CHECK(done.sent == "\x05\x01\0"s + "\x05\x01\0\x03\x0Etarget.example\x01\xBB"s);
}

TEST_CASE("SOCKS5 sends an address where the name was looked up here, or is one", "[net][socks]") {
    const auto granted = "\x05\0\x05\0\0\x01\0\0\0\0\0\0"sv;
    CHECK(tell<Socks5>(k_socks5, k_ipv4, granted).sent == "\x05\x01\0\x05\x01\0\x01\xC0\0\x02\x07\x01\xBB"sv);
    CHECK(tell<Socks5>(k_socks5h, {"::1", 80, {}}, granted).sent == "\x05\x01\0\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50"sv);
}

TEST_CASE("SOCKS5 shows the log-in where the proxy chooses it, and not before", "[net][socks]") {
    const auto size = GENERATE(1U, 2U, 100U);
    const auto greeting = "\x05\x02\0\x02"s;
    const auto login =
        "\x01\x03joe\x08"
        "canary-7"s;
    const auto request = "\x05\x01\0\x03\x0Etarget.example\x01\xBB"s;

    const auto with = tell<Socks5>(k_closed, k_name, "\x05\x02\x01\0\x05\0\0\x01\0\0\0\0\0\0!"sv, size);
    CHECK(with.step.want == Dialogue::Want::done);
    CHECK(with.rest == "!");
    CHECK(with.sent == greeting + login + request);
    const auto without = tell<Socks5>(k_closed, k_name, "\x05\0\x05\0\0\x01\0\0\0\0\0\0"sv, size);
    CHECK(without.step.want == Dialogue::Want::done);
    CHECK(without.sent == greeting + request);
}

TEST_CASE("a refused SOCKS5 log-in is told from one that is wanted", "[net][socks]") {
    const auto wrong = tell<Socks5>(k_closed, k_name, "\x05\x02\x01\x01"sv);
    CHECK(reason_of(wrong) == Reason::denied);
    CHECK(text_of(wrong).find("refuses the user name or the password") != std::string::npos);
    const auto wanted = tell<Socks5>(k_socks5h, k_name, "\x05\xFF"sv);
    CHECK(reason_of(wanted) == Reason::denied);
    CHECK(text_of(wanted).find("wants a user name") != std::string::npos);
    const auto other = tell<Socks5>(k_closed, k_name, "\x05\xFF"sv);
    CHECK(reason_of(other) == Reason::denied);
    CHECK(text_of(other).find("none of the kinds of log-in") != std::string::npos);
    CHECK(reason_of(tell<Socks5>(k_socks5h, k_name, "\x05\x02"sv)) == Reason::denied);
    CHECK(reason_of(tell<Socks5>(k_closed, k_name, "\x05\x01"sv)) == Reason::bad_answer);
}

TEST_CASE("refusals of a SOCKS5 proxy tell who is at fault", "[net][socks]") {
    const auto [reply, reason] = GENERATE(table<char, Reason>({{'\x01', Reason::status},
                                                               {'\x02', Reason::permission},
                                                               {'\x03', Reason::unreachable},
                                                               {'\x04', Reason::unreachable},
                                                               {'\x05', Reason::refused},
                                                               {'\x06', Reason::timeout},
                                                               {'\x07', Reason::unsupported},
                                                               {'\x08', Reason::unsupported},
                                                               {'\x7F', Reason::status}}));
    const auto refused = tell<Socks5>(k_socks5h, k_name, "\x05\0\x05"s + reply);

    CHECK(reason_of(refused) == reason);
}

TEST_CASE("whatever is not SOCKS5 is told as that at each step", "[net][socks]") {
    for (const auto answer : {"HTTP/1.1 400 Bad Request\r\n"sv, "\x05\x02\x05\0"sv, "\x05\0\x04\0"sv, "\x05\0\x05\0\0\x05\0\0"sv}) {
        INFO(answer);
        CHECK(reason_of(tell<Socks5>(k_closed, k_name, answer)) == Reason::bad_answer);
    }
}

TEST_CASE("a SOCKS5 dialogue that ends at any byte is incomplete", "[net][socks]") {
    const auto answer = "\x05\x02\x01\0\x05\0\0\x03\x02hi\0\0"sv;
    for (std::size_t n = 0; n < answer.size(); ++n) CHECK(reason_of(tell<Socks5>(k_closed, k_name, answer.substr(0, n))) == Reason::closed);
}

TEST_CASE("what SOCKS5 cannot carry is not sent", "[net][socks]") {
    const std::string longest(255, 'a');
    const auto sent = [](const Proxy& by, const ProxyTarget& target) { return tell<Socks5>(by, target, {}).sent; };
    CHECK_FALSE(sent(k_socks5h, {longest, 1, {}}).empty());
    CHECK(sent(k_socks5h, {longest + 'a', 1, {}}).empty());
    CHECK(sent(k_socks5h, {"", 1, {}}).empty());
    CHECK_FALSE(sent(proxy(Proxy::Kind::socks5h, longest, longest), k_name).empty());
    CHECK(sent(proxy(Proxy::Kind::socks5h, longest + 'a', "x"), k_name).empty());
    CHECK(sent(proxy(Proxy::Kind::socks5h, "x", longest + 'a'), k_name).empty());
    CHECK(sent(proxy(Proxy::Kind::socks5h, "", "x"), k_name).empty());
}
