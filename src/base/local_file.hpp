// SPDX-License-Identifier: Apache-2.0
/// Files of this machine that bytes come from and go to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace qconn {

/// An open file. Errors are SYSTEM-ERROR with the system's words and the reason that goes with them.
class LocalFile {
public:
    /// A regular file. @throws Error
    static LocalFile to_read(const std::string& path);
    /// Made where it is not there; what it has is kept. @throws Error
    static LocalFile to_write(const std::string& path);
    /// One that is open. @param path  its name, for errors. @throws Error
    static LocalFile of(std::string path, UniqueFd fd, std::string_view verb = "opening");

    /// When it was opened.
    std::uint64_t size() const noexcept { return size_; }
    const std::string& path() const noexcept { return path_; }
    int fd() const noexcept { return fd_.get(); }
    std::size_t read(char* to, std::size_t most);
    void seek(std::uint64_t offset);
    void write(std::string_view bytes);
    void cut(std::uint64_t size);
    /// To the disk.
    void sync();
    /// What closing it says: NFS tells there that a disk is full. It stays open all the same, with its locks. @throws Error
    void check_close() const;

private:
    LocalFile(std::string path, UniqueFd fd, std::uint64_t size) : path_{std::move(path)}, fd_{std::move(fd)}, size_{size} {}
    static LocalFile open(const std::string& path, int flags, const char* verb);

    std::string path_;
    UniqueFd fd_;
    std::uint64_t size_{0};
};

/// What a close of the descriptor says, which stays open. @returns an errno, or 0
int close_error(int fd) noexcept;
/// @throws Error
void rename_file(const std::string& from, const std::string& to);
/// SYSTEM-ERROR: `writing /path failed: …`
[[noreturn]] void fail_file(std::string_view verb, const std::string& path, int error);

}  // namespace qconn
