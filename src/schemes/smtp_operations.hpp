// SPDX-License-Identifier: Apache-2.0
/// What can be called by name on an SMTP connection.
#pragma once

#include <vector>

#include <qconn/core/scheme.hpp>

namespace qconn::schemes {

std::vector<OperationSpec> smtp_operations();

}  // namespace qconn::schemes
