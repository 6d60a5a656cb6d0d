// SPDX-License-Identifier: Apache-2.0
/// A message of AMQP 1.0, with all its sections (part 3 of the specification, 3.2).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <qconn/amqp/amqp_value.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// Delivery details (3.2.1). A value type.
struct AmqpHeader {
    bool durable{false};
    std::uint8_t priority{4};
    std::optional<std::chrono::milliseconds> ttl{};  ///< 0 to 4294967295 ms
    bool first_acquirer{false};
    std::uint32_t delivery_count{0};  ///< earlier attempts that failed
    friend bool operator==(const AmqpHeader&, const AmqpHeader&) = default;
};

/// The properties that a sender gives and nobody changes on the way (3.2.4). A value type.
struct AmqpProperties {
    AmqpValue message_id{};  ///< ulong, uuid, binary or string; null: none
    std::optional<AmqpBinary> user_id{};
    std::optional<std::string> to{};
    std::optional<std::string> subject{};
    std::optional<std::string> reply_to{};
    AmqpValue correlation_id{};  ///< as message_id
    std::optional<AmqpSymbol> content_type{};
    std::optional<AmqpSymbol> content_encoding{};
    std::optional<AmqpTimestamp> absolute_expiry_time{};
    std::optional<AmqpTimestamp> creation_time{};
    std::optional<std::string> group_id{};
    std::optional<std::uint32_t> group_sequence{};
    std::optional<std::string> reply_to_group_id{};
    friend bool operator==(const AmqpProperties&, const AmqpProperties&) = default;
};

/// Bodies: one value, one or more sections of bytes, or one or more sequences.
struct AmqpData {
    std::vector<std::string> sections{};
    friend bool operator==(const AmqpData&, const AmqpData&) = default;
};
struct AmqpSequence {
    std::vector<AmqpList> sections{};
    friend bool operator==(const AmqpSequence&, const AmqpSequence&) = default;
};

/// A value type. Sections that are empty are not sent.
struct QCONN_API AmqpMessage {
    std::optional<AmqpHeader> header{};
    AmqpMap delivery_annotations{};  ///< keys are symbols or ulongs
    AmqpMap message_annotations{};   ///< likewise
    std::optional<AmqpProperties> properties{};
    AmqpMap application_properties{};  ///< keys are strings, values no lists, maps, arrays
    /// monostate: none; what is received like that keeps it.
    std::variant<std::monostate, AmqpValue, AmqpData, AmqpSequence> body{};
    AmqpMap footer{};

    /// With a string as its body.
    static AmqpMessage of_text(std::string text);
    /// With one section of bytes.
    static AmqpMessage of_bytes(std::string bytes);
    static AmqpMessage of_value(AmqpValue value);

    /// A string body, or the only data section, as it is; empty for other bodies.
    std::string_view text() const noexcept;

    friend bool operator==(const AmqpMessage&, const AmqpMessage&) = default;

    /// Appends the sections as they are on the wire. @throws Error AMQP-ENCODE-ERROR: a message-id of another type, a time to live out of range, an
    /// annotation's key or an application property's value of a type that it cannot have, and what AmqpValue::encode() refuses; the buffer is as it
    /// was
    void encode(std::string& to) const;
    /// Annotations and application properties are kept as they come, of whatever types. No bytes at all are a message without sections.
    /// @throws Error AMQP-DECODE-ERROR with the offset: sections that are unknown, in another order or (apart from data and sequences) there twice,
    /// too
    static AmqpMessage decode(std::string_view bytes, const AmqpLimits& limits = {});
};

}  // namespace qconn
