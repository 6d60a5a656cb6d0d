// SPDX-License-Identifier: Apache-2.0
/// `qconn schemes` and `qconn schema`: what definitions can say.
#include <CLI/CLI.hpp>

#include <qconn/core/module.hpp>

#include "cli/describe.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) (text += text.empty() ? "" : ", ") += word;
    return text;
}

std::string ports_text(const Scheme& scheme) {
    std::string text;
    for (const std::string& name : scheme.names) {
        const auto port = scheme.default_ports.find(name);
        if (port == scheme.default_ports.end()) continue;
        if (!text.empty()) text += ", ";
        if (scheme.names.size() > 1) (text += name) += ' ';
        text += std::to_string(port->second);
    }
    return text;
}

/// "built in", or "bell 1.2.3" of a module.
std::string origin_text(const Scheme& scheme) {
    if (!scheme.module) return "built in";
    return scheme.module->version.empty() ? scheme.module->name : scheme.module->name + " " + scheme.module->version;
}

Value module_value(const Scheme& scheme) {
    if (!scheme.module) return {};
    const ModuleInfo& module = *scheme.module;
    return Map{{"name", module.name}, {"version", module.version}, {"description", module.description}, {"path", module.path}};
}

Value option_value(const OptionSpec& spec) {
    List allowed;
    for (const AllowedValue& one : spec.allowed) allowed.push_back(Map{{"value", one.value}, {"help", one.help}});
    List aliases;
    for (const std::string& alias : spec.aliases) aliases.emplace_back(alias);
    return Map{{"name", spec.name},
               {"type", to_string(spec.type)},
               {"unit", spec.unit == Unit::none ? Value{} : Value{to_string(spec.unit)}},
               {"default", spec.fallback},
               {"default_text", spec.fallback_text},
               {"help", spec.help},
               {"example", spec.example},
               {"allowed", std::move(allowed)},
               {"minimum", spec.minimum ? Value{*spec.minimum} : Value{}},
               {"maximum", spec.maximum ? Value{*spec.maximum} : Value{}},
               {"sensitive", spec.sensitive},
               {"environment", spec.environment},
               {"file", spec.file},
               {"monitoring", spec.monitoring},
               {"aliases", std::move(aliases)}};
}

Value scheme_value(const Scheme& scheme, bool whole) {
    List names;
    for (const std::string& name : scheme.names) names.emplace_back(name);
    Map ports;
    for (const auto& [name, port] : scheme.default_ports) ports.set(name, static_cast<unsigned>(port));
    Map map{{"names", std::move(names)},
            {"title", scheme.title},
            {"type", scheme.clients.empty() ? std::string{} : scheme.clients.front().name},
            {"family", scheme.family},
            {"default_ports", std::move(ports)},
            {"example_url", scheme.example_url},
            {"module", module_value(scheme)}};
    if (!whole) return map;
    List options;
    for (const OptionSpec& spec : scheme.options) options.push_back(option_value(spec));
    List required;
    for (const RequiredOptions& one : scheme.required) {
        List alternatives;
        for (const auto& group : one.alternatives) {
            List members;
            for (const std::string& member : group) members.emplace_back(member);
            alternatives.emplace_back(std::move(members));
        }
        required.emplace_back(std::move(alternatives));
    }
    List operations;
    for (const OperationSpec* operation : listed_operations(scheme)) operations.push_back(operation_value(scheme, *operation));
    map.set("help", scheme.help);
    map.set("sharing", to_string(scheme.sharing));
    map.set("ping_depth", to_string(scheme.standard_depth));
    map.set("options", std::move(options));
    map.set("required", std::move(required));
    map.set("operations", std::move(operations));
    return map;
}

void print(Output& out, const Scheme& scheme) {
    Table facts;
    const auto fact = [&](std::string label, std::string text) {
        if (!text.empty()) facts.add({{std::move(label), Style::dim}, std::move(text)});
    };
    fact("schemes", joined(scheme.names));
    fact("kind", scheme.title);
    fact("about", scheme.help);
    fact("example", scheme.example_url);
    fact("client", scheme.clients.empty() ? std::string{} : scheme.clients.front().name);
    fact("default port", ports_text(scheme));
    fact("from", scheme.module ? "module " + origin_text(scheme) + ", " + scheme.module->path : origin_text(scheme));
    fact("sharing", std::string{to_string(scheme.sharing)});
    fact("ping", "to depth " + std::string{to_string(scheme.standard_depth)});
    for (const RequiredOptions& required : scheme.required) fact("required", alternatives_text(required));
    out.text(facts.render(out));

    if (!scheme.options.empty()) {
        Table options{{"OPTION", "TYPE", "DEFAULT", "WHAT IT DOES"}};
        std::string monitoring;
        for (const OptionSpec& spec : scheme.options) {
            if (spec.monitoring) {
                monitoring += (monitoring.empty() ? "" : ", ") + spec.name;
                continue;
            }
            std::string help = spec.help;
            if (!spec.allowed.empty()) {
                help += " One of";
                for (std::size_t i = 0; i < spec.allowed.size(); ++i) (help += i == 0 ? " " : ", ") += plain_text(spec.allowed[i].value);
                help += '.';
            }
            if (spec.sensitive) help += " Sensitive.";
            options.add({spec.name, type_text(spec), default_text(spec), std::move(help)});
        }
        out.line();
        out.text(options.render(out));
        out.line("For the monitor, as every scheme: " + monitoring + " (docs/monitor.md)");
    }
    if (!scheme.operations.empty()) {
        Table operations{{"OPERATION", "WHAT IT DOES"}};
        for (const OperationSpec* operation : listed_operations(scheme)) operations.add({usage(*operation), operation->help});
        out.line();
        out.text(operations.render(out));
    }
}

int schemes(Tool& tool, const std::vector<std::string>& given) {
    const Catalogue& catalogue = tool.catalogue;
    const auto names = positional(tool, given);
    if (names.size() > 1) throw UsageError("one name is expected; '" + names[1] + "' is one too many");
    if (!names.empty()) {
        const Scheme& scheme = require_scheme(catalogue, names.front());
        present(tool.out, tool.format, {.document = scheme_value(scheme, true), .rows = "options", .text = [&](Output& out) { print(out, scheme); }});
        return k_ok;
    }
    List list;
    for (const Scheme* scheme : catalogue.schemes()) list.push_back(scheme_value(*scheme, false));
    const auto described = [&](std::string (*text)(const Scheme&)) {
        return [&catalogue, text](const Value& row) -> Table::Cell { return text(*catalogue.find(row["names"][0].as_string())); };
    };
    present(tool.out, tool.format,
            {.document = std::move(list),
             .columns = {{"names", "SCHEMES", described([](const Scheme& one) { return joined(one.names); })},
                         {"title", "KIND"},
                         {"type", "CLIENT", described([](const Scheme& one) { return one.clients.empty() ? "-" : one.clients.front().name; })},
                         {"default_ports", "DEFAULT PORT", described(ports_text)},
                         {"module", "FROM", described(origin_text)},
                         {"example_url", "EXAMPLE"},
                         {"family"}}});
    return k_ok;
}

}  // namespace

void add_schemes(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("schemes", "List the URL schemes, or show the options and operations of one");
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("name", *names, "Scheme")->type_name("SCHEME");
    command->footer(
        "Examples:\n"
        "  qconn schemes\n"
        "  qconn schemes rests");
    command->callback([&tool, names] { tool.run = [&tool, names] { return schemes(tool, *names); }; });
}

void add_schema(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("schema", "Print the JSON Schema of definition files, for editors and validators");
    command->footer(
        "Examples:\n"
        "  qconn schema > qconn.schema.json\n"
        "  # first line of a definition, for editors with the YAML language server:\n"
        "  # yaml-language-server: $schema=./qconn.schema.json");
    command->callback([&tool] {
        tool.run = [&tool] {
            std::string text = tool.catalogue.json_schema();
            if (text.empty() || text.back() != '\n') text += '\n';
            tool.out.text(text);
            return k_ok;
        };
    });
}

}  // namespace qconn::cli
