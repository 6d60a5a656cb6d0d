// SPDX-License-Identifier: Apache-2.0
/// What a client can do, over one session. All of them throw Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/file/file_transfer_client.hpp>

#include "ftp/session.hpp"

namespace qconn::ftp {

/// In the place of void, so that all are of one kind.
struct Done {};

Task<std::uint64_t> get(Session& session, Call& call, const std::string& path, ByteSink& sink, const GetOptions& options);
Task<std::uint64_t> put(Session& session, Call& call, const std::string& path, ByteSource& source, const PutOptions& options);
/// @param with_temporary  files of transfers that are not finished are told too
Task<Done> visit(Session& session, Call& call, const std::string& path, const FileVisitor& visitor, bool with_temporary = false);
Task<std::vector<std::string>> names(Session& session, Call& call, const std::string& path);
Task<FileInfo> stat(Session& session, Call& call, const std::string& path);
Task<FileInfo> stat_link(Session& session, Call& call, const std::string& path);
Task<Done> move(Session& session, Call& call, const std::string& from, const std::string& to, bool overwrite);
Task<Done> remove(Session& session, Call& call, const std::string& path);
Task<Done> make_directory(Session& session, Call& call, const std::string& path);
Task<Done> set_attributes(Session& session, Call& call, const std::string& path, const FileAttributes& attributes);
Task<Done> make_symlink(Session& session, Call& call, const std::string& target, const std::string& path);
Task<FtpReply> command(Session& session, Call& call, const std::string& line);

// Steps of several of them.

/// @throws Error FTP-PATH-ERROR where it would end a line of the protocol, or is empty and must not be
void check_path(const Job& job, std::string_view path, bool may_be_empty = false);
/// "/a/b/" is "/a/b"; "." and "" are the connection's directory.
std::string tidy_path(std::string_view path);
/// `verb path`, or the verb alone.
std::string line_of(std::string_view verb, std::string_view path);
/// The directory part with its slash; empty: the connection's directory.
std::string_view folder_of(std::string_view path) noexcept;
std::string_view name_of(std::string_view path) noexcept;
/// Whether there is such a directory.
Task<bool> is_directory(Session& session, Call& call, const std::string& path);
/// Whether there is anything of that name.
Task<bool> exists(Session& session, Call& call, const std::string& path);
/// What the server has no way to change.
enum class Lacking { is_error, is_left_out };
/// Mode and time.
Task<Done> change(Session& session, Call& call, const std::string& path, const FileAttributes& attributes, Lacking lacking);
/// RNFR and RNTO. @returns the answer to RNTO
Task<FtpReply> rename(Session& session, Call& call, const std::string& from, const std::string& to);
/// After a RNTO that was refused: what is there is removed first, where the options allow that.
/// @throws Error where they do not, the refusal; behind the removal it tells that `from` holds what there is
Task<Done> rename_over(Session& session, Call& call, const std::string& from, const std::string& to, const FtpReply& refused);

}  // namespace qconn::ftp
