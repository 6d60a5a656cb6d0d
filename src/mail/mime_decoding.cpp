// SPDX-License-Identifier: Apache-2.0
#include "mail/mime_decoding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/text.hpp"
#include "mail/charset.hpp"

namespace qconn::mail {
namespace {

constexpr std::uint8_t k_skip = 0x40;     // white space
constexpr std::uint8_t k_pad = 0x41;      // =
constexpr std::uint8_t k_strange = 0x42;  // anything else
constexpr std::array<std::uint8_t, 256> k_base64 = [] {
    std::array<std::uint8_t, 256> all{};
    all.fill(k_strange);
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i) all[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    for (const char c : {' ', '\t', '\r', '\n'}) all[static_cast<unsigned char>(c)] = k_skip;
    all[static_cast<unsigned char>('=')] = k_pad;
    return all;
}();

/// The same, shifted to where the character of a group goes; 80000000: none of the alphabet.
constexpr std::array<std::array<std::uint32_t, 256>, 4> k_shifted = [] {
    std::array<std::array<std::uint32_t, 256>, 4> all{};
    for (std::size_t place = 0; place < 4; ++place) {
        for (std::size_t c = 0; c < 256; ++c) {
            const std::uint32_t value = k_base64[c];
            all[place][c] = value < 0x40 ? value << (18 - 6 * place) : 0x80000000U;
        }
    }
    return all;
}();

void note(std::size_t& where, std::size_t at) noexcept {
    if (where == npos) where = at;
}

}  // namespace

std::string decode_base64(std::string_view text, DecodingProblems& problems) {
    std::string out;
    out.resize(text.size() / 4 * 3 + 3);
    char* to = out.data();
    const auto* in = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const begin = in;
    const auto* const end = in + text.size();
    std::uint32_t group = 0;
    unsigned count = 0;
    bool ended = false;
    while (in != end && !ended) {
        if (count == 0) {
            // Whole groups, which is nearly all.
            while (end - in >= 4) {
                const std::uint32_t four = k_shifted[0][in[0]] | k_shifted[1][in[1]] | k_shifted[2][in[2]] | k_shifted[3][in[3]];
                if ((four & 0x80000000U) != 0) break;
                to[0] = static_cast<char>(four >> 16U);
                to[1] = static_cast<char>(four >> 8U);
                to[2] = static_cast<char>(four);
                to += 3;
                in += 4;
            }
            if (in == end) break;
        }
        const std::uint8_t value = k_base64[*in];
        const auto at = static_cast<std::size_t>(in - begin);
        ++in;
        if (value == k_skip) continue;
        if (value == k_strange) {
            note(problems.strange, at);
            continue;
        }
        if (value == k_pad) {
            if (count < 2) {  // padding of nothing
                note(problems.strange, at);
                continue;
            }
            // The end. Another `=` may be due; whatever comes behind is not of it.
            bool due = count == 2;
            for (; in != end; ++in) {
                const std::uint8_t next = k_base64[*in];
                if (next == k_skip) continue;
                if (next == k_pad && due) {
                    due = false;
                    continue;
                }
                note(problems.trailing, static_cast<std::size_t>(in - begin));
                break;
            }
            if (due) note(problems.length, at);
            ended = true;
            break;
        }
        group = group << 6U | value;
        if (++count < 4) continue;
        to[0] = static_cast<char>(group >> 16U);
        to[1] = static_cast<char>(group >> 8U);
        to[2] = static_cast<char>(group);
        to += 3;
        group = 0;
        count = 0;
    }
    if (!ended && count != 0) note(problems.length, text.size());
    if (count >= 2) *to++ = static_cast<char>(count == 2 ? group >> 4U : group >> 10U);
    if (count == 3) *to++ = static_cast<char>(group >> 2U);
    out.resize(static_cast<std::size_t>(to - out.data()));
    return out;
}

std::string decode_quoted_printable(std::string_view text, bool word, DecodingProblems& problems) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const char* const found = static_cast<const char*>(std::memchr(text.data() + at, '=', text.size() - at));
        const std::size_t sign = found != nullptr ? static_cast<std::size_t>(found - text.data()) : text.size();
        const std::size_t from = out.size();
        out.append(text, at, sign - at);
        if (word) {
            for (std::size_t i = from; i < out.size(); ++i)
                if (out[i] == '_') out[i] = ' ';
        }
        if (sign == text.size()) break;
        at = sign + 1;
        if (at + 1 < text.size()) {
            const int high = text::hex_digit(text[at]);
            const int low = text::hex_digit(text[at + 1]);
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high << 4 | low);
                at += 2;
                continue;
            }
        }
        // A soft line end; white space before it was added on the way.
        std::size_t line_end = text.find_first_not_of(" \t", at);
        if (line_end != npos && text[line_end] == '\r' && line_end + 1 < text.size() && text[line_end + 1] == '\n') ++line_end;
        if (line_end == npos) break;  // the last line: what is joined to it does not come
        if (text[line_end] == '\n') {
            at = line_end + 1;
            continue;
        }
        note(problems.strange, sign);
        out += '=';
    }
    return out;
}

std::string decode_uuencode(std::string_view text, DecodingProblems& problems) {
    std::string out;
    bool begun = false;
    bool ended = false;
    std::size_t at = 0;
    while (at < text.size() && !ended) {
        const std::size_t line_end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, line_end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t begin = at;
        at = line_end + 1;
        if (!begun) {
            begun = line.starts_with("begin ");
            continue;
        }
        if (line == "end") {
            ended = true;
            continue;
        }
        if (line.empty()) continue;
        const auto value = [](char c) { return static_cast<std::uint32_t>((static_cast<unsigned char>(c) - 0x20U) & 0x3FU); };
        std::size_t bytes = value(line.front());
        line.remove_prefix(1);
        if (line.size() < (bytes * 4 + 2) / 3) note(problems.strange, begin);
        for (std::size_t i = 0; i < line.size() && bytes > 0; i += 4) {
            std::uint32_t group = 0;
            for (std::size_t j = 0; j < 4; ++j) group = group << 6U | (i + j < line.size() ? value(line[i + j]) : 0U);
            for (const unsigned shift : {16U, 8U, 0U}) {
                if (bytes == 0) break;
                out += static_cast<char>(group >> shift);
                --bytes;
            }
        }
    }
    if (!ended) note(problems.length, text.size());
    return out;
}

std::string decode_percent(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = text::hex_digit(text[i + 1]);
            const int low = text::hex_digit(text[i + 2]);
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high << 4 | low);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

namespace {

struct EncodedWord {
    std::string charset;
    std::string bytes;
    std::size_t size{0};  ///< of the word
};

/// @param no_end  set where no word can end any more, so that nobody looks for it again
std::optional<EncodedWord> encoded_word(std::string_view text, bool& no_end) {
    constexpr std::size_t k_longest_charset = 64;
    // =?charset?q?text?=
    const std::size_t first = text.substr(0, k_longest_charset + 3).find('?', 2);
    if (first == npos || first == 2 || first + 3 >= text.size() || text[first + 2] != '?') return std::nullopt;
    const char how = text::lower(text[first + 1]);
    if (how != 'q' && how != 'b') return std::nullopt;
    std::string_view charset = text.substr(2, first - 2);
    if (charset.find_first_of(" \t\r\n=") != npos) return std::nullopt;
    const std::size_t begin = first + 3;
    const std::size_t end = text.find("?=", begin);
    if (end == npos) {
        no_end = true;
        return std::nullopt;
    }
    EncodedWord word;
    word.size = end + 2;
    word.charset = text::to_lower(charset.substr(0, charset.find('*')));  // a language may stand behind it (RFC 2231 section 5)
    const std::string_view encoded = text.substr(begin, end - begin);
    DecodingProblems ignored;
    word.bytes = how == 'b' ? decode_base64(encoded, ignored) : decode_quoted_printable(encoded, true, ignored);
    return word;
}

}  // namespace

std::string decode_words(std::string_view unfolded) {
    if (unfolded.find("=?") == npos) return guessed_utf8(unfolded);
    std::string out;
    std::string pending;  // of words of one charset: characters may be parted between two of them
    std::string charset;
    const auto flush = [&] {
        CharsetOutcome ignored;
        if (!pending.empty()) out += to_utf8(pending, charset, ignored);
        pending.clear();
    };
    bool no_end = false;
    bool after_word = false;
    std::size_t at = 0;
    while (at < unfolded.size()) {
        const std::size_t next = no_end ? npos : unfolded.find("=?", at);
        const std::string_view plain = unfolded.substr(at, next == npos ? npos : next - at);
        std::optional<EncodedWord> word;
        if (next != npos) word = encoded_word(unfolded.substr(next), no_end);
        const bool between = after_word && word && plain.find_first_not_of(" \t") == npos;
        if (!between && !plain.empty()) {
            flush();
            out += guessed_utf8(plain);
            after_word = false;
        }
        if (next == npos) break;
        if (!word) {
            flush();
            after_word = false;
            out += "=?";
            at = next + 2;
            continue;
        }
        if (word->charset != charset) flush();
        charset = std::move(word->charset);
        pending += word->bytes;
        after_word = true;
        at = next + word->size;
    }
    flush();
    return out;
}

}  // namespace qconn::mail
