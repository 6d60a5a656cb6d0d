// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/module.hpp>

extern "C" void bell_foundry_cast();

void qconn_module_1(qconn::ModuleHost&) { bell_foundry_cast(); }
