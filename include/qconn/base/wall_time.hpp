// SPDX-License-Identifier: Apache-2.0
/// Instants of the wall clock as text.
#pragma once

#include <chrono>
#include <string>

#include <qconn/base/export.hpp>

namespace qconn {

/// RFC 3339 in UTC with milliseconds: "2026-01-31T23:59:59.123Z".
QCONN_API std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace qconn
