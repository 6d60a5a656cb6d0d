// SPDX-License-Identifier: Apache-2.0
/// What a webhook posts, and what it makes of the answer. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>

#include "monitor/backlog.hpp"
#include "sinks/back_off.hpp"

namespace qconn::sinks {

/// @param run      tells this webhook's numbers from those of others
/// @param dropped  events that were refused since the last post that was taken
std::string webhook_body(std::string_view run, std::uint64_t dropped, const std::vector<monitor::Backlog::Item>& events);

enum class Verdict {
    again,   ///< later, as it is
    halve,   ///< at once, with fewer events
    refuse,  ///< never: the server does not take this one event
};
/// What to do with a post of so many events after it has failed.
Verdict judge(const Error& error, std::size_t events);

}  // namespace qconn::sinks
