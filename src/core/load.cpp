// SPDX-License-Identifier: Apache-2.0
#include "core/load.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <memory_resource>
#include <system_error>
#include <utility>

#include "core/definition_files.hpp"
#include "core/parsed_source.hpp"
#include "core/slot.hpp"
#include "core/slot_pack.hpp"

namespace qconn::core {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

Diagnostic file_diagnostic(const std::string& file, std::string code, std::string message, std::string hint = {}) {
    Diagnostic diagnostic;
    diagnostic.code = std::move(code);
    diagnostic.file = file;
    diagnostic.message = std::move(message);
    diagnostic.hint = std::move(hint);
    return diagnostic;
}

std::string_view kind_word(mode_t mode) noexcept {
    switch (mode & S_IFMT) {
        case S_IFDIR: return "a directory";
        case S_IFIFO: return "a pipe";
        case S_IFSOCK: return "a socket";
        case S_IFCHR:
        case S_IFBLK: return "a device";
    }
    return "something else";
}

/// Where a symbolic link leads; empty where it is none.
std::string link_target(const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    return size > 0 ? std::string{target.data(), static_cast<std::size_t>(size)} : std::string{};
}

class FileHandle {
public:
    explicit FileHandle(int fd) noexcept : fd_{fd} {}
    FileHandle(const FileHandle&) = delete;
    FileHandle& operator=(const FileHandle&) = delete;
    ~FileHandle() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Identity of a file, so that one that can be reached by two of the given paths is read once.
using FileId = std::pair<dev_t, ino_t>;

enum class ReadOutcome { ok, gone, seen, failed };

class Scanner {
public:
    Scanner(const Catalogue& catalogue, const RegistryOptions& options, const SecretOverlay* overlay = nullptr, Standing standing = {})
        : catalogue_{catalogue}, options_{options}, overlay_{overlay}, suffixes_{DefinitionSuffixes::of(options)}, standing_{std::move(standing)} {}
    Scanner(const Scanner&) = delete;
    Scanner& operator=(const Scanner&) = delete;
    ~Scanner() { wipe(text_); }

    ScannedPath path(const std::string& path) {
        ScannedPath scanned;
        scanned.path = path;
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            fail_path(scanned, "cannot be read: " + system_text(errno));
        } else if (S_ISDIR(status.st_mode)) {
            directory(scanned);
        } else if (S_ISREG(status.st_mode)) {
            auto [directory, name] = split_path(path);
            file(scanned, std::move(directory), std::move(name), true);
        } else {
            fail_path(scanned, "is neither a directory nor a regular file");
        }
        return scanned;
    }

    /// A file that is renamed while its directory is listed may be missed under both names. So where connections seem to be gone, or none was known
    /// before, directories that have just changed are listed until nothing new is in them.
    void find_missed(std::vector<ScannedPath>& paths) {
        for (int listed = 0; listed < k_most_listings && (standing_.connections.empty() || listed_ < standing_.connections.size()); ++listed) {
            const std::size_t before = count_files(paths);
            for (ScannedPath& path : paths)
                if (path.is_young && path.problem.empty()) directory(path);
            if (count_files(paths) == before) return;
        }
    }

    void show_names(Diagnostics& diagnostics, std::string_view code) {
        std::string file;
        ParsedDefinitions parsed;
        for (Diagnostic& diagnostic : diagnostics) {
            if (diagnostic.code != code) continue;
            if (diagnostic.file != file) {
                file = diagnostic.file;
                Diagnostic failure;
                parsed = read(file, true, failure) == ReadOutcome::ok ? parse_file(text_, file, options_) : ParsedDefinitions{};
            }
            const bool is_there = std::any_of(parsed.definitions.begin(), parsed.definitions.end(), [&](const Definition& definition) {
                return definition.name == diagnostic.connection && definition.place == diagnostic.place;
            });
            if (is_there) parsed.source->show(diagnostic, nullptr);
        }
    }

    /// What was found besides the files' contents.
    void finish(Scan& scan) {
        known_.sort();
        scan.files = count_files(scan.paths);
        scan.read = read_;
        scan.known = std::move(known_);
        scan.standing = std::move(standing_.connections);
        scan.diagnostics = std::move(diagnostics_);
    }

private:
    static constexpr int k_most_listings = 8;
    struct ByName {
        static const std::string& of(const ScannedFile& file) noexcept { return file.name; }
        static const std::string& of(const std::string& name) noexcept { return name; }
        bool operator()(const auto& a, const auto& b) const noexcept { return of(a) < of(b); }
    };

    static std::size_t count_files(const std::vector<ScannedPath>& paths) noexcept {
        std::size_t count = 0;
        for (const ScannedPath& path : paths) count += path.files.size();
        return count;
    }

    void fail_path(ScannedPath& scanned, const std::string& what) {
        scanned.problem = "\"" + scanned.path + "\" " + what;
        diagnostics_.push_back(file_diagnostic(scanned.path, "cannot-read", "this path was given to load but it " + what));
    }

    void directory(ScannedPath& scanned) {
        // One that has gone since it was listed may be there under another name, or again under the same.
        for (int listed = 0; listed < k_most_listings; ++listed)
            if (!read_fresh(scanned)) return;
    }

    /// Lists the directory and reads what was not read so far. @returns whether something was gone by then
    bool read_fresh(ScannedPath& scanned) {
        std::vector<std::string> names;
        if (const int error = list(scanned, names)) {
            fail_path(scanned, "cannot be listed: " + system_text(error));
            return false;
        }
        std::sort(names.begin(), names.end());
        const bool is_first = scanned.files.empty();
        std::string prefix = scanned.path;
        if (!prefix.ends_with('/')) prefix += '/';
        const auto known = static_cast<std::ptrdiff_t>(scanned.files.size());
        scanned.files.reserve(names.size());
        bool all_there = true;
        for (std::string& name : names) {
            const auto end = scanned.files.begin() + known;
            if (!is_first && std::binary_search(scanned.files.begin(), end, name, ByName{})) continue;
            all_there = file(scanned, prefix, std::move(name), false) && all_there;
        }
        // These have other names by now, if they are anywhere.
        all_there = all_there && outdated_.empty();
        for (const std::string& path : std::exchange(outdated_, {}))
            std::erase_if(scanned.files, [&](const auto& one) { return one.path() == path; });
        if (!is_first) std::sort(scanned.files.begin(), scanned.files.end(), ByName{});
        return !all_there;
    }

    /// @returns errno
    int list(ScannedPath& scanned, std::vector<std::string>& names) {
        const std::unique_ptr<DIR, int (*)(DIR*)> handle{::opendir(scanned.path.c_str()), &::closedir};
        if (!handle) return errno;
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(handle.get());
            if (!entry) break;
            if (suffixes_.is_definition(entry->d_name)) names.emplace_back(entry->d_name);
        }
        if (errno != 0) return errno;
        struct stat status {};
        scanned.is_young = ::fstat(::dirfd(handle.get()), &status) != 0 || !FileStamp::of(status).is_settled();
        return 0;
    }

    /// @returns false where it is not there any more
    bool file(ScannedPath& scanned, std::string directory, std::string name, bool given) {
        ScannedFile file;
        file.directory = std::move(directory);
        file.name = std::move(name);
        const std::string path = file.path();
        const std::uint64_t hash = KnownFiles::hash_path(path);
        const auto known = std::ranges::equal_range(standing_.connections, hash, {}, &StandingConnection::path_hash);
        if (stands(file, path, hash, {known.begin(), known.end()})) {
            listed_ += known.size();
            scanned.files.push_back(std::move(file));
            return true;
        }
        Diagnostic failure;
        const std::size_t before = diagnostics_.size();
        switch (read(path, given, failure)) {
            case ReadOutcome::gone: return false;
            case ReadOutcome::seen: return true;
            case ReadOutcome::failed:
                file.problem = summary(failure);
                diagnostics_.push_back(std::move(failure));
                break;
            case ReadOutcome::ok:
                ++read_;
                if (!parse(file, path) && diagnostics_.size() == before && stamp_.is_settled()) known_.add(hash, stamp_, file.connections.size());
                break;
        }
        listed_ += known.size();
        scanned.files.push_back(std::move(file));
        return true;
    }

    /// Whether it was scanned under another path. Notes it under this one otherwise.
    bool is_seen(const struct stat& status, const std::string& path) {
        auto [at, is_new] = seen_.try_emplace({status.st_dev, status.st_ino}, nullptr);
        if (!is_new) {
            // The number of a file that has gone may be that of a new one, as a file that was renamed keeps its own.
            struct stat other {};
            const bool is_there = ::stat(at->second, &other) == 0;
            if (is_there && FileId{other.st_dev, other.st_ino} == at->first) return true;
            if (!is_there) outdated_.emplace_back(at->second);
        }
        char* const copy = static_cast<char*>(memory_.allocate(path.size() + 1, 1));
        at->second = std::strcpy(copy, path.c_str());
        return false;
    }

    /// Whether the file is what it was when its connections were made from it; these are then in `file`.
    bool stands(ScannedFile& file, const std::string& path, std::uint64_t hash, std::span<const StandingConnection> found) {
        if (found.empty() || std::ranges::any_of(found, &StandingConnection::differs)) return false;
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) return false;
        const FileStamp stamp = FileStamp::of(status);
        if (!standing_.files->contains(hash, stamp, found.size())) return false;
        if (is_seen(status, path)) return false;  // reading it tells the same
        known_.add(hash, stamp, found.size());
        file.standing = found;
        return true;
    }

    /// Into text_ and stamp_.
    ReadOutcome read(const std::string& path, bool given, Diagnostic& failure) {
        // Not blocking: a pipe that was put there must not hold up the load.
        const FileHandle handle{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
        struct stat status {};
        if (handle.get() < 0) {
            const int error = errno;
            // Removed since the directory was listed, or a link to nowhere?
            if (error == ENOENT && !given && ::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return ReadOutcome::gone;
            const std::string target = error == ENOENT ? link_target(path) : std::string{};
            failure = target.empty() ? file_diagnostic(path, "cannot-read", "the file cannot be opened: " + system_text(error))
                                     : file_diagnostic(path, "cannot-read", "this is a symbolic link to \"" + target + "\", which is not there",
                                                       "remove the link, or bring back what it leads to");
            return ReadOutcome::failed;
        }
        if (::fstat(handle.get(), &status) != 0) {
            failure = file_diagnostic(path, "cannot-read", "the file cannot be read: " + system_text(errno));
            return ReadOutcome::failed;
        }
        if (!S_ISREG(status.st_mode)) {
            failure = file_diagnostic(path, "cannot-read", "this is " + std::string{kind_word(status.st_mode)} + ", not a regular file",
                                      "rename it, so that it does not end as definition files do");
            return ReadOutcome::failed;
        }
        if (is_seen(status, path)) return ReadOutcome::seen;
        stamp_ = FileStamp::of(status);
        const auto limit = options_.limits.max_file_size;
        std::size_t used = 0;
        text_.resize(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)) + 1);  // one more shows the end without a second read
        while (used <= limit) {
            if (used == text_.size()) text_.resize(text_.size() * 2);
            const ssize_t got = ::read(handle.get(), text_.data() + used, text_.size() - used);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) {
                failure = file_diagnostic(path, "cannot-read", "the file cannot be read: " + system_text(errno));
                return ReadOutcome::failed;
            }
            used += static_cast<std::size_t>(got);
            // A short read of a regular file is its end, unless it is being written to: then the next load sees the rest.
            if (got == 0 || used < text_.size()) break;
        }
        text_.resize(used);
        if (used > limit) {
            failure = file_diagnostic(path, "limit", "the file is larger than " + std::to_string(limit) + " bytes",
                                      "raise DefinitionLimits::max_file_size, or split the file");
            return ReadOutcome::failed;
        }
        return ReadOutcome::ok;
    }

    /// @returns whether it may say something else when it is read again as it is
    bool parse(ScannedFile& file, const std::string& path) {
        ParsedDefinitions parsed = parse_file(text_, path, options_);
        if (parsed.unreadable) {
            const auto first =
                std::find_if(parsed.diagnostics.begin(), parsed.diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
            file.problem = first == parsed.diagnostics.end() ? path + ": the text cannot be read" : summary(*first);
            std::move(parsed.diagnostics.begin(), parsed.diagnostics.end(), std::back_inserter(diagnostics_));
            return false;
        }
        std::vector<std::string> problems(parsed.definitions.size());
        for (const Diagnostic& diagnostic : parsed.diagnostics) {
            if (diagnostic.severity != Severity::error) continue;
            std::string& problem = problem_of(diagnostic, parsed, problems, file.problem);
            if (problem.empty()) problem = summary(diagnostic);
        }
        file.connections.reserve(parsed.definitions.size());
        Diagnostics found;
        for (std::size_t i = 0; i < parsed.definitions.size(); ++i) {
            if (parsed.definitions[i].name.empty()) {  // its diagnostics say so; nothing can be asked for without a name
                if (file.problem.empty()) file.problem = problems[i].empty() ? path + ": a definition without a name" : problems[i];
                continue;
            }
            file.connections.push_back(make_candidate(parsed.definitions[i], catalogue_, overlay_, found, &parsed, problems[i]));
        }
        const auto from = static_cast<std::ptrdiff_t>(diagnostics_.size());
        std::move(parsed.diagnostics.begin(), parsed.diagnostics.end(), std::back_inserter(diagnostics_));
        std::move(found.begin(), found.end(), std::back_inserter(diagnostics_));
        std::stable_sort(diagnostics_.begin() + from, diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
            return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
        });
        return parsed.uses_environment;
    }

    /// Which definition an error is about: by its name, otherwise the last that begins before it; the file as a whole where there is none.
    static std::string& problem_of(const Diagnostic& diagnostic, const ParsedDefinitions& parsed, std::vector<std::string>& problems,
                                   std::string& file) {
        const auto& definitions = parsed.definitions;
        for (std::size_t i = 0; i < definitions.size(); ++i)
            if (!diagnostic.connection.empty() && definitions[i].name == diagnostic.connection &&
                diagnostic.place.line + 1 >= definitions[i].place.line &&
                (i + 1 == definitions.size() || definitions[i + 1].name != diagnostic.connection ||
                 diagnostic.place.line < definitions[i + 1].place.line))
                return problems[i];
        if (diagnostic.connection.empty() || definitions.empty()) {
            for (std::size_t i = definitions.size(); i-- > 0;)
                if (definitions[i].place.line != 0 && definitions[i].place.line <= diagnostic.place.line) return problems[i];
        }
        return file;
    }

    const Catalogue& catalogue_;
    const RegistryOptions& options_;
    const SecretOverlay* const overlay_;
    const DefinitionSuffixes suffixes_;
    Standing standing_;
    std::string text_;
    FileStamp stamp_;
    std::pmr::monotonic_buffer_resource memory_;
    std::pmr::map<FileId, const char*> seen_{&memory_};  // with the path
    std::vector<std::string> outdated_;                  // files that were scanned and are not there any more
    KnownFiles known_;
    Diagnostics diagnostics_;
    std::size_t read_{0};
    std::size_t listed_{0};  // connections of standing_ whose files are there
};

}  // namespace

unsigned settings_of(const Definition& definition) noexcept {
    unsigned settings = 0;
    if (definition.enabled.value_or(true)) settings |= Version::k_enabled;
    if (definition.monitored.value_or(true)) settings |= Version::k_monitored;
    if (definition.locked.value_or(false)) settings |= Version::k_locked;
    if (definition.debug_data.value_or(false)) settings |= Version::k_debug_data;
    return settings;
}

Candidate make_candidate(Definition& definition, const Catalogue& catalogue, const SecretOverlay* overlay, Diagnostics& diagnostics,
                         const ParsedDefinitions* parsed, std::string_view parse_problem) {
    const std::size_t before = diagnostics.size();
    if (overlay) overlay->complete(definition, catalogue.find(definition.scheme()), diagnostics);
    const bool valid = catalogue.check(definition, diagnostics, parsed);
    Candidate candidate;
    candidate.name = definition.name;
    candidate.scheme = catalogue.find(definition.scheme());
    candidate.content = pack_content(definition, candidate.scheme);
    candidate.settings = settings_of(definition);
    candidate.place = definition.place;
    candidate.problem = parse_problem;
    for (std::size_t i = before; i < diagnostics.size() && candidate.problem.empty(); ++i)
        if (diagnostics[i].severity == Severity::error) candidate.problem = summary(diagnostics[i]);
    if (!valid && candidate.problem.empty()) candidate.problem = "its definition did not pass the check";
    wipe(definition.url);
    return candidate;
}

PathKind kind_of(const std::string& path) noexcept {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno == ENOENT || errno == ENOTDIR ? PathKind::absent : PathKind::unknown;
    return S_ISDIR(status.st_mode) ? PathKind::directory : S_ISREG(status.st_mode) ? PathKind::file : PathKind::other;
}

void show_names(Diagnostics& diagnostics, std::string_view code, const Catalogue& catalogue, const RegistryOptions& options) {
    Scanner{catalogue, options}.show_names(diagnostics, code);
}

std::pair<std::string, std::string> split_path(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t name_at = slash == std::string::npos ? 0 : slash + 1;
    return {path.substr(0, name_at), path.substr(name_at)};
}

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> resolved{::realpath(path.c_str(), nullptr), &std::free};
    return resolved ? std::string{resolved.get()} : path;
}

Scan scan_paths(const std::vector<std::string>& paths, const Catalogue& catalogue, const RegistryOptions& options, const SecretOverlay* overlay,
                Standing standing) {
    Scanner scanner{catalogue, options, overlay, std::move(standing)};
    Scan scan;
    scan.paths.reserve(paths.size());
    for (const std::string& path : paths) scan.paths.push_back(scanner.path(path));
    scanner.find_missed(scan.paths);
    scanner.finish(scan);
    return scan;
}

}  // namespace qconn::core
