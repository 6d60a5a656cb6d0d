// SPDX-License-Identifier: Apache-2.0
// From values to YAML. Whatever is written here reads back as the same value: the rule behind every "must be quoted" below.
#include <algorithm>
#include <cmath>

#include <qconn/base/yaml.hpp>

#include "base/base64.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "base/yaml_words.hpp"

namespace qconn::yaml {

namespace {

constexpr std::size_t k_most_written_depth = Limits{}.depth;
constexpr std::size_t k_longest_simple_key = 1000;  // readers may refuse more than 1024 characters before the ':'

[[noreturn]] void refuse(std::string what) { throw make_error(Errc::serialize, "writing a value as YAML failed: " + std::move(what)); }

/// Characters that cannot stand for themselves: controls, line separators of YAML 1.1, byte order mark, what is no character.
bool needs_escape(char32_t c) noexcept {
    return (c < 0x20 && c != '\t') || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

/// The next character of well-formed UTF-8.
char32_t next_character(std::string_view text, std::size_t& i) noexcept {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) return first;
    const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    char32_t c = first & (0x3FU >> static_cast<unsigned>(more));
    for (int k = 0; k < more; ++k) c = c << 6U | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    return c;
}

void check_utf8(std::string_view text) {
    if (!text::valid_utf8(text)) refuse("a text in it is not UTF-8; make it a binary value");
}

std::string quoted(std::string_view text) {
    static constexpr std::string_view k_hex = "0123456789ABCDEF";
    check_utf8(text);
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t start = i;
        const char32_t c = next_character(text, i);
        const auto hex = [&](char kind, unsigned digits) {
            out.append("\\").append(1, kind);
            for (unsigned k = digits; k-- > 0;) out += k_hex[c >> (4U * k) & 15U];
        };
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case 0x85: out += "\\N"; break;
            case 0x2028: out += "\\L"; break;
            case 0x2029: out += "\\P"; break;
            default:
                if (!needs_escape(c))
                    out += text.substr(start, i - start);
                else if (c < 0x100)
                    hex('x', 2);
                else
                    hex('u', 4);
        }
    }
    return out += '"';
}

/// Whether it reads as text with no quotes around it, to us and to readers of YAML 1.1.
bool can_be_plain(std::string_view text, bool in_flow) {
    if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    if (std::string_view{"-?:,[]{}#&*!|>'\"%@`=<"}.find(text.front()) != std::string_view::npos) return false;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t at = i;
        const char32_t c = next_character(text, i);
        if (needs_escape(c) || c == '\t') return false;
        if (in_flow && c < 0x80 && std::string_view{",[]{}:"}.find(static_cast<char>(c)) != std::string_view::npos) return false;
        if (c == ':' && i < text.size() && text[i] == ' ') return false;
        if (c == '#' && text[at - 1] == ' ') return false;
    }
    // Words and forms that mean something else: here, or to a reader of YAML 1.1 (`yes`, 12:30 in base 60, 1_000).
    if (is_null_word(text) || bool_word(text) || text == k_sqlnull || text::is_number(text) || text::parse_timestamp(text) ||
        text::parse_duration(text) || split_qorus_number(text))
        return false;
    for (const std::string_view word : {"yes", "no", "on", "off", "y", "n"})
        if (text::iequals(text, word)) return false;
    const char first = text.front();
    if (first == '.' || first == '+' || text::is_digit(first)) {
        if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0o" || text.substr(0, 2) == "0b") return false;
        if (first == '.' || first == '+') return false;
        if (text.find_first_not_of("0123456789.,:_-+eE") == std::string_view::npos) return false;
    }
    return true;
}

/// Whether it can be a literal block without an indentation indicator.
bool can_be_block(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || text.front() == '\n' || text.front() == ' ' || text.front() == '\t') return false;
    for (std::size_t i = 0; i < text.size();) {
        const char32_t c = next_character(text, i);
        if (c != '\n' && needs_escape(c)) return false;
    }
    return true;
}

std::string tag_text(std::string_view tag) {
    static constexpr std::string_view k_hex = "0123456789ABCDEF";
    if (tag.empty() || tag == "!") refuse("a tagged value needs a tag that says something");
    check_utf8(tag);
    const bool local = tag.front() == '!';
    if (is_yaml_scalar_tag(tag) || tag == "!!seq" || tag == "!!map" || tag == "!duration")
        refuse(std::string{"the tag "}.append(tag).append(" belongs to another kind of value"));
    std::string out;
    std::string_view rest = tag;
    if (local) {
        const std::size_t handle = tag.starts_with("!!") ? 2 : 1;
        out.append(rest.substr(0, handle));
        rest.remove_prefix(handle);
        if (rest.empty()) refuse("a tagged value needs a tag that says something");
    } else {
        out += "!<";
    }
    for (const char c : rest) {
        const std::string_view safe = local ? "-_.~*'();/:@&=+$" : "-_.~*'();/:@&=+$,?!#[]";
        if (text::is_alpha(c) || text::is_digit(c) || safe.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append("%").append(1, k_hex[byte >> 4U]).append(1, k_hex[byte & 15U]);
        }
    }
    return local ? out : out += '>';
}

std::string decimal_text(std::string_view digits, bool in_flow, bool tagged) {
    if (!text::is_number(digits)) refuse("a decimal in it is not the text of a number");
    std::string number = std::string{digits} + "n";
    if (tagged) return number;  // plain, it reads the same
    number.append("{").append(std::to_string(precision_for(digits))).append("}");
    return "!number " + (in_flow ? '"' + number + '"' : number);
}

std::string double_scalar(double v) {
    if (std::isnan(v)) return ".nan";
    if (std::isinf(v)) return v < 0 ? "-.inf" : ".inf";
    return text::double_text(v);
}

std::string qorus_float(double v) { return std::isnan(v) ? "!!float \"@nan@\"" : v < 0 ? "!!float \"-@inf@\"" : "!!float \"@inf@\""; }

class Writer {
public:
    Writer(std::string& out, const WriteOptions& options) : out_{out}, options_{options} {}

    void document(const Value& value) {
        if (options_.flow) {
            flow(value, 0);
            return;
        }
        block(value, options_.indent, Position::start, 0);
    }

private:
    /// What stands before a value on its line.
    enum class Position { start, key, dash };

    static bool is_collection(const Value& v) { return (v.is_list() || v.is_map()) && v.size() != 0; }

    std::string text(std::string_view text, bool in_flow) const {
        check_utf8(text);
        return options_.quote_text || !can_be_plain(text, in_flow) ? quoted(text) : std::string{text};
    }

    static std::string key(std::string_view text, bool in_flow) {
        check_utf8(text);
        // "<<" and "=" are special to readers of YAML 1.1; can_be_plain knows.
        return can_be_plain(text, in_flow) ? std::string{text} : quoted(text);
    }

    std::string scalar(const Value& v, bool in_flow, bool tagged) const {
        switch (v.kind()) {
            case ValueKind::null: return "null";
            case ValueKind::boolean: return v.as_bool() ? "true" : "false";
            case ValueKind::int64: return std::to_string(v.as_int64());
            case ValueKind::uint64: return std::to_string(v.as_uint64());
            case ValueKind::float64:
                if (options_.qorus_floats && !tagged && !std::isfinite(v.as_double())) return qorus_float(v.as_double());
                return double_scalar(v.as_double());
            case ValueKind::decimal: return decimal_text(v.as_string(), in_flow, tagged);
            case ValueKind::string: return text(v.as_string(), in_flow);
            case ValueKind::binary:
                if (tagged) refuse("YAML has one tag for a value; binary data under a tag needs two");
                return "!!binary \"" + base64::encode(v.as_bytes()) + '"';
            case ValueKind::timestamp: {
                std::string t = text::timestamp_text(v.as_timestamp(), true);
                if (t.empty()) refuse("a timestamp in it is not within the years 0 to 9999");
                return t;
            }
            case ValueKind::duration: return (tagged ? "" : "!duration ") + text::duration_text(v.as_duration());
            case ValueKind::list: return "[]";
            case ValueKind::map: return "{}";
            case ValueKind::tagged: break;
        }
        refuse("YAML has one tag for a value; a tag under a tag needs two");
    }

    /// A tagged value up to the blank before its content; true where that was all.
    bool tagged_prefix(const Value& v, std::string& out) const {
        const std::string_view tag = v.tag();
        const Value& inner = v.untagged();
        if (tag == "!sqlnull") {
            if (!inner.is_null()) refuse("the tag !sqlnull belongs to null");
            out += "!sqlnull null";
            return true;
        }
        if (tag == "!number") {
            // What decode() made of a number whose precision is not the usual one.
            const std::string_view n = inner.is_string() ? inner.as_string() : std::string_view{};
            const auto split = split_qorus_number(n);
            const bool special = n.starts_with("@inf@n") || n.starts_with("-@inf@n") || n.starts_with("@nan@n");
            if (!special && !(split && split->precision != precision_for(split->digits))) refuse("the tag !number belongs to decimals");
            out += "!number " + quoted(n);
            return true;
        }
        out += tag_text(tag);
        return false;
    }

    void check_depth(std::size_t depth) const {
        if (depth > k_most_written_depth) refuse("it has more than " + std::to_string(k_most_written_depth) + " lists and maps inside each other");
    }

    void flow(const Value& v, std::size_t depth, bool tagged = false) {
        check_depth(depth + (v.is_list() || v.is_map() ? 1 : 0));
        if (v.kind() == ValueKind::tagged && !tagged) {
            if (tagged_prefix(v, out_)) return;
            out_ += ' ';
            flow(v.untagged(), depth, true);
        } else if (v.is_list()) {
            out_ += '[';
            const char* separator = "";
            for (const Value& item : v.as_list()) {
                out_ += std::exchange(separator, ", ");
                flow(item, depth + 1);
            }
            out_ += ']';
        } else if (v.is_map()) {
            out_ += '{';
            const char* separator = "";
            for (const auto& [name, item] : v.as_map()) {
                out_ += std::exchange(separator, ", ");
                const std::string spelled = key(name, true);
                if (spelled.size() > k_longest_simple_key)
                    out_.append("? ").append(spelled).append(" : ");
                else
                    out_.append(spelled).append(": ");
                flow(item, depth + 1);
            }
            out_ += '}';
        } else {
            out_ += scalar(v, true, tagged);
        }
    }

    void pad(int indent) { out_.append(static_cast<std::size_t>(indent), ' '); }

    /// `indent`: where a collection of this value puts its lines.
    void block(const Value& v, int indent, Position position, std::size_t depth, bool tagged = false) {
        check_depth(depth + (v.is_list() || v.is_map() ? 1 : 0));
        if (v.kind() == ValueKind::tagged && !tagged) {
            if (position == Position::key) out_ += ' ';
            if (tagged_prefix(v, out_)) {
                out_ += '\n';
                return;
            }
            // A collection below its tag begins on the next line.
            block(v.untagged(), indent, Position::key, depth, true);
            return;
        }
        if (is_collection(v)) {
            if (position == Position::key) out_ += '\n';
            bool first = position != Position::key;  // the first line goes on where we are
            if (v.is_list()) {
                for (const Value& item : v.as_list()) {
                    if (!std::exchange(first, false)) pad(indent);
                    out_ += "- ";
                    block(item, indent + 2, Position::dash, depth + 1);
                }
            } else {
                for (const auto& [name, item] : v.as_map()) {
                    if (!std::exchange(first, false)) pad(indent);
                    entry(name, item, indent, depth);
                }
            }
            return;
        }
        if (position == Position::key) out_ += ' ';
        if (v.is_string() && options_.block_text && can_be_block_value(v.as_string())) {
            literal(v.as_string(), std::max(indent, 2));
            return;
        }
        out_ += scalar(v, false, tagged);
        out_ += '\n';
    }

    static bool can_be_block_value(std::string_view text) {
        check_utf8(text);
        return !text.empty() && can_be_block(text);
    }

    void entry(const std::string& name, const Value& item, int indent, std::size_t depth) {
        const std::string spelled = key(name, false);
        if (spelled.size() > k_longest_simple_key) {
            out_.append("? ").append(spelled).append("\n");
            pad(indent);
            out_ += ':';
        } else {
            out_.append(spelled).append(":");
        }
        block(item, indent + 2, Position::key, depth + 1);
    }

    void literal(std::string_view text, int indent) {
        out_ += '|';
        if (text.back() != '\n')
            out_ += '-';
        else if (text.size() > 1 && text[text.size() - 2] == '\n')
            out_ += '+';
        out_ += '\n';
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            if (end != 0) {
                pad(indent);
                out_ += text.substr(0, end);
            }
            out_ += '\n';
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    std::string& out_;
    const WriteOptions& options_;
};

}  // namespace

std::string text_scalar(std::string_view text, bool always_quote) {
    check_utf8(text);
    return always_quote || !can_be_plain(text, false) ? quoted(text) : std::string{text};
}

void append(std::string& out, const Value& value, const WriteOptions& options) { Writer{out, options}.document(value); }

std::string encode(const Value& value) {
    std::string out;
    append(out, value, {.quote_text = true});
    return out;
}

}  // namespace qconn::yaml

std::string qconn::to_yaml(const Value& value) {
    std::string out;
    yaml::append(out, value, {});
    return out;
}
