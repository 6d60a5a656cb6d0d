// SPDX-License-Identifier: Apache-2.0
/// Lines of listings to FileInfo.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/file/file_transfer_client.hpp>

namespace qconn::ftp {

/// What a line of a listing is.
struct ListingLine {
    enum class Kind : std::uint8_t {
        entry,
        nothing,  ///< belongs to the listing, but is no entry: "total 12", ".", "..", an empty line
        unreadable,
    };
    Kind kind{Kind::unreadable};
    FileInfo info{};
};

/// A line of MLSD, or the one of MLST: "type=file;size=3;modify=20260131235959.123; name" (RFC 3659 section 7).
ListingLine parse_mlst(std::string_view line);

/// A line of LIST: as `ls -l` writes it, with any of its forms of time and without owner or group; or as the servers of Windows do.
/// Times have no zone there and are taken for UTC; those without a year are the latest ones that are not more than a day after `now`.
ListingLine parse_list(std::string_view line, std::chrono::system_clock::time_point now);

/// "20260131235959.123", as MDTM and facts write times, in UTC (RFC 3659 section 2.3).
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text);
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace qconn::ftp
