// SPDX-License-Identifier: Apache-2.0
/// How a store takes over what files say.
#include <algorithm>
#include <set>
#include <utility>

#include <qconn/core/registry_error.hpp>

#include "core/definition_files.hpp"
#include "core/secret_overlay.hpp"
#include "core/store.hpp"
#include "core/store_merge.hpp"

namespace qconn::core {
namespace {

/// Whether loading the directory reads the file.
bool is_within(const std::string& file, const std::string& directory, const DefinitionSuffixes& suffixes) {
    const auto parent_of = [](const std::string& path) {
        const auto slash = path.rfind('/');
        return slash == std::string::npos ? std::string{"."} : path.substr(0, slash + 1);
    };
    const std::string real_file = real_path(file);
    const std::string real_directory = real_path(directory);
    return (suffixes.is_definition(split_path(file).second) && real_path(parent_of(file)) == real_directory) ||
           (suffixes.is_definition(split_path(real_file).second) && real_path(parent_of(real_file)) == real_directory);
}

}  // namespace

void Store::require_paths(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        const PathKind kind = kind_of(path);
        if (kind != PathKind::absent && kind != PathKind::other) continue;
        throw Error{RegistryErrc::load, "LOAD-ERROR",
                    kind == PathKind::absent ? "loading connections from \"" + path + "\": there is no such directory or file"
                                             : "loading connections from \"" + path + "\": this is neither a directory nor a regular file"}
            .with_reason(kind == PathKind::absent ? Reason::not_found : Reason::bad_value);
    }
}

LoadReport Store::load(const std::vector<std::string>& paths) {
    const std::scoped_lock load_lock{load_mutex_};
    require_paths(paths);
    const DefinitionSuffixes suffixes = DefinitionSuffixes::of(options_);
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
        again = again || std::any_of(paths_.begin(), paths_.end(),
                                     [&](const std::string& other) { return is_within(path, other, suffixes) || is_within(other, path, suffixes); });
        fresh.push_back(path);
    }
    {
        const std::scoped_lock lock{paths_mutex_};
        paths_.insert(paths_.end(), fresh.begin(), fresh.end());
    }
    // What was loaded before may have changed in any way: that is a reload.
    if (again) return load_again();
    Scan scan = scan_paths(fresh, *catalogue_, options_, fresh_overlay());
    const KnownFiles known = std::move(scan.known);
    LoadReport report = apply(std::move(scan), false);
    known_files_.merge(known);
    if (overlay_) known_overlay_ = 0;  // other files may have been completed from what it said before
    return report;
}

LoadReport Store::reload() {
    reload_settings();
    const std::scoped_lock load_lock{load_mutex_};
    return load_again();
}

std::vector<std::string> Store::paths() const {
    const std::scoped_lock lock{paths_mutex_};
    return paths_;
}

LoadReport Store::load_again() {
    const SecretOverlay* const overlay = fresh_overlay();
    const std::uint64_t generation = overlay ? overlay->state()->generation() : 0;
    Scan scan = scan_paths(paths_, *catalogue_, options_, overlay, overlay_stands(overlay) ? standing(false) : Standing{});
    KnownFiles known = std::move(scan.known);
    LoadReport report = apply(std::move(scan), true);
    known_files_ = std::move(known);
    known_overlay_ = generation;
    return report;
}

const SecretOverlay* Store::fresh_overlay() const {
    if (!overlay_) return nullptr;
    overlay_->read();
    return &*overlay_;
}

bool Store::overlay_stands(const SecretOverlay* overlay) const {
    return (overlay ? overlay->state()->generation() : 0) == known_overlay_ && !overlay_findings_;
}

bool Store::tell_overlay(Scan& scan, bool all) const {
    if (!overlay_) return false;
    const auto text = overlay_->state()->current();
    std::set<std::string_view> names;
    for (const ScannedPath& path : scan.paths) {
        for (const ScannedFile& file : path.files) {
            for (const Candidate& one : file.connections) names.insert(one.name);
            for (const StandingConnection& one : file.standing) names.insert(one.slot->name());
        }
    }
    scan.diagnostics.insert(scan.diagnostics.end(), text->problems.begin(), text->problems.end());
    for (const auto& [name, connection] : text->connections) {
        if (names.contains(name)) continue;
        const auto* slot = find(name, hash_of(name));
        const Version* version = slot ? (*slot)->current() : nullptr;
        if (version && !version->has(Version::k_removed) && (!all || version->has(Version::k_from_code))) continue;
        const std::string near = nearest(name, {names.begin(), names.end()});
        scan.diagnostics.push_back(overlay_finding(Severity::warning, "secrets-unknown", overlay_->path(), connection.place,
                                                   "there is no connection " + quoted_name(name) + " that these secrets could be for",
                                                   near.empty() ? "" : "did you mean '" + near + "'?", name));
    }
    return std::any_of(scan.diagnostics.begin(), scan.diagnostics.end(), [&](const Diagnostic& one) { return one.file == overlay_->path(); });
}

LoadReport Store::apply(Scan scan, bool all) {
    LoadReport report;
    report.files = scan.files;
    report.read = scan.read;
    Commit commit;
    {
        const std::scoped_lock lock{write_mutex_};
        overlay_findings_ = tell_overlay(scan, all) || (!all && overlay_findings_);
        Merge{*this, scan, commit, all ? Scope::all : Scope::some}.run(report);
        commit.event(RegistryChange::Kind::reloaded, {});
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
