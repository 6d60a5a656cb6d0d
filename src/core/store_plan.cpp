// SPDX-License-Identifier: Apache-2.0
/// A reload that is not carried out.
#include <qconn/core/plan.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/mask.hpp"
#include "core/settings.hpp"
#include "core/store.hpp"
#include "core/store_merge.hpp"

namespace qconn::core {
namespace {

/// One state of a connection: what is compared, and how it may be shown.
struct Side {
    Definition definition;
    Definition shown;
    unsigned flags{0};

    Side(const Version& version, const SecretTable& secrets, Map tags_by_code, bool has_tags_by_code) : flags{version.flags} {
        definition = unpack_content(version.content(), version.scheme);
        if (has_tags_by_code) definition.tags = std::move(tags_by_code);
        shown = masked(definition, version.scheme, secrets);
    }
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;
    ~Side() { wipe(definition.url); }
    static Side of(const Version& version, const SecretTable& secrets) {
        auto tags = unpack_extra(version.extra()).set.tags;
        const bool has_tags = tags.has_value();
        return Side{version, secrets, has_tags ? std::move(*tags) : Map{}, has_tags};
    }
};

Value or_null(const Map& map, std::string_view name) {
    const Value* found = map.find(name);
    return found ? *found : Value{};
}

void compare(std::vector<Plan::Change>& changes, const std::string& prefix, const Map& before, const Map& after, const Map& shown_before,
             const Map& shown_after) {
    const auto differs = [](const Map& map, std::string_view name, const Value& value) {
        const Value* other = map.find(name);
        return !other || *other != value;
    };
    for (const auto& [name, value] : before)
        if (differs(after, name, value)) changes.push_back({prefix + name, or_null(shown_before, name), or_null(shown_after, name)});
    for (const auto& [name, value] : after)
        if (!before.contains(name)) changes.push_back({prefix + name, {}, or_null(shown_after, name)});
}

std::vector<Plan::Change> compare(const Side& a, const Side& b) {
    std::vector<Plan::Change> changes;
    const auto text = [&](const char* what, std::string Definition::*member) {
        if (a.definition.*member != b.definition.*member) changes.push_back({what, a.shown.*member, b.shown.*member});
    };
    text("url", &Definition::url);
    text("desc", &Definition::description);
    text("display_name", &Definition::display_name);
    text("short_desc", &Definition::short_description);
    compare(changes, "options.", a.definition.options, b.definition.options, a.shown.options, b.shown.options);
    if (a.definition.tags != b.definition.tags) changes.push_back({"tags", a.shown.tags, b.shown.tags});
    compare(changes, "", a.definition.other, b.definition.other, a.shown.other, b.shown.other);
    for (const auto& [name, flag] : k_settings)
        if ((a.flags ^ b.flags) & flag) changes.push_back({name, (a.flags & flag) != 0, (b.flags & flag) != 0});
    return changes;
}

/// Settings of the file that an operator has overridden.
std::vector<Plan::Override> settings_overridden(const Candidate& candidate, const Version& version) {
    std::vector<Plan::Override> overrides;
    for (const Setting& setting : k_settings) {
        if (version.has(setting.by_code()) && ((candidate.settings ^ version.flags) & setting.flag))
            overrides.push_back({setting.name, (candidate.settings & setting.flag) != 0, (version.flags & setting.flag) != 0});
    }
    if (const auto tags = unpack_extra(version.extra()).set.tags) {
        Definition definition = unpack_content(candidate.content, candidate.scheme);
        if (definition.tags != *tags) overrides.push_back({"tags", std::move(definition.tags), *tags});
        wipe(definition.url);
    }
    if (const auto rules = unpack_extra(version.extra()).set.monitoring) {
        const Essentials essentials = unpack_essentials(candidate.content, candidate.scheme);
        for (const auto& [rule, value] : *rules) {
            const Value* in_file = essentials.options.find(rule);
            if (!in_file || *in_file != value) overrides.push_back({"options." + rule, in_file ? *in_file : Value{}, value});
        }
    }
    return overrides;
}

}  // namespace

void Store::tell(Plan& plan, const Change& change) const {
    const Version* before = change.slot->current();
    const Version& after = *change.next;
    const bool was_there = before && !before->has(Version::k_removed);
    Plan::Connection one;
    one.name = change.slot->name();
    if (after.has(Version::k_removed)) {
        one.effect = Plan::Effect::removed;
        one.validity_before = one.validity_after = before->validity();
    } else {
        one.validity_after = after.validity();
        one.validity_before = was_there ? before->validity() : one.validity_after;
        if (one.validity_after != Validity::valid) one.problem = unpack_extra(after.extra()).problem;
        if (!was_there) {
            one.effect = Plan::Effect::added;
        } else {
            one.changes = compare(Side::of(*before, catalogue_->secrets()), Side::of(after, catalogue_->secrets()));
            one.reconnects = before->build != after.build;
            // Only its place in the files is another.
            if (one.changes.empty() && !one.reconnects && one.validity_before == one.validity_after &&
                one.problem == unpack_extra(before->extra()).problem)
                return;
        }
    }
    plan.connections.push_back(std::move(one));
}

Plan Store::plan(const std::vector<std::string>& paths) {
    require_paths(paths);
    const std::scoped_lock load_lock{load_mutex_};
    const SecretOverlay* const overlay = fresh_overlay();
    const bool leave_out = paths.empty() && overlay_stands(overlay);
    Scan scan = scan_paths(paths.empty() ? paths_ : paths, *catalogue_, options_, overlay, leave_out ? standing(true) : Standing{});
    Plan plan;
    plan.files = scan.files;
    plan.read = scan.read;
    Commit commit;
    {
        const std::scoped_lock lock{write_mutex_};
        tell_overlay(scan, true);
        Merge merge{*this, scan, commit, paths.empty() ? Scope::all : Scope::moved};
        LoadReport report;
        merge.run(report);
        for (const Change& change : commit.changes) tell(plan, change);
        std::map<std::string, std::vector<Plan::Override>> kept;
        for (const auto& one : merge.overridden()) {
            std::vector<Plan::Override> overrides;
            if (one.candidate)
                overrides = settings_overridden(*one.candidate, *one.version);
            else
                overrides.push_back({"definition", {}, {}});
            auto& all = kept[one.name];
            std::move(overrides.begin(), overrides.end(), std::back_inserter(all));
        }
        for (auto& [name, overrides] : kept)
            if (!overrides.empty()) plan.kept.push_back({name, std::move(overrides)});
        const std::size_t changed = static_cast<std::size_t>(
            std::count_if(plan.connections.begin(), plan.connections.end(), [](const auto& one) { return one.effect == Plan::Effect::updated; }));
        plan.unchanged = report.updated + report.unchanged - std::min(changed, report.updated + report.unchanged);
    }
    show_names(scan.diagnostics, k_duplicate_name, *catalogue_, options_);
    plan.diagnostics = std::move(scan.diagnostics);
    std::sort(plan.connections.begin(), plan.connections.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return plan;
}

}  // namespace qconn::core
