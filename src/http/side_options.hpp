// SPDX-License-Identifier: Apache-2.0
/// Clients beside a connection, for log-ins and what belongs to them.
#pragma once

#include <string>

#include <qconn/http/http_client.hpp>

namespace qconn::http {

/// What reaches the connection's server (TLS, proxy, socket, time limits), and its label; nothing of its log-in, its headers and its URL. Every
/// status is an answer, redirects are not followed, answers are small.
HttpOptions side_options(const HttpOptions& given, std::string url = {});

}  // namespace qconn::http
