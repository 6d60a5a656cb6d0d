// SPDX-License-Identifier: Apache-2.0
// jsonrpc(s), xmlrpc(s), yamlrpc(s).
#include <qconn/rpc/rpc_client.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "rpc/codec.hpp"
#include "schemes/http_address.hpp"
#include "schemes/http_options.hpp"
#include "schemes/http_scheme.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

std::string method_problem(const Value& value) {
    try {
        rpc::check_method(rpc::protocol_of(RpcProtocol::json), value.as_string());
    } catch (const Error&) { return "it must be the name of a method: some text without control characters"; }
    return {};
}

OptionTable<RpcOptions> make_table(RpcProtocol protocol) {
    OptionTable<RpcOptions> all;
    add_http_options(all);
    add_coding_options(all);
    if (protocol == RpcProtocol::json) {
        OptionSpec& spec = all.add("version", &RpcOptions::version, OptionType::string, "Version of JSON-RPC; batches are of 2.0 only");
        spec.fallback = "2.0";
        spec.allowed = {{"2.0", ""}, {"1.1", ""}, {"1.0", ""}};
        spec.example = "1.0";
    }
    if (protocol == RpcProtocol::xml) {
        OptionSpec& spec =
            all.add("extensions", &RpcOptions::extensions, OptionType::boolean,
                    "Integers beyond 32 bits are sent as <i8> and null as <nil/>, which not all servers know, instead of as text and as an "
                    "empty <value/>");
        spec.fallback = false;
        spec.example = true;
    }
    {
        OptionSpec& spec = all.add("ping_call", OptionType::string, "The ping calls this method, and a result means up", nullptr);
        spec.example = "system.listMethods";
        spec.check = method_problem;
    }
    {
        OptionSpec& spec = all.add("ping_params", OptionType::any, "Parameters of that call: a list by position, a map by name", nullptr);
        spec.example = List{"shallow"};
    }
    return all;
}

const OptionTable<RpcOptions>& table(RpcProtocol protocol) {
    static const OptionTable<RpcOptions> json = make_table(RpcProtocol::json);
    static const OptionTable<RpcOptions> xml = make_table(RpcProtocol::xml);
    static const OptionTable<RpcOptions> yaml = make_table(RpcProtocol::yaml);
    return protocol == RpcProtocol::json ? json : protocol == RpcProtocol::xml ? xml : yaml;
}

RpcOptions options_of(RpcProtocol protocol, const ResolvedDefinition& definition) {
    RpcOptions options;
    options.protocol = protocol;
    table(protocol).apply(definition.options, options);
    set_address(options, definition);
    options.url = rpc::with_default_path(rpc::protocol_of(protocol), std::move(options.url));
    return options;
}

/// The definition's own call, or that of a method which most servers have: any answer of the protocol then shows that one is there.
PingCall ping_call(const ResolvedDefinition& definition, const RpcOptions& options) {
    const Value& method = option_of(definition, "ping_call");
    const bool own = method.is_string();
    const rpc::Protocol& protocol = rpc::protocol_of(options.protocol);
    const rpc::Dialect dialect{&protocol, options.protocol, options.version, options.extensions};
    RpcCall what{.method = own ? std::string{method.as_string()} : "system.listMethods"};
    if (own) what.params = option_of(definition, "ping_params");

    PingCall call;
    call.method = "POST";
    try {
        protocol.write_call(call.body, dialect, what);
    } catch (Error& error) { throw error.with_connection(definition.name); }
    if (options.headers.find("Content-Type") == nullptr) call.headers.set("Content-Type", std::string{protocol.content_type});
    if (options.headers.find("Accept") == nullptr) call.headers.set("Accept", std::string{protocol.accept});
    call.check = [dialect, own, method = what.method](std::string_view body) -> std::optional<http::BodyProblem> {
        const Result<rpc::Outcome> outcome = dialect.protocol->read_answer(dialect, body, {method});
        if (!outcome) return http::BodyProblem{std::string{outcome.error().message()} + "; check the path of the URL"};
        const rpc::Fault* fault = std::get_if<rpc::Fault>(&*outcome);
        if (!own || fault == nullptr) return std::nullopt;
        return http::BodyProblem{"with error " + std::to_string(fault->code) + " of " + rpc::shown(method) + ": " + rpc::shown(fault->message),
                                 Reason::status};
    };
    return call;
}

RpcClient& client_of(Client& client) { return dynamic_cast<RpcClient&>(client); }

const Value& argument(const Map& arguments, std::string_view name) {
    static const Value none;
    const Value* value = arguments.find(name);
    return value != nullptr ? *value : none;
}

using Argument = OperationSpec::Argument;

OperationSpec operation(std::string name, std::string help, std::vector<Argument> arguments,
                        std::function<Value(RpcClient&, const Map&, Deadline)> run) {
    OperationSpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.arguments = std::move(arguments);
    spec.run = [run = std::move(run)](Client& client, const Map& given, Deadline deadline) { return run(client_of(client), given, deadline); };
    return spec;
}

/// Any other word is a method of the server.
OperationSpec any_method() {
    constexpr std::string_view k_method = "METHOD";
    constexpr std::string_view k_rest = "PARAM";
    OperationSpec spec = operation(std::string{k_method}, "Call that method of the server, with parameters by position or by name; its result", {},
                                   [=](RpcClient& client, const Map& given, Deadline deadline) {
                                       Map named = given;
                                       named.erase(k_method);
                                       named.erase(k_rest);
                                       const Value& rest = argument(given, k_rest);
                                       if (!named.empty() && !rest.is_null())
                                           throw make_error(Errc::invalid_argument, "parameters are given by position or by name, not both");
                                       return client.call(text_argument(given, k_method), named.empty() ? rest : Value{std::move(named)}, deadline);
                                   });
    spec.rest = Argument{std::string{k_rest}, OptionType::any, false, "JSON, or text"};
    spec.free_fields = true;
    return spec;
}

std::vector<OperationSpec> operations_of(RpcProtocol protocol) {
    const Argument method{"method", OptionType::string, true, "its name"};
    const Argument params{"params", OptionType::any, false, "JSON: a list by position, a map by name"};
    std::vector<OperationSpec> all{
        operation("operations", "Names of the methods that the server offers, where it tells (system.listMethods)", {},
                  [](RpcClient& client, const Map&, Deadline deadline) {
                      List names;
                      for (const std::string& name : client.list_methods(deadline)) names.emplace_back(name);
                      return Value{std::move(names)};
                  }),
        operation("call", "Call a method with parameters in one; also one that is named like an operation here", {method, params},
                  [](RpcClient& client, const Map& given, Deadline deadline) {
                      return client.call(text_argument(given, "method"), argument(given, "params"), deadline);
                  }),
        operation("help", "What the server says of a method (system.methodHelp)", {method},
                  [](RpcClient& client, const Map& given, Deadline deadline) {
                      return Value{client.method_help(text_argument(given, "method"), deadline)};
                  })};
    if (protocol == RpcProtocol::json) {
        all.push_back(operation("notify", "Call a method without waiting for a result", {method, params},
                                [](RpcClient& client, const Map& given, Deadline deadline) {
                                    client.notify(text_argument(given, "method"), argument(given, "params"), deadline);
                                    return Value{};
                                }));
    }
    return all;
}

Scheme scheme_of(RpcProtocol protocol, const std::string& name) {
    const auto options = [protocol](const ResolvedDefinition& definition) { return options_of(protocol, definition); };
    Scheme scheme =
        http_kind<RpcClient>(name, options, [](const ResolvedDefinition&, const RpcOptions&) -> std::optional<PingCall> { return std::nullopt; });
    scheme.make_ping = [options](const ResolvedDefinition& definition, PingDepth depth, const Runtime&) {
        const RpcOptions made = options(definition);
        const bool calls = depth == PingDepth::auth || depth == PingDepth::full || option_of(definition, "ping_call").is_string();
        const Value& off = option_of(definition, "disable_automatic_pings");
        return make_ping_plan(made, depth, calls ? std::optional{ping_call(definition, made)} : std::nullopt, !(off.is_bool() && off.as_bool()));
    };
    scheme.family = "rpc";
    scheme.title = rpc::protocol_of(protocol).name;
    scheme.example_url = name + "s://user:password@rpc.example.com";
    scheme.options = table(protocol).specs();
    scheme.clients = client_types<RpcClient, HttpClient>({"RpcClient", "HttpClient"});
    scheme.operations = operations_of(protocol);
    scheme.other_operation = any_method();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_http(definition, findings);
        if (is_set(definition, "ping_params") && !is_set(definition, "ping_call"))
            findings.warning("ping_params", "unused-option", "'ping_params' has no effect without 'ping_call'");
    };
    return scheme;
}

constexpr std::string_view k_ping_help = " A ping opens a connection, with TLS for the secure scheme, or calls ping_call where that is set.";

}  // namespace

Scheme jsonrpc_scheme() {
    Scheme scheme = scheme_of(RpcProtocol::json, "jsonrpc");
    scheme.help = "Methods of a server by JSON-RPC 2.0, 1.1 or 1.0; a URL without a path means /JSON." + std::string{k_ping_help};
    return scheme;
}

Scheme xmlrpc_scheme() {
    Scheme scheme = scheme_of(RpcProtocol::xml, "xmlrpc");
    scheme.help = "Methods of a server by XML-RPC; a URL without a path means /RPC2." + std::string{k_ping_help};
    return scheme;
}

Scheme yamlrpc_scheme() {
    Scheme scheme = scheme_of(RpcProtocol::yaml, "yamlrpc");
    scheme.help = "Methods of a server by the YAML-RPC of Qorus; a URL without a path means /YAML." + std::string{k_ping_help};
    return scheme;
}

}  // namespace qconn::schemes
