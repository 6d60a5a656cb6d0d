// SPDX-License-Identifier: Apache-2.0
#include <qconn/eftl/eftl_message.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <ostream>
#include <utility>

#include "base/milliseconds.hpp"
#include "base/text.hpp"
#include "eftl/eftl_error.hpp"
#include "eftl/message_json.hpp"

namespace qconn {

namespace {

using eftl::eftl_error;

// In the order of EftlType.
constexpr std::array<std::string_view, 12> k_type_names{"unknown", "string",       "long",       "double",       "datetime",       "opaque",
                                                        "message", "string array", "long array", "double array", "datetime array", "message array"};

EftlType element_type(const Value& v) noexcept {
    switch (v.kind()) {
        case ValueKind::string: return EftlType::string;
        case ValueKind::int64: return EftlType::long_integer;
        case ValueKind::float64: return EftlType::double_number;
        case ValueKind::timestamp: return EftlType::datetime;
        case ValueKind::binary: return EftlType::opaque;
        case ValueKind::map: return EftlType::message;
        default: return EftlType::unknown;
    }
}

[[noreturn]] void refuse_field(std::string_view name, const std::string& what) {
    throw eftl_error(EftlErrc::message, "the field \"" + text::printable(text::shorten(std::string{name}, 60)) + "\" " + what);
}

void check_name(std::string_view name) {
    if (name.empty()) throw eftl_error(EftlErrc::message, "a field of a message needs a name");
    if (name == "_d_" || name == "_m_" || name == "_o_" || name.starts_with("_eftl:")) refuse_field(name, "has a name that the protocol uses itself");
    if (!text::valid_utf8(name)) refuse_field(name, "has a name that is not UTF-8");
}

void check_text(std::string_view name, std::string_view text) {
    if (!text::valid_utf8(text)) refuse_field(name, "has a text that is not UTF-8; set it as opaque");
}

/// Messages inside each other, in a value that holds what a message may hold.
std::size_t depth_of(const Value& v) noexcept {
    std::size_t most = 0;
    if (v.kind() == ValueKind::map) {
        for (const auto& [name, one] : v.as_map()) most = std::max(most, depth_of(one));
        return most + 1;
    }
    if (v.kind() == ValueKind::list)
        for (const Value& one : v.as_list()) most = std::max(most, depth_of(one));
    return most;
}

Timestamp in_milliseconds(EftlTime time) { return timestamp_of(time.time_since_epoch().count()); }
EftlTime time_of(const Timestamp& t) { return EftlTime{std::chrono::milliseconds{milliseconds_of(t)}}; }

/// A Value as a field can hold it; null where it is none.
Value field_of(std::string_view name, const Value& v, std::size_t depth);

Map fields_of(std::string_view name, const Map& map, std::size_t depth) {
    if (depth > eftl::k_most_depth) refuse_field(name, "has more than 100 messages inside each other");
    Map out;
    out.reserve(map.size());
    for (const auto& [key, one] : map) {
        if (one.is_null()) continue;
        check_name(key);
        Value field = field_of(key, one, depth);
        if (!field.is_null()) out.insert(key, std::move(field));
    }
    return out;
}

Value list_of(std::string_view name, const List& list, std::size_t depth) {
    List out;
    out.reserve(list.size());
    bool doubles = false;
    for (const Value& one : list) {
        Value element = field_of(name, one, depth);
        if (element.is_null()) refuse_field(name, "has null in a list");
        if (element.is_list()) refuse_field(name, "has a list in a list, which messages cannot have");
        if (element.is_binary()) refuse_field(name, "has binary data in a list, which messages cannot have");
        doubles = doubles || element.kind() == ValueKind::float64;
        out.push_back(std::move(element));
    }
    for (Value& one : out) {
        constexpr std::int64_t k_exact = std::int64_t{1} << 53U;
        if (doubles && one.kind() == ValueKind::int64 && one.as_int64() >= -k_exact && one.as_int64() <= k_exact)
            one = Value{static_cast<double>(one.as_int64())};
        if (one.kind() != out.front().kind())
            refuse_field(name, "has a list with " + std::string{to_string(out.front().kind())} + " and " + std::string{to_string(one.kind())} +
                                   "; all elements must be of one type");
    }
    return Value{std::move(out)};
}

Value field_of(std::string_view name, const Value& v, std::size_t depth) {
    switch (v.kind()) {
        case ValueKind::null:
        case ValueKind::int64:
        case ValueKind::float64:
        case ValueKind::binary: return v;
        case ValueKind::boolean: return Value{v.as_bool() ? 1 : 0};
        case ValueKind::uint64: refuse_field(name, "has an integer above 9223372036854775807; send it as a double or as text");
        case ValueKind::decimal: refuse_field(name, "has a decimal number, which messages cannot have; send it as a double or as text");
        case ValueKind::duration: refuse_field(name, "has a duration, which messages cannot have; send it as a long or as text");
        case ValueKind::string: return check_text(name, v.as_string()), v;
        case ValueKind::timestamp: {
            const Timestamp t = v.as_timestamp();
            if (!has_milliseconds(t)) refuse_field(name, "has a point in time that 64 bits of milliseconds cannot hold");
            return Value{timestamp_of(milliseconds_of(t))};
        }
        case ValueKind::list: return list_of(name, v.as_list(), depth);
        case ValueKind::map: return Value{fields_of(name, v.as_map(), depth + 1)};
        case ValueKind::tagged: return field_of(name, v.untagged(), depth);
    }
    return {};
}

template <class T, class Make>
Value list_from(const std::vector<T>& values, Make make) {
    List list;
    list.reserve(values.size());
    for (const auto& one : values) list.push_back(make(one));
    return Value{std::move(list)};
}

/// Of an array, the elements for which `take` has something.
template <class T, class Take>
std::vector<T> elements(const Map& fields, std::string_view name, Take take) {
    std::vector<T> out;
    const Value* const v = fields.find(name);
    if (v == nullptr || !v->is_list()) return out;
    out.reserve(v->size());
    for (const Value& one : v->as_list())
        if (auto element = take(one)) out.push_back(std::move(*element));
    return out;
}

template <class T, class Take>
std::optional<T> scalar(const Map& fields, std::string_view name, ValueKind kind, Take take) {
    const Value* const v = fields.find(name);
    if (v == nullptr || v->kind() != kind) return std::nullopt;
    return T{take(*v)};
}

}  // namespace

std::string_view to_string(EftlType type) noexcept { return k_type_names[static_cast<std::size_t>(type)]; }

EftlMessage& EftlMessage::put(std::string_view name, Value value) {
    check_name(name);
    if (value.is_map() || value.is_list()) {
        if (depth_of(value) > eftl::k_most_depth - 1) refuse_field(name, "has more than 100 messages inside each other");
    }
    fields_.set(name, std::move(value));
    return *this;
}

EftlMessage& EftlMessage::set_string(std::string_view name, std::string_view value) {
    check_text(name, value);
    return put(name, Value{value});
}
EftlMessage& EftlMessage::set_long(std::string_view name, std::int64_t value) { return put(name, Value{static_cast<long long>(value)}); }
EftlMessage& EftlMessage::set_double(std::string_view name, double value) { return put(name, Value{value}); }
EftlMessage& EftlMessage::set_datetime(std::string_view name, EftlTime value) { return put(name, Value{in_milliseconds(value)}); }
EftlMessage& EftlMessage::set_opaque(std::string_view name, std::string_view bytes) { return put(name, Value::binary(bytes)); }
EftlMessage& EftlMessage::set_opaque(std::string_view name, const Bytes& bytes) { return put(name, Value{bytes}); }
EftlMessage& EftlMessage::set_message(std::string_view name, const EftlMessage& value) { return put(name, Value{value.fields_}); }

EftlMessage& EftlMessage::set_string_array(std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& one : values) check_text(name, one);
    return put(name, list_from(values, [](const std::string& one) { return Value{one}; }));
}
EftlMessage& EftlMessage::set_long_array(std::string_view name, const std::vector<std::int64_t>& values) {
    return put(name, list_from(values, [](std::int64_t one) { return Value{static_cast<long long>(one)}; }));
}
EftlMessage& EftlMessage::set_double_array(std::string_view name, const std::vector<double>& values) {
    return put(name, list_from(values, [](double one) { return Value{one}; }));
}
EftlMessage& EftlMessage::set_datetime_array(std::string_view name, const std::vector<EftlTime>& values) {
    return put(name, list_from(values, [](EftlTime one) { return Value{in_milliseconds(one)}; }));
}
EftlMessage& EftlMessage::set_message_array(std::string_view name, const std::vector<EftlMessage>& values) {
    return put(name, list_from(values, [](const EftlMessage& one) { return Value{one.fields_}; }));
}

EftlMessage& EftlMessage::set(std::string_view name, const Value& value) {
    check_name(name);
    Value field = field_of(name, value, 1);
    if (field.is_null())
        fields_.erase(name);
    else
        fields_.set(name, std::move(field));
    return *this;
}

std::optional<std::string_view> EftlMessage::get_string(std::string_view name) const noexcept {
    return scalar<std::string_view>(fields_, name, ValueKind::string, [](const Value& v) { return v.as_string(); });
}
std::optional<std::int64_t> EftlMessage::get_long(std::string_view name) const noexcept {
    return scalar<std::int64_t>(fields_, name, ValueKind::int64, [](const Value& v) { return v.as_int64(); });
}
std::optional<double> EftlMessage::get_double(std::string_view name) const noexcept {
    return scalar<double>(fields_, name, ValueKind::float64, [](const Value& v) { return v.as_double(); });
}
std::optional<EftlTime> EftlMessage::get_datetime(std::string_view name) const noexcept {
    return scalar<EftlTime>(fields_, name, ValueKind::timestamp, [](const Value& v) { return time_of(v.as_timestamp()); });
}
std::optional<std::string_view> EftlMessage::get_opaque(std::string_view name) const noexcept {
    return scalar<std::string_view>(fields_, name, ValueKind::binary, [](const Value& v) { return v.as_bytes(); });
}
std::optional<EftlMessage> EftlMessage::get_message(std::string_view name) const {
    const Value* const v = fields_.find(name);
    if (v == nullptr || !v->is_map()) return std::nullopt;
    EftlMessage out;
    out.fields_ = v->as_map();
    return out;
}

std::vector<std::string> EftlMessage::get_string_array(std::string_view name) const {
    return elements<std::string>(fields_, name,
                                 [](const Value& v) { return v.is_string() ? std::optional{std::string{v.as_string()}} : std::nullopt; });
}

// Where both kinds of numbers are in one array its type is that of the first, and the others are converted.
std::vector<std::int64_t> EftlMessage::get_long_array(std::string_view name) const {
    if (type(name) != EftlType::long_array) return {};
    return elements<std::int64_t>(fields_, name, [](const Value& v) -> std::optional<std::int64_t> {
        if (v.kind() == ValueKind::int64) return v.as_int64();
        constexpr double k_limit = 9223372036854775808.0;
        if (v.kind() == ValueKind::float64 && v.as_double() >= -k_limit && v.as_double() < k_limit) return static_cast<std::int64_t>(v.as_double());
        return std::nullopt;
    });
}
std::vector<double> EftlMessage::get_double_array(std::string_view name) const {
    if (type(name) != EftlType::double_array) return {};
    return elements<double>(fields_, name, [](const Value& v) -> std::optional<double> {
        if (v.kind() == ValueKind::float64) return v.as_double();
        if (v.kind() == ValueKind::int64) return static_cast<double>(v.as_int64());
        return std::nullopt;
    });
}
std::vector<EftlTime> EftlMessage::get_datetime_array(std::string_view name) const {
    return elements<EftlTime>(
        fields_, name, [](const Value& v) { return v.kind() == ValueKind::timestamp ? std::optional{time_of(v.as_timestamp())} : std::nullopt; });
}
std::vector<EftlMessage> EftlMessage::get_message_array(std::string_view name) const {
    return elements<EftlMessage>(fields_, name, [](const Value& v) -> std::optional<EftlMessage> {
        if (!v.is_map()) return std::nullopt;
        EftlMessage out;
        out.fields_ = v.as_map();
        return out;
    });
}

EftlType EftlMessage::type(std::string_view name) const noexcept {
    const Value* const v = fields_.find(name);
    if (v == nullptr) return EftlType::unknown;
    if (!v->is_list()) return element_type(*v);
    switch (element_type((*v)[0])) {
        case EftlType::string: return EftlType::string_array;
        case EftlType::long_integer: return EftlType::long_array;
        case EftlType::double_number: return EftlType::double_array;
        case EftlType::datetime: return EftlType::datetime_array;
        case EftlType::message: return EftlType::message_array;
        default: return EftlType::unknown;
    }
}

std::vector<std::string> EftlMessage::field_names() const {
    std::vector<std::string> out;
    out.reserve(fields_.size());
    for (const auto& [name, value] : fields_) out.push_back(name);
    return out;
}

EftlMessage EftlMessage::from_value(const Value& value) {
    const Value* v = &value;
    while (v->kind() == ValueKind::tagged) v = &v->untagged();
    if (!v->is_map()) throw eftl_error(EftlErrc::message, "a message is made of a map, not of " + std::string{to_string(v->kind())});
    EftlMessage out;
    out.fields_ = fields_of({}, v->as_map(), 1);
    return out;
}

std::string EftlMessage::to_json() const {
    json::TextBuffer out;
    eftl::put_message(out, fields_);
    return out.take();
}

EftlMessage EftlMessage::from_json(std::string_view text) {
    const auto bad = [](const Error& error) { return eftl_error(EftlErrc::message, "this is no message: " + std::string{error.message()}); };
    if (const std::size_t at = text::invalid_utf8(text); at != npos) throw bad(json::not_json(text, at, "this is not UTF-8"));
    eftl::MessageScanner scanner{text};
    scanner.blanks();
    EftlMessage out;
    out.fields_ = scanner.message();
    if (!scanner.failed()) {
        scanner.blanks();
        if (!scanner.at_end()) scanner.fail("there is something behind the message");
    }
    if (scanner.failed()) throw bad(*scanner.error());
    return out;
}

std::string to_text(const EftlMessage& message) { return to_text(message.to_value()); }
std::ostream& operator<<(std::ostream& out, const EftlMessage& message) { return out << to_text(message); }

}  // namespace qconn
