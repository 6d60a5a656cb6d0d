// SPDX-License-Identifier: Apache-2.0
#include "cli/diff.hpp"

#include <algorithm>
#include <cstdint>

#include "cli/output.hpp"

namespace qconn::cli {
namespace {

constexpr std::size_t k_context = 3;
constexpr std::size_t k_most_cells = 4'000'000;  // of the table; beyond it all that lies between is one change

struct Step {
    char kind;  // ' ', '-', '+'
    std::size_t before;
    std::size_t after;
};

/// Every line of both texts, in order.
std::vector<Step> steps(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
    std::size_t head = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    std::size_t tail = 0;
    while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    const std::size_t n = a.size() - head - tail;
    const std::size_t m = b.size() - head - tail;

    // Lengths of the longest common subsequences of what is left.
    const bool fits = (n + 1) * (m + 1) <= k_most_cells;
    std::vector<std::uint32_t> common(fits ? (n + 1) * (m + 1) : 0);
    const auto cell = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return common[i * (m + 1) + j]; };
    if (fits)
        for (std::size_t i = n; i-- > 0;)
            for (std::size_t j = m; j-- > 0;)
                cell(i, j) = a[head + i] == b[head + j] ? cell(i + 1, j + 1) + 1 : std::max(cell(i + 1, j), cell(i, j + 1));

    std::vector<Step> out;
    for (std::size_t i = 0; i < head; ++i) out.push_back({' ', i, i});
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < n || j < m) {
        if (fits && i < n && j < m && a[head + i] == b[head + j]) {
            out.push_back({' ', head + i++, head + j++});
        } else if (i < n && (j == m || !fits || cell(i + 1, j) >= cell(i, j + 1))) {
            out.push_back({'-', head + i++, head + j});
        } else {
            out.push_back({'+', head + i, head + j++});
        }
    }
    for (std::size_t k = tail; k > 0; --k) out.push_back({' ', a.size() - k, b.size() - k});
    return out;
}

std::string range(std::size_t first, std::size_t count) {
    return std::to_string(count == 0 ? first : first + 1) + (count == 1 ? std::string{} : "," + std::to_string(count));
}

}  // namespace

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string unified_diff(std::string_view name, const ShownText& before, const ShownText& after) {
    const auto all = steps(before.lines, after.lines);
    std::string out;
    for (std::size_t at = 0; at < all.size();) {
        if (all[at].kind == ' ') {
            ++at;
            continue;
        }
        const std::size_t begin = at > k_context ? at - k_context : 0;
        std::size_t end = at;  // behind the last change of this hunk
        for (std::size_t i = at; i < all.size() && i <= end + 2 * k_context; ++i)
            if (all[i].kind != ' ') end = i + 1;
        const std::size_t stop = std::min(end + k_context, all.size());
        std::size_t removed = 0;
        std::size_t added = 0;
        std::string lines;
        for (std::size_t i = begin; i < stop; ++i) {
            const Step& step = all[i];
            removed += step.kind != '+' ? 1 : 0;
            added += step.kind != '-' ? 1 : 0;
            const auto& shown = step.kind == '+' ? after.shown : before.shown;
            const std::size_t line = step.kind == '+' ? step.after : step.before;
            lines.append(1, step.kind).append(line < shown.size() ? printable(shown[line]) : std::string{}).append("\n");
        }
        if (out.empty()) out.append("--- ").append(printable(name)).append("\n+++ ").append(printable(name)).append("\n");
        out.append("@@ -")
            .append(range(all[begin].before, removed))
            .append(" +")
            .append(range(all[begin].after, added))
            .append(" @@\n")
            .append(lines);
        at = stop;
    }
    return out;
}

}  // namespace qconn::cli
