// SPDX-License-Identifier: Apache-2.0
// A module that carries qconn itself.
#include "unit/core/modules/bell.hpp"

extern "C" __attribute__((visibility("default"))) const char* qconn_library_version() noexcept { return "0.0.9"; }

void qconn_module_1(qconn::ModuleHost& host) { host.add(bell::scheme("bell")); }
