// SPDX-License-Identifier: Apache-2.0
/// Words and tags that reader and writer of YAML must agree on.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/scalar_text.hpp"

namespace qconn::yaml {

constexpr std::string_view k_sqlnull = "sqlnull";

constexpr bool is_null_word(std::string_view text) noexcept {
    return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

constexpr std::optional<bool> bool_word(std::string_view text) noexcept {
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return std::nullopt;
}

/// Tags of YAML itself that say how the text of a scalar is read.
constexpr bool is_yaml_scalar_tag(std::string_view tag) noexcept {
    return tag == "!!str" || tag == "!!int" || tag == "!!float" || tag == "!!bool" || tag == "!!null" || tag == "!!timestamp" || tag == "!!binary";
}

/// `3.5n{128}`: an arbitrary-precision number of Qorus with its precision in bits; `3.5n` has as many as it needs.
struct QorusNumber {
    std::string_view digits;
    std::size_t precision;
};

constexpr std::size_t k_qorus_precision = 128;

/// Bits that a number with these digits is written with: 128, or as many more as it needs.
constexpr std::size_t precision_for(std::string_view digits) noexcept {
    std::size_t n = 0;
    for (const char c : digits)
        if (c >= '0' && c <= '9') ++n;
    const std::size_t bits = n * 10 / 3 + 1;
    return bits <= k_qorus_precision ? k_qorus_precision : (bits + 63) / 64 * 64;
}

inline std::optional<QorusNumber> split_qorus_number(std::string_view text) noexcept {
    const std::size_t n = text.find('n');
    if (n == std::string_view::npos || !text::is_number(text.substr(0, n))) return std::nullopt;
    QorusNumber number{text.substr(0, n), precision_for(text.substr(0, n))};
    std::string_view rest = text.substr(n + 1);
    if (rest.empty()) return number;
    if (rest.size() < 3 || rest.front() != '{' || rest.back() != '}') return std::nullopt;
    rest = rest.substr(1, rest.size() - 2);
    const auto r = std::from_chars(rest.data(), rest.data() + rest.size(), number.precision);
    if (r.ec != std::errc{} || r.ptr != rest.data() + rest.size()) return std::nullopt;
    return number;
}

}  // namespace qconn::yaml
