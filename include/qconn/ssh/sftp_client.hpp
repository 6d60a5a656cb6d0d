// SPDX-License-Identifier: Apache-2.0
/// Files of another machine, by SFTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <qconn/file/file_transfer_client.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/ssh/ssh_options.hpp>

namespace qconn {

struct SftpOptions {
    /// For messages; the name of the connection. Empty: that of `ssh`.
    std::string label{};
    /// The server and the log-in.
    SshOptions ssh{};
    /// The directory; where it is not absolute, seen from where the server puts the user after the log-in. Empty: there.
    std::string path{};
    /// Largest file that read() takes into memory.
    std::uint64_t max_read{std::uint64_t{1} << 30};
    /// Longest silence of the server while it owes an answer. Zero: none.
    std::chrono::milliseconds timeout{45'000};
    /// Bytes that all transfers together may have under way; each has its share, and holds no more than that in memory. At least 64 KiB.
    std::size_t window{std::size_t{8} << 20};
    /// Channels of the one session over which large transfers that are under way together are spread (4 MiB and more, puts of unknown size; not what
    /// is appended or written in place): servers allow each some 2 MiB on its way, which bounds it where the way is long. They are opened when they
    /// are needed, and fewer are used where the server refuses more. From 1 to 10.
    std::size_t channels{4};
};

/// Codes of this family.
enum class SftpErrc {
    failed = 1,   ///< SFTP-ERROR: the server reports a failure, mostly without saying which
    not_found,    ///< SFTP-NOT-FOUND
    permission,   ///< SFTP-PERMISSION
    exists,       ///< SFTP-EXISTS: the target is there, or a directory is not empty
    disk_full,    ///< SFTP-DISK-FULL
    unsupported,  ///< SFTP-UNSUPPORTED: the server has no such operation, or the file is not of a kind that it can be done with
    limit,        ///< SFTP-LIMIT: a file is larger than max_read
    path,         ///< SFTP-PATH: a path that cannot be used
    transfer,     ///< SFTP-TRANSFER: the source or the sink of a transfer failed, or a file did not stay as it was
    protocol,     ///< SFTP-PROTOCOL: what came back is not SFTP
    session,      ///< SFTP-SESSION: the session ended (reason closed) or broke (reset) before the answer
};
QCONN_API const std::error_category& sftp_category() noexcept;
QCONN_API std::error_code make_error_code(SftpErrc code) noexcept;

/// Detail of the errors that a server reported.
class QCONN_API SftpErrorDetail : public ErrorDetail {
public:
    SftpErrorDetail(std::uint32_t code, std::string message, std::string name) : status{code}, words{std::move(message)}, path{std::move(name)} {}
    ~SftpErrorDetail() override;
    /// The server's code: draft-ietf-secsh-filexfer-02, section 7; 4 is any failure.
    std::uint32_t status;
    /// The server's words.
    std::string words;
    /// As the caller gave it.
    std::string path;
};

namespace sftp {
class Engine;
}
namespace ssh {
class Sessions;
}

/// Files under a directory of an SFTP server (version 3 of the protocol, with OpenSSH's extensions where the server has them).
///
/// `put` and `write` in mode replace send a file `.qconn-<16 hex digits>.tmp` beside the target, give it mode and, where that is allowed, owner of
/// the file that it replaces, and rename it: whoever reads the target sees the old contents or the new ones. That takes the server's extension
/// posix-rename; a server without it has an existing target moved aside just before, so that for a moment there is none. A symbolic link
/// stays one; the file that it leads to is replaced. Mode create relies on the server's rename, which must not replace (with OpenSSH it is atomic).
/// Mode append takes its bytes back where it fails while the session lives. A temporary file is removed after a failure for as long as the session
/// lives: with a session that broke it may stay, and is never listed.
///
/// Times have whole seconds. A pipe or device is refused, but opening a pipe may hold up the server, and then the session is replaced after
/// `timeout`.
///
/// @note Thread-safe; calls run beside each other over one session, which is made by the first call and, when it has ended, by the next one. A call
/// of which nothing had been sent goes on over the new session; others fail with SFTP-SESSION or what ended it. A blocking call runs sinks, sources,
/// visitors and progress on its own thread and throws INVALID-ARGUMENT on an I/O thread of its runtime; an asynchronous one runs them on that thread.
/// Destroying the client ends its calls as cancelled at once; what they left behind is still tidied up for a moment.
class QCONN_API SftpClient final : public FileTransferClient {
public:
    /// Connects nothing yet.
    /// @throws Error SSH-OPTION-ERROR
    explicit SftpClient(SftpOptions options, Runtime runtime = {});
    /// For the library's own layers.
    explicit SftpClient(std::shared_ptr<sftp::Engine> engine, std::shared_ptr<ssh::Sessions> sessions = {});
    /// Where calls were under way it waits, for two seconds at most, until they have tidied up at the server (not on an I/O thread of its runtime).
    ~SftpClient() override;
    void stop() noexcept override;

    std::string_view label() const noexcept override;
    const SftpOptions& options() const noexcept;
    /// What was agreed on with the server; connects and logs in where there is no session.
    /// @throws Error of reaching the server (NetErrc), of SSH (SshErrc), TIMEOUT, CANCELLED; INVALID-ARGUMENT on an I/O thread
    SshSessionInfo connect(Deadline deadline = {});
    /// The directory exists and can be entered.
    void check(Deadline deadline = {});
    Operation async_check(Deadline deadline, Callback<void> callback);

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
    /// @throws Error SFTP-UNSUPPORTED where the server has no statvfs@openssh.com
    FreeSpace free_space(Deadline deadline = {}) override;
    FileInfo stat_link(std::string_view path, Deadline deadline = {}) override;
    void set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline = {}) override;
    void make_symlink(std::string_view target, std::string_view path, Deadline deadline = {}) override;
    /// @throws Error SFTP-UNSUPPORTED where the server has no hardlink@openssh.com
    void make_hard_link(std::string_view existing, std::string_view path, Deadline deadline = {}) override;
    std::size_t useful_transfers() const noexcept override { return 32; }

    Operation async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) override;
    Operation async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) override;
    Operation async_read(std::string path, Deadline deadline, Callback<std::string> callback) override;
    Operation async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) override;
    Operation async_get(std::string path, std::shared_ptr<ByteSink> sink, GetOptions options, Deadline deadline,
                        Callback<std::uint64_t> callback) override;
    Operation async_put(std::string path, std::shared_ptr<ByteSource> source, PutOptions options, Deadline deadline,
                        Callback<std::uint64_t> callback) override;
    Operation async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) override;
    Operation async_remove(std::string path, Deadline deadline, Callback<void> callback) override;
    Operation async_make_directory(std::string path, Deadline deadline, Callback<void> callback) override;

private:
    std::shared_ptr<sftp::Engine> engine_;
    std::shared_ptr<ssh::Sessions> sessions_;  // null: the channels come from elsewhere
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::SftpErrc> : std::true_type {};
