// SPDX-License-Identifier: Apache-2.0
/// The directory that a file URL means.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/url.hpp>

namespace qconn::schemes {

/// `C:/temp`, `\\server\share`
bool is_windows_path(std::string_view path) noexcept;

/// The host stands before the path (`file://data/in` is data/in), a relative result gets a leading '/', and `.`, `..` and double slashes are taken
/// out. Environment variables have been replaced already. A path of Windows stays as it is.
std::string file_location(const Url& url);

}  // namespace qconn::schemes
