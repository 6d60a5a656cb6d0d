// SPDX-License-Identifier: Apache-2.0
/// Opt-in bridge between qconn::Value and nlohmann::json (or ordered_json, which keeps the order of members). Header-only: include it beside
/// <nlohmann/json.hpp>, which is yours to bring.
///
///     nlohmann::json j = order;                     // order is a qconn::Value
///     qconn::Value v = j.get<qconn::Value>();
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <qconn/base/error.hpp>
#include <qconn/base/value.hpp>

namespace qconn {

namespace detail {
/// ISO 8601 text of a timestamp or duration. @throws Error SERIALIZATION-ERROR where the year is not within 0 to 9999
QCONN_API std::string iso_text(const Value& value);
}  // namespace detail

/// Integers are exact and binary stays binary. What nlohmann::json lacks becomes text: decimals, timestamps and durations (ISO 8601); a tag is
/// dropped.
/// @throws Error SERIALIZATION-ERROR for a year outside 0 to 9999
template <class Json, std::enable_if_t<nlohmann::detail::is_basic_json<Json>::value, int> = 0>
void to_json(Json& json, const Value& value) {
    switch (value.kind()) {
        case ValueKind::null: json = nullptr; return;
        case ValueKind::boolean: json = value.as_bool(); return;
        case ValueKind::int64: json = value.as_int64(); return;
        case ValueKind::uint64: json = value.as_uint64(); return;
        case ValueKind::float64: json = value.as_double(); return;
        case ValueKind::decimal:
        case ValueKind::string: json = std::string{value.as_string()}; return;
        case ValueKind::binary: {
            typename Json::binary_t::container_type bytes;
            for (const char c : value.as_bytes()) bytes.push_back(static_cast<std::uint8_t>(c));
            json = Json::binary(std::move(bytes));
            return;
        }
        case ValueKind::timestamp:
        case ValueKind::duration: json = detail::iso_text(value); return;
        case ValueKind::list: {
            json = Json::array();
            for (const Value& item : value.as_list()) {
                Json element;
                qconn::to_json(element, item);
                json.push_back(std::move(element));
            }
            return;
        }
        case ValueKind::map: {
            json = Json::object();
            for (const auto& [name, item] : value.as_map()) qconn::to_json(json[name], item);
            return;
        }
        case ValueKind::tagged: qconn::to_json(json, value.untagged()); return;
    }
}

/// Integers are exact as far as nlohmann::json kept them: its parser makes a double of those beyond 64 bits. Discarded values become null.
template <class Json, std::enable_if_t<nlohmann::detail::is_basic_json<Json>::value, int> = 0>
void from_json(const Json& json, Value& value) {
    using Kind = nlohmann::detail::value_t;
    switch (json.type()) {
        case Kind::null:
        case Kind::discarded: value = Value{}; return;
        case Kind::boolean: value = Value{json.template get<bool>()}; return;
        case Kind::number_integer: value = Value{static_cast<long long>(json.template get<std::int64_t>())}; return;
        case Kind::number_unsigned: value = Value{static_cast<unsigned long long>(json.template get<std::uint64_t>())}; return;
        case Kind::number_float: value = Value{json.template get<double>()}; return;
        case Kind::string: value = Value{json.template get_ref<const typename Json::string_t&>()}; return;
        case Kind::binary: {
            std::string bytes;
            for (const std::uint8_t b : json.get_binary()) bytes.push_back(static_cast<char>(b));
            value = Value::binary(bytes);
            return;
        }
        case Kind::array: {
            List list;
            list.reserve(json.size());
            for (const Json& element : json) {
                list.emplace_back();
                qconn::from_json(element, list.back());
            }
            value = Value{std::move(list)};
            return;
        }
        case Kind::object: {
            Map map;
            for (auto it = json.begin(); it != json.end(); ++it) qconn::from_json(it.value(), map[it.key()]);
            value = Value{std::move(map)};
            return;
        }
    }
}

}  // namespace qconn
