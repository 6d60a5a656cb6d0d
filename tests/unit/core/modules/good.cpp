// SPDX-License-Identifier: Apache-2.0
#include "unit/core/modules/bell.hpp"

void qconn_module_1(qconn::ModuleHost& host) {
    host.describe("bell", "1.2.3", "Bells that ring.");
    host.add(bell::scheme("bell"));
    host.add(bell::scheme("gong"));
}
