// SPDX-License-Identifier: Apache-2.0
/// Reading and checking the definition files of directories, before anything of a registry is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/core/secret_overlay.hpp>

#include "core/known_files.hpp"

namespace qconn::core {

/// One connection as a file says it, checked and packed. Wipes its definition when it goes.
struct Candidate {
    Candidate() = default;
    Candidate(Candidate&&) noexcept = default;
    Candidate& operator=(Candidate&&) noexcept = default;
    ~Candidate() { wipe(content); }

    std::string name;
    const Scheme* scheme{nullptr};
    /// As pack_content made it.
    std::string content;
    /// Operator settings as the definition says them, or their defaults: Version::k_settings.
    unsigned settings{0};
    Place place{};
    /// Why it cannot be used; empty for a valid one.
    std::string problem{};
};

/// A connection of a file that need not be read again while it is what it was.
struct StandingConnection {
    std::uint64_t path_hash;
    std::shared_ptr<Slot> slot;
    Place place;
    /// It is not as its file says, so that this must be read.
    bool differs;
};

struct ScannedFile {
    /// With the final '/'; empty for a plain name.
    std::string directory;
    std::string name;
    std::vector<Candidate> connections;
    /// In place of `connections` where the file was not read, as it is what it was.
    std::span<const StandingConnection> standing;
    /// Set: not all that stands in the file is known. What it held before and is not among `connections` stays, stale for this reason.
    std::string problem;
    std::string path() const { return directory + name; }
};

/// What one of the given paths holds.
struct ScannedPath {
    std::string path;
    /// Set: the path itself could not be read; everything that came from it before stays, stale for this reason.
    std::string problem;
    /// Sorted by name.
    std::vector<ScannedFile> files;
    /// A directory that had just changed when it was listed.
    bool is_young{false};
};

struct Scan {
    std::vector<ScannedPath> paths;
    std::size_t files{0};
    /// Of these, those whose text was read.
    std::size_t read{0};
    /// Those that a later scan need not read.
    KnownFiles known;
    /// What `standing` of the files points into.
    std::vector<StandingConnection> standing;
    Diagnostics diagnostics;
};

/// What a scan need not read.
struct Standing {
    const KnownFiles* files{nullptr};
    /// By the hash of their path, then place.
    std::vector<StandingConnection> connections;
};

/// Reads all files but for what stands; never throws for what the file system or a file's text says.
/// @param overlay  what definitions are completed from; may be null
Scan scan_paths(const std::vector<std::string>& paths, const Catalogue& catalogue, const RegistryOptions& options, const SecretOverlay* overlay,
                Standing standing = {});

/// Adds the source lines of findings about names, which are known only when all files have been read: reads those files again. A line stays empty
/// where the name is not at its place any more.
/// @param diagnostics  those of one file next to each other
void show_names(Diagnostics& diagnostics, std::string_view code, const Catalogue& catalogue, const RegistryOptions& options);

/// What stands at a path. `other` is a device, a pipe or a socket.
enum class PathKind { directory, file, absent, other, unknown };
PathKind kind_of(const std::string& path) noexcept;
/// The same for two spellings of one path; the path itself where it cannot be resolved.
std::string real_path(const std::string& path);

/// Directory part with its '/', and name; the directory is empty for a plain name.
std::pair<std::string, std::string> split_path(const std::string& path);

/// Completes one definition, checks and packs it. @param overlay  may be null
Candidate make_candidate(Definition& definition, const Catalogue& catalogue, const SecretOverlay* overlay, Diagnostics& diagnostics,
                         const ParsedDefinitions* parsed, std::string_view parse_problem = {});
unsigned settings_of(const Definition& definition) noexcept;

}  // namespace qconn::core
