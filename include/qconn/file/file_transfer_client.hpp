// SPDX-License-Identifier: Apache-2.0
/// What every client that moves files can do, whatever the protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
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

/// What to change of a file; what is absent stays. A value type.
struct FileAttributes {
    std::optional<std::uint32_t> mode{};  ///< permission bits, for example 0644
    std::optional<std::uint32_t> uid{};
    std::optional<std::uint32_t> gid{};
    std::optional<std::chrono::system_clock::time_point> modified{};
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
    create,   ///< fails (reason exists) where the file is there; as atomic where the protocol can
    append,
    in_place,  ///< under its own name from the beginning, for servers that allow neither temporary names nor renames; a failure leaves a part there
};

/// How a file is fetched.
struct GetOptions {
    std::uint64_t from{0};                                          ///< the first byte wanted; behind the end: nothing comes
    std::uint64_t most{std::numeric_limits<std::uint64_t>::max()};  ///< at most that many
    /// Counts from the beginning of the file: the first call tells at least `from`.
    Progress progress{};
};

/// How a file is sent.
struct PutOptions {
    WriteMode mode{WriteMode::replace};
    /// Modes replace and create: what was sent stays as `.qconn-<16 hex digits of the name>.part` after a failure, and the next call that resumes
    /// goes on behind it. The caller says by it that the contents are the same; a part that is longer than the source is thrown away.
    bool resume{false};
    /// Given to the file before it gets its name. What the protocol or the server has no way to give is left out (set_attributes says so instead).
    FileAttributes attributes{};
    /// Through to the disk before it gets its name, where the server can be asked to.
    bool durable{false};
    Progress progress{};
};

/// Called with each entry of a directory as it comes, in no order; false: no more. Threads as at ByteSink.
using FileVisitor = std::function<bool(FileInfo entry)>;

/// Files under one directory. Paths are relative to the connection's directory, or absolute where the protocol's server allows it; '/' separates.
/// @note Thread-safe. Whether calls run beside each other is said at each client.
/// Errors carry reason not_found, permission, exists, disk_full, limit or unsupported where they apply; the client stays usable after each.
class QCONN_API FileTransferClient : public Client {
public:
    ~FileTransferClient() override;

    /// Entries of a directory without "." and "..", sorted by name. `pattern` is a shell glob for the name; empty: all.
    /// Files of transfers that are not finished, or were left by one that broke off, are listed where the pattern begins with `.qconn-` only.
    virtual std::vector<FileInfo> list(std::string_view path = {}, std::string_view pattern = {}, Deadline deadline = {}) = 0;
    /// The same as they come, so that memory stays flat whatever their number.
    virtual void visit(std::string_view path, const FileVisitor& visitor, Deadline deadline = {}) = 0;
    /// Follows symbolic links.
    virtual FileInfo stat(std::string_view path, Deadline deadline = {}) = 0;
    /// The whole file. @throws Error reason limit where it is larger than the client's max_read
    virtual std::string read(std::string_view path, Deadline deadline = {}) = 0;
    virtual void write(std::string_view path, std::string_view data, WriteMode mode = WriteMode::replace, Deadline deadline = {}) = 0;
    /// A file, or a part of it, into the sink, in order. @returns the bytes that came
    virtual std::uint64_t get(std::string_view path, ByteSink& sink, const GetOptions& options = {}, Deadline deadline = {}) = 0;
    /// All that the source has into a file. @returns the bytes of this call: without those that an earlier one had brought
    virtual std::uint64_t put(std::string_view path, ByteSource& source, const PutOptions& options = {}, Deadline deadline = {}) = 0;
    /// Within the connection. An existing target file is replaced only with `overwrite`.
    virtual void move(std::string_view from, std::string_view to, bool overwrite = false, Deadline deadline = {}) = 0;
    /// A file or a symbolic link; a directory only when it is empty.
    virtual void remove(std::string_view path, Deadline deadline = {}) = 0;
    /// With the directories on the way to it; no error where it is there already.
    virtual void make_directory(std::string_view path, Deadline deadline = {}) = 0;
    virtual FreeSpace free_space(Deadline deadline = {}) = 0;

    // What not every protocol has; a client without it throws with reason unsupported.

    /// Of a symbolic link itself, with its target.
    virtual FileInfo stat_link(std::string_view path, Deadline deadline = {});
    /// Follows symbolic links.
    virtual void set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline = {});
    /// `path` becomes a link that holds `target`.
    virtual void make_symlink(std::string_view target, std::string_view path, Deadline deadline = {});
    /// `path` becomes one more name of the file `existing`, and is never replaced: who makes such a link first has it.
    /// @throws Error reason exists where `path` is there, not_found where `existing` is not
    virtual void make_hard_link(std::string_view existing, std::string_view path, Deadline deadline = {});

    /// Ends all calls under way as cancelled, and those that come later, as destroying the client does: where a program is told to end. Whatever
    /// waits in a call of it, also in one of qconn/file/transfer.hpp or tree.hpp, goes on with an error; what the calls had begun is tidied up.
    virtual void stop() noexcept = 0;

    /// How many transfers are worth having in flight at once.
    virtual std::size_t useful_transfers() const noexcept { return 1; }

    // The same, asynchronously; the callback comes as said at Callback.
    virtual Operation async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) = 0;
    virtual Operation async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) = 0;
    virtual Operation async_read(std::string path, Deadline deadline, Callback<std::string> callback) = 0;
    virtual Operation async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) = 0;
    virtual Operation async_get(std::string path, std::shared_ptr<ByteSink> sink, GetOptions options, Deadline deadline,
                                Callback<std::uint64_t> callback) = 0;
    virtual Operation async_put(std::string path, std::shared_ptr<ByteSource> source, PutOptions options, Deadline deadline,
                                Callback<std::uint64_t> callback) = 0;
    virtual Operation async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) = 0;
    virtual Operation async_remove(std::string path, Deadline deadline, Callback<void> callback) = 0;
    virtual Operation async_make_directory(std::string path, Deadline deadline, Callback<void> callback) = 0;

    /// Whether the sizes that it tells are those of the bytes that get brings and put takes. Where they are not, as line ends change on the way,
    /// get_file and put_file neither check by them nor go on in the middle of a file.
    virtual bool has_exact_sizes() const noexcept { return true; }
};

}  // namespace qconn
