// SPDX-License-Identifier: Apache-2.0
/// The entries of the built-in catalogue, one function a family.
#pragma once

#include <qconn/core/scheme.hpp>

namespace qconn::schemes {

Scheme http_scheme();
Scheme rest_scheme();
Scheme awsrest_scheme();
Scheme billwerkrest_scheme();
Scheme cdsrest_scheme();
Scheme salesforce_scheme();
Scheme sap4hanarest_scheme();
Scheme servicenow_scheme();
Scheme sewiorest_scheme();
Scheme zeyosrest_scheme();
Scheme jsonrpc_scheme();
Scheme xmlrpc_scheme();
Scheme yamlrpc_scheme();
Scheme ws_scheme();
Scheme sewiows_scheme();
Scheme eftl_scheme();
Scheme amqp_scheme();
Scheme file_scheme();
Scheme ssh_scheme();
Scheme sftp_scheme();
Scheme ftp_scheme();
Scheme smtp_scheme();
Scheme pop3_scheme();
Scheme telnet_scheme();

}  // namespace qconn::schemes
