// SPDX-License-Identifier: Apache-2.0
#include "telnet/output.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace qconn::telnet {

std::string shown_line(std::string_view line) {
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_of("\r\b") == npos) return std::string{line};
    std::vector<std::string_view> cells;  // characters
    std::size_t at = 0;
    while (!line.empty()) {
        const char c = line.front();
        if (c == '\r' || c == '\b') {
            at = c == '\r' || at == 0 ? 0 : at - 1;
            line.remove_prefix(1);
            continue;
        }
        const std::size_t length = std::max<std::size_t>(1, text::sequence_length(line));
        const std::string_view cell = line.substr(0, length);
        line.remove_prefix(length);
        if (at < cells.size())
            cells[at] = cell;
        else
            cells.push_back(cell);
        ++at;
    }
    while (!cells.empty() && cells.back() == " ") cells.pop_back();  // what erased what stood there
    std::string out;
    for (const auto cell : cells) out += cell;
    return out;
}

bool is_echo(std::string_view line, std::string_view command) {
    std::size_t at = 0;
    for (const char c : line) {
        if (at < command.size() && c == command[at])
            ++at;
        else if (c != '\r' && c != ' ' && c != '\b')
            return false;
    }
    return at == command.size();
}

void Output::add(std::string_view text) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (end == npos) {
            line_ += text;
            if (line_.size() > k_longest_line) {
                echoed_.reset();
                out_(line_);
                line_.clear();
                passed_on_ = true;
            }
            return;
        }
        line_ += text.substr(0, end);
        text.remove_prefix(end + 1);
        end_line(true);
    }
}

void Output::finish() {
    if (!line_.empty()) end_line(false);
}

void Output::end_line(bool with_newline) {
    std::string line = std::exchange(line_, {});
    const std::optional<std::string> echoed = std::exchange(echoed_, std::nullopt);
    const bool passed_on = std::exchange(passed_on_, false);
    if (echoed && with_newline && (is_echo(line, *echoed) || is_echo(line, prompt_ + *echoed))) return;
    if (!passed_on) line = shown_line(line);
    if (with_newline) line += '\n';
    if (!line.empty()) out_(line);
}

}  // namespace qconn::telnet
