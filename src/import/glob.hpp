// SPDX-License-Identifier: Apache-2.0
/// Names with wildcards.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/text.hpp"

namespace qconn::importing {

/// '*' is any text, '?' one character; without regard to case. Takes time by the product of both sizes at most.
inline bool glob_matches(std::string_view pattern, std::string_view name) noexcept {
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && text::lower(pattern[p]) == text::lower(name[n])))) {
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

}  // namespace qconn::importing
