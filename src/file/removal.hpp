// SPDX-License-Identifier: Apache-2.0
/// Whole directories that go.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <qconn/file/file_transfer_client.hpp>

namespace qconn::file {

/// Removes files, links, and directories with all that is in them: also what transfers have left there, which no list shows.
class Removal {
public:
    /// @param spares_from  what a transfer has left stays where it is younger than that, or of no known age, and so do the directories that hold it
    Removal(FileTransferClient& client, Deadline deadline, std::optional<std::chrono::system_clock::time_point> spares_from = {})
        : client_{client}, deadline_{deadline}, spares_from_{spares_from} {}

    /// @param type  as a listing tells it; a link is not followed
    void remove(const std::string& path, FileType type) { entry(path, type, 0); }
    /// Entries so far.
    std::uint64_t removed() const noexcept { return removed_; }

private:
    bool entry(const std::string& path, FileType type, int depth);
    bool directory(const std::string& path, int depth);
    bool leftovers(const std::string& path);
    void one(const std::string& path);

    FileTransferClient& client_;
    const Deadline deadline_;
    const std::optional<std::chrono::system_clock::time_point> spares_from_;
    std::uint64_t removed_{0};
};

}  // namespace qconn::file
