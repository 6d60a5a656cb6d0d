// SPDX-License-Identifier: Apache-2.0
#include <qconn/amqp/amqp_message.hpp>

#include <qconn/base/error.hpp>

#include "amqp/amqp_error.hpp"
#include "amqp/message_fields.hpp"
#include "amqp/message_view.hpp"
#include "amqp/value_codec.hpp"

namespace qconn {

namespace {

[[noreturn]] void refuse_message(std::string_view why) { throw amqp::amqp_error(AmqpErrc::encode, "a message cannot be sent: " + std::string{why}); }

/// Whether it is no list, map or array, however described.
bool is_simple(const AmqpValue& value) noexcept {
    const AmqpValue* at = &value;
    while (const auto* const described = at->get_if<AmqpDescribed>()) at = &described->value();
    return at->type() < AmqpType::list;
}

void put_annotations(std::string& to, std::uint8_t code, const AmqpMap& map, std::string_view name) {
    if (map.empty()) return;
    for (const auto& [key, value] : map)
        if (key.type() != AmqpType::symbol && key.type() != AmqpType::ulong_)
            refuse_message("a key of its " + std::string{name} + " is of the type " + std::string{to_string(key.type())} +
                           ", and may be a symbol or a ulong");
    amqp::put_descriptor(to, code);
    amqp::put_map(to, map);
}

void put_application_properties(std::string& to, const AmqpMap& map) {
    if (map.empty()) return;
    for (const auto& [key, value] : map) {
        if (key.type() != AmqpType::string)
            refuse_message("a key of its application properties is of the type " + std::string{to_string(key.type())} + ", and may be a string");
        if (!is_simple(value))
            refuse_message("the application property \"" + std::string{*key.text()} + "\" is a list, map or array, which it cannot be");
    }
    amqp::put_descriptor(to, amqp::section::k_application_properties);
    amqp::put_map(to, map);
}

/// A string as the body, which most messages have: its head at once.
void put_text(std::string& to, std::string_view text) {
    amqp::check_string(text);
    if (text.size() > 0xff) {
        amqp::put_descriptor(to, amqp::section::k_value);
        return amqp::put_string(to, text);
    }
    const char head[5]{'\0', static_cast<char>(amqp::code::k_smallulong), static_cast<char>(amqp::section::k_value),
                       static_cast<char>(amqp::code::k_str8), static_cast<char>(text.size())};
    to.append(head, sizeof head).append(text);
}

void put_sections(std::string& to, const AmqpMessage& message) {
    namespace section = amqp::section;
    if (message.header) amqp::put_header(to, *message.header);
    put_annotations(to, section::k_delivery_annotations, message.delivery_annotations, "delivery annotations");
    put_annotations(to, section::k_message_annotations, message.message_annotations, "message annotations");
    if (message.properties) amqp::put_properties(to, *message.properties);
    put_application_properties(to, message.application_properties);
    if (const auto* const value = std::get_if<AmqpValue>(&message.body)) {
        if (const auto* const text = value->get_if<std::string>()) {
            put_text(to, *text);
        } else {
            amqp::put_descriptor(to, section::k_value);
            amqp::put_value(to, *value);
        }
    } else if (const auto* const data = std::get_if<AmqpData>(&message.body)) {
        for (const std::string& bytes : data->sections) {
            amqp::put_descriptor(to, section::k_data);
            amqp::put_binary(to, bytes);
        }
    } else if (const auto* const sequence = std::get_if<AmqpSequence>(&message.body)) {
        for (const AmqpList& list : sequence->sections) {
            amqp::put_descriptor(to, section::k_sequence);
            amqp::put_list(to, list);
        }
    }
    put_annotations(to, section::k_footer, message.footer, "footer");
}

/// Puts one section into a message.
bool take_section(AmqpMessage& out, const amqp::Section& one, amqp::ValueDecoder& values, std::string_view bytes) {
    namespace section = amqp::section;
    switch (one.code) {
        case section::k_header: out.header = amqp::read_header(one.raw, bytes); return true;
        case section::k_delivery_annotations: return values.map(one.raw, out.delivery_annotations);
        case section::k_message_annotations: return values.map(one.raw, out.message_annotations);
        case section::k_properties: out.properties = amqp::read_properties(one.raw, bytes); return true;
        case section::k_application_properties: return values.map(one.raw, out.application_properties);
        case section::k_data: {
            auto* data = std::get_if<AmqpData>(&out.body);
            if (data == nullptr) data = &out.body.emplace<AmqpData>();
            data->sections.emplace_back(one.raw.body);
            return true;
        }
        case section::k_sequence: {
            auto* sequence = std::get_if<AmqpSequence>(&out.body);
            if (sequence == nullptr) sequence = &out.body.emplace<AmqpSequence>();
            return values.list(one.raw, sequence->sections.emplace_back());
        }
        case section::k_value: {
            amqp::Reader from{one.value};
            return values.value(from, out.body.emplace<AmqpValue>());
        }
        default: return values.map(one.raw, out.footer);
    }
}

}  // namespace

AmqpMessage AmqpMessage::of_text(std::string text) { return of_value(std::move(text)); }

AmqpMessage AmqpMessage::of_bytes(std::string bytes) {
    AmqpMessage out;
    out.body.emplace<AmqpData>().sections.push_back(std::move(bytes));
    return out;
}

AmqpMessage AmqpMessage::of_value(AmqpValue value) {
    AmqpMessage out;
    out.body.emplace<AmqpValue>(std::move(value));
    return out;
}

std::string_view AmqpMessage::text() const noexcept {
    if (const auto* const value = std::get_if<AmqpValue>(&body)) {
        const auto* const text = value->get_if<std::string>();
        return text != nullptr ? std::string_view{*text} : std::string_view{};
    }
    const auto* const data = std::get_if<AmqpData>(&body);
    return data != nullptr && data->sections.size() == 1 ? std::string_view{data->sections.front()} : std::string_view{};
}

void AmqpMessage::encode(std::string& to) const {
    const std::size_t begin = to.size();
    try {
        put_sections(to, *this);
        amqp::check_size(to, begin);
    } catch (...) {
        to.resize(begin);
        throw;
    }
}

AmqpMessage AmqpMessage::decode(std::string_view bytes, const AmqpLimits& limits) {
    AmqpMessage out;
    amqp::SectionReader sections{bytes};
    amqp::ValueDecoder values{bytes, limits};
    amqp::Section one;
    while (!sections.at_end()) {
        if (!sections.next(one)) throw amqp::not_amqp("message", sections.offset(), sections.fault());
        if (!take_section(out, one, values, bytes)) throw amqp::not_amqp("message", values.offset(), values.fault());
    }
    return out;
}

}  // namespace qconn
