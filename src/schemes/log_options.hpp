// SPDX-License-Identifier: Apache-2.0
/// Options for what families of lines write into the log.
#pragma once

#include <qconn/core/option.hpp>

namespace qconn::schemes {

template <class Options>
void add_log_options(OptionTable<Options>& table) {
    const auto flag = [&table](const char* name, auto member, const char* help) {
        OptionSpec& spec = table.add(name, member, OptionType::boolean, help);
        spec.fallback = false;
        spec.example = true;
    };
    flag("log", &Options::log, "Commands and what becomes of sessions are logged, at level info, secrets masked");
    flag("dbglog", &Options::dbglog, "All that is said is logged, answers too, at level debug, secrets masked");
}

/// For pings that are calls of a client: what is said in pings is not logged.
template <class Options>
Options without_logs(Options options) {
    options.log = options.dbglog = false;
    return options;
}

}  // namespace qconn::schemes
