// SPDX-License-Identifier: Apache-2.0
/// One file between this machine and a connection, for those who know it already.
#pragma once

#include <qconn/file/transfer.hpp>

namespace qconn::file {

/// As get_file, of a file that was looked at before.
std::uint64_t get_known_file(FileTransferClient& client, std::string_view path, const FileInfo& info, const std::string& file,
                             const FileCopyOptions& options, Deadline deadline);

}  // namespace qconn::file
