// SPDX-License-Identifier: Apache-2.0
/// Sources in YAML and JSON. JSON is read as the YAML that it is, so that its findings have places too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/yaml.hpp"
#include "import/run.hpp"

namespace qconn::importing {

/// The documents of a text. What is wrong with it is told.
/// @returns what could be read
yaml::ParseResult read_tree(std::string_view text, Run& run);

Place place_of(const yaml::Node& node) noexcept;

/// Texts of scalars as they are written, so that 1.10 and 007 stay that; null where nothing stands.
Value value_of(const yaml::Node& node);

}  // namespace qconn::importing
