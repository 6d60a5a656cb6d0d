// SPDX-License-Identifier: Apache-2.0
#include "amqp/outbox.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace qconn::amqp;

namespace {

std::vector<std::string> left(Outbox& outbox) {
    std::vector<std::string> out;
    outbox.each([&](const Outbox::Entry& entry) { out.push_back(std::string{entry.bytes} + (entry.again ? " again" : "")); });
    return out;
}

}  // namespace

TEST_CASE("messages are sent in their order and end in any", "[amqp][outbox]") {
    Outbox outbox;
    const std::uint64_t a = outbox.push("a", false, 11).number;
    const std::uint64_t b = outbox.push("bb", false, 12).number;
    const std::uint64_t c = outbox.push("ccc", false, 13).number;
    CHECK(outbox.bytes() == 6);
    CHECK(outbox.unsent()->bytes == "a");
    outbox.sent();
    CHECK(outbox.unsent()->token == 12);
    outbox.sent();
    CHECK(outbox.waiting() == 1);
    outbox.erase(b);
    outbox.erase(b);
    CHECK(outbox.find(b) == nullptr);
    CHECK(outbox.find(a)->bytes == "a");
    CHECK(outbox.unsent()->number == c);
    outbox.erase(c);
    CHECK(outbox.unsent() == nullptr);
    CHECK(outbox.waiting() == 0);
    CHECK(left(outbox) == std::vector<std::string>{"a"});
}

TEST_CASE("what was sent and not settled is sent again, in its order", "[amqp][outbox]") {
    Outbox outbox;
    for (const char* const text : {"a", "b", "c", "d"}) outbox.push(text, false, 0);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(outbox.unsent() != nullptr);
        outbox.sent();
    }
    outbox.erase(2);
    outbox.rewind();
    CHECK(left(outbox) == std::vector<std::string>{"a again", "c again", "d"});
    std::string order;
    while (const Outbox::Entry* const entry = outbox.unsent()) {
        order += entry->bytes;
        outbox.sent();
    }
    CHECK(order == "acd");
}

TEST_CASE("a message that waits for ever holds one block, whatever passes it", "[amqp][outbox]") {
    Outbox outbox;
    const std::uint64_t stuck = outbox.push("stuck", false, 0).number;
    REQUIRE(outbox.unsent() != nullptr);
    outbox.sent();
    const std::string message(1000, 'm');
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t number = outbox.push(message, false, 0).number;
        REQUIRE(outbox.unsent()->number == number);
        outbox.sent();
        if (i >= 10) outbox.erase(number - 10);
    }
    CHECK(outbox.find(stuck)->bytes == "stuck");
    CHECK(outbox.held() <= 4 * 64 * 1024);
    CHECK(outbox.slots() <= 256);
    CHECK(outbox.size() == 11);
}

TEST_CASE("a message larger than a block has one of its own", "[amqp][outbox]") {
    Outbox outbox;
    const std::string large(1'000'000, 'l');
    const std::uint64_t number = outbox.push(large, false, 0).number;
    outbox.push("small", false, 0);
    CHECK(outbox.find(number)->bytes == large);
    outbox.erase(number);
    CHECK(outbox.held() <= 2 * 64 * 1024);
    CHECK(outbox.unsent()->bytes == "small");
}
