// SPDX-License-Identifier: Apache-2.0
/// The operator settings that are yes or no, by the names that people see.
#pragma once

#include <array>

#include "core/slot.hpp"

namespace qconn::core {

struct Setting {
    const char* name;
    Version::Flag flag;
    /// Among the flags of a version: set by code.
    unsigned by_code() const noexcept { return static_cast<unsigned>(flag) << Version::k_by_code_shift; }
};
inline constexpr std::array k_settings{Setting{"enabled", Version::k_enabled}, Setting{"monitored", Version::k_monitored},
                                       Setting{"locked", Version::k_locked}, Setting{"debug_data", Version::k_debug_data}};

}  // namespace qconn::core
