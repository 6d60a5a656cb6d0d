// SPDX-License-Identifier: Apache-2.0
// awsrests: REST APIs of Amazon Web Services.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <qconn/http/sigv4.hpp>

#include "auth/auth_error.hpp"
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

SigV4Options signature_of(const ResolvedDefinition& definition) {
    const auto text = [&definition](std::string_view name) { return scalar_text(option_of(definition, name)); };
    SigV4Options out;
    out.label = definition.name;
    out.key_id = text("aws_keyid");
    out.secret = Secret{option_of(definition, "aws_secret").as_string()};
    if (const Value& token = option_of(definition, "aws_token"); token.is_string()) out.session_token = Secret{token.as_string()};
    out.region = text("aws_region");
    out.service = text("aws_service");
    if (const Value& s3 = option_of(definition, "aws_s3"); s3.is_bool()) out.rules = s3.as_bool() ? SigV4Rules::s3 : SigV4Rules::general;
    return out;
}

/// What Amazon's services say: as JSON, `<Error>` of S3, `<ErrorResponse>` of the query protocol, `<Response><Errors>` of EC2.
std::optional<RestFault> aws_fault(const Value& body) {
    const auto text = [](const Value& value) { return value.is_string() ? std::string{value.as_string()} : std::string{}; };
    for (const Value* error : {&body["Error"], &body["ErrorResponse"]["Error"], &body["Response"]["Errors"]["Error"]}) {
        const Value& code = (*error)["Code"];
        if (code.is_string()) return RestFault{text(code), text((*error)["Message"])};
    }
    const Value& message = body["message"].is_string() ? body["message"] : body["Message"];
    if (!message.is_string()) return std::nullopt;
    std::string name = text(body["__type"].is_string() ? body["__type"] : body["code"]);  // "com.amazon.coral.service#AccessDeniedException:http://…"
    name.erase(0, name.find('#') + 1);
    name.erase(std::min(name.find(':'), name.size()));
    return RestFault{std::move(name), text(message)};
}

}  // namespace

Scheme awsrest_scheme() {
    RestKind kind;
    kind.names = {"awsrests"};
    kind.family = "aws";
    kind.title = "Amazon Web Services";
    kind.help =
        "REST APIs of Amazon Web Services. Each request is signed (Signature Version 4) with a key of the account; region and service are those of a "
        "host <service>.<region>.amazonaws.com, or options. A ping opens a connection, or sends a signed request where ping_method and ping_path are "
        "set.";
    kind.example_url = "awsrests://sqs.eu-west-1.amazonaws.com";
    kind.options = [](RestTable& table) {
        std::vector<std::string> others{"username", "password", "token", "token_type"};  // log-ins of another kind
        for (const OptionSpec& spec : table.specs()) {
            if (spec.name.starts_with("oauth2_")) others.push_back(spec.name);
        }
        for (const std::string& name : others) table.remove(name);
        const auto add = [&table](const char* name, const char* help, const char* example) -> OptionSpec& {
            OptionSpec& spec = table.add(name, OptionType::string, help, nullptr);
            spec.example = example;
            return spec;
        };
        // The example in Qorus' manual calls the two as other vendors do.
        add("aws_keyid", "Id of the access key", "AKIDEXAMPLE").aliases = {"client_id"};
        OptionSpec& secret = add("aws_secret", "Secret of the access key", "${env:AWS_SECRET_ACCESS_KEY}");
        secret.sensitive = true;
        secret.aliases = {"client_secret"};
        add("aws_token", "Session token of temporary credentials", "${env:AWS_SESSION_TOKEN}").sensitive = true;
        add("aws_region", "Region that the signature is for", "eu-west-1").fallback_text = "the second part of the host";
        add("aws_service", "Service that the signature is for", "sqs").fallback_text = "the first part of the host";
        OptionSpec& s3 = table.add("aws_s3", OptionType::boolean, "Sign by the rules of S3: the path is that of the object", nullptr);
        s3.fallback_text = "true where the service is s3";
        s3.example = true;
        take_json_only(table);
    };
    kind.required = {{{{"aws_keyid", "aws_secret"}}}};
    kind.complete = [](RestSettings& settings, const ResolvedDefinition& definition) {
        if (definition.url.username || definition.url.password) {
            throw auth::make_auth_error(
                AuthErrc::signature,
                "requests to Amazon Web Services are signed: take user and password out of the URL; the key goes into aws_keyid and "
                "aws_secret",
                Reason::bad_value);
        }
        settings.authenticator = sigv4_authenticator(signature_of(definition));
        set_default_header(settings, "Accept", "application/json");
        settings.fault_of = aws_fault;
    };
    kind.check = [](const Definition& definition, Findings& findings) {
        const Url url = url_of(definition);
        if (url.username || url.password)
            findings.error("url", "conflicting-options", "requests are signed, so user and password in the URL have no use",
                           "the key goes into 'aws_keyid' and 'aws_secret'");
        if (aws_place(url.host) || definition.url.find("${") != std::string::npos) return;  // a reference may hold the host
        for (const char* name : {"aws_region", "aws_service"}) {
            if (!is_set(definition, name))
                findings.error("url", "missing-option", "'" + std::string{name} + "' is missing",
                               "only of a host <service>.<region>.amazonaws.com it is known");
        }
    };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
