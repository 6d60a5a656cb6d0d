// SPDX-License-Identifier: Apache-2.0
#include "file/tree_path.hpp"

#include "base/text.hpp"

namespace qconn::file {

std::string joined(std::string_view folder, std::string_view name) {
    std::string path{folder};
    if (!path.empty() && !path.ends_with('/')) path += '/';
    return path += name;
}

bool is_safe_name(std::string_view name) noexcept {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

void check_depth(std::string_view path, int depth) {
    if (depth <= k_max_depth) return;
    throw make_error(Errc::limit, "the directory \"" + text::printable(text::shorten(path, 200)) + "\" is not entered: it is below " +
                                      std::to_string(k_max_depth) + " others")
        .with_phase(Phase::protocol)
        .with_reason(Reason::limit);
}

}  // namespace qconn::file
