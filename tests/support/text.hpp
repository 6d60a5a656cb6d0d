// SPDX-License-Identifier: Apache-2.0
/// Looking into logs and other text.
#pragma once

#include <cstddef>
#include <string_view>

namespace qconn::test {

inline bool has(std::string_view text, std::string_view part) noexcept { return text.find(part) != std::string_view::npos; }
/// How often that is in it.
inline std::size_t count_in(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
    return count;
}

}  // namespace qconn::test
