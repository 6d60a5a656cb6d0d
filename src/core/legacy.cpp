// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/legacy.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include <qconn/core/scheme.hpp>

#include "base/text.hpp"
#include "core/environment.hpp"
#include "core/legacy_text.hpp"
#include "core/legacy_value.hpp"
#include "core/option_text.hpp"
#include "core/pairs.hpp"
#include "core/parsed_source.hpp"

namespace qconn {

namespace {

using core::LegacyDeclaration;
using core::LegacyPair;
using core::LegacyText;
using core::LegacyTree;
using core::LegacyUse;
using core::ParsedSource;

constexpr std::string_view k_no_description = "<no description provided>";

/// Stands for a key that the text does not have: at no place, so that nobody shows it.
constexpr yaml::Mark k_nowhere{0, 0, 0};

bool before(const Place& a, const Place& b) noexcept { return std::pair{a.line, a.column} < std::pair{b.line, b.column}; }

class Reader {
public:
    Reader(std::string_view text, std::string_view file, const LegacyOptions& options, bool convert)
        : convert_{convert},
          lookup_{options.environment ? options.environment : core::EnvironmentLookup{core::process_environment}},
          tree_{core::parse_legacy_text(text, options.defines, options.limits)} {
        yaml::ParseResult places;
        if (!tree_.fatal) make_places(places);
        places.fatal = tree_.fatal;
        source_ = std::make_shared<ParsedSource>(text, file, core::Notation::legacy, std::move(places));
        out_.unreadable = tree_.fatal;
    }

    ParsedDefinitions read() {
        if (!tree_.fatal) {
            make_documents();
            for (std::size_t i = 0; i < tree_.declarations.size(); ++i) out_.definitions.push_back(definition(i));
        }
        if (!tree_.fatal && tree_.declarations.empty()) file_finding(Severity::warning, "empty", "the file holds no connection");
        for (auto& problem : tree_.problems) {
            document_ = document_at(problem.place);
            findings_ = 0;
            add(problem.severity, problem.code, problem.place, std::move(problem.message), std::move(problem.hint));
        }
        if (convert_ && !tree_.fatal) notes();
        std::stable_sort(out_.diagnostics.begin(), out_.diagnostics.end(),
                         [](const Diagnostic& a, const Diagnostic& b) { return before(a.place, b.place); });
        out_.source = std::move(source_);
        return std::move(out_);
    }

private:
    // ---- the tree by which places are found ----

    void make_places(yaml::ParseResult& places) {
        yaml::TreeMaker make{places};
        nodes_.reserve(tree_.declarations.size());
        for (const LegacyDeclaration& declaration : tree_.declarations) {
            ParsedSource::Document nodes;
            auto root = make.mapping(declaration.name.start, declaration.end);
            auto options = make.mapping(declaration.name.start, declaration.end);
            yaml::Node& name = scalar(make, declaration.name);
            yaml::TreeMaker::add(root, make.scalar("name", k_nowhere, k_nowhere), name);
            for (const LegacyPair& pair : declaration.pairs) {
                yaml::Node& key = scalar(make, pair.key);
                yaml::Node& value = scalar(make, pair.value);
                const std::string_view word = pair.key.text;
                const bool is_option = word != "url" && word != "desc" && word != "tags";
                yaml::TreeMaker::add(is_option ? options : root, key, value);
                if (word == "url" && !nodes.url) nodes.url = &value;
            }
            yaml::TreeMaker::add(root, make.scalar("options", k_nowhere, k_nowhere), *options.node);
            make.document(root);
            nodes.root = root.node;
            nodes.options_key = &name;
            nodes.options = options.node;
            nodes.place = declaration.name.place();
            nodes.name = declaration.name.text;
            nodes_.push_back(std::move(nodes));
        }
    }
    static yaml::Node& scalar(yaml::TreeMaker& make, const LegacyText& text) { return make.scalar(text.text, text.start, text.end); }

    void make_documents() { source_->documents() = std::move(nodes_); }

    /// Null where nothing begins before the place.
    ParsedSource::Document* document_at(const Place& place) {
        auto& documents = source_->documents();
        const auto after = std::upper_bound(documents.begin(), documents.end(), place,
                                            [](const Place& p, const ParsedSource::Document& d) { return before(p, d.place); });
        return after == documents.begin() ? nullptr : &*std::prev(after);
    }

    // ---- findings ----

    void add(Severity severity, std::string_view code, Place place, std::string message, std::string hint = {}) {
        if (severity == Severity::error && document_) document_->bad = true;
        if (++findings_ > k_most_findings) return;
        Diagnostic d;
        d.severity = severity;
        d.code = code;
        d.place = place;
        d.message = std::move(message);
        d.hint = std::move(hint);
        if (document_) d.connection = document_->name;
        source_->show(d, nullptr);
        out_.diagnostics.push_back(std::move(d));
    }
    void file_finding(Severity severity, std::string_view code, std::string message) {
        Diagnostic d;
        d.severity = severity;
        d.code = code;
        d.file = source_->file();
        d.message = std::move(message);
        out_.diagnostics.push_back(std::move(d));
    }

    // ---- definitions ----

    Definition definition(std::size_t index) {
        const LegacyDeclaration& declaration = tree_.declarations[index];
        document_ = &source_->documents()[index];
        findings_ = 0;
        Definition out;
        out.file = source_->file();
        out.place = document_->place;
        out.name = declaration.name.text;
        if (!std::all_of(out.name.begin(), out.name.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_'; }))
            add(Severity::error, "bad-name", out.place, "the name of a connection has letters, digits, '-' and '_' only");
        std::set<std::string_view> seen;
        for (const LegacyPair& pair : declaration.pairs) {
            const std::string& key = pair.key.text;
            if (!seen.insert(key).second) {
                add(Severity::error, "duplicate-key", pair.key.place(), "the key " + core::quoted_name(key) + " stands here a second time");
                continue;
            }
            if (key == "url")
                out.url = value(pair, convert_ ? LegacyUse::convert : LegacyUse::load);
            else if (key == "desc")
                out.description = value(pair, convert_ ? LegacyUse::written : LegacyUse::plain);
            else if (key == "tags")
                tags(pair, out.tags);
            else
                out.options.insert(key, Value{value(pair, convert_ ? LegacyUse::convert : LegacyUse::load)});
        }
        if (!document_->url) add(Severity::error, "missing-key", out.place, "the key 'url' is missing", "write `url = scheme://host/…,`");
        if (!seen.contains("desc")) {
            out.description = k_no_description;
            add(Severity::warning, "missing-key", out.place, "the key 'desc' is missing", "write `desc = …,`: a word to those who operate it");
        }
        if (findings_ > k_most_findings)
            file_finding(Severity::note, "more", std::to_string(findings_ - k_most_findings) + " more findings in this connection are not shown");
        return out;
    }

    std::string value(const LegacyPair& pair, LegacyUse use) {
        core::LegacyValue out = core::apply(pair.value, use, lookup_);
        for (const Place& place : out.unset)
            add(Severity::warning, "unset-variable", place,
                "the environment has no variable of the name that stands here; nothing comes in its place",
                "in double quotes `\\$` is a '$' that begins no variable");
        for (const Place& place : out.unsayable)
            add(Severity::error, "bad-reference", place, "a '$' cannot stand right before a reference to a secret");
        if (out.variables.empty()) return std::move(out.text);
        if (!convert_) {
            out_.uses_environment = true;
        } else if (use == LegacyUse::convert) {
            add(Severity::note, "variable-reference", out.variables.front(),
                "in YAML this is a reference, looked up when the connection is used: a variable that is not set is then a failure, not nothing");
        } else {
            add(Severity::warning, "variable-kept", out.variables.front(),
                "in YAML no variables are replaced in descriptions and tags; this one stays as it is written");
        }
        return std::move(out.text);
    }

    void tags(const LegacyPair& pair, Map& out) {
        const std::string text = value(pair, convert_ ? LegacyUse::written : LegacyUse::plain);
        auto pairs = core::parse_pairs(text);
        if (!pairs.problem && pairs.value.is_null()) return;
        if (!pairs.problem && pairs.value.is_map()) {
            out = std::move(pairs.value.as_map());
            return;
        }
        if (auto map = core::structured_text(text, true)) {
            out = std::move(map->as_map());
            return;
        }
        add(Severity::error, "bad-pairs", pair.value.place(),
            "'tags' must be text of the form `key=value, key2=value2`" + (pairs.problem ? ": " + pairs.problem->message : std::string{}),
            "put brackets around it, so that a ',' does not end it: `(…)`");
    }

    /// What a conversion leaves behind.
    void notes() {
        document_ = nullptr;
        findings_ = 0;
        for (const auto& condition : tree_.conditions)
            add(Severity::warning, "condition-decided", condition.place,
                condition.name + (condition.defined ? " is" : " is not") + " defined now, and the definitions are what that makes them",
                "convert once more with other defines for the other case");
        if (tree_.comments > 0)
            file_finding(Severity::note, "comments-dropped",
                         std::to_string(tree_.comments) + (tree_.comments == 1 ? " comment is" : " comments are") + " not carried over");
    }

    static constexpr std::size_t k_most_findings = 100;

    const bool convert_;
    const core::EnvironmentLookup lookup_;
    LegacyTree tree_;
    std::vector<ParsedSource::Document> nodes_;
    std::shared_ptr<ParsedSource> source_;
    ParsedSource::Document* document_{nullptr};
    std::size_t findings_{0};
    ParsedDefinitions out_;
};

}  // namespace

ParsedDefinitions parse_legacy_definitions(std::string_view text, std::string_view file, const LegacyOptions& options) {
    return Reader{text, file, options, false}.read();
}

LegacyImport read_legacy(std::string_view text, std::string_view file, const LegacyOptions& options, const Catalogue* catalogue) {
    ParsedDefinitions parsed = Reader{text, file, options, true}.read();
    LegacyImport out;
    out.unreadable = parsed.unreadable;
    out.notes = std::move(parsed.diagnostics);
    const Catalogue& known = catalogue ? *catalogue : builtin_catalogue();
    for (Definition& definition : parsed.definitions) known.check(definition, out.notes, &parsed);
    std::stable_sort(out.notes.begin(), out.notes.end(), [](const Diagnostic& a, const Diagnostic& b) { return before(a.place, b.place); });
    out.definitions = std::move(parsed.definitions);
    return out;
}

}  // namespace qconn
