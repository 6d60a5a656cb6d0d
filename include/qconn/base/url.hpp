// SPDX-License-Identifier: Apache-2.0
/// Connection URLs, read as tolerantly as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/result.hpp>
#include <qconn/base/secret.hpp>

namespace qconn {

/// The parts of a URL. Not RFC 3986: user and password run to the last '@', so that they may hold '/', '?', '#' and '@' as they are;
/// the first ':' parts them. Nothing is percent-decoded (see percent_decode), except the path of a socket. A value type.
struct QCONN_API Url {
    /// Lower case; empty where there was none.
    std::string scheme;
    std::optional<std::string> username;
    std::optional<Secret> password;
    /// Without the brackets of an IPv6 address. With is_socket the path of the socket, percent-decoded.
    std::string host;
    /// Absent where the URL names none; default ports belong to the schemes.
    std::optional<std::uint16_t> port;
    /// With the leading '/' and the query; empty where there was none.
    std::string path;
    /// The host was written as `socket=<percent-encoded path>`.
    bool is_socket{false};
    /// The host was written in brackets.
    bool is_ipv6{false};

    /// A URL whose scheme is followed by a whole other URL (`sap4hanarests://https://host/path`) takes the scheme of the outer and everything
    /// else of the inner one.
    /// @throws Error PARSE-URL-ERROR: what is wrong in which part; shows the masked form
    static Url parse(std::string_view text);
    static Result<Url> try_parse(std::string_view text);

    /// The URL with `<masked>` for the password and for the values of query parameters that are named like credentials (`api_key`); a path that is
    /// only "/" is left out.
    std::string masked() const;
    /// The URL with its password.
    std::string reveal() const;
    /// `host:port` with brackets around an IPv6 address; without the port where there is none.
    std::string authority() const;

    friend bool operator==(const Url&, const Url&) = default;
};

/// A masked form of any text that may be a URL, also of one that cannot be parsed: everything between "://" and the last '@' is
/// masked from the first ':' on (from the start where there is none), and so are the values of query parameters that are named like credentials.
QCONN_API std::string mask_url(std::string_view text);

/// Parts of a pipe-separated list of URLs, in order. Every '|' separates: split before parsing.
QCONN_API std::vector<std::string_view> split_urls(std::string_view text);

/// `%41` becomes `A`; a '%' without two hex digits after it stays as it is.
QCONN_API std::string percent_decode(std::string_view text);
/// Everything but letters, digits and `-._~` and the characters of `keep` is encoded.
QCONN_API std::string percent_encode(std::string_view text, std::string_view keep = {});

}  // namespace qconn
