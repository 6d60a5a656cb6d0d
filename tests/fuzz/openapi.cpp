// SPDX-License-Identifier: Apache-2.0
// A description of an API, then, behind a line with a '=', a body in JSON: both from elsewhere.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/openapi/document.hpp>

#include "base/json.hpp"
#include "fuzz/require.hpp"

using namespace qconn;
using namespace qconn::openapi;

namespace {

void check(const Document& document, const Operation& operation, const Value& body) {
    QCONN_REQUIRE(document.find(operation.id) != nullptr);
    Request request;
    request.body = body;
    request.query.set("a", body);
    for (const Finding& finding : document.check_request(operation, request))
        QCONN_REQUIRE(finding.instance.starts_with('/') && !finding.message.empty());
    for (const int status : {200, 404}) document.check_response(operation, {.status = status, .body = body, .content_type = "application/json"});

    Map arguments;
    for (const Parameter& parameter : operation.parameters)
        arguments.set(std::string{to_string(parameter.in)} + "." + parameter.name, body.is_null() ? Value{"x"} : body);
    try {
        const BuiltRequest built = document.build(operation, arguments);
        QCONN_REQUIRE(built.target.starts_with('/'));
        document.check_request(operation, built.values);
        if (const auto match = document.match(built.method, built.target)) document.check_request(*match->operation, match->request);
    } catch (const Error& error) { QCONN_REQUIRE(!error.name().empty()); }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::size_t end = std::min(text.find("\n=\n"), text.size());
    const auto body = json::decode(text.substr(std::min(end + 3, text.size())));
    for (const bool lax : {false, true}) {
        ParseOptions options;
        options.lax = lax;
        options.limits = {.size = 1U << 16U, .depth = 40, .nodes = 10'000, .documents = 3, .schemas = 2'000, .steps = 20'000, .pattern_steps = 5'000};
        options.resolver = [&](const std::string&) { return std::string{text.substr(0, end)}; };
        try {
            const auto document = Document::parse(text.substr(0, end), options);
            for (const Operation& operation : document->operations()) {
                try {
                    check(*document, operation, body ? *body : Value{});
                } catch (const Error& error) { QCONN_REQUIRE(error.reason() == Reason::limit); }
            }
        } catch (const Error& error) { QCONN_REQUIRE(error.name() == "SWAGGER-SCHEMA-ERROR" || error.reason() == Reason::limit); }
    }
    return 0;
}
