// SPDX-License-Identifier: Apache-2.0
// ssh and sftp.
#include <qconn/ssh/ssh_client.hpp>

#include <memory>
#include <utility>

#include "schemes/convert.hpp"
#include "schemes/schemes.hpp"
#include "schemes/ssh_options.hpp"

namespace qconn::schemes {
namespace {

const OptionTable<SshOptions>& ssh_table() {
    static const OptionTable<SshOptions> options = [] {
        OptionTable<SshOptions> all;
        add_ssh_options(all);
        return all;
    }();
    return options;
}

SshOptions ssh_options_of(const ResolvedDefinition& definition) {
    SshOptions options;
    ssh_table().apply(definition.options, options);
    set_ssh_address(options, definition);
    return options;
}

Value value_of(SshResult result) {
    Map out;
    if (result.status) out.set("status", *result.status);
    if (!result.signal.empty()) out.set("signal", std::move(result.signal));
    if (!result.signal_message.empty()) out.set("signal_message", std::move(result.signal_message));
    out.set("output", text_or_bytes(std::move(result.output)));
    out.set("errors", text_or_bytes(std::move(result.errors)));
    if (!result.refused_environment.empty()) {
        List names;
        for (std::string& name : result.refused_environment) names.emplace_back(std::move(name));
        out.set("refused_environment", std::move(names));
    }
    return out;
}

/// Every end is a result; who asked for the command wants to know which it was.
std::string run_failure(const Value& result) {
    if (const Value& signal = result["signal"]; signal.is_string()) return "the signal " + std::string{signal.as_string()} + " ended the command";
    const Value& status = result["status"];
    if (!status.is_integer()) return "the server did not tell how the command ended";
    return status.as_int64() == 0 ? std::string{} : "the command ended with status " + std::to_string(status.as_int64());
}

OperationSpec run_operation() {
    OperationSpec spec;
    spec.name = "run";
    spec.help = "Run a command; its exit status, or the signal that ended it, and what it wrote";
    spec.arguments = {{"command", OptionType::string, true, "for the shell of the user there"}};
    spec.fields = {{"input", OptionType::data, false, "what it reads; default: nothing"},
                   {"environment", OptionType::map, false, "variables; a server takes few (AcceptEnv)"}};
    spec.run = [](Client& client, const Map& given, Deadline deadline) {
        SshCommand command;
        command.command = text_argument(given, "command");
        const std::string input = body_argument(given, "input");
        if (!input.empty()) command.input = text_source(input);
        if (const Value* variables = given.find("environment"); variables != nullptr && variables->is_map()) {
            for (const auto& [name, value] : variables->as_map()) command.environment.emplace_back(name, scalar_text(value));
        }
        return value_of(dynamic_cast<SshClient&>(client).run(command, deadline));
    };
    spec.failure = run_failure;
    return spec;
}

}  // namespace

Scheme ssh_scheme() {
    Scheme scheme = ssh_kind("ssh", ssh_table().specs(), ssh_options_of, {});
    scheme.title = "SSH";
    scheme.help =
        "Commands on another machine. A ping logs in and opens a channel; while it is watched the session is kept for the next one. Depth connect "
        "only "
        "asks for the greeting.";
    scheme.example_url = "ssh://edi@host.example.com";
    scheme.clients = client_types<SshClient>({"SshClient"});
    scheme.operations = {run_operation(),
                         ssh_session_operation([](Client& client, Deadline deadline) { return dynamic_cast<SshClient&>(client).connect(deadline); })};
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<SshClient>(ssh_options_of(definition), runtime);
    };
    return scheme;
}

}  // namespace qconn::schemes
