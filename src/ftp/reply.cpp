// SPDX-License-Identifier: Apache-2.0
#include "ftp/reply.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.hpp"

namespace qconn::ftp {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::optional<unsigned> take_number(std::string_view& text, unsigned most) noexcept {
    unsigned number = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 6 && is_digit(text[digits])) number = number * 10 + static_cast<unsigned>(text[digits++] - '0');
    if (digits == 0 || number > most) return std::nullopt;
    text.remove_prefix(digits);
    return number;
}

}  // namespace

std::optional<std::uint16_t> epsv_port(std::string_view text) {
    const std::size_t open = text.rfind('(');
    if (open == std::string_view::npos || text.size() < open + 6) return std::nullopt;
    text.remove_prefix(open + 1);
    const char mark = text.front();
    if (is_digit(mark)) return std::nullopt;
    for (int i = 0; i < 3; ++i) {  // protocol and address may be told, against the RFC; they are not of interest
        const std::size_t next = text.find(mark);
        if (next == std::string_view::npos) return std::nullopt;
        text.remove_prefix(next + 1);
    }
    const auto port = take_number(text, 65'535);
    if (!port || *port == 0 || text.empty() || text.front() != mark) return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

std::optional<std::uint16_t> pasv_port(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!is_digit(text[at]) || (at > 0 && is_digit(text[at - 1]))) continue;
        std::string_view rest = text.substr(at);
        std::array<unsigned, 6> numbers{};
        bool good = true;
        for (std::size_t i = 0; i < numbers.size() && good; ++i) {
            const auto number = take_number(rest, 255);
            good = number.has_value();
            if (good) numbers[i] = *number;
            if (good && i + 1 < numbers.size()) {
                good = !rest.empty() && rest.front() == ',';
                if (good) rest.remove_prefix(1);
            }
        }
        const unsigned port = numbers[4] * 256 + numbers[5];
        if (good && port != 0 && (rest.empty() || !is_digit(rest.front()))) return static_cast<std::uint16_t>(port);
    }
    return std::nullopt;
}

std::optional<std::string> quoted_path(std::string_view text) {
    const std::size_t open = text.find('"');
    if (open == std::string_view::npos) return std::nullopt;
    std::string path;
    for (std::size_t at = open + 1; at < text.size(); ++at) {
        if (text[at] != '"') {
            path += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
            path += text[at++];
        } else {
            return path;
        }
    }
    return std::nullopt;
}

}  // namespace qconn::ftp
