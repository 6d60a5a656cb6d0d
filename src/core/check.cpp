// SPDX-License-Identifier: Apache-2.0
// Catalogue::check: a definition against the option table of its scheme.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>
#include <qconn/core/file_resolver.hpp>

#include "base/text.hpp"
#include "core/catalogue_impl.hpp"
#include "core/option_text.hpp"
#include "core/pairs.hpp"
#include "core/parsed_source.hpp"
#include "core/secret_table.hpp"

namespace qconn {

namespace {

using core::KnownOption;
using core::OptionNode;
using core::ParsedSource;
using core::SchemeEntry;
using yaml::Node;

constexpr std::size_t k_longest_name = 160;
constexpr std::size_t k_longest_description = 4000;
constexpr std::size_t k_most_findings = 100;  // of one definition; a hostile one has millions

struct Duration {
    std::string_view suffix;
    double milliseconds;
};
constexpr std::array<Duration, 9> k_durations{
    {{"ms", 1}, {"s", 1e3}, {"sec", 1e3}, {"seconds", 1e3}, {"m", 6e4}, {"min", 6e4}, {"minutes", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};

/// `30s` in the option's unit, for the hint.
std::optional<std::int64_t> converted(std::string_view word, Unit unit) {
    if (unit != Unit::milliseconds && unit != Unit::seconds) return std::nullopt;
    std::size_t n = 0;
    while (n < word.size() && (text::is_digit(word[n]) || word[n] == '.')) ++n;
    double number = 0;
    if (n == 0 || n > 12 || std::from_chars(word.data(), word.data() + n, number).ptr != word.data() + n) return std::nullopt;
    const auto suffix = text::trim(word.substr(n));
    const auto* const found = std::find_if(k_durations.begin(), k_durations.end(), [&](const Duration& d) { return d.suffix == suffix; });
    if (found == k_durations.end()) return std::nullopt;
    const double out = number * found->milliseconds / (unit == Unit::seconds ? 1e3 : 1);
    if (out != std::floor(out) || out > 1e15) return std::nullopt;
    return static_cast<std::int64_t>(out);
}

std::string_view bare_digits(std::string_view word) noexcept {
    if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
    return std::all_of(word.begin(), word.end(), text::is_digit) ? word : std::string_view{};
}

std::string decimal_without_zeros(std::string_view word) {
    std::string out{word[0] == '-' ? "-" : ""};
    const auto digits = bare_digits(word);
    const auto first = digits.find_first_not_of('0');
    return out.append(first == std::string_view::npos ? "0" : digits.substr(first));
}

std::string number_text(double d) {
    if (d == std::floor(d) && std::abs(d) < 1e15) return std::to_string(static_cast<std::int64_t>(d));
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, d).ptr;
    return {buffer, end};
}

class Checker {
public:
    Checker(const Catalogue* catalogue, const SchemeEntry* entry, Definition& definition, Diagnostics& out, const ParsedSource* source,
            core::CheckWords words = {})
        : catalogue_{catalogue},
          entry_{entry},
          words_{std::move(words)},
          definition_{definition},
          out_{out},
          first_{out.size()},
          source_{source},
          document_{source ? source->find(definition) : nullptr} {}

    bool run() {
        texts();
        if (!definition_.url.empty() && scheme_is_known()) {
            const bool readable = url();
            options();
            required();
            if (readable) own_check();  // otherwise it would find parts missing that are there
        }
        tell_suppressed("this connection");
        return valid_ && !(document_ && document_->bad);
    }
    /// The options alone.
    bool run_options() {
        options();
        tell_suppressed(words_.owner);
        return valid_;
    }

private:
    // ---- findings and places ----

    void add(Severity severity, std::string_view code, Place place, std::string message, std::string hint = {}) {
        if (severity == Severity::error) valid_ = false;
        if (out_.size() - first_ >= k_most_findings) {
            ++suppressed_;
            return;
        }
        Diagnostic d;
        d.severity = severity;
        d.code = code;
        d.place = place;
        d.message = std::move(message);
        d.hint = std::move(hint);
        finish(d);
        out_.push_back(std::move(d));
    }
    void error(std::string_view code, Place place, std::string message, std::string hint = {}) {
        add(Severity::error, code, place, std::move(message), std::move(hint));
    }
    void warning(std::string_view code, Place place, std::string message, std::string hint = {}) {
        add(Severity::warning, code, place, std::move(message), std::move(hint));
    }
    void tell_suppressed(const std::string& what) {
        if (suppressed_ == 0) return;
        Diagnostic d;
        d.severity = Severity::note;
        d.code = "more";
        d.file = definition_.file;
        d.connection = definition_.name;
        d.message = std::to_string(suppressed_) + " more findings about " + what + " are not shown";
        out_.push_back(std::move(d));
    }
    void finish(Diagnostic& d) const {
        d.connection = definition_.name;
        if (document_)
            source_->show(d, entry_ ? &entry_->scheme : nullptr, document_->options);
        else
            d.file = definition_.file;
    }

    /// All values are text, in quotes or not.
    bool is_legacy() const noexcept { return document_ && source_->notation() == core::Notation::legacy; }

    Place url_place() const {
        if (document_ && document_->url) return ParsedSource::place(*document_->url);
        return document_ ? definition_.place : Place{};
    }
    /// The node of an option; without key where there is none (a definition made by code, options written as one text).
    OptionNode node(std::string_view name) const {
        if (!document_ || !document_->options) return {};
        for (const auto [key, value] : document_->options->entries())
            if (key.is_scalar() && key.text() == name) return core::unwrap(key, value);
        return {};
    }
    Place options_place() const {
        if (document_ && document_->options_key) return ParsedSource::place(*document_->options_key);
        return url_place();
    }
    Place key_place(const OptionNode& node) const { return node.key ? ParsedSource::place(*node.key) : options_place(); }
    Place value_place(const OptionNode& node) const { return node.value ? ParsedSource::place(*node.value) : key_place(node); }

    // ---- the parts of a definition ----

    void texts() {
        const Place place = document_ ? definition_.place : Place{};
        const auto reported = document_ && document_->bad;  // parse_definitions has said that a key is missing
        if (definition_.name.empty()) {
            if (!reported) error("missing-name", place, "the connection has no name");
            valid_ = false;
        } else if (text::utf8_length(definition_.name) > k_longest_name) {
            error("too-long", place, "the name has more than " + std::to_string(k_longest_name) + " characters");
        } else if (text::has_control(definition_.name)) {
            error("control-character", place, "the name holds a control character");
        }
        if (definition_.description.size() > k_longest_description && text::utf8_length(definition_.description) > k_longest_description)
            error("too-long", place, "the description has more than " + std::to_string(k_longest_description) + " characters");
        if (definition_.url.empty()) {
            if (!reported) error("missing-url", url_place(), "the connection has no URL");
            valid_ = false;
        }
    }
    bool scheme_is_known() {
        const std::string_view url = definition_.url;
        const auto end = url.find("://");
        const auto written = end == std::string_view::npos ? std::string_view{} : url.substr(0, end);
        if (entry_) return true;
        if (written.empty()) {
            error("bad-url", url_place(), "the URL has no scheme", "write scheme://host/…; schemes are " + known_schemes());
            return false;
        }
        Place place = url_place();
        if (document_ && document_->url) place = source_->place_within(*document_->url, written);
        const std::string near = nearest(written, catalogue_->names());
        error("unknown-scheme", place, "unknown scheme " + core::quoted_name(written),
              near.empty() ? "known schemes are " + known_schemes() + "; a module can add others" : "did you mean '" + near + "'?");
        return false;
    }
    std::string known_schemes() const {
        auto names = catalogue_->names();
        std::sort(names.begin(), names.end());
        return names.empty() ? std::string{"none"} : text::join(names, ", ");
    }

    bool url() {
        references(definition_.url, "the URL", document_ ? document_->url : nullptr, url_place());
        const core::SecretTokens tokens = secrets().tokens(definition_.url);
        auto parsed = Url::try_parse(tokens.opaque());
        if (!parsed) {
            error("bad-url", url_place(), tokens.restore(parsed.error().message()),
                  tokens.empty() ? std::string{}
                                 : "a secret reference can stand for the user, the password, the host or a part of the path, not for the port");
            has_user_ = has_password_ = true;  // perhaps; that one is missing is not to be said beside this
            return false;
        }
        has_user_ = parsed->username && !parsed->username->empty();
        has_password_ = parsed->password && !parsed->password->empty();
        return true;
    }

    const core::SecretTable& secrets() const { return catalogue_ ? catalogue_->secrets() : core::SecretTable::builtin(); }
    /// Findings about secret references in a text.
    void references(std::string_view text, const std::string& what, const Node* node, Place place) {
        if (!core::may_have_references(text)) return;
        const auto scan = core::scan_secrets(text);
        const auto place_of = [&](std::string_view part) { return node && node->is_scalar() ? source_->place_within(*node, part) : place; };
        for (const auto& problem : scan.problems)
            error("bad-reference", place_of(text.substr(problem.offset, problem.length)), "in " + what + ": " + problem.message, problem.hint);
        for (const auto& piece : scan.pieces) {
            if (piece.kind != core::SecretPiece::Kind::reference) continue;
            if (const auto finding = secrets().finding(piece.reference))
                error(finding->code, place_of(piece.text), "in " + what + ": " + finding->message, finding->hint);
        }
    }
    void references(const Value& value, const std::string& what, const OptionNode& node, bool nested = false) {
        switch (value.kind()) {
            case ValueKind::string: references(value.as_string(), what, nested ? nullptr : node.value, value_place(node)); break;
            case ValueKind::list:
                for (const auto& v : value.as_list()) references(v, what, node, true);
                break;
            case ValueKind::map:
                for (const auto& [key, v] : value.as_map()) references(v, what, node, true);
                break;
            default: break;
        }
    }

    std::string owner() const { return words_.owner.empty() ? "the scheme '" + definition_.scheme() + "'" : words_.owner; }
    /// "the option 'timeout'".
    std::string the(const OptionSpec& spec) const { return "the " + words_.one + " '" + spec.name + "'"; }

    void options() {
        bool renamed = false;
        for (auto& [name, value] : definition_.options) {
            const auto known = entry_->options.find(name);
            if (known == entry_->options.end()) {
                unknown_option(name);
                continue;
            }
            const OptionSpec& spec = *known->second.spec;
            const OptionNode written = node(name);
            if (known->second.is_alias) {
                renamed = true;
                if (definition_.options.contains(spec.name))
                    error("duplicate-option", key_place(written),
                          core::quoted_name(name) + " is another name of '" + spec.name + "', which is there too", "remove one of them");
                else
                    warning("renamed-option", key_place(written), core::quoted_name(name) + " is another name of " + the(spec),
                            "write '" + spec.name + "'");
            }
            if (value.is_null()) continue;  // explicitly unset
            option(spec, value, written);
        }
        if (renamed) rename();
    }

    void unknown_option(std::string_view name) {
        if (out_.size() - first_ >= k_most_findings) {
            valid_ = false;
            ++suppressed_;
            return;
        }
        const OptionNode written = node(name);
        std::string hint;
        if (name == "<<") {
            hint = "merge keys are not part of YAML 1.2; write the options out";
        } else if (words_.owner.empty() && !entry_->scheme.default_ports.empty() && (name == "password" || name == "user" || name == "username")) {
            hint = "it is a part of the URL: " + definition_.scheme() + "://USER:${env:PASSWORD}@HOST";
        } else {
            std::vector<std::string> names = entry_->option_names;
            for (const auto& spec : entry_->scheme.options) names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
            const std::string near = nearest(name, names);
            if (!near.empty())
                hint = "did you mean '" + near + "'?";
            else if (name.find(':') != std::string_view::npos)
                hint = "a blank is missing after the ':'";
        }
        error("unknown-option", key_place(written), owner() + " has no " + words_.one + " " + core::quoted_name(name), std::move(hint));
    }

    /// Aliases become the names of their options.
    void rename() {
        Map out;
        out.reserve(definition_.options.size());
        for (auto& [name, value] : definition_.options) {
            const auto known = entry_->options.find(name);
            out.insert(known != entry_->options.end() ? known->second.spec->name : name, std::move(value));
        }
        definition_.options = std::move(out);
    }

    void option(const OptionSpec& spec, Value& value, const OptionNode& written) {
        if (!convert(spec, value, written)) return;
        const std::string what = the(spec);
        references(value, what, written);
        if (value.is_string() &&
            (core::may_have_references(value.as_string()) || (spec.environment && value.as_string().find('$') != std::string_view::npos)))
            return;  // its text is known only at use
        if (value.is_number() &&
            ((spec.minimum && core::number_of(value) < *spec.minimum) || (spec.maximum && core::number_of(value) > *spec.maximum))) {
            error("out-of-range", value_place(written), what + " must be " + range(spec), {});
            return;
        }
        if (!core::is_allowed(spec, value)) {
            std::vector<std::string> words;
            std::string list;
            for (const auto& allowed : spec.allowed) {
                words.push_back(allowed.value.is_string() ? std::string{allowed.value.as_string()} : to_text(allowed.value));
                list.append(list.empty() ? "" : ", ").append(words.back());
            }
            const std::string near = value.is_string() ? nearest(value.as_string(), words) : std::string{};
            error("not-allowed", value_place(written), what + " must be one of: " + list,
                  near.empty() ? std::string{} : "did you mean '" + near + "'?");
            return;
        }
        if (!spec.content.empty() && value.is_string() && reference_scheme(value.as_string()) == "http") {
            error("bad-value", value_place(written), what + ": over http: anybody on the way could read and change the file", "use https:");
            return;
        }
        if (spec.check) {
            // The words of the check may quote the value.
            if (auto problem = spec.check(value); !problem.empty())
                error("bad-value", value_place(written), spec.sensitive ? what + " has a value that cannot be used" : what + ": " + problem, {});
        }
    }
    static std::string range(const OptionSpec& spec) {
        const std::string unit = spec.unit == Unit::none ? "" : std::string{" "}.append(to_string(spec.unit));
        if (spec.minimum && spec.maximum) return "between " + number_text(*spec.minimum) + " and " + number_text(*spec.maximum) + unit;
        return spec.minimum ? "at least " + number_text(*spec.minimum) + unit : "at most " + number_text(*spec.maximum) + unit;
    }

    // ---- types ----

    bool convert(const OptionSpec& spec, Value& value, const OptionNode& written) {
        switch (spec.type) {
            case OptionType::boolean: return boolean(spec, value, written);
            case OptionType::integer: return integer(spec, value, written);
            case OptionType::number: return number(spec, value, written);
            case OptionType::string:
            case OptionType::data: return string(spec, value, written);
            case OptionType::map:
            case OptionType::list: return structured(spec, value, written);
            case OptionType::any: break;
        }
        return any(value, written);
    }

    /// What was written, for a message; a sensitive or suspicious text is not shown.
    static std::string shown(const OptionSpec& spec, const Value& value, const OptionNode& written) {
        if (spec.sensitive) return "the value";
        if (value.is_map()) return "a map";
        if (value.is_list()) return "a list";
        if (spec.type == OptionType::map || spec.type == OptionType::list) return value.is_string() ? "text" : "the value";
        const std::string text = written.value && written.value->is_scalar() ? std::string{written.value->text()}
                                 : value.is_string()                         ? std::string{value.as_string()}
                                                                             : to_text(value);
        return !text.empty() && core::is_harmless_word(text) ? "'" + text + "'" : "the value";
    }
    static std::string_view plain_text(const OptionNode& written) noexcept {
        return written.value && written.value->is_plain() ? written.value->text() : std::string_view{};
    }
    std::string example(const OptionSpec& spec) const {
        if (!spec.example.is_null() && !spec.sensitive && !spec.example.is_map() && !spec.example.is_list())
            return "for example " + to_text(spec.example);
        return {};
    }

    bool boolean(const OptionSpec& spec, Value& value, const OptionNode& written) {
        if (value.is_bool()) return true;
        std::optional<bool> meant;
        if (value.is_string()) meant = is_legacy() ? core::legacy_boolean_word(value.as_string()) : core::boolean_word(value.as_string());
        if (value == Value{0} || value == Value{1}) meant = value == Value{1};
        if (meant) {
            value = *meant;
            if (is_legacy()) return true;
            warning("boolean-spelling", value_place(written), the(spec) + " is a boolean in another spelling than YAML's",
                    std::string{"write "}.append(*meant ? "true" : "false"));
            return true;
        }
        const std::string near = value.is_string() ? nearest(value.as_string(), {"true", "false"}) : std::string{};
        error("bad-boolean", value_place(written), the(spec) + " must be true or false; " + shown(spec, value, written) + " is neither",
              near.empty() ? std::string{} : "did you mean '" + near + "'?");
        return false;
    }

    std::string whole_number(const OptionSpec& spec) const {
        std::string out = the(spec) + " must be a whole number";
        if (spec.unit != Unit::none) out.append(" of ").append(to_string(spec.unit));
        return out;
    }

    bool integer(const OptionSpec& spec, Value& value, const OptionNode& written) {
        if (value.is_integer()) return fits(spec, value, written);
        if (value.kind() == ValueKind::float64) {
            const double d = value.as_double();
            if (d == std::floor(d) && std::abs(d) < 9e15) {
                value = static_cast<long long>(d);
                warning("number-spelling", value_place(written), whole_number(spec), "write " + std::to_string(value.as_int64()));
                return true;
            }
        }
        std::string hint;
        if (value.is_string()) {
            const auto word = value.as_string();
            if (core::may_have_references(word)) {
                error("bad-reference", value_place(written), whole_number(spec) + "; a secret reference cannot stand for one");
                return false;
            }
            if (const auto digits = bare_digits(word); !digits.empty()) {
                if (digits.size() > 1 && digits[0] == '0') {
                    error("octal-looking", value_place(written),
                          whole_number(spec) + "; one with a leading 0 is octal to some readers and decimal to others",
                          spec.sensitive ? std::string{"leave the 0 out"} : "write " + decimal_without_zeros(word));
                    return false;
                }
                std::int64_t parsed = 0;
                const auto bare = word[0] == '+' ? word.substr(1) : word;
                if (std::from_chars(bare.data(), bare.data() + bare.size(), parsed).ec != std::errc{}) {
                    error("overflow", value_place(written), whole_number(spec) + "; this one does not fit 64 bits");
                    return false;
                }
                value = static_cast<long long>(parsed);
                if (is_legacy() || (written.value && written.value->is_plain())) return fits(spec, value, written);
                warning("quoted-number", value_place(written), the(spec) + " is a number in quotes",
                        spec.sensitive ? std::string{"leave the quotes out"} : "write " + std::to_string(parsed));
                return true;
            }
            if (const auto in_unit = spec.sensitive ? std::nullopt : converted(word, spec.unit))
                hint = "write " + std::to_string(*in_unit) + ": the option counts " + std::string{to_string(spec.unit)};
        }
        if (value.kind() == ValueKind::decimal) {
            error("overflow", value_place(written), whole_number(spec) + "; this one does not fit 64 bits");
            return false;
        }
        error("bad-integer", value_place(written), whole_number(spec) + "; " + shown(spec, value, written) + " is none",
              hint.empty() ? example(spec) : hint);
        return false;
    }
    bool fits(const OptionSpec& spec, const Value& value, const OptionNode& written) {
        if (value.kind() != ValueKind::uint64) return true;
        error("overflow", value_place(written), whole_number(spec) + "; this one does not fit 64 bits with a sign");
        return false;
    }

    bool number(const OptionSpec& spec, Value& value, const OptionNode& written) {
        if (core::has_type(value, OptionType::number)) return true;
        if (value.is_string() || value.kind() == ValueKind::decimal) {
            const auto word = value.as_string();
            const auto digits = bare_digits(word);
            if (digits.size() > 1 && digits[0] == '0') {
                error("octal-looking", value_place(written), the(spec) + " must be a number; one with a leading 0 is octal to some readers",
                      spec.sensitive ? std::string{"leave the 0 out"} : "write " + decimal_without_zeros(word));
                return false;
            }
            double parsed = 0;
            const auto bare = !word.empty() && word[0] == '+' ? word.substr(1) : word;
            const auto result = std::from_chars(bare.data(), bare.data() + bare.size(), parsed);
            const bool is_number =
                !bare.empty() && (text::is_digit(bare[0]) || bare[0] == '-' || bare[0] == '.') && result.ptr == bare.data() + bare.size();
            if (is_number && result.ec == std::errc::result_out_of_range) {
                error("overflow", value_place(written), the(spec) + " must be a number that a double can hold");
                return false;
            }
            if (is_number && result.ec == std::errc{}) {
                const bool quoted = !is_legacy() && value.is_string() && !(written.value && written.value->is_plain());
                value = parsed;
                if (quoted) warning("quoted-number", value_place(written), the(spec) + " is a number in quotes", "leave the quotes out");
                return true;
            }
        }
        error("bad-number", value_place(written), the(spec) + " must be a number; " + shown(spec, value, written) + " is none", example(spec));
        return false;
    }

    bool string(const OptionSpec& spec, Value& value, const OptionNode& written) {
        if (value.is_string() || (spec.type == OptionType::data && value.is_binary())) {
            // All digits and yet text: with a leading zero or too many of them. Other readers may see another number.
            const auto plain = plain_text(written);
            if (!written.type && !bare_digits(plain).empty()) quote_it(spec, written);
            return true;
        }
        const auto plain = plain_text(written);
        const bool scalar = !value.is_list() && !value.is_map() && !value.is_binary() && value.kind() != ValueKind::tagged;
        if (scalar && !plain.empty()) {
            value = plain;
            quote_it(spec, written);
            return true;
        }
        if (value.is_integer() || value.is_bool() || value.kind() == ValueKind::decimal) {
            value = value.is_bool() ? std::string{value.as_bool() ? "true" : "false"} : to_text(value);
            quote_it(spec, written);
            return true;
        }
        error("bad-string", value_place(written), the(spec) + " must be text; here stands " + std::string{kind_words(value)},
              value.is_map() || value.is_list() ? "put quotes around text that begins with '{' or '['" : "put quotes around it");
        return false;
    }
    void quote_it(const OptionSpec& spec, const OptionNode& written) {
        warning("unquoted-text", value_place(written), the(spec) + " is text; without quotes this is a number, boolean or date to readers of YAML",
                "put quotes around it");
    }
    static std::string_view kind_words(const Value& value) noexcept {
        if (value.is_map()) return "a map";
        if (value.is_list()) return "a list";
        if (value.is_binary()) return "binary data";
        return "something else";
    }

    bool structured(const OptionSpec& spec, Value& value, const OptionNode& written) {
        const bool map = spec.type == OptionType::map;
        if (map ? value.is_map() : value.is_list()) {
            if (map && spec.pairs_text) texts_of(value, written);
            return true;
        }
        const std::string what = the(spec) + " must be " + (map ? "a map" : "a list");
        if (value.is_string()) {
            const std::string text{value.as_string()};
            const bool takes_pairs = spec.pairs_text || is_legacy();
            const core::SecretTokens tokens{text};
            auto pairs = takes_pairs ? core::parse_pairs(tokens.opaque(), {.typed = !spec.pairs_text}) : core::PairsResult{};
            const bool are_pairs = takes_pairs && !pairs.problem && (map ? pairs.value.is_map() : pairs.value.is_list());
            // To the legacy form `{a=1}` is a map of one number; to YAML, of a key `a=1`. In both `[a, b]` is a list.
            if (are_pairs && is_legacy() && !text::trim(text).starts_with('[')) {
                value = tokens.restore_value(pairs.value);
                return true;
            }
            if (auto structured = core::structured_text(text, map)) {
                if (map && spec.pairs_text) structured = core::structured_text(text, true, true);
                value = std::move(*structured);
                if (map && spec.pairs_text) only_texts(value);
                return true;
            }
            if (are_pairs) {
                value = tokens.restore_value(pairs.value);
                return true;
            }
            if (takes_pairs) {
                const std::string form = map ? "text of the form `key=value, key2=value2`" : "text of the form `first, second`";
                error("bad-pairs", value_place(written), what + ", or " + form + (pairs.problem ? ": " + pairs.problem->message : std::string{}),
                      is_legacy() ? "put brackets around it, so that a ',' does not end it: `(…)`" : "");
                return false;
            }
        }
        error(map ? "bad-map" : "bad-list", value_place(written), what + "; " + shown(spec, value, written) + " is none",
              map ? "write `key: value` in lines of their own below it, indented" : "write `[first, second]`");
        return false;
    }

    /// A map of text to text as it was written: the number 1.10 is the text "1.10". Members that are not written come from elsewhere and stay.
    static void texts_of(Value& value, const OptionNode& written) {
        std::optional<Value> texts;
        if (written.value && written.value->is_mapping())
            texts = core::text_map(*written.value);
        else if (written.value && written.value->is_scalar())
            texts = core::structured_text(written.value->text(), true, true);
        if (texts && texts->is_map())
            for (auto& [name, text] : texts->as_map())
                if (value.as_map().contains(name)) value.as_map().set(name, text);
        only_texts(value);
    }
    static void only_texts(Value& value) {
        for (auto& [key, v] : value.as_map())
            if (v.is_integer() || v.is_bool() || v.kind() == ValueKind::decimal) v = to_text(v);
    }

    bool any(const Value& value, const OptionNode& written) {
        if (!value.is_string() || plain_text(written).empty() || written.type) return true;
        std::vector<yaml::Problem> problems;
        (void)yaml::to_value(*written.value, &problems);
        for (const auto& problem : problems) {
            const auto [message, hint] = core::value_wording(problem.code);
            error(problem.code, value_place(written), std::string{message}, std::string{hint});
        }
        return problems.empty();
    }

    // ---- what several options have to do with each other ----

    bool given(const std::string& name) const {
        if (name == "url.user") return has_user_;
        if (name == "url.password") return has_password_;
        if (const Value* value = definition_.options.find(name)) return !value->is_null();
        const auto known = entry_->options.find(name);
        return known != entry_->options.end() && (!known->second.spec->fallback.is_null() || known->second.spec->property);
    }
    void required() {
        for (const auto& group : entry_->scheme.required) {
            const bool met = std::any_of(group.alternatives.begin(), group.alternatives.end(), [this](const std::vector<std::string>& names) {
                return std::all_of(names.begin(), names.end(), [this](const std::string& name) { return given(name); });
            });
            if (met) continue;
            std::string list;
            for (const auto& names : group.alternatives) {
                if (!list.empty()) list += ", or ";
                for (std::size_t i = 0; i < names.size(); ++i) {
                    if (i > 0) list += " and ";
                    list += names[i] == "url.user"       ? "a user in the URL"
                            : names[i] == "url.password" ? "a password in the URL"
                                                         : "'" + names[i] + "'";
                }
            }
            error("missing-option", options_place(), "the scheme '" + definition_.scheme() + "' needs " + list);
        }
    }

    void own_check() {
        const auto& check = entry_->scheme.check;
        if (!check) return;
        Diagnostics found;
        check(
            definition_,
            [this](std::string_view name) {
                if (name == "url") return url_place();
                return key_place(written_as(name));
            },
            found);
        for (auto& d : found) {
            if (d.severity == Severity::error) valid_ = false;
            finish(d);
            out_.push_back(std::move(d));
        }
    }
    /// As node(), also where the option was written by another of its names.
    OptionNode written_as(std::string_view name) const {
        if (const auto found = node(name); found.key) return found;
        if (const OptionSpec* spec = entry_->scheme.option(name)) {
            for (const auto& alias : spec->aliases)
                if (const auto found = node(alias); found.key) return found;
        }
        return {};
    }

    const Catalogue* catalogue_;
    const SchemeEntry* entry_;
    core::CheckWords words_;
    Definition& definition_;
    Diagnostics& out_;
    std::size_t first_;
    const ParsedSource* source_;
    const ParsedSource::Document* document_;
    bool valid_{true};
    bool has_user_{false};
    bool has_password_{false};
    std::size_t suppressed_{0};
};

}  // namespace

bool core::check_options(const SchemeEntry& entry, Definition& definition, Diagnostics& diagnostics, const ParsedSource* source, CheckWords words) {
    return Checker{nullptr, &entry, definition, diagnostics, source, std::move(words)}.run_options();
}

bool Catalogue::check(Definition& definition, Diagnostics& diagnostics, const ParsedDefinitions* parsed) const {
    const core::SchemeEntry* entry = impl_->find(definition.scheme());
    return Checker{this, entry, definition, diagnostics, parsed ? parsed->source.get() : nullptr}.run();
}

}  // namespace qconn
