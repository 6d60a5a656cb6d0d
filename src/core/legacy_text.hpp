// SPDX-License-Identifier: Apache-2.0
/// The legacy text form of definitions, apart from what it means: which connections and keys stand where.
///
///     text        = { declaration }
///     declaration = name "=" "(" [ pair { "," pair } [ "," ] ] ")"
///     pair        = name "=" value
///     value       = quoted | raw
///
/// A raw value runs to the next comma or closing parenthesis; parentheses and braces that open and close in one line keep what is between them
/// together. `#` begins a comment, also in the middle of a raw value. A quoted value knows `\n`, `\r` and `\t`; any other character behind a
/// backslash is that character, a `$` then is no variable. Lines that begin with %ifdef NAME, %ifndef NAME, %else and %endif choose which lines
/// count; inside a quoted value they are text. One condition inside another counts only where the outer one holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/definition.hpp>
#include <qconn/core/diagnostic.hpp>

#include "base/yaml.hpp"

namespace qconn::core {

/// A `$` in a name or value.
struct LegacyDollar {
    std::size_t offset;  ///< in LegacyText::text
    yaml::Mark at;
    /// Written `\$`: only a character.
    bool literal;
};

struct LegacyText {
    /// Escapes resolved, without blanks at the ends of raw text.
    std::string text;
    bool quoted{false};
    yaml::Mark start;
    yaml::Mark end;
    std::vector<LegacyDollar> dollars;

    /// Its length where it stands on one line, otherwise 1.
    Place place() const noexcept;
};

struct LegacyPair {
    LegacyText key;
    LegacyText value;
};

struct LegacyDeclaration {
    LegacyText name;
    std::vector<LegacyPair> pairs;
    yaml::Mark end;
};

/// An %ifdef or %ifndef that was decided, not one among lines that do not count.
struct LegacyCondition {
    Place place;
    std::string name;
    bool defined;  ///< the name is among the defines
};

/// Something wrong. Quotes nothing of a value.
struct LegacyProblem {
    Severity severity;
    const char* code;
    Place place;
    std::string message;
    std::string hint;
};

struct LegacyTree {
    std::vector<LegacyDeclaration> declarations;
    std::vector<LegacyCondition> conditions;
    std::vector<LegacyProblem> problems;
    /// Comments that say something.
    std::size_t comments{0};
    /// The last problem ended the reading.
    bool fatal{false};
};

/// Never throws for what is in the text.
LegacyTree parse_legacy_text(std::string_view text, const std::vector<std::string>& defines, const DefinitionLimits& limits);

}  // namespace qconn::core
