// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "cli/json.hpp"

namespace qconn::cli {
namespace {

struct Decoded {
    char32_t code;
    std::size_t size;  // 0: invalid here
};

Decoded decode(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {static_cast<char32_t>(first), 1};
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < size) return {0, 0};
    char32_t code = first & (0xFFu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0u) != 0x80u) return {0, 0};
        code = (code << 6) | (byte(i) & 0x3Fu);
    }
    static constexpr std::array<char32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
    if (code < k_least[size] || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return {0, 0};
    return {code, size};
}

/// Controls of both sets, and the marks that change the direction of writing.
bool steers_terminal(char32_t code) noexcept {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

void Output::set_up(bool no_colour) {
    terminal_ = ::isatty(STDOUT_FILENO) == 1;
    const char* term = std::getenv("TERM");
    const char* off = std::getenv("NO_COLOR");
    colour_ = terminal_ && !no_colour && (off == nullptr || *off == '\0') && !(term != nullptr && std::string_view{term} == "dumb");
}

void Output::json(const Value& value, bool pretty) { line(json_text(value, pretty)); }

void Output::flush() {
    std::string_view left = buffer_;
    while (!left.empty()) {
        const auto n = ::write(STDOUT_FILENO, left.data(), left.size());
        if (n >= 0) {
            left.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EPIPE) {
            buffer_.clear();
            throw PipeClosed{};
        } else if (errno != EINTR) {
            const int code = errno;
            buffer_.clear();
            throw OutputError(std::string{"writing to standard output failed: "} + std::strerror(code));
        }
    }
    buffer_.clear();
}

std::string Output::paint(Style style, std::string_view text) const {
    if (!colour_ || style == Style::plain || text.empty()) return std::string{text};
    std::string_view code;
    switch (style) {
        case Style::bold: code = "1"; break;
        case Style::dim: code = "2"; break;
        case Style::good: code = "32"; break;
        case Style::bad: code = "1;31"; break;
        case Style::warn: code = "33"; break;
        case Style::plain: break;
    }
    std::string out = "\x1b[";
    ((out += code) += 'm') += text;
    return out += "\x1b[0m";
}

Table::Table(Row head) : head_{std::move(head)} {
    for (Cell& cell : head_) cell.style = Style::bold;
}

void Table::add(Row row) {
    for (Cell& cell : row) cell.text = printable(cell.text);
    rows_.push_back(std::move(row));
}

std::vector<std::string> Table::lines(const Output& out, std::size_t max_width) const {
    std::vector<std::size_t> widths;
    const auto measure = [&](const Row& row) {
        if (widths.size() < row.size()) widths.resize(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i].text));
    };
    measure(head_);
    for (const Row& row : rows_) measure(row);

    std::vector<std::string> lines;
    const auto draw = [&](const Row& row) {
        std::string line;
        std::size_t used = 0;
        std::size_t last = row.size();
        while (last > 0 && row[last - 1].text.empty()) --last;
        for (std::size_t i = 0; i < last; ++i) {
            std::string text = row[i].text;
            std::size_t wide = width(text);
            if (max_width != 0 && used + wide > max_width) {
                std::size_t bytes = 0;
                wide = 0;
                while (used + wide < max_width) {
                    bytes += std::max<std::size_t>(1, decode(std::string_view{text}.substr(bytes)).size);
                    ++wide;
                }
                text.resize(bytes);
            }
            line += out.paint(row[i].style, text);
            used += wide;
            if (i + 1 == last) break;
            std::size_t blanks = widths[i] - std::min(widths[i], wide) + 2;
            if (max_width != 0) blanks = std::min(blanks, max_width - std::min(max_width, used));
            line.append(blanks, ' ');
            used += blanks;
        }
        lines.push_back(std::move(line));
    };
    if (!head_.empty()) draw(head_);
    for (const Row& row : rows_) draw(row);
    return lines;
}

std::string Table::render(const Output& out) const {
    std::string text;
    for (const std::string& line : lines(out, 0)) (text += line) += '\n';
    return text;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded d = decode(text);
        if (d.size == 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
            continue;
        }
        if (steers_terminal(d.code)) {
            std::array<char, 16> hex{};
            const int n = std::snprintf(hex.data(), hex.size(), d.code < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(d.code));
            out.append(hex.data(), static_cast<std::size_t>(n));
        } else {
            out += text.substr(0, d.size);
        }
        text.remove_prefix(d.size);
    }
    return out;
}

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t size = decode(text).size;
        out += size == 0 ? std::string_view{"\xEF\xBF\xBD"} : text.substr(0, size);
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out;
}

std::size_t width(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string duration_text(std::chrono::nanoseconds time) {
    const double us = static_cast<double>(time.count()) / 1e3;
    std::array<char, 32> text{};
    if (us < 1e3)
        std::snprintf(text.data(), text.size(), "%.0f us", us);
    else if (us < 1e6)
        std::snprintf(text.data(), text.size(), "%.1f ms", us / 1e3);
    else
        std::snprintf(text.data(), text.size(), "%.2f s", us / 1e6);
    return text.data();
}

std::string age_text(std::chrono::nanoseconds time) {
    const auto s = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(time).count());
    if (s < 60) return std::to_string(s) + " s";
    if (s < 3600) return std::to_string(s / 60) + " min";
    if (s < 86400) return std::to_string(s / 3600) + " h " + std::to_string(s % 3600 / 60) + " min";
    return std::to_string(s / 86400) + " d";
}

std::string counted(std::size_t n, std::string_view singular) {
    std::string text = std::to_string(n);
    (text += ' ') += singular;
    if (n != 1) text += 's';
    return text;
}

}  // namespace qconn::cli
