// SPDX-License-Identifier: Apache-2.0
/// A description in the form in which it is used, the same for Swagger 2.0 and OpenAPI 3.0.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <qconn/openapi/document.hpp>

#include "openapi/schema.hpp"
#include "openapi/style.hpp"

namespace qconn::openapi {

struct ParameterModel {
    Parameter info;
    Style style;
    const Schema* schema{nullptr};
    bool allow_empty{false};
    /// For findings.
    std::string where;
};

struct MediaModel {
    std::string range;  ///< "application/json", "text/*", "*/*"
    const Schema* schema{nullptr};
};

struct BodyModel {
    std::string where;
    bool required{false};
    /// What 2.0 calls it; otherwise "body".
    std::string name{"body"};
    std::vector<MediaModel> media;
    /// 2.0: the fields of a form.
    std::vector<ParameterModel> fields;
};

struct ResponseModel {
    std::string where;
    std::vector<MediaModel> media;
    std::vector<ParameterModel> headers;
};

/// A part of a path between two slashes: texts and variables in turn.
struct Segment {
    struct Piece {
        bool variable{false};
        std::string text;
    };
    std::vector<Piece> pieces;
    /// 0: no variable; 1: with some; 2: nothing else. The lower the more specific.
    int rank{0};
};

struct OperationModel {
    std::string where;
    std::vector<Segment> segments;
    std::vector<ParameterModel> parameters;
    std::optional<BodyModel> body;
    std::map<std::string, ResponseModel> responses;  ///< by status, "2XX", "default"
};

struct Model {
    std::string title;
    std::string version;
    std::string specification;
    std::string base_path;
    std::vector<Fault> warnings;
    bool lax{false};
    Limits limits;

    std::deque<Schema> schemas;
    std::deque<Schema> forms;  ///< made of the fields of 2.0 forms
    std::vector<Operation> operations;
    std::vector<OperationModel> models;  ///< beside them
    std::unordered_map<std::string, std::size_t> by_id;
    std::unordered_map<std::string, std::size_t> by_path;  ///< "GET /orders/{id}"
    /// Keys that the security schemes send in a query.
    std::set<std::string, std::less<>> security_queries;
};

std::vector<Segment> segments_of(std::string_view path);

/// @throws Error SWAGGER-SCHEMA-ERROR, LIMIT-EXCEEDED
Model load(Sources& sources);

}  // namespace qconn::openapi
