// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/diagnostic.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.hpp"

namespace qconn {

namespace {

constexpr std::size_t k_longest_word = 64;  // longer ones are no misspelt names, and the distance is quadratic

/// How a terminal shows a code point.
enum class Shown { narrow, wide, nothing, replaced };

struct Range {
    char32_t first;
    char32_t last;
};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t c) noexcept {
    return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return c >= r.first && c <= r.last; });
}

/// The large blocks of Unicode's East_Asian_Width W and F, and emoji.
constexpr std::array<Range, 12> k_wide{{{0x1100, 0x115F},
                                        {0x2E80, 0x303E},
                                        {0x3041, 0x33FF},
                                        {0x3400, 0x4DBF},
                                        {0x4E00, 0x9FFF},
                                        {0xA000, 0xA4CF},
                                        {0xAC00, 0xD7A3},
                                        {0xF900, 0xFAFF},
                                        {0xFE30, 0xFE6F},
                                        {0xFF00, 0xFF60},
                                        {0x1F300, 0x1FAFF},
                                        {0x20000, 0x3FFFD}}};
/// Combining marks and joiners of the scripts most met.
constexpr std::array<Range, 6> k_nothing{
    {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
/// What could move the cursor, change colours or turn the direction of what follows: never sent to a terminal.
constexpr std::array<Range, 5> k_replaced{{{0x0000, 0x001F}, {0x007F, 0x009F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}}};

Shown shown(char32_t c) noexcept {
    if (c >= 0x20 && c < 0x7F) return Shown::narrow;
    if (in(k_replaced, c)) return Shown::replaced;
    if (in(k_nothing, c)) return Shown::nothing;
    return in(k_wide, c) ? Shown::wide : Shown::narrow;
}

/// The next character and how many bytes it has; U+FFFD and one byte where it is not well-formed.
struct Character {
    char32_t code;
    std::size_t bytes;
};

Character next_character(std::string_view s) noexcept {
    const auto lead = static_cast<unsigned char>(s.front());
    if (lead < 0x80) return {lead, 1};
    const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (n > s.size() || !text::valid_utf8(s.substr(0, n))) return {0xFFFD, 1};
    char32_t code = lead & (0xFFU >> (n + 1));
    for (std::size_t i = 1; i < n; ++i) code = (code << 6U) | (static_cast<unsigned char>(s[i]) & 0x3FU);
    return {code, n};
}

/// A source line as a terminal shows it, and where in it a place lies.
struct Excerpt {
    std::string line;
    std::size_t caret{0};  // columns of the terminal
    std::size_t width{1};
};

Excerpt excerpt(std::string_view source, std::size_t column, std::size_t length) {
    constexpr std::size_t k_tab = 4;
    Excerpt out;
    length = std::max<std::size_t>(length, 1);
    out.line.reserve(source.size());
    std::size_t at = 0;      // of the terminal
    std::size_t number = 1;  // of the character
    std::size_t end = 0;
    bool found = false;
    while (!source.empty()) {
        const auto [code, bytes] = next_character(source);
        if (number == column) {
            out.caret = at;
            found = true;
        }
        if (code == '\t') {
            out.line.append(k_tab, ' ');
            at += k_tab;
        } else {
            switch (shown(code)) {
                case Shown::narrow:
                    code == 0xFFFD ? out.line.append("\xEF\xBF\xBD") : out.line.append(source.substr(0, bytes));
                    at += 1;
                    break;
                case Shown::wide:
                    out.line.append(source.substr(0, bytes));
                    at += 2;
                    break;
                case Shown::nothing: out.line.append(source.substr(0, bytes)); break;
                case Shown::replaced:
                    out.line.append("\xEF\xBF\xBD");
                    at += 1;
                    break;
            }
        }
        source.remove_prefix(bytes);
        ++number;
        if (number == column + length) end = at;
    }
    if (!found) out.caret = at + (column > number ? column - number : 0);  // behind the end of the line: "something is missing here"
    if (end == 0) end = at;
    out.width = end > out.caret ? end - out.caret : 1;
    while (!out.line.empty() && out.line.back() == ' ') out.line.pop_back();
    return out;
}

/// The key that two spellings of one word share.
char folded(char c) noexcept { return c == '-' ? '_' : text::lower(c); }

/// Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
    std::array<std::array<std::size_t, k_longest_word + 1>, 3> rows{};
    auto* before = &rows[0];
    auto* previous = &rows[1];
    auto* current = &rows[2];
    for (std::size_t j = 0; j <= b.size(); ++j) (*previous)[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        (*current)[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = folded(a[i - 1]) == folded(b[j - 1]);
            std::size_t best = std::min({(*previous)[j] + 1, (*current)[j - 1] + 1, (*previous)[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]))
                best = std::min(best, (*before)[j - 2] + 1);
            (*current)[j] = best;
        }
        auto* oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return (*previous)[b.size()];
}

/// Text on one line and without what a terminal would act on.
std::string clean(std::string_view text) {
    const std::string printable = text::printable(text);
    std::string out;
    out.reserve(printable.size());
    for (std::string_view rest = printable; !rest.empty();) {
        const auto [code, bytes] = next_character(rest);
        shown(code) == Shown::replaced ? out.append("\xEF\xBF\xBD") : out.append(rest.substr(0, bytes));
        rest.remove_prefix(bytes);
    }
    return out;
}

std::string_view colour_of(Severity severity) noexcept {
    switch (severity) {
        case Severity::error: return "\033[1;31m";
        case Severity::warning: return "\033[1;33m";
        case Severity::note: break;
    }
    return "\033[1;36m";
}

std::string head(const Diagnostic& d, bool colour) {
    std::string out;
    if (colour) out += "\033[1m";
    if (!d.file.empty()) out.append(clean(d.file)).append(":");
    if (d.place.line > 0) out.append(std::to_string(d.place.line)).append(":").append(std::to_string(d.place.column)).append(":");
    if (!out.empty() && out.back() == ':') out += ' ';
    if (colour) out.append("\033[0m").append(colour_of(d.severity));
    out.append(to_string(d.severity)).append(": ");
    if (colour) out.append("\033[0m\033[1m");
    out.append(clean(d.message));
    if (colour) out.append("\033[0m");
    if (!d.code.empty()) out.append(" [").append(d.code).append("]");
    return out;
}

}  // namespace

std::string_view to_string(Severity severity) noexcept {
    switch (severity) {
        case Severity::note: return "note";
        case Severity::warning: return "warning";
        case Severity::error: break;
    }
    return "error";
}

bool has_errors(const Diagnostics& diagnostics) noexcept {
    return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string summary(const Diagnostic& diagnostic) { return head(diagnostic, false); }

std::string render(const Diagnostic& d, bool colour) {
    const std::string_view frame = colour ? "\033[1;34m" : "";
    const std::string_view plain = colour ? "\033[0m" : "";
    std::string out = head(d, colour);
    out += '\n';
    std::string margin(4, ' ');
    if (d.place.line > 0 && !d.source_line.empty()) {
        const bool moved = d.shown_column > 0;
        const Excerpt shown = excerpt(d.source_line, moved ? d.shown_column : d.place.column, moved ? d.shown_length : d.place.length);
        std::string number = std::to_string(d.place.line);
        if (number.size() < 4) number.insert(0, 4 - number.size(), ' ');
        margin.assign(number.size(), ' ');
        out.append(frame).append(number).append(" | ").append(plain).append(shown.line).append("\n");
        out.append(frame).append(margin).append(" | ").append(plain).append(shown.caret, ' ');
        out.append(colour ? colour_of(d.severity) : "").append(shown.width, '^').append(plain).append("\n");
    }
    if (!d.hint.empty()) out.append(frame).append(margin).append(" = ").append(plain).append("hint: ").append(clean(d.hint)).append("\n");
    return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    if (word.empty() || word.size() > k_longest_word) return {};
    const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
    const std::string* best = nullptr;
    std::size_t best_distance = allowed + 1;
    for (const auto& candidate : candidates) {
        const std::size_t longer = std::max(candidate.size(), word.size());
        if (candidate.empty() || candidate.size() > k_longest_word || longer - std::min(candidate.size(), word.size()) > allowed) continue;
        const std::size_t d = distance(word, candidate);
        if (d < best_distance && d < longer) {  // all characters different is not near, however short
            best = &candidate;
            best_distance = d;
        }
    }
    return best ? *best : std::string{};
}

}  // namespace qconn
