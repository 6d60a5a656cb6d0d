// SPDX-License-Identifier: Apache-2.0
/// What is done with files, one function a call, blocking.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/file/file_client.hpp>

#include "file/operation.hpp"

namespace qconn::file {

/// Files are read and written in blocks of this size; between them deadlines and cancellations are looked at.
inline constexpr std::size_t k_block = 256 * 1024;

std::vector<FileInfo> list(const Task& task, const FileOptions& options, std::string_view pattern, const Stop& stop);
FileInfo stat(const Task& task, const FileOptions& options, const Stop& stop);
std::string read(const Task& task, const FileOptions& options, const Stop& stop);
void write(const Task& task, const FileOptions& options, std::string_view data, WriteMode mode, const Stop& stop);
void move(const Task& task, const FileOptions& options, std::string_view to, bool overwrite, const Stop& stop);
void remove(const Task& task, const FileOptions& options, const Stop& stop);
void make_directory(const Task& task, const FileOptions& options, const Stop& stop);
FreeSpace free_space(const Task& task, const FileOptions& options);
void check_directory(const Task& task, const FileOptions& options);

}  // namespace qconn::file
