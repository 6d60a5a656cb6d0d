// SPDX-License-Identifier: Apache-2.0
/// `qconn secrets extract`: literal secrets become references.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>

#include "cli/extract_target.hpp"
#include "cli/in_file.hpp"
#include "cli/present.hpp"
#include "cli/secrets.hpp"

namespace qconn::cli {
namespace {

namespace fs = std::filesystem;

struct ExtractArguments {
    std::vector<std::string> names;
    bool all{false};
    std::string to;
    bool dry_run{false};
};

/// A file of definitions with its new text.
struct Changed {
    std::string path;
    std::unique_ptr<DefinitionFile> file;
    std::string before;
    std::string text;
};

/// Both definitions with only those options in which they differ: what does not change may hold secrets that this machine does not have.
void require_same(const Tool& tool, const Target& target, const Definition& before, const Definition& after) {
    Catalogue catalogue = tool.catalogue;
    target.make_known(catalogue);
    Definition a = target.in_use(before, catalogue);
    Definition b = target.in_use(after, catalogue);
    const Map options = a.options;
    for (const auto& [name, value] : options) {
        const Value* other = b.options.find(name);
        if (!other || !(*other == value)) continue;
        a.options.erase(name);
        b.options.erase(name);
    }
    Diagnostics findings;  // of options that miss those that were left out
    catalogue.check(a, findings);
    catalogue.check(b, findings);
    const ResolvedDefinition x = catalogue.resolve(a);
    const ResolvedDefinition y = catalogue.resolve(b);
    if (x.url == y.url && x.options == y.options) return;
    throw Error{Errc::invalid_argument, "EDIT-ERROR",
                "nothing was changed: with its secrets elsewhere the connection \"" + before.name + "\" would not be what it is"}
        .with_connection(before.name);
}

int extract(Tool& tool, const ExtractArguments& arguments) {
    const auto given = positional(tool, arguments.names);
    if (given.empty() != arguments.all) throw UsageError("name connections, or say --all");
    if (arguments.to.empty()) throw UsageError("--to says where secrets go: env:FILE, file:DIR or overlay[:FILE]");
    const auto target = make_target(arguments.to, tool.secrets_file);
    if (arguments.to == "overlay" && !fs::exists(tool.secrets_file)) tool.secrets_file.clear();  // it is about to be made
    const Loaded loaded = load(tool, false);
    for (const std::string& name : given) require_connection(*loaded.registry, name);

    std::vector<Changed> files;
    std::vector<Moved> moved;
    List left;
    std::vector<std::pair<Definition, Definition>> pairs;
    for (const std::string& name : arguments.all ? loaded.registry->names() : given) {
        if (arguments.all && is_legacy(loaded.registry->info(name).file)) {
            const Definition legacy = loaded.registry->definition(name);
            if (!literal_secrets(legacy, tool.catalogue.find(legacy.scheme())).empty())
                left.push_back(Map{{"connection", name}, {"where", ""}, {"why", "its file is of the legacy form"}});
            continue;
        }
        InFile found = find_in_file(*loaded.registry, name);
        const Scheme* const scheme = tool.catalogue.find(found.definition.scheme());
        const ParsedDefinitions parsed = parse_definitions(found.file->text(), found.path);
        Definition after = found.definition;
        std::size_t count = 0;
        for (LiteralSecret& secret : literal_secrets(found.definition, scheme, &parsed)) {
            const bool is_known =
                scheme && (secret.where[0] == "url" || std::any_of(scheme->options.begin(), scheme->options.end(), [&](const OptionSpec& one) {
                               return one.name == secret.where[1] ||
                                      std::find(one.aliases.begin(), one.aliases.end(), secret.where[1]) != one.aliases.end();
                           }));
            if (!secret.fixed.empty() || !is_known) {
                left.push_back(
                    Map{{"connection", name}, {"where", where_text(secret.where)}, {"why", is_known ? secret.fixed : "the option is not known"}});
                continue;
            }
            Moved one{name, where_text({secret.where.begin() + (secret.where[0] == "options" ? 1 : 0), secret.where.end()}), {}, {}, secret.value};
            if (const std::string why = target->take(one, after, secret, scheme); !why.empty()) {
                left.push_back(Map{{"connection", name}, {"where", where_text(secret.where)}, {"why", why}});
                continue;
            }
            moved.push_back(std::move(one));
            ++count;
        }
        if (count == 0) continue;
        require_unlocked(*loaded.registry, name, "changed");
        auto file = std::find_if(files.begin(), files.end(), [&](const Changed& one) { return real_path(one.path) == real_path(found.path); });
        if (file == files.end()) {
            std::string text = found.file->text();
            files.push_back({found.path, std::move(found.file), text, text});
            file = files.end() - 1;
        }
        file->text = edit_definition(file->text, name, after);
        pairs.emplace_back(std::move(found.definition), std::move(after));
    }

    if (!arguments.dry_run && !moved.empty()) {
        target->write(moved);
        for (const auto& [before, after] : pairs) require_same(tool, *target, before, after);
        std::size_t done = 0;
        try {
            for (; done < files.size(); ++done) files[done].file->replace(files[done].text);
        } catch (...) {
            while (done-- > 0) files[done].file->replace(files[done].before);  // all or nothing
            throw;
        }
        target->keep();
    }

    List list;
    for (const Moved& one : moved) list.push_back(Map{{"connection", one.connection}, {"where", one.where}, {"reference", one.reference}});
    const auto tell = [&](Output& out) {
        for (const Changed& one : files)
            if (arguments.dry_run) out.text(masked_diff(tool, one.path, one.before, one.text));
        for (const Moved& one : moved) out.line(printable(one.connection) + "  " + printable(one.where) + "  " + printable(one.reference));
        for (const Value& one : left)
            out.line(printable(one["connection"].as_string()) + "  " + printable(one["where"].as_string()) +
                     "  stays: " + std::string{one["why"].as_string()});
        out.line(counted(moved.size(), "secret") + (arguments.dry_run ? " would be moved" : " moved") + (moved.empty() ? "" : target->told()));
    };
    present(tool.out, tool.format,
            {.document = Map{{"moved", std::move(list)}, {"left", left}, {"dry_run", arguments.dry_run}},
             .columns = {{"connection"}, {"where"}, {"reference"}},
             .rows = "moved",
             .text = tell});
    for (Changed& one : files) {
        wipe(one.before);
        wipe(one.text);
    }
    return left.empty() ? k_ok : k_failed;
}

}  // namespace

void add_extract(CLI::App& secrets, Tool& tool) {
    auto* command = secrets.add_subcommand("extract", "Move literal secrets into files, environment lines or a private file of secrets");
    auto arguments = std::make_shared<ExtractArguments>();
    command->add_option("name", arguments->names, "Connections")->type_name("NAME");
    command->add_flag("--all", arguments->all, "All connections");
    command
        ->add_option("--to", arguments->to,
                     "A new file of NAME=VALUE lines, a directory for a file each, or entries of a private file (default: that of\n"
                     "--secrets); all of mode 0600")
        ->type_name("env:FILE|file:DIR|overlay[:FILE]");
    command->add_flag("--dry-run", arguments->dry_run, "Show what would be done, secrets masked, and write nothing");
    command->footer(
        "Before definitions are written it is tried out that they resolve to what they did. All of it is done or nothing. Exit code 1 where secrets\n"
        "are left that no reference can stand for. The file of --to env:FILE is for the environment of those who use the definitions, that of\n"
        "--to overlay for their --secrets: the definitions then say nothing of these secrets, and are complete with that file.\n\n"
        "Examples:\n"
        "  qconn secrets extract shop-api --to file:/etc/qconn/secrets\n"
        "  qconn secrets extract --all --to env:qconn.env --dry-run\n"
        "  qconn secrets extract --all --to overlay:secrets.yaml");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return extract(tool, *arguments); }; });
}

}  // namespace qconn::cli
