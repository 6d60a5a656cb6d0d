// SPDX-License-Identifier: Apache-2.0
/// A file takes the name of another, at servers without posix-rename.
#pragma once

#include <string>

#include "ssh/sftp_remote.hpp"

namespace qconn::sftp {

/// Version 3 renames to free names only. Removing what is there and then renaming could end between the two with neither; so it is renamed too, which
/// costs as much, and removed last: whatever fails, it is put back, or its name is in the error.
/// @param to         a file is there
/// @param temporary  `from` is of no use under its own name: where what was there is there again, it is removed
/// @throws Error why it was not replaced
Task<void> replace(const Remote& remote, std::string from, std::string to, bool temporary);

}  // namespace qconn::sftp
