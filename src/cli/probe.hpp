// SPDX-License-Identifier: Apache-2.0
/// One ping for `ping` and `explain`.
#pragma once

#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/net/ping.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

/// How a connection turned out.
enum class Verdict { up, down, inconclusive, disabled, invalid };
std::string_view to_string(Verdict verdict) noexcept;
Style style_of(Verdict verdict) noexcept;

struct Probe {
    Verdict verdict{Verdict::down};
    PingResult result;
};

/// Never throws Error: what stands in the way of a ping (invalid, disabled, a missing secret) is part of the result.
Probe probe(Registry& registry, const std::string& name, PingDepth depth, Deadline deadline, bool steps);

/// @throws UsageError naming the depths that there are
PingDepth depth_option(const std::string& text);

}  // namespace qconn::cli
