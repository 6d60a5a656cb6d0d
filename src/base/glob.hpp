// SPDX-License-Identifier: Apache-2.0
/// Names with wildcards.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/text.hpp"

namespace qconn::text {

enum class Case { exact, ignored };

/// '*' is any text, '?' one byte. Takes time by the product of both sizes at most.
inline bool glob_matches(std::string_view pattern, std::string_view name, Case letters = Case::exact) noexcept {
    const auto same = [letters](char a, char b) { return letters == Case::exact ? a == b : lower(a) == lower(b); };
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && same(pattern[p], name[n])))) {
            ++p;
            ++n;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace qconn::text
