// SPDX-License-Identifier: Apache-2.0
#include "core/text_edits.hpp"

#include <algorithm>
#include <utility>

namespace qconn::core {

std::size_t TextEdits::line_start(std::size_t at) const noexcept {
    if (at == 0) return 0;
    const auto before = text_.find_last_of("\r\n", at - 1);
    return before == std::string_view::npos ? 0 : before + 1;
}

std::size_t TextEdits::next_line(std::size_t at) const noexcept {
    const auto end = text_.find_first_of("\r\n", at);
    if (end == std::string_view::npos) return text_.size();
    return end + (text_.substr(end, 2) == "\r\n" ? 2 : 1);
}

bool TextEdits::is_first(std::size_t at) const noexcept {
    const std::size_t start = line_start(at);
    return text_.substr(start, at - start).find_first_not_of(' ') == std::string_view::npos;
}

void TextEdits::replace(std::size_t begin, std::size_t end, std::string_view by) {
    std::string out;
    for (const char c : by) c == '\n' ? out += eol_ : out += c;
    edits_.push_back({begin, end, std::move(out)});
}

void TextEdits::insert_lines(std::size_t at, std::string_view lines) {
    if (at == text_.size() && !text_.empty() && text_.back() != '\n' && text_.back() != '\r')
        insert(at, "\n" + std::string{lines.substr(0, lines.size() - 1)});
    else
        insert(at, lines);
}

void TextEdits::remove_lines(std::size_t begin, std::size_t end) {
    std::size_t from = line_start(begin);
    const std::size_t to = next_line(end);
    // The last line of a text that has no end: the one before it loses its own.
    if (from > 0 && to == text_.size() && text_.back() != '\n' && text_.back() != '\r') from -= text_.substr(0, from).ends_with("\r\n") ? 2 : 1;
    replace(from, to, {});
}

bool TextEdits::apply(std::string& out) const {
    std::vector<const Edit*> order;
    for (const Edit& edit : edits_) order.push_back(&edit);
    std::stable_sort(order.begin(), order.end(), [](const Edit* a, const Edit* b) {
        return std::pair{a->begin, a->end} < std::pair{b->begin, b->end};
    });
    out.clear();
    std::size_t at = 0;
    bool removed = false;
    for (const Edit* edit : order) {
        const bool overlaps = edit->begin < at;
        if (overlaps && !(removed && edit->by.empty())) return false;  // removals may
        if (!overlaps) out.append(text_.substr(at, edit->begin - at)).append(edit->by);
        at = std::max(at, edit->end);
        removed = edit->by.empty();
    }
    out.append(text_.substr(at));
    return true;
}

}  // namespace qconn::core
