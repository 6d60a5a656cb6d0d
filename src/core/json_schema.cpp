// SPDX-License-Identifier: Apache-2.0
// JSON Schema from the option tables.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "core/catalogue_impl.hpp"
#include "core/option_tables.hpp"

namespace qconn {

namespace core {

std::string option_description(const OptionSpec& spec) {
    std::string out = spec.help;
    const auto sentence = [&out](const std::string& text) {
        out.append(out.empty() ? "" : out.ends_with('.') ? " " : ". ").append(text).append(".");
    };
    if (spec.unit != Unit::none) sentence("Unit: " + std::string{to_string(spec.unit)});
    if (spec.fallback.is_null() && !spec.fallback_text.empty()) sentence("Default: " + spec.fallback_text);
    if (spec.environment) sentence("Environment variables ($NAME) in it are replaced");
    if (spec.pairs_text) sentence("May also be written as text: key=value, key2=value2");
    return out;
}

Map plain_schema(const OptionSpec& spec) {
    Map out;
    const auto number = [&](const char* type) {
        out.set("type", type);
        const auto limit = [&](const char* key, const std::optional<double>& value) {
            if (!value) return;
            const bool whole = *value == static_cast<double>(static_cast<std::int64_t>(*value));
            out.set(key, whole ? Value{static_cast<long long>(*value)} : Value{*value});
        };
        limit("minimum", spec.minimum);
        limit("maximum", spec.maximum);
    };
    switch (spec.type) {
        case OptionType::boolean: out.set("type", "boolean"); break;
        case OptionType::integer: number("integer"); break;
        case OptionType::number: number("number"); break;
        case OptionType::string:
        case OptionType::data: out.set("type", "string"); break;
        case OptionType::map: out.set("type", List{"object", "string"}); break;  // text: YAML or pairs in a string
        case OptionType::list: out.set("type", List{"array", "string"}); break;
        case OptionType::any: break;
    }
    if (!spec.allowed.empty()) {
        List values;
        for (const auto& allowed : spec.allowed) values.push_back(allowed.value);
        if (spec.type == OptionType::string) {
            // A reference to a secret or variable can stand for any of them.
            out = Map{{"anyOf", List{Map{{"enum", std::move(values)}}, Map{{"type", "string"}, {"pattern", "[$]"}}}}};
        } else {
            out.set("enum", std::move(values));
        }
    }
    return out;
}

}  // namespace core

namespace {

using core::plain_schema;

Map ref(const std::string& name) { return Map{{"$ref", "#/$defs/" + name}}; }

Map option_schema(const OptionSpec& spec) {
    // `{type: int, value: 30}` where `type` is text, otherwise the value, or null for "explicitly unset".
    Map typed{{"type", "object"},
              {"required", List{"type", "value"}},
              {"properties", Map{{"type", ref("type-name")}, {"value", Map{{"anyOf", List{plain_schema(spec), Map{{"type", "null"}}}}}}}}};
    Map out{{"if", ref("typed")}, {"then", std::move(typed)}, {"else", Map{{"anyOf", List{plain_schema(spec), Map{{"type", "null"}}}}}}};
    if (const auto help = core::option_description(spec); !help.empty()) out.set("description", help);
    if (!spec.fallback.is_null() && !spec.sensitive) out.set("default", spec.fallback);
    if (!spec.example.is_null()) out.set("examples", List{spec.example});
    if (spec.sensitive) out.set("writeOnly", true);
    return out;
}

/// At least one alternative whole; nothing where the URL or a property can meet it too, which a schema cannot see.
std::optional<Map> required_schema(const Scheme& scheme, const RequiredOptions& group) {
    List any;
    for (const auto& names : group.alternatives) {
        List plain;
        List spelled;  // each of several names will do
        for (const auto& name : names) {
            const OptionSpec* spec = scheme.option(name);
            if (!spec || spec->property) return std::nullopt;
            if (spec->aliases.empty()) {
                plain.emplace_back(name);
                continue;
            }
            List spellings{Map{{"required", List{name}}}};
            for (const auto& alias : spec->aliases) spellings.push_back(Map{{"required", List{alias}}});
            spelled.push_back(Map{{"anyOf", std::move(spellings)}});
        }
        Map whole{{"required", std::move(plain)}};
        if (!spelled.empty()) whole.set("allOf", std::move(spelled));
        any.push_back(std::move(whole));
    }
    return Map{{"anyOf", std::move(any)}};
}

std::string scheme_pattern(const std::vector<std::string>& names) {
    std::string out = "^(?:";
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out += '|';
        for (const char c : names[i]) {
            if (c >= 'a' && c <= 'z')
                out.append("[").append(1, static_cast<char>(c - 'a' + 'A')).append(1, c).append("]");
            else if (c == '.' || c == '+')
                out.append("[").append(1, c).append("]");
            else
                out += c;
        }
    }
    return out.append(")://");
}

Map options_schema(const Scheme& scheme) {
    Map properties;
    for (const auto& spec : scheme.options) properties.set(spec.name, option_schema(spec));
    for (const auto& spec : scheme.options)
        for (const auto& alias : spec.aliases)
            properties.set(alias, Map{{"$ref", "#/$defs/options-" + scheme.names.front() + "/properties/" + spec.name}, {"deprecated", true}});
    Map out{{"type", List{"object", "string", "null"}}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    List groups;
    for (const auto& group : scheme.required)
        if (auto schema = required_schema(scheme, group)) groups.push_back(std::move(*schema));
    if (!groups.empty()) out.set("allOf", std::move(groups));
    return out;
}

}  // namespace

std::string Catalogue::json_schema() const {
    Map definitions{{"type-name", Map{{"enum", List{"int", "integer", "float", "number", "bool", "string", "hash", "list", "date", "data", "binary",
                                                    "any", "auto", "file-as-string"}}}},
                    {"typed", Map{{"type", "object"}, {"required", List{"type", "value"}}, {"properties", Map{{"type", Map{{"type", "string"}}}}}}}};
    List conditions;
    for (const auto& entry : impl_->entries) {
        const Scheme& scheme = entry->scheme;
        const std::string name = "options-" + scheme.names.front();
        definitions.set(name, options_schema(scheme));
        Map then{{"properties", Map{{"options", ref(name)}, {"opts", ref(name)}}}};
        const bool needs_options = std::any_of(scheme.required.begin(), scheme.required.end(),
                                               [&](const RequiredOptions& g) { return required_schema(scheme, g).has_value(); });
        if (needs_options) then.set("anyOf", List{Map{{"required", List{"options"}}}, Map{{"required", List{"opts"}}}});
        conditions.push_back(Map{{"if", Map{{"properties", Map{{"url", Map{{"pattern", scheme_pattern(scheme.names)}}}}}, {"required", List{"url"}}}},
                                 {"then", std::move(then)}});
    }
    const Map flag{{"type", List{"boolean", "null"}}};
    Map properties{
        {"type", Map{{"const", "connection"}}},
        {"name",
         Map{{"type", "string"}, {"minLength", 1}, {"maxLength", static_cast<int>(160)}, {"description", "What code asks for the connection by."}}},
        {"desc", Map{{"type", List{"string", "null"}}, {"maxLength", 4000}, {"description", "A word to those who operate it."}}},
        {"url", Map{{"type", "string"}, {"description", "The scheme picks the kind of connection."}}},
        {"options",
         Map{{"type", List{"object", "string", "null"}}, {"description", "Settings of the scheme by name, or text: key=value, key2=value2."}}},
        {"opts", Map{{"type", List{"object", "string", "null"}}, {"deprecated", true}, {"description", "Another word for `options`."}}},
        {"display_name", Map{{"type", List{"string", "null"}}}},
        {"short_desc", Map{{"type", List{"string", "null"}}}},
        {"enabled", flag},
        {"monitor", flag},
        {"locked", flag},
        {"debug_data", flag},
        {"tags", Map{{"type", List{"object", "string", "null"}}}},
    };
    if (!impl_->names.empty()) properties["url"].as_map().set("pattern", scheme_pattern(impl_->names));
    Map schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "qconn connection"},
               {"description", "One document of a *.qconn.yaml file."},
               {"type", "object"},
               {"required", List{"type", "name", "url"}},
               {"properties", std::move(properties)}};
    if (!conditions.empty()) schema.set("allOf", std::move(conditions));
    schema.set("$defs", std::move(definitions));
    return json::encode(Value{std::move(schema)}, true);
}

}  // namespace qconn
