// SPDX-License-Identifier: Apache-2.0
/// What can be done by name with every client that moves files.
#pragma once

#include <vector>

#include <qconn/core/scheme.hpp>

namespace qconn::schemes {

/// For schemes whose client is a FileTransferClient.
std::vector<OperationSpec> file_operations();

}  // namespace qconn::schemes
