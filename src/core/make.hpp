// SPDX-License-Identifier: Apache-2.0
/// The one way from a resolved definition to a client or a ping: what was read for its secret references stays out of texts as long as either lives.
#pragma once

#include <memory>

#include <qconn/core/scheme.hpp>

namespace qconn::core {

/// @returns null where the scheme makes none
/// @throws Error what the scheme throws, with the connection's name
std::shared_ptr<Client> make_client(const Scheme& scheme, const ResolvedDefinition& definition, const Runtime& runtime);
/// @throws Error likewise
PingPlan make_ping(const Scheme& scheme, const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime);

}  // namespace qconn::core
