// SPDX-License-Identifier: Apache-2.0
/// Proxies that cannot work, before anything is sent.
#pragma once

#include <string>

#include <qconn/net/endpoint.hpp>

namespace qconn::net {

/// What is wrong with it; empty: nothing. Shows no value of a header.
std::string proxy_problem(const Proxy& proxy);

}  // namespace qconn::net
