// SPDX-License-Identifier: Apache-2.0
/// Files that get their name when they are finished, and what is done on the way there.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/file/file_client.hpp>

#include "base/unique_fd.hpp"
#include "file/directory.hpp"
#include "file/operation.hpp"

namespace qconn::file {

using Stat = struct stat;
inline constexpr mode_t k_permissions = 07777;

/// Whether both are one file.
inline bool is_same(const Stat& a, const Stat& b) noexcept { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

/// Of a file that is no regular one.
Error not_regular(const Task& task, mode_t mode);
/// An existing regular file; never waits for the other end of a pipe.
UniqueFd open_regular(const Task& task, const Spot& spot, int flags, Stat& info);
/// @param written  grows by what is in the file, also where it fails
void write_all(const Task& task, int fd, std::string_view data, const Stop& stop, std::uint64_t& written);
/// To the disk.
void sync(const Task& task, int fd);
void sync_folder(const UniqueFd& folder);
/// Mode and owner of the file that is replaced. Who may not give files away keeps the new one, then without the bits that act for the owner.
void take_over(const Task& task, int fd, const Stat& old);
void change(const Task& task, int fd, const FileAttributes& attributes);
/// @returns false with errno
bool set_modified(int fd, std::chrono::system_clock::time_point modified) noexcept;
/// A rename that never replaces. @returns 0, or an errno
int rename_new(const UniqueFd& from, const std::string& old_name, const UniqueFd& to, const std::string& new_name);

/// Whether the name still means that open file.
bool is_named(int folder, const char* name, int fd) noexcept;
/// A part that is gone on with, made where it is not there, and locked: one transfer at a time has it.
/// @param name    as part_name() makes it
/// @param access  O_WRONLY or O_RDWR
/// @returns 0, or an errno: EWOULDBLOCK where another transfer has it, ENOTSUP where it is no regular file
int open_part(int folder, const std::string& name, int access, mode_t mode, UniqueFd& fd);

/// A file under a temporary name, removed unless it has been given its real one or is to be kept.
class TemporaryFile {
public:
    TemporaryFile(const Task& task, const UniqueFd& folder, mode_t mode);
    /// One that is gone on with: it stays for the next try. One call at a time has it.
    static TemporaryFile part(const Task& task, const UniqueFd& folder, std::string name, mode_t mode);
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();

    int fd() const noexcept { return fd_.get(); }
    /// All is written. It stays open, so that nobody else takes it for a part before it has its name.
    void end(const Task& task) const;
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
