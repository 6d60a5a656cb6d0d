// SPDX-License-Identifier: Apache-2.0
/// What a connection may share with others, from its definition and the plan of its pings.
#pragma once

#include <string_view>

#include <qconn/net/ping_plan.hpp>

#include "core/registry_impl.hpp"
#include "monitor/outages.hpp"

namespace qconn::monitor {

/// @param plan  says through which proxy; null: not known
Whereabouts whereabouts_of(const core::RegistryImpl& registry, std::string_view name, const PingPlan* plan);

}  // namespace qconn::monitor
