// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/scheme.hpp>

#include "schemes/schemes.hpp"

namespace qconn {

// Listed here and not by constructors of their own: a static library drops object files that nothing refers to.
const Catalogue& builtin_catalogue() {
    static const Catalogue catalogue = [] {
        Catalogue all;
#ifdef QCONN_WITH_HTTP
        all.add(schemes::http_scheme());
        all.add(schemes::rest_scheme());
        all.add(schemes::jsonrpc_scheme());
        all.add(schemes::xmlrpc_scheme());
        all.add(schemes::yamlrpc_scheme());
#endif
        all.add(schemes::file_scheme());
        return all;
    }();
    return catalogue;
}

}  // namespace qconn
