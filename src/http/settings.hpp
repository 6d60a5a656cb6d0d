// SPDX-License-Identifier: Apache-2.0
/// HttpOptions checked and taken apart once, for all the requests of a client.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/net/runtime.hpp>

#include "base/redaction.hpp"
#include "http/cookie_jar.hpp"
#include "http/target.hpp"
#include "net/curl_proxy.hpp"

namespace qconn::net {
class TlsContext;
}

namespace qconn::http {

using HeaderList = net::CurlList;

/// As libcurl wants it; what libcurl would add by itself is held back.
HeaderList to_list(const Headers& headers, bool has_body);

/// Immutable; shared by the client and its requests.
struct Settings {
    /// @throws Error HTTP-CLIENT-OPTION-ERROR, HTTP-CLIENT-URL-ERROR, TLS-OPTION-ERROR
    Settings(HttpOptions given, const Runtime& runtime);

    HttpOptions options;
    /// In force also for what is said after the client has gone.
    Redactions redactions;
    /// Where the URL leads.
    Target base;
    /// Its path, encoded; a query may follow.
    std::string base_path;
    /// Value of the Authorization header; empty: none.
    Secret authorization;
    std::string accept_encoding;
    /// The headers of a request without a body and without headers of its own to the client's origin.
    HeaderList plain_headers;
    /// Null where cookies are not kept.
    std::shared_ptr<CookieJar> cookies;
    std::shared_ptr<const net::TlsContext> tls;
    /// Of an https proxy; null otherwise.
    std::shared_ptr<const net::TlsContext> proxy_tls;
    HeaderList proxy_headers;
    long http_version{CURL_HTTP_VERSION_1_1};
    bool decode{true};

    /// The proxy on the way to there, or null.
    const Proxy* proxy_for(const Target& target) const;

    /// Defaults and the options' headers, overridden by `own`.
    /// @param with_credentials  false: to another origin, so nothing that is named like a credential
    Headers headers_for(const Headers& own, bool with_credentials, bool has_body) const;
    /// `text` with the client's secrets taken out, for what a server said.
    std::string redact(std::string text) const;
};

/// A URL for messages: a query may hold keys, so it is shown as "?…".
std::string shown_url(std::string_view url);
/// What the client's authenticator knows of a refusal, for the end of the error's sentence; empty: nothing.
std::string advice_on(const Settings& settings, const HttpResponse& response);
/// The error for an answer with a status from 400 on.
/// @param what  what was asked; empty: method and URL of the answer
Error status_error(const Settings& settings, const HttpResponse& response, std::string_view what = {});

/// @throws Error HTTP-CLIENT-OPTION-ERROR naming the header, never its value
void check_headers(const Headers& headers);

}  // namespace qconn::http
