// SPDX-License-Identifier: Apache-2.0
/// What is wrong with a definition, and exactly where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>

namespace qconn {

enum class Severity : std::uint8_t { note, warning, error };
QCONN_API std::string_view to_string(Severity severity) noexcept;

/// A place in a text. Lines and columns count from 1, columns in characters (code points); line 0: no place known.
struct Place {
    std::uint32_t line{0};
    std::uint32_t column{0};
    /// Characters that the caret line marks; at least 1.
    std::uint32_t length{1};

    friend bool operator==(const Place&, const Place&) = default;
};

/// One finding. Holds no secret: the source line is masked where it has one. A value type.
struct Diagnostic {
    Severity severity{Severity::error};
    /// Stable: "unknown-option", "duplicate-key". Listed in docs/definitions.md.
    std::string code;
    /// As given to the reader: a path, or a name for text that came from elsewhere.
    std::string file;
    Place place;
    std::string message;
    /// What to do: "did you mean 'connect_timeout'?". May be empty.
    std::string hint;
    /// The line of the file, for the caret form; masked where it holds what may be secret, and cut where it is very long. May be empty.
    std::string source_line;
    /// Where the place stands in source_line, which masking can make longer or shorter. Column 0: where it stands in the file.
    std::uint32_t shown_column{0};
    std::uint32_t shown_length{1};
    /// The connection that it is about, where that is known.
    std::string connection;
};

/// `file:line:column: error: message [code]`, the line with a caret under the place, the hint. Several lines, ends with a newline.
/// @param colour  with ANSI colours
QCONN_API std::string render(const Diagnostic& diagnostic, bool colour = false);
/// The first line of it without a newline.
QCONN_API std::string summary(const Diagnostic& diagnostic);

using Diagnostics = std::vector<Diagnostic>;
QCONN_API bool has_errors(const Diagnostics& diagnostics) noexcept;

/// The candidate that `word` was most likely meant to be; empty where none is near (Damerau-Levenshtein distance at most a third of its length,
/// at least 1). Case and the characters `-` and `_` are not told apart.
QCONN_API std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace qconn
