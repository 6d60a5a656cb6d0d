// SPDX-License-Identifier: Apache-2.0
#include "settings/read.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "core/environment.hpp"
#include "core/load.hpp"
#include "core/secret_ref.hpp"
#include "core/whole_file.hpp"
#include "settings/tables.hpp"

namespace qconn::settings {

namespace {

using core::ParsedSource;

constexpr std::size_t k_most_bytes = 1024 * 1024;
constexpr DefinitionLimits k_limits{k_most_bytes, 16, 10'000};

/// The value of a setting as it is written, by its name or another one of it.
const yaml::Node* node_of(const ParsedSource::Document& document, const OptionSpec& spec) {
    for (const auto [key, value] : document.options->entries()) {
        if (!key.is_scalar()) continue;
        if (key.text() == spec.name || std::find(spec.aliases.begin(), spec.aliases.end(), key.text()) != spec.aliases.end()) return &value;
    }
    return nullptr;
}

}  // namespace

void Reader::error(std::string code, const std::string& file, Place place, std::string message, std::string hint) {
    Diagnostic d;
    d.code = std::move(code);
    d.file = file;
    d.place = place;
    d.message = std::move(message);
    d.hint = std::move(hint);
    diagnostics_.push_back(std::move(d));
}

const Given* Reader::find(std::string_view name) const {
    const auto found = given_.find(name);
    return found == given_.end() ? nullptr : &found->second;
}

void Reader::take(const core::SchemeEntry& table, const std::string& prefix, Map values, SettingOrigin origin, const std::string& file,
                  const ParsedSource* source, const ParsedSource::Document* document) {
    Definition checked;
    checked.file = file;
    if (document) checked.place = document->place;
    checked.options = std::move(values);
    Diagnostics found;
    const std::string owner = prefix.empty() ? "qconn" : "the section '" + prefix.substr(0, prefix.size() - 1) + "'";
    core::check_options(table, checked, found, source, {owner, "setting"});
    for (Diagnostic& d : found) {
        // How something is spelt best is of interest in a file only.
        if (d.severity == Severity::error || document) diagnostics_.push_back(std::move(d));
    }
    for (auto& [name, value] : checked.options) {
        const auto known = table.options.find(name);
        if (value.is_null() || known == table.options.end()) continue;
        const OptionSpec& spec = *known->second.spec;
        if (!core::has_type(value, spec.type)) continue;  // there is a finding
        Given given{std::move(value), origin, file, {}};
        if (document)
            if (const yaml::Node* node = node_of(*document, spec)) given.place = ParsedSource::place(*node);
        const std::string full = prefix + spec.name;
        if (given.value.is_string() && core::may_have_references(given.value.as_string()) &&
            core::scan_secrets(given.value.as_string()).has_references()) {
            error("bad-reference", file, given.place, "the setting '" + full + "' takes no reference to a secret", "write the value itself");
            continue;
        }
        if (spec.environment) {
            try {
                given.value = core::substitute_environment(given.value.as_string(), "the setting '" + full + "'");
            } catch (const Error& problem) {
                error("limit", file, given.place, std::string{problem.message()}, {});
                continue;
            }
        }
        if (spec.file && document && !given.value.as_string().empty() && given.value.as_string().front() != '/')
            given.value = core::split_path(file).first + std::string{given.value.as_string()};
        if (const Given* before = find(full); before && before->origin == origin && document) {
            error("duplicate-key", file, given.place,
                  "the setting '" + full + "' stands here a second time; it was first in line " + std::to_string(before->place.line),
                  "remove one of them");
            continue;
        }
        given_.insert_or_assign(full, std::move(given));
    }
}

void Reader::file(const std::string& path) {
    std::string text;
    if (const int problem = core::read_whole_file(path, k_most_bytes, text); problem != 0) {
        missing_ = core::file_reason(problem) == Reason::missing;
        error("cannot-read", path, {}, "the settings cannot be read: " + core::file_problem(problem, k_most_bytes), {});
        return;
    }
    this->text(text, path);
}

void Reader::text(std::string_view text, const std::string& path) {
    ParsedSource source{text, path, k_limits};
    const auto& tree = source.tree();
    const yaml::Node* root = tree.documents.empty() ? nullptr : tree.documents.front().root;
    for (const auto& problem : tree.problems) {
        Diagnostic d = core::finding(problem, root);
        source.show(d, nullptr);
        diagnostics_.push_back(std::move(d));
    }
    if (tree.fatal) return;
    const auto refuse = [&](std::string code, const yaml::Node* at, std::string message, std::string hint) {
        error(std::move(code), path, at ? ParsedSource::place(*at) : Place{}, std::move(message), std::move(hint));
        source.show(diagnostics_.back(), nullptr);
    };
    if (!root || !root->is_mapping())
        return refuse("not-settings", root, "settings are a map of keys and values",
                      "write `type: settings`, and sections such as `monitor:` below it");
    if (tree.documents.size() > 1)
        return refuse("not-settings", tree.documents[1].root, "a second document begins here; settings are one", "put it into a file of its own");
    const yaml::Node* type = root->find("type");
    if (!type) return refuse("missing-key", root, "the key 'type' is missing", "write `type: settings`");
    if (!type->is_scalar() || type->text() != "settings")
        return refuse("not-settings", type, "the type is not 'settings'",
                      type->text() == "connection" ? "this is a definition of a connection; a directory of those is loaded, not read as settings"
                                                   : "write `type: settings`");

    // The first is the map of all, with what is written by full names.
    auto& documents = source.documents();
    documents.push_back({root, nullptr, nullptr, root, Place{root->start().line, 0, 1}, {}, false});
    std::vector<const Section*> in_sections{nullptr};
    std::vector<Map> values(1);
    std::vector<std::string> names;
    for (const Section& section : sections()) names.push_back(section.name);
    for (const auto [key, value] : root->entries()) {
        if (!key.is_scalar()) {
            refuse("key-not-text", &key, "a key must be text", {});
            continue;
        }
        if (key.text() == "type" || (value.is_null() && find_section(key.text()))) continue;
        const Section* section = find_section(key.text());
        if (!section && value.is_mapping() && !all_by_full_name().options.contains(key.text())) {
            const std::string near = nearest(key.text(), names);
            refuse("unknown-section", &key, "there is no section " + core::quoted_name(key.text()),
                   near.empty() ? "sections are " + text::join(names, ", ") : "did you mean '" + near + "'?");
        } else if (section && !value.is_mapping()) {
            refuse("bad-type", &value, "the section '" + section->name + "' must be a map of settings",
                   "write each in a line of its own below it, indented: `name: value`");
        } else if (section) {
            if (std::find(in_sections.begin(), in_sections.end(), section) != in_sections.end()) continue;  // a duplicate, reported by the reader
            documents.push_back({root, nullptr, &key, &value, ParsedSource::place(key), {}, false});
            in_sections.push_back(section);
            values.emplace_back();
            for (const auto [name, setting] : value.entries()) {
                if (!name.is_scalar())
                    refuse("key-not-text", &name, "the name of a setting must be text", {});
                else if (!values.back().contains(name.text()))
                    values.back().insert(std::string{name.text()}, yaml::to_value(setting));
            }
        } else if (!values.front().contains(key.text())) {
            values.front().insert(std::string{key.text()}, yaml::to_value(value));
        }
    }
    for (std::size_t i = 0; i < documents.size(); ++i)
        take(in_sections[i] ? in_sections[i]->entry : all_by_full_name(), in_sections[i] ? in_sections[i]->name + "." : std::string{},
             std::move(values[i]), SettingOrigin::file, path, &source, &documents[i]);
    std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
    });
}

void Reader::environment(const std::vector<std::string>& variables) {
    std::vector<std::string> known;
    for (const SettingSpec& spec : setting_specs()) known.push_back(spec.variable);
    for (const std::string& variable : variables) {
        const auto equals = variable.find('=');
        if (!variable.starts_with("QCONN_") || equals == std::string::npos) continue;
        const std::string name = variable.substr(0, equals);
        const std::string value = variable.substr(equals + 1);
        const auto found = std::find(known.begin(), known.end(), name);
        if (found != known.end()) {
            if (!value.empty())
                take(all_by_full_name(), {}, Map{{setting_specs()[static_cast<std::size_t>(found - known.begin())].name, value}},
                     SettingOrigin::environment, name, nullptr, nullptr);
            continue;
        }
        // Only the names of our sections are ours.
        const auto end = name.find('_', 6);
        if (end == std::string::npos || !find_section(text::to_lower(name.substr(6, end - 6)))) continue;
        const std::string near = nearest(name, known);
        error("unknown-option", name, {}, "there is no setting of this name", near.empty() ? std::string{} : "did you mean '" + near + "'?");
    }
}

void Reader::code(const Map& values) {
    Map flat;
    for (const auto& [name, value] : values) {
        if (!find_section(name) || !value.is_map()) {
            flat.set(name, value);
            continue;
        }
        for (const auto& [inner, setting] : value.as_map()) flat.set(name + "." + inner, setting);
    }
    take(all_by_full_name(), {}, std::move(flat), SettingOrigin::code, "settings by code", nullptr, nullptr);
}

void Reader::check_together() {
    const auto version = [this](const char* name) {
        const Given* given = find(name);
        return given ? std::string{given->value.as_string()} : std::string{};
    };
    const std::string oldest = version("tls.min_version");
    const std::string newest = version("tls.max_version");
    if (!oldest.empty() && !newest.empty() && oldest > newest)  // "TLSv1.2" and so on: they sort as they follow each other
        error("conflicting-options", find("tls.min_version")->file, find("tls.min_version")->place,
              "'tls.min_version' is newer than 'tls.max_version': no version is left", {});
    const Given* only = find("tls.ca_only");
    if (only && only->value.as_bool() && !find("tls.ca_file") && !find("tls.ca_directory"))
        error("missing-option", only->file, only->place, "with 'tls.ca_only' an authority must be named", "add 'tls.ca_file' or 'tls.ca_directory'");
}

}  // namespace qconn::settings
