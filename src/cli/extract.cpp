// SPDX-License-Identifier: Apache-2.0
/// `qconn secrets extract`: literal secrets become references.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>

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

/// What one secret becomes.
struct Moved {
    std::string connection;
    std::string where;
    std::string reference;
    /// Of a variable, or of a file.
    std::string name;
    Secret value;
};

/// A file of definitions with its new text.
struct Changed {
    std::string path;
    std::unique_ptr<DefinitionFile> file;
    std::string before;
    std::string text;
};

std::string identifier(std::string_view text, bool upper) {
    std::string out;
    for (const char c : text) {
        const bool lower = c >= 'a' && c <= 'z';
        const bool fits = lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (upper)
            out += !fits ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
        else
            out += fits || c == '-' || c == '.' ? c : '_';
    }
    if (out.empty() || (upper && out.front() >= '0' && out.front() <= '9') || out.front() == '.') out.insert(0, "_");
    return out;
}

/// Where secrets go: lines of one file for the environment, or a file each.
class Target {
public:
    explicit Target(const std::string& to) {
        const auto colon = to.find(':');
        const std::string kind = to.substr(0, colon);
        if (colon == std::string::npos || colon + 1 == to.size() || (kind != "env" && kind != "file"))
            throw UsageError("--to is env:FILE or file:DIR, not '" + printable(to) + "'");
        is_env_ = kind == "env";
        place_ = to.substr(colon + 1);
        if (is_env_) {
            struct stat status {};
            if (::lstat(place_.c_str(), &status) == 0) throw UsageError("\"" + printable(place_) + "\" is there already; name a new file");
        } else {
            std::error_code error;
            if (!fs::is_directory(place_, error)) throw NotFound("there is no directory \"" + printable(place_) + "\" for the files");
            place_ = real_path(place_);
            if (place_.find_first_of("{}") != std::string::npos) throw UsageError("a directory with braces in its name cannot be referred to");
        }
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    ~Target() {
        if (!kept_)
            for (const std::string& path : made_) ::unlink(path.c_str());
        if (is_env_)
            for (const auto& [name, n] : names_) ::unsetenv(name.c_str());
    }

    void name(Moved& secret) {
        std::string base = identifier(secret.connection + (is_env_ ? "_" : ".") + secret.where, is_env_);
        const int number = names_[base]++;
        if (number > 0) names_[base += (is_env_ ? "_" : ".") + std::to_string(number + 1)]++;
        secret.name = base;
        secret.reference = is_env_ ? "${env:" + base + "}" : "${file:" + place_ + "/" + base + "}";
        if (is_env_ && secret.value.reveal().find_first_of(std::string_view{"\n\r\0", 3}) != std::string_view::npos)
            throw UsageError(secret.where + " of " + printable(secret.connection) +
                             " has more than one line, which no NAME=VALUE can hold; use --to file:DIR");
        if (is_env_ && std::getenv(base.c_str()))
            throw UsageError("the environment has a variable " + base + " already, so it cannot be tried out; unset it for this run");
    }

    /// Makes the files; sets the variables for this process, so that the references can be tried out.
    void write(const std::vector<Moved>& secrets) {
        std::string lines;
        for (const Moved& one : secrets) {
            std::string text{one.value.reveal()};
            if (is_env_) {
                ::setenv(one.name.c_str(), text.c_str(), 1);
                lines.append(one.name).append("=").append(text).append("\n");
            } else {
                make(place_ + "/" + one.name, text += '\n');
            }
            wipe(text);
        }
        if (is_env_) make(place_, lines);
        wipe(lines);
    }
    void keep() noexcept { kept_ = true; }
    /// Behind "moved".
    std::string told() const { return " to " + printable(place_) + (is_env_ ? "; its variables have to be set where the connections are used" : ""); }

private:
    void make(const std::string& path, std::string_view text) {
        create_file(path, text, 0600);
        made_.push_back(path);
    }

    bool is_env_{false};
    std::string place_;
    std::map<std::string, int> names_;
    std::vector<std::string> made_;
    bool kept_{false};
};

/// Both definitions with only those options in which they differ: what does not change may hold secrets that this machine does not have.
void require_same(const Tool& tool, const Definition& before, const Definition& after) {
    Definition a = before;
    Definition b = after;
    for (const auto& [name, value] : before.options) {
        const Value* other = after.options.find(name);
        if (!other || !(*other == value)) continue;
        a.options.erase(name);
        b.options.erase(name);
    }
    Diagnostics findings;  // of options that miss those that were left out
    tool.catalogue.check(a, findings);
    tool.catalogue.check(b, findings);
    const ResolvedDefinition x = tool.catalogue.resolve(a);
    const ResolvedDefinition y = tool.catalogue.resolve(b);
    if (x.url == y.url && x.options == y.options) return;
    throw Error{Errc::invalid_argument, "EDIT-ERROR",
                "nothing was changed: with references in the place of its secrets the connection \"" + before.name + "\" would not be what it is"}
        .with_connection(before.name);
}

int extract(Tool& tool, const ExtractArguments& arguments) {
    const auto given = positional(tool, arguments.names);
    if (given.empty() != arguments.all) throw UsageError("name connections, or say --all");
    if (arguments.to.empty()) throw UsageError("--to says where secrets go: env:FILE or file:DIR");
    Target target{arguments.to};
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
            target.name(one);
            replace_secret(after, secret, one.reference, scheme);
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
        target.write(moved);
        for (const auto& [before, after] : pairs) require_same(tool, before, after);
        std::size_t done = 0;
        try {
            for (; done < files.size(); ++done) files[done].file->replace(files[done].text);
        } catch (...) {
            while (done-- > 0) files[done].file->replace(files[done].before);  // all or nothing
            throw;
        }
        target.keep();
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
        out.line(counted(moved.size(), "secret") + (arguments.dry_run ? " would be moved" : " moved") + (moved.empty() ? "" : target.told()));
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
    auto* command = secrets.add_subcommand("extract", "Move literal secrets into files or environment lines, and refer to them instead");
    auto arguments = std::make_shared<ExtractArguments>();
    command->add_option("name", arguments->names, "Connections")->type_name("NAME");
    command->add_flag("--all", arguments->all, "All connections");
    command->add_option("--to", arguments->to, "A new file of NAME=VALUE lines, or a directory for a file each; both of mode 0600")
        ->type_name("env:FILE|file:DIR");
    command->add_flag("--dry-run", arguments->dry_run, "Show what would be done, secrets masked, and write nothing");
    command->footer(
        "Before definitions are written it is tried out that they resolve to what they did. All of it is done or nothing. Exit code 1 where secrets\n"
        "are left that no reference can stand for. The file of --to env:FILE is for the environment of those who use the definitions.\n\n"
        "Examples:\n"
        "  qconn secrets extract shop-api --to file:/etc/qconn/secrets\n"
        "  qconn secrets extract --all --to env:qconn.env --dry-run");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return extract(tool, *arguments); }; });
}

}  // namespace qconn::cli
