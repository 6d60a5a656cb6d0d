// SPDX-License-Identifier: Apache-2.0
#include "rpc/codec.hpp"

#include <algorithm>
#include <array>

#include <qconn/base/url.hpp>

#include "base/text.hpp"

namespace qconn {

namespace {

struct Named {
    /// Empty: the protocol has one of its own.
    std::string_view name;
    std::string_view words;
    Phase phase;
    Reason reason;
};
// In the order of RpcErrc, which begins with 1.
constexpr std::array<Named, 6> k_codes{{
    {"RPC-FAULT", "the server answered with an error", Phase::protocol, Reason::status},
    {"", "the answer is not of its format", Phase::body, Reason::bad_answer},
    {"", "the answer is none to this call", Phase::body, Reason::bad_answer},
    {"", "the call cannot be written", Phase::none, Reason::bad_value},
    {"RPC-UNSUPPORTED-ERROR", "the protocol does not have this", Phase::none, Reason::unsupported},
    {"RPC-OPTION-ERROR", "an option is wrong", Phase::none, Reason::bad_value},
}};

class RpcCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.rpc"; }
    std::string message(int value) const override {
        const auto index = static_cast<std::size_t>(value) - 1;
        return std::string{index < k_codes.size() ? k_codes[index].words : "unknown"};
    }
};

}  // namespace

const std::error_category& rpc_category() noexcept {
    static const RpcCategory category;
    return category;
}

std::error_code make_error_code(RpcErrc code) noexcept { return {static_cast<int>(code), rpc_category()}; }

std::string_view to_string(RpcProtocol protocol) noexcept { return rpc::protocol_of(protocol).name; }

namespace rpc {

const Protocol& protocol_of(RpcProtocol kind) noexcept {
    static constexpr std::array<const Protocol*, 3> protocols{&k_json_rpc, &k_xml_rpc, &k_yaml_rpc};  // in the order of RpcProtocol
    const auto index = static_cast<std::size_t>(kind);
    return *protocols[index < protocols.size() ? index : 0];
}

std::string with_default_path(const Protocol& protocol, std::string url) {
    if (const Result<Url> parsed = Url::try_parse(url); parsed && parsed->path.empty()) url += protocol.default_path;
    return url;
}

Error make_rpc_error(RpcErrc code, const Protocol& protocol, std::string message) {
    const Named& named = k_codes[static_cast<std::size_t>(code) - 1];
    std::string_view name = named.name;
    if (code == RpcErrc::parse) name = protocol.parse_error;
    if (code == RpcErrc::response) name = protocol.response_error;
    if (code == RpcErrc::serialization) name = protocol.serialization_error;
    return Error{code, name, std::move(message)}.with_phase(named.phase).with_reason(named.reason);
}

Error unreadable(const Protocol& protocol, const Error& why) {
    Error error = make_rpc_error(RpcErrc::parse, protocol, std::string{why.message()});
    if (why.code() == Errc::limit) error.with_reason(Reason::limit);
    return error;
}

void check_method(const Protocol& protocol, std::string_view method) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    std::string_view problem;
    if (method.empty())
        problem = "it is empty";
    else if (std::any_of(method.begin(), method.end(), is_control))
        problem = "it has line breaks or other control characters";
    else if (!text::valid_utf8(method))
        problem = "it is not UTF-8";
    if (problem.empty()) return;
    throw make_rpc_error(RpcErrc::serialization, protocol, "\"" + shown(method) + "\" cannot be the name of a method: " + std::string{problem});
}

void refuse_parameters(const Protocol& protocol, std::string_view method, const Error& why) {
    throw make_rpc_error(
        RpcErrc::serialization, protocol,
        "the parameters of " + shown(method) + " cannot be sent by " + std::string{protocol.name} + ": " + std::string{why.message()});
}

Fault fault_of(Value error) {
    Fault fault;
    if (error.is_string()) {
        fault.message = error.as_string();
        return fault;
    }
    const Value& code = error["code"];
    const Value& message = error["message"];
    if (code.kind() == ValueKind::int64) fault.code = code.as_int64();
    if (message.is_string()) fault.message = message.as_string();
    if (fault.message.empty() && fault.code == 0) {
        fault.message = text::shorten(to_text(error), 1000);
        fault.data = std::move(error);
        return fault;
    }
    for (const std::string_view member : {"data", "error"}) {
        if (Value* data = error.as_map().find(member); data != nullptr && fault.data.is_null()) fault.data = std::move(*data);
    }
    return fault;
}

std::string shown(std::string_view text) { return text::printable(text::shorten(text::trim(text), 1000)); }

}  // namespace rpc
}  // namespace qconn
