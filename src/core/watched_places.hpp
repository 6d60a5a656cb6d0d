// SPDX-License-Identifier: Apache-2.0
/// Which directories decide what a set of paths holds, and what the system tells of them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/definition_files.hpp"
#include "net/unique_fd.hpp"

namespace qconn::core {

/// Watches, by inotify, every directory in which a name is looked up on the way to the paths, for that name alone; the directories that are given,
/// for the names of definition files. Symbolic links are followed step by step, those of definition files too.
/// @note Thread-safe.
class WatchedPlaces {
public:
    explicit WatchedPlaces(DefinitionSuffixes suffixes) : suffixes_{std::move(suffixes)} {}

    /// Opens the descriptor. @returns 0, or errno where the system has none
    int open();
    /// Becomes readable when something has happened.
    int descriptor() const noexcept { return fd_.get(); }

    /// A path and what it is watched for: bits of the caller's choice.
    struct Wanted {
        std::string path;
        unsigned purpose;
    };
    struct Changed {
        /// For these a place is watched that was not before: what it held until then is not known.
        unsigned added{0};
        /// Why changes of some place are not told; empty: all are.
        std::string untold;
    };
    /// Watches what now decides about the paths, and nothing else.
    Changed follow(const std::vector<Wanted>& wanted);

    /// Takes what has been told. @returns for what purposes it matters
    unsigned take();

    /// Different when files of the paths were added, removed or changed; reads no file. 0: one is so young that a next change might not show.
    static std::uint64_t snapshot(const std::vector<std::string>& paths, const DefinitionSuffixes& suffixes);

private:
    struct Place {
        unsigned definitions{0};                             // for what the names of definition files are watched
        std::map<std::string, unsigned, std::less<>> names;  // for what others are

        unsigned purposes() const noexcept;
    };
    class Walk;

    const DefinitionSuffixes suffixes_;
    net::UniqueFd fd_;
    std::mutex mutex_;
    std::map<int, Place> watches_;  // guarded by mutex_; by inotify's number
};

}  // namespace qconn::core
