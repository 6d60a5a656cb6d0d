// SPDX-License-Identifier: Apache-2.0
/// A file of this machine until it has its name.
#pragma once

#include <string>

#include <qconn/file/transfer.hpp>

#include "base/local_file.hpp"

namespace qconn::file {

/// What a copy is written to. It stands beside the file that it becomes, as `.qconn-<16 hex digits>.part`: no name that a copied tree may hold
/// itself.
class LocalPart {
public:
    /// @param file   a symbolic link is followed; what is there and no regular file is refused
    /// @param keeps  it stays for the next try unless it is finished
    /// @throws Error SYSTEM-ERROR
    LocalPart(const std::string& file, bool keeps);
    LocalPart(const LocalPart&) = delete;
    LocalPart& operator=(const LocalPart&) = delete;
    ~LocalPart();

    LocalFile& operator*() noexcept { return part_; }
    LocalFile* operator->() noexcept { return &part_; }
    /// Time and permissions of the original, where they are asked for.
    void change(const FileInfo& original, const FileCopyOptions& options);
    /// Gives it its name.
    void finish(bool durable);

private:
    bool is_ours() const noexcept;

    std::string target_;
    LocalFile part_;
    bool keeps_;
};

}  // namespace qconn::file
