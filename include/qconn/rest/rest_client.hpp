// SPDX-License-Identifier: Apache-2.0
/// REST client: an HTTP client whose bodies are Values.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/value.hpp>
#include <qconn/http/http_client.hpp>

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

/// Everything that a RestClient can be told, above HttpOptions. A value type.
struct RestOptions : HttpOptions {
    DataFormat data{DataFormat::automatic};
    /// No `;charset=utf-8` after the Content-Type of text formats.
    bool no_charset{false};
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

    /// @throws Error as HttpClient, and the names at RestErrc
    RestResponse call(const RestCall& call, Deadline deadline = {});
    Operation async_call(RestCall call, Deadline deadline, Callback<RestResponse> callback);

    RestResponse get(std::string_view path, Deadline deadline = {});
    RestResponse post(std::string_view path, Value body, Deadline deadline = {});
    RestResponse put(std::string_view path, Value body, Deadline deadline = {});
    RestResponse patch(std::string_view path, Value body, Deadline deadline = {});
    RestResponse del(std::string_view path, Value body = {}, Deadline deadline = {});

private:
    RestOptions rest_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::RestErrc> : std::true_type {};
