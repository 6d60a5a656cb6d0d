// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/module.hpp>

namespace qconn {
QCONN_API void not_in_this_version(ModuleHost& host);
}

void qconn_module_1(qconn::ModuleHost& host) { qconn::not_in_this_version(host); }
