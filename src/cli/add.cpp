// SPDX-License-Identifier: Apache-2.0
/// `qconn add` and `qconn remove`: connections that come into files and leave them.
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/registry_error.hpp>

#include "cli/changes.hpp"
#include "cli/import_files.hpp"
#include "cli/in_file.hpp"
#include "cli/present.hpp"
#include "cli/prompt.hpp"

namespace qconn::cli {
namespace {

struct AddArguments {
    std::vector<std::string> words;
    std::string description;
    std::string file;
    bool dry_run{false};
};

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}
bool is_there(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

/// What --dir names, which need not hold anything yet.
std::unique_ptr<Registry> read_what_is_there(Tool& tool) {
    auto registry = make_registry(tool);
    try {
        require_readable(tool, registry->load(tool.directories).diagnostics);
    } catch (const Error& error) {
        if (error.name() == "LOAD-ERROR" && error.reason() == Reason::not_found) throw NotFound(error.what());
        throw;
    }
    return registry;
}

/// A file of its own in the first directory.
std::string own_file(const Tool& tool, const std::string& name) {
    const std::string& first = tool.directories.front();
    if (!is_directory(first)) throw UsageError("\"" + printable(first) + "\" is a file; --file says where the connection is to be");
    std::string path = first + (first.ends_with('/') ? "" : "/") + definition_file_name(name);
    if (is_there(path)) throw UsageError("\"" + printable(path) + "\" is there already; --file appends to it");
    return path;
}

int add(Tool& tool, const AddArguments& arguments) {
    const auto words = positional(tool, arguments.words);
    if (words.size() < 2) throw UsageError("name and URL of the connection are needed: qconn add NAME URL [KEY=VALUE...]");
    const auto registry = read_what_is_there(tool);
    Definition definition;
    definition.name = words[0];
    if (definition.name.empty()) throw UsageError("the name is empty");
    if (registry->contains(definition.name))
        throw Error{RegistryErrc::exists, "CONNECTION-ERROR",
                    "there is a connection \"" + definition.name + "\" already, in " + registry->info(definition.name).file}
            .with_connection(definition.name);

    Changes changes{definition, tool.catalogue};
    changes.set("url", words[1]);
    for (std::size_t i = 2; i < words.size(); ++i) {
        const auto [key, value] = key_and_value(words[i]);
        changes.set(key, value);
    }
    if (!arguments.description.empty()) definition.description = arguments.description;
    changes.warn_of_shown_secrets();

    if (is_legacy(arguments.file)) throw UsageError("--file names a file of the legacy form; name one that ends in .qconn.yaml");
    const bool append = !arguments.file.empty() && is_there(arguments.file);
    const std::string path = arguments.file.empty() ? own_file(tool, definition.name) : arguments.file;
    std::unique_ptr<DefinitionFile> file;
    if (append) file = std::make_unique<DefinitionFile>(path);
    const std::string before = file ? file->text() : std::string{};
    std::string text = add_definition(before, definition);
    if (const Diagnostics errors = new_errors(tool, path, before, text, definition.name); !errors.empty()) return refuse(tool, errors);
    const std::string diff = arguments.dry_run ? masked_diff(tool, path, before, text) : std::string{};
    if (!arguments.dry_run) {
        if (file)
            file->replace(text);
        else  // what holds a secret is nobody else's
            create_file(path, text, literal_secrets(definition, tool.catalogue.find(definition.scheme())).empty() ? 0644 : 0600);
    }
    wipe(text);

    Map result{{"name", definition.name}, {"file", path}, {"dry_run", arguments.dry_run}};
    if (arguments.dry_run) result.set("diff", diff);
    present(tool.out, tool.format, {.document = result, .text = [&](Output& out) {
                                        if (arguments.dry_run)
                                            out.text(diff);
                                        else
                                            out.line(printable(definition.name) + "  added to " + printable(path));
                                    }});
    return k_ok;
}

int remove(Tool& tool, const std::vector<std::string>& given, bool yes, bool dry_run) {
    const std::string name = single_name(tool, given, "connection");
    const Loaded loaded = load(tool, false);
    require_connection(*loaded.registry, name);
    require_unlocked(*loaded.registry, name, "removed");
    const InFile found = find_in_file(*loaded.registry, name);
    std::string text = remove_definition(found.file->text(), name);
    const bool last = parse_definitions(text, found.path).definitions.empty();
    const std::string diff = dry_run ? masked_diff(tool, found.path, found.file->text(), last ? std::string_view{} : text) : std::string{};
    if (!dry_run && !yes && at_terminal() &&
        !confirm("Remove " + printable(name) + (last ? " and the file " : " from the file ") + printable(found.path) + "?"))
        throw UsageError("broken off; nothing was changed");
    if (!dry_run && last)
        found.file->remove();
    else if (!dry_run)
        found.file->replace(text);
    wipe(text);

    Map result{{"name", name}, {"file", found.path}, {"file_removed", last && !dry_run}, {"dry_run", dry_run}};
    if (dry_run) result.set("diff", diff);
    present(tool.out, tool.format, {.document = result, .text = [&](Output& out) {
                                        if (dry_run)
                                            out.text(diff);
                                        else
                                            out.line(printable(name) + (last ? "  removed with " : "  removed from ") + printable(found.path));
                                    }});
    return k_ok;
}

}  // namespace

void add_add(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("add", "Add a connection: a file of its own in the first --dir, or one more document of a file");
    auto arguments = std::make_shared<AddArguments>();
    command->add_option("name", arguments->words, "Name, URL and further keys, as those of 'qconn set'")->type_name("NAME URL [KEY=VALUE...]");
    command->add_option("--desc", arguments->description, "A word to those who operate it")->type_name("TEXT");
    command->add_option("--file", arguments->file, "File that it is appended to, or that is made for it; default: NAME.qconn.yaml in the first --dir")
        ->type_name("FILE");
    command->add_flag("--dry-run", arguments->dry_run, "Show what would be written, secrets masked");
    command->footer(
        "The definition is checked before anything is written. A new file with a literal secret has mode 0600.\n\n"
        "Examples:\n"
        "  qconn add shop-api rests://api@shop.example/v2 username=api 'password=${env:SHOP_PASSWORD}' --desc 'Orders of the shop'\n"
        "  qconn add inbox file:///srv/inbox --file local.qconn.yaml");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return add(tool, *arguments); }; });
}

void add_remove(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("remove", "Take a connection out of its file; the file goes where it held nothing else");
    auto names = std::make_shared<std::vector<std::string>>();
    auto yes = std::make_shared<bool>(false);
    command->add_option("name", *names, "The connection")->type_name("NAME");
    command->add_flag("--yes", *yes, "Do not ask; without a terminal nobody is asked");
    auto dry_run = std::make_shared<bool>(false);
    command->add_flag("--dry-run", *dry_run, "Show what would go as a diff, secrets masked, and write nothing");
    command->footer("Examples:\n  qconn remove shop-api --dry-run\n  qconn remove shop-api --yes");
    command->callback([&tool, names, yes, dry_run] { tool.run = [&tool, names, yes, dry_run] { return remove(tool, *names, *yes, *dry_run); }; });
}

}  // namespace qconn::cli
