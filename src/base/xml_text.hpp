// SPDX-License-Identifier: Apache-2.0
/// Names and text that XML can hold.
#pragma once

#include <string>
#include <string_view>

#include "base/byte_run.hpp"
#include "base/text.hpp"

namespace qconn::xml {

/// Whether the name of an element can begin with it (XML 1.0, fifth edition; ASCII rules exact, all beyond ASCII is taken).
constexpr bool is_name_start(char c) noexcept { return text::is_alpha(c) || c == '_' || c == ':' || static_cast<unsigned char>(c) >= 0x80; }
/// The end of the name that begins here; the same place where there is none.
inline const char* name_end(const char* at, const char* end) noexcept {
    if (at == end || !is_name_start(*at)) return at;
    return text::run_end(at, end, [](auto c) {
        const auto letter = c | 0x20;
        return ((((letter >= 'a') & (letter <= 'z')) | ((c >= '-') & (c <= ':') & (c != '/')) | (c == '_') | (c > 0x7F)) == 0);
    });
}
inline bool is_name(std::string_view name) noexcept {
    return !name.empty() && name_end(name.data(), name.data() + name.size()) == name.data() + name.size();
}

/// Appends with the markup characters escaped. False where XML cannot hold the text: controls, or not UTF-8.
bool append_text(std::string& out, std::string_view text, bool in_attribute);

}  // namespace qconn::xml
