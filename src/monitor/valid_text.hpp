// SPDX-License-Identifier: Apache-2.0
/// Text from outside as UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "base/text.hpp"

namespace qconn::monitor {

/// U+FFFD stands for each byte that is no UTF-8.
inline std::string valid_text(std::string_view text) {
    std::string valid;
    for (;;) {
        const auto bad = text::invalid_utf8(text);
        valid += text.substr(0, bad);
        if (bad == std::string_view::npos) return valid;
        valid += "\xEF\xBF\xBD";
        text.remove_prefix(bad + 1);
    }
}

}  // namespace qconn::monitor
