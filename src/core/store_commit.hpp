// SPDX-License-Identifier: Apache-2.0
/// A set of changes to a store that becomes visible at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/store.hpp"

namespace qconn::core {

struct Store::Change {
    std::shared_ptr<Slot> slot;
    Version* next{nullptr};
    bool published{false};
};

/// Make it before the lock is taken: its end, after the lock's, destroys the clients that have gone out of use.
struct Store::Commit {
    Commit() = default;
    Commit(const Commit&) = delete;
    Commit& operator=(const Commit&) = delete;
    ~Commit();

    void event(RegistryChange::Kind kind, std::string name, bool reconnects = false, std::string problem = {});
    /// The slot keeps its name and build, nothing else.
    void remove(const std::shared_ptr<Slot>& slot);

    std::vector<Change> changes;
    std::vector<RegistryChange> events;
    /// What an operator has set for those that go.
    std::vector<std::pair<std::string, KeptSettings::Settings>> kept;
    std::vector<ClientCell*> retired;
    /// By their next_orphan.
    ClientCell* orphans{nullptr};
};

inline constexpr std::string_view k_duplicate_name = "duplicate-name";

inline std::int64_t now() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

inline unsigned by_code(unsigned flags) noexcept { return (flags & Version::k_by_code) >> Version::k_by_code_shift; }

inline std::string place_text(const std::string& file, Place place) {
    return "at " + file + (place.line == 0 ? std::string{} : ":" + std::to_string(place.line) + ":" + std::to_string(place.column));
}

/// Whether what is made of the definition differs between the two directories.
inline bool counts_from_directory(std::string_view content, const std::string* a, const std::string* b) {
    return a != b && content.find("${file:") != std::string_view::npos;
}

/// What is said about settings that have changed with a new version.
inline void settings_events(std::vector<RegistryChange>& events, const std::string& name, unsigned before, unsigned after) {
    if ((before ^ after) & Version::k_enabled)
        events.push_back({after & Version::k_enabled ? RegistryChange::Kind::enabled : RegistryChange::Kind::disabled, name, false, {}});
    if ((before ^ after) & (Version::k_settings & ~Version::k_enabled)) events.push_back({RegistryChange::Kind::settings, name, false, {}});
}

}  // namespace qconn::core
