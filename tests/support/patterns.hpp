// SPDX-License-Identifier: Apache-2.0
/// What a pattern chooses, alike for every client of files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <qconn/file/file_transfer_client.hpp>

#include "support/catch.hpp"

namespace qconn::test {

/// Writes files of its own to the client's directory, which is empty.
inline void check_patterns(FileTransferClient& client) {
    for (const char* name : {".hidden.csv", "1.csv", "a.csv", "a*.csv", "b.txt"}) client.write(name, "x");
    using Names = std::vector<std::string>;
    const std::vector<std::pair<const char*, Names>> all{
        {"", {".hidden.csv", "1.csv", "a*.csv", "a.csv", "b.txt"}},
        {"*", {"1.csv", "a*.csv", "a.csv", "b.txt"}},
        {"*.csv", {"1.csv", "a*.csv", "a.csv"}},
        {".*", {".hidden.csv"}},
        {"?.csv", {"1.csv", "a.csv"}},
        {"[0-9]*.csv", {"1.csv"}},
        {"[!0-9]*", {"a*.csv", "a.csv", "b.txt"}},
        {"a\\*.csv", {"a*.csv"}},
        {"none", {}},
    };
    for (const auto& [pattern, expected] : all) {
        INFO(pattern);
        Names names;
        for (const FileInfo& entry : client.list({}, pattern)) names.push_back(entry.name);
        CHECK(names == expected);
    }
}

}  // namespace qconn::test
