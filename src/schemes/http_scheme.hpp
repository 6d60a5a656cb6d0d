// SPDX-License-Identifier: Apache-2.0
/// What the entries of all schemes over HTTP have in common.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <qconn/core/scheme.hpp>

#include "schemes/convert.hpp"
#include "schemes/http_ping.hpp"

namespace qconn::schemes {

/// Whether standard pings do anything.
inline bool pings_automatically(const ResolvedDefinition& definition) {
    const Value& off = option_of(definition, "disable_automatic_pings");
    return !(off.is_bool() && off.as_bool());
}

/// A scheme with two names, the second for TLS, whose clients are of type `MadeClient`.
/// @param options_of  the client's options, from a ResolvedDefinition
/// @param call_of     from that and those options: the request that a ping sends, if any
template <class MadeClient, class OptionsOf, class CallOf>
Scheme http_kind(const std::string& name, OptionsOf options_of, CallOf call_of) {
    Scheme scheme;
    scheme.names = {name, name + "s"};
    scheme.family = name;
    scheme.default_ports = {{name, 80}, {name + "s", 443}};
    scheme.sharing = Sharing::parallel;
    scheme.standard_depth = PingDepth::tls;
    scheme.make_client = [options_of](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<MadeClient>(options_of(definition), runtime);
    };
    scheme.make_ping = [options_of, call_of](const ResolvedDefinition& definition, PingDepth depth, const Runtime&) {
        const auto options = options_of(definition);
        return make_ping_plan(options, depth, call_of(definition, options), pings_automatically(definition));
    };
    return scheme;
}

}  // namespace qconn::schemes
