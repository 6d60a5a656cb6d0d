// SPDX-License-Identifier: Apache-2.0
/// An SftpClient over any source of channels.
#pragma once

#include <memory>

#include <qconn/net/runtime.hpp>
#include <qconn/ssh/sftp_client.hpp>

#include "ssh/channel.hpp"

namespace qconn::sftp {

/// @param runtime  the one that the source's loop belongs to
std::unique_ptr<SftpClient> make_sftp_client(std::shared_ptr<ssh::ChannelSource> source, SftpOptions options, Runtime runtime);

}  // namespace qconn::sftp
