// SPDX-License-Identifier: Apache-2.0
#include "cli/definition_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <qconn/base/error.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/core/definition.hpp>

#include "cli/live.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

[[noreturn]] void fail(std::string_view what, const std::string& path, int error) {
    std::string message{what};
    message.append(" \"").append(path).append("\" failed: ").append(std::generic_category().message(error));
    throw make_error(Errc::system, std::move(message)).with_reason(error == ENOSPC || error == EDQUOT ? Reason::disk_full : Reason::local);
}

/// @returns errno; 0 where all was read
int read_all(int fd, std::string& text, std::size_t most) {
    std::array<char, 16 * 1024> part{};
    for (;;) {
        const ssize_t got = ::read(fd, part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        text.append(part.data(), static_cast<std::size_t>(got));
        if (text.size() > most) return EFBIG;
    }
}

/// @returns errno; 0 where all was written and is on the disk
int write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return ::fsync(fd) == 0 ? 0 : errno;
}

/// Holds off other runs of the tool, and syncs the directory at the end. Where the file system has no locks there is none.
class DirectoryLock {
public:
    explicit DirectoryLock(const std::string& directory) : directory_{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {
        if (directory_.get() < 0) fail("opening the directory", directory, errno);
        while (::flock(directory_.get(), LOCK_EX) != 0 && errno == EINTR) {}
    }
    void sync() const { ::fsync(directory_.get()); }  // a file system that refuses this has its own ways

private:
    Descriptor directory_;
};

/// A file that is gone again unless it is kept.
class Fresh {
public:
    Fresh(std::string path, int fd) : path_{std::move(path)}, file_{fd} {}
    Fresh(const Fresh&) = delete;
    Fresh& operator=(const Fresh&) = delete;
    ~Fresh() {
        if (!kept_) ::unlink(path_.c_str());
    }
    int get() const noexcept { return file_.get(); }
    const std::string& path() const noexcept { return path_; }
    void keep() noexcept { kept_ = true; }

private:
    std::string path_;
    Descriptor file_;
    bool kept_{false};
};

}  // namespace

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real{::realpath(path.c_str(), nullptr), std::free};
    return real ? std::string{real.get()} : path;
}

DefinitionFile::DefinitionFile(const std::string& path) : path_{real_path(path)} {
    const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file.get() < 0 && errno == ENOENT) throw NotFound("there is no file \"" + printable(path) + "\"");
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail("reading", path_, errno);
    if (!S_ISREG(status.st_mode)) fail("reading", path_, EINVAL);
    mode_ = status.st_mode & 07777;
    owner_ = status.st_uid;
    group_ = status.st_gid;
    if (const int error = read_all(file.get(), text_, DefinitionLimits{}.max_file_size); error != 0) fail("reading", path_, error);
}

DefinitionFile::~DefinitionFile() { wipe(text_); }

void DefinitionFile::require_unchanged() const {
    std::string now;
    const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    const bool same = file.get() >= 0 && read_all(file.get(), now, text_.size() + 1) == 0 && now == text_;
    wipe(now);
    if (!same)
        throw Error{Errc::invalid_argument, "FILE-CHANGED", "\"" + path_ + "\" has changed since it was read; nothing was written, try again"}
            .with_reason(Reason::bad_value);
}

void DefinitionFile::replace(std::string_view text) {
    const std::string directory = directory_of(path_);
    // Hidden, so that nobody who reads the directory takes it for definitions.
    std::string name = directory + "/." + path_.substr(path_.rfind('/') + 1) + ".XXXXXX";
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) fail("making a file beside", path_, errno);
    Fresh fresh{name, fd};
    // The owner first: a change of it takes rights away.
    [[maybe_unused]] const int owned = ::fchown(fresh.get(), owner_, group_);
    if (::fchmod(fresh.get(), mode_) != 0) fail("setting the mode of a file beside", path_, errno);
    if (const int error = write_all(fresh.get(), text); error != 0) fail("writing", path_, error);
    const DirectoryLock lock{directory};
    require_unchanged();
    if (std::rename(fresh.path().c_str(), path_.c_str()) != 0) fail("replacing", path_, errno);
    fresh.keep();
    lock.sync();
    wipe(text_);
    text_ = text;
}

void DefinitionFile::remove() {
    const DirectoryLock lock{directory_of(path_)};
    require_unchanged();
    if (::unlink(path_.c_str()) != 0) fail("removing", path_, errno);
    lock.sync();
}

void create_file(const std::string& path, std::string_view text, mode_t mode) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) fail("making", path, errno);
    Fresh fresh{path, fd};
    if (const int error = write_all(fresh.get(), text); error != 0) fail("writing", path, error);
    fresh.keep();
    const Descriptor directory{::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.get() >= 0) ::fsync(directory.get());
}

}  // namespace qconn::cli
