// SPDX-License-Identifier: Apache-2.0
/// The common parts of qconn: registry, monitor, and the clients of the families that need no header of their own.
#pragma once

#include <qconn/admin/metrics_server.hpp>
#include <qconn/amqp/amqp_client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/result.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/base/url.hpp>
#include <qconn/base/value.hpp>
#include <qconn/base/yaml.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/plan.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/core/secret_provider.hpp>
#include <qconn/core/watch.hpp>
#include <qconn/file/file_client.hpp>
#include <qconn/file/transfer.hpp>
#include <qconn/file/tree.hpp>
#include <qconn/ftp/ftp_client.hpp>
#include <qconn/mail/mail_message.hpp>
#include <qconn/mail/parsed_mail.hpp>
#include <qconn/mail/pop3_client.hpp>
#include <qconn/mail/smtp_client.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/metrics.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/names.hpp>
#include <qconn/monitor/to_value.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/settings/settings.hpp>
#include <qconn/sinks/log_sink.hpp>

#ifndef QCONN_WITHOUT_WEBSOCKET  // set as below
#include <qconn/eftl/eftl_client.hpp>
#include <qconn/websocket/sewio_client.hpp>
#include <qconn/websocket/websocket_client.hpp>
#endif
#ifndef QCONN_WITHOUT_SSH  // set as below
#include <qconn/ssh/sftp_client.hpp>
#include <qconn/ssh/ssh_client.hpp>
#endif
#ifndef QCONN_WITHOUT_TELNET  // set as below
#include <qconn/telnet/telnet_client.hpp>
#endif
#ifndef QCONN_WITHOUT_HTTP  // set for its users by a build of qconn that leaves these families out
#include <qconn/http/http_client.hpp>
#include <qconn/rest/rest_client.hpp>
#include <qconn/rpc/rpc_client.hpp>
#include <qconn/sinks/webhook_sink.hpp>
#endif
