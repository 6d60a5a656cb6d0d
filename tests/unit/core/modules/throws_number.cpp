// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/module.hpp>

void qconn_module_1(qconn::ModuleHost&) { throw 17; }
