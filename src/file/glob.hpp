// SPDX-License-Identifier: Apache-2.0
/// Names of files chosen by a pattern, alike for every client.
#pragma once

#include <fnmatch.h>

#include <string>

namespace qconn::file {

/// A shell glob, which takes a leading dot only where it names one; empty: all.
inline bool is_wanted(const std::string& pattern, const char* name) noexcept {
    return pattern.empty() || ::fnmatch(pattern.c_str(), name, FNM_PERIOD) == 0;
}

}  // namespace qconn::file
