// SPDX-License-Identifier: Apache-2.0
#include "base/local_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/file_reason.hpp"

namespace qconn {

void fail_file(std::string_view verb, const std::string& path, int error) {
    throw make_error(Errc::system, std::string{verb} + " " + path + " failed: " + std::system_category().message(error))
        .with_phase(Phase::body)
        .with_reason(file_reason(error));
}

LocalFile LocalFile::open(const std::string& path, int flags, const char* verb) {
    UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666)};
    if (!fd) fail_file(verb, path, errno);
    return of(path, std::move(fd), verb);
}

LocalFile LocalFile::of(std::string path, UniqueFd fd, std::string_view verb) {
    struct stat found {};
    if (::fstat(fd.get(), &found) != 0) fail_file(verb, path, errno);
    if (S_ISDIR(found.st_mode)) fail_file(verb, path, EISDIR);
    return LocalFile{std::move(path), std::move(fd), static_cast<std::uint64_t>(found.st_size)};
}

LocalFile LocalFile::to_read(const std::string& path) { return open(path, O_RDONLY, "opening"); }
LocalFile LocalFile::to_write(const std::string& path) { return open(path, O_RDWR | O_CREAT, "making"); }

std::size_t LocalFile::read(char* to, std::size_t most) {
    while (true) {
        const ssize_t got = ::read(fd_.get(), to, most);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) fail_file("reading", path_, errno);
    }
}

void LocalFile::seek(std::uint64_t offset) {
    if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) fail_file("reading", path_, errno);
}

void LocalFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
        if (put > 0)
            bytes.remove_prefix(static_cast<std::size_t>(put));
        else if (put == 0 || errno != EINTR)
            fail_file("writing", path_, put == 0 ? ENOSPC : errno);
    }
}

void LocalFile::cut(std::uint64_t size) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) fail_file("writing", path_, errno);
    seek(size);
}

void LocalFile::sync() {
    if (::fdatasync(fd_.get()) != 0 && errno != EINVAL && errno != EROFS) fail_file("writing", path_, errno);
}

void LocalFile::check_close() const {
    if (const int error = close_error(fd_.get()); error != 0) fail_file("writing", path_, error);
}

int close_error(int fd) noexcept {
    // A copy is closed: each close tells, and a lock goes with the last one only.
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return errno;
    return ::close(copy) == 0 || errno == EINTR ? 0 : errno;
}

void rename_file(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail_file("renaming " + from + " to", to, errno);
}

}  // namespace qconn
