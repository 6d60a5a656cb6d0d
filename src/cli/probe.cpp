// SPDX-License-Identifier: Apache-2.0
#include "cli/probe.hpp"

#include <array>

#include "cli/tool.hpp"

namespace qconn::cli {

std::string_view to_string(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::up: return "up";
        case Verdict::down: return "down";
        case Verdict::inconclusive: return "inconclusive";
        case Verdict::disabled: return "disabled";
        case Verdict::invalid: return "invalid";
    }
    return "";
}

Style style_of(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::up: return Style::good;
        case Verdict::disabled: return Style::dim;
        case Verdict::inconclusive: return Style::warn;
        case Verdict::down:
        case Verdict::invalid: return Style::bad;
    }
    return Style::plain;
}

Probe probe(Registry& registry, const std::string& name, PingDepth depth, Deadline deadline, bool steps) {
    Probe probe;
    try {
        probe.result = registry.ping(name, depth, deadline, steps);
    } catch (const Error& error) { probe.result.error = error; }
    if (probe.result.ok)
        probe.verdict = Verdict::up;
    else if (probe.result.inconclusive)
        probe.verdict = Verdict::inconclusive;
    else if (probe.result.error && probe.result.error->name() == "CONNECTION-DISABLED")
        probe.verdict = Verdict::disabled;
    else if (probe.result.error && probe.result.error->name() == "INVALID-CONNECTION")
        probe.verdict = Verdict::invalid;
    return probe;
}

PingDepth depth_option(const std::string& text) {
    for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full}) {
        if (text == to_string(depth)) return depth;
    }
    throw UsageError("--depth: '" + text + "' is not a depth; there are: standard, connect, tls, auth, full");
}

}  // namespace qconn::cli
