// SPDX-License-Identifier: Apache-2.0
/// Connections of measurements of the monitor.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "http/ping_dialogue.hpp"

namespace qconn::bench {

class NoClient final : public Client {
public:
    std::string_view label() const noexcept override { return "none"; }
};

/// A scheme `bench`.
/// @param kind  tcp: a connect only; http: a request on a fresh connection; kept: on a kept one
inline Catalogue target_scheme(std::string_view kind) {
    Scheme scheme;
    scheme.names = {"bench"};
    scheme.family = "bench";
    scheme.title = "A target of a measurement";
    scheme.help = "For measurements.";
    scheme.example_url = "bench://127.0.0.1:80";
    scheme.default_ports = {{"bench", std::uint16_t{80}}};
    scheme.clients = client_types<NoClient>({"NoClient"});
    scheme.make_client = [](const ResolvedDefinition&, const Runtime&) { return std::make_shared<NoClient>(); };
    const bool request = kind != "tcp";
    const bool keep = kind == "kept";
    scheme.make_ping = [request, keep](const ResolvedDefinition& definition, PingDepth, const Runtime&) -> PingPlan {
        NetPing ping;
        ping.endpoint.host = definition.url.host;
        ping.endpoint.port = definition.url.port.value_or(80);
        ping.keep = keep;
        if (request) {
            http::HttpPingRequest what;
            what.host = definition.url.host;
            what.keep = keep;
            ping.dialogue = http::HttpPings{what};
        }
        return ping;
    };
    Catalogue all;
    all.add(std::move(scheme));
    return all;
}

/// Each an address of its own: no cap per host, no lack of ports.
inline std::string target_address(int i) {
    return "127." + std::to_string(1 + i / 62'500) + '.' + std::to_string(i / 250 % 250) + '.' + std::to_string(1 + i % 250);
}

}  // namespace qconn::bench
