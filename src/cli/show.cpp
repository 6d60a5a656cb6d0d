// SPDX-License-Identifier: Apache-2.0
/// `qconn show`: all that is known of one connection without asking anybody.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/describe.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

/// Where the value of an option is from: the definition, the file of secrets, or both.
std::string origin(const ConnectionInfo& info, const std::string& option, bool in_definition) {
    std::string from = in_definition ? "definition" : "";
    for (const auto& [what, where] : info.local_secrets)
        if (what == option || what.starts_with(option + ".")) (from += from.empty() ? "" : ", ") += "overlay " + plain_text(where);
    return from.empty() ? "default" : from;
}

void print(Output& out, const Registry& registry, const ConnectionInfo& info, const std::vector<OperatorSetting>& settings) {
    Table facts;
    const auto fact = [&](std::string label, std::string text, Style style = Style::plain) {
        if (!text.empty()) facts.add({{std::move(label), Style::dim}, {std::move(text), style}});
    };
    const std::string status{status_word(info)};
    fact("name", info.name, Style::bold);
    fact("status", status, status_style(status));
    fact("problem", info.problem, Style::bad);
    fact("description", info.description);
    fact("url", info.url);
    fact("type", info.type);
    for (const auto& [what, where] : info.local_secrets)
        if (what.starts_with("url.")) fact(what, "from overlay " + plain_text(where));
    fact("file", info.file + (info.place.line > 0 ? ":" + std::to_string(info.place.line) : ""));
    const auto shown = [](const Value& value) { return value.is_bool() ? std::string{value.as_bool() ? "yes" : "no"} : to_text(value); };
    const auto setting = [&](const char* label, const Value& value, bool usual) {
        const auto other = std::find_if(settings.begin(), settings.end(), [&](const OperatorSetting& one) { return one.name == label; });
        if (other != settings.end())
            fact(label, shown(value) + ", set by an operator; the file says " + shown(other->in_file));
        else if (!usual)
            fact(label, shown(value));
    };
    setting("enabled", info.enabled, info.enabled);
    setting("monitored", info.monitored, info.monitored);
    setting("locked", info.locked, !info.locked);
    setting("debug_data", info.debug_data, !info.debug_data);
    setting("tags", info.tags, info.tags.empty());
    if (info.silence) fact("silence", to_text(*info.silence), Style::warn);
    fact("acknowledged", acknowledged_text(info));
    out.text(facts.render(out));

    const Scheme* scheme = registry.catalogue().find(info.scheme);
    if (!info.options.empty()) {
        // Only the names of the options that the definition sets are looked at: its values may be secrets.
        const Definition definition = registry.definition(info.name);
        Table options{{"OPTION", "VALUE", "FROM"}};
        for (const auto& [option, value] : info.options) {
            const OptionSpec* spec = scheme != nullptr ? scheme->option(option) : nullptr;
            std::string text = plain_text(value);
            if (spec != nullptr && spec->unit != Unit::none && !value.is_null()) (text += ' ') += to_string(spec->unit);
            const std::string from = origin(info, option, definition.options.contains(option));
            options.add({option, text, {from, from == "default" ? Style::dim : Style::plain}});
        }
        out.line();
        out.text(options.render(out));
    }
    if (scheme != nullptr && !scheme->operations.empty()) {
        Table operations{{"OPERATION", "WHAT IT DOES"}};
        for (const OperationSpec* operation : listed_operations(*scheme)) operations.add({usage(*operation), operation->help});
        out.line();
        out.text(operations.render(out));
    }
}

int show(Tool& tool, const std::vector<std::string>& given) {
    const std::string name = single_name(tool, given, "connection");
    const Loaded loaded = load(tool, false);
    const Registry& registry = *loaded.registry;
    require_connection(registry, name);
    const ConnectionInfo info = registry.info(name);
    const auto settings = operator_settings(registry, info);
    Value value = info_value(info, true);
    value.as_map().set("in_file", in_file_value(settings));
    present(tool.out, tool.format, {.document = std::move(value), .text = [&](Output& out) { print(out, registry, info, settings); }});
    return k_ok;
}

}  // namespace

void add_show(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("show", "Show one connection: definition, options with defaults, operations");
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("name", *names, "Connection")->type_name("NAME");
    command->footer(
        "Passwords and other sensitive values are shown as <masked>.\n\n"
        "Examples:\n"
        "  qconn show shop-api\n"
        "  qconn show shop-api --json | jq .options.timeout");
    command->callback([&tool, names] { tool.run = [&tool, names] { return show(tool, *names); }; });
}

}  // namespace qconn::cli
