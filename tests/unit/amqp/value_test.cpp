// SPDX-License-Identifier: Apache-2.0
#include <qconn/amqp/amqp_value.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <qconn/base/error.hpp>

#include "support/catch.hpp"
#include "unit/amqp/bytes.hpp"

using namespace qconn;
using test::amqp_refusal;
using test::bytes;
using test::encoded;

namespace {

struct Form {
    std::string hex;
    AmqpValue value;
};

AmqpUuid a_uuid() { return *AmqpUuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"); }

/// The shortest form of each.
std::vector<Form> shortest_forms() {
    return {
        {"40", nullptr},
        {"41", true},
        {"42", false},
        {"50 00", std::uint8_t{0}},
        {"50 ff", std::uint8_t{255}},
        {"60 0000", std::uint16_t{0}},
        {"60 ffff", std::uint16_t{65535}},
        {"43", std::uint32_t{0}},
        {"52 01", std::uint32_t{1}},
        {"52 ff", std::uint32_t{255}},
        {"70 00000100", std::uint32_t{256}},
        {"70 ffffffff", std::uint32_t{4294967295}},
        {"44", std::uint64_t{0}},
        {"53 ff", std::uint64_t{255}},
        {"80 0000000000000100", std::uint64_t{256}},
        {"80 ffffffffffffffff", std::numeric_limits<std::uint64_t>::max()},
        {"51 80", std::int8_t{-128}},
        {"51 7f", std::int8_t{127}},
        {"61 8000", std::int16_t{-32768}},
        {"61 00ff", std::int16_t{255}},
        {"54 00", std::int32_t{0}},
        {"54 80", std::int32_t{-128}},
        {"54 7f", std::int32_t{127}},
        {"71 ffffff7f", std::int32_t{-129}},
        {"71 00000080", std::int32_t{128}},
        {"71 80000000", std::numeric_limits<std::int32_t>::min()},
        {"55 ff", std::int64_t{-1}},
        {"81 0000000000000080", std::int64_t{128}},
        {"81 8000000000000000", std::numeric_limits<std::int64_t>::min()},
        {"72 3fc00000", 1.5F},
        {"72 80000000", -0.0F},
        {"82 3ff8000000000000", 1.5},
        {"82 fff0000000000000", -std::numeric_limits<double>::infinity()},
        {"74 01020304", AmqpDecimal32{{1, 2, 3, 4}}},
        {"84 0102030405060708", AmqpDecimal64{{1, 2, 3, 4, 5, 6, 7, 8}}},
        {"94 0102030405060708090a0b0c0d0e0f10", AmqpDecimal128{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}},
        {"73 00000041", U'A'},
        {"73 0010ffff", char32_t{0x10ffff}},
        {"83 00000141e4a252a5", AmqpTimestamp{1382520345253}},
        {"83 ffffffffffffffff", AmqpTimestamp{-1}},
        {"98 f81d4fae7dec11d0a76500a0c91e6bf6", a_uuid()},
        {"a0 00", AmqpBinary{}},
        {"a0 03 00ff80", AmqpBinary{bytes("00ff80")}},
        {"a1 00", ""},
        {"a1 0d 48656c6c6f20476c6f727021 21", "Hello Glorp!!"},
        {"a1 04 c3bc 0a 00", std::string{"ü\n\0", 4}},
        {"a3 05 71756575 65", AmqpSymbol{"queue"}},
        {"45", AmqpList{}},
        {"c0 05 03 54 01 40 41", AmqpList{1, nullptr, true}},
        {"c1 01 00", AmqpMap{}},
        {"c1 07 02 a3 01 61 a1 01 62", AmqpMap{{AmqpSymbol{"a"}, "b"}}},
        {"e0 02 00 40", AmqpArray{}},
        {"e0 02 00 70", AmqpArray{AmqpType::uint_, {}}},
        {"e0 0a 02 70 00000001 00000002", AmqpArray{AmqpType::uint_, {std::uint32_t{1}, std::uint32_t{2}}}},
        {"00 53 77 a1 01 78", AmqpDescribed{std::uint64_t{0x77}, "x"}},
        {"00 a3 03 613a62 45", AmqpDescribed{AmqpSymbol{"a:b"}, AmqpList{}}},
    };
}

/// Longer ones, of values that have a shorter one.
std::vector<Form> longer_forms() {
    return {
        {"56 01", true},
        {"56 00", false},
        {"52 00", std::uint32_t{0}},
        {"70 00000000", std::uint32_t{0}},
        {"53 00", std::uint64_t{0}},
        {"80 0000000000000007", std::uint64_t{7}},
        {"71 fffffffe", std::int32_t{-2}},
        {"81 fffffffffffffffe", std::int64_t{-2}},
        {"b0 00000001 00", AmqpBinary{bytes("00")}},
        {"b1 00000001 78", "x"},
        {"b3 00000001 78", AmqpSymbol{"x"}},
        {"c0 01 00", AmqpList{}},
        {"d0 00000004 00000000", AmqpList{}},
        {"d0 00000006 00000001 54 05", AmqpList{5}},
        {"d1 00000004 00000000", AmqpMap{}},
        {"d1 00000006 00000002 40 41", AmqpMap{{nullptr, true}}},
        {"f0 00000005 00000000 40", AmqpArray{}},
        {"e0 01 00", AmqpArray{}},
        {"f0 00000006 00000001 50 09", AmqpArray{AmqpType::ubyte, {std::uint8_t{9}}}},
        {"00 80 0000000000000077 40", AmqpDescribed{std::uint64_t{0x77}, nullptr}},
        {"00 b3 00000001 78 40", AmqpDescribed{AmqpSymbol{"x"}, nullptr}},
    };
}

std::vector<Form> all_forms() {
    std::vector<Form> all = shortest_forms();
    for (Form& form : longer_forms()) all.push_back(std::move(form));
    return all;
}

std::string refused(std::string_view hex, const AmqpLimits& limits = {}) {
    return amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(bytes(hex), limits); });
}

std::string not_sent(const AmqpValue& value) {
    return amqp_refusal(AmqpErrc::encode, [&] { encoded(value); });
}

}  // namespace

TEST_CASE("each type is written in its shortest form", "[amqp]") {
    for (const Form& form : shortest_forms()) {
        INFO(form.hex << " " << to_string(form.value.type()));
        CHECK(text::to_hex(encoded(form.value)) == text::to_hex(bytes(form.hex)));
    }
}

TEST_CASE("each type is read in each of its forms", "[amqp]") {
    for (const Form& form : all_forms()) {
        INFO(form.hex);
        const AmqpValue read = AmqpValue::decode(bytes(form.hex));
        CHECK(read.type() == form.value.type());
        CHECK(read == form.value);
    }
}

TEST_CASE("a value that is cut off anywhere is refused, and so is one with something behind it", "[amqp]") {
    for (const Form& form : all_forms()) {
        INFO(form.hex);
        const std::string whole = bytes(form.hex);
        for (std::size_t n = 0; n < whole.size(); ++n) {
            test::in_own_block(std::string_view{whole}.substr(0, n),
                               [](std::string_view cut) { amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(cut); }); });
        }
        amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(whole + "\x40"); });
    }
}

TEST_CASE("values with lengths around 255 choose the width that holds them", "[amqp]") {
    for (const std::size_t size : {0U, 1U, 254U, 255U, 256U, 70000U}) {
        const std::string text(size, 'x');
        for (const AmqpValue& value : {AmqpValue{text}, AmqpValue{AmqpSymbol{text}}, AmqpValue{AmqpBinary{text}}}) {
            const std::string out = encoded(value);
            CHECK(out.size() == size + (size <= 255 ? 2 : 5));
            CHECK(AmqpValue::decode(out) == value);
        }
        const AmqpValue list = AmqpList(size, AmqpValue{true});
        CHECK(encoded(list).size() == (size == 0 ? 1 : size + (size <= 254 ? 3 : 9)));
        CHECK(AmqpValue::decode(encoded(list)) == list);
        const AmqpValue inner = AmqpList{AmqpMap{{AmqpSymbol{"key"}, text}}, 7};
        CHECK(AmqpValue::decode(encoded(inner)) == inner);
    }
}

TEST_CASE("arrays of every type come back", "[amqp]") {
    const AmqpList some_texts{"a", std::string(300, 'b'), ""};
    const std::vector<AmqpArray> arrays{
        {AmqpType::null, {nullptr, nullptr}},
        {AmqpType::boolean, {true, false}},
        {AmqpType::int_, {1, -70000}},
        {AmqpType::long_, {std::int64_t{1}}},
        {AmqpType::float_, {1.5F}},
        {AmqpType::char_, {U'a', U'ü'}},
        {AmqpType::timestamp, {AmqpTimestamp{5}}},
        {AmqpType::uuid, {a_uuid()}},
        {AmqpType::string, some_texts},
        {AmqpType::symbol, {AmqpSymbol{"a"}, AmqpSymbol{"bc"}}},
        {AmqpType::binary, {AmqpBinary{"x"}}},
        {AmqpType::list, {AmqpList{1, "two"}, AmqpList{}}},
        {AmqpType::map, {AmqpMap{{"k", 1}}, AmqpMap{}}},
        {AmqpType::array, {AmqpArray{AmqpType::int_, {1}}, AmqpArray{AmqpType::string, {"x"}}, AmqpArray{}}},
        {AmqpType::described, {AmqpDescribed{AmqpSymbol{"d"}, 1}, AmqpDescribed{AmqpSymbol{"d"}, 2}}},
        {AmqpType::described,
         {AmqpDescribed{AmqpSymbol{"outer"}, AmqpDescribed{std::uint64_t{1}, "a"}},
          AmqpDescribed{AmqpSymbol{"outer"}, AmqpDescribed{std::uint64_t{1}, "b"}}}},
        {AmqpType::described, {}},
    };
    for (const AmqpArray& array : arrays) {
        INFO(to_string(array.element));
        const std::string out = encoded(array);
        CHECK(AmqpValue::decode(out) == AmqpValue{array});
        CHECK(AmqpValue::decode(encoded(AmqpList{array, array})) == AmqpValue{AmqpList{array, array}});
    }
    CHECK(text::to_hex(encoded(AmqpArray{AmqpType::symbol, {AmqpSymbol{"a"}, AmqpSymbol{"bc"}}})) ==
          "e00702a3016102"
          "6263");
    CHECK(text::to_hex(encoded(AmqpArray{AmqpType::boolean, {true, false}})) == "e00402560100");
}

TEST_CASE("elements of arrays that take no bytes are read", "[amqp]") {
    CHECK(AmqpValue::decode(bytes("e0 02 03 41")) == AmqpValue{AmqpArray{AmqpType::boolean, {true, true, true}}});
    CHECK(AmqpValue::decode(bytes("e0 02 02 43")) == AmqpValue{AmqpArray{AmqpType::uint_, {std::uint32_t{0}, std::uint32_t{0}}}});
    CHECK(AmqpValue::decode(bytes("e0 02 02 45")) == AmqpValue{AmqpArray{AmqpType::list, {AmqpList{}, AmqpList{}}}});
    CHECK(AmqpValue::decode(bytes("e0 04 02 52 01 02")) == AmqpValue{AmqpArray{AmqpType::uint_, {std::uint32_t{1}, std::uint32_t{2}}}});
}

TEST_CASE("described values can be in each other, in descriptors too", "[amqp]") {
    const AmqpValue value =
        AmqpDescribed{AmqpDescribed{AmqpSymbol{"of"}, AmqpSymbol{"descriptor"}}, AmqpDescribed{std::uint64_t{1}, AmqpList{AmqpDescribed{"x", 1}}}};
    CHECK(AmqpValue::decode(encoded(value)) == value);
}

TEST_CASE("a few bytes do not become many values", "[amqp]") {
    CHECK_THAT(refused("f0 00000005 ffffffff 40"), Catch::Matchers::Contains("limit on elements"));
    CHECK_THAT(refused("f0 00000005 000f4000 40"), Catch::Matchers::Contains("take no bytes"));
    CHECK_THAT(refused("f0 00000005 000f4000 70"), Catch::Matchers::Contains("more elements than there are bytes"));
    CHECK_THAT(refused("d0 00000004 000f4000"), Catch::Matchers::Contains("more elements than there are bytes"));
    CHECK_THAT(refused("d1 00000004 000f4000"), Catch::Matchers::Contains("more elements than there are bytes"));
    // A descriptor of 1000 bytes for each of 60000 nulls.
    const std::string name(1000, 'x');
    const std::string array = bytes("f0 000003f3 0000ea60 00 b3 000003e8") + name + bytes("40");
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(array); }), Catch::Matchers::Contains("a descriptor that is too long"));
    // A descriptor of 100 nulls for each of 60000.
    const std::string many = bytes("f0 0000006d 0000ea60 00 c0 65 64") + std::string(100, '\x40') + bytes("40");
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(many); }), Catch::Matchers::Contains("limit on elements"));
}

TEST_CASE("limits are those that were asked for", "[amqp]") {
    AmqpValue nested;
    for (int i = 0; i < 4; ++i) nested = i % 2 == 0 ? AmqpValue{AmqpList{nested}} : AmqpValue{AmqpDescribed{AmqpSymbol{"d"}, nested}};
    const std::string four = encoded(nested);
    CHECK(AmqpValue::decode(four, {.depth = 4}) == nested);
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(four, {.depth = 3}); }), Catch::Matchers::Contains("limit on depth"));

    const AmqpValue six = AmqpList{1, AmqpMap{{1, 2}}, AmqpArray{AmqpType::int_, {1}}};
    CHECK(AmqpValue::decode(encoded(six), {.elements = 6}) == six);
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(encoded(six), {.elements = 5}); }),
               Catch::Matchers::Contains("limit on elements"));

    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += std::string("\x00\x40", 2);
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(deep + "\x40"); }), Catch::Matchers::Contains("limit on depth"));
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::decode(std::string(100'000, '\0')); }), Catch::Matchers::Contains("limit on depth"));
}

TEST_CASE("what is wrong is said with its place", "[amqp]") {
    CHECK(refused("") == "the bytes are no AMQP value: at byte 0: a value is missing");
    CHECK(refused("c0 04 02 41 57 00") == "the bytes are no AMQP value: at byte 5: a constructor that does not exist");
    CHECK(refused("41 40") == "the bytes are no AMQP value: at byte 1: there is something behind it");
    CHECK(refused("c0 04 01 a1 01 ff") == "the bytes are no AMQP value: at byte 5: a string is not UTF-8");
    CHECK_THAT(refused("a3 01 80"), Catch::Matchers::Contains("a symbol is not ASCII"));
    CHECK_THAT(refused("a1 03 eda080"), Catch::Matchers::Contains("a string is not UTF-8"));
    CHECK_THAT(refused("73 0000d800"), Catch::Matchers::Contains("a char is no character"));
    CHECK_THAT(refused("73 00110000"), Catch::Matchers::Contains("a char is no character"));
    CHECK_THAT(refused("56 02"), Catch::Matchers::Contains("a boolean is neither 0 nor 1"));
    CHECK_THAT(refused("c1 02 01 40"), Catch::Matchers::Contains("a map has a key without a value"));
    CHECK_THAT(refused("c0 03 01 40 40"), Catch::Matchers::Contains("a list has more bytes than its elements"));
    CHECK_THAT(refused("c1 04 02 40 40 40"), Catch::Matchers::Contains("a map has more bytes than its elements"));
    CHECK_THAT(refused("e0 04 01 50 01 02"), Catch::Matchers::Contains("an array has more bytes than its elements"));
    CHECK_THAT(refused("e0 02 00 57"), Catch::Matchers::Contains("a constructor that does not exist"));
    CHECK_THAT(refused("c0 00"), Catch::Matchers::Contains("cut off"));
}

TEST_CASE("what AMQP cannot have is not sent, and nothing of it stays in the buffer", "[amqp]") {
    CHECK_THAT(not_sent(std::string{"ab\xff"}), Catch::Matchers::Contains("not UTF-8 from byte 2"));
    CHECK_THAT(not_sent(AmqpSymbol{"ü"}), Catch::Matchers::Contains("symbols are ASCII"));
    CHECK_THAT(not_sent(char32_t{0xd800}), Catch::Matchers::Contains("no character"));
    CHECK_THAT(not_sent(AmqpArray{AmqpType::int_, {1, "x"}}), Catch::Matchers::Contains("several types"));
    CHECK_THAT(not_sent(AmqpArray{AmqpType::string, {1}}), Catch::Matchers::Contains("an element of the type int"));
    CHECK_THAT(not_sent(AmqpArray{AmqpType::described, {AmqpDescribed{"a", 1}, AmqpDescribed{"b", 1}}}),
               Catch::Matchers::Contains("several descriptors"));
    std::string buffer = "before";
    CHECK_THROWS_AS((AmqpValue{AmqpList{1, AmqpSymbol{"ü"}}}.encode(buffer)), Error);
    CHECK(buffer == "before");
}

TEST_CASE("values are equal type by type", "[amqp]") {
    CHECK_FALSE(AmqpValue{1} == AmqpValue{std::int64_t{1}});
    CHECK_FALSE(AmqpValue{"a"} == AmqpValue{AmqpSymbol{"a"}});
    CHECK(AmqpValue{std::nan("")} == AmqpValue{std::nan("")});
    CHECK_FALSE(AmqpValue{std::nan("1")} == AmqpValue{std::nan("2")});
    CHECK_FALSE(AmqpValue{AmqpMap{{1, 2}, {3, 4}}} == AmqpValue{AmqpMap{{3, 4}, {1, 2}}});
    CHECK(AmqpDescribed{} == AmqpDescribed{nullptr, nullptr});
    AmqpDescribed moved{"a", 1};
    const AmqpDescribed copy = moved;
    const AmqpDescribed taken = std::move(moved);
    CHECK(taken == copy);
    CHECK(taken.descriptor() == AmqpValue{"a"});
}

TEST_CASE("integers, texts and entries are had whatever their width", "[amqp]") {
    CHECK(AmqpValue{std::uint8_t{200}}.integer() == 200);
    CHECK(AmqpValue{std::int64_t{-5}}.integer() == -5);
    CHECK(AmqpValue{std::uint64_t{5}}.integer() == 5);
    CHECK_FALSE(AmqpValue{std::numeric_limits<std::uint64_t>::max()}.integer());
    CHECK_FALSE(AmqpValue{true}.integer());
    CHECK_FALSE(AmqpValue{U'a'}.integer());
    CHECK_FALSE(AmqpValue{1.0}.integer());
    CHECK(AmqpValue{"t"}.text() == "t");
    CHECK(AmqpValue{AmqpSymbol{"s"}}.text() == "s");
    CHECK_FALSE(AmqpValue{AmqpBinary{"b"}}.text());
    const AmqpValue map = AmqpMap{{1, 2}, {AmqpSymbol{"s"}, 3}, {"t", 4}};
    REQUIRE(map.find("t") != nullptr);
    CHECK(*map.find("t") == AmqpValue{4});
    CHECK(*map.find("s") == AmqpValue{3});
    CHECK(map.find("u") == nullptr);
    CHECK(AmqpValue{1}.find("t") == nullptr);
}

TEST_CASE("a UUID is read with hyphens and without, in either case", "[amqp]") {
    const auto uuid = AmqpUuid::parse("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6");
    REQUIRE(uuid);
    CHECK(uuid->text() == "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    CHECK(AmqpUuid::parse("f81d4fae7dec11d0a76500a0c91e6bf6") == uuid);
    CHECK_FALSE(AmqpUuid::parse(""));
    CHECK_FALSE(AmqpUuid::parse("f81d4fae7dec11d0a76500a0c91e6bf"));
    CHECK_FALSE(AmqpUuid::parse("f81d4fae7-dec-11d0-a765-00a0c91e6bf6"));
    CHECK_FALSE(AmqpUuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bfg"));
    const AmqpUuid one = AmqpUuid::random();
    CHECK_FALSE(one == AmqpUuid::random());
    CHECK(one.text()[14] == '4');
    CHECK(std::string{"89ab"}.find(one.text()[19]) != std::string::npos);
}

TEST_CASE("values become those of the library, and come from them", "[amqp]") {
    CHECK(AmqpValue{}.to_value().is_null());
    CHECK(AmqpValue{std::uint8_t{7}}.to_value() == Value{7});
    CHECK(AmqpValue{std::numeric_limits<std::uint64_t>::max()}.to_value() == Value{std::numeric_limits<std::uint64_t>::max()});
    CHECK(AmqpValue{1.5F}.to_value() == Value{1.5});
    CHECK(AmqpValue{U'ü'}.to_value() == Value{"ü"});
    CHECK(AmqpValue{a_uuid()}.to_value() == Value{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"});
    CHECK(AmqpValue{AmqpSymbol{"s"}}.to_value() == Value{"s"});
    CHECK(AmqpValue{AmqpDecimal32{{1, 2, 3, 4}}}.to_value() == Value::binary("\1\2\3\4"));
    CHECK(AmqpValue{AmqpTimestamp{-1}}.to_value() == Value{Timestamp{-1, 999'000'000}});
    CHECK(AmqpValue{AmqpMap{{"a", 1}, {AmqpSymbol{"b"}, 2}}}.to_value() == Value{Map{{"a", 1}, {"b", 2}}});
    CHECK(AmqpValue{AmqpMap{{"a", 1}, {AmqpSymbol{"a"}, 2}}}.to_value() == Value{List{Value{List{"a", 1}}, Value{List{"a", 2}}}});
    CHECK(AmqpValue{AmqpMap{{5, "x"}}}.to_value() == Value{List{Value{List{5, "x"}}}});
    CHECK(AmqpValue{AmqpArray{AmqpType::int_, {1, 2}}}.to_value() == Value{List{1, 2}});
    CHECK(AmqpValue{AmqpDescribed{AmqpSymbol{"n:t"}, 1}}.to_value() == Value::tagged("n:t", 1));
    CHECK(AmqpValue{AmqpDescribed{std::uint64_t{37}, 1}}.to_value() == Value::tagged("37", 1));

    const Value value{Map{{"n", nullptr},
                          {"b", true},
                          {"i", -5},
                          {"u", std::numeric_limits<std::uint64_t>::max()},
                          {"d", 1.5},
                          {"s", "text"},
                          {"x", Value::binary("\1")},
                          {"t", Timestamp{5, 7'000'000}},
                          {"l", List{1, "two"}},
                          {"m", Map{{"k", 1}}},
                          {"g", Value::tagged("n:t", 1)},
                          {"h", Value::tagged("37", 1)}}};
    const AmqpValue made = AmqpValue::from_value(value);
    CHECK(made.to_value() == value);
    CHECK(*made.find("i") == AmqpValue{std::int64_t{-5}});
    CHECK(made.find("h")->get_if<AmqpDescribed>()->descriptor() == AmqpValue{std::uint64_t{37}});
    CHECK(made.find("g")->get_if<AmqpDescribed>()->descriptor() == AmqpValue{AmqpSymbol{"n:t"}});
    CHECK(AmqpValue::from_value(Value::tagged("007", 1)).get_if<AmqpDescribed>()->descriptor() == AmqpValue{AmqpSymbol{"007"}});

    amqp_refusal(AmqpErrc::encode, [] { AmqpValue::from_value(Value::decimal("1.23456789012345678901")); });
    amqp_refusal(AmqpErrc::encode, [] { AmqpValue::from_value(Duration{}); });
    amqp_refusal(AmqpErrc::encode, [] { AmqpValue::from_value(Timestamp{std::numeric_limits<std::int64_t>::max()}); });
}

TEST_CASE("a map deep in maps with keys that are no texts takes no time", "[amqp]") {
    AmqpValue nested = 1;
    for (int i = 0; i < 60; ++i) nested = AmqpMap{{"inner", nested}, {5, 6}};
    CHECK(nested.to_value().is_list());
}

TEST_CASE("types have the names of the specification", "[amqp]") {
    CHECK(to_string(AmqpType::null) == "null");
    CHECK(to_string(AmqpType::ushort_) == "ushort");
    CHECK(to_string(AmqpType::decimal128) == "decimal128");
    CHECK(to_string(AmqpType::char_) == "char");
    CHECK(to_string(AmqpType::array) == "array");
    CHECK(to_string(AmqpType::described) == "described");
}
