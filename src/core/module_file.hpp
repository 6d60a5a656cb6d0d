// SPDX-License-Identifier: Apache-2.0
/// Where the file of a module is.
#pragma once

#include <string>

namespace qconn::core {

/// The absolute path that a module's name or path stands for, symbolic links resolved where it exists.
/// @throws Error MODULE-ERROR (not_found) where there is no module of that name, with the directories that were looked in
std::string module_file(const std::string& module);

/// The name that a module has until it tells its own: of its file, without the suffix.
std::string module_name(const std::string& path);

}  // namespace qconn::core
