// SPDX-License-Identifier: Apache-2.0
/// A directory for one test.
#pragma once

#include <string>
#include <string_view>

namespace qconn::test {

/// A new directory under the system's place for such, readable by all; removed with everything in it at the end, also when the process dies.
/// Its path is short, for UNIX sockets in it. A move-only handle.
class TempDir {
public:
    /// @throws std::runtime_error
    TempDir();
    TempDir(TempDir&& other) noexcept;
    TempDir& operator=(TempDir&&) = delete;
    ~TempDir();

    const std::string& path() const noexcept { return path_; }
    /// The path of something in it.
    std::string operator/(std::string_view name) const { return path_ + '/' + std::string{name}; }
    /// Writes a file, with the directories on the way to it; returns its path.
    std::string write(std::string_view name, std::string_view text) const;
    /// The contents of a file; empty where it is not there.
    std::string read(std::string_view name) const;

private:
    std::string path_;
};

/// The contents of a file; empty where it cannot be read.
std::string read_file(const std::string& path);

}  // namespace qconn::test
