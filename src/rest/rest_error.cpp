// SPDX-License-Identifier: Apache-2.0
#include "rest/rest_error.hpp"

#include <algorithm>
#include <array>

#include "base/code_category.hpp"
#include "base/text.hpp"
#include "rest/body.hpp"

namespace qconn {

namespace {

// In the order of RestErrc, which begins with 1.
constexpr std::array<CodeWords, 4> k_codes{{
    {"REST-RESPONSE-ERROR", "the server reports an error"},
    {"DESERIALIZATION-ERROR", "the body of the answer cannot be read"},
    {"SERIALIZATION-ERROR", "the body cannot be written"},
    {"RESTCLIENT-ERROR", "an option is wrong"},
}};

/// What is taken for the name of an error: a word as programs write them. Anything else stays text.
bool is_error_name(std::string_view name) noexcept {
    constexpr std::size_t k_longest = 100;
    return !name.empty() && name.size() <= k_longest && std::all_of(name.begin(), name.end(), [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_' || c == '.' || c == ':';
    });
}

constexpr std::size_t k_shown_text = 1000;

std::string shown_text(std::string_view words) { return text::printable(text::shorten(text::trim(words), k_shown_text)); }

}  // namespace

const std::error_category& rest_category() noexcept {
    static const CodeCategory category{"qconn.rest", k_codes};
    return category;
}

std::error_code make_error_code(RestErrc code) noexcept { return {static_cast<int>(code), rest_category()}; }

namespace rest {

Error make_rest_error(RestErrc code, std::string message, Phase phase, Reason reason) {
    Error error{code, code_name(k_codes, code), std::move(message)};
    error.with_phase(phase).with_reason(reason);
    return error;
}

Error response_error(const Error& plain, const HttpResponse& response, const FaultOf& fault_of, std::string_view assume_charset,
                     std::string_view shown, std::string_view advice) {
    Value body;
    const std::string_view content_type = response.headers.get("Content-Type");
    try {
        body = decode_body(response.body, content_type, assume_charset);
    } catch (const Error&) {  // the status stands for itself; the bytes are in the detail
    }
    std::string where = " (status " + std::to_string(response.status) + ", REST URL " + std::string{shown} + ")";
    if (!advice.empty()) where.append("; ").append(advice);
    std::string name;
    std::string message;
    if (std::optional<RestFault> fault = fault_of ? fault_of(body) : std::nullopt) {
        name = is_error_name(fault->name) ? fault->name : "REST-RESPONSE-ERROR";
        message = (fault->message.empty() ? "the server gives no description" : shown_text(fault->message)) + where;
    } else if (const Value& err = body["err"]; err.is_string() && is_error_name(err.as_string())) {
        name = err.as_string();
        const Value& desc = body["desc"];
        message = (desc.is_string() ? shown_text(desc.as_string()) : std::string{"the server gives no description"}) + where;
    } else if (body.is_string() && !body.as_string().empty() && !text::to_lower(content_type).starts_with("text/html")) {
        name = "REST-RESPONSE-ERROR";
        message = shown_text(body.as_string()) + where;
    } else {
        return plain;
    }
    Error error{RestErrc::response, name, std::move(message)};
    error.with_phase(plain.phase()).with_reason(plain.reason()).with_retryable(plain.retryable()).with_connection(plain.connection());
    return error;
}

Error redacted(const Error& error, const http::Settings& settings) {
    const std::string name = settings.redact(std::string{error.name()});
    const std::string message = settings.redact(std::string{error.message()});
    if (name == error.name() && message == error.message()) return error;
    Error clean{error.code(), name == error.name() ? name : "REST-RESPONSE-ERROR", message};
    clean.with_phase(error.phase()).with_reason(error.reason()).with_retryable(error.retryable()).with_connection(error.connection());
    return clean;
}

}  // namespace rest
}  // namespace qconn
