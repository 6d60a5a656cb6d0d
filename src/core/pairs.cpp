// SPDX-License-Identifier: Apache-2.0
#include "core/pairs.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>
#include <utility>

#include "base/text.hpp"

namespace qconn::core {

namespace {

class Parser {
public:
    Parser(std::string_view text, const PairsLimits& limits) : text_{text}, limits_{limits} {}

    PairsResult run() {
        PairsResult result;
        Value value = items('\0', 0);
        if (!problem_ && at_ < text_.size()) fail(at_, 1, "nothing is open that this bracket could close");
        if (problem_)
            result.problem = std::move(problem_);
        else
            result.value = std::move(value);
        return result;
    }

private:
    void fail(std::size_t offset, std::size_t length, std::string message) {
        if (!problem_) problem_ = PairsProblem{offset, length, std::move(message)};
    }
    bool more() const noexcept { return at_ < text_.size(); }
    char next() const noexcept { return more() ? text_[at_] : '\0'; }
    void skip_blanks() noexcept {
        while (more() && text::is_space(text_[at_])) ++at_;
    }

    /// The items up to `close` (not taken), or to the end of the text where that is NUL.
    Value items(char close, std::size_t depth) {
        if (depth > limits_.max_depth) {
            fail(at_, 1, "more than " + std::to_string(limits_.max_depth) + " brackets are open at once");
            return {};
        }
        Map map;
        List list;
        bool keyed = close == '}';
        bool first = true;
        for (;;) {
            skip_blanks();
            if (first && (!more() || next() == close)) break;
            const std::size_t begin = at_;
            if (++count_ > limits_.max_items) {
                fail(at_, 1, "there are more than " + std::to_string(limits_.max_items) + " items");
                return {};
            }
            if (!more() || next() == close) break;  // a comma may follow the last item
            auto [has_key, key] = this->key();
            if (problem_) return {};
            if (first) keyed = keyed || has_key;
            if (keyed && !has_key) {
                fail(begin, 1, "an item without '=' stands among key=value items; a value that holds a comma needs double quotes");
                return {};
            }
            if (!keyed && has_key) {
                fail(begin, 1, "a key=value item stands in a list; a value that holds '=' needs double quotes");
                return {};
            }
            Value value = this->value(depth);
            if (problem_) return {};
            if (keyed) {
                if (!map.insert(std::move(key), std::move(value))) {
                    fail(begin, 1, "this key stands twice");
                    return {};
                }
            } else {
                list.push_back(std::move(value));
            }
            first = false;
            skip_blanks();
            if (next() == ',') {
                ++at_;
                continue;
            }
            break;
        }
        if (keyed) return Value{std::move(map)};
        if (close != '\0') return Value{std::move(list)};
        if (list.empty()) return {};
        if (list.size() == 1) return std::move(list.front());
        return Value{std::move(list)};
    }

    /// Takes `key =` where the item begins with one.
    std::pair<bool, std::string> key() {
        const std::size_t begin = at_;
        if (next() == '"') {
            std::string name = quoted();
            if (problem_) return {};
            skip_blanks();
            if (next() == '=') {
                ++at_;
                return {true, std::move(name)};
            }
            at_ = begin;
            return {};
        }
        std::size_t i = at_;
        while (i < text_.size() && std::string_view{",(){}\"="}.find(text_[i]) == npos) ++i;
        if (i >= text_.size() || text_[i] != '=') return {};
        const auto name = text::trim(text_.substr(at_, i - at_));
        if (name.empty()) {
            fail(begin, 1, "no key stands before this '='");
            return {};
        }
        at_ = i + 1;
        return {true, std::string{name}};
    }

    Value value(std::size_t depth) {
        skip_blanks();
        const std::size_t begin = at_;
        if (next() == '"') {
            std::string text = quoted();
            if (!problem_) expect_end();
            return Value{text};
        }
        if (next() == '(' || next() == '{') {
            const char close = next() == '(' ? ')' : '}';
            ++at_;
            Value inner = items(close, depth + 1);
            if (problem_) return {};
            skip_blanks();
            if (next() != close) {
                fail(begin, 1, "this bracket is not closed");
                return {};
            }
            ++at_;
            expect_end();
            return inner;
        }
        return word();
    }

    /// After a value that has an end of its own.
    void expect_end() {
        skip_blanks();
        if (more() && std::string_view{",)}"}.find(next()) == npos) fail(at_, 1, "a comma is missing before this");
    }

    std::string quoted() {
        const std::size_t begin = at_++;
        std::string out;
        for (;; ++at_) {
            if (!more()) {
                fail(begin, 1, "this double quote is not closed");
                return {};
            }
            const char c = text_[at_];
            if (c == '"') break;
            if (c != '\\') {
                out += c;
                continue;
            }
            ++at_;
            switch (next()) {
                case '"': out += '"'; break;
                case '\\': out += '\\'; break;
                case 'n': out += '\n'; break;
                case 'r': out += '\r'; break;
                case 't': out += '\t'; break;
                default: fail(at_ - 1, 2, R"(only \", \\, \n, \r and \t are known after a backslash)"); return {};
            }
        }
        ++at_;
        return out;
    }

    Value word() {
        const std::size_t begin = at_;
        std::string open;  // the brackets to come
        for (; more(); ++at_) {
            const char c = next();
            if (c == '(' || c == '{') {
                open += c == '(' ? ')' : '}';
            } else if (c == ')' || c == '}') {
                if (open.empty()) break;
                if (open.back() != c) {
                    fail(at_, 1, "this bracket closes another one than was opened");
                    return {};
                }
                open.pop_back();
            } else if (c == ',' && open.empty()) {
                break;
            }
            if (open.size() > limits_.max_depth) {
                fail(at_, 1, "more than " + std::to_string(limits_.max_depth) + " brackets are open at once");
                return {};
            }
        }
        if (!open.empty()) {
            fail(begin, 1, "a bracket in this value is not closed");
            return {};
        }
        const auto word = text::trim(text_.substr(begin, at_ - begin));
        return limits_.typed ? word_value(word) : Value{word};
    }

    std::string_view text_;
    const PairsLimits& limits_;
    std::size_t at_{0};
    std::size_t count_{0};
    std::optional<PairsProblem> problem_;
};

bool digits(std::string_view s) noexcept {
    if (s.empty()) return false;
    for (const char c : s)
        if (!text::is_digit(c)) return false;
    return true;
}

int to_int(std::string_view s) noexcept {
    int out = 0;
    std::from_chars(s.data(), s.data() + s.size(), out);
    return out;
}

/// YYYY-MM-DD[ HH:mm[:SS[.fraction]]], a local date and time; also with a 'T' between.
std::optional<Timestamp> date(std::string_view s) {
    const auto field = [&s](std::size_t offset, std::size_t length) { return s.substr(offset, length); };
    if (s.size() < 10 || s[4] != '-' || s[7] != '-' || !digits(field(0, 4)) || !digits(field(5, 2)) || !digits(field(8, 2))) return {};
    const int year = to_int(field(0, 4));
    const int month = to_int(field(5, 2));
    const int day = to_int(field(8, 2));
    static constexpr std::array<int, 12> k_days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > k_days[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0)) return {};

    int hour = 0;
    int minute = 0;
    int second = 0;
    Timestamp out;
    out.has_zone = false;
    if (s.size() > 10) {
        if ((s[10] != ' ' && s[10] != 'T') || s.size() < 16 || s[13] != ':' || !digits(field(11, 2)) || !digits(field(14, 2))) return {};
        hour = to_int(field(11, 2));
        minute = to_int(field(14, 2));
        if (s.size() > 16) {
            if (s.size() < 19 || s[16] != ':' || !digits(field(17, 2))) return {};
            second = to_int(field(17, 2));
            if (s.size() > 19) {
                const auto fraction = s.substr(20);
                if (s[19] != '.' || !digits(fraction) || fraction.size() > 9) return {};
                std::string nanoseconds{fraction};
                nanoseconds.resize(9, '0');
                out.nanoseconds = static_cast<std::uint32_t>(to_int(nanoseconds));
            }
        }
    }
    if (hour > 23 || minute > 59 || second > 59) return {};
    // Days from civil: years of March to February, eras of 400 years.
    const int y = month <= 2 ? year - 1 : year;
    const int era = y / 400;
    const int year_of_era = y - era * 400;
    const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    const std::int64_t days = static_cast<std::int64_t>(era) * 146'097 + day_of_era - 719'468;
    out.seconds = days * 86'400 + hour * 3'600 + minute * 60 + second;
    return out;
}

/// Whether it is [sign] digits [. digits] [e [sign] digits] with at least one digit before any '.', and which of the parts it has.
struct NumberShape {
    bool is_number{false};
    bool is_integer{false};
    bool leading_zero{false};
};

NumberShape number_shape(std::string_view s) noexcept {
    NumberShape out;
    std::size_t i = !s.empty() && (s[0] == '-' || s[0] == '+') ? 1 : 0;
    const auto run = [&] {
        const std::size_t from = i;
        while (i < s.size() && text::is_digit(s[i])) ++i;
        return i - from;
    };
    const std::size_t first = i;
    const std::size_t whole = run();
    if (whole == 0) return out;
    out.leading_zero = whole > 1 && s[first] == '0';
    out.is_integer = i == s.size();
    if (i < s.size() && s[i] == '.') {
        ++i;
        if (run() == 0) return out;
    }
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
        ++i;
        if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
        if (run() == 0) return out;
    }
    out.is_number = i == s.size();
    return out;
}

}  // namespace

Value word_value(std::string_view word) {
    if (word == "true" || word == "True") return true;
    if (word == "false" || word == "False") return false;
    if (word.empty()) return std::string_view{};
    if (text::is_digit(word[0]) || word[0] == '-' || word[0] == '+') {
        if (const auto stamp = date(word)) return *stamp;
        const bool exact = word.back() == 'n';
        const auto number = exact ? word.substr(0, word.size() - 1) : word;
        const NumberShape shape = number_shape(number);
        if (shape.is_number && !shape.leading_zero) {  // 007 is an identifier that is to keep its zeros
            if (exact) return Value::decimal(number);
            const auto bare = number[0] == '+' ? number.substr(1) : number;
            const char* const end = bare.data() + bare.size();
            if (shape.is_integer) {
                std::int64_t small = 0;
                if (std::from_chars(bare.data(), end, small).ec == std::errc{}) return static_cast<long long>(small);
                return Value::decimal(bare);
            }
            double real = 0;
            if (std::from_chars(bare.data(), end, real).ec == std::errc{} && std::isfinite(real)) return real;
            return Value::decimal(bare);
        }
    }
    return word;
}

PairsResult parse_pairs(std::string_view text, const PairsLimits& limits) {
    constexpr std::string_view k_literal = "%STR=";
    constexpr std::string_view k_code = "%EVAL=";
    PairsResult result;
    if (text.size() > limits.max_size) {
        result.problem = PairsProblem{limits.max_size, 1, "the text is longer than " + std::to_string(limits.max_size) + " bytes"};
        return result;
    }
    const auto trimmed = text::trim(text);
    if (trimmed.starts_with(k_literal)) {
        result.value = trimmed.substr(k_literal.size());
        return result;
    }
    if (trimmed.starts_with(k_code)) {
        const auto offset = static_cast<std::size_t>(trimmed.data() - text.data());
        result.problem = PairsProblem{offset, k_code.size(), "%EVAL= would run code; qconn does not do that"};
        return result;
    }
    return Parser{text, limits}.run();
}

}  // namespace qconn::core
