// SPDX-License-Identifier: Apache-2.0
/// Every field of SocketOptions, as the system sees it: each check fails where the field is ignored.
#pragma once

#include "integration/net/errand.hpp"

namespace qconn::test {

/// To be called from one TEST_CASE; has a SECTION for each field.
void check_socket_options(const StartErrand& start);

}  // namespace qconn::test
