// SPDX-License-Identifier: Apache-2.0
// XML-RPC (xmlrpc.com/spec), with several calls in one as `system.multicall`, which most servers have.
#include "base/xml_rpc.hpp"

#include <optional>
#include <utility>

#include "base/text.hpp"
#include "base/xml.hpp"
#include "base/xml_reader.hpp"
#include "base/xml_text.hpp"
#include "rpc/codec.hpp"

namespace qconn::rpc {

namespace {

constexpr std::string_view k_declaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
constexpr std::string_view k_multicall = "system.multicall";

Error no_answer(std::string message) { return make_rpc_error(RpcErrc::response, k_xml_rpc, std::move(message)); }

// ---- the client's half ----

/// A name that check_method() has let pass.
void append_text(std::string& out, std::string_view text) { xml::append_text(out, text, false); }

void append_value(std::string& out, const Dialect& dialect, const RpcCall& call, const Value& value) {
    try {
        xml::append_rpc_value(out, value, {dialect.extensions});
    } catch (const Error& error) { refuse_parameters(k_xml_rpc, call.method, error); }
}

/// Each of the parameters between two texts.
void append_params(std::string& out, const Dialect& dialect, const RpcCall& call, std::string_view before, std::string_view behind) {
    const auto append = [&](const Value& value) {
        out += before;
        append_value(out, dialect, call, value);
        out += behind;
    };
    if (call.params.is_list()) {
        for (const Value& value : call.params.as_list()) append(value);
    } else if (!call.params.is_null()) {
        append(call.params);
    }
}

void write_call(std::string& out, const Dialect& dialect, const RpcCall& call) {
    check_method(k_xml_rpc, call.method);
    out.append(k_declaration).append("<methodCall><methodName>");
    append_text(out, call.method);
    out.append("</methodName><params>");
    append_params(out, dialect, call, "<param>", "</param>");
    out.append("</params></methodCall>\n");
}

void write_batch(std::string& out, const Dialect& dialect, std::span<const RpcCall> calls) {
    out.append(k_declaration).append("<methodCall><methodName>").append(k_multicall);
    out.append("</methodName><params><param><value><array><data>");
    for (const RpcCall& call : calls) {
        check_method(k_xml_rpc, call.method);
        out.append("<value><struct><member><name>methodName</name><value><string>");
        append_text(out, call.method);
        out.append("</string></value></member><member><name>params</name><value><array><data>");
        append_params(out, dialect, call, "", "");
        out.append("</data></array></value></member></struct></value>");
    }
    out.append("</data></array></value></param></params></methodCall>\n");
}

std::optional<Fault> fault_in(Value& value) {
    if (!value.is_map() || value["faultCode"].kind() != ValueKind::int64 || !value["faultString"].is_string()) return std::nullopt;
    return Fault{value["faultCode"].as_int64(), std::string{value["faultString"].as_string()}};
}

/// What the first `<value>` in the element that is open holds. Behind an error the place of the reader is anywhere.
Result<Value> read_value_in(xml::Reader& reader) {
    std::optional<Value> value;
    while (reader.next_child()) {
        if (value || reader.name() != "value") {
            reader.skip();
            continue;
        }
        Result<Value> read = xml::read_rpc_value(reader);
        if (!read) return read;
        value = std::move(*read);
    }
    if (!value) return make_error(Errc::parse, "the text is no value of XML-RPC: there is no <value> where one belongs");
    return *std::move(value);
}

/// In `<params>`.
Result<Outcome> read_result(xml::Reader& reader) {
    constexpr std::string_view k_several = "the answer has more than one result";
    if (!reader.next_child()) return Outcome{Value{}};  // of methods that return nothing
    if (reader.name() != "param") return no_answer(std::string{k_several});
    Result<Value> value = read_value_in(reader);
    if (!value) return unreadable(k_xml_rpc, value.error());
    if (reader.next_child()) return no_answer(std::string{k_several});
    return Outcome{std::move(*value)};
}

/// In `<fault>`.
Result<Outcome> read_fault(xml::Reader& reader) {
    Result<Value> value = read_value_in(reader);
    if (!value) return unreadable(k_xml_rpc, value.error());
    if (auto found = fault_in(*value)) return Outcome{std::move(*found)};
    return no_answer("the <fault> in the answer has no faultCode or no faultString");
}

/// From the beginning of a text.
Result<Outcome> read_outcome(xml::Reader& reader) {
    reader.next();
    if (reader.name() != "methodResponse") return no_answer("the answer is a <" + shown(reader.name()) + "> instead of a <methodResponse>");
    std::optional<Result<Outcome>> outcome;
    std::string_view from;
    while (reader.next_child()) {
        const std::string_view part = reader.name();
        const bool counts = part == "params" || part == "fault";
        if (counts && outcome && part != from) return no_answer("the answer has <params> and a <fault>");
        if (!counts || outcome) {
            reader.skip();
            continue;
        }
        outcome = part == "fault" ? read_fault(reader) : read_result(reader);
        from = part;
        if (!*outcome) return *std::move(outcome);
    }
    if (outcome) return *std::move(outcome);
    return no_answer("the answer has neither <params> nor a <fault>");
}

Result<Outcome> read_answer(const Dialect&, std::string_view text, const Expected&) {
    xml::Reader reader{text, {}};
    Result<Outcome> outcome = read_outcome(reader);
    if (const auto error = reader.finish()) return unreadable(k_xml_rpc, *error);
    return outcome;
}

Result<BatchAnswer> read_batch_answer(const Dialect& dialect, std::string_view text, std::span<const Expected> expected) {
    Result<Outcome> answer = read_answer(dialect, text, {});
    if (!answer) return answer.error();
    BatchAnswer batch;
    if (Fault* fault = std::get_if<Fault>(&*answer)) {
        batch.refused = std::move(*fault);
        return batch;
    }
    Value& list = std::get<Value>(*answer);
    if (!list.is_list()) return no_answer("system.multicall was answered with a " + std::string{to_string(list.kind())} + " instead of a list");
    if (list.size() != expected.size())
        return no_answer("system.multicall was answered with " + std::to_string(list.size()) + " results for " + std::to_string(expected.size()) +
                         " calls");
    for (Value& one : list.as_list()) {
        if (one.is_list() && one.size() == 1)
            batch.outcomes.emplace_back(Outcome{std::move(one.as_list().front())});
        else if (auto fault = fault_in(one))
            batch.outcomes.emplace_back(Outcome{std::move(*fault)});
        else
            batch.outcomes.emplace_back(no_answer("the answer to this call of system.multicall is neither a list of one result nor a fault"));
    }
    return batch;
}

// ---- the server's half ----

/// From the beginning of a text; what is wrong with it becomes the request's fault.
void read_request(xml::Reader& reader, Request& request) {
    const auto refuse = [&](std::string message) { request.fault = Fault{k_invalid_request, std::move(message)}; };
    constexpr std::string_view k_no_call = "the text is no <methodCall> with a <methodName>";
    reader.next();
    if (reader.name() != "methodCall") return refuse(std::string{k_no_call});
    std::optional<std::string> method;
    std::optional<List> params;
    while (reader.next_child()) {
        if (!method && reader.name() == "methodName") {
            const auto text = reader.only_text();
            if (!text) return refuse(std::string{k_no_call});
            method = text::trim(*text);
        } else if (!params && reader.name() == "params") {
            params.emplace();
            while (reader.next_child()) {
                Result<Value> value = read_value_in(reader);
                if (!value) return refuse(std::string{value.error().message()});
                params->push_back(std::move(*value));
            }
        } else {
            reader.skip();
        }
    }
    if (!method || method->empty()) return refuse(std::string{k_no_call});
    request.method = *std::move(method);
    request.params = params ? *std::move(params) : List{};
}

Requests read_requests(std::string_view text) {
    Requests requests;
    Request& request = requests.all.emplace_back();
    xml::Reader reader{text, {}};
    read_request(reader, request);
    if (const auto error = reader.finish()) {
        request = {};
        request.fault = Fault{k_parse_error, std::string{error->message()}};
    }
    return requests;
}

void write_answers(std::string& out, const Requests& requests, std::span<const Outcome> outcomes) {
    const Request& request = requests.all.front();
    const Fault* fault = request.fault ? &*request.fault : std::get_if<Fault>(&outcomes.front());
    out.append(k_declaration).append("<methodResponse>");
    try {
        if (fault != nullptr) {
            out.append("<fault>");
            xml::append_rpc_value(out, Map{{"faultCode", static_cast<long long>(fault->code)}, {"faultString", fault->message}});
            out.append("</fault>");
        } else {
            out.append("<params><param>");
            xml::append_rpc_value(out, std::get<Value>(outcomes.front()), {true});
            out.append("</param></params>");
        }
    } catch (const Error& error) { refuse_parameters(k_xml_rpc, request.method, error); }
    out.append("</methodResponse>\n");
}

bool is_media_type(std::string_view type) { return type == "text/xml" || type == "application/xml" || type.ends_with("+xml"); }

}  // namespace

constexpr Protocol k_xml_rpc{.name = "XML-RPC",
                             .default_path = "/RPC2",
                             .content_type = "text/xml;charset=utf-8",
                             .accept = "text/xml",
                             .parse_error = "PARSE-XMLRPC-RESPONSE-ERROR",
                             .response_error = "XMLRPCCLIENT-RESPONSE-ERROR",
                             .serialization_error = "XMLRPC-SERIALIZATION-ERROR",
                             .is_media_type = is_media_type,
                             .write_call = write_call,
                             .read_answer = read_answer,
                             .write_batch = write_batch,
                             .read_batch_answer = read_batch_answer,
                             .read_requests = read_requests,
                             .write_answers = write_answers};

}  // namespace qconn::rpc
