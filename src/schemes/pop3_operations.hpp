// SPDX-License-Identifier: Apache-2.0
/// What can be done by name with a mailbox.
#pragma once

#include <vector>

#include <qconn/core/scheme.hpp>

namespace qconn::schemes {

std::vector<OperationSpec> pop3_operations();

}  // namespace qconn::schemes
