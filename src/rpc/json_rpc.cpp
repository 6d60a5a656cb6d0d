// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 (jsonrpc.org/specification), the 1.1 of 2006 (working draft), and 1.0.
#include <algorithm>

#include "base/json.hpp"
#include "base/text.hpp"
#include "rpc/codec.hpp"

namespace qconn::rpc {

namespace {

Error no_answer(std::string message) { return make_rpc_error(RpcErrc::response, k_json_rpc, std::move(message)); }

/// What begins an object of that version.
std::string_view version_member(std::string_view version) noexcept {
    return version == "1.0" ? "{" : version == "1.1" ? R"({"version":"1.1",)" : R"({"jsonrpc":"2.0",)";
}

// ---- the client's half ----

void append_call(std::string& out, const Dialect& dialect, const RpcCall& call, std::int64_t id) {
    check_method(k_json_rpc, call.method);
    out.append(version_member(dialect.version)).append(R"("method":)").append(json::quoted(call.method));
    if (!call.notification)
        out.append(R"(,"id":)").append(std::to_string(id));
    else if (dialect.version == "1.0")
        out.append(R"(,"id":null)");
    // Of 1.0 they must be there.
    if (!call.params.is_null() || dialect.version == "1.0") {
        out.append(R"(,"params":)");
        try {
            out.append(call.params.is_null() ? "[]" : json::encode(call.params));
        } catch (const Error& error) { refuse_parameters(k_json_rpc, call.method, error); }
    }
    out += '}';
}

void write_call(std::string& out, const Dialect& dialect, const RpcCall& call) { append_call(out, dialect, call, 1); }

void write_batch(std::string& out, const Dialect& dialect, std::span<const RpcCall> calls) {
    std::int64_t id = 0;
    for (const RpcCall& call : calls) {
        out += id == 0 ? '[' : ',';
        append_call(out, dialect, call, ++id);
    }
    out += ']';
}

Result<Value> read_text(std::string_view text) {
    json::Limits limits;
    limits.last_member_wins = true;  // as most readers of servers' answers do
    Result<Value> value = json::decode(text, limits);
    if (!value) return unreadable(k_json_rpc, value.error());
    return value;
}

/// The answer of an object, whatever its id.
Result<Outcome> take_outcome(const Dialect& dialect, Value& answer) {
    Map& members = answer.as_map();
    if (const Value* version = members.find("jsonrpc"); dialect.version == "2.0" && version != nullptr && *version != Value{"2.0"})
        return no_answer("the answer is JSON-RPC \"" + shown(to_text(*version)) + "\", not 2.0");
    Value* result = members.find("result");
    Value* error = members.find("error");
    // Servers of 1.0 have both, one of them null.
    const bool failed = error != nullptr && !error->is_null();
    if (failed && result != nullptr && !result->is_null()) return no_answer("the answer has a result and an error");
    if (failed) return Outcome{fault_of(std::move(*error))};
    if (result == nullptr) return no_answer("the answer has neither a result nor an error");
    return Outcome{std::move(*result)};
}

/// An error that the server could not attribute to a call, as it had not understood its id.
bool is_without_id(const Value& answer) { return answer["id"].is_null() && !answer["error"].is_null(); }

Result<Outcome> read_answer(const Dialect& dialect, std::string_view text, const Expected&) {
    Result<Value> answer = read_text(text);
    if (!answer) return answer.error();
    if (!answer->is_map()) return no_answer("the answer is a " + std::string{to_string(answer->kind())} + " instead of an object");
    if (!is_without_id(*answer) && (*answer)["id"] != Value{1})
        return no_answer("the answer has the id " + shown(to_text((*answer)["id"])) + "; the call had 1");
    return take_outcome(dialect, *answer);
}

Result<BatchAnswer> read_batch_answer(const Dialect& dialect, std::string_view text, std::span<const Expected> expected) {
    BatchAnswer batch;
    std::vector<std::optional<Result<Outcome>>> slots(expected.size());
    std::optional<Fault> without_id;
    if (!text::trim(text).empty() || std::any_of(expected.begin(), expected.end(), [](const Expected& e) { return !e.notification; })) {
        Result<Value> answer = read_text(text);
        if (!answer) return answer.error();
        if (answer->is_map() && is_without_id(*answer)) {
            Result<Outcome> outcome = take_outcome(dialect, *answer);
            if (!outcome) return outcome.error();
            batch.refused = std::get<Fault>(std::move(*outcome));
            return batch;
        }
        if (!answer->is_list()) return no_answer("the answer to a batch is a " + std::string{to_string(answer->kind())} + " instead of a list");
        for (Value& one : answer->as_list()) {
            if (!one.is_map()) return no_answer("the answer to a batch holds a " + std::string{to_string(one.kind())} + " where an object belongs");
            if (is_without_id(one)) {
                Result<Outcome> outcome = take_outcome(dialect, one);
                if (outcome && !without_id) without_id = std::get<Fault>(std::move(*outcome));
                continue;
            }
            const Value id = one["id"];
            const bool known = id.kind() == ValueKind::int64 && id.as_int64() >= 1 && static_cast<std::size_t>(id.as_int64()) <= expected.size() &&
                               !expected[static_cast<std::size_t>(id.as_int64()) - 1].notification;
            if (!known) return no_answer("the answer to a batch has the id " + shown(to_text(id)) + ", which none of its calls has");
            std::optional<Result<Outcome>>& slot = slots[static_cast<std::size_t>(id.as_int64()) - 1];
            if (slot)
                slot.emplace(no_answer("the server answered this call of the batch twice"));
            else
                slot.emplace(take_outcome(dialect, one));
        }
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i])
            batch.outcomes.push_back(std::move(*slots[i]));
        else if (expected[i].notification)
            batch.outcomes.emplace_back(Outcome{Value{}});
        else if (without_id)
            batch.outcomes.emplace_back(Outcome{*without_id});
        else
            batch.outcomes.emplace_back(no_answer("the answer to the batch has none to this call"));
    }
    return batch;
}

// ---- the server's half ----

Request refused(Value id, std::int64_t code, std::string message) {
    Request request;
    request.id = std::move(id);
    request.fault = Fault{code, std::move(message)};
    return request;
}

Request read_request(Value& call) {
    if (!call.is_map()) return refused({}, k_invalid_request, "a call is an object");
    Map& members = call.as_map();
    const Value* id = members.find("id");
    const bool good_id = id == nullptr || id->is_null() || id->is_string() || id->is_number();
    Request request;
    request.id = id != nullptr && good_id ? *id : Value{};
    if (const Value* version = members.find("jsonrpc")) {
        if (*version != Value{"2.0"}) return refused(std::move(request.id), k_invalid_request, "\"jsonrpc\" must be \"2.0\"");
        request.notification = id == nullptr;
    } else {
        request.version = call["version"] == Value{"1.1"} ? "1.1" : "1.0";
        request.notification = request.version == "1.0" ? id == nullptr || id->is_null() : id == nullptr;
    }
    Value* method = members.find("method");
    if (!good_id || method == nullptr || !method->is_string())
        return refused(std::move(request.id), k_invalid_request, good_id ? "\"method\" must be there, as text" : "\"id\" must be a text or a number");
    request.method = method->as_string();
    if (Value* params = members.find("params")) request.params = std::move(*params);
    return request;
}

Requests read_requests(std::string_view text) {
    Requests requests;
    Result<Value> value = json::decode(text);
    if (!value) {
        requests.all.push_back(refused({}, k_parse_error, std::string{value.error().message()}));
    } else if (!value->is_list()) {
        requests.all.push_back(read_request(*value));
    } else if (value->as_list().empty()) {
        requests.all.push_back(refused({}, k_invalid_request, "a batch has at least one call"));
    } else {
        requests.batch = true;
        for (Value& call : value->as_list()) requests.all.push_back(read_request(call));
    }
    return requests;
}

void append_fault(std::string& out, const Request& request, const Fault& fault) {
    out.append(R"("error":{)");
    if (request.version == "1.1") out.append(R"("name":"JSONRPCError",)");
    out.append(R"("code":)").append(std::to_string(fault.code)).append(R"(,"message":)").append(json::quoted(fault.message));
    if (!fault.data.is_null()) out.append(request.version == "2.0" ? R"(,"data":)" : R"(,"error":)").append(json::encode(fault.data));
    out.append("},");
}

void append_answer(std::string& out, const Request& request, const Outcome& outcome) {
    const Fault* fault = request.fault ? &*request.fault : std::get_if<Fault>(&outcome);
    out.append(version_member(request.version));
    if (fault == nullptr || request.version == "1.0")
        out.append(R"("result":)").append(fault == nullptr ? json::encode(std::get<Value>(outcome)) : "null").append(",");
    if (fault != nullptr)
        append_fault(out, request, *fault);
    else if (request.version == "1.0")
        out.append(R"("error":null,)");
    out.append(R"("id":)").append(json::encode(request.id)).append("}");
}

void write_answers(std::string& out, const Requests& requests, std::span<const Outcome> outcomes) {
    bool any = false;
    for (std::size_t i = 0; i < requests.all.size(); ++i) {
        const Request& request = requests.all[i];
        if (request.notification) continue;
        if (requests.batch) out += any ? ',' : '[';
        any = true;
        try {
            append_answer(out, request, outcomes[i]);
        } catch (const Error& error) { refuse_parameters(k_json_rpc, request.method, error); }
    }
    if (requests.batch && any) out += ']';
}

bool is_media_type(std::string_view type) {
    return type == "application/json" || type == "text/json" || type == "application/json-rpc" || type == "application/jsonrequest" ||
           type.ends_with("+json");
}

}  // namespace

constexpr Protocol k_json_rpc{.name = "JSON-RPC",
                              .default_path = "/JSON",
                              .content_type = "application/json;charset=utf-8",
                              .accept = "application/json",
                              .parse_error = "JSON-PARSE-ERROR",
                              .response_error = "JSONRPCCLIENT-RESPONSE-ERROR",
                              .serialization_error = "JSON-SERIALIZATION-ERROR",
                              .is_media_type = is_media_type,
                              .write_call = write_call,
                              .read_answer = read_answer,
                              .write_batch = write_batch,
                              .read_batch_answer = read_batch_answer,
                              .read_requests = read_requests,
                              .write_answers = write_answers};

}  // namespace qconn::rpc
