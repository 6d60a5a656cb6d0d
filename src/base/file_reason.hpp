// SPDX-License-Identifier: Apache-2.0
/// What an errno of a file operation means.
#pragma once

#include <qconn/base/error.hpp>

namespace qconn {

Reason file_reason(int error) noexcept;

}  // namespace qconn
