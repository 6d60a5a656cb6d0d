// SPDX-License-Identifier: Apache-2.0
/// What this build of qconn is made of.
#pragma once

#include <string>
#include <vector>

#include <qconn/base/export.hpp>

namespace qconn {

/// A library that qconn uses. A value type.
struct LibraryInfo {
    std::string name;  ///< "libcurl"
    /// Of the one in use now, which a system update may have replaced since the build. Of libraries that are headers only: of the headers.
    std::string version;
    /// Of the headers that qconn was built with.
    std::string built_with;
    /// What it can do, where it can be built with or without: "HTTP2", "IPv6".
    std::vector<std::string> features;
    /// Of these, what qconn would use and this one does not have.
    std::vector<std::string> lacks;
};

/// A value type.
struct BuildInfo {
    std::string version;   ///< of qconn
    std::string compiler;  ///< "g++ 12.2.0"
    /// The TLS library first; those of families that were left out of the build are absent.
    std::vector<LibraryInfo> libraries;
};

/// @note Thread-safe; asks the libraries themselves.
QCONN_API BuildInfo build_info();

}  // namespace qconn
