// SPDX-License-Identifier: Apache-2.0
#include "mail/body_encoding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace qconn::mail {
namespace {

constexpr std::size_t k_quoted_line = 76;

/// Where lines of one text end, by CR or LF: each byte is looked at twice at most, by what the system is quickest at.
class LineEnds {
public:
    /// Of what is left of the text: how far the next end is; npos where there is none.
    std::size_t next(std::string_view rest) noexcept {
        if (!looked_ || (newline_ != nullptr && newline_ < rest.data())) {
            newline_ = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
            looked_ = true;
        }
        const std::size_t end = newline_ != nullptr ? static_cast<std::size_t>(newline_ - rest.data()) : rest.size();
        if (const auto* cr = static_cast<const char*>(std::memchr(rest.data(), '\r', end))) return static_cast<std::size_t>(cr - rest.data());
        return newline_ != nullptr ? end : npos;
    }

private:
    const char* newline_{nullptr};  // the next one; looked for once, also where CRs stand before it
    bool looked_{false};
};

/// The text in lines, without their ends. @param take  (line, whether it had an end)
template <class Take>
void each_line(std::string_view text, Take take) {
    LineEnds ends;
    while (!text.empty()) {
        const std::size_t end = ends.next(text);
        if (end == npos) {
            take(text, false);
            return;
        }
        take(text.substr(0, end), true);
        text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
    }
}

constexpr bool is_quoted_safe(char c) noexcept { return c >= ' ' && c < 0x7F && c != '='; }

/// What a byte means for the choice of an encoding.
constexpr std::uint8_t k_coded = 1;    // three characters in quoted-printable
constexpr std::uint8_t k_strange = 2;  // not to be sent as it is
constexpr std::array<std::uint8_t, 256> k_weights = [] {
    std::array<std::uint8_t, 256> weights{};
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const char c = static_cast<char>(i);
        const bool plain = (c >= ' ' && c < 0x7F) || c == '\t';
        weights[i] = static_cast<std::uint8_t>((is_quoted_safe(c) ? 0 : k_coded) | (plain ? 0 : k_strange));
    }
    return weights;
}();

void append_quoted_byte(std::string& out, char c) {
    constexpr std::string_view k_digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += '=';
    out += k_digits[byte >> 4U];
    out += k_digits[byte & 15U];
}

}  // namespace

std::string_view to_string(TransferEncoding encoding) noexcept {
    switch (encoding) {
        case TransferEncoding::seven_bit: return "7bit";
        case TransferEncoding::quoted_printable: return "quoted-printable";
        case TransferEncoding::base64: break;
    }
    return "base64";
}

TransferEncoding encoding_for(std::string_view text) noexcept {
    constexpr std::size_t k_longest_line = 998;  // RFC 5322 section 2.1.1
    std::size_t longest = 0;
    std::size_t coded = 0;
    std::uint8_t seen = 0;
    each_line(text, [&](std::string_view line, bool) {
        longest = std::max(longest, line.size());
        for (const char c : line) {
            const std::uint8_t weight = k_weights[static_cast<unsigned char>(c)];
            seen |= weight;
            coded += weight & k_coded;
        }
    });
    if ((seen & k_strange) == 0 && longest <= k_longest_line) return TransferEncoding::seven_bit;
    // Three characters for each that is coded, against four for three of all.
    return text.size() + coded * 2 + text.size() / k_quoted_line <= text.size() * 78 / k_base64_line ? TransferEncoding::quoted_printable
                                                                                                     : TransferEncoding::base64;
}

void append_with_crlf(std::string& out, std::string_view text) {
    each_line(text, [&out](std::string_view line, bool has_end) {
        out += line;
        if (has_end) out += "\r\n";
    });
}

void append_quoted_printable(std::string& out, std::string_view text) {
    each_line(text, [&out](std::string_view line, bool has_end) {
        std::size_t column = 0;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const char c = line[i];
            const bool last = i + 1 == line.size();
            const bool as_it_is = is_quoted_safe(c) && !(last && c == ' ');  // blanks at the end get lost on the way
            const std::size_t size = as_it_is ? 1 : 3;
            if (column + size > k_quoted_line - (last ? 0 : 1)) {
                out += "=\r\n";
                column = 0;
            }
            if (as_it_is)
                out += c;
            else
                append_quoted_byte(out, c);
            column += size;
        }
        if (has_end) out += "\r\n";
    });
}

void append_base64_lines(std::string& out, std::string_view bytes) {
    const std::size_t begin = out.size();
    out.resize(begin + base64_lines_size(bytes.size()));
    char* to = out.data() + begin;
    while (!bytes.empty()) {
        const auto line = bytes.substr(0, k_base64_line);
        to = base64::encode(line, to);
        *to++ = '\r';
        *to++ = '\n';
        bytes.remove_prefix(line.size());
    }
}

void DataWriter::end_line(std::string& out) {
    out += "\r\n";
    size_ += 2;
    line_begins_ = true;
}

void DataWriter::append(std::string& out, std::string_view piece) {
    if (after_cr_ && !piece.empty()) {  // its line has been ended
        if (piece.front() == '\n') piece.remove_prefix(1);
        after_cr_ = false;
    }
    LineEnds ends;
    while (!piece.empty()) {
        if (line_begins_ && piece.front() == '.') out += '.';
        const std::size_t end = std::min(ends.next(piece), piece.size());
        out.append(piece.data(), end);
        size_ += end;
        if (end > 0) line_begins_ = false;
        if (end == piece.size()) return;
        end_line(out);
        const bool pair = piece[end] == '\r' && end + 1 < piece.size() && piece[end + 1] == '\n';
        after_cr_ = piece[end] == '\r' && end + 1 == piece.size();
        piece.remove_prefix(end + (pair ? 2 : 1));
    }
}

void DataWriter::finish(std::string& out) {
    if (!line_begins_) end_line(out);
    out += ".\r\n";
}

}  // namespace qconn::mail
