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

/// @throws Error FILE-READ-ONLY-ERROR
void refuse_read_only(const Task& task, const FileOptions& options);

std::vector<FileInfo> list(const Task& task, const FileOptions& options, std::string_view pattern, const Stop& stop);
void visit(const Task& task, const FileOptions& options, const FileVisitor& visitor, const Stop& stop);
FileInfo stat(const Task& task, const FileOptions& options, bool follow, const Stop& stop);
std::string read(const Task& task, const FileOptions& options, const Stop& stop);
std::uint64_t get(const Task& task, const FileOptions& options, ByteSink& sink, const GetOptions& how, const Stop& stop);
std::uint64_t put(const Task& task, const FileOptions& options, ByteSource& source, const PutOptions& how, const Stop& stop);
void set_attributes(const Task& task, const FileOptions& options, const FileAttributes& attributes, const Stop& stop);
void make_symlink(const Task& task, const FileOptions& options, std::string_view target, const Stop& stop);
void make_hard_link(const Task& task, const FileOptions& options, std::string_view existing, const Stop& stop);
void move(const Task& task, const FileOptions& options, std::string_view to, bool overwrite, const Stop& stop);
void remove(const Task& task, const FileOptions& options, const Stop& stop);
void make_directory(const Task& task, const FileOptions& options, const Stop& stop);
FreeSpace free_space(const Task& task, const FileOptions& options);
void check_directory(const Task& task, const FileOptions& options);

/// What is thrown by the caller's own code, as an error of this call.
template <class Call>
auto of_caller(const Task& task, Call call) {
    try {
        return call();
    } catch (const Error&) { throw; } catch (const std::exception& error) {
        throw file_error(task, FileErrc::failed, Reason::none, std::string{"the other end of the transfer failed: "} + error.what());
    }
}

}  // namespace qconn::file
