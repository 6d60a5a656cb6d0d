// SPDX-License-Identifier: Apache-2.0
#include "http/content_type.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/text.hpp"

namespace qconn::http {

std::string_view media_type(std::string_view content_type) noexcept {
    return text::trim(content_type.substr(0, std::min(content_type.find(';'), content_type.size())));
}

std::string charset_of(std::string_view content_type) {
    for (const std::string_view part : text::split(content_type, ';')) {
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos || !text::iequals(text::trim(part.substr(0, equals)), "charset")) continue;
        std::string_view value = text::trim(part.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        return text::to_lower(value);
    }
    return {};
}

bool is_utf8_name(std::string_view charset) noexcept {
    return charset.empty() || charset == "utf-8" || charset == "utf8" || charset == "us-ascii" || charset == "ascii";
}

std::optional<std::string> to_utf8(std::string_view input, const std::string& charset) {
    const std::string name = text::to_lower(charset);
    if (is_utf8_name(name)) {
        if (!text::valid_utf8(input)) return std::nullopt;
        return std::string{input};
    }
    // "UTF-8//IGNORE" and the like are instructions to iconv, not names.
    if (name.find('/') != std::string::npos) return std::nullopt;
    const iconv_t converter = iconv_open("UTF-8", name.c_str());
    if (reinterpret_cast<std::intptr_t>(converter) == -1) return std::nullopt;
    std::string out;
    std::array<char, 4096> block{};
    char* from = const_cast<char*>(input.data());
    std::size_t left = input.size();
    bool good = true;
    bool flushed = false;
    while (good && !flushed) {
        char* to = block.data();
        std::size_t room = block.size();
        const bool all_read = left == 0;
        const std::size_t result = iconv(converter, all_read ? nullptr : &from, all_read ? nullptr : &left, &to, &room);
        out.append(block.data(), block.size() - room);
        if (result == static_cast<std::size_t>(-1) && errno != E2BIG)
            good = false;
        else if (all_read && result != static_cast<std::size_t>(-1))
            flushed = true;
    }
    iconv_close(converter);
    if (!good) return std::nullopt;
    return out;
}

}  // namespace qconn::http
