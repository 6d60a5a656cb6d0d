// SPDX-License-Identifier: Apache-2.0
#include <qconn/amqp/amqp_message.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "amqp/message_view.hpp"
#include "support/catch.hpp"
#include "unit/amqp/bytes.hpp"

using namespace qconn;
using test::encoded;
using namespace std::chrono_literals;
using amqp::MessageView;
using test::amqp_refusal;
using test::bytes;

namespace {

/// With every section, and all fields.
AmqpMessage full() {
    AmqpMessage message = AmqpMessage::of_value(AmqpMap{{"k", 1}});
    message.header = AmqpHeader{true, 9, 5000ms, true, 3};
    message.delivery_annotations = {{AmqpSymbol{"x-opt-d"}, 1}};
    message.message_annotations = {{AmqpSymbol{"x-opt-m"}, AmqpList{1, 2}}, {std::uint64_t{7}, "x"}};
    AmqpProperties& p = message.properties.emplace();
    p.message_id = "id-1";
    p.user_id = AmqpBinary{"user"};
    p.to = "to";
    p.subject = "subject";
    p.reply_to = "reply-to";
    p.correlation_id = std::uint64_t{77};
    p.content_type = AmqpSymbol{"text/plain"};
    p.content_encoding = AmqpSymbol{"gzip"};
    p.absolute_expiry_time = AmqpTimestamp{1};
    p.creation_time = AmqpTimestamp{-1};
    p.group_id = "group";
    p.group_sequence = 4294967295;
    p.reply_to_group_id = "reply-group";
    message.application_properties = {{"a", 1}, {"b", AmqpDescribed{AmqpSymbol{"d"}, "x"}}, {"c", nullptr}};
    message.footer = {{AmqpSymbol{"crc"}, std::uint32_t{5}}};
    return message;
}

std::string message_refused(std::string_view all) {
    MessageView view{all};
    const std::string why = amqp_refusal(AmqpErrc::decode, [&] { AmqpMessage::decode(all); });
    // What the view says of sections is what decoding says.
    if (!view.ok()) CHECK_THAT(why, Catch::Matchers::Contains("at byte " + std::to_string(view.fault_offset()) + ": " + view.fault()));
    return why;
}

std::string message_not_sent(const AmqpMessage& message) {
    std::string buffer = "before";
    const std::string why = amqp_refusal(AmqpErrc::encode, [&] { message.encode(buffer); });
    CHECK(buffer == "before");
    return why;
}

}  // namespace

TEST_CASE("a text is a message of one section", "[amqp]") {
    const AmqpMessage message = AmqpMessage::of_text("hello");
    CHECK(text::to_hex(encoded(message)) == "005377a10568656c6c6f");
    CHECK(message.text() == "hello");
    CHECK(AmqpMessage::decode(encoded(message)) == message);
    for (const std::size_t size : {0U, 255U, 256U, 100'000U}) {
        const AmqpMessage one = AmqpMessage::of_text(std::string(size, 'x'));
        CHECK(AmqpMessage::decode(encoded(one)) == one);
        CHECK(MessageView{encoded(one)}.text().size() == size);
    }
}

TEST_CASE("bytes are a data section", "[amqp]") {
    const AmqpMessage message = AmqpMessage::of_bytes(bytes("00ff"));
    CHECK(text::to_hex(encoded(message)) == "005375a00200ff");
    CHECK(message.text() == bytes("00ff"));
    CHECK(AmqpMessage::decode(encoded(message)) == message);
}

TEST_CASE("a header tells what is not as by default", "[amqp]") {
    AmqpMessage message = AmqpMessage::of_text("x");
    message.header.emplace();
    CHECK(text::to_hex(encoded(message)) == "00537045005377a10178");
    message.header->priority = 5;
    CHECK(text::to_hex(encoded(message)) ==
          "005370c0040240"
          "5005"
          "005377a10178");
    message.header->durable = true;
    message.header->priority = 4;
    message.header->ttl = 0ms;
    CHECK(text::to_hex(encoded(message)) ==
          "005370c004034140"
          "43"
          "005377a10178");
    CHECK(AmqpMessage::decode(encoded(message)) == message);
}

TEST_CASE("all sections and fields come back", "[amqp]") {
    for (const auto& body : std::vector<decltype(AmqpMessage::body)>{std::monostate{}, AmqpValue{}, AmqpValue{AmqpDescribed{AmqpSymbol{"d"}, "x"}},
                                                                     AmqpValue{"text"}, AmqpData{{"one"}}, AmqpData{{"one", "", "three"}},
                                                                     AmqpSequence{{AmqpList{1, "a"}}}, AmqpSequence{{AmqpList{}, AmqpList{1}}}}) {
        AmqpMessage message = full();
        message.body = body;
        const std::string all = encoded(message);

        CHECK(AmqpMessage::decode(all) == message);
        const MessageView view{all};
        REQUIRE(view.ok());
        CHECK(view.text() == message.text());
        CHECK(view.header() == message.header);
        CHECK(view.properties() == message.properties);
        CHECK(view.message() == message);
        std::string_view id;
        CHECK(amqp::get_text(view.message_id(), amqp::code::k_str8, id));
        CHECK(id == "id-1");
        std::uint64_t number = 0;
        CHECK(amqp::get_ulong(view.correlation_id(), number));
        CHECK(number == 77);
        CHECK(AmqpValue::decode(view.encoded(amqp::section::k_footer)) == AmqpValue{message.footer});
        CHECK(view.raw(amqp::section::k_message_annotations).count == 4);
    }
}

TEST_CASE("ids of messages are of four types", "[amqp]") {
    for (const AmqpValue& id : {AmqpValue{"s"}, AmqpValue{AmqpBinary{"b"}}, AmqpValue{std::uint64_t{0}}, AmqpValue{AmqpUuid{}}}) {
        AmqpMessage message = AmqpMessage::of_text("x");
        message.properties.emplace().message_id = id;
        message.properties->correlation_id = id;
        CHECK(AmqpMessage::decode(encoded(message)) == message);
    }
    AmqpMessage message = AmqpMessage::of_text("x");
    message.properties.emplace().message_id = 5;
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("its message-id is of the type int"));
    message.properties->message_id = nullptr;
    message.properties->correlation_id = AmqpSymbol{"s"};
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("its correlation-id is of the type symbol"));
}

TEST_CASE("what a message cannot have is not sent", "[amqp]") {
    AmqpMessage message = AmqpMessage::of_text("x");
    message.header.emplace().ttl = -1ms;
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("time to live is -1 ms"));
    message.header->ttl = 4294967296ms;
    message_not_sent(message);
    message.header->ttl = 4294967295ms;
    CHECK(AmqpMessage::decode(encoded(message)) == message);

    message = AmqpMessage::of_text("x");
    message.message_annotations = {{"string", 1}};
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("message annotations is of the type string"));
    message = AmqpMessage::of_text("x");
    message.footer = {{1, 1}};
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("footer is of the type int"));
    message = AmqpMessage::of_text("x");
    message.application_properties = {{AmqpSymbol{"s"}, 1}};
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("application properties is of the type symbol"));
    message.application_properties = {{"a", AmqpDescribed{"d", AmqpList{}}}};
    CHECK_THAT(message_not_sent(message), Catch::Matchers::Contains("\"a\" is a list, map or array"));
    CHECK_THAT(message_not_sent(AmqpMessage::of_text("\xff")), Catch::Matchers::Contains("not UTF-8"));
    message = AmqpMessage::of_text("x");
    message.properties.emplace().to = "\xff";
    message_not_sent(message);
    message.properties.emplace().content_type = AmqpSymbol{"ü"};
    message_not_sent(message);
}

TEST_CASE("sections are known by name too", "[amqp]") {
    const auto named = [](std::string_view name) { return bytes("00 a3") + static_cast<char>(name.size()) + std::string{name}; };
    const std::string all = named("amqp:header:list") + bytes("c0 02 01 41") + named("amqp:properties:list") + bytes("c0 04 01 a1 01 69") +
                            bytes("00 80 0000000000000077 a1 01 78") + named("amqp:footer:map") + bytes("c1 01 00");
    const AmqpMessage message = AmqpMessage::decode(all);
    CHECK(message.header->durable);
    CHECK(message.properties->message_id == AmqpValue{"i"});
    CHECK(message.text() == "x");
    CHECK(MessageView{all}.text() == "x");
}

TEST_CASE("sections in another order, twice, or of other kinds are refused", "[amqp]") {
    const std::string header = bytes("00 53 70 45");
    const std::string properties = bytes("00 53 73 45");
    const std::string text = bytes("00 53 77 a1 01 78");
    const std::string data = bytes("00 53 75 a0 01 78");
    const std::string sequence = bytes("00 53 76 45");
    const std::string footer = bytes("00 53 78 c1 01 00");
    CHECK_THAT(message_refused(properties + header + text),
               Catch::Matchers::Contains("at byte 7: a section that comes twice, or behind one that follows it"));
    CHECK_THAT(message_refused(header + header + text), Catch::Matchers::Contains("comes twice"));
    CHECK_THAT(message_refused(text + text), Catch::Matchers::Contains("comes twice"));
    CHECK_THAT(message_refused(footer + text), Catch::Matchers::Contains("behind one that follows it"));
    CHECK_THAT(message_refused(data + text), Catch::Matchers::Contains("a body of several kinds"));
    CHECK_THAT(message_refused(data + sequence), Catch::Matchers::Contains("a body of several kinds"));
    CHECK_THAT(message_refused(sequence + text), Catch::Matchers::Contains("a body of several kinds"));
    CHECK_THAT(message_refused(text + bytes("00 53 79 45")), Catch::Matchers::Contains("a section that does not exist"));
    CHECK_THAT(message_refused(text + bytes("00 53 6f 45")), Catch::Matchers::Contains("a section that does not exist"));
    CHECK_THAT(message_refused(bytes("a1 01 78")), Catch::Matchers::Contains("a described value was to be here"));
    CHECK_THAT(message_refused(bytes("00 53 70 c1 01 00")), Catch::Matchers::Contains("another type than its own"));
    CHECK_THAT(message_refused(bytes("00 53 75 a1 01 78")), Catch::Matchers::Contains("another type than its own"));
    CHECK_THAT(message_refused(bytes("00 53 72 45")), Catch::Matchers::Contains("another type than its own"));
    CHECK_THAT(message_refused(bytes("00 53 75 00 53 01 a0 01 78")), Catch::Matchers::Contains("another type than its own"));
    CHECK(AmqpMessage::decode(data + data + footer).body == decltype(AmqpMessage::body){AmqpData{{"x", "x"}}});
    CHECK(MessageView{data + data}.text().empty());
    CHECK(AmqpMessage::decode({}) == AmqpMessage{});
}

TEST_CASE("fields of other types are refused, with their place", "[amqp]") {
    CHECK(message_refused(bytes("00 53 70 c0 03 02 41 41")) ==
          "the bytes are no AMQP message: at byte 7: the header: a field of another type than its own");
    CHECK_THAT(message_refused(bytes("00 53 73 c0 03 01 54 01")), Catch::Matchers::Contains("at byte 6: the properties: a field of another type"));
    CHECK_THAT(message_refused(bytes("00 53 73 c0 06 01 00 53 01 53 01")), Catch::Matchers::Contains("a field of another type"));
    CHECK_THAT(message_refused(bytes("00 53 73 c0 02 02 40")), Catch::Matchers::Contains("a value is missing"));
    CHECK_THAT(message_refused(bytes("00 53 73 c0 03 01 40 40")), Catch::Matchers::Contains("more bytes than its elements"));
    CHECK_THAT(message_refused(bytes("00 53 73 c0 06 03 40 40 a1 01 ff")),
               Catch::Matchers::Contains("at byte 10: the properties: a string is not UTF-8"));
    CHECK_THAT(message_refused(bytes("00 53 77 a1 01 ff")), Catch::Matchers::Contains("at byte 5: a string is not UTF-8"));
    CHECK_FALSE(MessageView{bytes("00 53 77 a1 01 ff")}.ok());
    amqp_refusal(AmqpErrc::decode, [] { MessageView{bytes("00 53 70 c0 03 02 41 41")}.header(); });
    amqp_refusal(AmqpErrc::decode, [] { MessageView{bytes("00 53 73 c0 03 01 54 01")}.properties(); });
}

TEST_CASE("peers that mean well are understood", "[amqp]") {
    // Strings for symbols and the other way round, and one field more than there is.
    const std::string properties = bytes("00 53 73 c0 15 07 40 40 a3 01 74 40 40 40 a1 0a 746578742f706c61696e");
    CHECK(AmqpMessage::decode(properties).properties->to == "t");
    CHECK(AmqpMessage::decode(properties).properties->content_type == AmqpSymbol{"text/plain"});
    CHECK(AmqpMessage::decode(bytes("00 53 70 c0 08 06 41 40 40 40 40 a1 00")).header->durable);
    // Annotations and application properties are kept as they came.
    const AmqpMessage message = AmqpMessage::decode(bytes("00 53 72 c1 05 02 a1 01 6b 41 00 53 74 c1 05 02 a1 01 6b 45"));
    CHECK(message.message_annotations == AmqpMap{{"k", true}});
    CHECK(message.application_properties == AmqpMap{{"k", AmqpList{}}});
}

TEST_CASE("a message that is cut off is refused, or is one with fewer sections", "[amqp]") {
    const AmqpMessage message = full();
    const std::string all = encoded(message);
    std::size_t whole = 0;
    for (std::size_t n = 0; n < all.size(); ++n) {
        test::in_own_block(std::string_view{all}.substr(0, n), [&](std::string_view cut) {
            const MessageView view{cut};
            try {
                const AmqpMessage part = AmqpMessage::decode(cut);
                CHECK(view.ok());
                ++whole;
            } catch (const Error& error) { CHECK(error.code() == make_error_code(AmqpErrc::decode)); }
            view.text();
            view.message_id();
            view.encoded(amqp::section::k_value);
        });
    }
    CHECK(whole == 7);
}

TEST_CASE("limits hold for all sections of a message together", "[amqp]") {
    const std::string all = encoded(full());
    CHECK_NOTHROW(AmqpMessage::decode(all, {.elements = 18}));
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpMessage::decode(all, {.elements = 17}); }), Catch::Matchers::Contains("limit on elements"));
    CHECK_THAT(amqp_refusal(AmqpErrc::decode, [&] { AmqpMessage::decode(all, {.depth = 1}); }), Catch::Matchers::Contains("limit on depth"));
}

TEST_CASE("a view of what is not there has nothing", "[amqp]") {
    const std::string all = bytes("00 53 77 a1 01 78");
    const MessageView view{all};
    CHECK(view.message_id().is_null());
    CHECK(view.raw(amqp::section::k_properties).is_null());
    CHECK(view.encoded(amqp::section::k_footer).empty());
    CHECK(view.encoded(0).empty());
    CHECK(view.body() == amqp::section::k_value);
    CHECK_FALSE(view.header());
    CHECK_FALSE(view.properties());
    CHECK(MessageView{{}}.ok());
    CHECK(MessageView{{}}.body() == 0);
    const std::string unnamed = bytes("00 53 73 45");
    CHECK(MessageView{unnamed}.message_id().is_null());
    CHECK(MessageView{unnamed}.properties() == AmqpProperties{});
}
