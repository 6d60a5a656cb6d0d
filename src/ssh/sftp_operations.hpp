// SPDX-License-Identifier: Apache-2.0
/// What is done at a server, one function a call of the client. On the loop's thread; they throw Error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <qconn/file/file_transfer_client.hpp>

#include "ssh/sftp_call.hpp"
#include "ssh/sftp_download.hpp"
#include "ssh/sftp_listing.hpp"
#include "ssh/sftp_upload.hpp"

namespace qconn::sftp {

/// The call's own path is what each is about.
Task<FileInfo> stat(Call& call, bool follow);
/// The connection's directory can be entered.
Task<void> check(Call& call);
Task<void> list(Call& call, std::string pattern, std::shared_ptr<Taker> taker);
Task<std::uint64_t> get(Call& call, std::shared_ptr<Drain> drain, std::uint64_t from, std::uint64_t most);
Task<std::uint64_t> put(Call& call, std::shared_ptr<Feed> feed, PutOptions how);
Task<void> move(Call& call, std::string to, bool overwrite);
Task<void> remove(Call& call);
Task<void> make_directory(Call& call);
Task<FreeSpace> free_space(Call& call);
Task<void> set_attributes(Call& call, FileAttributes attributes);
Task<void> make_symlink(Call& call, std::string target);
Task<void> make_hard_link(Call& call, std::string existing);

}  // namespace qconn::sftp
