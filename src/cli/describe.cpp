// SPDX-License-Identifier: Apache-2.0
#include "cli/describe.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <qconn/base/wall_time.hpp>
#include <qconn/monitor/to_value.hpp>

namespace qconn::cli {
namespace {

Value argument_values(const std::vector<OperationSpec::Argument>& arguments) {
    List list;
    for (const auto& argument : arguments) {
        list.push_back(Map{{"name", argument.name}, {"type", to_string(argument.type)}, {"required", argument.required}, {"help", argument.help}});
    }
    return list;
}

std::string upper(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

}  // namespace

std::string_view validity_word(Validity validity) noexcept {
    switch (validity) {
        case Validity::valid: return "valid";
        case Validity::stale: return "stale";
        case Validity::invalid: return "invalid";
    }
    return "";
}

Value diagnostic_value(const Diagnostic& d) {
    return Map{
        {"severity", to_string(d.severity)}, {"code", d.code},       {"file", d.file}, {"line", d.place.line},       {"column", d.place.column},
        {"length", d.place.length},          {"message", d.message}, {"hint", d.hint}, {"connection", d.connection}, {"source_line", d.source_line}};
}

std::string_view status_word(const ConnectionInfo& info) noexcept {
    if (info.validity == Validity::invalid) return "invalid";
    if (!info.enabled) return "disabled";
    return info.validity == Validity::stale ? "stale" : "ok";
}

Style status_style(std::string_view status) noexcept {
    static constexpr std::array<std::pair<std::string_view, Style>, 4> k_styles{
        {{"ok", Style::good}, {"disabled", Style::dim}, {"stale", Style::warn}, {"invalid", Style::bad}}};
    for (const auto& [word, style] : k_styles)
        if (word == status) return style;
    return Style::plain;
}

std::vector<OperatorSetting> operator_settings(const Registry& registry, const ConnectionInfo& info) {
    const Definition definition = registry.definition(info.name);
    std::vector<OperatorSetting> settings;
    const auto compare = [&](const char* name, const Value& in_file, const Value& in_use) {
        if (in_file != in_use) settings.push_back({name, in_file, in_use});
    };
    compare("enabled", definition.enabled.value_or(true), info.enabled);
    compare("monitored", definition.monitored.value_or(true), info.monitored);
    compare("locked", definition.locked.value_or(false), info.locked);
    compare("debug_data", definition.debug_data.value_or(false), info.debug_data);
    compare("tags", definition.tags, info.tags);
    return settings;
}

Value in_file_value(const std::vector<OperatorSetting>& settings) {
    Map map;
    for (const OperatorSetting& one : settings) map.set(one.name, one.in_file);
    return map;
}

Value silence_value(const ConnectionInfo& info) { return info.silence ? to_value(*info.silence) : Value{}; }

Value acknowledged_value(const ConnectionInfo& info) {
    if (!info.acknowledged) return Value{};
    return Map{{"by", info.acknowledged->by}, {"note", info.acknowledged->note}, {"at", rfc3339(info.acknowledged->at)}};
}

std::string acknowledged_text(const ConnectionInfo& info) {
    if (!info.acknowledged) return {};
    const std::string text = "by " + info.acknowledged->by + " at " + rfc3339(info.acknowledged->at);
    return info.acknowledged->note.empty() ? text : text + ": " + info.acknowledged->note;
}

Value info_value(const ConnectionInfo& info, bool options) {
    Map map{{"name", info.name},
            {"status", status_word(info)},
            {"description", info.description},
            {"url", info.url},
            {"scheme", info.scheme},
            {"type", info.type},
            {"validity", validity_word(info.validity)},
            {"problem", info.problem},
            {"enabled", info.enabled},
            {"monitored", info.monitored},
            {"locked", info.locked},
            {"tags", info.tags},
            {"silence", silence_value(info)},
            {"acknowledged", acknowledged_value(info)},
            {"file", info.file},
            {"line", info.place.line}};
    if (options) {
        map.set("debug_data", info.debug_data);
        map.set("updated", rfc3339(info.updated));
        map.set("options", info.options);
        map.set("local_secrets", info.local_secrets);
    }
    return map;
}

std::string plain_text(const Value& value) { return value.is_string() ? std::string{value.as_string()} : to_text(value); }

std::string type_text(const OptionSpec& spec) {
    std::string text{to_string(spec.type)};
    if (spec.unit != Unit::none) (text += ", ") += to_string(spec.unit);
    return text;
}

std::string default_text(const OptionSpec& spec) {
    if (!spec.fallback_text.empty()) return spec.fallback_text;
    return spec.fallback.is_null() ? std::string{} : plain_text(spec.fallback);
}

std::string usage(const OperationSpec& operation) {
    std::string text = operation.name;
    for (const auto& argument : operation.arguments) {
        const std::string word = upper(argument.name);
        text += argument.required ? " " + word : " [" + word + "]";
    }
    for (const auto& field : operation.fields) {
        const std::string word = field.name + "=" + upper(to_string(field.type));
        text += field.required ? " " + word : " [" + word + "]";
    }
    if (operation.rest) text += " [" + upper(operation.rest->name) + "...]";
    if (operation.free_fields) text += " [KEY=VALUE...]";
    return text;
}

std::vector<const OperationSpec*> listed_operations(const Scheme& scheme) {
    std::vector<const OperationSpec*> all;
    for (const OperationSpec& operation : scheme.operations) all.push_back(&operation);
    if (scheme.other_operation) all.push_back(&*scheme.other_operation);
    return all;
}

Value operation_value(const Scheme& scheme, const OperationSpec& operation) {
    return Map{{"name", operation.name},
               {"help", operation.help},
               {"arguments", argument_values(operation.arguments)},
               {"fields", argument_values(operation.fields)},
               {"free_fields", operation.free_fields},
               {"rest", operation.rest ? Value{operation.rest->name} : Value{}},
               {"any_name", scheme.other_operation && &operation == &*scheme.other_operation}};
}

std::string alternatives_text(const RequiredOptions& required) {
    std::string text;
    for (const auto& group : required.alternatives) {
        if (!text.empty()) text += ", or ";
        for (std::size_t i = 0; i < group.size(); ++i) {
            if (i > 0) text += i + 1 == group.size() ? " and " : ", ";
            if (group[i] == "url.user")
                text += "a user name in the URL";
            else if (group[i] == "url.password")
                text += "a password in the URL";
            else
                text += group[i];
        }
    }
    return text;
}

}  // namespace qconn::cli
