// SPDX-License-Identifier: Apache-2.0
/// From what an SFTP server says to Error.
#pragma once

#include <string>
#include <string_view>

#include <qconn/ssh/sftp_client.hpp>

#include "ssh/sftp_packet.hpp"

namespace qconn::sftp {

/// What is being done, for messages. Views into what the caller holds.
struct Subject {
    std::string_view label;   ///< of the client
    std::string_view server;  ///< "edi@files.example:22"
    std::string_view verb;    ///< "reading"
    std::string_view path;    ///< as the caller gave it; may be empty
};

std::string_view name_of(SftpErrc code) noexcept;
/// `reading "a.txt" on edi@files.example:22 failed: …`
Error sftp_error(const Subject& subject, SftpErrc code, Reason reason, std::string_view what);
/// What the status says, and where that says little, its words.
Reason reason_of(const Status& status) noexcept;
/// @param reason  where more is known than reason_of
/// @param hint    what has been found out besides; may be empty
Error status_error(const Subject& subject, const Status& status, Reason reason, std::string_view hint = {});
/// The same, with more words at its end.
Error with_addition(const Error& error, std::string_view words);
/// The caller's own sink, source or callback has thrown.
Error failed_end(const Subject& subject, std::string_view words);
/// TIMEOUT and CANCELLED.
Error stopped(const Subject& subject, bool cancelled, std::string_view addition = {});

}  // namespace qconn::sftp
