// SPDX-License-Identifier: Apache-2.0
/// Files between this machine and a connection, whatever its protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/file/file_transfer_client.hpp>

namespace qconn {

/// How sure one wants to be that both files are the same.
enum class Verify : std::uint8_t {
    size,     ///< as many bytes on both sides
    content,  ///< SHA-256 on both sides: the file at the connection is read once more
};

/// How a file is carried between this machine and a connection.
struct FileCopyOptions {
    /// A part of an earlier call that broke off is gone on with: `.qconn-<16 hex digits of the name>.part` beside the file, at this machine as at a
    /// connection (PutOptions::resume). Taken as the beginning of the same contents: use Verify::content where that is not certain.
    bool resume{false};
    Verify verify{Verify::size};
    /// The copy gets the time of the last change of the original, where the other side can be given one.
    bool keep_time{true};
    /// The copy gets the permission bits of the original.
    bool keep_mode{false};
    /// Through to the disk before the file gets its name. A file that this machine loses with its power may be empty otherwise.
    bool durable{false};
    /// How a file is sent (put_file only).
    WriteMode mode{WriteMode::replace};
    Progress progress{};
};

/// A file of the connection becomes one of this machine, `file`: under the name of a part, which our clients never list, until it is whole and
/// verified. A symbolic link stays one; the file that it leads to is replaced.
/// @returns the bytes of this call
/// @throws Error of the client; SYSTEM-ERROR for what this machine refuses (before anything is fetched: a directory; with reason unsupported a pipe
/// or device, which is left alone); TRANSFER-ERROR (reason bad_answer) where the copy is not the same: it has no name then
/// @note Blocking; thread-safe as the client is.
QCONN_API std::uint64_t get_file(FileTransferClient& client, std::string_view path, const std::string& file, const FileCopyOptions& options = {},
                                 Deadline deadline = {});
/// A file of this machine becomes one of the connection. What is verified is the file under its final name: with TRANSFER-ERROR it is there, and not
/// the same.
QCONN_API std::uint64_t put_file(FileTransferClient& client, const std::string& file, std::string_view path, const FileCopyOptions& options = {},
                                 Deadline deadline = {});

/// SHA-256 of a file's contents as 64 lower-case hex digits, of all that comes when it is read.
QCONN_API std::string sha256_of(FileTransferClient& client, std::string_view path, Deadline deadline = {});

}  // namespace qconn
