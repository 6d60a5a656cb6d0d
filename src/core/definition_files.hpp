// SPDX-License-Identifier: Apache-2.0
/// Which files of a directory hold definitions, and in which form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <qconn/core/legacy.hpp>
#include <qconn/core/registry.hpp>

#include "core/parsed_source.hpp"

namespace qconn::core {

/// The ends of their names. A value type.
struct DefinitionSuffixes {
    std::string yaml;
    std::string legacy;  ///< empty: there are none

    static DefinitionSuffixes of(const RegistryOptions& options) { return {options.suffix, options.legacy_suffix}; }

    /// Nothing where a directory's file of that name is not read. Hidden ones are what editors and copying programs leave beside a file:
    /// `.#shop.qconn.yaml`, `._shop.qconn.yaml`.
    std::optional<Notation> notation(std::string_view name) const noexcept {
        if (name.empty() || name.front() == '.') return std::nullopt;
        const auto ends_with = [&](const std::string& suffix) { return name.size() > suffix.size() && name.ends_with(suffix); };
        if (ends_with(yaml)) return Notation::yaml;
        return !legacy.empty() && ends_with(legacy) ? std::optional{Notation::legacy} : std::nullopt;
    }
    bool is_definition(std::string_view name) const noexcept { return notation(name).has_value(); }
    /// The name without its suffix; up to the first dot where it has another one.
    std::string_view stem(std::string_view name) const noexcept {
        const auto found = notation(name);
        if (!found) return name.substr(0, name.find('.', 1));
        return name.substr(0, name.size() - (found == Notation::yaml ? yaml : legacy).size());
    }
};

/// The definitions in a file, whichever form its name says; one of another name is YAML.
inline ParsedDefinitions parse_file(std::string_view text, const std::string& path, const RegistryOptions& options) {
    const std::string_view name = std::string_view{path}.substr(path.rfind('/') + 1);
    if (DefinitionSuffixes::of(options).notation(name) != Notation::legacy) return parse_definitions(text, path, options.limits);
    return parse_legacy_definitions(text, path, {.defines = options.defines, .limits = options.limits, .environment = {}});
}

}  // namespace qconn::core
