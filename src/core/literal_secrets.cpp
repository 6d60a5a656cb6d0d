// SPDX-License-Identifier: Apache-2.0
// Secrets that stand in definitions themselves.
#include <algorithm>
#include <optional>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/scheme.hpp>

#include "base/text.hpp"
#include "base/url_mask.hpp"
#include "core/option_text.hpp"
#include "core/overlay_text.hpp"
#include "core/pairs.hpp"
#include "core/parsed_source.hpp"
#include "core/secret_places.hpp"
#include "core/secret_ref.hpp"

namespace qconn {

namespace {

/// A secret inside of a text that is a URL or the path of one.
struct UrlPart {
    std::string label;  // "password", or the name of the parameter
    std::size_t begin;
    std::size_t size;
};

std::vector<UrlPart> url_parts(std::string_view text) {
    std::vector<UrlPart> out;
    std::size_t after = 0;
    if (text.find("://") != npos) {
        const core::SecretTokens tokens{text};
        const auto url = Url::try_parse(tokens.opaque());
        if (url && url->password && !url->password->empty()) {
            std::string password = tokens.restore(url->password->reveal());
            const std::size_t at = text.rfind(":" + password + "@");
            if (at != npos) {
                after = at + 1 + password.size();
                if (!core::scan_secrets(password).has_references()) out.push_back({"password", at + 1, password.size()});
            }
            wipe(password);
        }
    }
    for (std::size_t at = text.find('?', after); at < text.size();) {
        const std::size_t next = std::min(text.find('&', at + 1), text.size());
        const std::size_t equals = text.find('=', at);
        if (equals < next && equals + 1 < next) {
            const auto name = text.substr(at + 1, equals - at - 1);
            const auto value = text.substr(equals + 1, next - equals - 1);
            if (names_credential(name) && !core::may_have_references(value)) out.push_back({std::string{name}, equals + 1, value.size()});
        }
        at = next;
    }
    return out;
}

class Search {
public:
    Search(const Definition& definition, const Scheme* scheme, const core::ParsedSource* source)
        : definition_{definition}, scheme_{scheme}, source_{source}, document_{source ? source->find(definition) : nullptr} {}

    std::vector<LiteralSecret> run() {
        const bool environment = scheme_ && scheme_->url_environment;
        parts({"url"}, definition_.url, document_ ? document_->url : nullptr, environment);
        for (const auto& [name, value] : definition_.options) option(name, value);
        return std::move(out_);
    }

private:
    const yaml::Node* node(std::string_view name) const {
        if (!document_ || !document_->options) return nullptr;
        for (const auto [key, value] : document_->options->entries())
            if (key.is_scalar() && key.text() == name) return core::unwrap(key, value).value;
        return document_->options;
    }

    void option(const std::string& name, const Value& value) {
        const OptionSpec* spec = core::spec_of(scheme_, name);
        const bool environment = spec && spec->environment;
        const bool whole = spec ? spec->sensitive : names_credential(name);
        const yaml::Node* const at = node(name);
        if (value.is_null()) return;
        if (value.is_map()) return members(name, value.as_map(), whole, at, environment);
        if (value.is_string()) {
            if (const auto map = core::map_of(spec, value.as_string())) return members(name, *map, whole, at, environment);
            if (!whole) return parts({"options", name}, value.as_string(), at, environment);
        }
        if (!whole) return;
        add({"options", name}, value, at, environment);
        const bool takes_text = !spec || spec->type == OptionType::string || spec->type == OptionType::data || spec->type == OptionType::any;
        if (!takes_text && !out_.empty() && out_.back().where[1] == name) out_.back().fixed = "the option takes no text";
    }

    void members(const std::string& name, const Map& map, bool all, const yaml::Node* at, bool environment) {
        for (const auto& [key, value] : map) {
            if (value.is_null() || !(all || core::names_secret_member(key))) continue;
            const yaml::Node* const inner = at && at->is_mapping() ? at->find(key) : nullptr;
            add({"options", name, key}, value, inner ? inner : at, environment);
        }
    }

    void parts(std::vector<std::string> where, std::string_view text, const yaml::Node* at, bool environment) {
        for (const UrlPart& part : url_parts(text)) {
            auto place = where;
            place.push_back(part.label);
            const auto raw = text.substr(part.begin, part.size);
            // The password of a URL is the one part of it where variables of the environment are not replaced.
            add(std::move(place), Value{raw}, at, environment && part.label != "password", within(at, text, part));
        }
    }

    /// The place of a part of a URL, looked for with what stands before it, as the secret itself may be a single letter.
    std::optional<Place> within(const yaml::Node* at, std::string_view text, const UrlPart& part) const {
        if (!at) return std::nullopt;
        const std::size_t before = text.find_last_of("/?&", part.begin - 1) + 1;
        Place place = source_->place_within(*at, text.substr(before, part.begin - before + part.size));
        if (place != core::ParsedSource::place(*at)) {
            place.column += static_cast<std::uint32_t>(text::utf8_length(text.substr(before, part.begin - before)));
            place.length = static_cast<std::uint32_t>(text::utf8_length(text.substr(part.begin, part.size)));
        }
        return place;
    }

    void add(std::vector<std::string> where, const Value& value, const yaml::Node* at, bool environment, std::optional<Place> place = {}) {
        LiteralSecret secret;
        secret.where = std::move(where);
        if (at) secret.place = place ? *place : core::ParsedSource::place(*at);
        if (value.is_string()) {
            const auto text = value.as_string();
            const auto scan = core::scan_secrets(text);
            if (text.empty() || scan.has_references()) return;
            std::string plain;
            plain.reserve(text.size());
            for (const auto& piece : scan.pieces) plain += piece.kind == core::SecretPiece::Kind::literal ? std::string_view{"${"} : piece.text;
            secret.value = Secret{plain};
            wipe(plain);
            if (environment && text.find('$') != npos) secret.fixed = "variables of the environment are replaced in it";
        } else if (value.is_number() || value.is_bool()) {
            // Taken as the text that it is written as: 1.10 and 007 are other passwords than 1.1 and 7.
            if (at && at->is_scalar())
                secret.value = Secret{at->text()};
            else
                secret.fixed = "how it is written is not known";
        } else {
            secret.fixed = "it is no text";
        }
        out_.push_back(std::move(secret));
    }

    const Definition& definition_;
    const Scheme* scheme_;
    const core::ParsedSource* source_;
    const core::ParsedSource::Document* document_;
    std::vector<LiteralSecret> out_;
};

[[noreturn]] void nothing_there(const Definition& definition) {
    throw Error{Errc::invalid_argument, "EDIT-ERROR",
                "replacing a secret in the definition of \"" + text::printable(definition.name) + "\" failed: there is no such literal in it"}
        .with_reason(Reason::bad_value)
        .with_connection(definition.name);
}

std::string with_part(std::string_view text, const std::string& label, std::string_view by, const Definition& definition) {
    for (const UrlPart& part : url_parts(text))
        if (part.label == label) return std::string{text.substr(0, part.begin)}.append(by).append(text.substr(part.begin + part.size));
    nothing_there(definition);
}

}  // namespace

std::vector<LiteralSecret> literal_secrets(const Definition& definition, const Scheme* scheme, const ParsedDefinitions* parsed) {
    return Search{definition, scheme, parsed ? parsed->source.get() : nullptr}.run();
}

void replace_secret(Definition& definition, const LiteralSecret& secret, std::string_view text, const Scheme* scheme) {
    const auto& where = secret.where;
    if (where.size() < 2 || !secret.fixed.empty()) nothing_there(definition);
    if (where[0] == "url") {
        definition.url = with_part(definition.url, where[1], text, definition);
        return;
    }
    Value* value = definition.options.find(where[1]);
    if (!value) nothing_there(definition);
    if (where.size() == 2) {
        *value = Value{text};
        return;
    }
    if (value->is_string()) {
        auto map = core::map_of(core::spec_of(scheme, where[1]), value->as_string());
        if (!map) {
            *value = Value{with_part(value->as_string(), where[2], text, definition)};
            return;
        }
        *value = Value{std::move(*map)};
    }
    Value* member = value->is_map() ? value->as_map().find(where[2]) : nullptr;
    if (!member) nothing_there(definition);
    *member = Value{text};
}

std::string remove_secret(Definition& definition, const LiteralSecret& secret, const Scheme* scheme) {
    const auto& where = secret.where;
    if (where.size() < 2 || !secret.fixed.empty()) nothing_there(definition);
    const auto without_password = [&](std::string_view text) {
        std::string out = with_part(text, "password", "", definition);
        out.erase(out.rfind('@') - 1, 1);  // the ':'
        return out;
    };
    if (where[0] == "url") {
        if (where[1] != "password") return {};
        definition.url = without_password(definition.url);
        return "url.password";
    }
    Value* const value = definition.options.find(where[1]);
    if (!value) nothing_there(definition);
    const std::string key = where[1] + (where.size() > 2 ? "." + where[2] : "");
    if (!core::is_overlay_key(key)) return {};
    if (where.size() == 2) {
        definition.options.erase(where[1]);
        return key;
    }
    std::optional<Map> written = value->is_string() ? core::map_of(core::spec_of(scheme, where[1]), value->as_string()) : std::nullopt;
    if (value->is_string() && !written) {
        if (where[2] != "password") return {};
        *value = Value{without_password(value->as_string())};
        return key;
    }
    Map members = written ? std::move(*written) : value->is_map() ? value->as_map() : Map{};
    if (!members.contains(where[2])) nothing_there(definition);
    members.erase(where[2]);
    if (members.empty())
        definition.options.erase(where[1]);
    else
        *value = Value{std::move(members)};
    return key;
}

std::vector<std::string> masked_lines(std::string_view text, const Catalogue& catalogue, const DefinitionLimits& limits) {
    const ParsedDefinitions parsed = parse_definitions(text, {}, limits);
    const auto& documents = parsed.source->documents();
    std::vector<std::string> out;
    std::size_t document = 0;
    for (std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
        const auto line = static_cast<std::uint32_t>(out.size() + 1);
        while (document + 1 < documents.size() && documents[document + 1].root->start().line <= line) ++document;
        const Scheme* const scheme = document < documents.size() ? catalogue.find(parsed.definitions[document].scheme()) : nullptr;
        Diagnostic shown;
        shown.place.line = line;
        shown.place.column = 1;
        if (end > at) {
            parsed.source->show(shown, scheme);
            if (shown.source_line.empty()) shown.source_line = "…";
        }
        out.push_back(std::move(shown.source_line));
        at = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
    }
    return out;
}

}  // namespace qconn
