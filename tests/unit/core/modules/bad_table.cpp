// SPDX-License-Identifier: Apache-2.0
#include "unit/core/modules/bell.hpp"

void qconn_module_1(qconn::ModuleHost& host) {
    host.add(bell::scheme("chime"));
    qconn::Scheme scheme = bell::scheme("clapper");
    scheme.make_ping = nullptr;
    host.add(std::move(scheme));
}
