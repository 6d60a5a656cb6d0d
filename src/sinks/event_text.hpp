// SPDX-License-Identifier: Apache-2.0
/// Events for people.
#pragma once

#include <string>

#include <qconn/monitor/event.hpp>

namespace qconn::sinks {

/// `"shop-api" is down: CONNECT-ERROR: …`
std::string sentence_of(const Event& event);

}  // namespace qconn::sinks
