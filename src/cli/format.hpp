// SPDX-License-Identifier: Apache-2.0
/// The forms that results can be had in: `--format`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qconn::cli {

enum class Format {
    table,  ///< for people
    json,
    yaml,
    csv,
    sarif,  ///< check
    dot,    ///< graph
};

std::string_view to_string(Format format) noexcept;
std::optional<Format> format_named(std::string_view word) noexcept;
/// "table|json|yaml|csv", and those that only some commands have.
std::string formats_text(const std::vector<Format>& further = {}, std::string_view between = "|");

}  // namespace qconn::cli
