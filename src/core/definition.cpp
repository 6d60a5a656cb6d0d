// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/definition.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "base/yaml.hpp"
#include "core/option_text.hpp"
#include "core/pairs.hpp"
#include "core/parsed_source.hpp"

namespace qconn {

namespace {

using core::ParsedSource;
using yaml::Node;

/// What a value should have been, for messages.
std::string_view kind_of(const Node& node) noexcept {
    if (node.is_mapping()) return "a map";
    if (node.is_sequence()) return "a list";
    return node.is_null() ? "nothing" : "text";
}

constexpr std::size_t k_keys = 13;

const std::vector<std::string>& known_keys() {
    static const std::vector<std::string> keys{"type",       "name",    "desc",    "url",    "options",    "opts", "display_name",
                                               "short_desc", "enabled", "monitor", "locked", "debug_data", "tags"};
    return keys;
}

const std::vector<std::string>& type_words() {
    static const std::vector<std::string> words{"int",  "integer", "string", "bool", "hash",   "list",   "float",
                                                "date", "any",     "data",   "auto", "number", "binary", "file-as-string"};
    return words;
}

class DocumentReader {
public:
    DocumentReader(ParsedSource& source, ParsedSource::Document& document, Diagnostics& diagnostics)
        : source_{source}, document_{document}, diagnostics_{diagnostics} {}

    Definition read() {
        const Node& root = *document_.root;
        definition_.file = source_.file();
        definition_.place = {root.start().line, root.start().column, 1};
        if (root.is_mapping()) {
            mapping(root);
        } else {
            error("not-a-mapping", ParsedSource::place(root),
                  std::string{"a connection is a map of keys and values; here stands "}.append(kind_of(root)),
                  "write `type: connection`, `name: …` and so on, one below the other");
        }
        document_.place = definition_.place;
        document_.name = definition_.name;
        if (findings_ > k_most_findings) {
            Diagnostic d;
            d.severity = Severity::note;
            d.code = "more";
            d.file = source_.file();
            d.message = std::to_string(findings_ - k_most_findings) + " more findings in this document are not shown";
            diagnostics_.push_back(std::move(d));
        }
        return std::move(definition_);
    }

private:
    void add(Severity severity, std::string_view code, Place place, std::string message, std::string hint) {
        if (severity == Severity::error) document_.bad = true;
        if (++findings_ > k_most_findings) return;
        Diagnostic d;
        d.severity = severity;
        d.code = code;
        d.place = place;
        d.message = std::move(message);
        d.hint = std::move(hint);
        source_.show(d, nullptr);
        diagnostics_.push_back(std::move(d));
    }
    void error(std::string_view code, Place place, std::string message, std::string hint = {}) {
        add(Severity::error, code, place, std::move(message), std::move(hint));
    }
    void warning(std::string_view code, Place place, std::string message, std::string hint = {}) {
        add(Severity::warning, code, place, std::move(message), std::move(hint));
    }

    void mapping(const Node& root) {
        const Node* type = nullptr;
        const Node* name = nullptr;
        const Node* description = nullptr;
        const Node* opts_key = nullptr;
        const Node* opts = nullptr;
        std::array<bool, k_keys> seen{};
        for (const auto [key, value] : root.entries()) {
            if (!key.is_scalar()) {
                error("key-not-text", ParsedSource::place(key), "a key must be text", {});
                continue;
            }
            const auto word = key.text();
            const auto& keys = known_keys();
            const auto known = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), word) - keys.begin());
            if (known < k_keys && std::exchange(seen[known], true)) continue;  // a duplicate, reported by the reader; the first one counts
            if (word == "type") {
                type = &value;
            } else if (word == "name") {
                name = &value;
                if (text(key, value, definition_.name) && !value.is_null()) definition_.place = ParsedSource::place(value);
            } else if (word == "desc") {
                description = &value;
                text(key, value, definition_.description);
            } else if (word == "url") {
                document_.url = &value;
                text(key, value, definition_.url);
            } else if (word == "options") {
                document_.options_key = &key;
                document_.options = &value;
            } else if (word == "opts") {
                opts_key = &key;
                opts = &value;
            } else if (word == "display_name") {
                text(key, value, definition_.display_name);
            } else if (word == "short_desc") {
                text(key, value, definition_.short_description);
            } else if (word == "enabled") {
                boolean(key, value, definition_.enabled);
            } else if (word == "monitor") {
                boolean(key, value, definition_.monitored);
            } else if (word == "locked") {
                boolean(key, value, definition_.locked);
            } else if (word == "debug_data") {
                boolean(key, value, definition_.debug_data);
            } else if (word == "tags") {
                tags(key, value);
            } else {
                if (definition_.other.contains(word)) continue;
                const std::string near = findings_ < k_most_findings ? nearest(word, keys) : std::string{};
                warning("unknown-key", ParsedSource::place(key),
                        "qconn does not know the key " + core::quoted_name(word) + "; it is kept and has no effect",
                        near.empty() ? std::string{} : "did you mean '" + near + "'?");
                definition_.other.insert(std::string{word}, nested(value));
            }
        }
        check_type(root, type);
        const Place start{root.start().line, root.start().column, 1};
        if (!name) error("missing-key", start, "the key 'name' is missing", "write `name: …`; code asks for the connection by it");
        if (!document_.url) error("missing-key", start, "the key 'url' is missing", "write `url: scheme://host/…`");
        if (!description) warning("missing-key", start, "the key 'desc' is missing", "write `desc: …`: a word to those who operate it");
        if (opts && document_.options) {
            warning("ignored-key", ParsedSource::place(*opts_key), "'opts' is another word for 'options', which is there too; it is ignored",
                    "remove one of them");
        } else if (opts) {
            document_.options_key = opts_key;
            document_.options = opts;
        }
        if (document_.options) options();
    }

    void check_type(const Node& root, const Node* type) {
        if (!type)
            error("missing-key", {root.start().line, root.start().column, 1}, "the key 'type' is missing", "write `type: connection`");
        else if (!type->is_scalar())
            error("bad-type", ParsedSource::place(*type), std::string{"'type' must be text; here stands "}.append(kind_of(*type)),
                  "write `type: connection`");
        else if (type->text() != "connection")
            error("not-a-connection", ParsedSource::place(*type), "the type is not 'connection'",
                  type->text() == "settings" ? "settings stand in a file of their own, which does not end like a definition's: docs/settings.md"
                  : nearest(type->text(), {"connection"}).empty() ? "only documents of `type: connection` belong here"
                                                                  : "did you mean 'connection'?");
    }

    /// False where it is no text.
    bool text(const Node& key, const Node& value, std::string& out) {
        if (!value.is_scalar()) {
            error("bad-type", ParsedSource::place(value), core::quoted_name(key.text()).append(" must be text; here stands ").append(kind_of(value)),
                  "put quotes around text that begins with '{' or '['");
            return false;
        }
        if (value.is_null()) return true;
        out = value.text();
        return true;
    }

    void boolean(const Node& key, const Node& value, std::optional<bool>& out) {
        if (value.is_null()) return;
        if (value.is_scalar()) {
            const auto word = value.text();
            if (value.is_plain() && (word == "true" || word == "false")) {
                out = word == "true";
                return;
            }
            if (const auto meant = core::boolean_word(word)) {
                out = *meant;
                warning("boolean-spelling", ParsedSource::place(value),
                        core::quoted_name(key.text()) + " is a boolean in another spelling than YAML's",
                        std::string{"write `"}.append(key.text()).append(*meant ? ": true`" : ": false`"));
                return;
            }
        }
        const std::string near = value.is_scalar() ? nearest(value.text(), {"true", "false"}) : std::string{};
        error("bad-boolean", ParsedSource::place(value), core::quoted_name(key.text()) + " must be true or false",
              near.empty() ? std::string{} : "did you mean '" + near + "'?");
    }

    void tags(const Node& key, const Node& value) {
        if (value.is_null()) return;
        if (value.is_mapping()) {
            definition_.tags = nested(value).as_map();
            return;
        }
        if (value.is_scalar()) {
            if (auto map = core::structured_text(value.text(), true)) {
                definition_.tags = std::move(map->as_map());
                return;
            }
            auto pairs = core::parse_pairs(value.text());
            if (!pairs.problem && pairs.value.is_map()) {
                definition_.tags = std::move(pairs.value.as_map());
                return;
            }
        }
        error("bad-type", ParsedSource::place(value), core::quoted_name(key.text()) + " must be a map, or text of the form `key=value, key2=value2`");
    }

    /// A value whose findings are reported at once.
    Value nested(const Node& node) {
        std::vector<yaml::Problem> problems;
        Value value = yaml::to_value(node, &problems);
        for (const auto& problem : problems) {
            if (problem.code == "duplicate-key") continue;  // parse() has reported it
            const auto [message, hint] = core::value_wording(problem.code);
            error(problem.code, {problem.at.line, problem.at.column, problem.length}, std::string{message}, std::string{hint});
        }
        return value;
    }

    void options() {
        const Node& node = *document_.options;
        if (node.is_null()) return;
        if (node.is_scalar()) {
            if (auto map = core::structured_text(node.text(), true)) {
                definition_.options = std::move(map->as_map());
                return;
            }
            auto pairs = core::parse_pairs(node.text());
            if (!pairs.problem && pairs.value.is_map()) {
                definition_.options = std::move(pairs.value.as_map());
                return;
            }
        }
        if (!node.is_mapping()) {
            error("bad-type", ParsedSource::place(*document_.options_key),
                  core::quoted_name(document_.options_key->text()).append(" must be a map of options; here stands ").append(kind_of(node)),
                  "write each option in a line of its own below it, indented: `name: value`");
            return;
        }
        definition_.options.reserve(node.size());
        for (const auto [key, value] : node.entries()) {
            if (!key.is_scalar()) {
                error("key-not-text", ParsedSource::place(key), "the name of an option must be text");
                continue;
            }
            if (definition_.options.contains(key.text())) continue;
            definition_.options.insert(std::string{key.text()}, option(key, value));
        }
    }

    Value option(const Node& key, const Node& value) {
        const auto written = core::unwrap(key, value);
        if (!written.type) return plain_option(value);
        const auto word = written.type->text();
        for (const auto [inner_key, inner] : value.entries()) {
            if (&inner != written.type && &inner != written.value && inner_key.is_scalar() && inner_key.text() != "type" &&
                inner_key.text() != "value")
                warning("ignored-key", ParsedSource::place(inner_key),
                        "beside 'type' and 'value' nothing counts here; " + core::quoted_name(inner_key.text()) + " is ignored");
        }
        if (!written.value) {
            error("missing-key", ParsedSource::place(key), "the option " + core::quoted_name(key.text()) + " has a 'type' and no 'value'");
            return {};
        }
        const Node& inner = *written.value;
        const auto& words = type_words();
        if (std::find(words.begin(), words.end(), word) == words.end()) {
            const std::string near = nearest(word, words);
            error("unknown-type", ParsedSource::place(*written.type),
                  "there is no type of this name; types are int, float, bool, string, hash, list, data and any",
                  near.empty() ? std::string{} : "did you mean '" + near + "'?");
            return plain_option(inner);
        }
        if (inner.is_null()) return {};
        if (!inner.is_scalar()) return nested(inner);
        if (word == "string" || word == "data" || word == "file-as-string" || word == "binary") {
            if (inner.tag().empty() || inner.tag() == "!" || inner.tag() == "!!str") return inner.text();
            return nested(inner);
        }
        if (word == "hash" || word == "list") {
            if (auto structured = core::structured_text(inner.text(), word == "hash")) return std::move(*structured);
            return inner.text();
        }
        return plain_option(inner);
    }

    /// Findings about a scalar wait for Catalogue::check: `010` is wrong for a number and right for a password.
    Value plain_option(const Node& node) {
        if (!node.is_scalar()) return nested(node);
        std::vector<yaml::Problem> problems;
        Value value = yaml::to_value(node, &problems);
        for (const auto& problem : problems)
            if (problem.code == "bad-tag-value")
                error(problem.code, ParsedSource::place(node), std::string{core::value_wording(problem.code).message});
        return value;
    }

    static constexpr std::size_t k_most_findings = 100;

    ParsedSource& source_;
    ParsedSource::Document& document_;
    Diagnostics& diagnostics_;
    Definition definition_;
    std::size_t findings_{0};
};

const Node* key_at(const Node& node, const yaml::Mark& at) {
    if (node.is_alias()) return nullptr;
    for (const auto [key, value] : node.entries()) {
        if (key.start() == at) return &key;
        if (const Node* inner = key_at(value, at)) return inner;
    }
    if (node.is_sequence())
        for (const auto& item : node.items())
            if (const Node* inner = key_at(item, at)) return inner;
    return nullptr;
}

/// The last scalar that ends before a place in its line: what ` #` cut off.
const Node* cut_before(const Node& node, const yaml::Mark& at) {
    if (node.is_alias()) return nullptr;
    if (node.is_scalar()) return node.is_cut() && node.end().line == at.line && node.end().offset <= at.offset ? &node : nullptr;
    for (const auto& item : node.items())
        if (const Node* inner = cut_before(item, at)) return inner;
    return nullptr;
}

}  // namespace

Diagnostic core::finding(const yaml::Problem& problem, const Node* root) {
    Diagnostic d;
    d.code = problem.code;
    d.place = {problem.at.line, problem.at.column, problem.length};
    d.message = problem.message;
    d.hint = problem.hint;
    if (problem.code == "duplicate-key") {
        const Node* key = root ? key_at(*root, problem.at) : nullptr;
        d.message = key ? "the key " + core::quoted_name(key->text()) + " stands here a second time" : "this key stands here a second time";
        const auto line = problem.message.rfind("in line ");
        if (line != std::string::npos) d.message.append("; it was first ").append(problem.message, line);
    } else if (problem.code == "unknown-anchor") {
        d.message = "nothing before this has an anchor of this name";  // a password may begin with '*'
    } else if (problem.code == "cut-by-comment") {
        const Node* node = root ? cut_before(*root, problem.at) : nullptr;
        // A number, boolean or null has nothing that could go on behind a '#'.
        if (node && !yaml::to_value(*node).is_string()) d.severity = Severity::warning;
        d.message = "the value ends here, as ` #` begins a comment; no blank after the '#' looks as if it was meant to go on";
        d.hint = d.severity == Severity::error ? "put quotes around the value, or write a blank after the '#' of a comment"
                                               : "write a blank after the '#' of a comment";
    }
    return d;
}

std::string Definition::scheme() const {
    const auto end = url.find("://");
    return end == std::string::npos ? std::string{} : text::to_lower(std::string_view{url}.substr(0, end));
}

bool operator==(const Definition& a, const Definition& b) noexcept {
    return a.name == b.name && a.description == b.description && a.url == b.url && a.options == b.options && a.enabled == b.enabled &&
           a.monitored == b.monitored && a.locked == b.locked && a.debug_data == b.debug_data && a.display_name == b.display_name &&
           a.short_description == b.short_description && a.tags == b.tags && a.other == b.other;
}

ParsedDefinitions parse_definitions(std::string_view text, std::string_view file, const DefinitionLimits& limits) {
    ParsedDefinitions out;
    auto source = std::make_shared<ParsedSource>(text, file, limits);
    const auto& tree = source->tree();
    auto& documents = source->documents();
    if (!tree.fatal) {
        documents.reserve(tree.documents.size());
        out.definitions.reserve(tree.documents.size());
        for (const auto& document : tree.documents) {
            if (document.root->is_null()) continue;  // nothing but comments
            auto& entry = documents.emplace_back();
            entry.root = document.root;
            out.definitions.push_back(DocumentReader{*source, entry, out.diagnostics}.read());
        }
        if (documents.empty()) {
            Diagnostic d;
            d.severity = Severity::warning;
            d.code = "empty";
            d.file = file;
            d.message = "the file holds no connection";
            out.diagnostics.push_back(std::move(d));
        }
    }
    for (const auto& problem : tree.problems) {
        auto* document = source->at(problem.at.line);
        Diagnostic d = core::finding(problem, document ? document->root : nullptr);
        source->show(d, nullptr);
        if (document && d.severity == Severity::error) document->bad = true;
        out.diagnostics.push_back(std::move(d));
    }
    out.unreadable = tree.fatal;
    if (!out.diagnostics.empty()) {
        std::stable_sort(out.diagnostics.begin(), out.diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
            return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
        });
        for (auto& d : out.diagnostics)
            if (const auto* document = source->at(d.place.line); document && d.place.line > 0) d.connection = document->name;
    }
    out.source = std::move(source);
    return out;
}

}  // namespace qconn
