// SPDX-License-Identifier: Apache-2.0
#include "core/parsed_source.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <utility>

#include <qconn/base/secret.hpp>
#include <qconn/base/url.hpp>
#include <qconn/core/scheme.hpp>

#include "base/text.hpp"

namespace qconn::core {

namespace {

constexpr std::size_t k_longest_line = 4096;   // bytes; a longer one is not shown at all
constexpr std::size_t k_longest_detail = 160;  // characters of a source line
constexpr std::size_t k_shown_before = 60;     // of them before the place

bool is_name_character(char c) noexcept { return text::is_alpha(c) || text::is_digit(c) || c == '_' || c == '-' || c == '.'; }

bool is_name(std::string_view s) noexcept { return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), is_name_character); }

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) noexcept {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Keys of a document whose values are no secrets.
constexpr std::array<std::string_view, 9> k_open_keys{"type",    "name",    "desc",   "display_name", "short_desc",
                                                      "enabled", "monitor", "locked", "debug_data"};
constexpr std::array<std::string_view, 14> k_type_words{"int",  "integer", "string", "bool", "hash",   "list",   "float",
                                                        "date", "any",     "data",   "auto", "number", "binary", "file-as-string"};

/// A URL as it may be shown; of one that is broken, or written with escapes, only the scheme.
std::string shown_url(std::string_view raw, bool broken) {
    const auto scheme = raw.find("://");
    if (broken || raw.find('\\') != npos) return scheme == npos ? std::string{k_masked} : std::string{raw.substr(0, scheme + 3)}.append(k_masked);
    return mask_url(raw);
}

/// What is done with a stretch of a line.
struct Span {
    std::size_t begin;  // bytes of the line
    std::size_t end;
    bool shown;
    bool url{false};
    bool broken{false};  // a URL that goes over several lines or was cut off
};

class LineSpans {
public:
    LineSpans(std::uint32_t line, std::size_t line_offset, std::size_t line_size, Notation notation, const Scheme* scheme, const yaml::Node* options)
        : line_{line}, offset_{line_offset}, size_{line_size}, notation_{notation}, scheme_{scheme}, options_{options} {}

    void document(const yaml::Node& root) {
        if (!touches(root)) return;
        if (!root.is_mapping() || root.is_alias()) return hide(root);
        if (&root == options_) return options(root);
        for (const auto [key, value] : root.entries()) {
            this->key(key);
            if (!touches(value)) continue;
            const auto name = key.is_scalar() ? key.text() : std::string_view{};
            if (name == "url")
                url(value);
            else if (name == "options" || name == "opts" || &value == options_)
                options(value);
            else if (value.is_scalar() && !value.is_alias() && one_of(name, k_open_keys))
                add(value, true);
            else if (name == "tags" && value.is_mapping() && !value.is_alias())
                for (const auto& item : value.items()) item.is_scalar() && !item.is_alias() ? add(item, true) : hide(item);
            else
                hide(value);
        }
    }

    std::vector<Span> take() {
        std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
        return std::move(spans_);
    }

private:
    bool touches(const yaml::Node& node) const noexcept { return node.start().line <= line_ && line_ <= node.end().line; }

    void add(const yaml::Node& node, bool shown, bool is_url = false) {
        if (!touches(node)) return;
        // Between the lines of such a value there may be comments.
        if (notation_ == Notation::legacy && node.start().line != node.end().line) shown = false;
        const auto clip = [this](std::size_t at) { return std::min(at > offset_ ? at - offset_ : 0, size_); };
        Span span{node.start().line == line_ ? clip(node.start().offset) : 0, node.end().line == line_ ? clip(node.end().offset) : size_, shown,
                  is_url};
        span.broken = is_url && (node.start().line != node.end().line || node.is_cut());
        if (span.end > span.begin) spans_.push_back(span);
    }
    void key(const yaml::Node& key) {
        if (key.is_scalar())
            add(key, is_name(key.text()));
        else
            hide(key);
    }
    void hide(const yaml::Node& node) {
        if (node.is_scalar() || node.is_alias()) return add(node, false);  // an alias too: a password may begin with '*'
        if (node.is_mapping()) {
            for (const auto [key, value] : node.entries()) {
                hide(key);
                hide(value);
            }
        } else {
            for (const auto& item : node.items()) hide(item);
        }
    }
    void url(const yaml::Node& node) { node.is_scalar() && !node.is_alias() ? add(node, false, true) : hide(node); }

    void options(const yaml::Node& node) {
        if (!node.is_mapping() || node.is_alias()) return hide(node);
        for (const auto [key, value] : node.entries()) {
            this->key(key);
            if (!touches(value)) continue;
            const OptionNode option = unwrap(key, value);
            if (option.type) {
                for (const auto [inner_key, inner] : value.entries()) {
                    this->key(inner_key);
                    if (&inner == option.type)
                        add(inner, one_of(inner.text(), k_type_words));
                    else if (&inner == option.value)
                        option_value(key, inner);
                    else
                        hide(inner);
                }
            } else {
                option_value(key, value);
            }
        }
    }

    void option_value(const yaml::Node& key, const yaml::Node& value) {
        const OptionSpec* spec = nullptr;
        if (scheme_ && key.is_scalar()) {
            for (const auto& s : scheme_->options)
                if (s.name == key.text() || std::find(s.aliases.begin(), s.aliases.end(), key.text()) != s.aliases.end()) spec = &s;
        }
        if (spec && spec->type == OptionType::map && !spec->sensitive && value.is_mapping() && !value.is_alias()) {
            for (const auto [inner_key, inner] : value.entries()) {
                this->key(inner_key);
                hide(inner);
            }
            return;
        }
        if (!spec || spec->sensitive || !value.is_scalar() || value.is_alias() || spec->pairs_text) return hide(value);
        switch (spec->type) {
            case OptionType::boolean:
            case OptionType::integer:
            case OptionType::number: add(value, is_harmless_word(value.text())); break;
            case OptionType::string:
                if (value.text().find_first_of("@?") != npos || value.text().find("://") != npos)
                    url(value);
                else
                    add(value, true);
                break;
            default: hide(value);
        }
    }

    std::uint32_t line_;
    std::size_t offset_;
    std::size_t size_;
    Notation notation_;
    const Scheme* scheme_;
    const yaml::Node* options_;
    std::vector<Span> spans_;
};

/// A line as it is shown, with the place in it of each character of the file.
class ShownLine {
public:
    explicit ShownLine(std::string_view source) : source_{source} {}

    void copy(std::size_t begin, std::size_t end) {
        while (begin < end) {
            std::size_t next = begin + 1;
            while (next < end && (static_cast<unsigned char>(source_[next]) & 0xC0U) == 0x80U) ++next;
            places_.push_back(characters_.size());
            characters_.push_back(source_.substr(begin, next - begin));
            begin = next;
        }
    }
    void replace(std::size_t begin, std::size_t end, std::string_view by) {
        const std::size_t at = characters_.size();
        places_.insert(places_.end(), count(source_.substr(begin, end - begin)), at);
        append(by);
    }
    void append(std::string_view text) {
        std::string_view by = kept_.emplace_back(text);
        while (!by.empty()) {
            std::size_t n = 1;
            while (n < by.size() && (static_cast<unsigned char>(by[n]) & 0xC0U) == 0x80U) ++n;
            characters_.push_back(by.substr(0, n));
            by.remove_prefix(n);
        }
    }

    /// @param column, length  of the place in the file
    void finish(Diagnostic& d) const {
        const std::size_t column = d.place.column > 0 ? d.place.column - 1 : 0;
        const std::size_t begin = place(column);
        const std::size_t end = std::max(place(column + std::max<std::size_t>(d.place.length, 1)), begin + 1);
        std::size_t from = 0;
        std::size_t to = characters_.size();
        if (to > k_longest_detail) {
            from = begin > k_shown_before ? begin - k_shown_before : 0;
            to = std::min(to, from + k_longest_detail);
        }
        std::string out;
        if (from > 0) out += "…";
        for (std::size_t i = from; i < to; ++i) out += characters_[i];
        if (to < characters_.size()) out += "…";
        d.source_line = std::move(out);
        const std::size_t moved = from > 0 ? 1 : 0;
        d.shown_column = static_cast<std::uint32_t>(begin - from + moved + 1);
        d.shown_length = static_cast<std::uint32_t>(std::min(end, std::max(to, begin + 1)) - begin);
        if (d.shown_column == d.place.column && d.shown_length == d.place.length) {
            d.shown_column = 0;
            d.shown_length = 1;
        }
    }

private:
    static std::size_t count(std::string_view s) noexcept {
        return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    }
    std::size_t place(std::size_t character) const noexcept {
        return character < places_.size() ? places_[character] : characters_.size() + (character - places_.size());
    }

    std::string_view source_;
    std::deque<std::string> kept_;              // what is not of the source
    std::vector<std::string_view> characters_;  // as shown
    std::vector<std::size_t> places_;           // of each character of the source in characters_
};

/// What stands between scalars: punctuation is shown, a comment only as such, anything else not.
void show_between(ShownLine& out, std::string_view line, std::size_t begin, std::size_t end, Notation notation, bool& in_comment) {
    const std::string_view k_indicators = notation == Notation::yaml ? " \t{}[],:?-|>+.&*!\"'%" : " \t=,()\"";
    for (std::size_t i = begin; i < end;) {
        if (line[i] == '#') {
            out.copy(i, i + 1);
            if (i + 1 < line.size()) out.replace(i + 1, line.size(), "…");
            in_comment = true;
            return;
        }
        std::size_t next = i;
        while (next < end && k_indicators.find(line[next]) != npos) ++next;
        if (next > i) {
            out.copy(i, next);
        } else {
            while (next < end && line[next] != '#' && k_indicators.find(line[next]) == npos) ++next;
            out.replace(i, next, k_masked);
        }
        i = next;
    }
}

void show_by_tree(ShownLine& out, std::string_view line, Notation notation, const std::vector<Span>& spans) {
    std::size_t at = 0;
    bool in_comment = false;
    for (const auto& span : spans) {
        if (span.begin < at) continue;
        show_between(out, line, at, span.begin, notation, in_comment);
        if (in_comment) return;
        if (span.shown) {
            out.copy(span.begin, span.end);
        } else if (span.url) {
            std::string_view raw = line.substr(span.begin, span.end - span.begin);
            const bool quoted = raw.size() >= 2 && (raw.front() == '"' || raw.front() == '\'') && raw.back() == raw.front();
            if (quoted) raw = raw.substr(1, raw.size() - 2);
            const std::string shown = shown_url(raw, span.broken);
            if (shown == raw) {
                out.copy(span.begin, span.end);
            } else {
                const std::string kept = quoted ? std::string{line[span.begin]}.append(shown).append(1, line[span.begin]) : shown;
                // Up to where the two differ each character keeps its own place.
                std::size_t same = 0;
                const std::string_view whole = line.substr(span.begin, span.end - span.begin);
                while (same < kept.size() && same < whole.size() && kept[same] == whole[same]) ++same;
                while (same > 0 && (static_cast<unsigned char>(whole[same < whole.size() ? same : same - 1]) & 0xC0U) == 0x80U) --same;
                out.copy(span.begin, span.begin + same);
                out.replace(span.begin + same, span.end, std::string_view{kept}.substr(same));
            }
        } else {
            out.replace(span.begin, span.end, k_masked);
        }
        at = span.end;
    }
    show_between(out, line, at, line.size(), notation, in_comment);
}

/// For a text that has no tree: the key, and the value of a few keys.
void show_by_words(ShownLine& out, std::string_view line, Notation notation) {
    const bool legacy = notation == Notation::legacy;
    std::size_t begin = 0;
    while (begin < line.size() && (line[begin] == ' ' || line[begin] == '\t' || line[begin] == '-')) ++begin;
    std::size_t end = begin;
    while (end < line.size() && is_name_character(line[end])) ++end;
    const auto key = line.substr(begin, end - begin);
    while (legacy && end < line.size() && (line[end] == ' ' || line[end] == '\t')) ++end;
    const bool has_key = is_name(key) && end < line.size() && line[end] == (legacy ? '=' : ':') &&
                         (legacy || end + 1 == line.size() || line[end + 1] == ' ' || line[end + 1] == '\t');
    if (!has_key) {
        out.copy(0, begin);
        if (begin < line.size()) out.replace(begin, line.size(), k_masked);
        return;
    }
    std::size_t value = end + 1;
    while (value < line.size() && (line[value] == ' ' || line[value] == '\t')) ++value;
    const auto rest = line.substr(value);
    // In one line of the legacy form there may be more than one value.
    if (rest.empty() || (!legacy && one_of(key, k_open_keys))) return out.copy(0, line.size());
    out.copy(0, value);
    if (const auto scheme = rest.find("://"); key == "url" && scheme != npos && scheme < 40) {
        out.copy(value, value + scheme + 3);
        value += scheme + 3;
    }
    if (value < line.size()) out.replace(value, line.size(), k_masked);
}

}  // namespace

bool is_harmless_word(std::string_view text) noexcept {
    return text.size() <= 24 && std::all_of(text.begin(), text.end(), [](char c) { return is_name_character(c) || c == '+'; });
}

std::string quoted_name(std::string_view name) {
    std::size_t n = 0;
    while (n < name.size() && n < 60 && is_name_character(name[n])) ++n;
    std::string out{"'"};
    out.append(name.substr(0, n));
    if (n < name.size()) out.append("…");
    return out.append("'");
}

OptionNode unwrap(const yaml::Node& key, const yaml::Node& value) {
    OptionNode out{&key, &value, nullptr};
    if (!value.is_mapping()) return out;
    const yaml::Node* type = value.find("type");
    const yaml::Node* inner = value.find("value");
    if (!type || !type->is_scalar() || type->is_null()) return out;
    // `{type: x}` without a value is a map with a key of that name, unless x is the name of a type.
    if (!inner && !(value.size() == 1 && one_of(type->text(), k_type_words))) return out;
    out.type = type;
    out.value = inner;
    return out;
}

ParsedSource::ParsedSource(std::string_view text, std::string_view file, const DefinitionLimits& limits)
    : text_{text}, file_{file}, tree_{yaml::parse(text_, {.size = limits.max_file_size, .depth = limits.max_depth, .nodes = limits.max_nodes})} {}

ParsedSource::ParsedSource(std::string_view text, std::string_view file, Notation notation, yaml::ParseResult tree)
    : text_{text}, file_{file}, notation_{notation}, tree_{std::move(tree)} {}

const ParsedSource::Document* ParsedSource::find(const Definition& definition) const noexcept {
    if (definition.place.line == 0) return nullptr;
    const auto found = std::lower_bound(documents_.begin(), documents_.end(), definition.place, [](const Document& d, const Place& p) {
        return std::pair{d.place.line, d.place.column} < std::pair{p.line, p.column};
    });
    return found != documents_.end() && found->place == definition.place ? &*found : nullptr;
}

ParsedSource::Document* ParsedSource::at(std::uint32_t line) noexcept {
    const auto after =
        std::upper_bound(documents_.begin(), documents_.end(), line, [](std::uint32_t n, const Document& d) { return n < d.root->start().line; });
    return after == documents_.begin() ? nullptr : &*std::prev(after);
}

Place ParsedSource::place_within(const yaml::Node& node, std::string_view part) const noexcept {
    const Place whole = place(node);
    if (part.empty() || node.is_alias() || node.start().line != node.end().line) return whole;
    const auto raw = std::string_view{text_}.substr(node.start().offset, node.end().offset - node.start().offset);
    const auto found = raw.find(part);
    if (found == npos) return whole;
    return {whole.line, whole.column + static_cast<std::uint32_t>(text::utf8_length(raw.substr(0, found))),
            static_cast<std::uint32_t>(std::max<std::size_t>(text::utf8_length(part), 1))};
}

std::string_view ParsedSource::line(std::uint32_t number) const noexcept {
    // From the document on that it is in, so that the findings of many documents stay linear in all.
    const auto after = std::upper_bound(tree_.documents.begin(), tree_.documents.end(), number,
                                        [](std::uint32_t n, const yaml::Document& d) { return n < d.root->start().line; });
    std::size_t begin = text_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    std::uint32_t at = 1;
    if (after != tree_.documents.begin()) {
        const yaml::Mark start = std::prev(after)->root->start();
        at = start.line;
        // Many documents may stand in one line of the legacy form; who asks shows no line that is so long.
        const std::size_t far = start.offset > k_longest_line ? start.offset - k_longest_line : 0;
        const auto before = std::string_view{text_}.substr(far, start.offset - far).find_last_of("\r\n");
        if (before == npos && far > 0) return text_;
        if (before != npos) begin = far + before + 1;
    }
    for (; at < number; ++at) {
        const auto end = text_.find_first_of("\r\n", begin);
        if (end == npos) return {};
        begin = end + (text_[end] == '\r' && end + 1 < text_.size() && text_[end + 1] == '\n' ? 2 : 1);
    }
    const auto rest = std::string_view{text_}.substr(begin, k_longest_line + 1);
    return rest.substr(0, rest.find_first_of("\r\n"));
}

void ParsedSource::show(Diagnostic& diagnostic, const Scheme* scheme, const yaml::Node* options) const {
    diagnostic.file = file_;
    diagnostic.source_line.clear();
    if (diagnostic.place.line == 0) return;
    const std::string_view source = line(diagnostic.place.line);
    if (source.size() > k_longest_line) return;
    ShownLine out{source};
    if (tree_.fatal) {
        show_by_words(out, source, notation_);
    } else {
        LineSpans spans{diagnostic.place.line, static_cast<std::size_t>(source.data() - text_.data()), source.size(), notation_, scheme, options};
        const auto after = std::upper_bound(tree_.documents.begin(), tree_.documents.end(), diagnostic.place.line,
                                            [](std::uint32_t n, const yaml::Document& d) { return n < d.root->start().line; });
        if (after != tree_.documents.begin()) spans.document(*std::prev(after)->root);
        show_by_tree(out, source, notation_, spans.take());
    }
    out.finish(diagnostic);
}

}  // namespace qconn::core
