// SPDX-License-Identifier: Apache-2.0
/// JSON as nlohmann reads it, to hold ours against.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

#include "base/json.hpp"

namespace qconn::test {

/// Whether both read the same; a decimal is what the other one makes a double of.
inline bool same_json(const Value& v, const nlohmann::ordered_json& j) {
    switch (v.kind()) {
        case ValueKind::null: return j.is_null();
        case ValueKind::boolean: return j.is_boolean() && j.get<bool>() == v.as_bool();
        case ValueKind::int64: return j.is_number_integer() && j.get<std::int64_t>() == v.as_int64();
        case ValueKind::uint64: return j.is_number_unsigned() && j.get<std::uint64_t>() == v.as_uint64();
        case ValueKind::float64: return j.is_number_float() && j.get<double>() == v.as_double();
        case ValueKind::decimal: return j.is_number_float() && j.get<double>() == std::strtod(std::string{v.as_string()}.c_str(), nullptr);
        case ValueKind::string: return j.is_string() && j.get_ref<const std::string&>() == v.as_string();
        case ValueKind::list: {
            if (!j.is_array() || j.size() != v.size()) return false;
            for (std::size_t i = 0; i < v.size(); ++i)
                if (!same_json(v.as_list()[i], j[i])) return false;
            return true;
        }
        case ValueKind::map: {
            if (!j.is_object() || j.size() != v.size()) return false;
            auto other = j.begin();
            for (const auto& [name, member] : v.as_map()) {
                if (other.key() != name || !same_json(member, *other)) return false;
                ++other;
            }
            return true;
        }
        default: return false;
    }
}

/// Whether both make the same of a text: the same value, or both refuse it. What is ours alone is let pass: limits, numbers beyond a double.
inline bool read_as_reference(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return true;  // ends a text for the other one
    const auto ours = json::decode(text, {.last_member_wins = true});
    try {
        const auto theirs = nlohmann::ordered_json::parse(text);
        if (ours) return same_json(*ours, theirs);
        return ours.error().code() == Errc::limit || ours.error().message().find("exponent") != std::string_view::npos;
    } catch (const nlohmann::json::out_of_range&) { return true; } catch (const nlohmann::json::parse_error&) {
        return !ours;
    }
}

}  // namespace qconn::test
