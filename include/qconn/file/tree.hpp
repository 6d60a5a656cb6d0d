// SPDX-License-Identifier: Apache-2.0
/// Whole directories between this machine and a connection, whatever its protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/file/file_transfer_client.hpp>
#include <qconn/file/transfer.hpp>

namespace qconn {

/// What was done so far. A value type.
struct TreeProgress {
    std::uint64_t files{0};        ///< carried over
    std::uint64_t bytes{0};        ///< likewise
    std::uint64_t directories{0};  ///< made, or found there
    std::uint64_t unchanged{0};    ///< not carried over, as the same is there
    std::uint64_t skipped{0};  ///< neither files nor directories: links that lead to directories or to nothing, devices, names that cannot be here
    std::uint64_t removed{0};
};

struct TreeOptions {
    FileCopyOptions copy{};
    /// Shell glob for the names of files; empty: all. Directories are entered whatever their name.
    std::string pattern{};
    /// Files whose copy has the same size and time (to the second) are left alone. A copy that is newer counts as the same only where copies do not
    /// get the time of their original: without FileCopyOptions::keep_time, or with a client that has no way to set one (FTP without MFMT).
    bool only_changed{false};
    /// Mirror: what the copy has and the original has not is removed, after all else went well: with one failure nothing is. What a transfer has left
    /// in a directory that goes stays for a day, and the directory with it.
    bool remove_others{false};
    /// Files in flight at once; 0: what is worth having with this client.
    std::size_t transfers{0};
    /// A file or directory that fails does not end the call; it is in TreeReport::failures. The root of the tree must be there.
    bool go_on{false};
    /// After each file, from the threads that carry them, one at a time, with no lock of the library held. False: no more; the call ends with
    /// CANCELLED.
    std::function<bool(const TreeProgress& so_far, std::string_view path)> progress{};
};

struct TreeFailure {
    std::string path;  ///< from the root of the tree
    Error error;
};

struct TreeReport : TreeProgress {
    std::vector<TreeFailure> failures{};
};

/// What is under a directory of the connection, into a directory of this machine, which is made where it is not there. Links to files are followed,
/// links to directories are not. Names that a hostile server could send to write elsewhere ("..", with '/') are skipped. Where the copy has a
/// symbolic link in the place of a directory, only_changed and remove_others see it: that directory fails with reason exists, and nothing behind the
/// link is touched. Without them the copy's directories are not listed, and files get to where the link leads; nothing is removed then.
/// @throws Error as get_file (SYSTEM-ERROR also for a directory of this machine); LIMIT-EXCEEDED for directories below 256 others; the first failure,
/// unless go_on
/// @note Blocking; uses threads of its own for the time of the call.
QCONN_API TreeReport get_tree(FileTransferClient& client, std::string_view path, const std::string& directory, const TreeOptions& options = {},
                              Deadline deadline = {});
/// The other way round.
QCONN_API TreeReport put_tree(FileTransferClient& client, const std::string& directory, std::string_view path, const TreeOptions& options = {},
                              Deadline deadline = {});
/// A directory with all that is in it, also what transfers have left there; links are removed, not followed. A file is removed likewise.
/// @returns how many entries that were
/// @throws Error of the client; LIMIT-EXCEEDED for directories below 256 others
QCONN_API std::uint64_t remove_tree(FileTransferClient& client, std::string_view path, Deadline deadline = {});

/// Each file and directory below that directory, directories before what is in them, with its path from there; links are not followed. False from the
/// visitor: no more. @throws Error of the client; LIMIT-EXCEEDED for directories below 256 others
QCONN_API void walk(FileTransferClient& client, std::string_view path,
                    const std::function<bool(const std::string& path, const FileInfo& entry)>& visitor, Deadline deadline = {});

}  // namespace qconn
