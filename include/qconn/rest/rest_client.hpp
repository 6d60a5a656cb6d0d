// SPDX-License-Identifier: Apache-2.0
/// REST client: an HTTP client whose bodies are Values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/openapi/document.hpp>

namespace qconn {

/// How bodies are written; answers are read by their Content-Type.
enum class DataFormat : std::uint8_t {
    automatic,  ///< json
    json,
    yaml,
    xml,     ///< XML-RPC value encoding
    rawxml,  ///< elements named after the keys
    url,     ///< application/x-www-form-urlencoded; maps only
    text,
    bin,
};
QCONN_API std::string_view to_string(DataFormat format) noexcept;

/// What an API says in the body of a failing answer.
struct RestFault {
    /// Becomes the name of the Error where it is a word as programs write them, else REST-RESPONSE-ERROR does.
    std::string name;
    std::string message;
};

/// Everything that a RestClient can be told, above HttpOptions. A value type.
struct RestOptions : HttpOptions {
    DataFormat data{DataFormat::automatic};
    /// No `;charset=utf-8` after the Content-Type of text formats.
    bool no_charset{false};
    /// What the API is: each request is checked against it before it is sent, each answer that is no error after it was received. Where it has a base
    /// path, that takes the place of the path of the URL. Null: nothing is checked.
    std::shared_ptr<const openapi::Document> validator;
    /// Reads the API's own form of errors out of the decoded body of an answer from status 400 on; asked before the forms that every server may use
    /// (`err` and `desc`, text). Empty, or no fault: those. Must be thread-safe.
    std::function<std::optional<RestFault>(const Value& body)> fault_of;
};

struct RestCall {
    std::string method{"GET"};
    /// As HttpRequest::path.
    std::string path;
    /// Null: no body.
    Value body{};
    Headers headers{};
    /// For this call instead of the options'.
    std::optional<DataFormat> data{};
    std::chrono::milliseconds timeout{0};
    /// As HttpRequest::repeatable.
    bool repeatable{false};
};

struct RestResponse {
    int status{0};
    Headers headers;
    /// The decoded body; null where there was none.
    Value body;
    /// The answer as received (its body after content decoding).
    HttpResponse http;

    Transfer transfer() const noexcept { return http.transfer(); }
};

/// Detail of RESPONSE-VALIDATION-ERROR: the answer, and what is wrong with it.
class QCONN_API RestValidationDetail : public HttpErrorDetail {
public:
    RestValidationDetail(HttpResponse answer, std::vector<openapi::Finding> f) : HttpErrorDetail{std::move(answer)}, findings{std::move(f)} {}
    std::vector<openapi::Finding> findings;
};

/// Codes of this family.
enum class RestErrc {
    response = 1,     ///< REST-RESPONSE-ERROR: a failing status with a text body; where the body is a map with `err`, that is the name
    deserialization,  ///< DESERIALIZATION-ERROR: a Content-Type that is not known, or a body that is not of its type
    serialization,    ///< SERIALIZATION-ERROR, FORMURLENCODING-ERROR
    option,           ///< RESTCLIENT-ERROR
};
QCONN_API const std::error_category& rest_category() noexcept;
QCONN_API std::error_code make_error_code(RestErrc code) noexcept;

/// REST calls. Everything said of HttpClient holds; its own functions stay available (`client.HttpClient::get`).
class QCONN_API RestClient : public HttpClient {
public:
    explicit RestClient(RestOptions options, Runtime runtime = {});
    ~RestClient() override;

    const RestOptions& rest_options() const noexcept { return rest_; }

    /// @throws Error as HttpClient, and the names at RestErrc; with a validator REQUEST-VALIDATION-ERROR, before anything was sent, and
    ///         RESPONSE-VALIDATION-ERROR, after the server has done what it was asked for
    RestResponse call(const RestCall& call, Deadline deadline = {});
    Operation async_call(RestCall call, Deadline deadline, Callback<RestResponse> callback);

    /// An operation of the validator's, by its id (openapi::Operation::id), with arguments as openapi::Document::build takes them. The format of the
    /// body is one that the operation takes, else that of the options.
    /// @throws Error as call(); RESTCLIENT-ERROR where there is no validator, INVALID-ARGUMENT where it has no such operation or argument
    RestResponse call_operation(std::string_view id, const Map& arguments = {}, Deadline deadline = {});
    Operation async_call_operation(std::string_view id, const Map& arguments, Deadline deadline, Callback<RestResponse> callback);

    RestResponse get(std::string_view path, Deadline deadline = {});
    RestResponse post(std::string_view path, Value body, Deadline deadline = {});
    RestResponse put(std::string_view path, Value body, Deadline deadline = {});
    RestResponse patch(std::string_view path, Value body, Deadline deadline = {});
    RestResponse del(std::string_view path, Value body = {}, Deadline deadline = {});

private:
    template <class Make>
    Operation begin(Callback<RestResponse> callback, Deadline deadline, Make make);

    RestOptions rest_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::RestErrc> : std::true_type {};
