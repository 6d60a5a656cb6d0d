// SPDX-License-Identifier: Apache-2.0
#include "file/storage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "file/directory.hpp"

namespace qconn::file {
namespace {

using net::UniqueFd;
using Stat = struct stat;

constexpr std::string_view k_temporary_prefix = ".qconn-";
constexpr std::string_view k_temporary_suffix = ".tmp";
constexpr mode_t k_permissions = 07777;

bool is_temporary(std::string_view name) noexcept {
    if (name.size() != k_temporary_prefix.size() + 16 + k_temporary_suffix.size()) return false;
    return name.starts_with(k_temporary_prefix) && name.ends_with(k_temporary_suffix);
}

std::string temporary_name(const Task& task) {
    std::array<char, 8> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) throw file_error(task, errno);
    return std::string{k_temporary_prefix} + text::to_hex({bytes.data(), bytes.size()}) + std::string{k_temporary_suffix};
}

Spot find(const Task& task, const FileOptions& options, bool follow = true) {
    return find_spot(task, options.path, task.path, options.confine, follow);
}

void refuse_read_only(const Task& task, const FileOptions& options) {
    if (options.read_only) throw file_error(task, FileErrc::read_only, Reason::permission, "the connection is read-only (option readonly)");
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

Error not_regular(const Task& task, mode_t mode) {
    if (S_ISDIR(mode)) return file_error(task, EISDIR);
    return file_error(task, FileErrc::failed, Reason::unsupported, "it is not a regular file; pipes, sockets and devices are left alone");
}

// O_NONBLOCK: opening a pipe must not wait for its other end.
UniqueFd open_regular(const Task& task, const Spot& spot, int flags, Stat& info) {
    UniqueFd fd{::openat(spot.folder.get(), spot.name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    if (!fd) {
        if (errno == ENXIO) throw not_regular(task, S_IFIFO);
        throw file_error(task, errno);
    }
    if (::fstat(fd.get(), &info) != 0) throw file_error(task, errno);
    if (!S_ISREG(info.st_mode)) throw not_regular(task, info.st_mode);
    return fd;
}

void write_all(const Task& task, int fd, std::string_view data, const Stop& stop) {
    while (!data.empty()) {
        stop.check(task);
        const auto written = ::write(fd, data.data(), std::min(data.size(), k_block));
        if (written > 0)
            data.remove_prefix(static_cast<std::size_t>(written));
        else if (written == 0)
            throw file_error(task, ENOSPC);
        else if (errno != EINTR)
            throw file_error(task, errno);
    }
}

// Some file systems (pipes of FUSE, /proc) cannot; what they hold is not lost by that.
void sync(const Task& task, int fd) {
    if (::fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) throw file_error(task, errno);
}

void sync_folder(const UniqueFd& folder) {
    const UniqueFd readable{::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (readable) ::fsync(readable.get());  // the file itself is safe; a file system that refuses this has its own ways
}

/// A file under a temporary name, removed unless it has been given its real one.
class TemporaryFile {
public:
    TemporaryFile(const Task& task, const UniqueFd& folder, mode_t mode) : folder_{folder}, name_{temporary_name(task)} {
        fd_.reset(::openat(folder_.get(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
        if (!fd_) throw file_error(task, errno);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!renamed_) ::unlinkat(folder_.get(), name_.c_str(), 0);
    }

    int fd() const noexcept { return fd_.get(); }
    const std::string& name() const noexcept { return name_; }
    void close(const Task& task) {
        if (::close(fd_.release()) != 0 && errno != EINTR) throw file_error(task, errno);  // NFS reports a full disk here
    }
    void renamed() noexcept { renamed_ = true; }

private:
    const UniqueFd& folder_;
    std::string name_;
    UniqueFd fd_;
    bool renamed_{false};
};

// Mode and owner of the file that is replaced. Who may not give files away keeps the new one, then without the bits that act for the owner.
void take_over(const Task& task, int fd, const Stat& old) {
    mode_t mode = old.st_mode & k_permissions;
    Stat mine{};
    if (::fstat(fd, &mine) != 0) throw file_error(task, errno);
    if ((mine.st_uid != old.st_uid || mine.st_gid != old.st_gid) && ::fchown(fd, old.st_uid, old.st_gid) != 0)
        mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
    if (::fchmod(fd, mode) != 0) throw file_error(task, errno);
}

// errno of a rename that never replaces; 0 when done.
int rename_new(const UniqueFd& from, const std::string& old_name, const UniqueFd& to, const std::string& new_name) {
    if (::renameat2(from.get(), old_name.c_str(), to.get(), new_name.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // The file system does not know how. A link cannot replace either; a directory cannot be linked.
    if (::linkat(from.get(), old_name.c_str(), to.get(), new_name.c_str(), 0) != 0) return errno;
    return ::unlinkat(from.get(), old_name.c_str(), 0) == 0 ? 0 : errno;
}

// Puts the temporary file in its place.
void place(const Task& task, TemporaryFile& file, const Spot& spot, bool replace, const Stop& stop) {
    stop.commit(task);
    if (replace) {
        if (::renameat(spot.folder.get(), file.name().c_str(), spot.folder.get(), spot.name.c_str()) != 0) throw file_error(task, errno);
    } else if (const int error = rename_new(spot.folder, file.name(), spot.folder, spot.name); error != 0) {
        throw file_error(task, error);
    }
    file.renamed();
    sync_folder(spot.folder);
}

void write_new(const Task& task, const Spot& spot, std::string_view data, bool replace, const Stop& stop) {
    Stat old{};
    const bool there = ::fstatat(spot.folder.get(), spot.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there && errno != ENOENT) throw file_error(task, errno);
    if (there && !S_ISREG(old.st_mode)) throw not_regular(task, old.st_mode);
    if (there && !replace) throw file_error(task, EEXIST);  // the rename says so too, after all the writing
    // A rename asks for the right to change the directory only. A file that this user could not write to is not replaced behind its owner's back.
    if (there && ::faccessat(spot.folder.get(), spot.name.c_str(), W_OK, AT_EACCESS) != 0) throw file_error(task, errno);

    TemporaryFile file{task, spot.folder, static_cast<mode_t>(there ? 0600 : 0666)};
    write_all(task, file.fd(), data, stop);
    if (there) take_over(task, file.fd(), old);
    sync(task, file.fd());
    file.close(task);
    place(task, file, spot, replace, stop);
}

void append(const Task& task, const Spot& spot, std::string_view data, const Stop& stop) {
    Stat before{};
    UniqueFd fd;
    bool made = false;
    // Creating and opening are apart, so that a file that this call has made can go again where it stays without contents.
    fd.reset(::openat(spot.folder.get(), spot.name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd)
        made = true;
    else if (errno != EEXIST)
        throw file_error(task, errno);
    else
        fd = open_regular(task, spot, O_WRONLY | O_APPEND, before);
    try {
        write_all(task, fd.get(), data, stop);
        sync(task, fd.get());
        stop.commit(task);  // who has been told of a cancellation finds the file as it was
    } catch (...) {
        // What was written of it goes again, unless somebody else has appended meanwhile: then it cannot be taken out.
        const ::off_t end = ::lseek(fd.get(), 0, SEEK_CUR);  // after our last byte
        Stat now{};
        if (::fstat(fd.get(), &now) == 0 && now.st_size == end && now.st_size > before.st_size) {
            if (::ftruncate(fd.get(), before.st_size) == 0) now.st_size = before.st_size;
        }
        if (made && now.st_size == 0) ::unlinkat(spot.folder.get(), spot.name.c_str(), 0);
        throw;
    }
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
    for (;;) {
        const auto size = ::read(source.get(), block.data(), block.size());
        if (size == 0) break;
        if (size < 0 && errno != EINTR) throw file_error(task, errno);
        if (size > 0) write_all(task, copy.fd(), {block.data(), static_cast<std::size_t>(size)}, stop);
    }
    take_over(task, copy.fd(), info);
    const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
    ::futimens(copy.fd(), times.data());
    sync(task, copy.fd());
    copy.close(task);
    place(task, copy, to, overwrite, stop);
    if (::unlinkat(from.folder.get(), from.name.c_str(), 0) != 0) throw file_error(task, errno);
    sync_folder(from.folder);
}

}  // namespace

std::vector<FileInfo> list(const Task& task, const FileOptions& options, std::string_view pattern, const Stop& stop) {
    const Spot spot = find(task, options);
    UniqueFd fd{::openat(spot.folder.get(), spot.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
    if (!fd) throw file_error(task, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::fdopendir(fd.get()), &::closedir};
    if (!folder) throw file_error(task, errno);
    const int base = fd.release();  // belongs to `folder` now
    const std::string glob{pattern};

    std::vector<FileInfo> found;
    for (std::size_t seen = 0;; ++seen) {
        if (seen % 256 == 0) stop.check(task);
        errno = 0;
        const dirent* entry = ::readdir(folder.get());
        if (entry == nullptr) {
            if (errno != 0) throw file_error(task, errno);
            break;
        }
        const std::string_view name{entry->d_name};
        if (name == "." || name == ".." || is_temporary(name)) continue;
        if (!glob.empty() && ::fnmatch(glob.c_str(), entry->d_name, FNM_PERIOD) != 0) continue;
        Stat info{};
        if (::fstatat(base, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) continue;  // gone since
            throw file_error(task, errno);
        }
        found.push_back(info_of(std::string{name}, info));
        if (S_ISLNK(info.st_mode)) {
            std::array<char, PATH_MAX> target{};
            const auto size = ::readlinkat(base, entry->d_name, target.data(), target.size());
            if (size >= 0) found.back().target.emplace(target.data(), static_cast<std::size_t>(size));
        }
    }
    std::sort(found.begin(), found.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return found;
}

FileInfo stat(const Task& task, const FileOptions& options, const Stop& stop) {
    stop.check(task);
    const Spot spot = find(task, options);
    Stat info{};
    if (::fstatat(spot.folder.get(), spot.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw file_error(task, errno);
    return info_of(last_part(task.path, options.path), info);
}

std::string read(const Task& task, const FileOptions& options, const Stop& stop) {
    Stat info{};
    const UniqueFd fd = open_regular(task, find(task, options), O_RDONLY, info);
    const auto too_large = [&] {
        return file_error(task, FileErrc::limit, Reason::limit, "the file is larger than " + std::to_string(options.max_read) + " bytes (max_read)");
    };
    const auto known = static_cast<std::uint64_t>(info.st_size);
    if (known > options.max_read) throw too_large();

    std::string data;
    std::size_t size = 0;
    for (;;) {
        stop.check(task);
        // One byte more than is known, to see the end without another block; files of /proc say that they have none.
        const std::size_t room = known > size ? std::min<std::size_t>(k_block, static_cast<std::size_t>(known) - size + 1) : k_block;
        if (data.capacity() < size + room) data.reserve(std::max(size + room, static_cast<std::size_t>(known) + 1));
        data.resize(size + room);
        const auto got = ::read(fd.get(), data.data() + size, room);
        if (got < 0 && errno != EINTR) throw file_error(task, errno);
        if (got > 0) size += static_cast<std::size_t>(got);
        if (got == 0) break;
        if (size > options.max_read) throw too_large();
    }
    data.resize(size);
    return data;
}

void write(const Task& task, const FileOptions& options, std::string_view data, WriteMode mode, const Stop& stop) {
    refuse_read_only(task, options);
    stop.check(task);
    if (task.path.ends_with('/')) throw file_error(task, EISDIR);
    const Spot spot = find(task, options);
    if (spot.name == ".") throw file_error(task, EISDIR);
    if (mode == WriteMode::append)
        append(task, spot, data, stop);
    else
        write_new(task, spot, data, mode == WriteMode::replace, stop);
}

void move(const Task& task, const FileOptions& options, std::string_view to, bool overwrite, const Stop& stop) {
    refuse_read_only(task, options);
    const Spot source = find(task, options, false);
    const Task target_task{task.label, task.directory, task.verb, to};
    const Spot target = find(target_task, options, false);
    if (source.name == "." || target.name == ".") throw file_error(task, EINVAL);
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
    // Each directory on the way: "a", "a/b", "a/b/c".
    for (std::size_t end = 0; end < task.path.size();) {
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
