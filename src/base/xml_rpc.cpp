// SPDX-License-Identifier: Apache-2.0
// The value encoding of XML-RPC (xmlrpc.com/spec), with the extensions i8 and nil.
#include "base/xml_rpc.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>

#include "base/base64.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "base/xml.hpp"
#include "base/xml_text.hpp"

namespace qconn::xml {

namespace {

constexpr std::size_t k_most_value_depth = 160;  // of values: each takes up to three elements, and 500 elements are read

// ---- reading ----

/// `20260131T15:35:02` or with dashes, either with a fraction and a zone.
std::optional<Timestamp> parse_date(std::string_view text) {
    std::string dashed{text::trim(text)};
    if (dashed.size() > 8 && dashed.find_first_not_of("0123456789") == 8) dashed.insert(6, "-").insert(4, "-");
    return text::parse_timestamp(dashed);
}

/// The comparison of two words of which one is known is compiled to one of numbers.
template <std::size_t N>
bool is(std::string_view text, const char (&word)[N]) noexcept {
    return text.size() == N - 1 && std::memcmp(text.data(), word, N - 1) == 0;
}

/// Of an element that is open, each to its end. What is returned beside an error is not looked at.
class ValueReader {
public:
    explicit ValueReader(Reader& in) : in_{in} {}

    /// At `<value>`.
    Value value() {
        if (!is(in_.name(), "value"))
            return wrong("there is a <" + text::printable(text::shorten(std::string{in_.name()}, 40)) + "> where a <value> belongs");
        std::optional<Value> typed;
        std::string untyped;
        bool has_text = false;
        for (;;) {
            switch (in_.next()) {
                case Reader::Token::text:
                    if (!typed) untyped = in_.text();
                    has_text = true;
                    break;
                case Reader::Token::open:
                    if (typed) return wrong("a value has two types");
                    typed = of_type(in_.name().substr(in_.name().find(':') + 1));
                    if (failed()) return {};
                    break;
                case Reader::Token::close:
                    if (typed) return *std::move(typed);
                    return has_text ? Value{untyped} : Value{};
                case Reader::Token::end: return {};
            }
        }
    }

    bool failed() const { return error_ || in_.failed(); }
    std::optional<Error>& error() { return error_; }

private:
    Value wrong(std::string_view what) {
        error_ = make_error(Errc::parse, std::string{"the text is no value of XML-RPC: "}.append(what));
        return {};
    }

    Value of_type(std::string_view type) {
        if (is(type, "array")) return array();
        if (is(type, "struct")) return structure();
        const auto text = in_.only_text();
        return text ? scalar(type, *text) : wrong("a scalar has elements inside");
    }

    Value array() {
        std::optional<Value> list;
        while (in_.next_child()) {
            if (list || !is(in_.name(), "data"))
                in_.skip();
            else
                list = data();
            if (failed()) return {};
        }
        return list ? *std::move(list) : wrong("an array has no <data>");
    }

    Value data() {
        Value v{List{}};
        List& list = v.as_list();
        while (in_.next_child()) {
            list.push_back(value());
            if (failed()) return {};
        }
        return v;
    }

    Value structure() {
        Value v{Map{}};
        Map& map = v.as_map();
        map.reserve(4);
        while (in_.next_child()) {
            member(map);
            if (failed()) return {};
        }
        return v;
    }

    Value member(Map& map) {
        const bool is_member = is(in_.name(), "member");
        std::optional<std::string> name;
        std::optional<Value> v;
        while (is_member && in_.next_child()) {
            if (!name && is(in_.name(), "name")) {
                const auto text = in_.only_text();
                if (!text) return wrong("a struct needs members with a name and a value");
                name = *text;
            } else if (!v && is(in_.name(), "value")) {
                v = value();
            } else {
                in_.skip();
            }
            if (failed()) return {};
        }
        if (!name || !v) return wrong("a struct needs members with a name and a value");
        if (!map.insert(*std::move(name), *std::move(v))) return wrong("a struct has two members of one name");
        return {};
    }

    Value scalar(std::string_view type, std::string_view raw) {
        const std::string_view text = text::trim(raw);
        if (is(type, "string")) return Value{raw};
        if (is(type, "i4") || is(type, "int") || is(type, "i8") || is(type, "i1") || is(type, "i2")) return integer(text);
        if (is(type, "boolean")) {
            if (text == "1" || text == "true") return Value{true};
            if (text == "0" || text == "false") return Value{false};
            return wrong("a boolean is neither 0 nor 1");
        }
        if (is(type, "double") || is(type, "float")) {
            if (!text::is_number(text)) return wrong("a double is no number");
            Value v = text::number(text);
            if (!v.is_integer()) return v;
            double d = 0;
            const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
            std::from_chars(digits.data(), digits.data() + digits.size(), d);
            return Value{d};
        }
        if (is(type, "dateTime.iso8601")) {
            if (const auto t = parse_date(text)) return Value{*t};
            return wrong("a dateTime.iso8601 is no date and time");
        }
        if (is(type, "base64")) {
            if (const auto bytes = base64::decode(text)) return Value::binary(*bytes);
            return wrong("a base64 has other characters");
        }
        if (is(type, "nil")) return Value{};
        return wrong("<" + text::printable(text::shorten(std::string{type}, 40)) + "> is no type of it");
    }

    Value integer(std::string_view text) {
        if (text.starts_with('+')) text.remove_prefix(1);
        std::int64_t v = 0;
        const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
        if (text.empty() || r.ec != std::errc{} || r.ptr != text.data() + text.size()) return wrong("an integer is not one, or does not fit 64 bits");
        return Value{static_cast<long long>(v)};
    }

    Reader& in_;
    std::optional<Error> error_;
};

// ---- writing ----

[[noreturn]] void refuse_value(std::string_view what) {
    const Error error = make_error(Errc::serialize, {});
    throw Error{error.code(), "XMLRPC-SERIALIZATION-ERROR", std::string{"writing a value for XML-RPC failed: "}.append(what)}
        .with_phase(error.phase())
        .with_reason(error.reason());
}

void append_escaped(std::string& out, std::string_view text) {
    if (!append_text(out, text, false)) refuse_value("a text in it has characters that XML cannot hold, or is not UTF-8");
}

/// What stands around a scalar.
struct Frame {
    std::string_view before;
    std::string_view after;
};
constexpr Frame k_boolean{"<value><boolean>", "</boolean></value>"};
constexpr Frame k_i4{"<value><i4>", "</i4></value>"};
constexpr Frame k_i8{"<value><i8>", "</i8></value>"};
constexpr Frame k_double{"<value><double>", "</double></value>"};
constexpr Frame k_string{"<value><string>", "</string></value>"};
constexpr Frame k_base64{"<value><base64>", "</base64></value>"};
constexpr Frame k_time{"<value><dateTime.iso8601>", "</dateTime.iso8601></value>"};

/// A text without markup.
void write_plain(std::string& out, const Frame& frame, std::string_view text) { out.append(frame.before).append(text).append(frame.after); }

template <class Integer>
void write_integer(std::string& out, const Frame& frame, Integer value) {
    char digits[std::numeric_limits<Integer>::digits10 + 3];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
    write_plain(out, frame, {digits, end});
}

void write(std::string& out, const Value& v, RpcStyle style, std::size_t depth) {
    if (depth > k_most_value_depth) refuse_value("it has more than " + std::to_string(k_most_value_depth) + " lists and maps inside each other");
    switch (v.kind()) {
        case ValueKind::null: out += style.extensions ? "<value><nil/></value>" : "<value/>"; return;
        case ValueKind::boolean: return write_plain(out, k_boolean, v.as_bool() ? "1" : "0");
        case ValueKind::int64: {
            const std::int64_t i = v.as_int64();
            return write_integer(out, i >= INT32_MIN && i <= INT32_MAX ? k_i4 : style.extensions ? k_i8 : k_string, i);
        }
        case ValueKind::uint64: return write_integer(out, k_string, v.as_uint64());
        case ValueKind::float64:
            if (!std::isfinite(v.as_double())) refuse_value("it has no infinity and no NaN");
            return write_plain(out, k_double, text::double_text(v.as_double()));
        case ValueKind::decimal:
            if (!text::is_number(v.as_string())) refuse_value("a decimal in it is not the text of a number");
            return write_plain(out, k_double, text::canonical_number(v.as_string()));
        case ValueKind::string:
            out += k_string.before;
            append_escaped(out, v.as_string());
            out += k_string.after;
            return;
        case ValueKind::binary: return write_plain(out, k_base64, base64::encode(v.as_bytes()));
        case ValueKind::timestamp: {
            Timestamp t = v.as_timestamp();
            if (t.has_zone) t.seconds += std::int64_t{t.zone_minutes} * 60;  // the time on the wall there
            t.has_zone = false;
            t.nanoseconds = 0;
            std::string text = text::timestamp_text(t, false);
            if (text.empty()) refuse_value("a timestamp in it is not within the years 0 to 9999");
            text.erase(7, 1).erase(4, 1);
            return write_plain(out, k_time, text);
        }
        case ValueKind::duration: refuse_value("it has no durations");
        case ValueKind::tagged: refuse_value("it has no tagged values");
        case ValueKind::list:
            out += "<value><array><data>";
            for (const Value& item : v.as_list()) write(out, item, style, depth + 1);
            out += "</data></array></value>";
            return;
        case ValueKind::map:
            out += "<value><struct>";
            for (const auto& [name, item] : v.as_map()) {
                if (name.empty()) refuse_value("a member of a struct has no name");
                out += "<member><name>";
                append_escaped(out, name);
                out += "</name>";
                write(out, item, style, depth + 1);
                out += "</member>";
            }
            out += "</struct></value>";
            return;
    }
}

}  // namespace

Result<Value> read_rpc_value(Reader& reader) {
    ValueReader values{reader};
    Value v = values.value();
    if (values.error()) return *std::move(values.error());
    return v;
}

void append_rpc_value(std::string& out, const Value& value, RpcStyle style) { write(out, value, style, 0); }

Result<Value> decode_rpc_value(std::string_view text, const Limits& limits) {
    Reader reader{text, limits};
    reader.next();
    Result<Value> value = read_rpc_value(reader);
    if (auto error = reader.finish()) return *std::move(error);
    return value;
}

std::string encode_rpc_value(const Value& value) {
    std::string out{"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"};
    write(out, value, {}, 0);
    return out;
}

}  // namespace qconn::xml
