// SPDX-License-Identifier: Apache-2.0
/// The text of a definition.
#pragma once

#include <string>
#include <string_view>

namespace qconn::test {

/// @param options  the lines of the options, without their indentation, or nothing
inline std::string document(std::string_view name, std::string_view url, std::string_view options = {}) {
    std::string yaml = "type: connection\nname: " + std::string{name} + "\ndesc: a connection under test\nurl: '" + std::string{url} + "'\n";
    if (!options.empty()) yaml += "options:\n";
    while (!options.empty()) {
        const auto end = options.find('\n');
        yaml.append("  ").append(options.substr(0, end)).append("\n");
        options = end == std::string_view::npos ? std::string_view{} : options.substr(end + 1);
    }
    return yaml;
}

}  // namespace qconn::test
