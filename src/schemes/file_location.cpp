// SPDX-License-Identifier: Apache-2.0
#include "schemes/file_location.hpp"

#include <vector>

#include "base/text.hpp"

namespace qconn::schemes {

bool is_windows_path(std::string_view path) noexcept {
    if (path.starts_with("\\\\")) return true;
    return path.size() >= 2 && path[1] == ':' && text::is_alpha(path[0]) && (path.size() == 2 || path[2] == '/' || path[2] == '\\');
}

std::string file_location(const Url& url) {
    if (url.host.empty() && is_windows_path(url.path)) return url.path;
    std::string whole = url.host;
    if (url.port) whole += ':' + std::to_string(*url.port);  // a directory may be named so
    whole += url.path;
    std::vector<std::string_view> parts;
    for (const std::string_view part : text::split(whole, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..")
            parts.push_back(part);
        else if (!parts.empty())
            parts.pop_back();
    }
    std::string result;
    for (const std::string_view part : parts) result.append(1, '/').append(part);
    return result.empty() ? "/" : result;
}

}  // namespace qconn::schemes
