// SPDX-License-Identifier: Apache-2.0
/// What FTP and SMTP servers say to a command.
#pragma once

#include <string>
#include <vector>

#include <qconn/base/export.hpp>

namespace qconn {

/// Three digits and lines of text (RFC 959 section 4.2, RFC 5321 section 4.2). A value type.
struct Reply {
    /// Three digits; 0: none came.
    int code{0};
    /// Without code and line ends; a reply of several lines has several.
    std::vector<std::string> lines{};
    /// The lines joined by blanks.
    QCONN_API std::string text() const;
};

}  // namespace qconn
