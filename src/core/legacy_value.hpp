// SPDX-License-Identifier: Apache-2.0
/// `$NAME` and `${NAME}` in values of the legacy text form, beside references to secrets.
#pragma once

#include <string>
#include <vector>

#include <qconn/core/diagnostic.hpp>

#include "core/environment.hpp"
#include "core/legacy_text.hpp"

namespace qconn::core {

/// What becomes of variables and of `${env:…}` and the like.
enum class LegacyUse {
    load,     ///< variables are replaced, references stay: the URL and options
    convert,  ///< variables become references
    plain,    ///< variables are replaced; there are no references here: descriptions and tags
    written,  ///< nothing is replaced
};

/// A value with all that was said about it put into effect.
struct LegacyValue {
    /// Where references have a meaning, any other `${` that could be taken for one is written `$${`.
    std::string text;
    /// Variables that were found, set or not.
    std::vector<Place> variables;
    /// Those of them that the environment does not have; not looked up for `convert` and `written`.
    std::vector<Place> unset;
    /// References behind a `$` that would make them literal, which no spelling can say.
    std::vector<Place> unsayable;
};

/// One pass: what a variable's value holds is not looked at again.
LegacyValue apply(const LegacyText& value, LegacyUse use, const EnvironmentLookup& lookup);

}  // namespace qconn::core
