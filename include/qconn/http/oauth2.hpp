// SPDX-License-Identifier: Apache-2.0
/// OAuth 2 for clients over HTTP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/auth/oauth2.hpp>
#include <qconn/http/authenticator.hpp>

namespace qconn {

/// Asks token servers with an HTTP client of its own: TLS, proxy, socket, time limits and label of these options; never their URL, log-in and
/// headers.
/// @throws Error as HttpClient's constructor
QCONN_API SendForm form_sender(const HttpOptions& options, Runtime runtime = {});

/// How an API takes tokens otherwise than RFC 6750 has it. Functions that are absent change nothing. A value type.
struct TokenUse {
    /// The headers of a request to that URL, in the place of Authorization.
    std::function<Headers(const Token& token, std::string_view url)> headers;
    /// HttpAuthorization::base_url
    std::function<std::string(const Token& token, std::string_view path)> base_url;
    /// Whether an answer says that the token is not good any more, besides those of status 401.
    std::function<bool(const HttpResponse& answer)> is_refusal;
};

/// `Authorization: <type> <token>`, renewed once where it is refused. Many clients can share it.
QCONN_API std::shared_ptr<HttpAuthenticator> oauth2_authenticator(std::shared_ptr<TokenSource> source, TokenUse use = {});

/// The source of a client's tokens; null where it has none.
QCONN_API std::shared_ptr<TokenSource> token_source(const HttpClient& client);

}  // namespace qconn
