// SPDX-License-Identifier: Apache-2.0
/// `qconn call`: one operation of any client.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include <qconn/core/scheme.hpp>
#include <qconn/file/file_transfer_client.hpp>

#include "cli/call_arguments.hpp"
#include "cli/describe.hpp"
#include "cli/dialogue.hpp"
#include "cli/duration.hpp"
#include "cli/exchanges.hpp"
#include "cli/interruption.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

/// Lists the operations, where there is none of that name.
constexpr std::string_view k_operations = "operations";

struct CallArguments {
    std::vector<std::string> words;
    std::string timeout;
    bool verbose{false};
};

/// All that this connection's client can be asked for: what its scheme declares, then what only the client knows.
std::vector<OperationSpec> all_operations(const Scheme& scheme, Client& client, Deadline deadline) {
    std::vector<OperationSpec> all = scheme.operations;
    for (OperationSpec& one : scheme.operations_of(client, deadline)) all.push_back(std::move(one));
    return all;
}

const OperationSpec* find_operation(const std::vector<OperationSpec>& all, const std::string& name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const OperationSpec& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

/// What other tools call it, and operations that may do it.
constexpr std::array k_other_words{
    std::pair{"ls", "list"},       std::pair{"dir", "list"},        std::pair{"rm", "remove"},       std::pair{"rm", "delete"},
    std::pair{"del", "remove"},    std::pair{"delete", "remove"},   std::pair{"rmdir", "remove"},    std::pair{"unlink", "remove"},
    std::pair{"mv", "move"},       std::pair{"rename", "move"},     std::pair{"ren", "move"},        std::pair{"cat", "read"},
    std::pair{"type", "read"},     std::pair{"cp", "get"},          std::pair{"cp", "put"},          std::pair{"copy", "get"},
    std::pair{"copy", "put"},      std::pair{"download", "get"},    std::pair{"upload", "put"},      std::pair{"mget", "get_tree"},
    std::pair{"mput", "put_tree"}, std::pair{"mirror", "get_tree"}, std::pair{"mirror", "put_tree"}, std::pair{"md", "mkdir"},
    std::pair{"df", "space"},      std::pair{"info", "stat"},       std::pair{"exec", "run"},        std::pair{"retr", "retrieve"}};

/// "; did you mean 'get' or 'put'?"; empty where none of them is there.
std::string meaning(std::string_view word, const std::vector<std::string>& known) {
    std::string text;
    for (const auto& [other, name] : k_other_words) {
        if (other != word || std::find(known.begin(), known.end(), name) == known.end()) continue;
        text.append(text.empty() ? "; did you mean '" : " or '").append(name) += '\'';
    }
    return text.empty() ? text : text + '?';
}

[[noreturn]] void refuse(const Scheme& scheme, const std::vector<OperationSpec>& all, const std::string& connection, const std::string& name) {
    if (all.empty()) throw UsageError("connections of scheme " + scheme.names.front() + " have no operations that can be called");
    std::vector<std::string> known;
    for (const OperationSpec& one : all) known.push_back(one.name);
    std::string near = meaning(name, known);
    if (near.empty()) near = suggestion(name, known);
    throw UsageError("'" + printable(connection) + "' has no operation '" + printable(name) + "'" + near + "; 'qconn call " + printable(connection) +
                     " operations' lists them");
}

void list(Tool& tool, const Scheme& scheme, const std::vector<OperationSpec>& all) {
    List rows;
    for (const OperationSpec& one : all) rows.push_back(operation_value(scheme, one));
    const auto shown = [&all](Output& out) {
        Table table{{"OPERATION", "WHAT IT DOES"}};
        for (const OperationSpec& one : all) table.add({usage(one), one.help});
        out.text(table.render(out));
    };
    present(tool.out, tool.format, {.document = std::move(rows), .columns = {{"name"}, {"help"}}, .text = shown});
}

/// Says at the end of a call that nothing was seen of it, where that is so.
class Onlooker {
public:
    Onlooker(const std::string& name, const Scheme& scheme) : exchanges_{name}, scheme_{scheme.names.front()} {}
    Onlooker(const Onlooker&) = delete;
    Onlooker& operator=(const Onlooker&) = delete;
    ~Onlooker() {
        if (!seen_ && !exchanges_.any())
            std::fprintf(stderr, "* nothing was sent over HTTP; of calls of scheme %s there is no more to show\n", scheme_.c_str());
    }

    /// There is something else to see.
    void seen() noexcept { seen_ = true; }

private:
    Exchanges exchanges_;
    std::string scheme_;
    bool seen_{false};
};

/// The call itself writes to standard output.
bool takes_output(const OperationSpec& operation, const Map& values) {
    return std::any_of(operation.arguments.begin(), operation.arguments.end(), [&](const OperationSpec::Argument& one) {
        const Value* const value = one.written ? values.find(one.name) : nullptr;
        return value != nullptr && *value == Value{"-"};
    });
}

int call(Tool& tool, const CallArguments& arguments) {
    const std::vector<std::string> all = positional(tool, arguments.words);
    if (all.size() < 2) throw UsageError("give a connection and an operation; 'qconn call NAME operations' lists the operations");
    Interruption interruption;  // before there are other threads
    const Deadline deadline = arguments.timeout.empty() ? Deadline{} : Deadline{duration_option("--timeout", arguments.timeout)};
    const Loaded loaded = load(tool, false);
    Registry& registry = *loaded.registry;
    require_connection(registry, all[0]);
    const Scheme* scheme = registry.catalogue().find(registry.info(all[0]).scheme);
    if (scheme == nullptr) {
        registry.client(all[0]);  // throws with the reason that makes it invalid
        throw UsageError("the scheme of '" + all[0] + "' is not known");
    }
    std::optional<Onlooker> onlooker;
    if (arguments.verbose) onlooker.emplace(all[0], *scheme);
    const OperationSpec* declared = find_operation(scheme->operations, all[1]);
    // A client of its own: exclusive ones cannot be had otherwise, and nobody else is here to share one with.
    std::shared_ptr<Client> client;
    std::vector<OperationSpec> operations;
    if (declared == nullptr && (scheme->operations_of || all[1] == k_operations)) {
        if (scheme->operations_of) client = registry.open<Client>(all[0]);
        operations = client ? all_operations(*scheme, *client, deadline) : scheme->operations;
        declared = find_operation(operations, all[1]);
        if (declared == nullptr && all[1] == k_operations) {
            list(tool, *scheme, operations);
            return k_ok;
        }
    }
    if (declared == nullptr && scheme->other_operation) declared = &*scheme->other_operation;
    if (declared == nullptr) refuse(*scheme, operations.empty() ? scheme->operations : operations, all[0], all[1]);

    std::vector<CallWord> words;
    for (std::size_t i = 2; i < all.size(); ++i) words.push_back({all[i], i >= all.size() - tool.literals.size()});
    Map values = bind_arguments(*declared, words);
    if (declared->name != all[1]) values.set(declared->name, all[1]);
    if (!client) client = registry.open<Client>(all[0]);
    if (onlooker && show_dialogue(*client)) onlooker->seen();
    std::optional<Interruption::Gentle> gentle;
    if (auto* const files = dynamic_cast<FileTransferClient*>(client.get())) gentle.emplace(interruption, [files] { files->stop(); });
    const Format format = tool.format == Format::table ? Format::json : tool.format;  // nothing is known of what it gives
    std::optional<Value> result;
    try {
        result = declared->run(*client, values, deadline);
    } catch (const Error&) {
        if (interruption.signal() == 0) throw;
        return interruption.exit_code();
    }
    gentle.reset();
    if (!takes_output(*declared, values)) present(tool.out, format, {.document = *result});
    if (const int code = interruption.exit_code(); code != 0) return code;
    const std::string failure = declared->failure ? declared->failure(*result) : std::string{};
    if (failure.empty()) return k_ok;
    tool.out.flush();  // what the call gave comes before what is said of it
    throw CallFailed(failure);
}

}  // namespace

void add_call(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("call", "Call one operation of a connection's client; the result is printed as JSON");
    auto arguments = std::make_shared<CallArguments>();
    command->add_option("word", arguments->words, "Connection, operation and its arguments")->type_name("NAME OPERATION [ARG...] [KEY=VALUE...]");
    command->add_option("--timeout", arguments->timeout, "Longest time for the whole call; default: the connection's own time-outs")
        ->type_name("TIME");
    command->add_flag("-v,--verbose", arguments->verbose,
                      "Show on standard error what is said: over HTTP, lines of FTP, POP3, SMTP, TELNET, frames of AMQP; secrets masked");
    command->footer(
        "'qconn call NAME operations' lists the operations with their arguments, also those that only this connection has. An argument is\n"
        "KEY=VALUE only where the operation declares KEY or takes any; after '--' nothing is, so names that hold a '=' stand there. Arguments of "
        "type "
        "any, hash and list are read as JSON; an 'any' that is no JSON is a string; of type data @FILE is what the file holds, @- standard input. A "
        "result that tells of a failure (a command's status, files that were not carried) is printed, and the exit code is 1.\n\n"
        "SIGINT and SIGTERM end the call; one that moves files is cancelled and tidies up first, unless a second signal comes. Exit codes 130 and "
        "143.\n\n"
        "Examples:\n"
        "  qconn call shop-api get orders/17\n"
        "  qconn call shop-api post orders '{\"sku\": \"A-1\", \"count\": 2}' --timeout 5s\n"
        "  qconn call inbox list\n"
        "  qconn call shop-api get orders/17 --verbose\n"
        "  qconn call shop-api operations\n"
        "  qconn call billing add 1 2\n"
        "  qconn call inbox write note.txt -- a=b\n"
        "  qconn call edi-host run 'sort -u' input=@names.txt");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return call(tool, *arguments); }; });
}

}  // namespace qconn::cli
