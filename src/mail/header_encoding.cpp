// SPDX-License-Identifier: Apache-2.0
#include "mail/header_encoding.hpp"

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace qconn::mail {
namespace {

constexpr std::size_t k_encoded_word = 75;  // RFC 2047 section 2
constexpr std::string_view k_word_begin = "=?UTF-8?Q?";
constexpr std::string_view k_word_begin_base64 = "=?UTF-8?B?";
constexpr std::string_view k_word_end = "?=";
/// A longer one is encoded, so that it can be broken: lines have at most 998 characters.
constexpr std::size_t k_longest_word = 900;
constexpr std::string_view k_hex_digits = "0123456789ABCDEF";

bool is_printable_ascii(char c) noexcept { return c >= ' ' && c < 0x7F; }

/// What stands for itself in an encoded word wherever that stands (RFC 2047 section 5, rule 3).
bool is_q_safe(char c) noexcept { return text::is_alpha(c) || text::is_digit(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/'; }
std::size_t q_length(std::string_view text) noexcept {
    std::size_t n = 0;
    for (const char c : text) n += is_q_safe(c) || c == ' ' ? 1 : 3;
    return n;
}
/// Such text can still be read by people in the form Q.
bool is_mostly_ascii(std::string_view text) noexcept {
    std::size_t coded = 0, all = 0;
    for (std::size_t at = 0; at < text.size(); ++all) {
        const std::size_t size = std::max<std::size_t>(1, text::sequence_length(text.substr(at)));
        coded += size == 1 && (is_q_safe(text[at]) || text[at] == ' ') ? 0 : 1;
        at += size;
    }
    return coded * 2 < all;
}
void append_hex(std::string& out, char mark, char c) {
    const auto byte = static_cast<unsigned char>(c);
    out += mark;
    out += k_hex_digits[byte >> 4U];
    out += k_hex_digits[byte & 15U];
}

/// It can stand as it is, and comes out the same.
bool is_plain_text(std::string_view value) noexcept {
    if (value.empty()) return true;
    if (value.front() == ' ' || value.back() == ' ' || value.find("=?") != npos) return false;
    if (!std::all_of(value.begin(), value.end(), is_printable_ascii)) return false;
    const auto words = text::split(value, ' ');
    return std::all_of(words.begin(), words.end(), [](std::string_view word) { return word.size() <= k_longest_word; });
}

void append_words(HeaderWriter& header, std::string_view value) {
    for (const std::string_view word : text::split(value, ' ')) header.word(word);
}

/// Of the text a name is made of in a header: atoms, a quoted string, or encoded words.
void append_phrase(HeaderWriter& header, std::string_view name) {
    constexpr std::string_view k_atom_marks = "!#$%&'*+-/=?^_`{|}~ ";
    if (!is_plain_text(name)) {
        for (const std::string& word : encoded_words(name, header.room())) header.word(word);
        return;
    }
    const bool atoms = name.find("  ") == npos && std::all_of(name.begin(), name.end(), [k_atom_marks](char c) {
                           return text::is_alpha(c) || text::is_digit(c) || k_atom_marks.find(c) != npos;
                       });
    if (atoms) {
        append_words(header, name);
        return;
    }
    std::string in_quotes = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') in_quotes += '\\';
        in_quotes += c;
    }
    in_quotes += '"';
    append_words(header, in_quotes);
}

bool is_token_char(char c) noexcept { return is_printable_ascii(c) && std::string_view{" ()<>@,;:\\\"/[]?="}.find(c) == npos; }
/// attribute-char of RFC 2231 section 7.
bool is_attribute_char(char c) noexcept { return is_token_char(c) && c != '*' && c != '\'' && c != '%'; }

}  // namespace

HeaderWriter::HeaderWriter(std::string& out, std::string_view name) : out_{out}, column_{name.size() + 1} { out.append(name).append(":"); }

void HeaderWriter::word(std::string_view text) { word(text, 0); }

void HeaderWriter::word(std::string_view text, std::size_t more) {
    // Not before the first: a field that begins with an empty line is one that some programs stumble over.
    const bool fold = begun_ && !text.empty() && column_ + 1 + text.size() + more > k_line_length && out_.back() != ' ';
    if (fold) {
        out_ += "\r\n";
        column_ = 0;
    }
    out_ += ' ';
    out_ += text;
    column_ += 1 + text.size();
    begun_ = true;
}

void HeaderWriter::glue(std::string_view text) {
    out_ += text;
    column_ += text.size();
}

void HeaderWriter::end() { out_ += "\r\n"; }

std::vector<std::string> encoded_words(std::string_view text, std::size_t first) {
    constexpr std::size_t k_frame = k_word_begin.size() + k_word_end.size();
    const bool q = is_mostly_ascii(text);
    std::vector<std::string> words;
    std::size_t room = std::min(first, k_encoded_word);
    if (room < k_frame + 12) room = k_encoded_word;  // not worth its frame
    while (!text.empty()) {
        // Whole characters, as many as have room.
        std::size_t taken = 0, length = 0;
        while (taken < text.size()) {
            const std::size_t size = std::max<std::size_t>(1, text::sequence_length(text.substr(taken)));
            const std::size_t longer = q ? length + q_length(text.substr(taken, size)) : (taken + size + 2) / 3 * 4;
            if (taken > 0 && k_frame + longer > room) break;
            taken += size;
            length = longer;
        }
        std::string word{q ? k_word_begin : k_word_begin_base64};
        if (!q) word += base64::encode(text.substr(0, taken));
        for (const char c : text.substr(0, q ? taken : 0)) {
            if (c == ' ')
                word += '_';
            else if (is_q_safe(c))
                word += c;
            else
                append_hex(word, '=', c);
        }
        word += k_word_end;
        words.push_back(std::move(word));
        text.remove_prefix(taken);
        room = k_encoded_word;
    }
    return words;
}

void append_text_header(std::string& out, std::string_view name, std::string_view value) {
    HeaderWriter header{out, name};
    if (is_plain_text(value)) {
        append_words(header, value);
    } else {
        for (const std::string& word : encoded_words(value, header.room())) header.word(word);
    }
    header.end();
}

void append_address_header(std::string& out, std::string_view name, const std::vector<MailAddress>& addresses) {
    if (addresses.empty()) return;
    HeaderWriter header{out, name};
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const MailAddress& one = addresses[i];
        if (!one.name.empty()) append_phrase(header, one.name);
        const bool last = i + 1 == addresses.size();
        header.word(one.name.empty() ? one.address : "<" + one.address + ">", last ? 0 : 1);
        if (!last) header.glue(",");
    }
    header.end();
}

void append_plain_header(std::string& out, std::string_view name, std::string_view value) {
    HeaderWriter header{out, name};
    append_words(header, value);
    header.end();
}

void append_parameter(HeaderWriter& header, std::string_view name, std::string_view value) {
    constexpr std::size_t k_part = 50;
    const bool ascii = std::all_of(value.begin(), value.end(), is_printable_ascii) && value.size() <= k_longest_word;
    if (!ascii) {
        // Parts are whole characters, as some programs decode each by itself.
        std::vector<std::string> parts{{}};
        for (std::size_t at = 0; at < value.size();) {
            const std::size_t size = std::max<std::size_t>(1, text::sequence_length(value.substr(at)));
            std::string next;
            for (const char c : value.substr(at, size)) {
                if (is_attribute_char(c))
                    next += c;
                else
                    append_hex(next, '%', c);
            }
            if (parts.back().size() + next.size() > k_part) parts.emplace_back();
            parts.back() += next;
            at += size;
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            std::string part{name};
            if (parts.size() > 1) part.append("*").append(std::to_string(i));
            part.append(i == 0 ? "*=UTF-8''" : "*=").append(parts[i]);
            header.glue(";");
            header.word(part, 1);
        }
    }
    // The form in ASCII comes second: of two that say the same, the first counts for programs that know both.
    std::string simple;
    for (std::size_t at = 0; at < value.size();) {
        const std::size_t size = std::max<std::size_t>(1, text::sequence_length(value.substr(at)));
        const char c = value[at];
        simple += size == 1 && is_printable_ascii(c) ? c : '_';
        at += size;
    }
    if (simple.size() > k_longest_word) simple.resize(k_longest_word);
    std::string part{name};
    part += '=';
    if (!simple.empty() && std::all_of(simple.begin(), simple.end(), is_token_char)) {
        part += simple;
    } else {
        part += '"';
        for (const char c : simple) {
            if (c == '"' || c == '\\') part += '\\';
            part += c;
        }
        part += '"';
    }
    header.glue(";");
    header.word(part, 1);
}

}  // namespace qconn::mail
