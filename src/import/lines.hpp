// SPDX-License-Identifier: Apache-2.0
/// Line-oriented sources, and the places in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <qconn/core/diagnostic.hpp>

#include "base/text.hpp"

namespace qconn::importing {

struct Line {
    /// Without the line end.
    std::string_view text;
    std::uint32_t number{1};

    /// The place of a part of the text, in characters.
    Place at(std::string_view part) const noexcept {
        const auto offset = static_cast<std::size_t>(part.data() - text.data());
        return {number, static_cast<std::uint32_t>(text::utf8_length(text.substr(0, offset)) + 1),
                static_cast<std::uint32_t>(part.empty() ? 1 : text::utf8_length(part))};
    }
    /// Its beginning, of which nothing is shown: for what may be a secret in a wrong place.
    Place start() const noexcept { return {number, 1, 1}; }
};

inline std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    std::uint32_t number = 0;
    for (std::string_view line : text::split(text, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back({line, ++number});
    }
    return lines;
}

}  // namespace qconn::importing
