// SPDX-License-Identifier: Apache-2.0
/// How a module that was not taken is reported.
#pragma once

#include <string>

#include <qconn/core/module.hpp>

namespace qconn::core {

/// @param module  what was asked for: a name or a path
/// @param what    why not, and what to do
Error module_error(ModuleErrc code, const std::string& module, const std::string& what);

}  // namespace qconn::core
