// SPDX-License-Identifier: Apache-2.0
/// The tokens of a JSON text (RFC 8259), for readers that make something of their own of it in one pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

#include "base/byte_run.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace qconn::json {

/// "line 3, column 7"
std::string place(std::string_view text, std::size_t offset);
/// PARSE-ERROR with line and column.
Error not_json(std::string_view text, std::size_t offset, std::string_view what);
/// LIMIT-EXCEEDED: more lists and maps inside each other.
Error too_deep(std::string_view text, std::size_t offset, std::size_t most_depth);

/// Walks a text that is UTF-8 (text::invalid_utf8). The first error counts; what a function returns beside it is not looked at.
class Scanner {
public:
    explicit Scanner(std::string_view text) noexcept : text_{text}, at_{text.data()}, end_{text.data() + text.size()} {}

    bool failed() const noexcept { return error_.has_value(); }
    /// Set where it has failed.
    std::optional<Error>& error() noexcept { return error_; }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - text_.data()); }

    void fail(std::string_view what) { error_ = not_json(text_, offset(), what); }
    void unexpected() { fail(at_ == end_ ? k_ends : k_other); }
    void fail_depth(std::size_t most_depth) { error_ = too_deep(text_, offset(), most_depth); }

    bool at_end() const noexcept { return at_ == end_; }
    /// 0 at the end.
    char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
    bool take(char c) noexcept {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }
    void blanks() noexcept {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }
    /// One of true, false and null.
    void word(std::string_view word) {
        const std::string_view there{at_, std::min(word.size(), static_cast<std::size_t>(end_ - at_))};
        if (!word.starts_with(there)) return unexpected();
        at_ += there.size();
        if (there != word) unexpected();
    }

    /// A number as RFC 8259 has it, which is stricter than text::number().
    struct Number {
        std::string_view text{};
        bool small{false};   ///< an integer of at most 18 digits: `value`
        bool integer{true};  ///< has neither point nor exponent
        std::int64_t value{0};
    };
    Number number() {
        Number out;
        const char* const begin = at_;
        const bool negative = take('-');
        const char* const first = at_;
        if (!text::is_digit(peek())) return unexpected(), out;
        if (!take('0')) digits();
        if (peek() != '.' && peek() != 'e' && peek() != 'E') {
            out.text = {begin, at_};
            if (at_ - first > 18) return out;
            out.small = true;
            for (const char* p = first; p != at_; ++p) out.value = out.value * 10 + (*p - '0');
            if (negative) out.value = -out.value;
            return out;
        }
        out.integer = false;
        if (take('.')) {
            if (!text::is_digit(peek())) return unexpected(), out;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (!take('-')) take('+');
            if (!text::is_digit(peek())) return unexpected(), out;
            for (int exponent = 0; text::is_digit(peek()); ++at_)
                if (__builtin_mul_overflow(exponent, 10, &exponent) || __builtin_add_overflow(exponent, *at_ - '0', &exponent))
                    return fail("the exponent of this number is out of all bounds"), out;
        }
        out.text = {begin, at_};
        return out;
    }

    /// At a quote, to the other one. The view lives until the next string.
    std::string_view string() {
        const char* begin = ++at_;
        at_ = plain();
        if (take('"')) return {begin, at_ - 1};
        unescaped_.assign(begin, at_);
        while (!take('"')) {
            if (peek() != '\\' || !escape()) {
                if (!error_) unexpected();
                return {};
            }
            begin = at_;
            at_ = plain();
            unescaped_.append(begin, at_);
        }
        return unescaped_;
    }

    /// Over a value of any kind.
    void skip(std::size_t depth) {
        switch (peek()) {
            case '"': string(); return;
            case 't': return word("true");
            case 'f': return word("false");
            case 'n': return word("null");
            case '{':
            case '[': break;
            default: number(); return;
        }
        if (depth == 0) return fail("there are too many lists and maps inside each other");
        const bool map = peek() == '{';
        const char close = map ? '}' : ']';
        ++at_;
        blanks();
        if (take(close)) return;
        do {
            blanks();
            if (map) {
                if (peek() != '"') return unexpected();
                string();
                if (error_) return;
                blanks();
                if (!take(':')) return unexpected();
                blanks();
            }
            skip(depth - 1);
            if (error_) return;
            blanks();
        } while (take(','));
        if (!take(close)) unexpected();
    }

protected:
    static constexpr std::string_view k_ends = "the text ends too early";
    static constexpr std::string_view k_other = "JSON has something else in this place";
    static constexpr std::string_view k_half_pair = "half of a surrogate pair";
    static constexpr std::string_view k_needs_hex = "\\u needs four hexadecimal digits";

    void digits() noexcept {
        while (text::is_digit(peek())) ++at_;
    }
    const char* plain() const noexcept {
        return text::run_end(at_, end_, [](auto c) { return (c == '"') | (c == '\\') | (c < 0x20); });
    }

    /// At a backslash.
    bool escape() {
        constexpr std::string_view k_names = "\"\\/bfnrt";
        constexpr std::string_view k_meanings = "\"\\/\b\f\n\r\t";
        ++at_;
        if (take('u')) return code_point();
        const std::size_t i = at_ == end_ ? npos : k_names.find(*at_);
        if (i == npos) return false;
        ++at_;
        unescaped_ += k_meanings[i];
        return true;
    }

    /// Four hexadecimal digits.
    std::optional<std::uint32_t> code_unit() {
        std::uint32_t unit = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const int digit = text::hex_digit(peek());
            if (digit < 0) {
                fail(at_ == end_ ? k_ends : k_needs_hex);
                return std::nullopt;
            }
            unit = unit << 4U | static_cast<std::uint32_t>(digit);
        }
        return unit;
    }

    /// Behind `\u`; a character beyond 16 bits is a pair of them.
    bool code_point() {
        auto c = code_unit();
        if (!c) return false;
        if (*c >= 0xD800 && *c < 0xE000) {
            if (*c >= 0xDC00 || !take('\\') || !take('u')) {
                fail(at_ == end_ ? k_ends : k_half_pair);
                return false;
            }
            const auto low = code_unit();
            if (!low) return false;
            if (*low < 0xDC00 || *low > 0xDFFF) {
                fail(k_half_pair);
                return false;
            }
            c = 0x10000 + ((*c - 0xD800) << 10U) + (*low - 0xDC00);
        }
        text::append_utf8(unescaped_, *c);
        return true;
    }

    std::string_view text_;
    const char* at_;
    const char* end_;
    std::string unescaped_;
    std::optional<Error> error_;
};

}  // namespace qconn::json
