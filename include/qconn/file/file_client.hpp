// SPDX-License-Identifier: Apache-2.0
/// Files of this machine's file systems.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

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
    differs,     ///< TRANSFER-ERROR: a copy is not what its original is
};
QCONN_API const std::error_category& file_category() noexcept;
QCONN_API std::error_code make_error_code(FileErrc code) noexcept;

/// Detail of the errors of this family.
class QCONN_API FileErrorDetail : public ErrorDetail {
public:
    FileErrorDetail(std::error_code code, std::string name) : system{code}, path{std::move(name)} {}
    ~FileErrorDetail() override;
    /// What the operating system said; zero where the library itself refused.
    std::error_code system;
    /// As the caller gave it.
    std::string path;
};

/// Files under a directory of this machine.
///
/// `write` in mode replace makes a file `.qconn-<16 hex digits>.tmp` beside the target, writes it through to the disk, gives it mode and, where it
/// may, owner of the file that it replaces, and renames it: whoever reads the target sees the old contents or the new ones, also after a crash. A
/// symbolic link stays one; the file that it leads to is replaced. Mode create is as atomic. Mode append takes its bytes back where it fails.
/// Files of temporary names, and parts that wait to be gone on with, are not listed.
///
/// Only regular files are read and written: a pipe or device is refused, as it could hang.
///
/// @note Thread-safe; calls run beside each other, asynchronous ones on the runtime's blocking pool. A deadline or cancellation is looked at between
/// blocks of a file; an asynchronous call ends at once even where the file system hangs, and what it had under way then is given up as soon as that
/// answers. Destroying the client waits for nothing: asynchronous calls end as cancelled at once, blocking ones between two blocks.
class QCONN_API FileClient final : public FileTransferClient {
public:
    explicit FileClient(FileOptions options, Runtime runtime = {});
    ~FileClient() override;
    void stop() noexcept override;

    std::string_view label() const noexcept override;
    const FileOptions& options() const noexcept;
    /// The directory exists, can be entered and, unless read_only, written to.
    /// @throws Error CONNECTION-ERROR
    void check() const;

    std::vector<FileInfo> list(std::string_view path = {}, std::string_view pattern = {}, Deadline deadline = {}) override;
    void visit(std::string_view path, const FileVisitor& visitor, Deadline deadline = {}) override;
    FileInfo stat(std::string_view path, Deadline deadline = {}) override;
    std::string read(std::string_view path, Deadline deadline = {}) override;
    void write(std::string_view path, std::string_view data, WriteMode mode = WriteMode::replace, Deadline deadline = {}) override;
    std::uint64_t get(std::string_view path, ByteSink& sink, const GetOptions& options = {}, Deadline deadline = {}) override;
    std::uint64_t put(std::string_view path, ByteSource& source, const PutOptions& options = {}, Deadline deadline = {}) override;
    void move(std::string_view from, std::string_view to, bool overwrite = false, Deadline deadline = {}) override;
    void remove(std::string_view path, Deadline deadline = {}) override;
    void make_directory(std::string_view path, Deadline deadline = {}) override;
    FreeSpace free_space(Deadline deadline = {}) override;
    FileInfo stat_link(std::string_view path, Deadline deadline = {}) override;
    void set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline = {}) override;
    void make_symlink(std::string_view target, std::string_view path, Deadline deadline = {}) override;
    void make_hard_link(std::string_view existing, std::string_view path, Deadline deadline = {}) override;
    std::size_t useful_transfers() const noexcept override { return 4; }

    Operation async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) override;
    Operation async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) override;
    Operation async_read(std::string path, Deadline deadline, Callback<std::string> callback) override;
    Operation async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) override;
    /// On the blocking pool: sink and source may block.
    Operation async_get(std::string path, std::shared_ptr<ByteSink> sink, GetOptions options, Deadline deadline,
                        Callback<std::uint64_t> callback) override;
    Operation async_put(std::string path, std::shared_ptr<ByteSource> source, PutOptions options, Deadline deadline,
                        Callback<std::uint64_t> callback) override;
    Operation async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) override;
    Operation async_remove(std::string path, Deadline deadline, Callback<void> callback) override;
    Operation async_make_directory(std::string path, Deadline deadline, Callback<void> callback) override;

private:
    template <class T, class Work>
    Operation start(std::string_view verb, std::string path, Deadline deadline, Callback<T> callback, Work work);

    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::FileErrc> : std::true_type {};
