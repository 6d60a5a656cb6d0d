// SPDX-License-Identifier: Apache-2.0
/// `qconn call`: one operation of any client.
#include <CLI/CLI.hpp>

#include <qconn/core/scheme.hpp>

#include "cli/call_arguments.hpp"
#include "cli/describe.hpp"
#include "cli/duration.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct CallArguments {
    std::vector<std::string> words;
    std::string timeout;
};

const OperationSpec& find_operation(const Scheme& scheme, const std::string& name) {
    std::vector<std::string> known;
    for (const OperationSpec& operation : scheme.operations) {
        if (operation.name == name) return operation;
        known.push_back(operation.name);
    }
    if (scheme.other_operation) return *scheme.other_operation;
    if (known.empty()) throw UsageError("connections of scheme " + scheme.names.front() + " have no operations that can be called");
    throw UsageError("there is no operation '" + printable(name) + "'" + suggestion(name, known));
}

int call(Tool& tool, const CallArguments& arguments) {
    const std::vector<std::string> all = positional(tool, arguments.words);
    if (all.size() < 2) throw UsageError("give a connection and an operation; 'qconn show NAME' lists the operations");
    const Deadline deadline = arguments.timeout.empty() ? Deadline{} : Deadline{duration_option("--timeout", arguments.timeout)};
    const Loaded loaded = load(tool, false);
    Registry& registry = *loaded.registry;
    require_connection(registry, all[0]);
    const Scheme* scheme = registry.catalogue().find(registry.info(all[0]).scheme);
    if (scheme == nullptr) {
        registry.client(all[0]);  // throws with the reason that makes it invalid
        throw UsageError("the scheme of '" + all[0] + "' is not known");
    }
    const OperationSpec& operation = find_operation(*scheme, all[1]);

    std::vector<CallWord> words;
    for (std::size_t i = 2; i < all.size(); ++i) words.push_back({all[i], i >= all.size() - tool.literals.size()});
    Map values = bind_arguments(operation, words);
    if (operation.name != all[1]) values.set(operation.name, all[1]);
    // A client of its own: exclusive ones cannot be had otherwise, and nobody else is here to share one with.
    const auto client = registry.open<Client>(all[0]);
    const Format format = tool.format == Format::table ? Format::json : tool.format;  // nothing is known of what it gives
    present(tool.out, format, {.document = operation.run(*client, values, deadline)});
    return k_ok;
}

}  // namespace

void add_call(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("call", "Call one operation of a connection's client; the result is printed as JSON");
    auto arguments = std::make_shared<CallArguments>();
    command->add_option("word", arguments->words, "Connection, operation and its arguments")->type_name("NAME OPERATION [ARG...] [KEY=VALUE...]");
    command->add_option("--timeout", arguments->timeout, "Longest time for the whole call; default: the connection's own time-outs")
        ->type_name("TIME");
    command->footer(
        "'qconn show NAME' lists the operations with their arguments. An argument is KEY=VALUE only where the operation declares KEY or takes\n"
        "any; after '--' nothing is. Arguments of type any, hash and list are read as JSON; an 'any' that is no JSON is a string.\n\n"
        "Examples:\n"
        "  qconn call shop-api get orders/17\n"
        "  qconn call shop-api post orders '{\"sku\": \"A-1\", \"count\": 2}' --timeout 5s\n"
        "  qconn call inbox list\n"
        "  qconn call billing operations\n"
        "  qconn call billing add 1 2\n"
        "  qconn call inbox write note.txt -- a=b");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return call(tool, *arguments); }; });
}

}  // namespace qconn::cli
