// SPDX-License-Identifier: Apache-2.0
/// `qconn settings`: the configuration in force, and where each value of it comes from.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/describe.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

Value setting_value(const Setting& setting) {
    const OptionSpec& option = setting.spec->option;
    List aliases;
    for (const std::string& alias : option.aliases) aliases.emplace_back(alias);
    return Map{{"name", setting.spec->name},
               {"value", setting.value},
               {"origin", to_string(setting.origin)},
               {"where", setting.where},
               {"default", option.fallback},
               {"default_text", option.fallback_text},
               {"type", to_string(option.type)},
               {"unit", option.unit == Unit::none ? Value{} : Value{to_string(option.unit)}},
               {"variable", setting.spec->variable},
               {"aliases", std::move(aliases)},
               {"help", option.help}};
}

bool is_default(const Value& row) { return row["origin"].as_string() == to_string(SettingOrigin::fallback); }

Table::Cell name_cell(const Value& row) { return {std::string{row["name"].as_string()}, is_default(row) ? Style::plain : Style::bold}; }

Table::Cell value_cell(const Value& row) {
    if (!row["value"].is_null()) return plain_text(row["value"]);
    const auto otherwise = row["default_text"].as_string();
    return otherwise.empty() ? std::string{"-"} : "(" + std::string{otherwise} + ")";
}

Table::Cell unit_cell(const Value& row) {
    return row["unit"].is_null() || row["value"].is_null() ? std::string{} : std::string{row["unit"].as_string()};
}

/// "default", "QCONN_MONITOR_FALL", "qconn-settings.yaml:4:13".
Table::Cell from_cell(const Value& row) {
    const auto where = row["where"].as_string();
    return {std::string{where.empty() ? row["origin"].as_string() : where}, is_default(row) ? Style::dim : Style::plain};
}

int settings(Tool& tool, bool changed, bool schema) {
    if (schema) {
        tool.out.line(settings_json_schema());
        return k_ok;
    }
    std::vector<const Setting*> shown;
    for (const Setting& setting : tool.settings().all())
        if (!changed || setting.origin != SettingOrigin::fallback) shown.push_back(&setting);
    for (const Diagnostic& warning : tool.settings().warnings()) std::fputs(render(warning).c_str(), stderr);
    List rows;
    for (const Setting* setting : shown) rows.push_back(setting_value(*setting));
    present(tool.out, tool.format,
            {.document = std::move(rows),
             .columns = {{"name", "SETTING", name_cell},
                         {"value", "VALUE", value_cell},
                         {"unit", "UNIT", unit_cell},
                         {"", "FROM", from_cell},
                         {"origin"},
                         {"where"},
                         {"default"},
                         {"variable"},
                         {"help"}}});
    return k_ok;
}

}  // namespace

void add_settings(CLI::App& app, Tool& tool) {
    auto* command =
        app.add_subcommand("settings", "Show the configuration in force: threads, monitor, limits, TLS defaults, and where each value is from");
    auto changed = std::make_shared<bool>(false);
    auto schema = std::make_shared<bool>(false);
    command->add_flag("--changed", *changed, "Only those that are not at their defaults");
    command->add_flag("--schema", *schema, "Print the JSON Schema of settings files instead, for editors and validators");
    command->footer(
        "A setting comes from the environment (QCONN_MONITOR_INTERVAL), else from the file of --settings, else it has its default.\n"
        "'qconn docs settings' has the whole table.\n\n"
        "Examples:\n"
        "  qconn settings\n"
        "  qconn --settings qconn-settings.yaml settings --changed\n"
        "  qconn settings --schema > qconn-settings.schema.json");
    command->callback([&tool, changed, schema] { tool.run = [&tool, changed, schema] { return settings(tool, *changed, *schema); }; });
}

}  // namespace qconn::cli
