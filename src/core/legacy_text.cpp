// SPDX-License-Identifier: Apache-2.0
#include "core/legacy_text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/text.hpp"

namespace qconn::core {

namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t k_most_bytes = 0xFFFF'0000U;  // offsets are 32 bits wide
constexpr std::size_t k_most_findings = 100;

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_line_end(char c) noexcept { return c == '\n' || c == '\r'; }
bool is_name_character(char c) noexcept { return text::is_alpha(c) || text::is_digit(c) || c == '_' || c == '-' || c == '.'; }
bool is_word_character(char c) noexcept { return text::is_alpha(c) || text::is_digit(c) || c == '_'; }

std::string_view take_while(std::string_view s, bool (*accepts)(char)) noexcept {
    return s.substr(0, static_cast<std::size_t>(std::find_if_not(s.begin(), s.end(), accepts) - s.begin()));
}
std::string_view skip_blanks(std::string_view s) noexcept {
    s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
    return s;
}

/// Where in the text we are, and what line and column that is.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_{text} {
        if (text_.starts_with(k_byte_order_mark)) mark_.offset = 3;
    }

    bool at_end() const noexcept { return mark_.offset >= text_.size(); }
    char next() const noexcept { return at_end() ? '\0' : text_[mark_.offset]; }
    const yaml::Mark& mark() const noexcept { return mark_; }
    std::string_view rest() const noexcept { return text_.substr(mark_.offset); }
    std::string_view rest_of_line() const noexcept { return rest().substr(0, rest().find_first_of("\r\n")); }

    /// One byte. @returns whether a line has ended with it
    bool advance() noexcept {
        const char c = text_[mark_.offset++];
        if (c == '\n' || (c == '\r' && next() != '\n')) {
            ++mark_.line;
            mark_.column = 1;
            return true;
        }
        // What follows the first byte of a character is not counted again.
        if ((static_cast<unsigned char>(next()) & 0xC0U) != 0x80U) ++mark_.column;
        return false;
    }
    void skip_line() noexcept {
        while (!at_end() && !advance()) {}
    }
    void skip_to_line_end() noexcept {
        while (!at_end() && !is_line_end(next())) advance();
    }

private:
    std::string_view text_;
    yaml::Mark mark_;
};

Place place_of(const yaml::Mark& from, std::uint32_t length = 1) noexcept { return {from.line, from.column, std::max(length, 1U)}; }

/// The brackets of one line that close in it, by the offset of the opening one.
using Pairs = std::unordered_map<std::size_t, std::size_t>;

Pairs paired_brackets(std::string_view line, std::size_t offset) {
    Pairs out;
    std::vector<std::size_t> round;
    std::vector<std::size_t> curly;
    for (std::size_t i = 0; i < line.size() && line[i] != '#'; ++i) {
        auto& open = line[i] == '(' || line[i] == ')' ? round : curly;
        if (line[i] == '(' || line[i] == '{') {
            open.push_back(i);
        } else if ((line[i] == ')' || line[i] == '}') && !open.empty()) {
            out.emplace(offset + open.back(), offset + i);
            open.pop_back();
        }
    }
    return out;
}

class Parser {
public:
    Parser(std::string_view text, const std::vector<std::string>& defines, const DefinitionLimits& limits)
        : text_{text}, defines_{defines}, limits_{limits}, at_{text} {}

    LegacyTree run() {
        const std::size_t most = std::min(limits_.max_file_size, k_most_bytes);
        if (text_.size() > most)
            stop("limit", {1, 1, 1}, "the text has " + std::to_string(text_.size()) + " bytes; at most " + std::to_string(most) + " are read");
        else if (characters_are_good())
            read();
        if (unshown_ > 0) {
            const Place place = out_.problems.back().place;
            out_.problems.push_back({Severity::note, "more", place, std::to_string(unshown_) + " more findings in this file are not shown", {}});
        }
        return std::move(out_);
    }

private:
    // ---- problems ----

    void add(Severity severity, const char* code, Place place, std::string message, std::string hint = {}) {
        if (out_.problems.size() >= k_most_findings)
            ++unshown_;
        else
            out_.problems.push_back({severity, code, place, std::move(message), std::move(hint)});
    }
    bool stop(const char* code, Place place, std::string message, std::string hint = {}) {
        if (!out_.fatal) out_.problems.push_back({Severity::error, code, place, std::move(message), std::move(hint)});
        out_.fatal = true;
        return false;
    }

    bool characters_are_good() {
        const auto is_bad = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F; };
        const auto control = static_cast<std::size_t>(std::find_if(text_.begin(), text_.end(), is_bad) - text_.begin());
        const std::size_t invalid = std::min(text::invalid_utf8(text_), text_.size());
        const std::size_t bad = std::min(control, invalid);
        if (bad == text_.size()) return true;
        Cursor at{text_.substr(0, bad)};
        while (!at.at_end()) at.advance();
        if (bad == invalid) return stop("invalid-utf8", place_of(at.mark()), "this byte is not valid UTF-8", "save the text as UTF-8");
        return stop("control-character", place_of(at.mark()), "a control character stands here", "take it out");
    }

    bool count_node() {
        if (++nodes_ <= limits_.max_nodes) return true;
        return stop("limit", place_of(at_.mark()), "more than " + std::to_string(limits_.max_nodes) + " connections, keys and values");
    }

    // ---- lines that count ----

    struct Condition {
        Place place;
        bool counted_outside;  // lines around it
        bool holds;            // what it asks, or, behind %else, the opposite
        bool is_else;
    };

    bool counts() const noexcept { return open_.empty() || (open_.back().counted_outside && open_.back().holds); }

    /// At the start of a line: takes directives, and the lines that do not count.
    bool directives() {
        while (!out_.fatal && !at_.at_end()) {
            const auto line = skip_blanks(at_.rest_of_line());
            if (line.starts_with('%') && directive(line)) {
                at_.skip_line();
            } else if (!counts()) {
                at_.skip_line();
            } else {
                break;
            }
        }
        return !out_.fatal;
    }

    /// False where it is none of the four.
    bool directive(std::string_view line) {
        const auto word = take_while(line.substr(1), text::is_alpha);
        const auto behind = skip_blanks(line.substr(1 + word.size()));
        const auto indent = static_cast<std::uint32_t>(at_.rest_of_line().size() - line.size());
        const Place place{at_.mark().line, at_.mark().column + indent, static_cast<std::uint32_t>(word.size() + 1)};
        std::string_view rest = behind;
        if (word == "ifdef" || word == "ifndef") {
            const auto name = take_while(behind, is_word_character);
            rest.remove_prefix(name.size());
            begin_condition(word == "ifdef", name, place);
        } else if (word == "else") {
            if (open_.empty() || open_.back().is_else) {
                stop("bad-directive", place, "this %else belongs to no %ifdef or %ifndef");
            } else {
                open_.back().is_else = true;
                open_.back().holds = !open_.back().holds;
            }
        } else if (word == "endif") {
            if (open_.empty())
                stop("bad-directive", place, "this %endif belongs to no %ifdef or %ifndef");
            else
                open_.pop_back();
        } else {
            return false;
        }
        rest = skip_blanks(rest);
        if (!out_.fatal && !rest.empty() && !rest.starts_with('#'))
            add(Severity::warning, "bad-directive", place, "what stands behind this directive is ignored", "put a '#' before a comment");
        return true;
    }

    void begin_condition(bool wants, std::string_view name, Place place) {
        if (name.empty()) {
            stop("bad-directive", place, "the name is missing that this asks for", "write `%ifdef NAME`");
            return;
        }
        if (open_.size() >= limits_.max_depth) {
            stop("limit", place, "more than " + std::to_string(limits_.max_depth) + " conditions inside each other");
            return;
        }
        const bool defined = std::find(defines_.begin(), defines_.end(), name) != defines_.end();
        if (counts()) out_.conditions.push_back({place, std::string{name}, defined});
        open_.push_back({place, counts(), defined == wants, false});
    }

    /// One byte outside quotes.
    bool advance() { return !at_.advance() || directives(); }

    /// Blanks, line ends and comments.
    bool skip() {
        while (!at_.at_end()) {
            if (at_.next() == '#') {
                comment();
            } else if (is_blank(at_.next()) || is_line_end(at_.next())) {
                if (!advance()) return false;
            } else {
                break;
            }
        }
        return true;
    }
    void comment() {
        const auto line = at_.rest_of_line();
        if (line.find_first_not_of("# \t") != npos) ++out_.comments;
        at_.skip_to_line_end();
    }

    // ---- declarations ----

    void read() {
        if (!directives()) return;
        while (skip() && !at_.at_end()) {
            LegacyDeclaration one;
            if (!declaration(one)) return;
            out_.declarations.push_back(std::move(one));
        }
        if (!out_.fatal && !open_.empty()) stop("bad-directive", open_.back().place, "the lines that this begins have no %endif");
    }

    bool declaration(LegacyDeclaration& out) {
        if (!name(out.name, "the name of a connection", "write `name = ( url = …, desc = … )`")) return false;
        if (!skip()) return false;
        if (at_.next() != '(')
            return stop("missing-bracket", out.name.place(), "no '(' follows the '=' behind this name", "write `name = ( url = …, desc = … )`");
        const Place bracket = place_of(at_.mark());
        if (!advance()) return false;
        for (;;) {
            if (!skip()) return false;
            if (at_.at_end()) return stop("unclosed-bracket", bracket, "no ')' ends what begins here", "the ')' of a connection may also be missing");
            if (at_.next() == ')') break;
            auto& pair = out.pairs.emplace_back();
            if (!name(pair.key, "a key", "write `key = value`; put quotes around a value that holds ',' or ')'") || !value(pair)) return false;
            if (!skip()) return false;
            if (at_.next() == ',' && !advance()) return false;
        }
        out.end = at_.mark();
        ++out.end.offset;
        ++out.end.column;
        return advance();
    }

    /// A name and the `=` behind it.
    bool name(LegacyText& out, std::string_view what, std::string_view hint) {
        if (!count_node()) return false;
        if (at_.next() == '"') {
            if (!quoted(out)) return false;
        } else {
            out.start = out.end = at_.mark();
            while (!at_.at_end() && std::string_view{"=,()\"#\r\n"}.find(at_.next()) == npos) {
                const char c = at_.next();
                out.text += c;
                (void)at_.advance();  // no line ends here
                if (!is_blank(c)) out.end = at_.mark();
            }
            out.text = text::trim(out.text);
        }
        if (out.text.starts_with('%')) {
            const std::string near = nearest(take_while(out.text.substr(1), text::is_alpha), {"ifdef", "ifndef", "else", "endif"});
            return stop("bad-directive", out.place(), "this directive is not known; there are %ifdef, %ifndef, %else and %endif",
                        near.empty() ? std::string{} : "did you mean '%" + near + "'?");
        }
        if (out.text.empty()) return stop("syntax", out.place(), std::string{what}.append(" is expected here"), std::string{hint});
        if (!skip()) return false;
        if (at_.next() != '=') return stop("missing-equals", out.place(), "no '=' stands behind this name", std::string{hint});
        return advance();
    }

    // ---- values ----

    bool value(LegacyPair& pair) {
        if (!count_node()) return false;
        const std::uint32_t line = at_.mark().line;
        if (!skip()) return false;
        LegacyText& out = pair.value;
        if (at_.next() == '"') {
            if (!quoted(out) || !skip()) return false;
            if (at_.at_end() || at_.next() == ',' || at_.next() == ')') return true;
            if (!begins_pair()) {
                return stop("trailing-text", place_of(at_.mark()), "behind the closing quote only a ',' or ')' can stand",
                            R"(a quote inside quotes is written \")");
            }
            missing_comma(out.place());
            return true;
        }
        out.start = out.end = at_.mark();
        if (at_.mark().line != line && begins_pair()) {
            missing_comma(pair.key.place());
            return true;
        }
        return raw(out);
    }

    void missing_comma(Place place) {
        add(Severity::error, "missing-comma", place, "a ',' is missing between this and the next key", "end each value with a ','");
    }

    /// Whether `word =` stands here.
    bool begins_pair() const noexcept {
        const auto line = skip_blanks(at_.rest_of_line());
        const auto word = take_while(line, is_name_character);
        return !word.empty() && skip_blanks(line.substr(word.size())).starts_with('=');
    }

    bool raw(LegacyText& out) {
        std::size_t together = 0;  // up to here commas and brackets are text
        while (!at_.at_end()) {
            const char c = at_.next();
            const std::size_t offset = at_.mark().offset;
            if (c == '#') {
                if (!out.text.empty() && !text::is_space(out.text.back()))
                    add(Severity::warning, "cut-by-comment", place_of(at_.mark()), "the value ends here, as '#' begins a comment also within a word",
                        "put quotes around a value that holds a '#'");
                comment();
                continue;
            }
            if (is_line_end(c)) {
                if (c == '\r' && at_.rest().starts_with("\r\n")) (void)at_.advance();
                out.text += '\n';
                if (!advance()) return false;
                if (begins_pair()) {
                    missing_comma({out.end.line, out.end.column, 1});
                    break;
                }
                continue;
            }
            if (offset >= together) {
                if (c == ',' || c == ')') break;
                if (c == '(' || c == '{') {
                    if (paired_line_ != at_.mark().line) pairs_ = paired_brackets(at_.rest_of_line(), offset);
                    paired_line_ = at_.mark().line;
                    if (const auto found = pairs_.find(offset); found != pairs_.end()) together = found->second + 1;
                }
            }
            if (c == '$') out.dollars.push_back({out.text.size(), at_.mark(), false});
            out.text += c;
            (void)at_.advance();
            if (!is_blank(c)) out.end = at_.mark();
        }
        out.text.erase(out.text.find_last_not_of(" \t\n") + 1);
        return true;
    }

    bool quoted(LegacyText& out) {
        out.quoted = true;
        out.start = at_.mark();
        (void)at_.advance();
        for (;;) {
            if (at_.at_end())
                return stop("unterminated-quote", place_of(out.start), "the quoted text that begins here has no closing quote",
                            R"(add the closing quote; a quote inside is written \")");
            char c = at_.next();
            if (c == '"') break;
            const yaml::Mark mark = at_.mark();
            bool escaped = false;
            if (c == '\\') {
                (void)at_.advance();
                if (at_.at_end()) continue;
                escaped = true;
                c = at_.next();
            }
            if (c == '\r' && at_.rest().starts_with("\r\n")) (void)at_.advance();
            if (c == '$') out.dollars.push_back({out.text.size(), mark, escaped});
            out.text += escaped ? unescaped(c) : c == '\r' ? '\n' : c;
            (void)at_.advance();
        }
        (void)at_.advance();
        out.end = at_.mark();
        return true;
    }
    static char unescaped(char c) noexcept {
        switch (c) {
            case 'n':
            case '\r': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            default: return c;
        }
    }

    std::string_view text_;
    const std::vector<std::string>& defines_;
    const DefinitionLimits& limits_;
    Cursor at_;
    std::vector<Condition> open_;
    Pairs pairs_;  // of paired_line_
    std::uint32_t paired_line_{0};
    std::size_t nodes_{0};
    std::size_t unshown_{0};
    LegacyTree out_;
};

}  // namespace

Place LegacyText::place() const noexcept {
    return {start.line, start.column, start.line == end.line && end.column > start.column ? end.column - start.column : 1};
}

LegacyTree parse_legacy_text(std::string_view text, const std::vector<std::string>& defines, const DefinitionLimits& limits) {
    return Parser{text, defines, limits}.run();
}

}  // namespace qconn::core
