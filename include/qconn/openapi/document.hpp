// SPDX-License-Identifier: Apache-2.0
/// Descriptions of REST APIs, Swagger 2.0 and OpenAPI 3.0: read once, then calls are made from them and checked against them. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>

namespace qconn::openapi {

/// What a hostile document, or a hostile body, may cost. Above: Error of reason limit.
struct Limits {
    std::size_t size{16U << 20U};        ///< bytes of text of one document
    std::size_t depth{100};              ///< lists and maps inside each other, of a document and of what is checked
    std::size_t nodes{1'000'000};        ///< values of one document
    std::size_t documents{50};           ///< that `$ref` leads to
    std::size_t schemas{100'000};        ///< that the operations use, in all
    std::size_t steps{5'000'000};        ///< applications of a schema to a value in one check
    std::size_t pattern_steps{200'000};  ///< of matching one `pattern`
    std::size_t findings{50};            ///< reported by one check
};

/// Reads another document that a `$ref` names. @param location  resolved against the location of the document that it stands in
/// May throw; what it says is in the error.
using Resolver = std::function<std::string(const std::string& location)>;

struct ParseOptions {
    /// Documents that break the rules in ways that change nothing are taken; what was overlooked is in Document::warnings(). Checks then let pass
    /// query parameters that are not described, and read-only members in requests.
    bool lax{false};
    /// In place of the document's own base path; empty: that one.
    std::string base_path{};
    /// Where the document is from, for messages and for relative references.
    std::string location{};
    /// Empty: a reference to another document is an error.
    Resolver resolver{};
    Limits limits{};
};

/// Where a parameter is sent.
enum class In : std::uint8_t { path, query, header, cookie, body };
QCONN_API std::string_view to_string(In in) noexcept;

/// What an operation can be told. A value type.
struct Parameter {
    std::string name;
    In in{In::query};
    bool required{false};
    /// "string", "integer", "number", "boolean", "array", "object"; empty: several, or any.
    std::string type;
    std::string description;
};

/// One operation of the API. A value type.
struct Operation {
    /// Its operationId; where there is none the method and the path: "get /orders/{id}".
    std::string id;
    /// In capitals.
    std::string method;
    /// With its templates, without the base path: "/orders/{id}".
    std::string path;
    std::string summary;
    std::vector<std::string> tags;
    bool deprecated{false};
    /// Without the body; the fields of a form are of In::body.
    std::vector<Parameter> parameters;
    /// Media types that a body may have, as they stand there; empty: it takes none.
    std::vector<std::string> request_types;
    bool body_required{false};
    /// Media types that answers may have.
    std::vector<std::string> response_types;
};

/// What is wrong. No values of the call are in it.
struct Finding {
    /// JSON pointer into the call: "/body/lines/0/sku", "/query/limit", "/header/X-Request-Id", "/status", "/content-type".
    std::string instance;
    /// Where that is said: "#/definitions/Order/properties/sku"; with the location before the '#' where it is another document.
    std::string schema;
    std::string message;

    friend bool operator==(const Finding&, const Finding&) = default;
};
/// "/body/sku: is longer than 10 characters (#/definitions/Order/properties/sku); …".
QCONN_API std::string to_string(const std::vector<Finding>& findings);

/// A request that is to be checked. A text for what is not described as one is read as it is sent: "17" as a number, "a,b" as a list.
struct Request {
    Map path{};
    Map query{};
    /// Names compare without case.
    Map header{};
    Map cookie{};
    /// Null: none, unless has_null_body.
    Value body{};
    bool has_null_body{false};
    /// Of the body; empty: the first that the operation takes.
    std::string content_type{};
};

/// An answer that is to be checked.
struct Response {
    int status{0};
    Map header{};
    /// Decoded; null: none.
    Value body{};
    std::string content_type{};
};

/// A request made from arguments.
struct BuiltRequest {
    std::string method;
    /// Without the base path, encoded, with the query.
    std::string target;
    /// With Cookie where there are cookies.
    std::vector<std::pair<std::string, std::string>> headers;
    Value body{};
    /// Of the body; empty: none, or no certain one.
    std::string content_type;
    /// The same as values, for check_request().
    Request values;
};

/// A place in a document that is not as it must be.
struct Fault {
    std::string location;
    /// JSON pointer: "/paths/~1orders/get".
    std::string pointer;
    /// From 1; 0: not known, as for a document that was given as a Value.
    std::uint32_t line{0};
    std::uint32_t column{0};
    std::string message;
};

enum class OpenApiErrc {
    document = 1,  ///< SWAGGER-SCHEMA-ERROR: a document cannot be used
    request,       ///< REQUEST-VALIDATION-ERROR: a request is not as the document has it; it was not sent
    response,      ///< RESPONSE-VALIDATION-ERROR: an answer is not as the document has it
};
QCONN_API const std::error_category& openapi_category() noexcept;
QCONN_API std::error_code make_error_code(OpenApiErrc code) noexcept;

/// Detail of SWAGGER-SCHEMA-ERROR: all that was found, in the order of the document.
class QCONN_API DocumentErrorDetail : public ErrorDetail {
public:
    explicit DocumentErrorDetail(std::vector<Fault> f) : faults{std::move(f)} {}
    std::vector<Fault> faults;
};
/// Detail of REQUEST-VALIDATION-ERROR.
class QCONN_API ValidationErrorDetail : public ErrorDetail {
public:
    explicit ValidationErrorDetail(std::vector<Finding> f) : findings{std::move(f)} {}
    std::vector<Finding> findings;
};

/// A description of an API. Immutable, so that many clients and threads may share one.
class QCONN_API Document {
public:
    /// @param text  JSON or YAML
    /// @throws Error SWAGGER-SCHEMA-ERROR with place and JSON pointer of the first fault, all in DocumentErrorDetail; LIMIT-EXCEEDED
    static std::shared_ptr<const Document> parse(std::string_view text, const ParseOptions& options = {});
    /// The same of a document that is a value already.
    static std::shared_ptr<const Document> from_value(const Value& value, const ParseOptions& options = {});
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;
    ~Document();

    const std::string& title() const noexcept;
    /// Of the API.
    const std::string& version() const noexcept;
    /// "2.0", "3.0.3".
    const std::string& specification() const noexcept;
    /// Begins with '/'; "/" alone is the root. Empty where nothing says it: 2.0 `basePath`; 3.0 the path of the first of `servers`, variables at
    /// their defaults. Servers of single paths and operations are not looked at.
    const std::string& base_path() const noexcept;
    /// Faults that lax overlooked.
    const std::vector<Fault>& warnings() const noexcept;

    /// In the order of the document.
    const std::vector<Operation>& operations() const noexcept;
    /// By Operation::id; null pointer where there is none. Lives as long as the document.
    const Operation* find(std::string_view id) const noexcept;

    struct Match {
        const Operation* operation{nullptr};
        /// Path and query of the target, read as the operation describes them.
        Request request;
    };
    /// The operation that a request is one of: a path without templates before those with some, and of these the one whose first differing segment is
    /// literal. HEAD where only GET is described is none.
    /// @param target  with a query or without; with the base path or without. Encoded
    std::optional<Match> match(std::string_view method, std::string_view target) const;

    /// @param operation  one of this document, or a copy
    /// @returns what is wrong; empty: nothing. Bodies of XML and other types that are no values are looked at for their type only.
    /// @throws Error INVALID-ARGUMENT where it is of no such operation, LIMIT-EXCEEDED
    std::vector<Finding> check_request(const Operation& operation, const Request& request) const;
    std::vector<Finding> check_response(const Operation& operation, const Response& response) const;

    /// @param arguments  parameters by name, or "query.name" where two have that name; "body" (2.0: also the name it has there). Where there is no
    ///                   "body" and the operation takes one, arguments that are no parameters become its members.
    /// @throws Error INVALID-ARGUMENT naming what is not known, or missing in the path; the rest is for check_request()
    BuiltRequest build(const Operation& operation, const Map& arguments) const;

private:
    struct Impl;
    explicit Document(std::unique_ptr<const Impl> impl) noexcept;
    std::unique_ptr<const Impl> impl_;
};

}  // namespace qconn::openapi

template <>
struct std::is_error_code_enum<qconn::openapi::OpenApiErrc> : std::true_type {};
