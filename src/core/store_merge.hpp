// SPDX-License-Identifier: Apache-2.0
/// What a scan of files makes of a store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/definition_files.hpp"
#include "core/store.hpp"
#include "core/store_commit.hpp"

namespace qconn::core {

/// What a name is to be after a load.
struct Store::Claim {
    std::string_view name;
    const ScannedFile* file;
    Place place;
    /// Null: the connection stays as it was.
    const Candidate* candidate;
    /// It stays stale for this reason, as what would say more cannot be read; null where its file is what it was.
    const std::string* problem;
};

/// How much a scan speaks for.
enum class Scope : std::uint8_t {
    some,   ///< what was not loaded before
    all,    ///< everything that was loaded
    moved,  ///< everything, from other directories: the names of files count, not where they are
};

/// Takes over one scan into a Commit. The store itself stays as it is.
class Store::Merge {
public:
    Merge(Store& store, Scan& scan, Commit& commit, Scope scope)
        : store_{store}, scan_{scan}, commit_{commit}, all_{scope != Scope::some}, moved_{scope == Scope::moved} {}

    /// What files say and what does not count, as code has set it otherwise.
    struct Overridden {
        std::string name;
        /// Null: the connection was added by code, or its definition was changed by it. Otherwise the settings of the file.
        const Candidate* candidate{nullptr};
        const Version* version{nullptr};
    };
    const std::vector<Overridden>& overridden() const noexcept { return overridden_; }

    void run(LoadReport& report) {
        collect_existing();
        claims_.reserve(scan_.files);
        by_name_.reserve(scan_.files);
        for (const ScannedPath& path : scan_.paths) claim_path(path);
        for (const ScannedFile* file : unread_) stand_in(*file);  // last: a name belongs to the definition that has it
        for (const Claim& claim : claims_) {
            if (claim.candidate)
                take(claim, report);
            else if (claim.problem)
                hold(claim, report);
            else if (existing(claim.name))  // unless code has removed it in the meantime
                ++report.unchanged;
        }
        if (all_) remove_unclaimed(report);
        sort_diagnostics();
    }

private:
    /// Connections from files, by their file: what a file that cannot be read keeps alive.
    void collect_existing() {
        const bool wanted = all_ && std::any_of(scan_.paths.begin(), scan_.paths.end(), [](const ScannedPath& path) {
                                return !path.problem.empty() || std::any_of(path.files.begin(), path.files.end(),
                                                                            [](const ScannedFile& file) { return !file.problem.empty(); });
                            });
        if (!wanted) return;
        for_each_slot([&](const std::shared_ptr<Slot>& slot, const Version& version) {
            if (version.directory && !version.has(Version::k_from_code)) by_file_[key_of(store_.file_of(*slot, version))].push_back(slot.get());
        });
    }

    std::string key_of(const std::string& file) const { return moved_ ? split_path(file).second : file; }

    template <class Function>
    void for_each_slot(Function&& function) {
        for (const auto& part : store_.shards_) {
            const Shard* shard = part.load(std::memory_order_relaxed);
            if (!shard) continue;
            for (const auto& slot : shard->slots()) {
                const Version* version = slot->current();
                if (version && !version->has(Version::k_removed)) function(slot, *version);
            }
        }
    }

    const Version* existing(std::string_view name, const std::shared_ptr<Slot>** slot = nullptr) const {
        const auto* found = store_.find(name, hash_of(name));
        const Version* version = found ? (*found)->current() : nullptr;
        if (!version || version->has(Version::k_removed)) return nullptr;
        if (slot) *slot = found;
        return version;
    }

    void claim_path(const ScannedPath& path) {
        for (const ScannedFile& file : path.files) {
            for (const Candidate& candidate : file.connections) claim({candidate.name, &file, candidate.place, &candidate, nullptr});
            for (const StandingConnection& one : file.standing) claim({one.slot->name(), &file, one.place, nullptr, nullptr});
            if (file.problem.empty()) continue;
            const auto held = by_file_.find(key_of(file.path()));
            if (held != by_file_.end())
                hold_all(held->second, file.problem);
            else if (file.connections.empty())
                unread_.push_back(&file);
        }
        if (path.problem.empty()) return;
        const std::string directory = path.path.ends_with('/') ? path.path : path.path + '/';
        for (const auto& [file, slots] : by_file_)
            if (moved_ || file == path.path || (file.starts_with(directory) && file.find('/', directory.size()) == std::string::npos))
                hold_all(slots, path.problem);
    }

    void claim(const Claim& claim) {
        const auto taken = by_name_.find(claim.name);
        const Claim* other = taken == by_name_.end() ? nullptr : &claims_[taken->second];
        const std::shared_ptr<Slot>* slot = nullptr;
        const Version* version = existing(claim.name, &slot);
        if (!other && (!version || (all_ && !version->has(Version::k_from_code)))) return add_claim(claim);

        const std::string name{claim.name};
        const std::string file = claim.file->path();
        const bool in_scan = other && !other->problem;
        const std::string first_file = in_scan ? other->file->path() : store_.file_of(**slot, *version);
        const Place first_place = in_scan ? other->place : unpack_extra(version->extra()).place;
        const bool by_code = !in_scan && version->has(Version::k_from_code);
        const std::string first = by_code ? "by code" : place_text(first_file, first_place);
        Diagnostic error = duplicate(name, file, claim.place, "it was defined first " + first + ", and that one stays");
        error.hint = "give one of the two another name";
        scan_.diagnostics.push_back(std::move(error));
        if (by_code) {
            overridden_.push_back({name, nullptr, version});
            return;
        }
        Diagnostic note = duplicate(name, first_file, first_place, "this one stays, that " + place_text(file, claim.place) + " does not count");
        note.severity = Severity::note;
        scan_.diagnostics.push_back(std::move(note));
    }

    static Diagnostic duplicate(const std::string& name, std::string file, Place place, const std::string& what) {
        Diagnostic diagnostic;
        diagnostic.code = k_duplicate_name;
        diagnostic.file = std::move(file);
        diagnostic.place = place;
        diagnostic.connection = name;
        diagnostic.message = "the name \"" + name + "\" is used twice: " + what;
        return diagnostic;
    }

    void add_claim(const Claim& claim) {
        by_name_.emplace(claim.name, claims_.size());
        claims_.push_back(claim);
    }

    void hold_all(const std::vector<const Slot*>& slots, const std::string& problem) {
        static const ScannedFile none;
        for (const Slot* slot : slots)
            if (!by_name_.contains(slot->name())) add_claim({slot->name(), &none, {}, nullptr, &problem});
    }

    /// A file that cannot be read and never was: one invalid connection with its name. One that there is stays, as its file was renamed or comes
    /// back.
    void stand_in(const ScannedFile& file) {
        auto candidate = std::make_unique<Candidate>();
        candidate->name = DefinitionSuffixes::of(store_.options_).stem(file.name);
        candidate->content = pack_content({}, nullptr);
        candidate->settings = settings_of({});
        candidate->problem = file.problem;
        if (by_name_.contains(candidate->name)) return;  // the file's own diagnostic says enough
        if (const std::shared_ptr<Slot>* slot = nullptr; const Version* version = existing(candidate->name, &slot)) {
            if (all_ && !version->has(Version::k_from_code)) hold_all({slot->get()}, file.problem);
            return;
        }
        add_claim({candidate->name, &file, {}, candidate.get(), nullptr});
        stand_ins_.push_back(std::move(candidate));
    }

    void hold(const Claim& claim, LoadReport& report) {
        const std::shared_ptr<Slot>* slot = nullptr;
        const Version* version = existing(claim.name, &slot);
        ++report.unchanged;
        mark(**slot, *version, *slot, *claim.problem);
    }

    /// The version stays, with the reason why it could not be replaced.
    void mark(const Slot& slot, const Version& version, const std::shared_ptr<Slot>& handle, const std::string& problem) {
        Extra extra = unpack_extra(version.extra(), store_.usual_file(slot.name()));
        const bool invalid = version.has(Version::k_invalid);
        if (version.validity() != Validity::valid && extra.problem == problem) return;  // told already
        if (version.validity() == Validity::valid && extra.problem_hash == hash_bytes(problem)) {
            overridden_.push_back({slot.name(), nullptr, &version});  // changed by code in spite of it
            return;
        }
        extra.problem = problem;
        store_.derive(commit_, handle, version.flags | (invalid ? 0U : unsigned{Version::k_stale}), &extra, version.build);
        commit_.event(invalid ? RegistryChange::Kind::became_invalid : RegistryChange::Kind::became_stale, slot.name(), false, problem);
    }

    void take(const Claim& claim, LoadReport& report) {
        const Candidate& candidate = *claim.candidate;
        const bool bad = !candidate.problem.empty();
        const std::shared_ptr<Slot>* handle = nullptr;
        const Version* before = existing(claim.name, &handle);
        if (!before) {
            add(claim, bad);
            ++report.added;
            return;
        }
        if (bad && !before->has(Version::k_invalid)) {
            ++report.unchanged;
            mark(**handle, *before, *handle, candidate.problem);
            return;
        }
        const std::string usual = store_.usual_file(claim.name);
        const Extra old_extra = unpack_extra(before->extra(), usual);
        // Changed by code since: that stays until the file says something new.
        const bool overridden = old_extra.file_hash != 0 && hash_bytes(candidate.content) == old_extra.file_hash;
        const std::string_view content = overridden ? before->content() : std::string_view{candidate.content};
        const Scheme* scheme = overridden ? before->scheme : candidate.scheme;
        const bool same_content = scheme == before->scheme && content == before->content();
        const bool was_invalid = before->has(Version::k_invalid);
        if (overridden && candidate.content != before->content()) overridden_.push_back({std::string{claim.name}, nullptr, before});
        if (by_code(before->flags) != 0 || !old_extra.set.empty()) overridden_.push_back({std::string{claim.name}, &candidate, before});
        const std::string* directory = moved_ ? before->directory : store_.intern(claim.file->directory);
        const bool reconnects = (was_invalid && !bad) || counts_from_directory(content, directory, before->directory) ||
                                (!same_content && (scheme != before->scheme || !same_essentials(content, before->content(), scheme)));

        const Extra extra{claim.file->name, candidate.place, candidate.problem, old_extra.set, overridden ? old_extra.file_hash : 0, 0};
        const std::string packed = pack_extra(extra, usual);
        const unsigned kept = overridden ? unsigned{Version::k_settings} : by_code(before->flags);
        const unsigned settings = (candidate.settings & ~kept) | (before->flags & kept);
        const unsigned flags = settings | (before->flags & Version::k_by_code) | (bad ? unsigned{Version::k_invalid} : 0U);
        ++(same_content ? report.unchanged : report.updated);
        if (same_content && flags == before->flags && directory == before->directory && packed == before->extra()) return;

        Version header = *before;
        header.scheme = scheme;
        header.directory = directory;
        if (!same_content) header.updated = now();
        header.build += reconnects ? 1 : 0;
        header.flags = static_cast<std::uint16_t>(flags);
        commit_.changes.push_back({*handle, nullptr});
        commit_.changes.back().next = Version::make(header, content, packed);
        const std::string name{claim.name};
        if (!same_content || reconnects) commit_.event(RegistryChange::Kind::updated, name, reconnects);
        if (bad && candidate.problem != old_extra.problem) commit_.event(RegistryChange::Kind::became_invalid, name, false, candidate.problem);
        if (!bad && before->validity() != Validity::valid) commit_.event(RegistryChange::Kind::became_valid, name);
        settings_events(commit_.events, name, before->flags, settings);
    }

    void add(const Claim& claim, bool bad) {
        const Candidate& candidate = *claim.candidate;
        const std::shared_ptr<Slot> slot = store_.slot_for(claim.name);
        const Version* before = slot->current();  // of a removed one that somebody holds
        Version header{};
        header.scheme = candidate.scheme;
        header.directory = store_.intern(claim.file->directory);
        header.updated = now();
        header.build = before ? before->build + 1 : 1;
        Extra extra{claim.file->name, candidate.place, candidate.problem, {}, 0, 0};
        header.flags =
            static_cast<std::uint16_t>(store_.restored(claim.name, candidate.settings, extra.set) | (bad ? unsigned{Version::k_invalid} : 0U));
        commit_.changes.push_back({slot, nullptr});
        commit_.changes.back().next = Version::make(header, candidate.content, pack_extra(extra, store_.usual_file(claim.name)));
        commit_.event(RegistryChange::Kind::added, slot->name());
        if (bad) commit_.event(RegistryChange::Kind::became_invalid, slot->name(), false, candidate.problem);
    }

    void remove_unclaimed(LoadReport& report) {
        for_each_slot([&](const std::shared_ptr<Slot>& slot, const Version& version) {
            if (version.has(Version::k_from_code) || by_name_.contains(slot->name())) return;
            auto overrides = unpack_extra(version.extra()).set;
            if (const unsigned set = by_code(version.flags); set != 0 || !overrides.empty())
                commit_.kept.emplace_back(slot->name(), KeptSettings::Settings{version.flags & (set | Version::k_by_code), std::move(overrides)});
            commit_.remove(slot);
            commit_.event(RegistryChange::Kind::removed, slot->name());
            ++report.removed;
        });
    }

    /// Those of the duplicates were found last.
    void sort_diagnostics() {
        if (scan_.diagnostics.empty()) return;
        std::unordered_map<std::string, std::size_t> order;
        for (const ScannedPath& path : scan_.paths) {
            order.emplace(path.path, order.size());
            for (const ScannedFile& file : path.files) order.emplace(file.path(), order.size());
        }
        const auto rank = [&](const Diagnostic& diagnostic) {
            const auto found = order.find(diagnostic.file);
            return std::tuple{found == order.end() ? order.size() : found->second, std::string_view{diagnostic.file}, diagnostic.place.line,
                              diagnostic.place.column};
        };
        std::stable_sort(scan_.diagnostics.begin(), scan_.diagnostics.end(),
                         [&](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
    }

    Store& store_;
    Scan& scan_;
    Commit& commit_;
    const bool all_;
    const bool moved_;
    std::vector<Overridden> overridden_;
    std::unordered_map<std::string, std::vector<const Slot*>> by_file_;
    std::vector<Claim> claims_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
    /// Files that cannot be read and never were.
    std::vector<const ScannedFile*> unread_;
    std::vector<std::unique_ptr<Candidate>> stand_ins_;
};

}  // namespace qconn::core
