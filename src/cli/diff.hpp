// SPDX-License-Identifier: Apache-2.0
/// Unified diffs of texts whose lines are shown otherwise than they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qconn::cli {

/// A text as lines, and each of them as it may be shown.
struct ShownText {
    std::vector<std::string_view> lines;
    std::vector<std::string> shown;
};

/// Lines of a text without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

/// What `diff -u` says of the lines, with those that are shown in their place; empty where there is no difference.
std::string unified_diff(std::string_view name, const ShownText& before, const ShownText& after);

}  // namespace qconn::cli
