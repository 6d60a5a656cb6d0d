// SPDX-License-Identifier: Apache-2.0
/// What an operator or code has set beside the yes-or-no settings: it goes before what the definition says.
#pragma once

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

}  // namespace qconn::core
