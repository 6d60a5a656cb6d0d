// SPDX-License-Identifier: Apache-2.0
/// TelnetOptions checked, and made into what sessions and pings need.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/net/endpoint.hpp>
#include <qconn/telnet/telnet_client.hpp>

#include "net/job.hpp"
#include "telnet/engine.hpp"
#include "telnet/prompts.hpp"

namespace qconn::telnet {

/// What all sessions of a client have in common. Immutable.
struct Settings {
    explicit Settings(TelnetOptions o) : options{std::move(o)}, prompts{options} {}
    TelnetOptions options;
    Prompts prompts;
    Endpoint endpoint;
    EngineSettings engine;
    std::string server;  ///< for messages

    net::Job job(std::string verb, std::string subject = {}) const { return {options.label, server, std::move(verb), std::move(subject)}; }
};

/// Where its sessions go to. @throws Error INVALID-TARGET
Endpoint endpoint_of(const TelnetOptions& options);
/// @throws Error INVALID-TARGET, TELNET-PATTERN-ERROR
std::shared_ptr<const Settings> settings_of(TelnetOptions options);

}  // namespace qconn::telnet
