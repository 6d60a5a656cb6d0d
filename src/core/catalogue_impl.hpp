// SPDX-License-Identifier: Apache-2.0
/// The inside of a catalogue.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <qconn/core/scheme.hpp>

#include "core/secret_table.hpp"

namespace qconn {

namespace core {

struct KnownOption {
    const OptionSpec* spec{nullptr};
    bool is_alias{false};
};

/// A scheme with what makes its look-ups quick. Immutable once made; shared by all copies of a catalogue.
struct SchemeEntry {
    Scheme scheme;
    /// By name and by alias; the keys are views into the scheme.
    std::unordered_map<std::string_view, KnownOption> options;
    std::vector<std::string> option_names;
};

/// Adds the options of core/monitoring.hpp.
/// @throws Error SCHEME-ERROR where the scheme has one of these names for itself
void add_monitoring(Scheme& scheme);
/// Fills in `options` and `option_names` from the scheme's table.
/// @throws Error SCHEME-ERROR where the table contradicts itself
void index_options(SchemeEntry& entry);

/// How findings speak of what is checked.
struct CheckWords {
    /// Who has the options; empty: the scheme of the definition.
    std::string owner{};
    std::string one{"option"};
};
class ParsedSource;
/// The options of a definition alone against a table; the rest of the definition counts only for where they are. See Catalogue::check.
/// @param source  may be null
bool check_options(const SchemeEntry& entry, Definition& definition, Diagnostics& diagnostics, const ParsedSource* source, CheckWords words);

/// Whether a value is of an option's type as it stands, without conversion.
bool has_type(const Value& value, OptionType type) noexcept;
/// Of an integer or float64, rounded where it must be.
double number_of(const Value& value) noexcept;
bool is_allowed(const OptionSpec& spec, const Value& value) noexcept;

}  // namespace core

struct Catalogue::Impl {
    std::vector<std::shared_ptr<const core::SchemeEntry>> entries;
    /// The keys are views into the entries.
    std::unordered_map<std::string_view, const core::SchemeEntry*> by_name;
    std::vector<std::string> names;
    core::SecretTable secrets{core::SecretTable::builtin()};

    const core::SchemeEntry* find(std::string_view name) const noexcept {
        const auto found = by_name.find(name);
        return found == by_name.end() ? nullptr : found->second;
    }
};

}  // namespace qconn
