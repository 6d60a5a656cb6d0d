// SPDX-License-Identifier: Apache-2.0
/// How a store takes over the operator settings that other programs have written.
#include <utility>

#include "core/monitoring_rules.hpp"
#include "core/settings.hpp"
#include "core/silence_form.hpp"
#include "core/store.hpp"
#include "core/store_commit.hpp"

namespace qconn::core {
namespace {

/// What has changed between two states of the file, on top of what holds here.
/// @param unset  the yes-or-no settings of the definition, for those that are taken back
KeptSettings::Settings merged(KeptSettings::Settings here, const StateFile::Change& change, unsigned unset) {
    for (const Setting& setting : k_settings) {
        const unsigned both = unsigned{setting.flag} | setting.by_code();
        if (((change.was.flags ^ change.is.flags) & both) == 0) continue;
        const bool is_set = (change.is.flags & setting.by_code()) != 0;
        here.flags = (here.flags & ~both) | (is_set ? change.is.flags & both : unset & setting.flag);
    }
    for (const auto& [name, member] : k_overrides)
        if (change.was.set.*member != change.is.set.*member) here.set.*member = change.is.set.*member;
    return here;
}

}  // namespace

KeptSettings::Settings Store::checked(std::string_view name, KeptSettings::Settings settings) const {
    const auto tell = [&](const char* what, const std::string& why) {
        options_.runtime.log().write({LogLevel::error,
                                      name,
                                      "state-not-read",
                                      std::string{what} + ", by the file of operator settings, is left out: " + why,
                                      {{"file", options_.state_file}}});
    };
    if (auto& rules = settings.set.monitoring) {
        if (const Diagnostics found = check_monitoring(*rules); !found.empty()) {
            tell("how it is watched", found.front().message);
            rules.reset();
        }
    }
    if (auto& silence = settings.set.silence; silence && !silence_of(*silence)) {
        tell("that it is silenced", "\"kind\" must be \"mute\" or \"maintenance\", \"from\" and \"until\" instants as 2026-01-31T23:59:59Z");
        silence.reset();
    }
    if (auto& seen = settings.set.acknowledged; seen && !acknowledgement_of(*seen)) {
        tell("that somebody sees to it", "\"by\" must be a name, \"at\" an instant as 2026-01-31T23:59:59Z");
        seen.reset();
    }
    return settings;
}

void Store::reload_settings() {
    Commit commit;
    const std::scoped_lock state_lock{state_mutex_};
    if (state_) take_over(commit, state_->changed_by_others());
}

void Store::take_over(Commit& commit, const StateFile::Changes& changes) {
    if (changes.empty()) return;
    const std::scoped_lock lock{write_mutex_};
    for (const auto& [name, was, is] : changes) {
        const StateFile::Change change{name, was, checked(name, is)};
        const auto* slot = find(name, hash_of(name));
        const Version* version = slot ? (*slot)->current() : nullptr;
        if (!version || version->has(Version::k_removed)) {
            const KeptSettings::Settings* kept = kept_.find(name);
            KeptSettings::Settings settings = merged(kept ? *kept : KeptSettings::Settings{}, change, 0);
            if (settings.flags == 0 && settings.set.empty())
                kept_.erase(name);
            else
                kept_.put(name, std::move(settings));
            continue;
        }
        Definition definition = materialise(**slot, *version);
        const unsigned unset = settings_of(definition);
        wipe(definition.url);
        Extra extra = unpack_extra(version->extra(), usual_file(name));
        const std::string before = pack_extra(extra, usual_file(name));
        KeptSettings::Settings settings = merged({version->flags, std::move(extra.set)}, change, unset);
        extra.set = std::move(settings.set);
        const bool same_overrides = pack_extra(extra, usual_file(name)) == before;
        if (settings.flags == version->flags && same_overrides) continue;
        const unsigned flags_before = version->flags;
        derive(commit, *slot, settings.flags, &extra, version->build);
        const std::size_t told = commit.events.size();
        settings_events(commit.events, name, flags_before, settings.flags);
        const bool has_told_settings = commit.events.size() > told && commit.events.back().kind == RegistryChange::Kind::settings;
        if (!same_overrides && !has_told_settings) commit.event(RegistryChange::Kind::settings, name);
    }
    this->commit(commit);
}

}  // namespace qconn::core
