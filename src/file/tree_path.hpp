// SPDX-License-Identifier: Apache-2.0
/// Paths within a tree.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

namespace qconn::file {

/// Directories below each other that are entered: a server may have them without end.
inline constexpr int k_max_depth = 256;

std::string joined(std::string_view folder, std::string_view name);
/// Whether that can be the name of one entry of a directory here: what a server sends is not trusted.
bool is_safe_name(std::string_view name) noexcept;
/// @throws Error LIMIT-EXCEEDED where it is below k_max_depth others
void check_depth(std::string_view path, int depth);

}  // namespace qconn::file
