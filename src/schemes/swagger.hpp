// SPDX-License-Identifier: Apache-2.0
/// Options that name a description of the API, and the operations in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <qconn/core/option.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/openapi/document.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

// Checks of single options: empty, or what is wrong.
std::string base_path_problem(const Value& path);

/// Read when a client is made, by document_of(); pings do without.
template <class Options>
void add_swagger_options(OptionTable<Options>& table) {
    {
        OptionSpec& spec =
            table.add("swagger", OptionType::string,
                      "Description of the API, Swagger 2.0 or OpenAPI 3.0 in JSON or YAML: a path, from the directory of the definition on, or a "
                      "URL (file:, https:, http:, resource:). Each request is checked against it before it is sent, each answer after. It is "
                      "read when the client is made; where it cannot be used, the connection fails and no other",
                      nullptr);
        spec.environment = true;
        spec.example = "specs/shop.yaml";
    }
    {
        OptionSpec& spec = table.add("swagger_base_path", OptionType::string, "In place of the base path that the description has", nullptr);
        spec.check = base_path_problem;
        spec.fallback_text = "that of the description";
        spec.example = "/v2";
    }
    {
        OptionSpec& spec = table.add("swagger_lax_parsing", OptionType::boolean,
                                     "Take descriptions that break the rules in harmless ways, and let undescribed query parameters pass", nullptr);
        spec.fallback = false;
        spec.example = true;
    }
}

/// What the option `swagger` names; null where it is not set.
/// @throws Error FILE-REFERENCE-ERROR, SWAGGER-SCHEMA-ERROR with the place, LIMIT-EXCEEDED
std::shared_ptr<const openapi::Document> document_of(const ResolvedDefinition& definition);

void check_swagger(const Definition& definition, Findings& findings);

/// Those of the description that a RestClient has.
std::vector<OperationSpec> described_operations(Client& client, Deadline deadline);

}  // namespace qconn::schemes
