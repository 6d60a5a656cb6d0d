// SPDX-License-Identifier: Apache-2.0
/// Messages of eFTL: typed fields with names.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>

namespace qconn {

class EftlMessage;

/// What a field holds. The names of the types are those of eFTL.
enum class EftlType : std::uint8_t {
    unknown,  ///< there is no such field; or it is an array without elements, whose type nobody can tell
    string,
    long_integer,  ///< 64 bits, all of them exact
    double_number,
    datetime,  ///< milliseconds since 1970
    opaque,    ///< bytes
    message,
    string_array,
    long_array,
    double_array,
    datetime_array,
    message_array,
};
/// "string", "long", "double", "datetime", "opaque", "message", "string array" and so on.
QCONN_API std::string_view to_string(EftlType type) noexcept;

/// A point in time as eFTL has it.
using EftlTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// What a message that was received says about its way. All empty in a message that one has made.
struct EftlReceipt {
    /// The subscription that it came by.
    std::string subscription{};
    /// Its number on the connection; none: the server does not wait for an acknowledgement.
    std::optional<std::int64_t> sequence{};
    /// Number that the persistence service gave it; 0: none.
    std::int64_t store_message_id{0};
    /// How many times it was delivered; 0: the server does not tell.
    std::int64_t delivery_count{0};
    /// Where a reply goes. Empty: it is no request.
    std::string reply_to{};
    std::int64_t request_id{0};
    /// Of the link that it came by: counts the log-ins of one client.
    std::uint64_t link{0};
};

/// Names to typed values, in the order in which they were set. A getter gives nothing where there is no such field or it has another type; an array
/// without elements, and of an array what is not of the type asked for, is left out.
///
/// Field names are UTF-8 and not empty; `_d_`, `_m_` and `_o_` and names that begin with `_eftl:` cannot be used, as the protocol has them for
/// itself. A field of the name `_dest` is the EMS destination of a message that goes to EMS: "TOPIC:orders", "QUEUE:orders", or without prefix a
/// topic. A value type. @note One thread at a time for changes; const access is safe from many threads.
class QCONN_API EftlMessage {
public:
    EftlMessage() = default;

    // ---- setting; each replaces what was there, and gives the message itself ----
    /// @throws Error EFTL-MESSAGE-ERROR: the name cannot be used, or a text is not UTF-8 (all setters)
    EftlMessage& set_string(std::string_view name, std::string_view value);
    EftlMessage& set_long(std::string_view name, std::int64_t value);
    /// Also infinities and NaN.
    EftlMessage& set_double(std::string_view name, double value);
    EftlMessage& set_datetime(std::string_view name, EftlTime value);
    EftlMessage& set_opaque(std::string_view name, std::string_view bytes);
    EftlMessage& set_opaque(std::string_view name, const Bytes& bytes);
    /// At most 100 messages inside each other.
    EftlMessage& set_message(std::string_view name, const EftlMessage& value);
    EftlMessage& set_string_array(std::string_view name, const std::vector<std::string>& values);
    EftlMessage& set_long_array(std::string_view name, const std::vector<std::int64_t>& values);
    EftlMessage& set_double_array(std::string_view name, const std::vector<double>& values);
    EftlMessage& set_datetime_array(std::string_view name, const std::vector<EftlTime>& values);
    EftlMessage& set_message_array(std::string_view name, const std::vector<EftlMessage>& values);
    /// Of any kind, as from_value() has it; null removes the field.
    EftlMessage& set(std::string_view name, const Value& value);

    // ---- looking ----
    /// Lives as long as this message is not changed.
    std::optional<std::string_view> get_string(std::string_view name) const noexcept;
    std::optional<std::int64_t> get_long(std::string_view name) const noexcept;
    std::optional<double> get_double(std::string_view name) const noexcept;
    std::optional<EftlTime> get_datetime(std::string_view name) const noexcept;
    /// Bytes; lives as long as this message is not changed.
    std::optional<std::string_view> get_opaque(std::string_view name) const noexcept;
    std::optional<EftlMessage> get_message(std::string_view name) const;
    std::vector<std::string> get_string_array(std::string_view name) const;
    std::vector<std::int64_t> get_long_array(std::string_view name) const;
    std::vector<double> get_double_array(std::string_view name) const;
    std::vector<EftlTime> get_datetime_array(std::string_view name) const;
    std::vector<EftlMessage> get_message_array(std::string_view name) const;

    bool is_field_set(std::string_view name) const noexcept { return fields_.contains(name); }
    /// Of an array by its first element.
    EftlType type(std::string_view name) const noexcept;
    /// In order.
    std::vector<std::string> field_names() const;
    std::size_t size() const noexcept { return fields_.size(); }
    bool empty() const noexcept { return fields_.empty(); }
    /// False where there was none.
    bool clear_field(std::string_view name) { return fields_.erase(name); }
    void clear_all_fields() { fields_ = Map{}; }

    // ---- of a message that was received ----
    const EftlReceipt& receipt() const noexcept { return receipt_; }
    /// For the library's own layers, and for tests.
    EftlReceipt& receipt() noexcept { return receipt_; }
    std::int64_t store_message_id() const noexcept { return receipt_.store_message_id; }
    std::int64_t delivery_count() const noexcept { return receipt_.delivery_count; }
    /// Whether a reply is waited for.
    bool is_request() const noexcept { return !receipt_.reply_to.empty(); }

    // ---- other forms ----
    /// A map: strings, longs as integers, doubles, timestamps in UTC, opaque ones as binary, messages as maps, arrays as lists.
    Value to_value() const { return fields_; }
    /// The fields as to_value() has them.
    const Map& fields() const noexcept { return fields_; }
    /// Of a map. Booleans become the longs 1 and 0; a timestamp without zone is taken for UTC, and cut to milliseconds; null members are left out; in
    /// a list with integers and doubles all are doubles; tags are dropped.
    /// @throws Error EFTL-MESSAGE-ERROR naming the field: no map, a duration, a decimal, an integer above 2^63 - 1, lists in lists, lists of several
    /// types, names and depth as at the setters
    static EftlMessage from_value(const Value& value);
    /// As it goes over the wire: a JSON object.
    std::string to_json() const;
    /// Tolerant, as messages of every eFTL library are read: numbers in all their spellings, of two members of one name the last one counts, null is
    /// no field, true and false are longs.
    /// @throws Error EFTL-MESSAGE-ERROR: no JSON object, not UTF-8, more than 100 messages inside each other
    static EftlMessage from_json(std::string_view text);
    /// For the library's own layers: of fields that are as fields() has them.
    static EftlMessage from_fields(Map fields) {
        EftlMessage out;
        out.fields_ = std::move(fields);
        return out;
    }

    /// The same fields in whatever order; receipts are not compared.
    friend bool operator==(const EftlMessage& a, const EftlMessage& b) noexcept { return a.fields_ == b.fields_; }

private:
    EftlMessage& put(std::string_view name, Value value);

    Map fields_;
    EftlReceipt receipt_;
};

/// Compact text for people and logs; not meant to be parsed.
QCONN_API std::string to_text(const EftlMessage& message);
QCONN_API std::ostream& operator<<(std::ostream& out, const EftlMessage& message);

/// Builds content matchers: what a subscription is to receive. All conditions must hold; without any, everything matches. A value type.
class QCONN_API EftlMatcher {
public:
    EftlMatcher() = default;
    /// The field has exactly that text, of at most 256 characters.
    /// @throws Error EFTL-MATCHER-ERROR: the name is empty or has a condition already, text that is too long or not UTF-8 (all of them)
    EftlMatcher& equals(std::string_view field, std::string_view value);
    EftlMatcher& equals(std::string_view field, const char* value) { return equals(field, std::string_view{value}); }
    /// The field is that long.
    EftlMatcher& equals(std::string_view field, std::int64_t value);
    EftlMatcher& equals(std::string_view field, int value) { return equals(field, std::int64_t{value}); }
    EftlMatcher& present(std::string_view field);
    EftlMatcher& absent(std::string_view field);
    /// Messages of an EMS destination: `TOPIC:` and `QUEUE:` in front, without one a topic.
    EftlMatcher& destination(std::string_view name) { return equals("_dest", name); }

    /// Empty where there is no condition.
    std::string to_json() const;
    /// The same from a text: a JSON object whose members are strings, integers, true or false.
    /// @throws Error EFTL-MATCHER-ERROR saying what is wrong where
    static EftlMatcher parse(std::string_view json);
    /// Whether there is a condition that this field has a certain text, as last-value subscriptions need.
    bool has_text_for(std::string_view field) const noexcept;
    /// Whether a message with these fields would be received: for tests and filters of one's own.
    bool matches(const EftlMessage& message) const noexcept;

    friend bool operator==(const EftlMatcher&, const EftlMatcher&) = default;

private:
    EftlMatcher& add(std::string_view field, Value value);
    Map conditions_;
};

}  // namespace qconn
