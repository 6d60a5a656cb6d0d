// SPDX-License-Identifier: Apache-2.0
/// The options about proxies, the same for every scheme that can use one.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <qconn/core/option.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/net/endpoint.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

const std::vector<OptionSpec>& proxy_option_specs();

/// What they come to is proxy_of()'s affair, as the environment has another proxy for each kind of target.
template <class Options>
void add_proxy_options(OptionTable<Options>& table) {
    for (const OptionSpec& spec : proxy_option_specs()) table.add(spec.name, spec.type, spec.help, nullptr) = spec;
}

/// The proxy of a definition, if it has one.
/// @param target_scheme  `http` or `https`, for the variables of the environment
/// @throws Error PROXY-ERROR
std::optional<Proxy> proxy_of(const ResolvedDefinition& definition, std::string_view target_scheme);

/// What the table cannot say.
void check_proxy_options(const Definition& definition, Findings& findings);

}  // namespace qconn::schemes
