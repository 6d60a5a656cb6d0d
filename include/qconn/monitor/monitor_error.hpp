// SPDX-License-Identifier: Apache-2.0
/// What a monitor refuses, as error codes.
#pragma once

#include <system_error>
#include <type_traits>

#include <qconn/base/export.hpp>

namespace qconn {

/// Codes of the monitor's own errors. The name in brackets is what Error::name() says.
enum class MonitorErrc {
    interface = 1,  ///< INTERFACE-ERROR: kind and name of an interface are taken, or its monitor is gone
};
QCONN_API const std::error_category& monitor_category() noexcept;
QCONN_API std::error_code make_error_code(MonitorErrc code) noexcept;

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::MonitorErrc> : std::true_type {};
