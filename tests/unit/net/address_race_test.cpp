// SPDX-License-Identifier: Apache-2.0
#include "net/address_race.hpp"

#include <cerrno>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::net;
using namespace std::chrono_literals;

namespace {

Address at(std::string_view text, std::uint16_t port = 80) {
    auto address = Address::literal(text).value();
    address.set_port(port);
    return address;
}

const Clock::time_point k_start{1000s};

AddressRace two() { return AddressRace{{at("::1"), at("127.0.0.1")}}; }

}  // namespace

TEST_CASE("address literals are recognised and shown with brackets where they need them", "[net][address]") {
    CHECK(at("127.0.0.1", 8080).to_string() == "127.0.0.1:8080");
    CHECK(at("2001:db8::1", 443).to_string() == "[2001:db8::1]:443");
    CHECK_FALSE(Address::literal("localhost"));
    CHECK_FALSE(Address::literal("127.1"));
    CHECK_FALSE(Address::literal("1.2.3.4.5"));
    CHECK_FALSE(Address::literal(""));
    CHECK_FALSE(Address::literal(std::string_view{"127.0.0.1\0x", 11}));
    CHECK(authority("host", 1) == "host:1");
    CHECK(authority("::1", 1) == "[::1]:1");
}

TEST_CASE("families take turns, beginning with the first", "[net][address]") {
    const std::vector<Address> found{at("::1"), at("::2"), at("::3"), at("10.0.0.1"), at("10.0.0.2")};

    const auto order = interleaved(found);

    REQUIRE(order.size() == 5);
    CHECK(order[0] == at("::1"));
    CHECK(order[1] == at("10.0.0.1"));
    CHECK(order[2] == at("::2"));
    CHECK(order[3] == at("10.0.0.2"));
    CHECK(order[4] == at("::3"));
}

TEST_CASE("the next address is tried when the last has been silent for a while", "[net][race]") {
    auto race = two();

    CHECK(race.next(k_start) == 0U);
    CHECK_FALSE(race.next(k_start));
    CHECK(race.wake() == Deadline{k_start + AddressRace::k_stagger});
    CHECK_FALSE(race.next(k_start + AddressRace::k_stagger - 1ms));
    CHECK(race.next(k_start + AddressRace::k_stagger) == 1U);
    CHECK(race.wake().is_never());
    CHECK_FALSE(race.is_lost());
}

TEST_CASE("the next address is tried at once when the last has failed", "[net][race]") {
    auto race = two();
    REQUIRE(race.next(k_start) == 0U);

    race.failed(0, ECONNREFUSED);

    CHECK(race.next(k_start) == 1U);
    CHECK_FALSE(race.next(k_start + 10s));
    race.failed(1, ECONNREFUSED);
    CHECK(race.is_lost());
    CHECK(race.report() == "[::1]:80: Connection refused, 127.0.0.1:80: Connection refused");
    CHECK(race.reason() == Reason::refused);
}

TEST_CASE("an address that answers late is still in the race", "[net][race]") {
    auto race = two();
    REQUIRE(race.next(k_start) == 0U);
    REQUIRE(race.next(k_start + 1s) == 1U);

    race.failed(1, ENETUNREACH);

    CHECK_FALSE(race.is_lost());
    CHECK(race.report() == "[::1]:80: no answer, 127.0.0.1:80: Network is unreachable");
}

TEST_CASE("one reason stands for all failures", "[net][race]") {
    struct Case {
        int first, second;
        Reason reason;
    };
    const auto c = GENERATE(Case{ENETUNREACH, ECONNREFUSED, Reason::refused}, Case{ECONNREFUSED, ENETUNREACH, Reason::refused},
                            Case{EADDRNOTAVAIL, ECONNREFUSED, Reason::refused}, Case{EADDRNOTAVAIL, EADDRNOTAVAIL, Reason::local},
                            Case{ECONNREFUSED, EMFILE, Reason::local}, Case{ETIMEDOUT, ENETUNREACH, Reason::timeout},
                            Case{EADDRNOTAVAIL, ENETUNREACH, Reason::local}, Case{EHOSTUNREACH, ENETUNREACH, Reason::unreachable});
    auto race = two();
    REQUIRE(race.next(k_start) == 0U);
    race.failed(0, c.first);
    REQUIRE(race.next(k_start) == 1U);
    race.failed(1, c.second);

    CHECK(race.reason() == c.reason);
}

TEST_CASE("no address at all is a lost race", "[net][race]") {
    AddressRace race{std::vector<Address>{}};

    CHECK_FALSE(race.next(k_start));
    CHECK(race.is_lost());
    CHECK(race.wake().is_never());
}
