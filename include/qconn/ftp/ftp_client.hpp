// SPDX-License-Identifier: Apache-2.0
/// Files on an FTP server, with or without TLS.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/file/file_transfer_client.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/reply.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

enum class FtpTls : std::uint8_t {
    none,
    /// AUTH TLS before the log-in, and data connections under TLS too (RFC 4217). A server that has no TLS is refused.
    required,
    /// TLS from the first byte, on a port of its own (990 by custom).
    implicit,
};

/// Who opens data connections.
enum class FtpDataMode : std::uint8_t {
    automatic,  ///< passive; active where the server refuses both EPSV and PASV
    passive,    ///< EPSV, or PASV where the server does not know that
    active,     ///< the server connects to this machine: EPRT, or PORT where it does not know that
};

struct FtpOptions {
    /// For messages; the name of the connection.
    std::string label{};
    std::string host{};
    /// 0: 21, or 990 with implicit TLS.
    std::uint16_t port{0};
    /// Empty: anonymous.
    std::string username{};
    /// Unset: none with a user name, an address of nobody for anonymous.
    std::optional<Secret> password{};
    /// The directory that paths are relative to, as the server writes it; relative to that of the log-in unless it begins with '/'. Empty: that of
    /// the log-in.
    std::string path{};

    FtpTls security{FtpTls::none};
    TlsOptions tls{};
    std::optional<Proxy> proxy{};
    SocketOptions socket{};
    FtpDataMode data_mode{FtpDataMode::automatic};
    /// Files are sent as text: line ends become those of the other side. Sizes then differ from those that the server tells.
    bool ascii{false};

    /// Longest time to get a control connection: name, TCP, proxy, TLS, log-in. Zero: no limit.
    std::chrono::milliseconds connect_timeout{45'000};
    /// Longest silence of the server, not the time of a whole call. Zero: no limit.
    std::chrono::milliseconds timeout{45'000};
    /// Control connections at a time; so many calls run beside each other. At least 1. Where the server allows fewer, calls wait for those.
    std::size_t max_sessions{4};
    /// Control connections that nobody uses are closed after that time.
    std::chrono::milliseconds idle_time{60'000};
    /// In transfers that last: NOOP on the control connection each so often, against firewalls that forget it. Not every server stands that. Zero:
    /// never.
    std::chrono::milliseconds noop_interval{0};
    /// Largest file that read() takes into memory.
    std::uint64_t max_read{std::uint64_t{1} << 30};
    /// A server that lets no rename replace a file (IIS): the old file is removed first. For a moment there is neither, and a failure right then
    /// leaves the new contents under their temporary name, which the error tells. Without it nothing is ever removed for a rename.
    bool delete_before_rename{false};

    /// Commands are logged (level info), and what becomes of sessions.
    bool log{false};
    /// All else that is said, answers above all, is logged too (level debug).
    bool dbglog{false};
    /// Told each line of the dialogue.
    DialogueListener on_dialogue{};
};

/// Codes of this family.
enum class FtpErrc {
    failed = 1,   ///< FTP-ERROR: the server refused, or said what is no FTP
    connect,      ///< FTP-CONNECT-ERROR: the server's greeting refuses to talk
    login,        ///< FTP-LOGIN-ERROR
    cwd,          ///< FTP-CWD-ERROR: the connection's directory cannot be entered
    auth_tls,     ///< FTPS-AUTH-ERROR: the server refuses AUTH TLS
    secure_data,  ///< FTPS-SECURE-DATA-ERROR: the server refuses PBSZ or PROT P
    transfer,     ///< FTP-TRANSFER-ERROR: a data connection could not be made or broke, or the file did not come whole
    path,         ///< FTP-PATH-ERROR: a path that cannot be sent
    limit,        ///< FTP-LIMIT-ERROR
    url,          ///< FTP-URL-ERROR: no host, or other options that cannot be used
};
QCONN_API const std::error_category& ftp_category() noexcept;
QCONN_API std::error_code make_error_code(FtpErrc code) noexcept;

/// What a server says to a command.
using FtpReply = Reply;

/// Detail of the errors of this family.
class QCONN_API FtpErrorDetail : public ErrorDetail {
public:
    FtpErrorDetail(FtpReply r, std::string c, std::string p) : reply{std::move(r)}, command{std::move(c)}, path{std::move(p)} {}
    ~FtpErrorDetail() override;
    /// Code 0 where no reply is the reason.
    FtpReply reply;
    /// The verb that it answers: "RETR". Empty: the greeting, or none.
    std::string command;
    /// As the caller gave it.
    std::string path;
};

/// Files of an FTP server (RFC 959, 2228, 2389, 2428, 2640, 3659, 4217).
///
/// Control connections are made when they are needed, kept for further calls and closed after a time; each carries one call at a time. A kept one
/// that the server has closed meanwhile is replaced without the caller noticing.
///
/// put in modes replace and create sends to `.qconn-<16 hex digits>.tmp` in the same directory and renames it when the server has confirmed the
/// transfer and the size is right. Whether a rename replaces a file is the server's affair (see FtpOptions::delete_before_rename). What such a
/// transfer has brought is removed where it fails and the server can still be reached. Mode create looks first whether the file is there; FTP cannot
/// do that and the renaming in one step. Mode append leaves what it brought where it fails. `durable` has no counterpart in FTP and does nothing.
/// Files of temporary names, and parts that wait to be gone on with, are not listed.
///
/// stat() follows links as the server does; what it tells depends on the server: without MLST only type, size and time. stat_link reads the
/// listing of the directory. set_attributes uses SITE CHMOD and MFMT; owners cannot be set. make_symlink needs SITE SYMLINK. free_space is
/// unsupported. Times in listings of servers without MLSD are taken for UTC.
///
/// @note Thread-safe; up to max_sessions calls run beside each other, others wait. Blocking calls do their I/O on the calling thread, asynchronous
/// ones on a thread of the runtime, where sink, source and visitor are called too. A call that is cancelled, or whose deadline passes, ends at once;
/// the transfer is then broken off in the background. Blocking calls are refused on the runtime's I/O threads. Destroying the client ends all calls
/// as cancelled.
class QCONN_API FtpClient final : public FileTransferClient, public DialogueSource {
public:
    /// Nothing is connected yet. @throws Error FTP-URL-ERROR, TLS-OPTION-ERROR
    explicit FtpClient(FtpOptions options, Runtime runtime = {});
    ~FtpClient() override;
    void stop() noexcept override;

    std::string_view label() const noexcept override;
    const FtpOptions& options() const noexcept;
    void set_dialogue_listener(DialogueListener listener) override;
    /// Connects, logs in and enters the directory, unless that has been done.
    void connect(Deadline deadline = {});
    Operation async_connect(Deadline deadline, Callback<void> callback);

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
    /// @throws Error reason unsupported, always
    FreeSpace free_space(Deadline deadline = {}) override;
    FileInfo stat_link(std::string_view path, Deadline deadline = {}) override;
    void set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline = {}) override;
    void make_symlink(std::string_view target, std::string_view path, Deadline deadline = {}) override;
    std::size_t useful_transfers() const noexcept override;

    /// Names only, as the server sorts them (NLST).
    std::vector<std::string> names(std::string_view path = {}, Deadline deadline = {});
    /// Any command that changes neither the state of the connection nor moves data, for example "SITE CHMOD 644 x".
    /// @returns the reply, also one that refuses
    /// @throws Error reason bad_value for commands that are the client's own affair (USER, CWD, RETR, PASV, ...) and for line breaks
    FtpReply command(std::string_view line, Deadline deadline = {});

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
    /// Not with FtpOptions::ascii.
    bool has_exact_sizes() const noexcept override;
    Operation async_command(std::string line, Deadline deadline, Callback<FtpReply> callback);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::FtpErrc> : std::true_type {};
