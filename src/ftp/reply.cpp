// SPDX-License-Identifier: Apache-2.0
#include "ftp/reply.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.hpp"

namespace qconn {

std::string FtpReply::text() const {
    std::string all;
    for (const auto& line : lines) {
        if (!all.empty() && !line.empty()) all += ' ';
        all += line;
    }
    return all;
}

namespace ftp {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// 0 where it does not begin with one.
int code_of(std::string_view line) noexcept {
    if (line.size() < 3 || line[0] < '1' || line[0] > '6' || !is_digit(line[1]) || !is_digit(line[2])) return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

std::optional<unsigned> take_number(std::string_view& text, unsigned most) noexcept {
    unsigned number = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 6 && is_digit(text[digits])) number = number * 10 + static_cast<unsigned>(text[digits++] - '0');
    if (digits == 0 || number > most) return std::nullopt;
    text.remove_prefix(digits);
    return number;
}

}  // namespace

std::size_t ReplyParser::feed(std::string_view input) {
    std::size_t used = 0;
    while (used < input.size() && !complete_ && problem_.empty()) {
        const std::size_t end = input.find('\n', used);
        const bool whole = end != std::string_view::npos;
        const std::string_view piece = input.substr(used, (whole ? end : input.size()) - used);
        used += piece.size() + (whole ? 1 : 0);
        if (line_.size() + piece.size() > k_max_line || size_ + piece.size() > k_max_reply) {
            problem_ = "a reply is longer than any should be";
            break;
        }
        line_ += piece;
        size_ += piece.size();
        if (whole) end_line();
    }
    return used;
}

void ReplyParser::end_line() {
    while (!line_.empty() && line_.back() == '\r') line_.pop_back();
    std::string line = std::exchange(line_, {});
    const int code = code_of(line);
    const char mark = line.size() > 3 ? line[3] : ' ';
    if (reply_.code == 0) {
        if (line.empty()) return;  // some servers end replies with an empty line
        if (code == 0 || (mark != ' ' && mark != '-')) {
            problem_ = "\"" + text::printable(text::shorten(line, 80)) + "\" is no reply of an FTP server";
            return;
        }
        reply_.code = code;
        reply_.lines.push_back(line.size() > 4 ? line.substr(4) : std::string{});
        complete_ = mark == ' ';
        return;
    }
    if (code == reply_.code && mark == ' ') {
        reply_.lines.push_back(line.size() > 4 ? line.substr(4) : std::string{});
        complete_ = true;
        return;
    }
    // Lines between may repeat the code with a hyphen, be indented, or be anything.
    reply_.lines.push_back(code == reply_.code && mark == '-' ? line.substr(4) : std::move(line));
}

std::optional<FtpReply> ReplyParser::take() {
    if (!complete_) return std::nullopt;
    complete_ = false;
    size_ = 0;
    return std::exchange(reply_, {});
}

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

}  // namespace ftp
}  // namespace qconn
