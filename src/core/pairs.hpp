// SPDX-License-Identifier: Apache-2.0
/// Values written as text on one line, as `headers` and `tags` may be: `key=value, key2=value2`.
///
///     text   = [ item { "," item } ]
///     item   = [ key "=" ] value
///     value  = quoted | "(" text ")" | "{" text "}" | word
///
/// Items with keys make a map, items without a list, one without a key its value; both kinds together are an error. Round brackets hold a
/// map or a list (also of one or no value), curly ones a map. A quoted value is always a string; `\"`, `\\`, `\n`, `\r` and `\t` are its
/// escapes. A word runs to the next comma, or to a bracket that closes the group that it is in; brackets within it pair up. It is a boolean (true,
/// True, false, False), an integer, a float, a number too large for these or marked with `n` (12.50n), a date (2024-05-01, 2024-05-01 10:30, with
/// seconds and a fraction), or else a string. The prefix `%STR=` makes all that follows it one string; `%EVAL=` is refused.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn::core {

struct PairsLimits {
    std::size_t max_size{64 * 1024};
    std::size_t max_depth{32};
    std::size_t max_items{10'000};
    /// False: every word stays the text that it is, for maps of text to text such as headers.
    bool typed{true};
};

/// What is wrong, and where in the text (bytes). The message quotes nothing of the text, which may be secret.
struct PairsProblem {
    std::size_t offset{0};
    std::size_t length{1};
    std::string message;
};

struct PairsResult {
    Value value;
    std::optional<PairsProblem> problem;
};

/// An empty text gives null.
PairsResult parse_pairs(std::string_view text, const PairsLimits& limits = {});

/// The value of one bare word by the rules above; also used for `KEY=VALUE` arguments.
Value word_value(std::string_view word);

}  // namespace qconn::core
