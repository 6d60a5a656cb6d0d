// SPDX-License-Identifier: Apache-2.0
/// What shells load to complete command lines of the tool.
#pragma once

#include <string_view>
#include <vector>

namespace qconn::cli {

struct CompletionScript {
    std::string_view shell;
    std::string_view text;
};

/// They know nothing of commands and options: each asks the tool (`qconn __complete`), so they are never out of date.
const std::vector<CompletionScript>& completion_scripts();

}  // namespace qconn::cli
