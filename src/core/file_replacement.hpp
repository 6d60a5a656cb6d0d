// SPDX-License-Identifier: Apache-2.0
/// A file that takes the place of another as a whole, or not at all.
#pragma once

#include <string>
#include <string_view>

#include "net/unique_fd.hpp"

namespace qconn::core {

/// Written beside the other one, with mode 0600; gone again unless it is put in place. What goes wrong is told at the end: after it nothing is
/// written.
class FileReplacement {
public:
    /// @param path  of the file, not of a link to it (real_path)
    explicit FileReplacement(std::string path);
    FileReplacement(const FileReplacement&) = delete;
    FileReplacement& operator=(const FileReplacement&) = delete;
    ~FileReplacement();

    void write(std::string_view text);
    /// All of it is on the disk, under the path, when this has returned. Once. @returns what went wrong; empty where nothing did
    std::string commit();

private:
    void fail(const char* what);

    const std::string path_;
    std::string fresh_;  // empty: there is none
    net::UniqueFd file_;
    std::string problem_;
};

}  // namespace qconn::core
