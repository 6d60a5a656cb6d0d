// SPDX-License-Identifier: Apache-2.0
/// The settings as option tables: names, types, units, defaults, help, and the members that they set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/definition.hpp>
#include <qconn/core/file_resolver.hpp>
#include <qconn/core/option.hpp>
#include <qconn/core/watch.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/net/tls.hpp>

#include "core/catalogue_impl.hpp"

namespace qconn::settings {

/// Settings that belong together: `monitor.…`.
struct Section {
    std::string name;
    std::string help;
    /// The table as that of a scheme, so that values are checked by the rules of definitions.
    core::SchemeEntry entry;
};
/// In the order of the documentation.
const std::vector<Section>& sections();
const Section* find_section(std::string_view name) noexcept;
/// All settings of all sections by their full names.
const core::SchemeEntry& all_by_full_name();
/// A setting by its full name, and the option whose default it is.
struct SchemeDefault {
    std::string setting;
    std::string option;
};
/// Settings that are defaults of schemes' options.
const std::vector<SchemeDefault>& scheme_defaults();

const OptionTable<RuntimeOptions>& runtime_table();
const OptionTable<MonitorOptions>& monitor_table();
const OptionTable<WatchOptions>& watch_table();
/// Those members of the limits.
const OptionTable<DefinitionLimits>& definition_limits_table();
const OptionTable<FileLimits>& file_limits_table();

/// TLS options by the names that they have in definitions.
struct WithTls {
    TlsOptions tls;
};
const OptionTable<WithTls>& tls_table();

}  // namespace qconn::settings
