// SPDX-License-Identifier: Apache-2.0
// One pass over the text that makes each list and map where it stays.
#include "base/json.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "base/json_scanner.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"

namespace qconn::json {

namespace {

constexpr std::size_t k_most_read_depth = 500;  // the reader and those who walk a value recurse

/// Of a text that is UTF-8.
class Reader : private Scanner {
public:
    Reader(std::string_view text, const Limits& limits) : Scanner{text}, limits_{limits}, most_depth_{std::min(limits.depth, k_most_read_depth)} {}

    Result<Value> document() {
        blanks();
        Value v = value(0);
        if (!error_) {
            blanks();
            if (!at_end()) fail("there is something behind the value");
        }
        if (error_) return *std::move(error_);
        return v;
    }

private:
    Value stop() {
        unexpected();
        return {};
    }
    Value deep() {
        fail_depth(most_depth_);
        return {};
    }

    Value value(std::size_t depth) {
        if (++values_ > limits_.values) {
            error_ = make_error(Errc::limit, "the JSON text holds more than " + std::to_string(limits_.values) + " values");
            return {};
        }
        switch (peek()) {
            case '"': return Value{string()};
            case '{': return depth == most_depth_ ? deep() : map(depth + 1);
            case '[': return depth == most_depth_ ? deep() : list(depth + 1);
            case 't': return word("true"), Value{true};
            case 'f': return word("false"), Value{false};
            case 'n': return word("null"), Value{};
            default: {
                const Number n = number();
                if (error_) return {};
                return n.small ? Value{static_cast<long long>(n.value)} : text::number(n.text);
            }
        }
    }

    Value list(std::size_t depth) {
        take('[');
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
        return take(']') ? std::move(v) : stop();
    }

    Value map(std::size_t depth) {
        take('{');
        Value v{Map{}};
        Map& map = v.as_map();
        blanks();
        if (take('}')) return v;
        map.reserve(4);
        do {
            blanks();
            if (peek() != '"') return stop();
            const std::string_view name = string();
            if (error_) return {};
            Value* member = nullptr;
            if (map.insert(std::string{name}, {})) {
                member = &std::prev(map.end())->second;
            } else if (limits_.last_member_wins) {
                member = map.find(name);
            } else {
                --at_;
                fail("the name \"" + text::printable(text::shorten(std::string{name}, 60)) + "\" is there twice in one map");
                return {};
            }
            blanks();
            if (!take(':')) return stop();
            blanks();
            *member = value(depth);
            if (error_) return {};
            blanks();
        } while (take(','));
        return take('}') ? std::move(v) : stop();
    }

    const Limits& limits_;
    std::size_t most_depth_;
    std::size_t values_{0};
};

}  // namespace

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

Error too_deep(std::string_view text, std::size_t offset, std::size_t most_depth) {
    return make_error(Errc::limit,
                      "the JSON text has more than " + std::to_string(most_depth) + " lists and maps inside each other: " + place(text, offset));
}

Result<Value> decode(std::string_view text, const Limits& limits) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (text.size() > limits.size)
        return make_error(Errc::limit,
                          "the JSON text has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(limits.size) + " are read");
    if (const std::size_t bad = text::invalid_utf8(text); bad != npos) return not_json(text, bad, "this is not UTF-8");
    return Reader{text, limits}.document();
}

}  // namespace qconn::json
