// SPDX-License-Identifier: Apache-2.0
#include "net/reply.hpp"

#include <string>
#include <utility>

#include <qconn/base/secret.hpp>

#include "base/text.hpp"

namespace qconn {

std::string Reply::text() const {
    std::string all;
    for (const auto& line : lines) {
        if (!all.empty() && !line.empty()) all += ' ';
        all += line;
    }
    return all;
}

namespace net {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// 0 where it does not begin with one.
int code_of(std::string_view line) noexcept {
    if (line.size() < 3 || line[0] < '1' || line[0] > '6' || !is_digit(line[1]) || !is_digit(line[2])) return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

std::string shown(const Reply& reply) { return std::to_string(reply.code) + ' ' + text::printable(text::shorten(reply.text(), 300)); }

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
    // 334 is data of a log-in (RFC 2228, 4954), in which a server may repeat what it was sent in a form that nobody finds.
    if (code == 334)
        log_.received("334 " + std::string{k_masked});
    else
        log_.received(line);
    const char mark = line.size() > 3 ? line[3] : ' ';
    if (reply_.code == 0) {
        if (line.empty()) return;  // some servers end replies with an empty line
        if (code == 0 || (mark != ' ' && mark != '-')) {
            problem_ = "\"" + text::printable(text::shorten(line, 80)) + "\" is no reply of such a server";
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

std::optional<Reply> ReplyParser::take() {
    if (!complete_) return std::nullopt;
    complete_ = false;
    size_ = 0;
    return std::exchange(reply_, {});
}

}  // namespace net
}  // namespace qconn
