// SPDX-License-Identifier: Apache-2.0
/// A file read as one text.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>

namespace qconn::core {

/// Never waits for the writer of a pipe. Wipes what it has read where it fails.
/// @param status  gets the file's, also where its content could not be read; may be null
/// @returns errno; EISDIR, EINVAL for anything else that is no regular file, EFBIG beyond `most` bytes, ETIMEDOUT; 0 where all was read
int read_whole_file(const std::string& path, std::size_t most, std::string& text, struct stat* status = nullptr, Deadline deadline = {});
/// In words: "No such file or directory", "it is larger than 1024 bytes".
std::string file_problem(int error, std::size_t most);
Reason file_reason(int error) noexcept;

}  // namespace qconn::core
