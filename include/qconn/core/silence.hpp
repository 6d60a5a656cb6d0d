// SPDX-License-Identifier: Apache-2.0
/// What an operator says of a connection for a while: that nobody is to be called for it, that somebody is at it, that somebody has seen to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/export.hpp>

namespace qconn {

/// While it holds, the connection is pinged and judged as ever, and no alert of it is told (Registry::set_silence). A value type.
struct Silence {
    enum class Kind : std::uint8_t {
        mute,         ///< what happens counts as ever, but calls nobody
        maintenance,  ///< what happens is expected: it does not count against the connection
    };
    Kind kind{Kind::mute};
    /// Zero time point: from when it is set. Both times are the wall clock's.
    std::chrono::system_clock::time_point from{};
    /// Nothing: until it is taken back.
    std::optional<std::chrono::system_clock::time_point> until{};
    /// Who, and why; may be empty.
    std::string by{};
    std::string note{};

    bool is_over(std::chrono::system_clock::time_point now) const noexcept { return until && *until <= now; }
    bool is_in_force(std::chrono::system_clock::time_point now) const noexcept { return from <= now && !is_over(now); }
    bool operator==(const Silence&) const = default;
};
/// "mute" or "maintenance".
QCONN_API std::string_view to_string(Silence::Kind kind) noexcept;
/// For people: "maintenance until 2026-01-31T23:59:59.123Z by ann: new disks".
QCONN_API std::string to_text(const Silence& silence);

/// Somebody sees to what is wrong with a connection (Registry::acknowledge). A value type.
struct Acknowledgement {
    std::string by;
    std::string note;
    /// It counts for alerts that were raised until then.
    std::chrono::system_clock::time_point at{};

    bool operator==(const Acknowledgement&) const = default;
};

}  // namespace qconn
