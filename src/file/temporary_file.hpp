// SPDX-License-Identifier: Apache-2.0
/// Files that get their name when they are finished, and what is done on the way there.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include <qconn/file/file_client.hpp>

#include "base/unique_fd.hpp"
#include "file/directory.hpp"
#include "file/operation.hpp"

namespace qconn::file {

using Stat = struct stat;
inline constexpr mode_t k_permissions = 07777;

/// Of a file that is no regular one.
Error not_regular(const Task& task, mode_t mode);
/// An existing regular file; never waits for the other end of a pipe.
UniqueFd open_regular(const Task& task, const Spot& spot, int flags, Stat& info);
void write_all(const Task& task, int fd, std::string_view data, const Stop& stop);
/// To the disk.
void sync(const Task& task, int fd);
void sync_folder(const UniqueFd& folder);
/// Mode and owner of the file that is replaced. Who may not give files away keeps the new one, then without the bits that act for the owner.
void take_over(const Task& task, int fd, const Stat& old);
void change(const Task& task, int fd, const FileAttributes& attributes);
/// A rename that never replaces. @returns 0, or an errno
int rename_new(const UniqueFd& from, const std::string& old_name, const UniqueFd& to, const std::string& new_name);

/// A file under a temporary name, removed unless it has been given its real one or is to be kept.
class TemporaryFile {
public:
    TemporaryFile(const Task& task, const UniqueFd& folder, mode_t mode);
    /// One that is gone on with: it stays for the next try. One call at a time has it.
    /// @param name  as part_name() makes it
    static TemporaryFile part(const Task& task, const UniqueFd& folder, std::string name, mode_t mode);
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();

    int fd() const noexcept { return fd_.get(); }
    void close(const Task& task);
    /// Puts it in its place. From the beginning of this on a cancellation comes too late.
    void place(const Task& task, const Spot& spot, bool replace, const Stop& stop);

private:
    TemporaryFile(const UniqueFd& folder, std::string name, UniqueFd fd, bool keeps);

    const UniqueFd& folder_;
    std::string name_;
    UniqueFd fd_;
    bool keeps_{false};
};

}  // namespace qconn::file
