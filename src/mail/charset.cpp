// SPDX-License-Identifier: Apache-2.0
#include "mail/charset.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace qconn::mail {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

struct CharsetAlias {
    std::string_view name;
    std::string_view meant;
};
/// What mails say, and iconv's name for what they mean: where a charset has a superset that its users write in fact, that.
constexpr std::array<CharsetAlias, 44> k_aliases{{
    {"iso-8859-1", "windows-1252"},  // only where bytes 80 to 9F stand in it, see below
    {"latin1", "windows-1252"},
    {"latin-1", "windows-1252"},
    {"iso8859-1", "windows-1252"},
    {"iso_8859-1", "windows-1252"},
    {"l1", "windows-1252"},
    {"cp-850", "cp850"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"iso-8859-8-e", "iso-8859-8"},
    {"iso-8859-6-i", "iso-8859-6"},
    {"iso-8859-6-e", "iso-8859-6"},
    {"iso-8859-9", "windows-1254"},
    {"iso-8859-11", "windows-874"},
    {"tis-620", "windows-874"},
    {"ks_c_5601-1987", "cp949"},
    {"ks_c_5601", "cp949"},
    {"ksc5601", "cp949"},
    {"ks-c-5601-1987", "cp949"},
    {"euc-kr", "cp949"},
    {"korean", "cp949"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"x-gbk", "gb18030"},
    {"gb_2312-80", "gb18030"},
    {"euc-cn", "gb18030"},
    {"cp936", "gb18030"},
    {"chinese", "gb18030"},
    {"big5", "big5-hkscs"},
    {"x-x-big5", "big5-hkscs"},
    {"shift_jis", "cp932"},
    {"shift-jis", "cp932"},
    {"x-sjis", "cp932"},
    {"sjis", "cp932"},
    {"windows-31j", "cp932"},
    {"ms_kanji", "cp932"},
    {"x-euc-jp", "euc-jp"},
    {"x-mac-roman", "macintosh"},
    {"x-mac-cyrillic", "mac-cyrillic"},
    {"macroman", "macintosh"},
    {"x-cp1250", "windows-1250"},
    {"x-cp1251", "windows-1251"},
    {"x-cp1252", "windows-1252"},
    {"cp-1252", "windows-1252"},
    {"iso-2022-jp-1", "iso-2022-jp-2"},
}};

constexpr std::array<std::string_view, 6> k_utf8_names{"utf-8", "utf8", "utf-8mb4", "unicode-1-1-utf-8", "cp65001", "utf_8"};
/// Nothing is known by these.
constexpr std::array<std::string_view, 12> k_vague{"us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown",
                                                   "8bit",     "7bit",  "x-user-defined", "default",      "binary",    "iso-8859"};
/// With an encoder that was found unsafe (CVE-2024-2961), or that make memory of a few bytes.
constexpr std::array<std::string_view, 2> k_refused{"iso-2022-cn-ext", "iso-2022-cn"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string plain_name(std::string_view charset) {
    std::string name = text::to_lower(text::trim(charset));
    while (!name.empty() && (name.front() == '"' || name.front() == '\'')) name.erase(0, 1);
    while (!name.empty() && (name.back() == '"' || name.back() == '\'')) name.pop_back();
    return name;
}

/// iconv's names have options behind slashes, and files behind names: nothing of that comes from a mail.
bool is_harmless(std::string_view name) noexcept {
    if (name.empty() || name.size() > 40 || is_one_of(k_refused, name)) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '+' || c == '(' || c == ')';
    });
}

bool is_ascii(std::string_view bytes) noexcept {
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t word = 0;
        std::copy_n(bytes.data() + at, 8, reinterpret_cast<char*>(&word));
        if ((word & 0x8080808080808080U) != 0) return false;
    }
    for (; at < bytes.size(); ++at)
        if (static_cast<unsigned char>(bytes[at]) >= 0x80) return false;
    return true;
}

bool has_c1(std::string_view bytes) noexcept {
    return std::any_of(bytes.begin(), bytes.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80 && static_cast<unsigned char>(c) < 0xA0; });
}

std::string repaired_utf8(std::string_view bytes, CharsetOutcome& outcome) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const std::size_t bad = text::invalid_utf8(bytes);
        if (bad == npos) {
            out += bytes;
            break;
        }
        outcome.invalid = true;
        out.append(bytes.substr(0, bad)).append(k_replacement);
        bytes.remove_prefix(bad + 1);
        // One mark for each sequence that was cut short, not for each of its bytes.
        while (!bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0xC0U) == 0x80U && text::sequence_length(bytes) == 0)
            bytes.remove_prefix(1);
    }
    return out;
}

std::string ascii_only(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (const char c : bytes) {
        if (static_cast<unsigned char>(c) < 0x80)
            out += c;
        else
            out += k_replacement;
    }
    return out;
}

/// The 27 characters that windows-1252 has where ISO 8859-1 has none.
constexpr std::array<std::uint16_t, 32> k_windows_1252{0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                                       0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                                       0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

std::string from_windows_1252(std::string_view bytes, CharsetOutcome& outcome) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 8);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        const std::uint32_t point = byte >= 0x80 && byte < 0xA0 ? k_windows_1252[byte - 0x80U] : byte;
        outcome.invalid = outcome.invalid || point == 0xFFFD;
        text::append_utf8(out, point);
    }
    return out;
}

class Converter {
public:
    explicit Converter(const std::string& name) : handle_{::iconv_open("UTF-8", name.c_str())} {}
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    ~Converter() {
        if (is_open()) ::iconv_close(handle_);
    }
    bool is_open() const noexcept { return handle_ != reinterpret_cast<iconv_t>(-1); }  // NOLINT: as POSIX has it

    std::string convert(std::string_view bytes, CharsetOutcome& outcome) {
        std::string out;
        out.reserve(bytes.size() + bytes.size() / 2 + 16);
        std::array<char, 4096> room;                 // NOLINT: filled by iconv
        char* in = const_cast<char*>(bytes.data());  // NOLINT: iconv does not write there
        std::size_t left = bytes.size();
        for (bool ending = false;;) {
            char* to = room.data();
            std::size_t space = room.size();
            const std::size_t done = ending ? ::iconv(handle_, nullptr, nullptr, &to, &space) : ::iconv(handle_, &in, &left, &to, &space);
            const int error = errno;
            out.append(room.data(), room.size() - space);
            if (done != static_cast<std::size_t>(-1)) {
                if (ending) return out;
                ending = true;  // characters that wait for what may be combined with them
                continue;
            }
            if (error == E2BIG) continue;
            if (ending) return out;
            outcome.invalid = true;
            out += k_replacement;
            if (left > 0) {
                ++in;
                --left;
            }
            if (error == EINVAL || left == 0) ending = true;  // cut within a character
        }
    }

private:
    iconv_t handle_;
};

}  // namespace

std::string guessed_utf8(std::string_view bytes) {
    if (text::valid_utf8(bytes)) return std::string{bytes};
    CharsetOutcome ignored;
    return from_windows_1252(bytes, ignored);
}

std::string to_utf8(std::string_view bytes, std::string_view charset, CharsetOutcome& outcome) {
    std::string name = plain_name(charset);
    const bool vague = name.empty() || is_one_of(k_vague, name);
    if (vague || is_one_of(k_utf8_names, name)) {
        if (text::valid_utf8(bytes)) {
            outcome.guessed = outcome.guessed || (vague && !is_ascii(bytes));
            return std::string{bytes};
        }
        if (!vague) return repaired_utf8(bytes, outcome);
        outcome.guessed = true;
        return from_windows_1252(bytes, outcome);
    }
    const auto* const alias = std::find_if(k_aliases.begin(), k_aliases.end(), [&](const CharsetAlias& one) { return one.name == name; });
    if (alias != k_aliases.end()) name = alias->meant;
    if (name == "windows-1252" || name == "cp1252") {
        if (is_ascii(bytes)) return std::string{bytes};
        // C1 control characters stand in no mail: it is windows-1252 under the wrong name.
        outcome.guessed = outcome.guessed || (alias != k_aliases.end() && alias->name.find("1252") == npos && has_c1(bytes));
        return from_windows_1252(bytes, outcome);
    }
    if (is_harmless(name)) {
        Converter converter{name};
        if (converter.is_open()) return converter.convert(bytes, outcome);
    }
    outcome.unknown = true;
    if (text::valid_utf8(bytes)) {
        outcome.guessed = !is_ascii(bytes);
        return std::string{bytes};
    }
    return ascii_only(bytes);
}

}  // namespace qconn::mail
