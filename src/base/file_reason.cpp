// SPDX-License-Identifier: Apache-2.0
#include "base/file_reason.hpp"

#include <cerrno>

namespace qconn {

Reason file_reason(int error) noexcept {
    switch (error) {
        case ENOENT:
        case ENOTDIR: return Reason::not_found;
        case EACCES:
        case EPERM:
        case EROFS: return Reason::permission;
        case EEXIST:
        case ENOTEMPTY: return Reason::exists;
        case ENOSPC:
        case EDQUOT: return Reason::disk_full;
        case EFBIG:
        case EMLINK: return Reason::limit;
        case ETIMEDOUT: return Reason::timeout;
        case EISDIR:
        case EINVAL:
        case ENAMETOOLONG:
        case ELOOP: return Reason::bad_value;
        case ENOTSUP:
        case ENOSYS:
        case EXDEV: return Reason::unsupported;
        default: return Reason::local;
    }
}

}  // namespace qconn
