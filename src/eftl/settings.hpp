// SPDX-License-Identifier: Apache-2.0
/// EftlOptions checked and taken apart once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <qconn/eftl/eftl_options.hpp>

#include "eftl/engine.hpp"
#include "websocket/settings.hpp"

namespace qconn::eftl {

inline constexpr std::string_view k_subprotocol = "v1.eftl.tibco.com";

struct Settings {
    EftlOptions options;
    EngineOptions engine;
    /// One for each server.
    std::vector<std::shared_ptr<const websocket::Settings>> links;
};

/// @throws Error EFTL-OPTION-ERROR, TLS-OPTION-ERROR, PROXY-ERROR
std::shared_ptr<const Settings> make_settings(EftlOptions options);

/// "qconn 0.1.0"
std::string client_version();

}  // namespace qconn::eftl
