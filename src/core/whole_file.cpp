// SPDX-License-Identifier: Apache-2.0
#include "core/whole_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <qconn/base/secret.hpp>

#include "net/unique_fd.hpp"

namespace qconn::core {

int read_whole_file(const std::string& path, std::size_t most, std::string& text, struct stat* status, Deadline deadline) {
    text.clear();
    if (path.find('\0') != std::string::npos) return ENOENT;
    const net::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat own {};
    struct stat& seen = status ? *status : own;
    if (file.get() < 0 || ::fstat(file.get(), &seen) != 0) return errno;
    if (S_ISDIR(seen.st_mode)) return EISDIR;
    if (!S_ISREG(seen.st_mode)) return EINVAL;
    if (static_cast<std::size_t>(std::max<off_t>(seen.st_size, 0)) > most) return EFBIG;
    const auto failed = [&](int error) {
        wipe(text);
        return error;
    };
    std::size_t used = 0;
    // One more shows the end without a second round; growing leaves unwiped copies behind, so only a file that grows meanwhile does that.
    text.resize(static_cast<std::size_t>(seen.st_size) + 1);
    for (;;) {
        if (used == text.size()) text.resize(text.size() + 64 * 1024);
        const ssize_t got = ::read(file.get(), text.data() + used, text.size() - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(errno);
        used += static_cast<std::size_t>(got);
        if (used > most) return failed(EFBIG);
        if (got == 0) break;
        if (deadline.has_passed()) return failed(ETIMEDOUT);
    }
    text.resize(used);
    return 0;
}

std::string file_problem(int error, std::size_t most) {
    if (error == EFBIG) return "it is larger than " + std::to_string(most) + " bytes";
    if (error == EINVAL) return "it is no regular file";
    return std::generic_category().message(error);
}

Reason file_reason(int error) noexcept {
    switch (error) {
        case ENOENT:
        case ENOTDIR: return Reason::missing;
        case EACCES:
        case EPERM: return Reason::permission;
        case EFBIG: return Reason::limit;
        case ETIMEDOUT: return Reason::timeout;
        case EISDIR:
        case EINVAL: return Reason::bad_value;
        default: return Reason::local;
    }
}

}  // namespace qconn::core
