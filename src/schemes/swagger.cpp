// SPDX-License-Identifier: Apache-2.0
#include "schemes/swagger.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <qconn/core/file_resolver.hpp>
#include <qconn/rest/rest_client.hpp>

namespace qconn::schemes {

namespace {

OptionType argument_type(const std::string& type) {
    struct Named {
        std::string_view name;
        OptionType type;
    };
    constexpr std::array<Named, 4> k_types{
        {{"string", OptionType::string}, {"integer", OptionType::integer}, {"number", OptionType::number}, {"boolean", OptionType::boolean}}};
    const auto* found = std::find_if(k_types.begin(), k_types.end(), [&](const Named& n) { return n.name == type; });
    return found == k_types.end() ? OptionType::any : found->type;
}

OperationSpec to_spec(const openapi::Operation& operation) {
    OperationSpec spec;
    spec.name = operation.id;
    spec.help = operation.method + " " + operation.path + (operation.summary.empty() ? "" : ": " + operation.summary);
    if (operation.deprecated) spec.help += " (deprecated)";
    bool form = false;
    for (const openapi::Parameter& parameter : operation.parameters) {
        const auto same = [&](const openapi::Parameter& other) { return other.name == parameter.name; };
        const bool alone = std::count_if(operation.parameters.begin(), operation.parameters.end(), same) == 1;
        form = form || parameter.in == openapi::In::body;
        spec.fields.push_back({(alone ? "" : std::string{openapi::to_string(parameter.in)} + ".") + parameter.name, argument_type(parameter.type),
                               parameter.required, parameter.description});
    }
    if (!operation.request_types.empty() && !form) {
        spec.fields.push_back({"body", OptionType::any, false, "JSON; without it the further KEY=VALUE make a map"});
        spec.free_fields = true;
    }
    spec.run = [id = operation.id](Client& client, const Map& arguments, Deadline deadline) {
        return dynamic_cast<RestClient&>(client).call_operation(id, arguments, deadline).body;
    };
    return spec;
}

}  // namespace

std::string base_path_problem(const Value& path) {
    return path.is_string() && path.as_string().starts_with('/') ? std::string{} : std::string{"it must begin with '/'"};
}

std::shared_ptr<const openapi::Document> document_of(const ResolvedDefinition& definition) {
    const Value& location = option_of(definition, "swagger");
    if (!location.is_string()) return nullptr;
    openapi::ParseOptions options;
    options.location = location.as_string();
    options.resolver = definition.read_file;
    if (!options.resolver) options.resolver = [](const std::string& reference) { return builtin_file_resolver().read(reference); };
    const Value& lax = option_of(definition, "swagger_lax_parsing");
    options.lax = lax.is_bool() && lax.as_bool();
    if (const Value& base = option_of(definition, "swagger_base_path"); base.is_string()) options.base_path = base.as_string();
    return openapi::Document::parse(options.resolver(options.location), options);
}

void check_swagger(const Definition& definition, Findings& findings) {
    for (const char* name : {"swagger_base_path", "swagger_lax_parsing"}) {
        if (is_set(definition, name) && !is_set(definition, "swagger"))
            findings.warning(name, "unused-option", std::string{"'"} + name + "' has no effect without 'swagger'");
    }
    const Value* location = definition.options.find("swagger");
    if (location != nullptr && location->is_string() && reference_scheme(location->as_string()) == "http")
        findings.warning("swagger", "bad-value", "the description of the API is read over http: anybody on the way can change it", "use https:");
}

std::vector<OperationSpec> described_operations(Client& client, Deadline) {
    std::vector<OperationSpec> all;
    const auto* rest = dynamic_cast<const RestClient*>(&client);
    if (rest == nullptr || !rest->rest_options().validator) return all;
    for (const openapi::Operation& operation : rest->rest_options().validator->operations()) all.push_back(to_spec(operation));
    return all;
}

}  // namespace qconn::schemes
