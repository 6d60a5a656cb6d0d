// SPDX-License-Identifier: Apache-2.0
// From nodes to values: the core schema of YAML 1.2, and what the YAML of Qorus adds to it in message bodies.
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/base64.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "base/yaml_words.hpp"

namespace qconn::yaml {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

bool all_digits(std::string_view text) noexcept {
    for (const char c : text)
        if (!text::is_digit(c)) return false;
    return !text.empty();
}

/// Hexadecimal or octal behind its prefix; nothing where it is not that; null where 64 bits do not hold it.
std::optional<Value> prefixed_integer(std::string_view text) {
    if (text.size() < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'o')) return std::nullopt;
    std::uint64_t v = 0;
    const char* end = text.data() + text.size();
    const auto r = std::from_chars(text.data() + 2, end, v, text[1] == 'x' ? 16 : 8);
    if (r.ec == std::errc::invalid_argument || r.ptr != end) return std::nullopt;
    if (r.ec != std::errc{}) return Value{};
    return Value{static_cast<unsigned long long>(v)};
}

class Typer {
public:
    Typer(std::vector<Problem>* problems, Dialect dialect) : problems_{problems}, message_{dialect == Dialect::message} {}

    Value value(const Node& node) {
        const std::string_view tag = node.tag();
        if (tag.empty() || tag == "!") return untagged(node, tag == "!");
        if (tag == "!!seq" || tag == "!!map") {
            if (node.kind() == (tag == "!!seq" ? Kind::sequence : Kind::mapping)) return untagged(node, false);
            return bad_tag(node);
        }
        const bool ours = message_ && (tag == "!number" || tag == "!duration" || tag == "!sqlnull");
        if (ours || is_yaml_scalar_tag(tag)) return node.is_scalar() ? tagged_scalar(node) : bad_tag(node);
        return Value::tagged(tag, untagged(node, false));
    }

private:
    void problem(const Node& node, std::string_view code, std::string message, std::string_view hint) {
        if (problems_) problems_->push_back({node.start(), node.length(), std::string{code}, std::move(message), std::string{hint}});
    }

    Value bad_tag(const Node& node) {
        problem(node, "bad-tag-value", std::string{"this is not what the tag "}.append(node.tag()).append(" says"),
                "correct the value or remove the tag");
        return node.is_scalar() ? Value{node.text()} : untagged(node, true);
    }

    Value untagged(const Node& node, bool as_text) {
        switch (node.kind()) {
            case Kind::sequence: {
                List list;
                list.reserve(node.size());
                for (const Node& item : node.items()) list.push_back(value(item));
                return Value{std::move(list)};
            }
            case Kind::mapping: {
                Map map;
                map.reserve(node.size());
                for (const auto [key, item] : node.entries()) {
                    if (key.is_scalar())
                        map.insert(std::string{key.text()}, value(item));
                    else
                        problem(key, "key-not-text", "a list or map cannot be a key here", "write the key as text");
                }
                return Value{std::move(map)};
            }
            case Kind::scalar: break;
        }
        return as_text || node.style() != Style::plain ? Value{node.text()} : plain(node);
    }

    Value plain(const Node& node) {
        const std::string_view text = node.text();
        if (is_null_word(text)) return {};
        if (const auto b = bool_word(text)) return Value{*b};
        const char c = text.front();
        if (text::is_digit(c) || c == '-' || c == '+' || c == '.') {
            if (auto v = numeric(node)) return std::move(*v);
        }
        if (message_) {
            if (text == k_sqlnull) return Value::tagged("!sqlnull", {});
            if (c == 'P')
                if (const auto d = text::parse_duration(text)) return Value{*d};
            if (auto v = qorus_number(text)) return std::move(*v);
        }
        return Value{text};
    }

    /// Numbers and timestamps; nothing where it is just text.
    std::optional<Value> numeric(const Node& node) {
        const std::string_view text = node.text();
        if (text::is_number(text)) {
            const std::string_view digits = text.front() == '-' || text.front() == '+' ? text.substr(1) : text;
            if (digits.size() > 1 && digits.front() == '0' && all_digits(digits)) {
                if (!message_)
                    problem(node, "octal-looking", "a number with a leading zero is octal to some readers and decimal to others",
                            "write it without the zero, as 0o17 for octal, or in quotes for text");
                return Value{text};
            }
            return number(node);
        }
        if (auto v = prefixed_integer(text)) {
            if (!v->is_null()) return v;
            if (!message_) overflow(node);
            return Value{text};
        }
        if (const auto d = special_float(text)) return Value{*d};
        if (const auto t = text::parse_timestamp(text)) return Value{*t};
        return std::nullopt;
    }

    Value number(const Node& node) {
        Value v = text::number(node.text());
        if (message_ || v.kind() != ValueKind::decimal) return v;
        // In a definition a float with more digits than a double holds is meant as the nearest double.
        double d = 0;
        const std::string_view digits = v.as_string();
        const bool integer = digits.find_first_of(".e") == std::string_view::npos;
        if (!integer && std::from_chars(digits.data(), digits.data() + digits.size(), d).ec == std::errc{}) return Value{d};
        overflow(node);
        return Value{node.text()};
    }

    void overflow(const Node& node) {
        problem(node, "overflow", "this number does not fit 64 bits", "correct it, or put it in quotes if it is text");
    }

    static std::optional<double> special_float(std::string_view text) noexcept {
        const bool negative = text.starts_with('-');
        const bool sign = negative || text.starts_with('+');
        const std::string_view word = sign ? text.substr(1) : text;
        if (word == ".inf" || word == ".Inf" || word == ".INF") return negative ? -k_infinity : k_infinity;
        if (!sign && (word == ".nan" || word == ".NaN" || word == ".NAN")) return std::nan("");
        return std::nullopt;
    }

    static std::optional<Value> qorus_number(std::string_view text) {
        if (const auto n = split_qorus_number(text)) {
            if (n->precision == precision_for(n->digits)) return Value::decimal(n->digits);
            return Value::tagged("!number", Value{text});
        }
        return std::nullopt;
    }

    Value tagged_scalar(const Node& node) {
        const std::string_view tag = node.tag();
        const std::string_view text = node.text();
        if (tag == "!!str") return Value{text};
        if (tag == "!!null") return text.empty() || is_null_word(text) ? Value{} : bad_tag(node);
        if (tag == "!!bool") {
            const auto b = bool_word(text);
            return b ? Value{*b} : bad_tag(node);
        }
        if (tag == "!!int" || tag == "!!float") {
            const bool integer = tag == "!!int";
            if (!integer && (text == "@inf@" || text == "-@inf@" || text == "@nan@"))
                return Value{text == "@nan@" ? std::nan("") : text.front() == '-' ? -k_infinity : k_infinity};
            auto v = text.empty() ? std::nullopt : numeric(node);
            if (!v || v->kind() == ValueKind::timestamp) return bad_tag(node);
            if (integer) return v->kind() == ValueKind::float64 ? bad_tag(node) : std::move(*v);
            if (!v->is_integer()) return std::move(*v);
            double d = 0;
            std::from_chars(text.data() + (text.front() == '+' ? 1 : 0), text.data() + text.size(), d);
            return Value{v->kind() == ValueKind::uint64 || !text::is_number(text) ? static_cast<double>(v->as_uint64()) : d};
        }
        if (tag == "!!timestamp") {
            const auto t = text::parse_timestamp(text);
            return t ? Value{*t} : bad_tag(node);
        }
        if (tag == "!!binary") {
            const auto bytes = base64::decode(text);
            return bytes ? Value::binary(*bytes) : bad_tag(node);
        }
        if (tag == "!duration") {
            const auto d = text::parse_duration(text);
            return d ? Value{*d} : bad_tag(node);
        }
        if (tag == "!number") {
            if (auto v = qorus_number(text)) return std::move(*v);
            if (text::is_number(text)) return Value::decimal(text);
            return text.starts_with("@inf@n") || text.starts_with("-@inf@n") || text.starts_with("@nan@n") ? Value::tagged(tag, Value{text})
                                                                                                           : bad_tag(node);
        }
        return Value::tagged("!sqlnull", {});
    }

    std::vector<Problem>* problems_;
    bool message_;
};

}  // namespace

Value to_value(const Node& node, std::vector<Problem>* problems, Dialect dialect) { return Typer{problems, dialect}.value(node); }

Result<Value> decode(std::string_view text, const Limits& limits) {
    ParseResult parsed = parse(text, limits);
    std::erase_if(parsed.problems, [](const Problem& p) { return p.code == "cut-by-comment"; });  // legal, and bodies are written by programs
    Value value;
    if (parsed.problems.empty() && !parsed.documents.empty()) value = to_value(*parsed.documents.front().root, &parsed.problems, Dialect::message);
    if (!parsed.problems.empty()) {
        const Problem& p = parsed.problems.back().code == "limit" ? parsed.problems.back() : parsed.problems.front();
        std::string message =
            "the text is not good YAML: line " + std::to_string(p.at.line) + ", column " + std::to_string(p.at.column) + ": " + p.message;
        if (!p.hint.empty()) message += "; " + p.hint;
        return make_error(p.code == "limit" ? Errc::limit : Errc::parse, std::move(message));
    }
    if (parsed.documents.size() > 1)
        return make_error(Errc::parse, "the text holds " + std::to_string(parsed.documents.size()) + " YAML documents; one is expected");
    return value;
}

}  // namespace qconn::yaml
