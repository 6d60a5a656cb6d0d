// SPDX-License-Identifier: Apache-2.0
/// Files that bodies come from and go to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/unique_fd.hpp"

namespace qconn::http {

/// An open file. Errors are HTTP-CLIENT-BODY-ERROR.
class File {
public:
    /// A regular file. @throws Error
    static File to_read(const std::string& path);
    /// Made where it is not there; what it has is kept. @throws Error
    static File to_write(const std::string& path);

    /// When it was opened.
    std::uint64_t size() const noexcept { return size_; }
    const std::string& path() const noexcept { return path_; }
    std::size_t read(char* to, std::size_t most);
    void seek(std::uint64_t offset);
    void write(std::string_view bytes);
    void cut(std::uint64_t size);
    /// To the disk.
    void sync();

private:
    File(std::string path, net::UniqueFd fd, std::uint64_t size) : path_{std::move(path)}, fd_{std::move(fd)}, size_{size} {}
    static File open(const std::string& path, int flags, const char* verb);

    std::string path_;
    net::UniqueFd fd_;
    std::uint64_t size_{0};
};

/// @throws Error
void rename_file(const std::string& from, const std::string& to);
/// HTTP-CLIENT-BODY-ERROR: `writing /path failed: …`
[[noreturn]] void fail_file(std::string_view verb, const std::string& path, int error);

}  // namespace qconn::http
