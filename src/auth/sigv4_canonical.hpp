// SPDX-License-Identifier: Apache-2.0
/// Requests in the one form that both sides sign (AWS Signature Version 4, "Create a canonical request"). Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/auth/sigv4.hpp>

namespace qconn::auth {

inline constexpr std::string_view k_sigv4_algorithm = "AWS4-HMAC-SHA256";

/// A URL in its parts as they are sent; views into it. Without scheme and authority it is a path.
struct SplitUrl {
    std::string_view scheme;  ///< "https://"
    std::string_view host;    ///< "host:8080"; without user info
    std::string_view path;
    std::string_view query;  ///< without '?'
};
SplitUrl split_url(std::string_view url) noexcept;

/// @param path   as it is sent
/// @param rules  automatic is taken for general
std::string canonical_path(std::string_view path, SigV4Rules rules);

/// Names and values decoded and encoded anew, sorted by name and then by value, all with '='.
std::string canonical_query(std::string_view query);

/// False for what a proxy may change or add, and for what is not worth a failed request.
bool is_signable_header(std::string_view name) noexcept;

struct CanonicalHeaders {
    std::string lines;  ///< "name:value\n" each
    std::string names;  ///< "host;x-amz-date"
};
/// Names in lower case and sorted, values trimmed and their white space squeezed; several of one name are joined by ','. Leaves none out.
CanonicalHeaders canonical_headers(std::span<const SigV4Field> fields);

/// @param payload  hex SHA-256 of the body, or the word that stands for it
std::string canonical_request(std::string_view method, std::string_view path, std::string_view query, const CanonicalHeaders& headers,
                              std::string_view payload);

std::string sha256_hex(std::string_view bytes);

/// @param stamp  "20150830T123600Z"
/// @param scope  "20150830/us-east-1/sqs/aws4_request"
std::string string_to_sign(std::string_view stamp, std::string_view scope, std::string_view canonical);

}  // namespace qconn::auth
