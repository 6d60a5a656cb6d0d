// SPDX-License-Identifier: Apache-2.0
/// What an operator or code has set beside the yes-or-no settings: it goes before what the definition says.
#pragma once

#include <array>
#include <optional>

#include <qconn/base/value.hpp>

namespace qconn::core {

struct Overrides {
    std::optional<Map> tags{};
    /// Options of core/monitoring.hpp.
    std::optional<Map> monitoring{};
    /// Both as core/silence_form.hpp has them.
    std::optional<Map> silence{};
    std::optional<Map> acknowledged{};

    bool empty() const noexcept { return !tags && !monitoring && !silence && !acknowledged; }
};

/// By the names that they have in the file of operator settings.
struct Override {
    const char* name;
    std::optional<Map> Overrides::*member;
};
inline constexpr std::array k_overrides{Override{"tags", &Overrides::tags}, Override{"monitoring", &Overrides::monitoring},
                                        Override{"silence", &Overrides::silence}, Override{"acknowledged", &Overrides::acknowledged}};

}  // namespace qconn::core
