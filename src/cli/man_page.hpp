// SPDX-License-Identifier: Apache-2.0
/// The manual page, from the same tables as the parser and --help.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace qconn::cli {

/// Text as roff that shows it as it is: also at the start of a line, and so that examples can be copied.
std::string roff_text(std::string_view text);

/// qconn(1) in the man macros.
/// @param date  "2026-01-31"
std::string man_page(const CLI::App& app, std::string_view version, std::string_view date);

}  // namespace qconn::cli
