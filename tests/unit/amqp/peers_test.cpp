// SPDX-License-Identifier: Apache-2.0
// What other libraries encode: tests/data/amqp has it, with the programs that made it.
#include <fstream>
#include <string>
#include <vector>

#include <qconn/amqp/amqp_message.hpp>

#include "amqp/message_view.hpp"
#include "support/catch.hpp"
#include "unit/amqp/bytes.hpp"

using namespace qconn;
using test::bytes;
using test::encoded;

namespace {

std::vector<std::vector<std::string>> lines_of(const std::string& peer) {
    std::vector<std::vector<std::string>> out;
    std::ifstream in{QCONN_TESTS_DIR "/data/amqp/" + peer + ".txt"};
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        auto& fields = out.emplace_back();
        for (const std::string_view field : text::split(line, '\t')) fields.emplace_back(field);
    }
    return out;
}

AmqpMessage message_of(const std::string& peer, std::string_view name) {
    for (const auto& line : lines_of(peer))
        if (line[0] == "message" && line[1] == name) return AmqpMessage::decode(bytes(line[2]));
    FAIL("there is no such message");
    return {};
}

}  // namespace

TEST_CASE("values that other libraries have encoded are what they were made of", "[amqp]") {
    for (const char* peer : {"proton", "rhea"}) {
        std::size_t count = 0;
        for (const auto& line : lines_of(peer)) {
            if (line[0] != "value") continue;
            INFO(peer << ": " << line[1] << " " << line[2]);
            ++count;
            const AmqpValue value = AmqpValue::decode(bytes(line[1]));
            CHECK(value == AmqpValue::from_json(line[2]));
            // Those write lists, maps and arrays in full width; the rest is the same to the byte.
            if (value.type() < AmqpType::list)
                CHECK(text::to_hex(encoded(value)) == line[1]);
            else
                CHECK(2 * encoded(value).size() <= line[1].size());
        }
        CHECK(count > 20);
    }
}

TEST_CASE("messages that other libraries have encoded are read, and read again as the same", "[amqp]") {
    for (const char* peer : {"proton", "rhea"}) {
        std::size_t count = 0;
        for (const auto& line : lines_of(peer)) {
            if (line[0] != "message") continue;
            INFO(peer << ": " << line[1]);
            ++count;
            const std::string all = bytes(line[2]);
            const AmqpMessage message = AmqpMessage::decode(all);
            std::string again;
            message.encode(again);
            CHECK(AmqpMessage::decode(again) == message);
            const amqp::MessageView view{all};
            CHECK(view.ok());
            CHECK(view.text() == message.text());
            CHECK(view.properties() == message.properties);
        }
        CHECK(count >= 4);
    }
}

TEST_CASE("each field of a message of another library is in its place", "[amqp]") {
    for (const char* peer : {"proton", "rhea"}) {
        INFO(peer);
        const AmqpMessage message = message_of(peer, "full");
        CHECK(message.text() == "Hello");
        REQUIRE(message.header);
        CHECK(message.header == AmqpHeader{true, 9, std::chrono::milliseconds{5000}, true, 3});
        CHECK(message.delivery_annotations == AmqpMap{{AmqpSymbol{"x-opt-d"}, 1}});
        CHECK(message.message_annotations == AmqpMap{{AmqpSymbol{"x-opt-m"}, "m"}});
        REQUIRE(message.properties);
        CHECK(message.properties->message_id == AmqpValue{"id-1"});
        CHECK(message.properties->user_id == AmqpBinary{"user"});
        CHECK(message.properties->to == "to");
        CHECK(message.properties->subject == "subject");
        CHECK(message.properties->reply_to == "reply-to");
        CHECK(message.properties->correlation_id == AmqpValue{std::uint64_t{77}});
        CHECK(message.properties->content_type == AmqpSymbol{"text/plain"});
        CHECK(message.properties->content_encoding == AmqpSymbol{"gzip"});
        CHECK(message.properties->absolute_expiry_time == AmqpTimestamp{1000});
        CHECK(message.properties->creation_time == AmqpTimestamp{2000});
        CHECK(message.properties->group_id == "group");
        CHECK(message.properties->group_sequence == 7U);
        CHECK(message.properties->reply_to_group_id == "reply-group");
        CHECK(message.application_properties == AmqpMap{{"a", 1}});
    }
    CHECK(message_of("proton", "data").body == decltype(AmqpMessage::body){AmqpData{{std::string{"\0\xff", 2}}}});
    CHECK(message_of("proton", "sequence").body == decltype(AmqpMessage::body){AmqpSequence{{AmqpList{1, "two"}}}});
    CHECK(message_of("rhea", "data").body == decltype(AmqpMessage::body){AmqpData{{"one", "two"}}});
    CHECK(message_of("rhea", "sequence").body == decltype(AmqpMessage::body){AmqpSequence{{AmqpList{"a"}, AmqpList{"b", "c"}}}});
}
