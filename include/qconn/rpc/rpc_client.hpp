// SPDX-License-Identifier: Apache-2.0
/// RPC client: calls of methods by JSON-RPC, XML-RPC or YAML-RPC over HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/http/http_client.hpp>

namespace qconn {

/// How calls are written.
enum class RpcProtocol : std::uint8_t {
    json,  ///< JSON-RPC 2.0, 1.1 or 1.0
    xml,   ///< XML-RPC (xmlrpc.com/spec)
    yaml,  ///< YAML-RPC, that of Qorus
};
/// "JSON-RPC" and so on.
QCONN_API std::string_view to_string(RpcProtocol protocol) noexcept;

/// Everything that an RpcClient can be told, above HttpOptions. A value type; checked when the client is made.
/// A URL without a path has that of the protocol: `/JSON`, `/RPC2`, `/YAML`. Accept and Content-Type are the protocol's, unless `headers` has others.
struct RpcOptions : HttpOptions {
    RpcProtocol protocol{RpcProtocol::json};
    /// Of JSON-RPC: "2.0", "1.1" or "1.0". Batches are of 2.0 only.
    std::string version{"2.0"};
    /// Of XML-RPC: integers beyond 32 bits are sent as `<i8>` and null as `<nil/>`, which not all servers know. Otherwise such integers are sent as
    /// text and null as an empty `<value/>`, as Qorus does. Both forms are read always.
    bool extensions{false};
};

/// One call of a method. A value type.
struct RpcCall {
    /// Any text that is not empty and has no control characters.
    std::string method;
    /// Null: none. A list: by position. A map: by name, in JSON-RPC and YAML-RPC; in XML-RPC, as any other value, the one parameter.
    Value params{};
    /// No answer is wanted, and errors are not told either. JSON-RPC only.
    bool notification{false};
    /// As HttpRequest::repeatable: sent once more where a kept connection is cut before the answer. A batch is where all its calls are.
    bool repeatable{false};
};

/// Detail of RPC-FAULT: the error that the server answered with.
class QCONN_API RpcFaultDetail : public ErrorDetail {
public:
    RpcFaultDetail(std::int64_t number, std::string text, Value more, std::shared_ptr<const HttpResponse> answer)
        : code{number}, message{std::move(text)}, data{std::move(more)}, response{std::move(answer)} {}

    /// `code` of JSON-RPC and YAML-RPC, `faultCode` of XML-RPC.
    std::int64_t code;
    std::string message;
    /// `data` of JSON-RPC 2.0, `error` of JSON-RPC 1.1 and YAML-RPC, the whole error object of JSON-RPC 1.0 where it has other members or is none;
    /// else null.
    Value data;
    /// As received; of a batch, the same for all its calls.
    std::shared_ptr<const HttpResponse> response;
};

/// Codes of this family; the stable names are in brackets, by protocol where it has names of its own.
enum class RpcErrc {
    fault = 1,      ///< [RPC-FAULT] the server answered with an error; RpcFaultDetail. Never retryable: it may have carried out a part
    parse,          ///< [JSON-PARSE-ERROR, PARSE-XMLRPC-RESPONSE-ERROR, YAML-PARSER-ERROR] the body is not of its format; HttpErrorDetail
    response,       ///< [JSONRPCCLIENT-, XMLRPCCLIENT-, YAMLRPCCLIENT-RESPONSE-ERROR] well-formed, but no answer to this call; HttpErrorDetail
    serialization,  ///< [JSON-, XMLRPC-, YAML-SERIALIZATION-ERROR] parameters or a method's name that the protocol cannot carry; nothing was sent
    unsupported,    ///< [RPC-UNSUPPORTED-ERROR] a notification or batch that the protocol does not have; nothing was sent
    option,         ///< [RPC-OPTION-ERROR]
};
QCONN_API const std::error_category& rpc_category() noexcept;
QCONN_API std::error_code make_error_code(RpcErrc code) noexcept;

namespace rpc {
struct Dialect;
}

/// Calls of a server's methods. Everything said of HttpClient holds; its own functions stay available. Each call is one POST. A failing status whose
/// body is an error of the protocol is RPC-FAULT, any other HTTP-CLIENT-RECEIVE-ERROR; that is retryable only where the status says that nothing was
/// carried out (425, 429, 503).
/// @note Thread-safe; calls run beside each other.
class QCONN_API RpcClient : public HttpClient {
public:
    /// @throws Error RPC-OPTION-ERROR, and as HttpClient; nothing is connected yet
    explicit RpcClient(RpcOptions options, Runtime runtime = {});
    ~RpcClient() override;

    const RpcOptions& rpc_options() const noexcept { return rpc_; }

    /// `client.call("add", List{1, 2}, 5s)`: the method's result. Of YAML-RPC, a result that is a map from the method's name to a value, and nothing
    /// else, is that value, as some servers wrap it so.
    /// @param params  as RpcCall::params
    /// @throws Error the names at RpcErrc, and as HttpClient
    Value call(std::string_view method, Value params = {}, Deadline deadline = {});
    /// @returns null for a notification
    Value call(const RpcCall& call, Deadline deadline = {});
    Operation async_call(std::string_view method, Value params, Deadline deadline, Callback<Value> callback);
    Operation async_call(RpcCall call, Deadline deadline, Callback<Value> callback);

    /// Returns once the server has taken it: a 2xx answer, whatever its body.
    /// @throws Error RPC-UNSUPPORTED-ERROR of XML-RPC and YAML-RPC, which have no notifications
    void notify(std::string_view method, Value params = {}, Deadline deadline = {});
    Operation async_notify(std::string_view method, Value params, Deadline deadline, Callback<void> callback);

    /// Several calls in one request: a batch of JSON-RPC 2.0, `system.multicall` of XML-RPC.
    /// @returns one outcome for each call, in the order of the calls: its result, RPC-FAULT, or the RESPONSE-ERROR of one that the server left out or
    /// answered twice; null for a notification. For no calls none, and nothing is sent.
    /// @throws Error where the request failed as a whole, or an answer has an id that none of the calls has; RPC-UNSUPPORTED-ERROR of JSON-RPC 1.x
    /// and YAML-RPC
    std::vector<Result<Value>> batch(const std::vector<RpcCall>& calls, Deadline deadline = {});
    Operation async_batch(const std::vector<RpcCall>& calls, Deadline deadline, Callback<std::vector<Result<Value>>> callback);

    /// `system.listMethods`: what the server offers, where it tells.
    /// @throws Error RPC-FAULT where it does not
    std::vector<std::string> list_methods(Deadline deadline = {});
    /// `system.methodHelp`
    std::string method_help(std::string_view method, Deadline deadline = {});
    /// `system.methodSignature`: a list of signatures, each a list of types, the result's first; some servers answer with a text.
    Value method_signature(std::string_view method, Deadline deadline = {});

private:
    RpcOptions rpc_;
    std::shared_ptr<const rpc::Dialect> dialect_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::RpcErrc> : std::true_type {};
