// SPDX-License-Identifier: Apache-2.0
/// JSON (RFC 8259) to and from values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>

namespace qconn::json {

/// What a hostile text may cost, and what is let pass.
struct Limits {
    std::size_t size{64U << 20U};   ///< bytes of text
    std::size_t depth{200};         ///< lists and maps inside each other; never above 500
    std::size_t values{8'000'000};  ///< lists, maps and scalars together
    /// Of two members of one name the last one counts; otherwise they are an error, as readers disagree on what they mean.
    bool last_member_wins{false};
};

/// Exact: integers of 64 bits stay integers; a number that is larger, or has more digits than a double holds, is a decimal.
/// The text must be UTF-8 and hold one value; a byte order mark is skipped.
/// @returns PARSE-ERROR with line and column; LIMIT-EXCEEDED
Result<Value> decode(std::string_view text, const Limits& limits = {});

/// What becomes of a value that JSON does not have.
enum class Unfit : std::uint8_t {
    refuse,   ///< binary, infinity and NaN are an error
    as_text,  ///< binary as base64, the others as "inf", "-inf", "nan": for people and tools
};

/// Timestamps and durations become text in the forms of ISO 8601, decimals numbers; a tag is dropped. Text that is read back gives the same values of
/// the kinds that JSON has; decimals that a double holds become doubles.
/// @param pretty  in several lines, indented by two; no newline at the end
/// @throws Error SERIALIZATION-ERROR for what does not fit, text that is not UTF-8, more than 500 lists and maps inside each other
std::string encode(const Value& value, bool pretty = false, Unfit unfit = Unfit::refuse);

/// A JSON string with its quotes. @throws Error SERIALIZATION-ERROR where it is not UTF-8
std::string quoted(std::string_view text);

}  // namespace qconn::json
