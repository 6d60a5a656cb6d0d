// SPDX-License-Identifier: Apache-2.0
/// Proxies of every kind, real ones and broken ones: the same outcome for whatever drives the connection.
#pragma once

#include "integration/net/errand.hpp"

namespace qconn::test {

// To be called from one TEST_CASE each; they have a SECTION for each promise.
void check_proxies_that_work(const StartErrand& start);
void check_proxies_that_refuse(const StartErrand& start);
void check_proxies_that_break(const StartErrand& start);

}  // namespace qconn::test
