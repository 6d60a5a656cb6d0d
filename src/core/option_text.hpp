// SPDX-License-Identifier: Apache-2.0
/// Values of options as people write them: booleans in other words, maps and lists as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

#include "base/yaml.hpp"

namespace qconn::core {

/// true, on, yes, y, enable, enabled, t, 1 and their opposites, in any case; nothing for any other word.
std::optional<bool> boolean_word(std::string_view word) noexcept;
/// The same for the legacy form, which knows numbers besides; `t` was false there, so it is none of these.
std::optional<bool> legacy_boolean_word(std::string_view word) noexcept;

/// A map or list written as YAML text in a string ('{Accept: "application/json"}', '["a", "b"]'), secret references in it untouched. Nothing where
/// the text is no YAML, or of another kind than `map` asks for.
/// @param as_texts  the scalars of a map as the text that was written, see text_map
std::optional<Value> structured_text(std::string_view text, bool map, bool as_texts = false);

/// The map with each plain scalar as the text that was written (1.10 stays "1.10"): for maps of text to text such as headers.
Map text_map(const yaml::Node& node);

/// A message for a finding of yaml::to_value that quotes nothing of the value, which may be secret.
struct Wording {
    std::string_view message;
    std::string_view hint;
};
Wording value_wording(std::string_view code) noexcept;

}  // namespace qconn::core
