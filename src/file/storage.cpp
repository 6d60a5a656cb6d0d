// SPDX-License-Identifier: Apache-2.0
#include "file/storage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <utility>

#include "file/directory.hpp"
#include "file/glob.hpp"
#include "file/temporary_file.hpp"
#include "file/temporary_name.hpp"

namespace qconn::file {
namespace {

Spot find(const Task& task, const FileOptions& options, bool follow = true) {
    return find_spot(task, options.path, task.path, options.confine, follow);
}

FileType type_of(mode_t mode) noexcept {
    if (S_ISREG(mode)) return FileType::file;
    if (S_ISDIR(mode)) return FileType::directory;
    return S_ISLNK(mode) ? FileType::symlink : FileType::other;
}

FileInfo info_of(std::string name, const Stat& stat) {
    FileInfo info;
    info.name = std::move(name);
    info.type = type_of(stat.st_mode);
    info.size = static_cast<std::uint64_t>(stat.st_size);
    info.modified = std::chrono::system_clock::time_point{std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::seconds{stat.st_mtim.tv_sec} + std::chrono::nanoseconds{stat.st_mtim.tv_nsec})};
    info.mode = stat.st_mode & k_permissions;
    info.uid = stat.st_uid;
    info.gid = stat.st_gid;
    return info;
}

// The last component of a path, for people; the name of the directory itself where the path is empty.
std::string last_part(std::string_view path, std::string_view root) {
    std::string_view whole = path.empty() || path == "." ? root : path;
    while (whole.size() > 1 && whole.ends_with('/')) whole.remove_suffix(1);
    const auto slash = whole.rfind('/');
    return std::string{slash == std::string_view::npos || whole.size() == 1 ? whole : whole.substr(slash + 1)};
}

bool on_other_device(const Task& task, const Spot& a, const Spot& b) {
    Stat first{};
    Stat second{};
    if (::fstat(a.folder.get(), &first) != 0 || ::fstat(b.folder.get(), &second) != 0) throw file_error(task, errno);
    return first.st_dev != second.st_dev;
}

// Over a border between file systems: a copy under a temporary name, then the rename, then the original goes.
void move_by_copy(const Task& task, const Spot& from, const Spot& to, bool overwrite, const Stop& stop) {
    Stat info{};
    const UniqueFd source = open_regular(task, from, O_RDONLY, info);
    TemporaryFile copy{task, to.folder, 0600};
    std::string block(k_block, '\0');
    std::uint64_t written = 0;
    for (;;) {
        const auto size = ::read(source.get(), block.data(), block.size());
        if (size == 0) break;
        if (size < 0 && errno != EINTR) throw file_error(task, errno);
        if (size > 0) write_all(task, copy.fd(), {block.data(), static_cast<std::size_t>(size)}, stop, written);
    }
    take_over(task, copy.fd(), info);
    const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
    ::futimens(copy.fd(), times.data());
    sync(task, copy.fd());
    copy.end(task);
    copy.place(task, to, overwrite, stop);
    if (::unlinkat(from.folder.get(), from.name.c_str(), 0) != 0) throw file_error(task, errno);
    sync_folder(from.folder);
}

bool is_directory(const Task& task, const FileOptions& options) {
    try {
        const Spot spot = find(task, options);
        Stat info{};
        return ::fstatat(spot.folder.get(), spot.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
    } catch (const Error&) { return false; }
}

// What is the target already: a copy over it, and then the removal of the source, would leave nothing. @returns whether that was it
bool move_to_itself(const Task& task, const Task& target_task, const Spot& from, const Spot& to, bool overwrite, const Stop& stop) {
    Stat source{};
    Stat target{};
    if (::fstatat(from.folder.get(), from.name.c_str(), &source, AT_SYMLINK_NOFOLLOW) != 0) return false;  // the move says so
    if (::fstatat(to.folder.get(), to.name.c_str(), &target, AT_SYMLINK_NOFOLLOW) != 0 || !is_same(source, target)) return false;
    if (!overwrite) throw file_error(target_task, EEXIST);
    Stat first{};
    Stat second{};
    if (::fstat(from.folder.get(), &first) != 0 || ::fstat(to.folder.get(), &second) != 0) throw file_error(task, errno);
    if (is_same(first, second) && from.name == to.name) return true;  // one name, perhaps on two ways
    stop.commit(task);
    // Of two names the source goes, as with mv: rename(2) would do nothing. Where there is only one link, the names differ in case only, or one of
    // them is a mount; the system knows.
    const bool linked = !S_ISDIR(source.st_mode) && source.st_nlink > 1;
    const int result = linked ? ::unlinkat(from.folder.get(), from.name.c_str(), 0)
                              : ::renameat(from.folder.get(), from.name.c_str(), to.folder.get(), to.name.c_str());
    if (result != 0) throw file_error(task, errno);
    sync_folder(to.folder);
    sync_folder(from.folder);
    return true;
}

FileInfo entry_info(int folder, const char* name, const Stat& info) {
    FileInfo found = info_of(name, info);
    if (!S_ISLNK(info.st_mode)) return found;
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlinkat(folder, name, target.data(), target.size());
    if (size >= 0) found.target.emplace(target.data(), static_cast<std::size_t>(size));
    return found;
}

void each_entry(const Task& task, const FileOptions& options, const std::string& glob, const FileVisitor& visitor, const Stop& stop) {
    const Spot spot = find(task, options);
    UniqueFd fd{::openat(spot.folder.get(), spot.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
    if (!fd) throw file_error(task, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::fdopendir(fd.get()), &::closedir};
    if (!folder) throw file_error(task, errno);
    const int base = fd.release();  // belongs to `folder` now
    for (std::size_t seen = 0;; ++seen) {
        if (seen % 256 == 0) stop.check(task);
        errno = 0;
        const dirent* entry = ::readdir(folder.get());
        if (entry == nullptr) {
            if (errno != 0) throw file_error(task, errno);
            return;
        }
        const std::string_view name{entry->d_name};
        if (name == "." || name == ".." || (is_temporary(name) && !asks_for_temporary(glob))) continue;
        if (!is_wanted(glob, entry->d_name)) continue;
        Stat info{};
        if (::fstatat(base, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) continue;  // gone since
            throw file_error(task, errno);
        }
        if (!visitor(entry_info(base, entry->d_name, info))) return;
    }
}

}  // namespace

void refuse_read_only(const Task& task, const FileOptions& options) {
    if (options.read_only) throw file_error(task, FileErrc::read_only, Reason::permission, "the connection is read-only (option readonly)");
}

std::vector<FileInfo> list(const Task& task, const FileOptions& options, std::string_view pattern, const Stop& stop) {
    std::vector<FileInfo> found;
    each_entry(
        task, options, std::string{pattern},
        [&](FileInfo entry) {
            found.push_back(std::move(entry));
            return true;
        },
        stop);
    std::sort(found.begin(), found.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return found;
}

void visit(const Task& task, const FileOptions& options, const FileVisitor& visitor, const Stop& stop) {
    each_entry(
        task, options, {}, [&](FileInfo entry) { return of_caller(task, [&] { return visitor(std::move(entry)); }); }, stop);
}

FileInfo stat(const Task& task, const FileOptions& options, bool follow, const Stop& stop) {
    stop.check(task);
    const Spot spot = find(task, options, follow);
    Stat info{};
    if (::fstatat(spot.folder.get(), spot.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw file_error(task, errno);
    FileInfo found = entry_info(spot.folder.get(), spot.name.c_str(), info);
    found.name = last_part(task.path, options.path);
    return found;
}

void set_attributes(const Task& task, const FileOptions& options, const FileAttributes& attributes, const Stop& stop) {
    refuse_read_only(task, options);
    const Spot spot = find(task, options);
    // Not for writing: who may not write to a file may own it all the same.
    UniqueFd fd{::openat(spot.folder.get(), spot.name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    if (!fd) throw file_error(task, errno);
    stop.commit(task);
    change(task, fd.get(), attributes);
}

void make_symlink(const Task& task, const FileOptions& options, std::string_view target, const Stop& stop) {
    refuse_read_only(task, options);
    const Spot spot = find(task, options, false);
    stop.commit(task);
    if (::symlinkat(std::string{target}.c_str(), spot.folder.get(), spot.name.c_str()) != 0) throw file_error(task, errno);
}

void make_hard_link(const Task& task, const FileOptions& options, std::string_view existing, const Stop& stop) {
    refuse_read_only(task, options);
    const Task source_task{task.label, task.directory, task.verb, existing};
    const Spot source = find(source_task, options, false);
    const Spot target = find(task, options, false);
    stop.commit(task);
    if (::linkat(source.folder.get(), source.name.c_str(), target.folder.get(), target.name.c_str(), 0) == 0) return;
    const int error = errno;
    throw file_error(error == ENOENT || error == EPERM || error == EMLINK ? source_task : task, error);
}

void move(const Task& task, const FileOptions& options, std::string_view to, bool overwrite, const Stop& stop) {
    refuse_read_only(task, options);
    const Spot source = find(task, options, false);
    const Task target_task{task.label, task.directory, task.verb, to};
    const Spot target = find(target_task, options, false);
    if (source.name == "." || target.name == ".") throw file_error(task, EINVAL);
    if (move_to_itself(task, target_task, source, target, overwrite, stop)) return;
    if (on_other_device(task, source, target)) {
        move_by_copy(task, source, target, overwrite, stop);
        return;
    }
    stop.commit(task);
    int error = 0;
    if (!overwrite)
        error = rename_new(source.folder, source.name, target.folder, target.name);
    else if (::renameat(source.folder.get(), source.name.c_str(), target.folder.get(), target.name.c_str()) != 0)
        error = errno;
    if (error == EXDEV) {  // two mounts of one file system
        move_by_copy(task, source, target, overwrite, stop);
        return;
    }
    // What is there already is the target; all else is said of the source.
    if (error != 0) throw file_error(error == EEXIST || error == ENOTEMPTY || error == EISDIR ? target_task : task, error);
    sync_folder(target.folder);
    sync_folder(source.folder);
}

void remove(const Task& task, const FileOptions& options, const Stop& stop) {
    refuse_read_only(task, options);
    const Spot spot = find(task, options, false);
    if (spot.name == ".") throw file_error(task, EINVAL);
    stop.commit(task);
    if (::unlinkat(spot.folder.get(), spot.name.c_str(), 0) == 0) return;
    if (errno != EISDIR && errno != EPERM) throw file_error(task, errno);
    const int first = errno;  // EPERM is what POSIX has for a directory, and for other things
    if (::unlinkat(spot.folder.get(), spot.name.c_str(), AT_REMOVEDIR) == 0) return;
    throw file_error(task, errno == ENOTDIR ? first : errno);
}

void make_directory(const Task& task, const FileOptions& options, const Stop& stop) {
    refuse_read_only(task, options);
    // Each directory on the way: "a", "a/b", "a/b/c". Mostly all but the last are there.
    const auto slash = task.path.rfind('/');
    const bool has_way =
        slash != std::string_view::npos && is_directory({task.label, task.directory, task.verb, task.path.substr(0, slash)}, options);
    for (std::size_t end = has_way ? slash : 0; end < task.path.size();) {
        stop.check(task);
        end = std::min(task.path.find('/', end + 1), task.path.size());
        const Task step{task.label, task.directory, task.verb, task.path.substr(0, end)};
        const Spot spot = find(step, options);
        if (spot.name == "." || ::mkdirat(spot.folder.get(), spot.name.c_str(), 0777) == 0) continue;
        const int error = errno;
        Stat info{};
        if (error != EEXIST || ::fstatat(spot.folder.get(), spot.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw file_error(step, error);
        if (!S_ISDIR(info.st_mode)) throw file_error(step, end < task.path.size() ? ENOTDIR : EEXIST);
    }
}

FreeSpace free_space(const Task& task, const FileOptions& options) {
    const UniqueFd folder{::open(options.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct statvfs space {};
    if (!folder || ::fstatvfs(folder.get(), &space) != 0) throw directory_error(task, errno, "cannot be asked for its free space");
    FreeSpace result;
    result.total = std::uint64_t{space.f_blocks} * space.f_frsize;
    result.available = std::uint64_t{space.f_bavail} * space.f_frsize;
    result.files = space.f_files;
    result.files_free = space.f_favail;
    return result;
}

void check_directory(const Task& task, const FileOptions& options) {
    const char* path = options.path.c_str();
    Stat info{};
    if (::stat(path, &info) != 0) throw directory_error(task, errno, "cannot be used");
    if (!S_ISDIR(info.st_mode)) throw directory_error(task, ENOTDIR, "cannot be used");
    if (::faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0) throw directory_error(task, errno, "cannot be entered");
    if (options.read_only) return;
    if (::faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        throw directory_error(task, errno, "cannot be written to (set option readonly where that is meant)");
}

}  // namespace qconn::file
