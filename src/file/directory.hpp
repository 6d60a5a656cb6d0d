// SPDX-License-Identifier: Apache-2.0
/// Where a path leads to, seen from a connection's directory.
#pragma once

#include <string>
#include <string_view>

#include "file/file_error.hpp"
#include "net/unique_fd.hpp"

namespace qconn::file {

/// A name in an open directory: what the *at() functions of the system take.
struct Spot {
    net::UniqueFd folder;
    /// One component without '/'; "." for the directory itself.
    std::string name;
};

/// Symbolic links followed on one way.
inline constexpr int k_max_links = 40;

/// Follows a path component by component, holding each directory open on the way, so that nothing that is moved or replaced meanwhile can lead
/// elsewhere.
/// @param root     the connection's directory
/// @param path     relative to it, or absolute; empty: the root
/// @param confine  refuses (FILE-PATH-ERROR, reason permission) absolute paths and links, and ".." beyond the root
/// @param follow   a symbolic link at the end is followed too, also when it leads to nothing yet; else it is the result
/// @throws Error CONNECTION-ERROR where the root cannot be opened; FILE-ERROR
Spot find_spot(const Task& task, std::string_view root, std::string_view path, bool confine, bool follow);

}  // namespace qconn::file
