// SPDX-License-Identifier: Apache-2.0
#include "http/http_error.hpp"

#include <array>

#include "base/code_category.hpp"

namespace qconn {

namespace {

// In the order of HttpErrc, which begins with 1.
constexpr std::array<CodeWords, 14> k_codes{{
    {"HTTP-CLIENT-RECEIVE-ERROR", "the answer reports a failure or is broken"},
    {"HTTP-CLIENT-TIMEOUT", "no answer in time"},
    {"SOCKET-CONNECT-ERROR", "no connection"},
    {"HTTP-CLIENT-PROXY-ERROR", "the proxy refused or failed"},
    {"SOCKET-SSL-ERROR", "TLS failed"},
    {"HTTP-CLIENT-URL-ERROR", "the URL cannot be used"},
    {"URL-ENCODING-ERROR", "the path is not encoded"},
    {"HTTP-CLIENT-REDIRECT-ERROR", "the redirect cannot be followed"},
    {"HTTP-CLIENT-MAXIMUM-REDIRECTS-EXCEEDED", "too many redirects"},
    {"HTTP-CLIENT-OPTION-ERROR", "an option or argument is wrong"},
    {"HTTP-CLIENT-CODING-ERROR", "the body cannot be decoded"},
    {"HTTP-CLIENT-LIMIT-ERROR", "the answer is larger than allowed"},
    {"HTTP-CLIENT-BODY-ERROR", "the source or the sink of a body failed"},
    {"CANCELLED", "cancelled"},
}};

}  // namespace

const std::error_category& http_category() noexcept {
    static const CodeCategory category{"qconn.http", k_codes};
    return category;
}

std::error_code make_error_code(HttpErrc code) noexcept { return {static_cast<int>(code), http_category()}; }

namespace http {

std::string_view name_of(HttpErrc code) noexcept { return code_name(k_codes, code); }

Error make_http_error(HttpErrc code, std::string message, Phase phase, Reason reason, std::string_view connection) {
    Error error{code, name_of(code), std::move(message)};
    error.with_phase(phase).with_reason(reason);
    if (!connection.empty()) error.with_connection(connection);
    return error;
}

}  // namespace http
}  // namespace qconn
