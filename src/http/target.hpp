// SPDX-License-Identifier: Apache-2.0
/// Where a request goes: URLs of requests and redirects as RFC 3986 has them, paths joined and encoded. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/http/http_client.hpp>

namespace qconn::http {

/// A place and what is asked of it. A value type.
struct Target {
    bool tls{false};
    /// Without the brackets of an IPv6 address, lower case. With a socket what stands in the Host header.
    std::string host;
    std::uint16_t port{80};
    /// UNIX socket that stands for host and port; empty: none.
    std::string socket;
    /// Begins with '/'; the query follows. Encoded.
    std::string path{"/"};

    /// The same scheme, host and port: what credentials may be sent to.
    bool same_origin(const Target& other) const noexcept;
    /// `https://host:8080`, the port only where it is not the scheme's.
    std::string origin() const;
    /// Host and, where it is not the scheme's, port: the Host header.
    std::string authority() const;
    std::string url() const { return origin() + path; }
    /// For messages: a query may hold keys, so it is shown as "?…".
    std::string shown() const;
};

/// User info found in a URL, percent-decoded.
struct UserInfo {
    std::string username;
    Secret password;

    bool empty() const noexcept { return username.empty() && password.empty(); }
};

/// Whether the text begins with a scheme and "://".
bool is_whole_url(std::string_view text) noexcept;

/// A URL as in RFC 3986: the authority ends at the first '/', '?' or '#'. Fragment dropped, path encoded where it has to be.
/// @param user  takes the user info; null: it is dropped
/// @throws Error HTTP-CLIENT-URL-ERROR
Target parse_target(std::string_view url, UserInfo* user = nullptr);

/// Where a Location leads from `from` (RFC 3986 section 5.2).
/// @throws Error HTTP-CLIENT-REDIRECT-ERROR
Target resolve_location(const Target& from, std::string_view location);

struct PathRules {
    std::string_view encode;
    bool pre_encoded{false};
};
/// The path of a call made ready for the request line.
/// @throws Error URL-ENCODING-ERROR, HTTP-CLIENT-URL-ERROR for a line break
std::string encode_path(std::string_view path, const PathRules& rules);
/// Base path and path with one '/' between them; a query of the base goes to the end.
std::string join_paths(std::string_view base, std::string_view path);

/// What the next request after a redirect is.
struct RedirectStep {
    bool follow{false};
    /// Method GET without a body and its headers.
    bool to_get{false};
};
RedirectStep redirect_rule(RedirectMode mode, int status, std::string_view method) noexcept;
/// Whether carrying out a request twice has the effect of once (RFC 9110 section 9.2.2); of an unknown method that is not known.
bool is_idempotent(std::string_view method) noexcept;

/// A header that must not reach another origin: Authorization, Cookie and whatever is named like a key or a token.
bool is_credential_header(std::string_view name) noexcept;
/// A header that describes a body: left out where the body is.
bool is_body_header(std::string_view name) noexcept;
bool is_token(std::string_view text) noexcept;
/// No line break or zero byte.
bool is_field_value(std::string_view text) noexcept;

}  // namespace qconn::http
