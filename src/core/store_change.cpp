// SPDX-License-Identifier: Apache-2.0
/// How a store changes: by code, and by what was read from files.
#include <algorithm>
#include <chrono>
#include <utility>

#include <qconn/core/registry_error.hpp>

#include "core/store.hpp"
#include "core/store_commit.hpp"

namespace qconn::core {
namespace {

using Kind = RegistryChange::Kind;

constexpr std::string_view k_duplicate_name = "duplicate-name";

std::int64_t now() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

unsigned by_code(unsigned flags) noexcept { return (flags & Version::k_by_code) >> Version::k_by_code_shift; }

std::string place_text(const std::string& file, Place place) {
    return "at " + file + (place.line == 0 ? std::string{} : ":" + std::to_string(place.line) + ":" + std::to_string(place.column));
}

/// Whether what is made of the definition differs between the two directories.
bool counts_from_directory(std::string_view content, const std::string* a, const std::string* b) {
    return a != b && content.find("${file:") != std::string_view::npos;
}

/// What is said about settings that have changed with a new version.
void settings_events(std::vector<RegistryChange>& events, const std::string& name, unsigned before, unsigned after) {
    if ((before ^ after) & Version::k_enabled) events.push_back({after & Version::k_enabled ? Kind::enabled : Kind::disabled, name, false, {}});
    if ((before ^ after) & (Version::k_settings & ~Version::k_enabled)) events.push_back({Kind::settings, name, false, {}});
}

[[noreturn]] void throw_invalid_definition(const std::string& name, const Diagnostics& diagnostics, const std::string& problem) {
    const auto first = std::find_if(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
    std::string why = first == diagnostics.end() ? problem : first->message;
    if (first != diagnostics.end() && !first->hint.empty()) why += "; " + first->hint;
    throw Error{RegistryErrc::definition, "CONNECTION-DEFINITION-ERROR", "the definition of \"" + name + "\" is invalid: " + why}
        .with_connection(name)
        .with_reason(Reason::bad_value);
}

/// Whether loading the directory reads the file.
bool is_within(const std::string& file, const std::string& directory, std::string_view suffix) {
    const auto parent_of = [](const std::string& path) {
        const auto slash = path.rfind('/');
        return slash == std::string::npos ? std::string{"."} : path.substr(0, slash + 1);
    };
    const std::string real_file = real_path(file);
    const std::string real_directory = real_path(directory);
    return (file.ends_with(suffix) && real_path(parent_of(file)) == real_directory) ||
           (real_file.ends_with(suffix) && real_path(parent_of(real_file)) == real_directory);
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

unsigned Store::restored(std::string_view name, unsigned settings, std::optional<Map>& tags) const {
    const KeptSettings::Settings* kept = kept_.find(name);
    if (!kept) return settings;
    tags = kept->tags;
    const unsigned set = by_code(kept->flags);
    return (settings & ~set) | (kept->flags & (set | Version::k_by_code));
}

// --- by code --------------------------------------------------------------------------------------------------------------------------------

void Store::add(Definition definition) {
    const std::string name = definition.name;
    if (name.empty())
        throw Error{RegistryErrc::definition, "CONNECTION-DEFINITION-ERROR", "a definition without a name cannot be added"}.with_reason(
            Reason::bad_value);
    Diagnostics diagnostics;
    const Candidate candidate = make_candidate(definition, *catalogue_, diagnostics, nullptr);
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
    header.flags = static_cast<std::uint16_t>(restored(name, candidate.settings, extra.tags) | Version::k_from_code);
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
    const Candidate candidate = make_candidate(definition, *catalogue_, diagnostics, nullptr);
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
    Commit commit;
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

void Store::set_tags(std::string_view name, Map tags) {
    Commit commit;
    const std::scoped_lock lock{write_mutex_};
    const std::shared_ptr<Slot> slot = require_slot(name);
    const Version* before = slot->current();
    Extra extra = unpack_extra(before->extra(), usual_file(name));
    extra.tags = std::move(tags);
    derive(commit, slot, before->flags, &extra, before->build);
    commit.event(Kind::settings, slot->name());
    this->commit(commit);
}

// --- from files -----------------------------------------------------------------------------------------------------------------------------

LoadReport Store::load(const std::vector<std::string>& paths) {
    const std::scoped_lock load_lock{load_mutex_};
    for (const std::string& path : paths) {
        const PathKind kind = kind_of(path);
        if (kind != PathKind::absent && kind != PathKind::other) continue;
        throw Error{RegistryErrc::load, "LOAD-ERROR",
                    kind == PathKind::absent ? "loading connections from \"" + path + "\": there is no such directory or file"
                                             : "loading connections from \"" + path + "\": this is neither a directory nor a regular file"}
            .with_reason(kind == PathKind::absent ? Reason::not_found : Reason::bad_value);
    }
    std::vector<std::string> fresh;
    bool again = false;
    for (const std::string& path : paths) {
        const std::string real = real_path(path);
        const auto same = [&](const std::string& other) { return other == path || real_path(other) == real; };
        if (std::any_of(fresh.begin(), fresh.end(), same)) continue;
        if (std::any_of(paths_.begin(), paths_.end(), same)) {
            again = true;
            continue;
        }
        // A file of a directory that was loaded before, or the directory of such a file.
        again = again || std::any_of(paths_.begin(), paths_.end(), [&](const std::string& other) {
                    return is_within(path, other, options_.suffix) || is_within(other, path, options_.suffix);
                });
        fresh.push_back(path);
    }
    paths_.insert(paths_.end(), fresh.begin(), fresh.end());
    // What was loaded before may have changed in any way: that is a reload.
    if (again) return load_again();
    Scan scan = scan_paths(fresh, *catalogue_, options_);
    const KnownFiles known = std::move(scan.known);
    LoadReport report = apply(std::move(scan), false);
    known_files_.merge(known);
    return report;
}

LoadReport Store::reload() {
    const std::scoped_lock load_lock{load_mutex_};
    return load_again();
}

LoadReport Store::load_again() {
    Scan scan = scan_paths(paths_, *catalogue_, options_, standing());
    KnownFiles known = std::move(scan.known);
    LoadReport report = apply(std::move(scan), true);
    known_files_ = std::move(known);
    return report;
}

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

/// Takes over one scan.
class Store::Merge {
public:
    Merge(Store& store, Scan& scan, Commit& commit, bool all) : store_{store}, scan_{scan}, commit_{commit}, all_{all} {}

    void run(LoadReport& report) {
        collect_existing();
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
            if (version.directory && !version.has(Version::k_from_code)) by_file_[store_.file_of(*slot, version)].push_back(slot.get());
        });
    }

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
            const auto held = by_file_.find(file.path());
            if (held != by_file_.end())
                hold_all(held->second, file.problem);
            else if (file.connections.empty())
                unread_.push_back(&file);
        }
        if (path.problem.empty()) return;
        const std::string directory = path.path.ends_with('/') ? path.path : path.path + '/';
        for (const auto& [file, slots] : by_file_)
            if (file == path.path || (file.starts_with(directory) && file.find('/', directory.size()) == std::string::npos))
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
        if (by_code) return;
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

    /// A file that cannot be read and never was: one invalid connection with its name.
    void stand_in(const ScannedFile& file) {
        auto candidate = std::make_unique<Candidate>();
        candidate->name = file.name.ends_with(store_.options_.suffix) ? file.name.substr(0, file.name.size() - store_.options_.suffix.size())
                                                                      : file.name.substr(0, std::max<std::size_t>(file.name.find('.', 1), 1));
        candidate->content = pack_content({}, nullptr);
        candidate->settings = settings_of({});
        candidate->problem = file.problem;
        if (by_name_.contains(candidate->name) || existing(candidate->name)) return;  // the file's own diagnostic says enough
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
        if (version.validity() != Validity::valid ? extra.problem == problem : extra.problem_hash == hash_bytes(problem))
            return;  // told already, or changed by code in spite of it
        extra.problem = problem;
        store_.derive(commit_, handle, version.flags | (invalid ? 0U : unsigned{Version::k_stale}), &extra, version.build);
        commit_.event(invalid ? Kind::became_invalid : Kind::became_stale, slot.name(), false, problem);
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
        const std::string* directory = store_.intern(claim.file->directory);
        const bool reconnects = (was_invalid && !bad) || counts_from_directory(content, directory, before->directory) ||
                                (!same_content && (scheme != before->scheme || !same_essentials(content, before->content(), scheme)));

        const Extra extra{claim.file->name, candidate.place, candidate.problem, old_extra.tags, overridden ? old_extra.file_hash : 0, 0};
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
        if (!same_content || reconnects) commit_.event(Kind::updated, name, reconnects);
        if (bad && candidate.problem != old_extra.problem) commit_.event(Kind::became_invalid, name, false, candidate.problem);
        if (!bad && before->validity() != Validity::valid) commit_.event(Kind::became_valid, name);
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
        Extra extra{claim.file->name, candidate.place, candidate.problem, std::nullopt, 0, 0};
        header.flags =
            static_cast<std::uint16_t>(store_.restored(claim.name, candidate.settings, extra.tags) | (bad ? unsigned{Version::k_invalid} : 0U));
        commit_.changes.push_back({slot, nullptr});
        commit_.changes.back().next = Version::make(header, candidate.content, pack_extra(extra, store_.usual_file(claim.name)));
        commit_.event(Kind::added, slot->name());
        if (bad) commit_.event(Kind::became_invalid, slot->name(), false, candidate.problem);
    }

    void remove_unclaimed(LoadReport& report) {
        for_each_slot([&](const std::shared_ptr<Slot>& slot, const Version& version) {
            if (version.has(Version::k_from_code) || by_name_.contains(slot->name())) return;
            auto tags = unpack_extra(version.extra()).tags;
            if (const unsigned set = by_code(version.flags); set != 0 || tags)
                store_.kept_.put(slot->name(), {version.flags & (set | Version::k_by_code), std::move(tags)});
            commit_.remove(slot);
            commit_.event(Kind::removed, slot->name());
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
    std::unordered_map<std::string, std::vector<const Slot*>> by_file_;
    std::vector<Claim> claims_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
    /// Files that cannot be read and never were.
    std::vector<const ScannedFile*> unread_;
    std::vector<std::unique_ptr<Candidate>> stand_ins_;
};

LoadReport Store::apply(Scan scan, bool all) {
    LoadReport report;
    report.files = scan.files;
    report.read = scan.read;
    Commit commit;
    {
        const std::scoped_lock lock{write_mutex_};
        Merge{*this, scan, commit, all}.run(report);
        commit.event(Kind::reloaded, {});
        this->commit(commit);
        count(report);
    }
    show_names(scan.diagnostics, k_duplicate_name, *catalogue_, options_);  // without the lock
    report.diagnostics = std::move(scan.diagnostics);
    const Log& log = options_.runtime.log();
    if (log.enabled(LogLevel::info))
        log.write({LogLevel::info,
                   {},
                   all ? "reload" : "load",
                   "definitions read",
                   {{"files", std::to_string(report.files)},
                    {"read", std::to_string(report.read)},
                    {"added", std::to_string(report.added)},
                    {"updated", std::to_string(report.updated)},
                    {"removed", std::to_string(report.removed)},
                    {"invalid", std::to_string(report.invalid)},
                    {"stale", std::to_string(report.stale)}}});
    return report;
}

}  // namespace qconn::core
