// SPDX-License-Identifier: Apache-2.0
/// Words of a command line as the arguments of an operation.
#pragma once

#include <string>
#include <vector>

#include <qconn/core/scheme.hpp>

namespace qconn::cli {

struct CallWord {
    std::string text;
    /// It stood after `--`: never KEY=VALUE or @FILE.
    bool literal{false};
};

/// Arguments by name, of their types. A word is KEY=VALUE where the operation declares a field KEY, or takes any further field and KEY looks like
/// a name; all others fill the positional arguments in order. For an argument of
/// type data `@FILE` is what the file holds, `@-` standard input.
/// @throws UsageError with the operation's usage: too many, missing, given twice, of another type, or KEY=VALUE with the name of no option where the
/// operation has options
/// @throws Error SYSTEM-ERROR for a FILE that cannot be read
Map bind_arguments(const OperationSpec& operation, const std::vector<CallWord>& words);

}  // namespace qconn::cli
