// SPDX-License-Identifier: Apache-2.0
// One pass over the text that makes each list and map where it stays.
#include "base/json.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "base/byte_run.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace qconn::json {

namespace {

constexpr std::size_t k_most_read_depth = 500;  // the reader and those who walk a value recurse

constexpr std::string_view k_ends = "the text ends too early";
constexpr std::string_view k_other = "JSON has something else in this place";
constexpr std::string_view k_half_pair = "half of a surrogate pair";
constexpr std::string_view k_needs_hex = "\\u needs four hexadecimal digits";

std::string place(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = text::utf8_length(newline == std::string_view::npos ? before : before.substr(newline + 1)) + 1;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Error not_json(std::string_view text, std::size_t offset, std::string_view what) {
    return make_error(Errc::parse, "the text is not good JSON: " + place(text, offset) + ": " + std::string{what});
}

/// Of a text that is UTF-8.
class Reader {
public:
    Reader(std::string_view text, const Limits& limits)
        : text_{text}, at_{text.data()}, end_{text.data() + text.size()}, limits_{limits}, most_depth_{std::min(limits.depth, k_most_read_depth)} {}

    Result<Value> document() {
        blanks();
        Value v = value(0);
        if (!error_) {
            blanks();
            if (at_ != end_) fail("there is something behind the value");
        }
        if (error_) return *std::move(error_);
        return v;
    }

private:
    // ---- errors; the first one counts, and what a function returns beside it is not looked at ----

    Value fail(std::string_view what) {
        error_ = not_json(text_, static_cast<std::size_t>(at_ - text_.data()), what);
        return {};
    }
    Value unexpected() { return fail(at_ == end_ ? k_ends : k_other); }
    Value too_deep() {
        error_ = make_error(Errc::limit, "the JSON text has more than " + std::to_string(most_depth_) +
                                             " lists and maps inside each other: " + place(text_, static_cast<std::size_t>(at_ - text_.data())));
        return {};
    }

    // ---- characters ----

    char peek() const { return at_ == end_ ? '\0' : *at_; }
    bool take(char c) {
        if (peek() != c || at_ == end_) return false;
        ++at_;
        return true;
    }
    void blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }
    void digits() {
        while (text::is_digit(peek())) ++at_;
    }

    // ---- values ----

    Value value(std::size_t depth) {
        if (++values_ > limits_.values) {
            error_ = make_error(Errc::limit, "the JSON text holds more than " + std::to_string(limits_.values) + " values");
            return {};
        }
        switch (peek()) {
            case '"': return Value{string()};
            case '{': return depth == most_depth_ ? too_deep() : map(depth + 1);
            case '[': return depth == most_depth_ ? too_deep() : list(depth + 1);
            case 't': return word("true", true);
            case 'f': return word("false", false);
            case 'n': return word("null", {});
            default: return number();
        }
    }

    Value word(std::string_view word, Value v) {
        const std::string_view there{at_, std::min(word.size(), static_cast<std::size_t>(end_ - at_))};
        if (!word.starts_with(there)) return unexpected();
        at_ += there.size();
        return there == word ? std::move(v) : unexpected();
    }

    Value list(std::size_t depth) {
        ++at_;
        Value v{List{}};
        List& list = v.as_list();
        blanks();
        if (take(']')) return v;
        do {
            blanks();
            list.push_back(value(depth));
            if (error_) return {};
            blanks();
        } while (take(','));
        return take(']') ? std::move(v) : unexpected();
    }

    Value map(std::size_t depth) {
        ++at_;
        Value v{Map{}};
        Map& map = v.as_map();
        blanks();
        if (take('}')) return v;
        map.reserve(4);
        do {
            blanks();
            if (peek() != '"') return unexpected();
            const std::string_view name = string();
            if (error_) return {};
            Value* member = nullptr;
            if (map.insert(std::string{name}, {}))
                member = &std::prev(map.end())->second;
            else if (limits_.last_member_wins)
                member = map.find(name);
            else
                return --at_, fail("the name \"" + text::printable(text::shorten(std::string{name}, 60)) + "\" is there twice in one map");
            blanks();
            if (!take(':')) return unexpected();
            blanks();
            *member = value(depth);
            if (error_) return {};
            blanks();
        } while (take(','));
        return take('}') ? std::move(v) : unexpected();
    }

    /// As RFC 8259 has it, which is stricter than text::number().
    Value number() {
        const char* const begin = at_;
        const bool negative = take('-');
        const char* const first = at_;
        if (!text::is_digit(peek())) return unexpected();
        if (!take('0')) digits();
        if (peek() != '.' && peek() != 'e' && peek() != 'E' && at_ - first <= 18) {
            long long v = 0;
            for (const char* p = first; p != at_; ++p) v = v * 10 + (*p - '0');
            return Value{negative ? -v : v};
        }
        if (take('.')) {
            if (!text::is_digit(peek())) return unexpected();
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (!take('-')) take('+');
            if (!text::is_digit(peek())) return unexpected();
            for (int exponent = 0; text::is_digit(peek()); ++at_)
                if (__builtin_mul_overflow(exponent, 10, &exponent) || __builtin_add_overflow(exponent, *at_ - '0', &exponent))
                    return fail("the exponent of this number is out of all bounds");
        }
        return text::number({begin, at_});
    }

    // ---- strings ----

    /// From quote to quote. The view lives until the next string.
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

    const char* plain() const {
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
    const Limits& limits_;
    std::size_t most_depth_;
    std::size_t values_{0};
    std::string unescaped_;
    std::optional<Error> error_;
};

}  // namespace

Result<Value> decode(std::string_view text, const Limits& limits) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (text.size() > limits.size)
        return make_error(Errc::limit,
                          "the JSON text has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(limits.size) + " are read");
    if (const std::size_t bad = text::invalid_utf8(text); bad != npos) return not_json(text, bad, "this is not UTF-8");
    return Reader{text, limits}.document();
}

}  // namespace qconn::json
