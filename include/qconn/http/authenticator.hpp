// SPDX-License-Identifier: Apache-2.0
/// What makes the requests of a client authorized ones: tokens that are fetched, signatures, keys in headers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/http/http_client.hpp>

namespace qconn {

/// A request as it is about to be sent. Valid during the call that it is given to.
struct HttpAttempt {
    std::string_view method;
    /// The whole URL with its query, encoded as it is sent; without user info.
    std::string_view url;
    /// Value of the Host header, unless `headers` has one.
    std::string_view host;
    /// All that is sent, but Host, and Content-Length of the body.
    const Headers& headers;
    /// In its content coding. Empty where it is streamed.
    std::string_view body;
    /// It comes from HttpRequest::body_from, and is not known before it is sent.
    bool streamed{false};
};

/// What authorizes requests for a while: a token, a key. Immutable.
/// @note Thread-safe.
class QCONN_API HttpAuthorization {
public:
    virtual ~HttpAuthorization();
    /// The headers to be set for this attempt. Asked for each attempt anew, also after a redirect within the origin. Must not block.
    /// @throws Error where it cannot be authorized: the call fails with that
    virtual Headers headers_for(const HttpAttempt& attempt) const = 0;
    /// Where a request goes in the place of HttpOptions::url, with the path of the call joined to it; empty: not elsewhere. Then that is the origin
    /// which may be sent credentials, and the client's own URL is not asked.
    /// @param path  of the call
    virtual std::string base_url(std::string_view path) const;
    /// Whether the answer says that this is not good any more. By itself 401.
    virtual bool is_refused_by(const HttpResponse& answer) const;
};
using HttpAuthorizationPtr = std::shared_ptr<const HttpAuthorization>;

/// Authorizes the requests of a client (HttpOptions::authenticator); one may serve many. It is asked for calls to the client's own origin that bring
/// no Authorization of their own, and what it sets never goes to another origin. One that signs or sets fixed headers has current() only.
/// @note Thread-safe.
class QCONN_API HttpAuthenticator {
public:
    virtual ~HttpAuthenticator();

    /// What can be used at once; null: async_authorize is to be asked. Must not block.
    virtual HttpAuthorizationPtr current() = 0;
    /// Whether async_authorize can be asked. False: what current() says is all, a 401 is reported.
    virtual bool renews() const noexcept { return false; }
    /// Whether its authorizations may name a base_url(): only then is it known which of all whole URLs lead to the origin of the API.
    virtual bool names_origin() const noexcept { return false; }
    /// Gets an authorization.
    /// @param refused   null, or what was refused (is_refused_by). Once in a call.
    /// @param deadline  of the call; it ends then with TIMEOUT
    /// @param callback  as of every asynchronous operation, on an I/O thread; null in answer to a refusal: there is no better one, report the
    /// refusal.
    ///                  Once the operation is cancelled it comes without waiting for anybody.
    virtual Operation async_authorize(HttpAuthorizationPtr refused, Deadline deadline, Callback<HttpAuthorizationPtr> callback);
    /// What a server said with everything taken out that is secret here.
    virtual std::string redact(std::string text) const { return text; }
    /// What to do about an answer with status 400, 401 or 403, for the end of the error's sentence; empty: nothing that is known here.
    virtual std::string advice(const HttpResponse&) const { return {}; }
};

/// Headers that never change, such as an API key.
/// @throws Error HTTP-CLIENT-OPTION-ERROR for what is no header
QCONN_API std::shared_ptr<HttpAuthenticator> header_authenticator(Headers headers);

}  // namespace qconn
