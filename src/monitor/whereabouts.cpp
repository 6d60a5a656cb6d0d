// SPDX-License-Identifier: Apache-2.0
#include "monitor/whereabouts.hpp"

#include <utility>

namespace qconn::monitor {

Whereabouts whereabouts_of(const core::RegistryImpl& registry, std::string_view name, const PingPlan* plan) {
    Whereabouts where;
    if (auto view = registry.view(name)) {
        where.host = std::move(view->host_key);
        where.via = std::move(view->monitoring.via);
    }
    if (plan == nullptr) return where;
    if (const auto* net = std::get_if<std::shared_ptr<const NetPing>>(&plan->what); net && (*net)->endpoint.proxy) {
        const Proxy& proxy = *(*net)->endpoint.proxy;
        where.proxy = proxy.host + ':' + std::to_string(proxy.port);
    }
    return where;
}

}  // namespace qconn::monitor
