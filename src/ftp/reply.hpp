// SPDX-License-Identifier: Apache-2.0
/// What replies of a control connection mean and hold: RFC 959 section 4.2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/ftp/ftp_client.hpp>

namespace qconn::ftp {

inline bool is_preliminary(const FtpReply& reply) noexcept { return reply.code / 100 == 1; }
inline bool is_positive(const FtpReply& reply) noexcept { return reply.code / 100 == 2; }
/// The server does not know the command, or not that form of it.
inline bool is_unknown(const FtpReply& reply) noexcept {
    return reply.code == 500 || reply.code == 501 || reply.code == 502 || reply.code == 504 || reply.code == 522;
}

/// The port in a reply to EPSV: "Entering Extended Passive Mode (|||6446|)" (RFC 2428 section 3).
std::optional<std::uint16_t> epsv_port(std::string_view text);
/// The port in a reply to PASV: six numbers, in brackets or not (RFC 959, RFC 1123 section 4.1.2.6). The address is not of interest.
std::optional<std::uint16_t> pasv_port(std::string_view text);
/// The path in a reply to PWD or MKD: in quotes, which are doubled within (RFC 959 appendix II).
std::optional<std::string> quoted_path(std::string_view text);

}  // namespace qconn::ftp
