// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/scheme.hpp>

#include "schemes/schemes.hpp"

namespace qconn {

// Listed here and not by constructors of their own: a static library drops object files that nothing refers to.
const Catalogue& builtin_catalogue() {
    static const Catalogue catalogue = [] {
        Catalogue all;
#ifndef QCONN_WITHOUT_HTTP
        all.add(schemes::http_scheme());
        all.add(schemes::rest_scheme());
        all.add(schemes::awsrest_scheme());
        all.add(schemes::billwerkrest_scheme());
        all.add(schemes::cdsrest_scheme());
        all.add(schemes::salesforce_scheme());
        all.add(schemes::sap4hanarest_scheme());
        all.add(schemes::servicenow_scheme());
        all.add(schemes::sewiorest_scheme());
        all.add(schemes::zeyosrest_scheme());
        all.add(schemes::jsonrpc_scheme());
        all.add(schemes::xmlrpc_scheme());
        all.add(schemes::yamlrpc_scheme());
#endif
#ifndef QCONN_WITHOUT_WEBSOCKET
        all.add(schemes::ws_scheme());
        all.add(schemes::sewiows_scheme());
        all.add(schemes::eftl_scheme());
#endif
        all.add(schemes::amqp_scheme());
        all.add(schemes::file_scheme());
#ifndef QCONN_WITHOUT_SSH
        all.add(schemes::ssh_scheme());
        all.add(schemes::sftp_scheme());
#endif
        all.add(schemes::ftp_scheme());
        all.add(schemes::smtp_scheme());
        all.add(schemes::pop3_scheme());
#ifndef QCONN_WITHOUT_TELNET
        all.add(schemes::telnet_scheme());
#endif
        return all;
    }();
    return catalogue;
}

}  // namespace qconn
