// SPDX-License-Identifier: Apache-2.0
// The tables of OpenAPI 3.0.3, "Style Values", which are those of RFC 6570.
#include "openapi/style.hpp"

#include <algorithm>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>

#include "base/form.hpp"
#include "base/json.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"

namespace qconn::openapi {

namespace {

std::string scalar_text(std::string_view name, const Value& value) {
    if (value.is_binary()) return std::string{value.as_bytes()};
    if (auto text = text::scalar(value)) return std::move(*text);
    throw make_error(Errc::invalid_argument, "the parameter " + text::printable(name) + " cannot be sent: it has a list or map inside a list or map");
}

std::string encoded(std::string_view text, const Style& style, Coding coding) {
    if (coding == Coding::none) return std::string{text};
    if (!style.allow_reserved) return form::percent_encode(text);
    std::string out;
    for (const char c : text) {
        const bool reserved = std::string_view{":/?#[]@!$&'()*+,;="}.find(c) != std::string_view::npos;
        out += reserved ? std::string(1, c) : form::percent_encode(std::string_view{&c, 1});
    }
    return out;
}

std::string separator_text(char separator, Coding coding) {
    return separator == ',' || coding == Coding::none ? std::string(1, separator) : form::percent_encode(std::string_view{&separator, 1});
}

/// Items or members as texts, encoded.
struct Parts {
    std::vector<std::pair<std::string, std::string>> all;  ///< first empty: an item
};

Parts parts_of(std::string_view name, const Style& style, const Value& value, Coding coding) {
    Parts parts;
    if (value.is_list()) {
        for (const Value& item : value.as_list()) parts.all.emplace_back("", encoded(scalar_text(name, item), style, coding));
    } else if (value.is_map()) {
        for (const auto& [key, member] : value.as_map()) {
            if (!member.is_null()) parts.all.emplace_back(encoded(key, style, coding), encoded(scalar_text(name, member), style, coding));
        }
    } else {
        parts.all.emplace_back("", encoded(scalar_text(name, value), style, coding));
    }
    return parts;
}

/// `equals`: "R=100,G=200"; otherwise "R,100,G,200".
std::string joined(const Parts& parts, std::string_view separator, std::string_view equals) {
    std::string out;
    bool first = true;
    for (const auto& [key, text] : parts.all) {
        if (!first) out += separator;
        first = false;
        if (!key.empty()) (out += key) += equals;
        out += text;
    }
    return out;
}

Value scalar_of(std::string_view text, const Schema* schema) {
    const std::uint8_t types = schema != nullptr ? types_of(*schema) : std::uint8_t{0};
    if (types == 0 || (types & k_string) != 0) return Value{text};
    if ((types & k_boolean) != 0 && (text == "true" || text == "false")) return text == "true";
    if ((types & (k_integer | k_number)) != 0 && text::is_number(text)) return text::number(text);
    if (text.empty() && resolved(*schema).nullable) return {};
    return Value{text};
}

std::string decoded(std::string_view text, Coding coding) { return coding == Coding::percent ? percent_decode(text) : std::string{text}; }

std::vector<std::string_view> split_at(std::string_view text, char separator, Coding coding) {
    if (coding == Coding::none || separator == ',') return text::split(text, separator);
    std::vector<std::string_view> parts;  // ' ' and '|' are sent encoded
    const std::string code = form::percent_encode(std::string_view{&separator, 1});
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size();) {
        const bool plus = separator == ' ' && text[i] == '+';
        const std::size_t length = text[i] == separator || plus ? 1 : text::iequals(text.substr(i, code.size()), code) ? code.size() : 0;
        if (length == 0) {
            ++i;
            continue;
        }
        parts.push_back(text.substr(begin, i - begin));
        begin = i += length;
    }
    parts.push_back(text.substr(begin));
    return parts;
}

const Schema* items_of(const Schema* schema) { return schema != nullptr ? resolved(*schema).items : nullptr; }
const Schema* member(const Schema* schema, std::string_view name) { return schema != nullptr ? member_of(*schema, name) : nullptr; }

bool takes(const Schema* schema, Types type) {
    if (schema == nullptr) return false;
    const std::uint8_t types = types_of(*schema);
    return (types & type) != 0 && (types & k_string) == 0;
}

void put(Map& map, const Schema* schema, const std::string& key, std::string_view text, Coding coding) {
    map.set(key, scalar_of(decoded(text, coding), member(schema, key)));
}

std::string query_decoded(std::string_view text) {
    std::string plain{text};
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_decode(plain);
}

}  // namespace

std::string write_text(std::string_view name, const Style& style, const Value& value, Coding coding) {
    if (style.kind == StyleKind::json) return encoded(json::encode(value), style, coding);
    const Parts parts = parts_of(name, style, value, coding);
    const bool apart = value.is_list() || value.is_map();
    const std::string separator = separator_text(style.separator, coding);
    switch (style.kind) {
        case StyleKind::label: return "." + joined(parts, style.explode ? "." : ",", style.explode ? "=" : ",");
        case StyleKind::matrix: {
            const std::string prefix = ";" + encoded(name, {}, coding);
            if (!apart || !style.explode) return prefix + "=" + joined(parts, ",", ",");
            std::string out;
            for (const auto& [key, text] : parts.all) out += (key.empty() ? prefix : ";" + key) + "=" + text;
            return out;
        }
        default: return joined(parts, separator, style.explode ? "=" : separator);
    }
}

void write_query(std::vector<std::string>& pieces, std::string_view name, const Style& style, const Value& value) {
    const std::string key = form::percent_encode(name);
    const bool apart = value.is_list() || value.is_map();
    if (style.kind == StyleKind::deep_object && value.is_map()) {
        for (const auto& [member, text] : parts_of(name, style, value, Coding::percent).all) pieces.push_back(key + "%5B" + member + "%5D=" + text);
    } else if (style.explode && apart && style.kind != StyleKind::json) {
        for (const auto& [member, text] : parts_of(name, style, value, Coding::percent).all)
            pieces.push_back((member.empty() ? key : member) + "=" + text);
    } else {
        Style plain = style;
        plain.explode = false;
        pieces.push_back(key + "=" + write_text(name, plain, value, Coding::percent));
    }
}

Value read_text(std::string_view name, const Style& style, std::string_view text, const Schema* schema, Coding coding) {
    if (style.kind == StyleKind::json) {
        const std::string plain = decoded(text, coding);
        const auto value = json::decode(plain);
        return value ? *value : Value{plain};
    }
    const bool list = takes(schema, k_array);
    const bool map = takes(schema, k_object);
    char separator = style.separator;
    if (style.kind == StyleKind::label) {
        if (!text.starts_with('.')) return Value{decoded(text, coding)};
        text.remove_prefix(1);
        if (style.explode) separator = '.';
    } else if (style.kind == StyleKind::matrix) {
        const std::string prefix = ";" + (coding == Coding::percent ? form::percent_encode(name) : std::string{name}) + "=";
        if (style.explode && list) {
            List items;
            for (const std::string_view piece : text::split(text.substr(std::min<std::size_t>(1, text.size())), ';')) {
                const std::string_view item = piece.substr(std::min(piece.find('=') + 1, piece.size()));
                items.push_back(scalar_of(decoded(item, coding), items_of(schema)));
            }
            return items;
        }
        if (style.explode && map) {
            text.remove_prefix(text.starts_with(';') ? 1 : 0);
            separator = ';';
        } else {
            if (!text.starts_with(prefix)) return Value{decoded(text, coding)};
            text.remove_prefix(prefix.size());
        }
    }
    if (!list && !map) return scalar_of(decoded(text, coding), schema);
    if (list && text.empty()) return List{};
    const auto parts = split_at(text, separator, coding);
    if (list) {
        List items;
        for (const std::string_view part : parts) items.push_back(scalar_of(decoded(part, coding), items_of(schema)));
        return items;
    }
    Map members;
    if (style.explode) {
        for (const std::string_view part : parts) {
            const std::size_t equals = std::min(part.find('='), part.size());
            put(members, schema, decoded(part.substr(0, equals), coding), part.substr(std::min(equals + 1, part.size())), coding);
        }
    } else {
        if (parts.size() % 2 != 0) return Value{decoded(text, coding)};
        for (std::size_t i = 0; i + 1 < parts.size(); i += 2) put(members, schema, decoded(parts[i], coding), parts[i + 1], coding);
    }
    return members;
}

Value read_value(std::string_view name, const Style& style, const Value& value, const Schema* schema) {
    if (value.is_string()) {
        // A list or map is read from one text without the signs that style puts before it.
        const Style plain{style.kind == StyleKind::json ? StyleKind::json : StyleKind::simple, style.explode && takes(schema, k_object),
                          style.separator, false};
        return read_text(name, plain, value.as_string(), schema, Coding::none);
    }
    if (value.is_list()) {
        List items;
        for (const Value& item : value.as_list()) items.push_back(item.is_string() ? scalar_of(item.as_string(), items_of(schema)) : item);
        return items;
    }
    if (value.is_map()) {
        Map members;
        for (const auto& [key, one] : value.as_map()) members.set(key, one.is_string() ? scalar_of(one.as_string(), member(schema, key)) : one);
        return members;
    }
    return value;
}

RawQuery split_query(std::string_view query) {
    RawQuery all;
    if (query.empty()) return all;
    for (const std::string_view piece : text::split(query, '&')) {
        const std::size_t equals = std::min(piece.find('='), piece.size());
        if (!piece.empty()) all.emplace_back(query_decoded(piece.substr(0, equals)), piece.substr(std::min(equals + 1, piece.size())));
    }
    return all;
}

Value read_query(RawQuery& query, std::string_view name, const Style& style, const Schema* schema) {
    RawQuery mine;
    const bool map = takes(schema, k_object);
    const bool deep = style.kind == StyleKind::deep_object;
    const bool by_member = map && style.explode && style.kind == StyleKind::form;
    const auto is_mine = [&](const std::string& key) {
        if (deep) return key.starts_with(std::string{name} + "[") && key.ends_with(']');
        return by_member ? resolved(*schema).properties.contains(key) : key == name;
    };
    for (auto at = query.begin(); at != query.end();) {
        if (!is_mine(at->first)) {
            ++at;
            continue;
        }
        mine.push_back(std::move(*at));
        at = query.erase(at);
    }
    if (mine.empty()) return {};
    if (deep || by_member) {
        Map members;
        for (const auto& [key, text] : mine) {
            const std::string inner = deep ? key.substr(name.size() + 1, key.size() - name.size() - 2) : key;
            members.set(inner, scalar_of(query_decoded(text), member(schema, inner)));
        }
        return members;
    }
    if (mine.size() > 1 || (style.explode && takes(schema, k_array))) {
        List items;
        for (const auto& [key, text] : mine) items.push_back(scalar_of(query_decoded(text), items_of(schema)));
        return items;
    }
    std::string text = mine.front().second;
    if (style.separator == ',') std::replace(text.begin(), text.end(), '+', ' ');
    return read_text(name, {style.kind == StyleKind::json ? StyleKind::json : StyleKind::simple, false, style.separator, false}, text, schema,
                     Coding::percent);
}

}  // namespace qconn::openapi
