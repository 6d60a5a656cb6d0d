// SPDX-License-Identifier: Apache-2.0
/// What every client that moves files can do, whatever the protocol.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>

namespace qconn {

enum class FileType : std::uint8_t { file, directory, symlink, other };
QCONN_API std::string_view to_string(FileType type) noexcept;

/// What is known of a file; what the protocol does not tell is absent. A value type.
struct FileInfo {
    /// Name in its directory.
    std::string name;
    FileType type{FileType::other};
    std::uint64_t size{0};
    std::optional<std::chrono::system_clock::time_point> modified;
    std::optional<std::uint32_t> mode;  ///< permission bits, for example 0644
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
    std::optional<std::string> target;  ///< of a symbolic link
};

/// Space of the file system that holds the connection's directory.
struct FreeSpace {
    std::uint64_t total{0};      ///< bytes
    std::uint64_t available{0};  ///< bytes, to this user
    std::uint64_t files{0};      ///< inodes; 0 where the file system has no such number
    std::uint64_t files_free{0};
    /// 0 to 100.
    double used_percent() const noexcept { return total == 0 ? 0 : 100.0 * static_cast<double>(total - available) / static_cast<double>(total); }
};

enum class WriteMode : std::uint8_t {
    replace,  ///< atomically: a temporary name, then a rename; the old contents stay where it fails
    create,   ///< fails (reason exists) where the file is there
    append,
};

/// Files under one directory. Paths are relative to the connection's directory, or absolute where the protocol's server allows it; '/' separates.
/// @note Thread-safe. Whether calls run beside each other is said at each client.
/// Errors carry reason not_found, permission, exists, disk_full or limit where they apply; the client stays usable after each.
class QCONN_API FileTransferClient : public Client {
public:
    ~FileTransferClient() override;

    /// Entries of a directory without "." and "..", sorted by name. `pattern` is a shell glob for the name; empty: all.
    virtual std::vector<FileInfo> list(std::string_view path = {}, std::string_view pattern = {}, Deadline deadline = {}) = 0;
    /// Follows symbolic links.
    virtual FileInfo stat(std::string_view path, Deadline deadline = {}) = 0;
    /// The whole file. @throws Error reason limit where it is larger than the client's max_read
    virtual std::string read(std::string_view path, Deadline deadline = {}) = 0;
    virtual void write(std::string_view path, std::string_view data, WriteMode mode = WriteMode::replace, Deadline deadline = {}) = 0;
    /// Within the connection. An existing target file is replaced only with `overwrite`.
    virtual void move(std::string_view from, std::string_view to, bool overwrite = false, Deadline deadline = {}) = 0;
    /// A file or a symbolic link; a directory only when it is empty.
    virtual void remove(std::string_view path, Deadline deadline = {}) = 0;
    /// With the directories on the way to it; no error where it is there already.
    virtual void make_directory(std::string_view path, Deadline deadline = {}) = 0;
    virtual FreeSpace free_space(Deadline deadline = {}) = 0;

    // The same, asynchronously; the callback comes as said at Callback.
    virtual Operation async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) = 0;
    virtual Operation async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) = 0;
    virtual Operation async_read(std::string path, Deadline deadline, Callback<std::string> callback) = 0;
    virtual Operation async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) = 0;
    virtual Operation async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) = 0;
    virtual Operation async_remove(std::string path, Deadline deadline, Callback<void> callback) = 0;
};

}  // namespace qconn
