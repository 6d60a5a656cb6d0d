// SPDX-License-Identifier: Apache-2.0
// As if made with the headers of a former version.
#define QCONN_VISIBLE __attribute__((visibility("default")))

namespace qconn::abi_0_0 {

class QCONN_VISIBLE ModuleHost {
public:
    void add();
};

}  // namespace qconn::abi_0_0

extern "C" QCONN_VISIBLE void qconn_module_1(qconn::abi_0_0::ModuleHost& host) { host.add(); }
