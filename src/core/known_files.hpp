// SPDX-License-Identifier: Apache-2.0
/// Files that a registry has read, so that a reload reads only those that have changed since.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace qconn::core {

/// Which file, and which state of it. The time of its last status change is in it for what the others do not show: rights that were taken away, a
/// text of the same length under a time that was set back.
struct FileStamp {
    std::uint64_t device{0};
    std::uint64_t inode{0};
    std::int64_t size{0};
    std::int64_t modified{0};  ///< nanoseconds since 1970
    std::int64_t changed{0};

    static FileStamp of(const struct stat& status) noexcept {
        return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
    }
    bool operator==(const FileStamp&) const = default;

    /// Whether a later change must show in the stamp: a file system's clock may stand still for as long as the file is younger than this.
    bool is_settled() const noexcept {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return modified < std::chrono::duration_cast<std::chrono::nanoseconds>(now - k_young).count();
    }

private:
    static constexpr std::chrono::seconds k_young{2};
    static std::int64_t nanoseconds(const timespec& time) noexcept { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }
};

/// Files that were read without any finding. A file with findings is read again by every reload, as they are to be told again. A value type.
class KnownFiles {
public:
    void add(std::uint64_t path_hash, const FileStamp& stamp, std::size_t connections) {
        files_.push_back({stamp, path_hash, static_cast<std::uint32_t>(connections)});
    }
    /// Before contains().
    void sort() {
        std::sort(files_.begin(), files_.end(), before);
        files_.shrink_to_fit();
    }
    void merge(const KnownFiles& others) {
        files_.insert(files_.end(), others.files_.begin(), others.files_.end());
        sort();
    }
    bool contains(std::uint64_t path_hash, const FileStamp& stamp, std::size_t connections) const {
        const Entry entry{stamp, path_hash, static_cast<std::uint32_t>(connections)};
        for (auto at = std::lower_bound(files_.begin(), files_.end(), entry, before); at != files_.end() && !before(entry, *at); ++at)
            if (*at == entry) return true;
        return false;
    }

    static std::uint64_t hash_path(std::string_view path) noexcept { return std::hash<std::string_view>{}(path); }

private:
    struct Entry {
        FileStamp stamp;
        /// Links may change places without a trace in what they lead to.
        std::uint64_t path_hash;
        std::uint32_t connections;
        bool operator==(const Entry&) const = default;
    };
    static bool before(const Entry& a, const Entry& b) noexcept {
        return a.stamp.inode != b.stamp.inode ? a.stamp.inode < b.stamp.inode : a.stamp.device < b.stamp.device;
    }

    std::vector<Entry> files_;
};

}  // namespace qconn::core
