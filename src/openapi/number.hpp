// SPDX-License-Identifier: Apache-2.0
/// Numbers as decimal digits, so that what a schema says of them is exact; and values as text that is equal where JSON says they are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn::openapi {

/// `digits` times ten to the power of `exponent`. Digits without zeros at either end; zero has none.
struct Decimal {
    bool negative{false};
    std::string digits;
    std::int64_t exponent{0};

    bool is_integer() const noexcept { return exponent >= 0; }
    friend bool operator==(const Decimal&, const Decimal&) = default;
};

/// Nothing where it is no number that JSON has: infinity, NaN, or one of more digits or a larger exponent than anybody needs.
std::optional<Decimal> to_decimal(const Value& value);
std::optional<Decimal> parse_decimal(std::string_view text);
std::string to_text(const Decimal& number);

/// -1, 0, 1.
int compare(const Decimal& a, const Decimal& b) noexcept;
/// Whether `divisor`, which is above zero and has at most k_divisor_digits, divides it without rest.
bool is_multiple(const Decimal& number, const Decimal& divisor) noexcept;
constexpr std::size_t k_divisor_digits = 18;

/// The same text for equal values: numbers by what they are, maps without order. Kinds that JSON lacks as the text that they are sent as.
std::string canonical(const Value& value);

}  // namespace qconn::openapi
