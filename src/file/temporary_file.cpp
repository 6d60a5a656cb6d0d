// SPDX-License-Identifier: Apache-2.0
#include "file/temporary_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/local_file.hpp"
#include "file/storage.hpp"
#include "file/temporary_name.hpp"

namespace qconn::file {
namespace {

/// How often a part is taken away by others, in a row, before they may have it.
constexpr int k_most_tries = 16;

}  // namespace

Error not_regular(const Task& task, mode_t mode) {
    if (S_ISDIR(mode)) return file_error(task, EISDIR);
    return file_error(task, FileErrc::failed, Reason::unsupported, "it is not a regular file; pipes, sockets and devices are left alone");
}

UniqueFd open_regular(const Task& task, const Spot& spot, int flags, Stat& info) {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    UniqueFd fd{::openat(spot.folder.get(), spot.name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    if (!fd) {
        if (errno == ENXIO) throw not_regular(task, S_IFIFO);
        throw file_error(task, errno);
    }
    if (::fstat(fd.get(), &info) != 0) throw file_error(task, errno);
    if (!S_ISREG(info.st_mode)) throw not_regular(task, info.st_mode);
    return fd;
}

void write_all(const Task& task, int fd, std::string_view data, const Stop& stop, std::uint64_t& written) {
    while (!data.empty()) {
        stop.check(task);
        const auto put = ::write(fd, data.data(), std::min(data.size(), k_block));
        if (put == 0) throw file_error(task, ENOSPC);
        if (put < 0 && errno != EINTR) throw file_error(task, errno);
        if (put < 0) continue;
        data.remove_prefix(static_cast<std::size_t>(put));
        written += static_cast<std::uint64_t>(put);
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

void take_over(const Task& task, int fd, const Stat& old) {
    mode_t mode = old.st_mode & k_permissions;
    Stat mine{};
    if (::fstat(fd, &mine) != 0) throw file_error(task, errno);
    if ((mine.st_uid != old.st_uid || mine.st_gid != old.st_gid) && ::fchown(fd, old.st_uid, old.st_gid) != 0)
        mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
    if (::fchmod(fd, mode) != 0) throw file_error(task, errno);
}

void change(const Task& task, int fd, const FileAttributes& attributes) {
    const auto same = static_cast<uid_t>(-1);
    if ((attributes.uid || attributes.gid) && ::fchown(fd, attributes.uid.value_or(same), attributes.gid.value_or(same)) != 0)
        throw file_error(task, errno);
    if (attributes.mode && ::fchmod(fd, *attributes.mode & k_permissions) != 0) throw file_error(task, errno);
    if (attributes.modified && !set_modified(fd, *attributes.modified)) throw file_error(task, errno);
}

bool set_modified(int fd, std::chrono::system_clock::time_point modified) noexcept {
    const auto since = modified.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    timespec time{};
    time.tv_sec = static_cast<time_t>(seconds.count());
    time.tv_nsec = static_cast<long>(std::chrono::nanoseconds{since - seconds}.count());
    const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, time};
    return ::futimens(fd, times.data()) == 0;
}

int rename_new(const UniqueFd& from, const std::string& old_name, const UniqueFd& to, const std::string& new_name) {
    if (::renameat2(from.get(), old_name.c_str(), to.get(), new_name.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // The file system does not know how. A link cannot replace either; a directory cannot be linked.
    if (::linkat(from.get(), old_name.c_str(), to.get(), new_name.c_str(), 0) != 0) return errno;
    return ::unlinkat(from.get(), old_name.c_str(), 0) == 0 ? 0 : errno;
}

bool is_named(int folder, const char* name, int fd) noexcept {
    Stat named{};
    Stat open{};
    return ::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(fd, &open) == 0 && is_same(named, open);
}

int open_part(int folder, const std::string& name, int access, mode_t mode, UniqueFd& fd) {
    for (int tries = 0; tries < k_most_tries; ++tries) {
        fd.reset(::openat(folder, name.c_str(), access | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode));
        Stat info{};
        if (!fd || ::fstat(fd.get(), &info) != 0) return errno;
        if (!S_ISREG(info.st_mode)) return ENOTSUP;
        if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno != ENOLCK && errno != ENOTSUP) return errno;
        // Who had it may have finished between the two: what is open is then the file itself, under its real name.
        if (is_named(folder, name.c_str(), fd.get())) return 0;
    }
    return EWOULDBLOCK;
}

TemporaryFile::TemporaryFile(const UniqueFd& folder, std::string name, UniqueFd fd, bool keeps)
    : folder_{folder}, name_{std::move(name)}, fd_{std::move(fd)}, keeps_{keeps} {}

TemporaryFile::TemporaryFile(const Task& task, const UniqueFd& folder, mode_t mode) : folder_{folder}, name_{temporary_name()} {
    fd_.reset(::openat(folder_.get(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd_) throw file_error(task, errno);
}

TemporaryFile TemporaryFile::part(const Task& task, const UniqueFd& folder, std::string name, mode_t mode) {
    UniqueFd fd;
    const int error = open_part(folder.get(), name, O_WRONLY, mode, fd);
    if (error == EWOULDBLOCK)
        throw file_error(task, FileErrc::failed, Reason::exists, "another transfer to the same name is under way, which can be resumed");
    if (error != 0) throw file_error(task, error);
    return TemporaryFile{folder, std::move(name), std::move(fd), true};
}

TemporaryFile::~TemporaryFile() {
    if (!keeps_) ::unlinkat(folder_.get(), name_.c_str(), 0);
}

void TemporaryFile::end(const Task& task) const {
    if (const int error = close_error(fd_.get()); error != 0) throw file_error(task, error);
}

void TemporaryFile::place(const Task& task, const Spot& spot, bool replace, const Stop& stop) {
    if (keeps_ && !is_named(folder_.get(), name_.c_str(), fd_.get()))  // the name of a part is known to others
        throw file_error(task, FileErrc::failed, Reason::local, "its temporary file was taken away or replaced meanwhile");
    stop.commit(task);
    if (replace) {
        if (::renameat(folder_.get(), name_.c_str(), spot.folder.get(), spot.name.c_str()) != 0) throw file_error(task, errno);
    } else if (const int error = rename_new(folder_, name_, spot.folder, spot.name); error != 0) {
        throw file_error(task, error);
    }
    keeps_ = true;
    sync_folder(spot.folder);
}

}  // namespace qconn::file
