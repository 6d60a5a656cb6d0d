// SPDX-License-Identifier: Apache-2.0
/// OAuth 2 for clients over HTTP.
#pragma once

#include <memory>

#include <qconn/auth/oauth2.hpp>
#include <qconn/http/authenticator.hpp>

namespace qconn {

/// Asks token servers with an HTTP client of its own: TLS, proxy, socket, time limits and label of these options; never their URL, log-in and
/// headers.
/// @throws Error as HttpClient's constructor
QCONN_API SendForm form_sender(const HttpOptions& options, Runtime runtime = {});

/// `Authorization: <type> <token>`, renewed once where it is refused. Many clients can share it.
QCONN_API std::shared_ptr<HttpAuthenticator> oauth2_authenticator(std::shared_ptr<TokenSource> source);

/// The source of a client's tokens; null where it has none.
QCONN_API std::shared_ptr<TokenSource> token_source(const HttpClient& client);

}  // namespace qconn
