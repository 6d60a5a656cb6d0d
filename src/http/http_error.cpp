// SPDX-License-Identifier: Apache-2.0
#include "http/http_error.hpp"

#include <array>

namespace qconn {

namespace {

struct Named {
    std::string_view name;
    std::string_view words;
};
// In the order of HttpErrc, which begins with 1.
constexpr std::array<Named, 14> k_codes{{
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

const Named* find_code(int value) noexcept {
    const auto index = static_cast<std::size_t>(value) - 1;
    return index < k_codes.size() ? &k_codes[index] : nullptr;
}

class HttpCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.http"; }
    std::string message(int value) const override {
        const Named* code = find_code(value);
        return std::string{code != nullptr ? code->words : "unknown"};
    }
};

}  // namespace

const std::error_category& http_category() noexcept {
    static const HttpCategory category;
    return category;
}

std::error_code make_error_code(HttpErrc code) noexcept { return {static_cast<int>(code), http_category()}; }

namespace http {

std::string_view name_of(HttpErrc code) noexcept {
    const Named* named = find_code(static_cast<int>(code));
    return named != nullptr ? named->name : std::string_view{"HTTP-CLIENT-RECEIVE-ERROR"};
}

Error make_http_error(HttpErrc code, std::string message, Phase phase, Reason reason, std::string_view connection) {
    Error error{code, name_of(code), std::move(message)};
    error.with_phase(phase).with_reason(reason);
    if (!connection.empty()) error.with_connection(connection);
    return error;
}

}  // namespace http
}  // namespace qconn
