// SPDX-License-Identifier: Apache-2.0
/// Targets that are reached without a proxy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qconn::net {

/// Whether an element of Proxy::except stands for that target.
bool is_excepted(std::string_view pattern, std::string_view host, std::uint16_t port);

/// What is wrong with an element; empty: nothing.
std::string exception_problem(std::string_view pattern);

}  // namespace qconn::net
