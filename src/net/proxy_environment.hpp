// SPDX-License-Identifier: Apache-2.0
/// The proxy that the environment names.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/net/endpoint.hpp>

namespace qconn::net {

/// Proxy::from_environment over any set of variables.
/// @param variable  the value of one; nothing where it is not set
std::optional<Proxy> proxy_from(std::string_view target_scheme, const std::function<std::optional<std::string>(const std::string& name)>& variable);

}  // namespace qconn::net
