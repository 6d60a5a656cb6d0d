// SPDX-License-Identifier: Apache-2.0
/// From definitions of the HTTP kinds to HttpOptions, what their tables cannot say included.
#pragma once

#include <string>
#include <string_view>

#include <qconn/auth/oauth2.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/http/http_client.hpp>

#include "http/target.hpp"
#include "schemes/convert.hpp"

namespace qconn::schemes {

Headers headers_of(const Value& map);

// Checks of single options: empty, or what is wrong.
std::string headers_problem(const Value& map);
std::string codings_problem(const Value& list);

/// Label, URL, log-in and proxy. The real scheme is https where the definition's ends in an `s`, else http.
void set_address(HttpOptions& options, const ResolvedDefinition& definition);

/// The HTTP proxy that pings send plain requests to; null where there is none, or a tunnel through it is made: for TLS, through SOCKS, and where a
/// request would have to be sent twice, as the proxy asks for the log-in.
const Proxy* relay_of(const HttpOptions& options, const http::Target& target);

/// What is wrong with URL and options of any HTTP kind, taken together.
/// @param grant  how its tokens are got
void check_http(const Definition& definition, Findings& findings, OAuth2Grant grant = OAuth2Grant::none);

}  // namespace qconn::schemes
