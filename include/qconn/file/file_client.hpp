// SPDX-License-Identifier: Apache-2.0
/// Files of this machine's file systems.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include <qconn/file/file_transfer_client.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

struct FileOptions {
    /// For messages; the name of the connection.
    std::string label;
    /// The directory; absolute.
    std::string path;
    /// Every operation that would change something fails with reason permission.
    bool read_only{false};
    /// Paths that lead out of the directory (absolute, "..", symbolic links) are refused with reason permission.
    bool confine{false};
    /// Largest file that read() takes into memory.
    std::uint64_t max_read{std::uint64_t{1} << 30};
};

/// Codes of this family: FILE-ERROR, with the system's own words in the message and code.
enum class FileErrc {
    failed = 1,  ///< FILE-ERROR
    read_only,   ///< FILE-READ-ONLY-ERROR
    outside,     ///< FILE-PATH-ERROR
    limit,       ///< FILE-LIMIT-ERROR
    directory,   ///< CONNECTION-ERROR: the directory itself is missing, not enterable or not writable
};
QCONN_API const std::error_category& file_category() noexcept;
QCONN_API std::error_code make_error_code(FileErrc code) noexcept;

/// Files under a directory of this machine. Calls run beside each other; asynchronous ones on the runtime's blocking pool.
class QCONN_API FileClient final : public FileTransferClient {
public:
    explicit FileClient(FileOptions options, Runtime runtime = {});
    ~FileClient() override;

    std::string_view label() const noexcept override;
    const FileOptions& options() const noexcept;
    /// The directory exists, can be entered and, unless read_only, written to.
    /// @throws Error CONNECTION-ERROR
    void check() const;

    std::vector<FileInfo> list(std::string_view path = {}, std::string_view pattern = {}, Deadline deadline = {}) override;
    FileInfo stat(std::string_view path, Deadline deadline = {}) override;
    std::string read(std::string_view path, Deadline deadline = {}) override;
    void write(std::string_view path, std::string_view data, WriteMode mode = WriteMode::replace, Deadline deadline = {}) override;
    void move(std::string_view from, std::string_view to, bool overwrite = false, Deadline deadline = {}) override;
    void remove(std::string_view path, Deadline deadline = {}) override;
    void make_directory(std::string_view path, Deadline deadline = {}) override;
    FreeSpace free_space(Deadline deadline = {}) override;

    Operation async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) override;
    Operation async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) override;
    Operation async_read(std::string path, Deadline deadline, Callback<std::string> callback) override;
    Operation async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) override;
    Operation async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) override;
    Operation async_remove(std::string path, Deadline deadline, Callback<void> callback) override;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::FileErrc> : std::true_type {};
