// SPDX-License-Identifier: Apache-2.0
/// Packets of SFTP version 3: draft-ietf-secsh-filexfer-02, and OpenSSH's extensions (its file PROTOCOL). No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qconn::sftp {

enum class PacketType : std::uint8_t {
    init = 1,
    version = 2,
    open = 3,
    close = 4,
    read = 5,
    write = 6,
    lstat = 7,
    fstat = 8,
    setstat = 9,
    fsetstat = 10,
    opendir = 11,
    readdir = 12,
    remove = 13,
    mkdir = 14,
    rmdir = 15,
    realpath = 16,
    stat = 17,
    rename = 18,
    readlink = 19,
    symlink = 20,
    status = 101,
    handle = 102,
    data = 103,
    name = 104,
    attrs = 105,
    extended = 200,
    extended_reply = 201,
};

/// Section 7.
enum class StatusCode : std::uint32_t {
    ok = 0,
    eof = 1,
    no_such_file = 2,
    permission_denied = 3,
    failure = 4,
    bad_message = 5,
    no_connection = 6,
    connection_lost = 7,
    op_unsupported = 8,
};

/// Section 6.3.
enum OpenFlag : std::uint32_t {
    k_open_read = 0x01,
    k_open_write = 0x02,
    k_open_append = 0x04,
    k_open_create = 0x08,
    k_open_truncate = 0x10,
    k_open_exclusive = 0x20,
};

/// Largest packet that is accepted, without its length field: OpenSSH's own limit.
inline constexpr std::size_t k_max_packet = 256 * 1024;
/// Longest handle (section 6.3), and longest names that are accepted.
inline constexpr std::size_t k_max_handle = 256;
inline constexpr std::size_t k_max_name = 32 * 1024;
/// The draft promises that packets of 34000 bytes pass: what is read and written at once where nothing else is known.
inline constexpr std::uint32_t k_chunk = 32 * 1024;

struct FileOwner {
    std::uint32_t uid{0};
    std::uint32_t gid{0};
    friend bool operator==(const FileOwner&, const FileOwner&) = default;
};

/// Seconds since 1970.
struct FileTimes {
    std::uint32_t accessed{0};
    std::uint32_t modified{0};
    friend bool operator==(const FileTimes&, const FileTimes&) = default;
};

/// Section 5.
struct Attributes {
    using Owner = FileOwner;
    using Times = FileTimes;
    std::optional<std::uint64_t> size{};
    std::optional<Owner> owner{};
    /// With the bits of the type, as POSIX has them.
    std::optional<std::uint32_t> permissions{};
    std::optional<Times> times{};
    friend bool operator==(const Attributes&, const Attributes&) = default;
};

// Requests: whole packets. Their id is 0 until set_id.
std::string init_request();
std::string open_request(std::string_view path, std::uint32_t flags, const Attributes& attributes = {});
/// lstat, stat, opendir, remove, rmdir, realpath, readlink
std::string path_request(PacketType type, std::string_view path);
/// close, fstat, readdir
std::string handle_request(PacketType type, std::string_view handle);
std::string read_request(std::string_view handle, std::uint64_t offset, std::uint32_t size);
/// setstat, mkdir; or fsetstat with a handle
std::string attributes_request(PacketType type, std::string_view path, const Attributes& attributes);
/// rename from, to; symlink as OpenSSH has it, the other way round than the draft: what the link holds, then its path
std::string two_paths_request(PacketType type, std::string_view first, std::string_view second);
/// posix-rename@openssh.com and hardlink@openssh.com with two strings, statvfs@openssh.com with a path, fsync@openssh.com with a handle,
/// limits@openssh.com with none
std::string extended_request(std::string_view name, const std::vector<std::string_view>& arguments);
void set_id(std::string& packet, std::uint32_t id) noexcept;

/// What stands before the bytes of a WRITE takes at most so much.
inline constexpr std::size_t k_write_head = 4 + 1 + 4 + 4 + k_max_handle + 8 + 4;
/// Puts it there so that it ends at `end`. @returns its size
std::size_t put_write_head(char* end, std::uint32_t id, std::string_view handle, std::uint64_t offset, std::uint32_t size) noexcept;

/// A packet that has come; views into what holds it.
struct Packet {
    PacketType type{};
    /// Of the request; of VERSION: its version.
    std::uint32_t id{0};
    std::string_view body;
};

struct Status {
    StatusCode code{};
    std::string_view words;
};

struct Name {
    std::string_view name;
    std::string_view long_name;
    Attributes attributes;
};

struct Extension {
    std::string_view name;
    std::string_view data;
};

/// Of limits@openssh.com; zeros: no limit is told.
struct Limits {
    std::uint64_t packet{0};
    std::uint64_t read{0};
    std::uint64_t write{0};
    std::uint64_t handles{0};
};

/// Of statvfs@openssh.com: as in POSIX.
struct Space {
    std::uint64_t block{0};
    std::uint64_t fragment{0};
    std::uint64_t blocks{0};
    std::uint64_t blocks_free{0};
    std::uint64_t blocks_available{0};
    std::uint64_t files{0};
    std::uint64_t files_free{0};
    std::uint64_t files_available{0};
    std::uint64_t id{0};
    std::uint64_t flags{0};
    std::uint64_t longest_name{0};
};
inline constexpr std::uint64_t k_space_read_only = 1;

// What is in a body; none where it is malformed. Bytes behind what is known are left alone where later versions may have them (STATUS, ATTRS,
// replies).
std::optional<Status> read_status(std::string_view body);
std::optional<std::string_view> read_handle(std::string_view body);
std::optional<std::string_view> read_data(std::string_view body);
std::optional<Attributes> read_attributes(std::string_view body);
std::optional<std::vector<Name>> read_names(std::string_view body);
/// Of VERSION.
std::optional<std::vector<Extension>> read_extensions(std::string_view body);
std::optional<Limits> read_limits(std::string_view body);
std::optional<Space> read_space(std::string_view body);

}  // namespace qconn::sftp
