// SPDX-License-Identifier: Apache-2.0
#include "amqp/wire.hpp"

#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "unit/amqp/bytes.hpp"

using namespace qconn;
using namespace qconn::amqp;
using test::bytes;

TEST_CASE("fields that are absent at the end are left out, others are null", "[amqp]") {
    std::string all;
    Fields three{all, 0x70};
    put_boolean(three.next(), true);
    three.absent();
    put_uint(three.next(), 300);
    three.close();
    CHECK(text::to_hex(all) ==
          "005370c0080341"
          "40"
          "700000012c");

    std::string cut;
    Fields first{cut, 0x70};
    put_boolean(first.next(), true);
    first.absent();
    first.absent();
    first.close();
    CHECK(text::to_hex(cut) == "005370c0020141");

    std::string none;
    Fields empty{none, 0x24};
    empty.absent();
    empty.close();
    CHECK(text::to_hex(none) == "00532445");

    std::string wide;
    Fields large{wide, 0x10};
    large.absent();
    put_string(large.next(), std::string(300, 'x'));
    large.close();
    CHECK(text::to_hex(wide.substr(0, 18)) ==
          "005310d00000013600000002"
          "40"
          "b10000012c");
    CHECK(wide.size() == 12 + 1 + 5 + 300);
}

TEST_CASE("a value is looked at where it lies", "[amqp]") {
    const std::string buffer = bytes("a1 02 6869 c0 03 02 41 42 00 53 24 45 52 05");
    Reader reader{buffer};
    Raw raw;
    REQUIRE(reader.read(raw));
    std::string_view text;
    CHECK(get_text(raw, code::k_str8, text));
    CHECK(text == "hi");
    CHECK_FALSE(get_text(raw, code::k_sym8, text));
    REQUIRE(reader.read(raw));
    CHECK(raw.is_list());
    CHECK(raw.count == 2);
    CHECK(text::to_hex(raw.body) == "4142");
    REQUIRE(reader.read(raw));
    CHECK(raw.is_list());
    CHECK(descriptor_code(raw.descriptor) == 0x24);
    REQUIRE(reader.read(raw));
    CHECK(raw.descriptor.empty());
    std::uint32_t number = 0;
    CHECK(get_uint(raw, number));
    CHECK(number == 5);
    CHECK(reader.at_end());
    CHECK_FALSE(reader.read(raw));
    CHECK(reader.fault() != nullptr);
}

TEST_CASE("of descriptors in each other the outermost is kept, and what they describe is found", "[amqp]") {
    // ((a b) is described by 1, and describes (2, 5)): 00 [00 53 01 a3 01 61] 00 53 02 52 05
    const std::string buffer = bytes("00 00 53 01 a3 01 61 00 53 02 52 05");
    Reader reader{buffer};
    Raw raw;
    REQUIRE(reader.read(raw));
    std::uint32_t number = 0;
    CHECK(get_uint(raw, number));
    CHECK(number == 5);
    CHECK(text::to_hex(raw.descriptor) == "005301a30161");
    CHECK(reader.at_end());

    Reader again{buffer};
    std::string_view descriptor;
    REQUIRE(again.read_descriptor(descriptor));
    CHECK(text::to_hex(descriptor) == "005301a30161");
    REQUIRE(again.read(raw));
    CHECK(descriptor_code(raw.descriptor) == 2);

    Reader plain{std::string_view{buffer}.substr(10)};
    CHECK_FALSE(plain.read_descriptor(descriptor));
}

TEST_CASE("descriptors without end are a fault, not recursion", "[amqp]") {
    Raw raw;
    for (const std::string& endless : {std::string(100'000, '\0'), [] {
                                           std::string out;
                                           for (int i = 0; i < 50'000; ++i) out += bytes("00 40");
                                           return out;
                                       }()}) {
        Reader reader{endless};
        CHECK_FALSE(reader.read(raw));
        CHECK(std::string_view{reader.fault()} == "too many descriptors of one value");
        CHECK_FALSE(reader.read(raw));
    }
}

TEST_CASE("a reader never goes beyond the end", "[amqp]") {
    for (const char* hex : {"a1 02 6869", "b0 00000002 0102", "c0 03 02 41 42", "d1 00000006 00000002 41 42", "e0 03 01 50 07", "00 53 24 c0 01 00",
                            "00 a3 01 61 80 0102030405060708", "94 0102030405060708090a0b0c0d0e0f10"}) {
        const std::string whole = bytes(hex);
        for (std::size_t n = 0; n < whole.size(); ++n)
            test::in_own_block(std::string_view{whole}.substr(0, n), [&](std::string_view cut) {
                INFO(hex << " " << n);
                Reader reader{cut};
                Raw raw;
                CHECK_FALSE(reader.read(raw));
                CHECK(reader.offset() <= cut.size());
            });
    }
}

TEST_CASE("descriptors are known by number and by name", "[amqp]") {
    CHECK(descriptor_code(bytes("53 70")) == 0x70);
    CHECK(descriptor_code(bytes("80 0000000000000070")) == 0x70);
    CHECK(descriptor_code(bytes("44")) == 0);
    CHECK(descriptor_code(bytes("a3 10") + "amqp:header:list") == 0x70);
    CHECK(descriptor_code(bytes("b3 00000010") + "amqp:header:list") == 0x70);
    CHECK(descriptor_code(bytes("a1 10") + "amqp:header:list") == 0);
    CHECK(descriptor_code(bytes("a3 03") + "x:y") == 0);
    CHECK(descriptor_code(bytes("a3 10 61")) == 0);
    CHECK(descriptor_code({}) == 0);
}
