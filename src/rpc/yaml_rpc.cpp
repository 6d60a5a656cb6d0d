// SPDX-License-Identifier: Apache-2.0
// YAML-RPC, as Qorus has it: a map of method and params, answered by one of result or error.
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "rpc/codec.hpp"

namespace qconn::rpc {

namespace {

Error no_answer(std::string message) { return make_rpc_error(RpcErrc::response, k_yaml_rpc, std::move(message)); }

void append_member(std::string& out, std::string_view name, const Value& value) {
    out.append(name).append(": ");
    yaml::append(out, value, {.flow = true, .quote_text = true, .qorus_floats = true});
    out += '\n';
}

// ---- the client's half ----

void write_call(std::string& out, const Dialect&, const RpcCall& call) {
    check_method(k_yaml_rpc, call.method);
    append_member(out, "method", call.method);
    try {
        append_member(out, "params", call.params);
    } catch (const Error& error) { refuse_parameters(k_yaml_rpc, call.method, error); }
}

/// Some servers put the value under the name of the method, others directly under `result`.
Value unwrapped(Value result, std::string_view method) {
    if (!result.is_map() || result.size() != 1) return result;
    Value* inner = result.as_map().find(method);
    return inner != nullptr ? Value{std::move(*inner)} : result;
}

Result<Outcome> read_answer(const Dialect&, std::string_view text, const Expected& expected) {
    Result<Value> answer = yaml::decode(text);
    if (!answer) return unreadable(k_yaml_rpc, answer.error());
    if (!answer->is_map()) return no_answer("the answer is a " + std::string{to_string(answer->kind())} + " instead of a map");
    Value* result = answer->as_map().find("result");
    Value* error = answer->as_map().find("error");
    const bool failed = error != nullptr && !error->is_null();
    if (failed && result != nullptr && !result->is_null()) return no_answer("the answer has a result and an error");
    if (failed) return Outcome{fault_of(std::move(*error))};
    if (result == nullptr) return no_answer("the answer has neither a result nor an error");
    return Outcome{unwrapped(std::move(*result), expected.method)};
}

// ---- the server's half ----

Requests read_requests(std::string_view text) {
    Requests requests;
    Request& request = requests.all.emplace_back();
    Result<Value> call = yaml::decode(text);
    if (!call) {
        request.fault = Fault{k_parse_error, std::string{call.error().message()}};
    } else if (!(*call)["method"].is_string()) {
        request.fault = Fault{k_invalid_request, "a call is a map with a method, as text"};
    } else {
        request.method = (*call)["method"].as_string();
        if (Value* params = call->as_map().find("params")) request.params = std::move(*params);
    }
    return requests;
}

void write_answers(std::string& out, const Requests& requests, std::span<const Outcome> outcomes) {
    const Request& request = requests.all.front();
    const Fault* fault = request.fault ? &*request.fault : std::get_if<Fault>(&outcomes.front());
    try {
        if (fault == nullptr) return append_member(out, "result", std::get<Value>(outcomes.front()));
        Map error{{"name", "YAMLRPCError"}, {"code", static_cast<long long>(fault->code)}, {"message", fault->message}};
        if (!fault->data.is_null()) error.set("error", fault->data);
        append_member(out, "error", std::move(error));
    } catch (const Error& why) { refuse_parameters(k_yaml_rpc, request.method, why); }
}

bool is_media_type(std::string_view type) {
    return type == "application/x-yaml" || type == "text/x-yaml" || type == "application/yaml" || type == "text/yaml" || type.ends_with("+yaml");
}

}  // namespace

constexpr Protocol k_yaml_rpc{.name = "YAML-RPC",
                              .default_path = "/YAML",
                              .content_type = "application/x-yaml;charset=utf-8",
                              .accept = "application/x-yaml",
                              .parse_error = "YAML-PARSER-ERROR",
                              .response_error = "YAMLRPCCLIENT-RESPONSE-ERROR",
                              .serialization_error = "YAML-SERIALIZATION-ERROR",
                              .is_media_type = is_media_type,
                              .write_call = write_call,
                              .read_answer = read_answer,
                              .write_batch = nullptr,
                              .read_batch_answer = nullptr,
                              .read_requests = read_requests,
                              .write_answers = write_answers};

}  // namespace qconn::rpc
