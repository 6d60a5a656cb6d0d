// SPDX-License-Identifier: Apache-2.0
/// What is made from tables of options, whoever has them.
#pragma once

#include <string>
#include <vector>

#include <qconn/core/option.hpp>

namespace qconn::core {

/// Markdown table.
std::string options_markdown(const std::vector<OptionSpec>& options);
/// JSON Schema of a value, without the typed spelling of definitions around it.
Map plain_schema(const OptionSpec& spec);
/// Help with what the type cannot say, for the same.
std::string option_description(const OptionSpec& spec);

}  // namespace qconn::core
