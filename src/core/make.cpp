// SPDX-License-Identifier: Apache-2.0
#include "core/make.hpp"

#include <utility>

#include <qconn/base/error.hpp>

namespace qconn::core {

namespace {

struct Held {
    std::shared_ptr<const Redaction> redaction;
    std::shared_ptr<Client> client;  // goes first: its last errors are still about this definition
};

/// Errors are made fit to be shown by the name that they get.
template <class Make>
auto named(const ResolvedDefinition& definition, Make make) {
    try {
        return make();
    } catch (Error& error) {
        if (error.connection().empty()) error.with_connection(definition.name);
        throw;
    }
}

}  // namespace

std::shared_ptr<Client> make_client(const Scheme& scheme, const ResolvedDefinition& definition, const Runtime& runtime) {
    std::shared_ptr<Client> client = named(definition, [&] { return scheme.make_client(definition, runtime); });
    if (!client || !definition.redaction) return client;
    Client* const plain = client.get();
    return {std::make_shared<Held>(Held{definition.redaction, std::move(client)}), plain};
}

PingPlan make_ping(const Scheme& scheme, const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
    PingPlan plan = named(definition, [&] { return scheme.make_ping(definition, depth, runtime); });
    plan.redaction = definition.redaction;
    return plan;
}

}  // namespace qconn::core
