// SPDX-License-Identifier: Apache-2.0
#include <qconn/rpc/rpc_client.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "http/content_type.hpp"
#include "http/transport.hpp"
#include "rpc/codec.hpp"

namespace qconn {

namespace {

using rpc::Dialect;
using rpc::Expected;
using rpc::Fault;
using rpc::Outcome;

std::shared_ptr<const Dialect> dialect_of(const RpcOptions& options) {
    constexpr std::array<std::string_view, 3> k_versions{"2.0", "1.1", "1.0"};
    const rpc::Protocol& protocol = rpc::protocol_of(options.protocol);
    if (std::find(k_versions.begin(), k_versions.end(), options.version) == k_versions.end()) {
        throw rpc::make_rpc_error(RpcErrc::option, protocol,
                                  "there is no version \"" + rpc::shown(options.version) + "\" of JSON-RPC; take 2.0, 1.1 or 1.0")
            .with_connection(options.label);
    }
    return std::make_shared<const Dialect>(Dialect{&protocol, options.protocol, options.version, options.extensions});
}

HttpOptions http_options(const RpcOptions& rpc) {
    const rpc::Protocol& protocol = rpc::protocol_of(rpc.protocol);
    HttpOptions options = rpc;
    if (options.headers.find("Accept") == nullptr) options.headers.add("Accept", protocol.accept);
    options.url = rpc::with_default_path(protocol, std::move(options.url));
    return options;
}

Expected expected_of(const RpcCall& call) { return {call.method, call.notification}; }

/// All that is needed to make sense of an answer. Refers to no client, as it may come after the client has gone.
struct Context {
    std::shared_ptr<const http::Settings> settings;
    std::shared_ptr<const Dialect> dialect;
    std::vector<Expected> expected;
    bool batch{false};
    bool repeatable{false};

    const rpc::Protocol& protocol() const noexcept { return *dialect->protocol; }
    std::string what(std::size_t i, std::string_view url) const {
        return "calling " + rpc::shown(expected[i].method) + (batch ? " in a batch at " : " at ") + http::shown_url(url);
    }
    std::string what(std::string_view url) const {
        if (!batch) return what(0, url);
        return "a batch of " + std::to_string(expected.size()) + " calls at " + http::shown_url(url);
    }
};

/// A failed call, with the answer to it.
class Answer {
public:
    Answer(const Context& context, HttpResponse response)
        : context_{context}, detail_{std::make_shared<const HttpErrorDetail>(std::move(response))} {}

    const HttpResponse& response() const noexcept { return detail_->response; }
    bool is_failed() const noexcept { return response().status >= 400 && !context_.settings->options.error_passthru; }

    /// The body as text that the protocol's codec reads. @throws Error
    std::string_view text() {
        const rpc::Protocol& protocol = context_.protocol();
        const std::string_view field = response().headers.get("Content-Type");
        const std::string type = text::to_lower(http::media_type(field));
        std::string_view body = response().body;
        const auto refuse = [&](const std::string& message) { throw rpc::make_rpc_error(RpcErrc::response, protocol, message); };
        // Old servers name none.
        if (!type.empty() && !protocol.is_media_type(type) && !body.empty()) {
            refuse("the Content-Type of the answer is \"" + rpc::shown(type) + "\", which is not of " + std::string{protocol.name} +
                   "; check the path of the URL");
        }
        std::string charset = http::charset_of(field);
        if (charset.empty()) charset = text::to_lower(context_.settings->options.assume_charset);
        // XML says it in its first line.
        constexpr std::size_t k_declaration = 200;
        const bool says_itself =
            context_.dialect->kind == RpcProtocol::xml && body.substr(0, k_declaration).find("encoding=") != std::string_view::npos;
        if (http::is_utf8_name(charset) || says_itself) return body;
        std::optional<std::string> utf8 = http::to_utf8(body, charset);
        if (!utf8) refuse("the answer is not text in the charset \"" + rpc::shown(charset) + "\"");
        converted_ = std::move(*utf8);
        return converted_;
    }

    Error fault(const Fault& fault, const std::string& what) const {
        std::string message = what + ": the server answered with error " + std::to_string(fault.code);
        if (!fault.message.empty()) message += ": " + rpc::shown(fault.message);
        if (response().status >= 400) message += " (status " + std::to_string(response().status) + ")";
        const std::shared_ptr<const HttpResponse> answer{detail_, &detail_->response};
        Error error = rpc::make_rpc_error(RpcErrc::fault, context_.protocol(), context_.settings->redact(std::move(message)));
        constexpr std::int64_t k_unknown_method_of_qorus = 105;
        if (fault.code == rpc::k_unknown_method || (context_.dialect->kind == RpcProtocol::yaml && fault.code == k_unknown_method_of_qorus))
            error.with_reason(Reason::not_found);
        error.with_connection(context_.settings->options.label);
        return std::move(error).with_detail(std::make_shared<const RpcFaultDetail>(fault.code, fault.message, fault.data, answer));
    }

    Error status() const {
        constexpr std::array<int, 3> k_not_carried_out{425, 429, 503};
        Error error = http::status_error(*context_.settings, response(), what());
        const bool was_not = std::find(k_not_carried_out.begin(), k_not_carried_out.end(), response().status) != k_not_carried_out.end();
        if (!context_.repeatable && !was_not) error.with_retryable(false);
        return std::move(error).with_detail(detail_);
    }

    /// What the codec says, completed.
    Error wrong(const Error& why, const std::string& what) const {
        Error error{why.code(), why.name(),
                    context_.settings->redact(what + " was answered with status " + std::to_string(response().status) + ", but " +
                                              std::string{why.message()})};
        error.with_phase(why.phase()).with_reason(why.reason()).with_connection(context_.settings->options.label);
        return std::move(error).with_detail(detail_);
    }

    std::string what() const { return context_.what(response().info.url); }

private:
    const Context& context_;
    std::shared_ptr<const HttpErrorDetail> detail_;
    std::string converted_;
};

/// What a codec makes of an answer; the error where it makes nothing of it.
template <class T, class Read>
Result<T> read(Answer& answer, Read reader) {
    try {
        return reader(answer.text());
    } catch (const Error& error) { return error; }
}

/// @throws Error
Value interpret_call(const Context& context, HttpResponse response) {
    Answer answer{context, std::move(response)};
    if (context.expected.front().notification && !answer.is_failed()) return {};
    Result<Outcome> outcome = read<Outcome>(
        answer, [&](std::string_view text) { return context.protocol().read_answer(*context.dialect, text, context.expected.front()); });
    if (outcome && std::holds_alternative<Fault>(*outcome)) throw answer.fault(std::get<Fault>(*outcome), answer.what());
    if (answer.is_failed()) throw answer.status();
    if (!outcome) throw answer.wrong(outcome.error(), answer.what());
    return std::move(std::get<Value>(*outcome));
}

/// @throws Error
std::vector<Result<Value>> interpret_batch(const Context& context, HttpResponse response) {
    Answer answer{context, std::move(response)};
    Result<rpc::BatchAnswer> batch = read<rpc::BatchAnswer>(
        answer, [&](std::string_view text) { return context.protocol().read_batch_answer(*context.dialect, text, context.expected); });
    if (batch && batch->refused) throw answer.fault(*batch->refused, answer.what());
    if (answer.is_failed()) throw answer.status();
    if (!batch) throw answer.wrong(batch.error(), answer.what());
    std::vector<Result<Value>> results;
    results.reserve(batch->outcomes.size());
    const std::string& url = answer.response().info.url;
    for (std::size_t i = 0; i < batch->outcomes.size(); ++i) {
        Result<Outcome>& outcome = batch->outcomes[i];
        if (!outcome)
            results.emplace_back(answer.wrong(outcome.error(), context.what(i, url)));
        else if (const Fault* fault = std::get_if<Fault>(&*outcome))
            results.emplace_back(answer.fault(*fault, context.what(i, url)));
        else
            results.emplace_back(std::move(std::get<Value>(*outcome)));
    }
    return results;
}

/// @throws Error RPC-UNSUPPORTED-ERROR
void check_supported(const Dialect& dialect, bool batch, bool notification) {
    const std::string name = std::string{dialect.protocol->name} + (dialect.kind == RpcProtocol::json ? " " + dialect.version : "");
    if (batch && !dialect.has_batches())
        throw rpc::make_rpc_error(RpcErrc::unsupported, *dialect.protocol, name + " has no batches; make the calls one by one");
    if (notification && !dialect.has_notifications())
        throw rpc::make_rpc_error(RpcErrc::unsupported, *dialect.protocol, name + " has no notifications; call the method and let the result be");
}

HttpRequest request_of(std::string body, const Context& context) {
    HttpRequest request;
    request.method = "POST";
    request.body = std::move(body);
    request.has_body = true;
    request.repeatable = context.repeatable;
    if (context.settings->options.headers.find("Content-Type") == nullptr)
        request.headers.add("Content-Type", context.dialect->protocol->content_type);
    return request;
}

/// What is sent. @throws Error RPC-UNSUPPORTED-ERROR, …-SERIALIZATION-ERROR
HttpRequest to_request(const Context& context, const RpcCall* calls) {
    const Dialect& dialect = *context.dialect;
    const std::span<const RpcCall> all{calls, context.expected.size()};
    std::string body;
    try {
        const bool notifies = std::any_of(all.begin(), all.end(), [](const RpcCall& call) { return call.notification; });
        check_supported(dialect, context.batch, notifies);
        if (context.batch)
            dialect.protocol->write_batch(body, dialect, all);
        else
            dialect.protocol->write_call(body, dialect, all.front());
    } catch (Error& error) { throw error.with_connection(context.settings->options.label); }
    return request_of(std::move(body), context);
}

/// Failing statuses are judged here, with their bodies.
constexpr http::CallMode k_mode{false};

template <class T>
using Interpret = T (*)(const Context&, HttpResponse);

template <class T>
Operation start(http::Transport& transport, Context context, const RpcCall* calls, Deadline deadline, Interpret<T> interpret, Callback<T> callback) {
    HttpRequest request;
    try {
        request = to_request(context, calls);
    } catch (const Error& error) {
        return transport.refuse([callback = std::move(callback), error]() mutable { callback(Result<T>{error}); });
    }
    return transport.async_request(
        std::move(request), deadline,
        [callback = std::move(callback), context = std::move(context), interpret](Result<HttpResponse> result) mutable {
            if (!result) return callback(Result<T>{result.error()});
            std::optional<Result<T>> outcome;
            try {
                outcome.emplace(interpret(context, std::move(*result)));
            } catch (const Error& error) { outcome.emplace(error); }
            callback(std::move(*outcome));
        },
        k_mode);
}

Context context_of(const http::Transport& transport, const std::shared_ptr<const Dialect>& dialect, const RpcCall& call) {
    return {transport.settings(), dialect, {expected_of(call)}, false, call.repeatable};
}

Context context_of(const http::Transport& transport, const std::shared_ptr<const Dialect>& dialect, const std::vector<RpcCall>& calls) {
    Context context{
        transport.settings(), dialect, {}, true, std::all_of(calls.begin(), calls.end(), [](const RpcCall& call) { return call.repeatable; })};
    context.expected.reserve(calls.size());
    for (const RpcCall& call : calls) context.expected.push_back(expected_of(call));
    return context;
}

}  // namespace

RpcClient::RpcClient(RpcOptions options, Runtime runtime)
    : HttpClient{http_options(options), std::move(runtime)}, rpc_{std::move(options)}, dialect_{dialect_of(rpc_)} {}

RpcClient::~RpcClient() {
    transport_->close();  // before the options of the calls that are under way are gone
}

Value RpcClient::call(std::string_view method, Value params, Deadline deadline) {
    return call(RpcCall{.method = std::string{method}, .params = std::move(params)}, deadline);
}

Value RpcClient::call(const RpcCall& call, Deadline deadline) {
    return observed([&] {
        const Context context = context_of(*transport_, dialect_, call);
        return interpret_call(context, transport_->request(to_request(context, &call), deadline, k_mode));
    });
}

Operation RpcClient::async_call(std::string_view method, Value params, Deadline deadline, Callback<Value> callback) {
    return async_call(RpcCall{.method = std::string{method}, .params = std::move(params)}, deadline, std::move(callback));
}

Operation RpcClient::async_call(RpcCall call, Deadline deadline, Callback<Value> callback) {
    return start<Value>(*transport_, context_of(*transport_, dialect_, call), &call, deadline, interpret_call, under_way(std::move(callback)));
}

void RpcClient::notify(std::string_view method, Value params, Deadline deadline) {
    call(RpcCall{.method = std::string{method}, .params = std::move(params), .notification = true}, deadline);
}

Operation RpcClient::async_notify(std::string_view method, Value params, Deadline deadline, Callback<void> callback) {
    return async_call(RpcCall{.method = std::string{method}, .params = std::move(params), .notification = true}, deadline,
                      [callback = std::move(callback)](Result<Value> result) mutable {
                          if (callback) callback(result ? Result<void>{} : Result<void>{result.error()});
                      });
}

std::vector<Result<Value>> RpcClient::batch(const std::vector<RpcCall>& calls, Deadline deadline) {
    return observed([&] {
        const Context context = context_of(*transport_, dialect_, calls);
        HttpRequest request = to_request(context, calls.data());
        if (calls.empty()) return std::vector<Result<Value>>{};
        return interpret_batch(context, transport_->request(request, deadline, k_mode));
    });
}

Operation RpcClient::async_batch(const std::vector<RpcCall>& calls, Deadline deadline, Callback<std::vector<Result<Value>>> callback) {
    using Results = std::vector<Result<Value>>;
    callback = under_way(std::move(callback));
    if (calls.empty() && dialect_->has_batches())
        return transport_->refuse([callback = std::move(callback)]() mutable { callback(Result<Results>{Results{}}); });
    return start<Results>(*transport_, context_of(*transport_, dialect_, calls), calls.data(), deadline, interpret_batch, std::move(callback));
}

std::vector<std::string> RpcClient::list_methods(Deadline deadline) {
    const Value answer = call("system.listMethods", {}, deadline);
    std::vector<std::string> names;
    const bool good =
        answer.is_list() && std::all_of(answer.as_list().begin(), answer.as_list().end(), [](const Value& one) { return one.is_string(); });
    if (!good) {
        throw rpc::make_rpc_error(RpcErrc::response, *dialect_->protocol, "system.listMethods was answered with something else than a list of names")
            .with_connection(label());
    }
    for (const Value& one : answer.as_list()) names.emplace_back(one.as_string());
    return names;
}

std::string RpcClient::method_help(std::string_view method, Deadline deadline) {
    const Value answer = call("system.methodHelp", List{method}, deadline);
    return answer.is_string() ? std::string{answer.as_string()} : to_text(answer);
}

Value RpcClient::method_signature(std::string_view method, Deadline deadline) { return call("system.methodSignature", List{method}, deadline); }

}  // namespace qconn
