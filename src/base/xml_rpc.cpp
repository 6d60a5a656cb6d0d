// SPDX-License-Identifier: Apache-2.0
// The value encoding of XML-RPC (xmlrpc.com/spec), with the extensions i8 and nil.
#include "base/xml_rpc.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/base64.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "base/xml.hpp"
#include "base/xml_text.hpp"

namespace qconn::xml {

namespace {

constexpr std::size_t k_most_value_depth = 160;  // of values: each takes up to three elements, and 500 elements are read

// ---- reading ----

Error wrong(std::string_view what) { return make_error(Errc::parse, std::string{"the text is no value of XML-RPC: "}.append(what)); }

std::string_view local_name(const pugi::xml_node& node) {
    const std::string_view name = node.name();
    const std::size_t colon = name.find(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// All text of an element that has only text.
std::optional<std::string> only_text(const pugi::xml_node& node) {
    std::string text;
    for (const auto& child : node.children()) {
        if (child.type() == pugi::node_element) return std::nullopt;
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
    }
    return text;
}

/// `20260131T15:35:02` or with dashes, either with a fraction and a zone.
std::optional<Timestamp> parse_date(std::string_view text) {
    std::string dashed{text::trim(text)};
    if (dashed.size() > 8 && dashed.find_first_not_of("0123456789") == 8) dashed.insert(6, "-").insert(4, "-");
    return text::parse_timestamp(dashed);
}

Result<Value> read_value(const pugi::xml_node& node);

Result<Value> read_integer(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t v = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
    if (text.empty() || r.ec != std::errc{} || r.ptr != text.data() + text.size()) return wrong("an integer is not one, or does not fit 64 bits");
    return Value{static_cast<long long>(v)};
}

Result<Value> read_scalar(std::string_view type, std::string_view raw) {
    const std::string_view text = text::trim(raw);
    if (type == "string") return Value{raw};
    if (type == "i4" || type == "int" || type == "i8" || type == "i1" || type == "i2") return read_integer(text);
    if (type == "boolean") {
        if (text == "1" || text == "true") return Value{true};
        if (text == "0" || text == "false") return Value{false};
        return wrong("a boolean is neither 0 nor 1");
    }
    if (type == "double" || type == "float") {
        if (!text::is_number(text)) return wrong("a double is no number");
        Value v = text::number(text);
        if (!v.is_integer()) return v;
        double d = 0;
        const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
        std::from_chars(digits.data(), digits.data() + digits.size(), d);
        return Value{d};
    }
    if (type == "dateTime.iso8601") {
        if (const auto t = parse_date(text)) return Value{*t};
        return wrong("a dateTime.iso8601 is no date and time");
    }
    if (type == "base64") {
        if (const auto bytes = base64::decode(text)) return Value::binary(*bytes);
        return wrong("a base64 has other characters");
    }
    if (type == "nil") return Value{};
    return wrong("<" + text::printable(text::shorten(type, 40)) + "> is no type of it");
}

Result<Value> read_array(const pugi::xml_node& array) {
    const pugi::xml_node data = array.child("data");
    if (!data) return wrong("an array has no <data>");
    List list;
    for (const auto& item : data.children()) {
        if (item.type() != pugi::node_element) continue;
        auto v = read_value(item);
        if (!v) return v;
        list.push_back(std::move(*v));
    }
    return Value{std::move(list)};
}

Result<Value> read_struct(const pugi::xml_node& node) {
    Map map;
    for (const auto& member : node.children()) {
        if (member.type() != pugi::node_element) continue;
        const pugi::xml_node name = member.child("name");
        const pugi::xml_node value = member.child("value");
        const auto key = only_text(name);
        if (std::string_view{member.name()} != "member" || !name || !value || !key) return wrong("a struct needs members with a name and a value");
        auto v = read_value(value);
        if (!v) return v;
        if (!map.insert(*key, std::move(*v))) return wrong("a struct has two members of one name");
    }
    return Value{std::move(map)};
}

Result<Value> read_value(const pugi::xml_node& node) {
    if (std::string_view{node.name()} != "value")
        return wrong("there is a <" + text::printable(text::shorten(node.name(), 40)) + "> where a <value> belongs");
    pugi::xml_node type;
    for (const auto& child : node.children()) {
        if (child.type() == pugi::node_element) {
            if (type) return wrong("a value has two types");
            type = child;
        }
    }
    if (!type) {
        if (!node.first_child()) return Value{};
        return Value{*only_text(node)};
    }
    const std::string_view name = local_name(type);
    if (name == "array") return read_array(type);
    if (name == "struct") return read_struct(type);
    const auto text = only_text(type);
    if (!text) return wrong("a scalar has elements inside");
    return read_scalar(name, *text);
}

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

void write(std::string& out, const Value& v, RpcStyle style, std::size_t depth) {
    if (depth > k_most_value_depth) refuse_value("it has more than " + std::to_string(k_most_value_depth) + " lists and maps inside each other");
    const auto scalar = [&](std::string_view type, std::string_view text) {
        out.append("<value><").append(type).append(">");
        append_escaped(out, text);
        out.append("</").append(type).append("></value>");
    };
    switch (v.kind()) {
        case ValueKind::null: out += style.extensions ? "<value><nil/></value>" : "<value/>"; return;
        case ValueKind::boolean: return scalar("boolean", v.as_bool() ? "1" : "0");
        case ValueKind::int64: {
            const std::int64_t i = v.as_int64();
            const std::string_view large = style.extensions ? "i8" : "string";
            return scalar(i >= INT32_MIN && i <= INT32_MAX ? "i4" : large, std::to_string(i));
        }
        case ValueKind::uint64: return scalar("string", std::to_string(v.as_uint64()));
        case ValueKind::float64:
            if (!std::isfinite(v.as_double())) refuse_value("it has no infinity and no NaN");
            return scalar("double", text::double_text(v.as_double()));
        case ValueKind::decimal:
            if (!text::is_number(v.as_string())) refuse_value("a decimal in it is not the text of a number");
            return scalar("double", text::canonical_number(v.as_string()));
        case ValueKind::string: return scalar("string", v.as_string());
        case ValueKind::binary: return scalar("base64", base64::encode(v.as_bytes()));
        case ValueKind::timestamp: {
            Timestamp t = v.as_timestamp();
            if (t.has_zone) t.seconds += std::int64_t{t.zone_minutes} * 60;  // the time on the wall there
            t.has_zone = false;
            t.nanoseconds = 0;
            std::string text = text::timestamp_text(t, false);
            if (text.empty()) refuse_value("a timestamp in it is not within the years 0 to 9999");
            text.erase(7, 1).erase(4, 1);
            return scalar("dateTime.iso8601", text);
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

Result<Value> read_rpc_value(const pugi::xml_node& node) { return read_value(node); }

void append_rpc_value(std::string& out, const Value& value, RpcStyle style) { write(out, value, style, 0); }

Result<Value> decode_rpc_value(std::string_view text, const Limits& limits) {
    pugi::xml_document document;
    if (auto error = load(text, limits, document)) return *std::move(error);
    return read_value(document.document_element());
}

std::string encode_rpc_value(const Value& value) {
    std::string out{"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"};
    write(out, value, {}, 0);
    return out;
}

}  // namespace qconn::xml
