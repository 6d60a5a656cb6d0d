// SPDX-License-Identifier: Apache-2.0
#include "file/local_part.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "file/directory.hpp"
#include "file/temporary_file.hpp"
#include "file/temporary_name.hpp"

namespace qconn::file {
namespace {

namespace fs = std::filesystem;

/// Where a symbolic link leads to, also to nothing yet: that is replaced, and the link stays one.
std::string behind_links(std::string file) {
    for (int links = 0;; ++links) {
        std::error_code error;
        const fs::path target = fs::read_symlink(file, error);
        if (error) return file;  // it is none
        if (links == k_max_links) fail_file("writing", file, ELOOP);
        file = fs::path{file}.parent_path() / target;
    }
}

std::string replaceable(const std::string& file) {
    Stat there{};
    if (::stat(file.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
        if (S_ISDIR(there.st_mode)) fail_file("writing", file, EISDIR);
        throw make_error(Errc::system, "writing " + file + " failed: it is not a regular file; pipes, sockets and devices are left alone")
            .with_phase(Phase::body)
            .with_reason(Reason::unsupported);
    }
    return behind_links(file);
}

LocalFile part_of(const std::string& target) {
    const fs::path path{target};
    std::string name = path.parent_path() / part_name(path.filename().native());
    UniqueFd fd;
    const int error = open_part(AT_FDCWD, name, O_RDWR, 0666, fd);
    if (error == EWOULDBLOCK) fail_file("writing", target + ", to which another transfer is under way,", EBUSY);
    if (error != 0) fail_file("making the part of", target, error);
    return LocalFile::of(std::move(name), std::move(fd));
}

}  // namespace

LocalPart::LocalPart(const std::string& file, bool keeps) : target_{replaceable(file)}, part_{part_of(target_)}, keeps_{keeps} {}

LocalPart::~LocalPart() {
    if (!keeps_ && is_ours()) ::unlink(part_.path().c_str());
}

void LocalPart::change(const FileInfo& original, const FileCopyOptions& options) {
    if (options.keep_mode && original.mode && ::fchmod(part_.fd(), *original.mode & k_permissions) != 0) fail_file("changing", part_.path(), errno);
    if (options.keep_time && original.modified && !set_modified(part_.fd(), *original.modified)) fail_file("changing", part_.path(), errno);
}

void LocalPart::finish(bool durable) {
    if (durable) part_.sync();
    part_.check_close();
    if (!is_ours())
        throw make_error(Errc::system, "writing " + target_ + " failed: its part, " + part_.path() + ", was taken away or replaced meanwhile")
            .with_phase(Phase::body)
            .with_reason(Reason::local)
            .with_retryable(true);
    rename_file(part_.path(), target_);
    keeps_ = true;
}

bool LocalPart::is_ours() const noexcept { return is_named(AT_FDCWD, part_.path().c_str(), part_.fd()); }

}  // namespace qconn::file
