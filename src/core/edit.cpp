// SPDX-License-Identifier: Apache-2.0
// Definition files are changed as text: the difference between what a document says and what it is to say becomes replacements at the places that
// the reader of YAML knows. Whether that came out as meant is not argued but looked up: the result is read again and compared.
#include <qconn/core/edit.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <qconn/base/error.hpp>

#include "base/text.hpp"
#include "base/yaml.hpp"
#include "core/parsed_source.hpp"
#include "core/text_edits.hpp"

namespace qconn {

namespace {

using core::ParsedSource;
using core::TextEdits;
using yaml::Node;
using yaml::Style;

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
    throw Error{Errc::invalid_argument, "EDIT-ERROR", "changing the definition of \"" + text::printable(name) + "\" in its file failed: " + why}
        .with_reason(Reason::bad_value)
        .with_connection(name);
}

/// What a map is: the rules for its keys.
enum class Level { document, options, plain };

constexpr std::array<std::string_view, 6> k_order{"type", "name", "desc", "url", "options", "opts"};

std::size_t rank(std::string_view key) noexcept { return static_cast<std::size_t>(std::find(k_order.begin(), k_order.end(), key) - k_order.begin()); }

/// A definition as its document has it, without what need not stand in it.
Map document_map(const Definition& d) {
    Map out{{"name", d.name}, {"desc", d.description}, {"url", d.url}};
    if (!d.options.empty()) out.set("options", d.options);
    for (const auto& [key, text] : {std::pair{"display_name", &d.display_name}, {"short_desc", &d.short_description}})
        if (!text->empty()) out.set(key, *text);
    for (const auto& [key, flag] : {std::pair{"enabled", d.enabled}, {"monitor", d.monitored}, {"locked", d.locked}, {"debug_data", d.debug_data}})
        if (flag) out.set(key, *flag);
    if (!d.tags.empty()) out.set("tags", d.tags);
    for (const auto& [key, value] : d.other) out.insert(key, value);
    return out;
}

/// Options whose value would be taken for the typed spelling get that around them.
Value spelled(const Value& option) {
    if (option.is_map() && option.as_map().contains("type")) return Map{{"type", "hash"}, {"value", option}};
    return option;
}
Value spelled(const Value& value, Level level) {
    if (level != Level::options || !value.is_map()) return value;
    Map out;
    for (const auto& [name, option] : value.as_map()) out.set(name, spelled(option));
    return out;
}

bool is_block(const Node& node) noexcept { return !node.is_alias() && !node.is_scalar() && node.style() == Style::block; }
bool is_block_text(const Node& node) noexcept { return !node.is_alias() && (node.style() == Style::literal || node.style() == Style::folded); }

class DocumentEditor {
public:
    DocumentEditor(std::string_view name, TextEdits& edits, const Node& root, std::size_t step)
        : name_{name}, edits_{edits}, text_{edits.text()}, root_{root}, step_{step} {}

    void run(const Definition& before, const Definition& after) {
        if (!root_.is_mapping() || root_.is_alias()) refuse(name_, "its document is no map");
        change(root_, document_map(before), document_map(after), Level::document);
    }

private:
    struct Entry {
        const Node* key;
        const Node* value;
    };

    // ---- places ----

    /// Behind the last character that is not an empty line.
    std::size_t content_end(const Node& node) const {
        if (is_block(node)) {
            const Node* last = nullptr;
            for (const Node& item : node.items()) last = &item;
            if (last) return content_end(*last);
        }
        std::size_t end = node.end().offset;
        if (is_block_text(node))
            while (end > node.start().offset + 1U && std::string_view{" \r\n"}.find(text_[end - 1]) != std::string_view::npos) --end;
        return end;
    }
    /// Where a line can be put in below a value: behind its line, and behind the empty lines that a `|+` keeps.
    std::size_t below(const Node& node) const {
        const Node* last = &node;
        while (is_block(*last)) {
            const Node* child = nullptr;
            for (const Node& item : last->items()) child = &item;
            if (!child) break;
            last = child;
        }
        if (is_block_text(*last) && header(*last).find('+') != std::string_view::npos) return last->end().offset;
        return edits_.next_line(content_end(*last));
    }
    /// First line of a block text: `|-  # comment`.
    std::string_view header(const Node& node) const {
        const std::size_t start = node.start().offset;
        return text_.substr(start, std::min(text_.find_first_of("\r\n", start), text_.size()) - start);
    }
    /// Behind the ':' of a key; npos where there is none, as in `{a}`.
    std::size_t colon_end(const Node& key) const {
        std::size_t at = key.end().offset;
        while (at < text_.size() && text_[at] == ' ') ++at;
        return at < text_.size() && text_[at] == ':' ? at + 1 : std::string_view::npos;
    }

    // ---- values as text ----

    static std::string flow(const Value& value, bool quote) {
        std::string out;
        yaml::append(out, value, {.flow = true, .quote_text = quote});
        return out;
    }
    static std::string block(const Value& value, std::size_t indent, bool quote = false) {
        std::string out;
        yaml::append(out, value, {.quote_text = quote, .block_text = true, .indent = static_cast<int>(indent)});
        return out;
    }
    /// On one line, in the quotes of what it replaces.
    static std::string inline_text(const Value& value, Style style, bool in_flow, bool quote) {
        if (!value.is_string()) return flow(value, quote);
        const auto text = value.as_string();
        if (style == Style::single_quoted && !quote) {
            const std::string twofold = yaml::text_scalar(text, true);
            // What needs an escape needs double quotes.
            const bool escapes = [&] {
                for (std::size_t i = 0; i + 1 < twofold.size(); ++i)
                    if (twofold[i] == '\\' && twofold[++i] != '\\' && twofold[i] != '"') return true;
                return false;
            }();
            if (!escapes) {
                std::string out{"'"};
                for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
                return out += '\'';
            }
        }
        if (in_flow && !quote && style != Style::double_quoted) return flow(value, false);
        return yaml::text_scalar(text, quote || style == Style::double_quoted || style == Style::single_quoted);
    }

    /// Members of JSON have their names in quotes; so do those that join them.
    static bool quotes_names(const Node& map) {
        const auto first = map.entries().begin();
        return map.style() == Style::flow && map.size() != 0 && (*first).key.style() == Style::double_quoted;
    }

    // ---- changes ----

    void change(const Node& map, const Map& before, const Map& after, Level level) {
        std::vector<Entry> entries;
        std::vector<bool> gone;
        for (const auto [key, value] : map.entries()) {
            entries.push_back({&key, &value});
            gone.push_back(false);
        }
        const auto at = [&](std::string_view name) -> std::size_t {
            std::size_t found = entries.size();
            for (std::size_t i = entries.size(); i-- > 0;)
                if (entries[i].key->is_scalar() && entries[i].key->text() == name) found = i;
            if (found == entries.size() && level == Level::document && name == "options") {
                for (std::size_t i = entries.size(); i-- > 0;)
                    if (entries[i].key->is_scalar() && entries[i].key->text() == "opts") found = i;
            }
            return found;
        };
        std::vector<const Map::Entry*> fresh;
        for (const auto& entry : after) {
            const Value* old = before.find(entry.first);
            if (old && *old == entry.second) continue;
            if (const std::size_t i = at(entry.first); i < entries.size())
                set(map, entries[i], old, entry.second, level);
            else
                fresh.push_back(&entry);
        }
        for (const auto& [name, value] : before) {
            if (after.contains(name)) continue;
            for (std::size_t i = 0; i < entries.size(); ++i)
                if (entries[i].key->is_scalar() && entries[i].key->text() == name) gone[i] = true;
            if (const std::size_t i = at(name); i < entries.size()) gone[i] = true;
        }
        remove(map, entries, gone);
        for (const auto* entry : fresh) insert(map, entries, *entry, level);
    }

    void set(const Node& map, const Entry& entry, const Value* before, const Value& after, Level level) {
        const Node* value = entry.value;
        if (level == Level::options) {
            const auto written = core::unwrap(*entry.key, *value);
            if (written.type && !value->is_alias()) {
                if (!written.value) refuse(name_, "an option in it has a 'type' and no 'value'");
                for (const auto [key, inner] : value->entries())
                    if (&inner == written.value) return set(*value, {&key, &inner}, before, after, Level::plain);
            }
        }
        const Level inner =
            level == Level::document && (entry.key->text() == "options" || entry.key->text() == "opts") ? Level::options : Level::plain;
        const bool in_place = before && before->is_map() && after.is_map() && value->is_mapping() && !value->is_alias() && !after.as_map().empty();
        if (in_place && !all_go(*value, after.as_map())) return change(*value, before->as_map(), after.as_map(), inner);
        replace(map, entry, level == Level::options ? spelled(after) : spelled(after, inner));
    }
    static bool all_go(const Node& map, const Map& after) {
        for (const auto [key, value] : map.entries())
            if (!key.is_scalar() || after.contains(key.text())) return false;
        return true;
    }

    void replace(const Node& map, const Entry& entry, const Value& after) {
        const Node& value = *entry.value;
        const bool in_flow = map.style() == Style::flow;
        const bool quote = quotes_names(map);
        const std::size_t start = value.start().offset;
        const std::size_t end = content_end(value);
        if (start >= end) {  // nothing stands there
            const std::size_t colon = colon_end(*entry.key);
            if (colon != std::string_view::npos)
                edits_.insert(colon, " " + inline_text(after, Style::plain, in_flow, quote));
            else if (in_flow)
                edits_.insert(entry.key->end().offset, ": " + inline_text(after, Style::plain, true, quote));
            else
                refuse(name_, "a value in it is written in a way that cannot be changed");
            return;
        }
        if (is_block(value)) {
            const bool same_kind = (after.is_list() && value.is_sequence()) || (after.is_map() && value.is_mapping());
            const std::size_t colon = colon_end(*entry.key);
            if (same_kind && after.size() != 0 && edits_.is_first(start)) {
                const std::string lines = block(after, value.start().column - 1);
                edits_.replace(start, end, std::string_view{lines}.substr(0, lines.size() - 1));
            } else if (edits_.is_first(start) && colon != std::string_view::npos) {
                edits_.insert(colon, " " + flow(after, false));
                edits_.remove_lines(start, end);
            } else {
                edits_.replace(start, end, flow(after, false));
            }
            return;
        }
        if (is_block_text(value)) {
            const auto head = header(value);
            const auto comment = head.find('#');
            const bool lines = after.is_string() && comment == std::string_view::npos && after.as_string().find('\n') != std::string_view::npos;
            std::string by = lines ? block(after, text_indent(value, entry)) : inline_text(after, Style::plain, in_flow, quote);
            if (by.ends_with('\n')) by.pop_back();
            if (comment != std::string_view::npos) by.append(" ").append(head.substr(comment));
            edits_.replace(start, end, by);
            return;
        }
        edits_.replace(start, end, inline_text(after, value.is_scalar() && !value.is_alias() ? value.style() : Style::plain, in_flow, quote));
    }
    /// Of the lines of a block text.
    std::size_t text_indent(const Node& value, const Entry& entry) const {
        for (std::size_t at = edits_.next_line(value.start().offset); at < value.end().offset; at = edits_.next_line(at)) {
            const auto word = text_.find_first_not_of(' ', at);
            if (word < value.end().offset && text_[word] != '\n' && text_[word] != '\r') return word - at;
        }
        return entry.key->start().column - 1 + step_;
    }

    void insert(const Node& map, const std::vector<Entry>& entries, const Map::Entry& fresh, Level level) {
        const auto& [name, value] = fresh;
        const bool is_options = level == Level::document && name == "options";
        const Value written = level == Level::options ? spelled(value) : is_options ? spelled(value, Level::options) : value;
        if (map.style() == Style::flow) {
            const std::string member = flow(Map{{name, written}}, quotes_names(map));
            std::string_view bare = std::string_view{member}.substr(1, member.size() - 2);
            const std::string named =
                quotes_names(map) ? yaml::text_scalar(name, true) + std::string{bare.substr(bare.find(": "))} : std::string{bare};
            if (entries.empty()) return edits_.insert(text_.find('{', map.start().offset) + 1, named);
            const Node& last = *entries.back().value;
            std::size_t at = std::max(last.end().offset, entries.back().key->end().offset);
            const std::size_t next = text_.find_first_not_of(" \r\n", at);
            if (next != std::string_view::npos && text_[next] == ',') return edits_.insert(next + 1, " " + named);
            return edits_.insert(at, ", " + named);
        }
        if (entries.empty()) refuse(name_, "there is no key to put another one beside");
        const Entry* after = &entries.back();
        if (level == Level::document && rank(name) < k_order.size()) {
            for (const Entry& entry : entries)
                if (entry.key->is_scalar() && rank(entry.key->text()) < rank(name)) after = &entry;
        }
        const std::size_t column = entries.front().key->start().column - 1;
        std::string lines = std::string(column, ' ') + yaml::text_scalar(name) + ":";
        if (lines.size() > 1000) refuse(name_, "the name of an option is too long");
        if ((written.is_map() || written.is_list()) && written.size() != 0)
            lines.append("\n").append(column + step_, ' ').append(block(written, column + step_));
        else
            lines.append(" ").append(block(written, column + step_));
        edits_.insert_lines(below(*after->value), lines);
    }

    void remove(const Node& map, const std::vector<Entry>& entries, const std::vector<bool>& gone) {
        const bool in_flow = map.style() == Style::flow;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (!gone[i]) continue;
            const std::size_t start = entries[i].key->start().offset;
            const std::size_t end = std::max<std::size_t>(content_end(*entries[i].value), entries[i].key->end().offset);
            if (!in_flow) {
                if (!edits_.is_first(start)) refuse(name_, "a key that is to go shares its line with something else");
                edits_.remove_lines(start, end);
                continue;
            }
            const std::size_t next = text_.find_first_not_of(" ", end);
            const bool comma = next != std::string_view::npos && text_[next] == ',';
            const std::size_t stop = comma ? next + 1 : end;
            const bool own_line = edits_.is_first(start) && rest_is_blank(stop);
            if (own_line) {
                edits_.remove_lines(start, stop);
            } else if (comma) {
                edits_.replace(start, std::min(text_.find_first_not_of(' ', stop), text_.size()), {});
            } else {
                // The last one takes the comma before it along, unless that has gone.
                const bool first = std::all_of(gone.begin(), gone.begin() + static_cast<std::ptrdiff_t>(i), [](bool g) { return g; });
                const auto before = text_.find_last_not_of(' ', start - 1);
                edits_.replace(!first && text_[before] == ',' ? before : start, end, {});
            }
        }
    }
    bool rest_is_blank(std::size_t at) const {
        const auto next = text_.find_first_not_of(' ', at);
        return next == std::string_view::npos || text_[next] == '\r' || text_[next] == '\n' || text_[next] == '#';
    }

    std::string_view name_;
    TextEdits& edits_;
    std::string_view text_;
    const Node& root_;
    std::size_t step_;
};

/// By how much a map inside another is indented in this file.
std::size_t indent_step(const Node& root) {
    for (const auto [key, value] : root.entries()) {
        if (!is_block(value) || !value.is_mapping() || value.size() == 0) continue;
        const auto inner = (*value.entries().begin()).key.start();
        if (inner.line > key.start().line && inner.column > key.start().column) return inner.column - key.start().column;
    }
    return 0;
}

std::map<std::string, std::size_t> errors_by_code(const Diagnostics& diagnostics) {
    std::map<std::string, std::size_t> out;
    for (const Diagnostic& d : diagnostics)
        if (d.severity == Severity::error) ++out[d.code];
    return out;
}

/// Why a changed text is not what was meant; empty where it is.
std::string difference(const ParsedDefinitions& before, const ParsedDefinitions& after, const std::vector<const Definition*>& meant) {
    if (after.unreadable) return "the text would be no YAML any more";
    const auto old_errors = errors_by_code(before.diagnostics);
    for (const auto& [code, count] : errors_by_code(after.diagnostics)) {
        const auto old = old_errors.find(code);
        if (old != old_errors.end() && count <= old->second) continue;
        if (code == "unknown-anchor") return "other parts of its document refer to an anchor in what would be replaced";
        return "the text would have a new error (" + code + ")";
    }
    if (after.definitions.size() != meant.size()) return "the text would hold another number of documents";
    for (std::size_t i = 0; i < meant.size(); ++i)
        if (!(after.definitions[i] == *meant[i])) return "the text would read otherwise than meant; change it by hand";
    return {};
}

ParsedDefinitions read(std::string_view text, std::string_view name, const DefinitionLimits& limits) {
    ParsedDefinitions parsed = parse_definitions(text, {}, limits);
    if (parsed.unreadable)
        refuse(name, "the file is no YAML" + (parsed.diagnostics.empty() ? std::string{} : " (" + summary(parsed.diagnostics.front()) + ")"));
    return parsed;
}

std::size_t find(const ParsedDefinitions& parsed, std::string_view name) {
    std::size_t i = 0;
    while (i < parsed.definitions.size() && parsed.definitions[i].name != name) ++i;
    return i;
}

std::string checked(std::string result, const ParsedDefinitions& before, const std::vector<const Definition*>& meant, std::string_view name,
                    const DefinitionLimits& limits) {
    if (const std::string why = difference(before, parse_definitions(result, {}, limits), meant); !why.empty()) {
        wipe(result);
        refuse(name, why);
    }
    return result;
}

/// Whether a line begins a document; the reader takes one for nothing else, whatever is around it.
bool is_marker(std::string_view line) noexcept {
    return line.starts_with("---") && (line.size() == 3 || std::string_view{" \t\r\n"}.find(line[3]) != std::string_view::npos);
}

}  // namespace

std::string edit_definition(std::string_view text, std::string_view name, const Definition& definition, const DefinitionLimits& limits) {
    const ParsedDefinitions before = read(text, name, limits);
    const std::size_t index = find(before, name);
    if (index == before.definitions.size()) refuse(name, "there is no document of that name in it");
    const auto& documents = before.source->documents();

    std::size_t step = indent_step(*documents[index].root);
    for (const auto& document : documents)
        if (step == 0) step = indent_step(*document.root);
    TextEdits edits{text};
    DocumentEditor{name, edits, *documents[index].root, step == 0 ? 2 : step}.run(before.definitions[index], definition);
    std::string result;
    if (!edits.apply(result)) refuse(name, "changes that touch each other; make them one by one");

    std::vector<const Definition*> meant;
    for (const Definition& one : before.definitions) meant.push_back(&one);
    meant[index] = &definition;
    return checked(std::move(result), before, meant, name, limits);
}

std::string add_definition(std::string_view text, const Definition& definition, const DefinitionLimits& limits) {
    const ParsedDefinitions before = read(text, definition.name, limits);
    if (find(before, definition.name) < before.definitions.size()) refuse(definition.name, "the name is in it already");
    const TextEdits eol{text};
    std::string result{text};
    if (!result.empty() && result.back() != '\n') result += eol.eol();
    if (!before.definitions.empty()) result.append("---").append(eol.eol());
    for (const char c : to_yaml(definition)) c == '\n' ? result += eol.eol() : result += c;

    std::vector<const Definition*> meant;
    for (const Definition& one : before.definitions) meant.push_back(&one);
    meant.push_back(&definition);
    return checked(std::move(result), before, meant, definition.name, limits);
}

std::string remove_definition(std::string_view text, std::string_view name, const DefinitionLimits& limits) {
    const ParsedDefinitions before = read(text, name, limits);
    const std::size_t index = find(before, name);
    if (index == before.definitions.size()) refuse(name, "there is no document of that name in it");
    const std::size_t root = before.source->documents()[index].root->start().offset;

    const TextEdits lines{text};
    std::size_t begin = std::string_view::npos;  // of the line `---` before it
    std::size_t end = text.size();
    for (std::size_t at = 0; at < text.size(); at = lines.next_line(at)) {
        if (!is_marker(text.substr(at))) continue;
        if (at <= root) {
            begin = at;
        } else {
            end = at;
            break;
        }
    }
    if (begin == std::string_view::npos) {
        // The first one, with no line `---` of its own: what stands above it up to an empty line is about it, the rest about the file.
        begin = lines.line_start(root);
        while (begin > 0) {
            const std::size_t above = lines.line_start(begin - (text.substr(0, begin).ends_with("\r\n") ? 2 : 1));
            if (text::trim(text.substr(above, begin - above)).empty() || text[above] == '%') break;
            begin = above;
        }
        if (end < text.size()) end = lines.next_line(end);  // the next document needs its `---` no more
    }
    std::string result{text.substr(0, begin)};
    result += text.substr(end);

    std::vector<const Definition*> meant;
    for (const Definition& one : before.definitions) meant.push_back(&one);
    meant.erase(meant.begin() + static_cast<std::ptrdiff_t>(index));
    return checked(std::move(result), before, meant, name, limits);
}

}  // namespace qconn
