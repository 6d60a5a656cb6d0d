// SPDX-License-Identifier: Apache-2.0
/// The RPC protocols as texts, for both ends of a call. Pure functions, in one table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>
#include <qconn/rpc/rpc_client.hpp>

namespace qconn::rpc {

/// What a server answers with in the place of a result.
struct Fault {
    std::int64_t code{0};
    std::string message;
    Value data{};

    friend bool operator==(const Fault&, const Fault&) = default;
};

/// How a call went.
using Outcome = std::variant<Value, Fault>;

/// What an answer is read for.
struct Expected {
    std::string method;
    bool notification{false};
};

/// The answer to several calls.
struct BatchAnswer {
    /// The server refused the whole; there are no outcomes then.
    std::optional<Fault> refused;
    /// One for each call, in their order; an Error of one that is missing or there twice.
    std::vector<Result<Outcome>> outcomes;
};

/// A call that came to a server.
struct Request {
    std::string method;
    Value params;
    /// Of JSON-RPC: what the answer carries too.
    Value id;
    /// Of JSON-RPC: "2.0", "1.1", "1.0".
    std::string version{"2.0"};
    bool notification{false};
    /// It cannot be read, and this is the answer.
    std::optional<Fault> fault;
};

/// What came to a server in one text.
struct Requests {
    std::vector<Request> all;
    bool batch{false};
};

struct Dialect;

/// A protocol. All functions append to `out`; those that write throw, those that read return what is wrong: RpcErrc::parse where the text is not of
/// its format, RpcErrc::response where it is no answer of the protocol to what was asked.
struct Protocol {
    std::string_view name;
    std::string_view default_path;
    std::string_view content_type;
    std::string_view accept;
    std::string_view parse_error;
    std::string_view response_error;
    std::string_view serialization_error;
    /// Whether a text of that media type (lower case) can be of it.
    bool (*is_media_type)(std::string_view type);

    // The client's half. @throws Error RpcErrc::serialization
    void (*write_call)(std::string& out, const Dialect& dialect, const RpcCall& call);
    Result<Outcome> (*read_answer)(const Dialect& dialect, std::string_view text, const Expected& expected);
    /// Null: it has no batches.
    void (*write_batch)(std::string& out, const Dialect& dialect, std::span<const RpcCall> calls);
    Result<BatchAnswer> (*read_batch_answer)(const Dialect& dialect, std::string_view text, std::span<const Expected> expected);

    // The server's half.
    Requests (*read_requests)(std::string_view text);
    /// One outcome for each request. Nothing is written where no answer is wanted. @throws Error RpcErrc::serialization
    void (*write_answers)(std::string& out, const Requests& requests, std::span<const Outcome> outcomes);
};

/// A protocol as a client was told to speak it.
struct Dialect {
    const Protocol* protocol;
    RpcProtocol kind;
    /// Of JSON-RPC.
    std::string version{"2.0"};
    /// Of XML-RPC.
    bool extensions{false};

    bool has_batches() const noexcept { return protocol->write_batch != nullptr && (kind != RpcProtocol::json || version == "2.0"); }
    bool has_notifications() const noexcept { return kind == RpcProtocol::json; }
};

const Protocol& protocol_of(RpcProtocol kind) noexcept;
/// A client's URL, with the protocol's path where it has none.
std::string with_default_path(const Protocol& protocol, std::string url);

/// Codes that servers give what is wrong with a call (JSON-RPC 2.0 section 5.1; the XML-RPC servers of today have the same).
inline constexpr std::int64_t k_parse_error = -32700;
inline constexpr std::int64_t k_invalid_request = -32600;
inline constexpr std::int64_t k_unknown_method = -32601;
inline constexpr std::int64_t k_invalid_params = -32602;
inline constexpr std::int64_t k_internal_error = -32603;

// ---- for the protocols' own files ----

extern const Protocol k_json_rpc;
extern const Protocol k_xml_rpc;
extern const Protocol k_yaml_rpc;

/// An Error of this family with the name that the protocol has for the code. Phase and reason are those of the code.
Error make_rpc_error(RpcErrc code, const Protocol& protocol, std::string message);
/// For what base's codecs say of a body; a limit stays one.
Error unreadable(const Protocol& protocol, const Error& why);
/// @throws Error RpcErrc::serialization where it is empty or has control characters
void check_method(const Protocol& protocol, std::string_view method);
/// For what base's codecs throw. @throws Error RpcErrc::serialization
[[noreturn]] void refuse_parameters(const Protocol& protocol, std::string_view method, const Error& why);
/// An error object of JSON-RPC and YAML-RPC, whatever of it is there.
Fault fault_of(Value error);
/// A method's name or whatever a server says, fit to be shown.
std::string shown(std::string_view text);

}  // namespace qconn::rpc
