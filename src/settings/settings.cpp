// SPDX-License-Identifier: Apache-2.0
#include <qconn/settings/settings.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include <qconn/core/file_resolver.hpp>
#include <qconn/core/property_source.hpp>

#include "base/text.hpp"
#include "settings/read.hpp"
#include "settings/tables.hpp"

namespace qconn {

namespace {

std::vector<std::string> process_variables() {
    std::vector<std::string> all;
    for (char** one = ::environ; one && *one; ++one) all.emplace_back(*one);
    return all;
}

[[noreturn]] void refuse(const settings::Reader& reader) {
    const Diagnostics& found = reader.diagnostics();
    const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::error; };
    const Diagnostic& first = *std::find_if(found.begin(), found.end(), is_error);
    const auto more = std::count_if(found.begin(), found.end(), is_error) - 1;
    std::string message = "the settings cannot be used: " + summary(first);
    if (!first.hint.empty()) message += "; " + first.hint;
    if (more > 0) message += " (and " + std::to_string(more) + (more == 1 ? " more error)" : " more errors)");
    throw Error{Errc::invalid_argument, "SETTINGS-ERROR", std::move(message)}
        .with_reason(reader.file_is_missing() ? Reason::missing : Reason::bad_value)
        .with_detail(std::make_shared<SettingsErrorDetail>(found));
}

std::string where_of(const settings::Given& given) {
    if (given.origin == SettingOrigin::code) return {};
    if (given.place.line == 0) return given.file;
    return given.file + ":" + std::to_string(given.place.line) + ":" + std::to_string(given.place.column);
}

}  // namespace

std::string_view to_string(SettingOrigin origin) noexcept {
    switch (origin) {
        case SettingOrigin::code: return "code";
        case SettingOrigin::environment: return "environment";
        case SettingOrigin::file: return "file";
        case SettingOrigin::fallback: break;
    }
    return "default";
}

Settings::Settings(const SettingsSources& sources) : file_{sources.file} {
    if (file_.empty() && sources.environment) {
        const char* const named = std::getenv("QCONN_SETTINGS");
        file_ = named ? named : "";
    }
    settings::Reader reader;
    if (!file_.empty()) reader.file(file_);
    if (sources.environment) reader.environment(process_variables());
    reader.code(sources.code);
    reader.check_together();
    if (has_errors(reader.diagnostics())) refuse(reader);
    warnings_ = reader.diagnostics();
    for (const SettingSpec& spec : setting_specs()) {
        const auto found = reader.given().find(spec.name);
        if (found == reader.given().end())
            all_.push_back({&spec, spec.option.fallback, SettingOrigin::fallback, {}});
        else
            all_.push_back({&spec, found->second.value, found->second.origin, where_of(found->second)});
    }
}

const Setting& Settings::at(std::string_view name) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const Setting& one) { return one.spec->name == name; });
    if (found == all_.end()) throw make_error(Errc::value_key, "there is no setting '" + text::printable(name) + "'");
    return *found;
}

Map Settings::section(std::string_view name) const {
    Map values;
    for (const Setting& one : all_)
        if (std::string_view{one.spec->name}.substr(0, one.spec->name.find('.')) == name) values.set(one.spec->option.name, one.value);
    return values;
}

RuntimeOptions Settings::runtime() const {
    RuntimeOptions options;
    settings::runtime_table().apply(section("runtime"), options);
    return options;
}

MonitorOptions Settings::monitor() const {
    MonitorOptions options;
    settings::monitor_table().apply(section("monitor"), options);
    return options;
}

WatchOptions Settings::watch() const {
    WatchOptions options;
    settings::watch_table().apply(section("watch"), options);
    return options;
}

TlsOptions Settings::tls() const {
    Map values;
    for (const auto& [name, value] : section("tls")) values.set("ssl_" + name, value);
    settings::WithTls options;
    settings::tls_table().apply(values, options);
    return options.tls;
}

RegistryOptions Settings::registry() const {
    RegistryOptions options;
    options.runtime = Runtime{runtime()};
    settings::definition_limits_table().apply(section("limits"), options.limits);
    options.suffix = at("registry.suffix").value.as_string();
    if (const Value& state = at("registry.state_file").value; state.is_string()) options.state_file = state.as_string();
    if (const Value& properties = at("registry.properties_file").value; properties.is_string())
        options.properties = property_file(std::string{properties.as_string()});
    if (const Value& secrets = at("registry.secrets_file").value; secrets.is_string()) options.secrets_file = secrets.as_string();
    FileLimits files;
    settings::file_limits_table().apply(section("limits"), files);
    options.files = std::make_shared<const FileResolver>(builtin_file_resolver(files, tls(), options.runtime));
    for (const auto& [setting, option] : settings::scheme_defaults()) {
        const Setting& one = at(setting);
        if (one.origin != SettingOrigin::fallback) options.option_defaults.set(option, one.value);
    }
    return options;
}

Value Settings::modules() const { return at("registry.modules").value; }

}  // namespace qconn
