// SPDX-License-Identifier: Apache-2.0
/// Messages looked at where they lie (part 3 of the specification, 3.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <qconn/amqp/amqp_message.hpp>

#include "amqp/wire.hpp"

namespace qconn::amqp {

/// Codes of the sections, in their order. A body is some of data, some of sequence, or one value.
namespace section {
inline constexpr std::uint8_t k_header = 0x70;
inline constexpr std::uint8_t k_delivery_annotations = 0x71;
inline constexpr std::uint8_t k_message_annotations = 0x72;
inline constexpr std::uint8_t k_properties = 0x73;
inline constexpr std::uint8_t k_application_properties = 0x74;
inline constexpr std::uint8_t k_data = 0x75;
inline constexpr std::uint8_t k_sequence = 0x76;
inline constexpr std::uint8_t k_value = 0x77;
inline constexpr std::uint8_t k_footer = 0x78;
inline constexpr std::size_t k_count = 9;
}  // namespace section

/// One section.
struct Section {
    std::uint8_t code{0};
    /// Of k_value the constructor and all; of the others `raw` has it.
    std::string_view value{};
    Raw raw{};
};

/// Walks the sections of a message, and holds them to their order and to the types that they have.
class SectionReader {
public:
    explicit SectionReader(std::string_view message) noexcept : reader_{message} {}

    bool at_end() const noexcept { return reader_.at_end(); }
    /// False: a fault, as at the end.
    bool next(Section& out) noexcept;
    const char* fault() const noexcept { return fault_; }
    std::size_t offset() const noexcept { return reader_.offset(); }

private:
    bool fail(const char* what) noexcept {
        fault_ = what;
        return false;
    }

    Reader reader_;
    const char* fault_{nullptr};
    std::uint8_t last_{0};
};

/// The field of a composite type, by its place in the definition; null where it is absent. Its descriptor counts as another type.
Raw field(const Raw& list, std::size_t index) noexcept;

/// A message in a buffer that outlives the view. Nothing is allocated until something is asked for that is no view. The sections are looked for at
/// the first question, once. One thread at a time.
class MessageView {
public:
    explicit MessageView(std::string_view bytes) noexcept : bytes_{bytes} {}

    std::string_view bytes() const noexcept { return bytes_; }
    /// Whether there are sections as there should be, and no string as the body that is not UTF-8. Else the other questions without exceptions are
    /// answered by what was found before the fault. Wrong contents of sections come out when these are asked for.
    bool ok() const noexcept { return found() && fault_ == nullptr; }
    /// Null where ok().
    const char* fault() const noexcept { return found() ? fault_ : nullptr; }
    std::size_t fault_offset() const noexcept { return fault_offset_; }

    /// A string body, or the only data section; empty for other bodies, as AmqpMessage::text().
    std::string_view text() const noexcept { return found() ? text_ : std::string_view{}; }
    /// The code of the body's sections; 0: there is none.
    std::uint8_t body() const noexcept { return found() ? body_ : std::uint8_t{0}; }
    /// What a section has in it, the first of several: see Raw. Of a section that is not there, null.
    Raw raw(std::uint8_t code) const noexcept;
    /// Likewise as its bytes, with the constructor: what AmqpValue::decode() takes. Empty where it is not there.
    std::string_view encoded(std::uint8_t code) const noexcept;

    /// Fields of the properties, null where they are absent. Of whatever type they are.
    Raw message_id() const noexcept { return property(0); }
    Raw correlation_id() const noexcept { return property(5); }
    Raw property(std::size_t index) const noexcept { return field(raw(section::k_properties), index); }

    /// @throws Error AMQP-DECODE-ERROR
    std::optional<AmqpHeader> header() const;
    std::optional<AmqpProperties> properties() const;
    AmqpMessage message(const AmqpLimits& limits = {}) const { return AmqpMessage::decode(bytes_, limits); }

private:
    bool found() const noexcept {
        if (!walked_) walk();
        return true;
    }
    void walk() const noexcept;
    /// A reader that stands before the value of a section. False: it is not there.
    bool stand(std::uint8_t code, Reader& out) const noexcept;

    std::string_view bytes_;
    mutable std::array<const char*, section::k_count> at_{};  // where the value of each begins
    mutable std::string_view text_;
    mutable std::size_t fault_offset_{0};
    mutable const char* fault_{nullptr};
    mutable std::uint8_t body_{0};
    mutable bool walked_{false};
};

}  // namespace qconn::amqp
