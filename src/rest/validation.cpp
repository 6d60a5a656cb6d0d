// SPDX-License-Identifier: Apache-2.0
#include "rest/validation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "http/target.hpp"
#include "rest/body.hpp"
#include "rest/rest_error.hpp"

namespace qconn::rest {

namespace {

struct Writer {
    std::string_view type;
    DataFormat format;
};
/// How a body of a media type is written; others are sent as they are.
constexpr std::array<Writer, 6> k_writers{{{"application/json", DataFormat::json},
                                           {"text/x-yaml", DataFormat::yaml},
                                           {"text/xml", DataFormat::xml},
                                           {"application/xml", DataFormat::rawxml},
                                           {"application/x-www-form-urlencoded", DataFormat::url},
                                           {"text/plain", DataFormat::text}}};

DataFormat format_for(std::string_view type) {
    for (const Writer& writer : k_writers)
        if (text::iequals(writer.type, type)) return writer.format;
    switch (kind_of(type)) {
        case BodyKind::json: return DataFormat::json;
        case BodyKind::yaml: return DataFormat::yaml;
        case BodyKind::xml: return DataFormat::rawxml;
        case BodyKind::text: return DataFormat::text;
        default: return DataFormat::bin;
    }
}

/// Later fields of a name are joined to the first, as HTTP has it.
void add(Map& headers, const Headers& fields) {
    for (const auto& [name, value] : fields) {
        const std::string key = text::to_lower(name);
        const Value* there = headers.find(key);
        headers.set(key, there != nullptr ? std::string{there->as_string()} + ", " + value : value);
    }
}

Map header_values(const RestOptions& options, const Headers& own) {
    Map all;
    add(all, options.headers);
    Map mine;
    add(mine, own);
    for (auto& [name, value] : mine) all.set(name, std::move(value));
    return all;
}

Map cookie_values(const Map& headers) {
    Map cookies;
    const Value* line = headers.find("cookie");
    if (line == nullptr) return cookies;
    for (const std::string_view part : text::split(line->as_string(), ';')) {
        const std::string_view cookie = text::trim(part);
        const std::size_t equals = std::min(cookie.find('='), cookie.size());
        if (equals > 0) cookies.set(cookie.substr(0, equals), percent_decode(cookie.substr(std::min(equals + 1, cookie.size()))));
    }
    return cookies;
}

/// What is behind the origin of a whole URL.
std::string_view target_of(std::string_view path) {
    if (!http::is_whole_url(path)) return path;
    const std::size_t start = path.find_first_of("/?#", path.find("://") + 3);
    return start == std::string_view::npos ? std::string_view{"/"} : path.substr(start);
}

/// A text that was sent as it is, though its Content-Type says that it is a value.
Value sent_value(const RestCall& call, DataFormat format, const HttpRequest& made, std::string_view content_type) {
    const bool as_it_is = (format == DataFormat::text || format == DataFormat::bin) && (call.body.is_string() || call.body.is_binary());
    const BodyKind kind = kind_of(content_type);
    if (!as_it_is || (kind != BodyKind::json && kind != BodyKind::yaml && kind != BodyKind::form)) return call.body;
    return decode_body(made.body, content_type, "");
}

Error validation_error(openapi::OpenApiErrc code, std::string_view name, std::string message, const RestOptions& options) {
    return Error{code, name, std::move(message)}.with_connection(options.label);
}

[[noreturn]] void refuse_request(const RestOptions& options, const std::string& what, std::vector<openapi::Finding> findings) {
    throw validation_error(openapi::OpenApiErrc::request, "REQUEST-VALIDATION-ERROR", what + " was not sent: " + openapi::to_string(findings),
                           options)
        .with_reason(Reason::bad_value)
        .with_detail(std::make_shared<openapi::ValidationErrorDetail>(std::move(findings)));
}

}  // namespace

std::string url_of(const RestOptions& options) {
    if (!options.validator || options.validator->base_path().empty() || !http::is_whole_url(options.url)) return options.url;
    const std::size_t path = options.url.find_first_of("/?#", options.url.find("://") + 3);
    return options.url.substr(0, path) + options.validator->base_path();
}

OperationCall make_call(const RestOptions& options, std::string_view id, const Map& arguments) {
    const std::string shown = "calling the operation \"" + text::printable(text::shorten(id, 100)) + "\" failed: ";
    if (!options.validator) {
        throw make_rest_error(RestErrc::option,
                              shown + "the client has no description of the API; give it one (validator; of a connection the option swagger)",
                              Phase::none, Reason::missing)
            .with_connection(options.label);
    }
    const openapi::Document& document = *options.validator;
    const openapi::Operation* operation = document.find(id);
    if (operation == nullptr) {
        throw make_error(Errc::invalid_argument, shown + "the description of the API, " + text::printable(document.title()) + " " +
                                                     text::printable(document.version()) + ", has no such operation")
            .with_connection(options.label);
    }
    openapi::BuiltRequest built = document.build(*operation, arguments);
    OperationCall out;
    out.operation = operation;
    out.values = std::move(built.values);
    out.call.method = std::move(built.method);
    out.call.path = std::move(built.target);
    for (auto& [name, value] : built.headers) out.call.headers.add(name, value);
    out.call.body = std::move(built.body);
    if (built.content_type.empty() || out.call.body.is_null()) return out;
    if (text::iequals(built.content_type, "multipart/form-data")) {
        throw make_rest_error(RestErrc::serialization, shown + "it takes multipart/form-data, which cannot be written here", Phase::none,
                              Reason::unsupported)
            .with_connection(options.label);
    }
    out.call.data = format_for(built.content_type);
    const auto usual = std::find_if(k_writers.begin(), k_writers.end(), [&](const Writer& writer) { return writer.format == *out.call.data; });
    const bool is_usual = usual != k_writers.end() && text::iequals(usual->type, built.content_type);
    if (!is_usual) out.call.headers.add("Content-Type", built.content_type);
    return out;
}

Described check_request(const RestOptions& options, const RestCall& call, const HttpRequest& made, const OperationCall* planned) {
    Described described{options.validator, nullptr};
    if (!options.validator) return described;
    const openapi::Document& document = *options.validator;
    openapi::Request request;
    if (planned != nullptr) {
        described.operation = planned->operation;
        request = planned->values;
    } else {
        auto match = document.match(call.method, target_of(call.path));
        if (!match)
            refuse_request(options, text::printable(call.method) + " of a path",
                           {{"/path", "#/paths", "is none for which the description has " + text::printable(call.method)}});
        described.operation = match->operation;
        request = std::move(match->request);
    }
    const Map headers = header_values(options, made.headers);
    if (planned == nullptr) request.cookie = cookie_values(headers);
    for (const auto& [name, value] : headers) {
        const auto same = [&](const auto& one) { return text::iequals(one.first, name); };
        if (std::none_of(request.header.begin(), request.header.end(), same)) request.header.set(name, value);
    }
    if (made.has_body) {
        const Value* type = headers.find("content-type");
        request.content_type = type != nullptr ? std::string{type->as_string()} : "";
        request.body = sent_value(call, call.data.value_or(options.data), made, request.content_type);
    }
    auto findings = document.check_request(*described.operation, request);
    if (!findings.empty()) refuse_request(options, call.method + " " + described.operation->path, std::move(findings));
    return described;
}

void check_response(const Described& described, const RestResponse& response, const http::Settings& settings) {
    if (described.operation == nullptr || response.status >= 400) return;
    openapi::Response answer;
    answer.status = response.status;
    add(answer.header, response.headers);
    answer.body = response.body;
    answer.content_type = response.headers.get("Content-Type");
    auto findings = described.document->check_response(*described.operation, answer);
    if (findings.empty()) return;
    const HttpCallInfo& info = response.http.info;
    throw Error{openapi::OpenApiErrc::response, "RESPONSE-VALIDATION-ERROR",
                settings.redact(info.method + " " + http::shown_url(info.url) + " was answered with " + std::to_string(response.status) +
                                ", but not as the API is described: " + openapi::to_string(findings))}
        .with_phase(Phase::body)
        .with_reason(Reason::bad_answer)
        .with_connection(settings.options.label)
        .with_detail(std::make_shared<RestValidationDetail>(response.http, std::move(findings)));
}

}  // namespace qconn::rest
