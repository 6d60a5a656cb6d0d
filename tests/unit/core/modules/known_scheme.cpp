// SPDX-License-Identifier: Apache-2.0
#include "unit/core/modules/bell.hpp"

void qconn_module_1(qconn::ModuleHost& host) {
    host.add(bell::scheme("chime"));
    host.add(bell::scheme("file"));
}
