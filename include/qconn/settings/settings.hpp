// SPDX-License-Identifier: Apache-2.0
/// The configuration of a program that uses qconn: threads, monitor, limits, TLS defaults, from code, environment and a file. docs/settings.md has
/// the table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/diagnostic.hpp>
#include <qconn/core/option.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/core/watch.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// Where the value of a setting comes from. The first that has one counts.
enum class SettingOrigin : std::uint8_t { code, environment, file, fallback };
/// "code", "environment", "file", "default".
QCONN_API std::string_view to_string(SettingOrigin origin) noexcept;

/// What can be set. Plain data.
struct SettingSpec {
    /// "monitor.interval".
    std::string name;
    /// "QCONN_MONITOR_INTERVAL".
    std::string variable;
    /// Type, unit, default, help, limits and other names; its name is the one within the section.
    OptionSpec option;
};

/// All settings, by section in the order of the documentation.
QCONN_API const std::vector<SettingSpec>& setting_specs();
/// Documentation: a heading and a table for each section.
QCONN_API std::string settings_markdown();
/// JSON Schema (draft 2020-12) of a settings file.
QCONN_API std::string settings_json_schema();

/// The value in force.
struct Setting {
    const SettingSpec* spec{nullptr};
    /// Of the option's type. Null: not set, and without a default.
    Value value;
    SettingOrigin origin{SettingOrigin::fallback};
    /// "qconn-settings.yaml:4:13" or the environment variable; empty for the others.
    std::string where;
};

/// Where settings are looked for.
struct SettingsSources {
    /// A file of `type: settings`. Empty: the one that the environment variable QCONN_SETTINGS names, where the environment counts, else none.
    std::string file{};
    /// Win over everything: by section (`{"monitor", Map{{"interval", 5000}}}`), by full name (`{"monitor.interval", 5000}`) or by another name
    /// (`{"qorus.ping-interval", 5000}`).
    Map code{};
    /// Variables QCONN_... count.
    bool environment{true};
};

/// Detail of a SETTINGS-ERROR: all findings.
class QCONN_API SettingsErrorDetail : public ErrorDetail {
public:
    explicit SettingsErrorDetail(Diagnostics found) : diagnostics{std::move(found)} {}
    Diagnostics diagnostics;
};

/// The settings of a program, checked as a whole: either all are right, or there is an error with the place of each wrong one.
///
///     qconn::Settings settings{{.file = "qconn-settings.yaml"}};
///     qconn::Registry registry{settings.registry()};
///     qconn::Monitor monitor{registry, settings.monitor()};
///
/// A value type; immutable.
class QCONN_API Settings {
public:
    /// @throws Error SETTINGS-ERROR with a SettingsErrorDetail: an unknown name (with the nearest), a wrong type, a value out of its range, a file
    /// that cannot be read (reason `missing` where it is not there)
    explicit Settings(const SettingsSources& sources = {});

    /// As setting_specs().
    const std::vector<Setting>& all() const noexcept { return all_; }
    /// @throws Error VALUE-KEY-ERROR where there is no setting of that full name
    const Setting& at(std::string_view name) const;
    /// What may be meant otherwise, in the file.
    const Diagnostics& warnings() const noexcept { return warnings_; }
    /// The file that was read; empty: none.
    const std::string& file() const noexcept { return file_; }

    RuntimeOptions runtime() const;
    MonitorOptions monitor() const;
    WatchOptions watch() const;
    /// What connections are made with that do not say otherwise.
    TlsOptions tls() const;
    /// With limits, state file and defaults of schemes' options, and a runtime of its own as runtime() says; the catalogue is left to the caller.
    RegistryOptions registry() const;
    /// For load_modules().
    Value modules() const;

private:
    Map section(std::string_view name) const;

    std::vector<Setting> all_;
    Diagnostics warnings_;
    std::string file_;
};

}  // namespace qconn
