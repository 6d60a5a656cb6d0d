// SPDX-License-Identifier: Apache-2.0
/// The text form that definitions had before the YAML one (`*.qconn`), and what of it goes into YAML.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn {

class Catalogue;

/// What the reading of a legacy text depends on besides the text.
struct LegacyOptions {
    /// The names that `%ifdef` finds.
    std::vector<std::string> defines{};
    /// `max_depth` counts conditions inside each other, `max_nodes` connections, keys and values.
    DefinitionLimits limits{};
    /// The value of an environment variable, nothing where it is not set. Empty: the environment of the process.
    std::function<std::optional<std::string>(const std::string& name)> environment{};
};

/// Reads `name = ( key = value, … )` as a registry does when it loads a `*.qconn` file: `%ifdef` is decided, `$NAME` and `${NAME}` are replaced by
/// the environment's values, one that is not set by nothing (a warning). References to secrets stay as they are, and no variable's value forms one.
/// Options are text until Catalogue::check has given them the types of their scheme, which it does without a word about quotes.
/// @param file  for the diagnostics
QCONN_API ParsedDefinitions parse_legacy_definitions(std::string_view text, std::string_view file, const LegacyOptions& options = {});

/// What a legacy text gives in YAML.
struct LegacyImport {
    /// Whole or not, in the order of the text, checked; for to_yaml. Those with errors among `notes` need a hand before they can be loaded.
    std::vector<Definition> definitions;
    /// What is wrong with the text, and what could not be carried over or means something else from now on: variables, conditions, comments.
    Diagnostics notes;
    /// The text is not in this form; `definitions` then is empty.
    bool unreadable{false};
};

/// Reads the same for conversion: no variable is replaced, as that would freeze its value, which may be a secret. `$NAME` in the URL and in options
/// becomes the reference `${env:NAME}`; in descriptions and tags, which hold no references, it stays as it is written.
/// @param catalogue  knows the types of the options; null: the built-in one
QCONN_API LegacyImport read_legacy(std::string_view text, std::string_view file, const LegacyOptions& options = {},
                                   const Catalogue* catalogue = nullptr);

}  // namespace qconn
