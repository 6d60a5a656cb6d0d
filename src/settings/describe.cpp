// SPDX-License-Identifier: Apache-2.0
// Documentation and JSON Schema of the settings.
#include <string>
#include <utility>

#include <qconn/settings/settings.hpp>

#include "base/json.hpp"
#include "core/option_tables.hpp"
#include "settings/tables.hpp"

namespace qconn {

namespace {

Map setting_schema(const OptionSpec& spec) {
    Map value{{"anyOf", List{core::plain_schema(spec), Map{{"type", "null"}}}}};
    if (const auto help = core::option_description(spec); !help.empty()) value.set("description", help);
    if (!spec.fallback.is_null()) value.set("default", spec.fallback);
    return value;
}

/// By each name that the table knows.
Map table_schema(const core::SchemeEntry& table, const std::string& place) {
    Map properties;
    for (const OptionSpec& spec : table.scheme.options) {
        properties.set(spec.name, setting_schema(spec));
        for (const std::string& alias : spec.aliases) properties.set(alias, Map{{"$ref", place + "/properties/" + spec.name}, {"deprecated", true}});
    }
    return properties;
}

}  // namespace

std::string settings_markdown() {
    std::string out;
    for (const settings::Section& section : settings::sections()) {
        if (!out.empty()) out += '\n';
        out += "### " + section.name + "\n\n" + section.help + "\n\n" + core::options_markdown(section.entry.scheme.options);
    }
    return out;
}

std::string settings_json_schema() {
    Map properties{{"type", Map{{"const", "settings"}}}};
    for (const settings::Section& section : settings::sections())
        properties.set(section.name, Map{{"type", List{"object", "null"}},
                                         {"description", section.help},
                                         {"properties", table_schema(section.entry, "#/properties/" + section.name)},
                                         {"additionalProperties", false}});
    for (auto& [name, schema] : table_schema(settings::all_by_full_name(), "#")) properties.set(name, std::move(schema));
    return json::encode(Value{Map{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                  {"title", "qconn settings"},
                                  {"description", "The configuration of a program that uses qconn."},
                                  {"type", "object"},
                                  {"required", List{"type"}},
                                  {"properties", std::move(properties)},
                                  {"additionalProperties", false}}},
                        true);
}

}  // namespace qconn
