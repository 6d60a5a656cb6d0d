// SPDX-License-Identifier: Apache-2.0
#include "import/run.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "base/url_mask.hpp"
#include "core/parsed_source.hpp"
#include "core/secret_ref.hpp"

namespace qconn::importing {
namespace {

constexpr std::size_t k_longest_name = 160;
constexpr std::size_t k_longest_description = 4000;

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string cut(std::string_view text, std::size_t characters) {
    std::size_t n = 0;
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
        if (begins && n++ == characters) break;
    }
    return std::string{text.substr(0, at)};
}

bool is_text(const Value& value) {
    switch (value.kind()) {
        case ValueKind::string: return text::valid_utf8(value.as_string());
        case ValueKind::list: return std::all_of(value.as_list().begin(), value.as_list().end(), is_text);
        case ValueKind::map:
            return std::all_of(value.as_map().begin(), value.as_map().end(),
                               [](const Map::Entry& entry) { return text::valid_utf8(entry.first) && is_text(entry.second); });
        default: return true;
    }
}

struct Range {
    std::size_t begin{0};
    std::size_t size{0};
};

/// Where the password of a URL stands. In those of datasources it lies between the first '/' and the last '@' before the settings in braces.
Range password_in(std::string_view url) {
    constexpr std::string_view k_datasource = "db://";
    if (url.starts_with(k_datasource)) {
        const std::size_t at = url.rfind('@', url.ends_with('}') ? url.rfind('{') : std::string_view::npos);
        const std::size_t slash = url.find('/', k_datasource.size());
        return at != std::string_view::npos && slash < at ? Range{slash + 1, at - slash - 1} : Range{};
    }
    const auto parsed = Url::try_parse(url);
    if (!parsed || !parsed->password || parsed->password->empty()) return {};
    const std::string part = ":" + std::string{parsed->password->reveal()} + "@";
    const std::size_t at = url.find(part);
    return at != std::string_view::npos ? Range{at + 1, part.size() - 2} : Range{};
}

/// What YAML can hold: all its texts are UTF-8.
bool can_be_written(const Definition& d) {
    return text::valid_utf8(d.name) && text::valid_utf8(d.description) && text::valid_utf8(d.url) && is_text(Value{d.options});
}

}  // namespace

std::string quoted(std::string_view name) { return core::quoted_name(name); }

Run::Run(const ImportOptions& options, Imported& out)
    : options_{options}, catalogue_{options.catalogue != nullptr ? *options.catalogue : builtin_catalogue()}, out_{out} {}

void Run::read(const ImportSource& source) {
    file_ = source.file;
    text_ = source.text;
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    first_finding_ = out_.diagnostics.size();
    unshown_ = 0;
    line_starts_.assign(1, 0);
    if (text_.size() > k_largest_text) {
        text_ = {};
        error("limit", {}, "the text has more than " + std::to_string(k_largest_text) + " bytes");
        return;
    }
    for (std::size_t at = text_.find('\n'); at != std::string_view::npos; at = text_.find('\n', at + 1)) line_starts_.push_back(at + 1);
    if (const std::size_t bad = text::invalid_utf8(text_); bad != std::string_view::npos) {
        const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), bad);
        const std::size_t start = *std::prev(next);
        const Place place{static_cast<std::uint32_t>(next - line_starts_.begin()),
                          static_cast<std::uint32_t>(text::utf8_length(text_.substr(start, bad - start)) + 1), 1};
        error("invalid-utf8", place, "the text is not UTF-8 from here on; nothing of this file is imported", "convert it, for example with iconv");
        return;
    }
    source.importer->read(text_, *this);
    std::stable_sort(out_.diagnostics.begin() + static_cast<std::ptrdiff_t>(first_finding_), out_.diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) {
                         return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
                     });
    if (unshown_ == 0) return;
    Diagnostic d;
    d.severity = Severity::note;
    d.code = "more";
    d.file = file_;
    d.message = std::to_string(unshown_) + " more findings in this file are not shown";
    out_.diagnostics.push_back(std::move(d));
}

void Run::finish() {
    for (const auto& [scheme, count] : unknown_schemes_) {
        Diagnostic d;
        d.severity = Severity::note;
        d.code = "unknown-scheme";
        d.message = "this build has no scheme '" + scheme +
                    "': " + (count == 1 ? std::string{"one connection is"} : std::to_string(count) + " connections are") +
                    " written and invalid until it has";
        d.hint = "a module can add schemes";
        out_.diagnostics.push_back(std::move(d));
    }
}

void Run::note(std::string_view code, Place place, std::string message, std::string hint, std::string_view connection) {
    finding(Severity::note, code, place, std::move(message), std::move(hint), connection);
}

void Run::warning(std::string_view code, Place place, std::string message, std::string hint, std::string_view connection) {
    finding(Severity::warning, code, place, std::move(message), std::move(hint), connection);
}

void Run::error(std::string_view code, Place place, std::string message, std::string hint, std::string_view connection) {
    finding(Severity::error, code, place, std::move(message), std::move(hint), connection);
}

void Run::finding(Severity severity, std::string_view code, Place place, std::string message, std::string hint, std::string_view connection) {
    if (out_.diagnostics.size() - first_finding_ >= k_most_findings && severity != Severity::error) {
        ++unshown_;
        return;
    }
    Diagnostic d;
    d.severity = severity;
    d.code = code;
    d.file = file_;
    d.place = place;
    d.message = std::move(message);
    d.hint = std::move(hint);
    d.source_line = source_line(place);
    d.connection = connection;
    out_.diagnostics.push_back(std::move(d));
}

/// The line up to the end of the key that the place marks: what follows may be secret, and so may be what stands before where that is more than
/// indentation and brackets.
std::string Run::source_line(Place place) const {
    if (place.line == 0 || place.line > line_starts_.size() || place.length < 2) return {};
    const std::size_t start = line_starts_[place.line - 1];
    const std::size_t size = std::size_t{place.column} - 1 + place.length;
    const std::string_view line = text_.substr(start, std::min(text_.find('\n', start), text_.size()) - start);
    if (line.size() < size) return {};
    std::string shown{line.substr(0, size)};
    std::replace(shown.begin(), shown.end(), '\t', ' ');
    const std::string_view before = std::string_view{shown}.substr(0, place.column - 1);
    const std::string_view key = std::string_view{shown}.substr(place.column - 1);
    if (before != "export " && before.find_first_not_of(" -[{'\"") != std::string_view::npos) return {};
    const auto is_plain = [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '_' || c == '-' || c == '.' || c == ' ' || c == '"' || c == '\'';
    };
    if (!std::all_of(key.begin(), key.end(), is_plain)) return {};
    return line.size() > size ? shown + " …" : shown;
}

bool Run::may_begin(Place place) {
    if (out_.definitions.size() < k_most_connections) return true;
    if (!full_) error("limit", place, "more than " + std::to_string(k_most_connections) + " connections; those from here on are not imported");
    full_ = true;
    return false;
}

std::string Run::name(std::string_view wanted, Place place) {
    std::string name{text::valid_utf8(wanted) ? wanted : std::string_view{}};
    if (std::any_of(name.begin(), name.end(), is_control)) {
        std::replace_if(name.begin(), name.end(), is_control, '_');
        note("renamed", place, "a name may hold no control characters; each is replaced by '_'", {}, name);
    }
    if (text::utf8_length(name) > k_longest_name) {
        name = cut(name, k_longest_name);
        note("renamed", place, "a name has at most " + std::to_string(k_longest_name) + " characters; the rest is cut off", {}, name);
    }
    if (text::trim(name).empty()) {
        name = "connection";
        note("renamed", place, "the connection has no name that can be used; it is called 'connection'", {}, name);
    }
    if (names_.try_emplace(name, 1).second) return name;
    const std::string first = name;
    do {
        const std::string number = "-" + std::to_string(++names_.find(first)->second);
        name = cut(first, k_longest_name - number.size()) + number;
    } while (!names_.try_emplace(name, 1).second);
    note("renamed", place, "another connection is called " + quoted(first) + "; this one becomes " + quoted(name), {}, name);
    return name;
}

/// `shop-api` and `password` make SHOP_API_PASSWORD.
std::string Run::variable(std::string_view connection, std::string_view what) {
    std::string name;
    if (what.starts_with("the ")) what.remove_prefix(4);
    for (const std::string_view part : {connection, std::string_view{"_"}, what}) {
        for (const char c : part) {
            if (text::is_alpha(c) || text::is_digit(c))
                name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            else if (!name.empty() && name.back() != '_')
                name += '_';
        }
    }
    if (name.empty() || text::is_digit(name[0])) name.insert(0, "_");
    const std::string first = name;
    while (!variables_.try_emplace(name, 1).second) name = first + "_" + std::to_string(++variables_.find(first)->second);
    return name;
}

std::string Run::secret(std::string_view connection, std::string_view what, std::string_view value) {
    if (options_.keep_secrets) return literal(value);
    ImportedSecret secret{std::string{connection}, variable(connection, what), std::string{what}, {}, Secret{value}};
    std::string reference = core::SecretRef{"env", secret.variable}.text();
    out_.secrets.push_back(std::move(secret));
    return reference;
}

std::string Run::secret_elsewhere(std::string_view connection, std::string_view what, std::string kept, std::string_view named) {
    ImportedSecret secret{
        std::string{connection}, named.empty() ? variable(connection, what) : std::string{named}, std::string{what}, std::move(kept), {}};
    std::string reference = core::SecretRef{"env", secret.variable}.text();
    out_.secrets.push_back(std::move(secret));
    return reference;
}

void Run::add(Draft draft) {
    Definition definition;
    const std::string scheme = draft.scheme;
    std::optional<std::string> url = url_of(draft);
    if (!url && catalogue_.find(scheme) != nullptr && catalogue_.find(scheme)->option("username") != nullptr && !draft.user.empty()) {
        // A user with a ':' in it, and what else the URL cannot say.
        draft.options.set("username", std::exchange(draft.user, {}));
        if (draft.password) draft.options.set("password", *std::exchange(draft.password, {}));
        url = url_of(draft);
    }
    if (!url) {
        error("unfit-url", draft.place, "no URL of the scheme '" + scheme + "' can say what stands here; the connection is left out",
              "a part holds a character that would end it: write the definition by hand", draft.name);
        discard(draft.name);
        return;
    }
    if (scheme == "db" && draft.database.empty() && draft.settings.empty())
        warning("not-valid", draft.place, "the datasource names no database", {}, draft.name);
    if (catalogue_.find(scheme) == nullptr && scheme != "db" && draft.host.empty())
        warning("not-valid", draft.place, "the URL has no host", {}, draft.name);
    definition.name = std::move(draft.name);
    definition.description = std::move(draft.description);
    definition.url = std::move(*url);
    definition.options = std::move(draft.options);
    definition.place = draft.place;
    accept(std::move(definition), false);
}

void Run::add(std::vector<Definition> definitions, Diagnostics findings) {
    // What the check finds costs the definition nothing, as with every other source: it is written as the source means it.
    std::set<std::pair<std::string, std::string>> checked;
    for (const Definition& definition : definitions) {
        Definition copy = definition;
        Diagnostics found;
        catalogue_.check(copy, found);
        for (const Diagnostic& d : found)
            if (d.severity == Severity::error) checked.emplace(definition.name, d.code);
    }
    for (Diagnostic& d : findings) {
        if (d.code == "unknown-scheme") continue;
        if (d.severity == Severity::error && checked.contains({d.connection, d.code})) {
            d.severity = Severity::warning;
            d.message = "the definition has an error: " + d.message + " [" + d.code + "]";
            d.code = "not-valid";
        }
        out_.diagnostics.push_back(std::move(d));
    }
    for (Definition& definition : definitions) {
        if (definition.url.empty()) continue;  // its reader has told
        if (!may_begin(definition.place)) return;
        definition.name = name(definition.name, definition.place);
        if (!options_.keep_secrets) replace_secrets(definition);
        accept(std::move(definition), true);
    }
}

/// What stands there literally; references stay.
void Run::replace_secrets(Definition& definition) {
    const core::SecretTokens tokens{definition.url};
    const std::string& url = tokens.opaque();
    if (const auto [at, size] = password_in(url); size > 0) {
        const std::string password = url.substr(at, size);
        if (tokens.restore(password) == password)
            definition.url =
                tokens.restore(url.substr(0, at)) + secret(definition.name, "password", password) + tokens.restore(url.substr(at + size));
    }
    const Scheme* scheme = catalogue_.find(definition.scheme());
    for (auto& [option, value] : definition.options) {
        const OptionSpec* spec = scheme != nullptr ? scheme->option(option) : nullptr;
        const bool sensitive = spec != nullptr ? spec->sensitive : names_credential(option);
        if (!sensitive || !value.is_string() || value.size() == 0 || core::may_have_references(value.as_string())) continue;
        value = secret(definition.name, "option " + option, value.as_string());
    }
}

/// Checks it against its scheme. A finding says what to do and costs nothing else: the definition is written as the source means it.
void Run::accept(Definition definition, bool checked_before) {
    definition.file = file_;
    if (text::utf8_length(definition.description) > k_longest_description) {
        definition.description = cut(definition.description, k_longest_description);
        note("shortened", definition.place, "a description has at most " + std::to_string(k_longest_description) + " characters; the rest is cut off",
             {}, definition.name);
    }
    if (!can_be_written(definition)) {
        error("invalid-utf8", definition.place, "a value is not UTF-8 once it is decoded; the connection is left out", {}, definition.name);
        discard(definition.name);
        return;
    }
    const std::string scheme = definition.scheme();
    if (!scheme.empty() && catalogue_.find(scheme) == nullptr) {
        ++unknown_schemes_[scheme];
    } else if (!checked_before) {
        Definition checked = definition;
        Diagnostics findings;
        catalogue_.check(checked, findings);
        for (Diagnostic& d : findings) {
            if (d.severity == Severity::error)
                warning("not-valid", definition.place, "the definition has an error: " + d.message + " [" + d.code + "]", std::move(d.hint),
                        definition.name);
        }
    }
    out_.definitions.push_back(std::move(definition));
}

void Run::discard(std::string_view connection) {
    std::erase_if(out_.secrets, [&](const ImportedSecret& secret) { return secret.connection == connection; });
}

}  // namespace qconn::importing
