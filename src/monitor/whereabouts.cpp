// SPDX-License-Identifier: Apache-2.0
#include "monitor/whereabouts.hpp"

#include <utility>

#include "base/text.hpp"

namespace qconn::monitor {

Whereabouts whereabouts_of(const core::RegistryImpl& registry, std::string_view name, const PingPlan* plan) {
    Whereabouts where;
    if (auto view = registry.view(name)) {
        where.host = std::move(view->host_key);
        where.via = std::move(view->monitoring.via);
    }
    if (plan == nullptr) return where;
    const auto* net = std::get_if<std::shared_ptr<const NetPing>>(&plan->what);
    if (!net) return where;
    const Endpoint& endpoint = (*net)->endpoint;
    if (endpoint.proxy) {
        where.proxy = endpoint.proxy->host + ':' + std::to_string(endpoint.proxy->port);
    } else if (!endpoint.is_socket && !where.host.empty() && !where.host.ends_with(":0")) {
        // Who passes on plain requests is connected to in the place of the target.
        std::string peer = text::to_lower(endpoint.host) + ':' + std::to_string(endpoint.port);
        if (peer != where.host) where.proxy = std::move(peer);
    }
    return where;
}

}  // namespace qconn::monitor
