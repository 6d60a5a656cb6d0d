// SPDX-License-Identifier: Apache-2.0
/// How a store is changed by code.
#include <algorithm>
#include <chrono>
#include <utility>

#include <qconn/core/registry_error.hpp>

#include "core/monitoring_rules.hpp"
#include "core/silence_form.hpp"
#include "core/store.hpp"
#include "core/store_commit.hpp"

namespace qconn::core {
namespace {

using Kind = RegistryChange::Kind;

[[noreturn]] void throw_invalid_definition(const std::string& name, const Diagnostics& diagnostics, const std::string& problem) {
    const auto first = std::find_if(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
    std::string why = first == diagnostics.end() ? problem : first->message;
    if (first != diagnostics.end() && !first->hint.empty()) why += "; " + first->hint;
    throw Error{RegistryErrc::definition, "CONNECTION-DEFINITION-ERROR", "the definition of \"" + name + "\" is invalid: " + why}
        .with_connection(name)
        .with_reason(Reason::bad_value);
}

}  // namespace

void Store::Commit::remove(const std::shared_ptr<Slot>& slot) {
    Version header{};
    const Version* version = slot->current();
    header.flags = Version::k_removed;
    header.build = version ? version->build : 0;
    changes.push_back({slot, nullptr});
    changes.back().next = Version::make(header, {}, {});
}

std::string Store::origin_of(const Slot& slot, const Version& version) const {
    if (version.has(Version::k_from_code)) return "by code";
    return place_text(file_of(slot, version), unpack_extra(version.extra()).place);
}

unsigned Store::restored(std::string_view name, unsigned settings, Overrides& set) const {
    const KeptSettings::Settings* kept = kept_.find(name);
    if (!kept) return settings;
    set = kept->set;
    const unsigned flags = by_code(kept->flags);
    return (settings & ~flags) | (kept->flags & (flags | Version::k_by_code));
}

void Store::add(Definition definition) {
    const std::string name = definition.name;
    if (name.empty())
        throw Error{RegistryErrc::definition, "CONNECTION-DEFINITION-ERROR", "a definition without a name cannot be added"}.with_reason(
            Reason::bad_value);
    Diagnostics diagnostics;
    const Candidate candidate = make_candidate(definition, *catalogue_, fresh_overlay(), diagnostics, nullptr);
    if (!candidate.problem.empty()) throw_invalid_definition(name, diagnostics, candidate.problem);

    Commit commit;
    const std::scoped_lock lock{write_mutex_};
    const std::shared_ptr<Slot> slot = slot_for(name);
    const Version* before = slot->current();
    if (before && !before->has(Version::k_removed))
        throw Error{
            RegistryErrc::exists, "CONNECTION-ERROR",
            "there is a connection \"" + name + "\" already, defined " + origin_of(*slot, *before) + "; update or remove it, or take another name"}
            .with_connection(name)
            .with_reason(Reason::exists);
    Version header{};
    header.scheme = candidate.scheme;
    header.updated = now();
    header.build = before ? before->build + 1 : 1;
    Extra extra;
    header.flags = static_cast<std::uint16_t>(restored(name, candidate.settings, extra.set) | Version::k_from_code);
    if (!definition.file.empty()) {
        const auto [directory, file] = split_path(definition.file);
        header.directory = intern(directory);
        extra.file = file;
        extra.place = definition.place;
    }
    commit.changes.push_back({slot, nullptr});
    commit.changes.back().next = Version::make(header, candidate.content, pack_extra(extra, usual_file(name)));
    commit.event(Kind::added, name);
    this->commit(commit);
}

void Store::update(Definition definition) {
    const std::string name = definition.name;
    Diagnostics diagnostics;
    if (!contains(name)) throw_unknown(name);
    const Candidate candidate = make_candidate(definition, *catalogue_, fresh_overlay(), diagnostics, nullptr);
    if (!candidate.problem.empty()) throw_invalid_definition(name, diagnostics, candidate.problem);

    Commit commit;
    const std::scoped_lock lock{write_mutex_};
    const std::shared_ptr<Slot> slot = require_slot(name);
    const Version* before = slot->current();
    if (!before || before->has(Version::k_removed)) throw_unknown(name);
    if (before->has(Version::k_locked))
        throw Error{RegistryErrc::locked, "CONNECTION-LOCKED", "the connection \"" + name + "\" is locked and cannot be updated; unlock it first"}
            .with_connection(name)
            .with_reason(Reason::permission);
    const bool same_content = candidate.scheme == before->scheme && candidate.content == before->content();
    const unsigned kept = by_code(before->flags);
    const unsigned settings = (candidate.settings & ~kept) | (before->flags & kept);
    Extra extra = unpack_extra(before->extra(), usual_file(name));
    Version header = *before;
    if (before->has(Version::k_from_code)) {
        if (!definition.file.empty()) {
            const auto [directory, file] = split_path(definition.file);
            header.directory = intern(directory);
            extra.file = file;
            extra.place = definition.place;
        }
    } else {
        // What the file is known to say is outdated by this: only something else counts again.
        const bool had_problem = before->validity() != Validity::valid;
        if (extra.file_hash == 0 && !before->has(Version::k_invalid) && (had_problem || !same_content))
            extra.file_hash = hash_bytes(before->content());
        if (had_problem) extra.problem_hash = hash_bytes(extra.problem);
    }
    extra.problem.clear();
    const bool reconnects = counts_from_directory(candidate.content, header.directory, before->directory) ||
                            (!same_content && (candidate.scheme != before->scheme || before->has(Version::k_invalid) ||
                                               !same_essentials(candidate.content, before->content(), candidate.scheme)));

    header.scheme = candidate.scheme;
    if (!same_content) header.updated = now();
    header.build += reconnects ? 1 : 0;
    header.flags = static_cast<std::uint16_t>(settings | (before->flags & (Version::k_by_code | Version::k_from_code)));
    commit.changes.push_back({slot, nullptr});
    commit.changes.back().next = Version::make(header, candidate.content, pack_extra(extra, usual_file(name)));
    if (!same_content || reconnects) commit.event(Kind::updated, name, reconnects);
    if (before->validity() != Validity::valid) commit.event(Kind::became_valid, name);
    settings_events(commit.events, name, before->flags, settings);
    this->commit(commit);
}

void Store::remove(std::string_view name) {
    Commit commit;  // first, so that clients go without any lock
    Commit others;
    const std::scoped_lock state_lock{state_mutex_};
    remove_now(commit, name);
    if (state_) take_over(others, state_->erase(name));
}

void Store::remove_now(Commit& commit, std::string_view name) {
    const std::scoped_lock lock{write_mutex_};
    const std::shared_ptr<Slot> slot = require_slot(name);
    if (slot->current()->has(Version::k_locked))
        throw Error{RegistryErrc::locked, "CONNECTION-LOCKED",
                    "the connection \"" + slot->name() + "\" is locked and cannot be removed; unlock it first"}
            .with_connection(name)
            .with_reason(Reason::permission);
    commit.remove(slot);
    commit.event(Kind::removed, slot->name());
    kept_.erase(name);
    this->commit(commit);
}

bool Store::set(std::string_view name, Version::Flag setting, bool yes) {
    Commit commit;
    Commit others;
    const std::scoped_lock state_lock{state_mutex_};
    const bool changed = set_now(commit, name, setting, yes);
    keep(others, name);
    return changed;
}

bool Store::set_now(Commit& commit, std::string_view name, Version::Flag setting, bool yes) {
    const std::scoped_lock lock{write_mutex_};
    const std::shared_ptr<Slot> slot = require_slot(name);
    const unsigned before = slot->current()->flags;
    const unsigned after = (yes ? before | setting : before & ~static_cast<unsigned>(setting)) | static_cast<unsigned>(setting)
                                                                                                     << Version::k_by_code_shift;
    if (after == before) return false;
    derive(commit, slot, after, nullptr, slot->current()->build);
    settings_events(commit.events, slot->name(), before, after);
    this->commit(commit);
    return ((before ^ after) & setting) != 0;
}

void Store::set(std::string_view name, std::optional<Map> Overrides::*which, std::optional<Map> values) {
    Commit commit;
    Commit others;
    const std::scoped_lock state_lock{state_mutex_};
    set_now(commit, name, which, std::move(values));
    keep(others, name);
}

void Store::keep(Commit& others, std::string_view name) {
    if (!state_) return;
    KeptSettings::Settings settings;
    {
        const ReadSection section;
        const auto* slot = find(name, hash_of(name));
        const Version* version = slot ? (*slot)->current() : nullptr;
        if (!version || version->has(Version::k_removed)) return;
        settings = {version->flags, unpack_extra(version->extra()).set};
    }
    // What is over is nothing that was set.
    if (!silence_of(settings.set.silence, std::chrono::system_clock::now())) settings.set.silence.reset();
    take_over(others, state_->put(name, settings));
}

void Store::set_monitoring(std::string_view name, Map rules) {
    const Diagnostics found = check_monitoring(rules);
    if (!found.empty()) throw_invalid_definition("how " + std::string{name} + " is watched", found, {});
    if (rules.empty())
        set(name, &Overrides::monitoring, std::nullopt);
    else
        set(name, &Overrides::monitoring, std::move(rules));
}

void Store::set_silence(std::string_view name, std::optional<Silence> silence) {
    if (!silence) return set(name, &Overrides::silence, std::nullopt);
    const auto time = std::chrono::system_clock::now();
    if (silence->from == std::chrono::system_clock::time_point{}) silence->from = time;
    if (silence->is_over(std::max(time, silence->from)))
        throw make_error(Errc::invalid_argument, "silencing \"" + std::string{name} + "\" was refused: its end " +
                                                     (silence->is_over(time) ? "has passed" : "is not after its beginning"))
            .with_connection(name)
            .with_reason(Reason::bad_value);
    set(name, &Overrides::silence, silence_map(*silence));
}

void Store::acknowledge(std::string_view name, const Acknowledgement& acknowledgement) {
    if (acknowledgement.by.empty())
        throw make_error(Errc::invalid_argument, "acknowledging what is wrong with \"" + std::string{name} + "\" was refused: say who does")
            .with_connection(name)
            .with_reason(Reason::bad_value);
    set(name, &Overrides::acknowledged, acknowledgement_map(acknowledgement));
}

void Store::set_now(Commit& commit, std::string_view name, std::optional<Map> Overrides::*which, std::optional<Map> values) {
    const std::scoped_lock lock{write_mutex_};
    const std::shared_ptr<Slot> slot = require_slot(name);
    const Version* before = slot->current();
    Extra extra = unpack_extra(before->extra(), usual_file(name));
    if (extra.set.*which == values) return;
    extra.set.*which = std::move(values);
    derive(commit, slot, before->flags, &extra, before->build);
    commit.event(Kind::settings, slot->name());
    this->commit(commit);
}

}  // namespace qconn::core
