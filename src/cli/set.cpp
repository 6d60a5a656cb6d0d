// SPDX-License-Identifier: Apache-2.0
/// `qconn set`: changes of a definition in its file.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/secret_overlay.hpp>

#include "cli/changes.hpp"
#include "cli/in_file.hpp"
#include "cli/present.hpp"
#include "cli/prompt.hpp"

namespace qconn::cli {
namespace {

struct SetArguments {
    std::vector<std::string> words;
    std::vector<std::string> unset;
    std::vector<std::string> remove;
    bool dry_run{false};
    bool keep_secret{false};
    bool password_stdin{false};
};

using Assignments = std::vector<std::pair<std::string, std::string>>;

Assignments assignments(const std::vector<std::string>& words) {
    Assignments out;
    for (auto word = words.begin() + 1; word != words.end(); ++word) out.push_back(key_and_value(*word));
    // The URL decides which options there are, and what its parts are parts of.
    std::stable_partition(out.begin(), out.end(), [](const auto& one) { return one.first == "url"; });
    return out;
}

/// Scheme, host and port, the default one too; all of a text that cannot be taken apart.
std::string end_of(const std::string& text, const Scheme* scheme) {
    const auto url = Url::try_parse(text);
    if (!url) return text;
    std::uint16_t port = url->port.value_or(0);
    if (port == 0 && scheme)
        if (const auto usual = scheme->default_ports.find(url->scheme); usual != scheme->default_ports.end()) port = usual->second;
    return (url->scheme.empty() ? "" : url->scheme + "://") + url->host + (port == 0 ? "" : ":" + std::to_string(port));
}

/// A secret that would go to another remote end than it was given for.
struct Carried {
    std::string key;  // as `set` takes it
    bool is_reference;
    bool is_local{false};  // from the private file, which `set` does not write
};

bool holds_text(const Value& value) { return (value.is_string() && !value.as_string().empty()) || value.is_number(); }

/// By its name or an alias; null where there is none.
const OptionSpec* spec_named(const Scheme* scheme, const std::string& name) {
    if (scheme == nullptr) return nullptr;
    const auto found = std::find_if(scheme->options.begin(), scheme->options.end(), [&](const OptionSpec& one) {
        return one.name == name || std::find(one.aliases.begin(), one.aliases.end(), name) != one.aliases.end();
    });
    return found == scheme->options.end() ? nullptr : &*found;
}

/// The proxy that it goes through; empty: none that it names.
std::string proxy_of(const Definition& definition, const Scheme* scheme) {
    for (const auto& [name, value] : definition.options) {
        const OptionSpec* const spec = spec_named(scheme, name);
        if (spec && spec->name == "proxy" && value.is_string() && !value.as_string().empty()) return end_of(std::string{value.as_string()}, nullptr);
    }
    return {};
}

/// @param local  what a private file gives besides, as ConnectionInfo::local_secrets
std::vector<Carried> carried_secrets(const Definition& definition, const Changes& changes, const Scheme* scheme, const Map& local) {
    std::vector<Carried> out;
    const auto add = [&](const std::string& touched, const std::string& key, const Value& value) {
        if (!holds_text(value) || changes.has_touched(touched)) return;
        if (std::any_of(out.begin(), out.end(), [&](const Carried& one) { return one.key == key; })) return;
        out.push_back({key, value.is_string() && value.as_string().find("${") != std::string_view::npos});
    };
    if (const auto url = Url::try_parse(definition.url); url && url->password && !url->password->empty())
        add("url.password", "url.password", Value{url->password->reveal()});
    for (const auto& [name, value] : definition.options) {
        const OptionSpec* spec = spec_named(scheme, name);
        if (changes.has_touched(name)) continue;
        if (value.is_map()) {
            for (const auto& [member, inner] : value.as_map())
                if (inner.is_string() && inner.as_string().find("${") != std::string_view::npos) add(name + "." + member, name + "." + member, inner);
        } else if (spec && spec->sensitive) {
            add(name, name, value);
        } else if (value.is_string() && spec && spec->type == OptionType::map && value.as_string().find("${") != std::string_view::npos) {
            add(name, name, value);
        }
    }
    for (const auto& [key, where] : local)
        if (!key.starts_with("proxy.") && !changes.has_touched(key)) out.push_back({key, true, true});
    for (const LiteralSecret& secret : literal_secrets(definition, scheme)) {
        if (secret.where[0] == "url") {
            if (secret.where[1] != "password" && !changes.has_touched("url")) out.push_back({"url", false});
            continue;
        }
        if (changes.has_touched(secret.where[1])) continue;
        // Passwords of proxies go to the proxy, wherever the connection leads.
        const bool is_url_part = definition.options.find(secret.where[1])->is_string() && secret.where.size() > 2;
        if (is_url_part) continue;
        add(secret.where[1] + (secret.where.size() > 2 ? "." + secret.where[2] : ""),
            secret.where[1] + (secret.where.size() > 2 ? "." + secret.where[2] : ""), Value{"x"});
    }
    return out;
}

/// What was given for one remote end is not sent to another one, or through another proxy, by a change of the address alone.
void guard_secrets(const SetArguments& arguments, const Definition& before, const Definition& after, Changes& changes, const Catalogue& catalogue,
                   const Map& local) {
    const Scheme* const former = catalogue.find(before.scheme());
    const Scheme* const scheme = catalogue.find(after.scheme());
    const std::string from = end_of(before.url, former);
    const std::string to = end_of(after.url, scheme);
    const std::string proxy = proxy_of(after, scheme);
    const bool proxied = !proxy.empty() && proxy != proxy_of(before, former);
    if ((from == to && !proxied) || arguments.keep_secret) return;
    auto carried = carried_secrets(after, changes, scheme, local);
    if (carried.empty()) return;
    const std::string move = from == to ? "the connection goes through the proxy " + printable(mask_url(proxy)) + " now"
                                        : "the connection goes from " + printable(mask_url(from)) + " to " + printable(mask_url(to));
    std::string keys;
    for (const Carried& one : carried) keys += (keys.empty() ? "" : ", ") + one.key;
    if (arguments.password_stdin && carried.size() == 1 && !carried.front().is_local) return changes.set(carried.front().key, "-");
    if (arguments.password_stdin || !at_terminal())
        throw Error{Errc::invalid_argument, "SECRET-WOULD-MOVE",
                    "nothing was written: " + move + ", and what it holds as " + printable(keys) + " would be sent there; " +
                        (carried.front().is_local ? "change it in " + printable(local.at(carried.front().key).as_string()) + " and"
                                                  : "give it anew (" + printable(carried.front().key) + "=- or --password-stdin reads it), or") +
                        " say --keep-secret"}
            .with_reason(Reason::bad_value)
            .with_connection(after.name);
    std::fprintf(stderr, "%s.\n", move.c_str());
    for (const Carried& one : carried) {
        if (!one.is_reference && one.key != "url") {
            changes.set(one.key, "-");
        } else if (!confirm("Is what it refers to as " + printable(one.key) + " to be sent there?")) {
            throw UsageError("broken off; nothing was changed");
        }
    }
}

/// Says which entries of the private file do not count beside what the definition says itself.
void tell_unused(const Tool& tool, Definition definition) {
    const auto overlay = read_overlay(tool);
    if (!overlay) return;
    Diagnostics findings;
    overlay->complete(definition, tool.catalogue.find(definition.scheme()), findings);
    for (const Diagnostic& one : findings)
        if (one.code == "secrets-unused") std::fprintf(stderr, "qconn: note: %s\n", printable(summary(one)).c_str());
}

int set(Tool& tool, const SetArguments& arguments) {
    const auto words = positional(tool, arguments.words);
    if (words.empty()) throw UsageError("the name of a connection is missing");
    const Assignments given = assignments(words);
    if (given.empty() && arguments.unset.empty() && arguments.remove.empty())
        throw UsageError("there is nothing to set: KEY=VALUE, --unset or --remove");
    const std::string& name = words.front();
    const Loaded loaded = load(tool, false);
    require_connection(*loaded.registry, name);
    const bool unlocks = given.size() == 1 && given.front() == std::pair<std::string, std::string>{"locked", "false"};
    if (!unlocks) require_unlocked(*loaded.registry, name, "changed");

    const InFile found = find_in_file(*loaded.registry, name);
    Definition definition = found.definition;
    Changes changes{definition, tool.catalogue};
    for (const auto& [key, value] : given) changes.set(key, value);
    for (const std::string& key : arguments.unset) changes.unset(key);
    for (const std::string& key : arguments.remove) changes.remove(key);
    changes.warn_of_shown_secrets();
    guard_secrets(arguments, found.definition, definition, changes, tool.catalogue, loaded.registry->info(name).local_secrets);

    std::string text = edit_definition(found.file->text(), name, definition);
    if (const Diagnostics errors = new_errors(tool, found.path, found.file->text(), text, name); !errors.empty()) return refuse(tool, errors);
    const bool changed = text != found.file->text();
    const std::string diff = arguments.dry_run ? masked_diff(tool, found.path, found.file->text(), text) : std::string{};
    if (changed && !arguments.dry_run) found.file->replace(text);
    wipe(text);
    tell_unused(tool, std::move(definition));

    Map result{{"name", name}, {"file", found.path}, {"changed", changed}, {"dry_run", arguments.dry_run}};
    if (arguments.dry_run) result.set("diff", diff);
    present(tool.out, tool.format, {.document = result, .text = [&](Output& out) {
                                        if (arguments.dry_run)
                                            out.text(diff);
                                        else
                                            out.line(printable(name) + (changed ? "  changed in " : "  is so already in ") + printable(found.path));
                                    }});
    return k_ok;
}

}  // namespace

void add_set(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("set", "Change a definition in its file: only the lines that must change");
    auto arguments = std::make_shared<SetArguments>();
    command->add_option("name", arguments->words, "The connection, then what is to be set")->type_name("NAME KEY=VALUE...");
    const auto keys = [&](const char* option, std::vector<std::string>& into, const char* help) {
        command->add_option(option, into, help)
            ->type_name("KEY")
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    keys("--unset", arguments->unset, "Unset an option (null): no default comes in its place; another key goes; may be given several times");
    keys("--remove", arguments->remove, "Take a key out: the default of the option counts again; may be given several times");
    command->add_flag("--dry-run", arguments->dry_run, "Show the change as a diff, secrets masked, and write nothing");
    command->add_flag("--keep-secret", arguments->keep_secret, "Let a connection that gets another host, port, scheme or proxy keep its secrets");
    command->add_flag("--password-stdin", arguments->password_stdin,
                      "Read the one secret of a connection that gets another host, port, scheme or proxy from standard input");
    command->footer(
        "KEY is url, desc, display_name, short_desc, enabled, monitor, locked, debug_data, tags.NAME, an option, OPTION.MEMBER of a map, or a part "
        "of\n"
        "the URL: scheme, host, port, user, password, path (url.host where an option has that name). `password=-` asks for a secret, or reads it "
        "from\n"
        "standard input. All of it is checked first; it is written as a whole or not at all.\n\n"
        "Examples:\n"
        "  qconn set shop-api timeout=20000 desc='Orders of the shop'\n"
        "  qconn set shop-api port=8443 --dry-run\n"
        "  qconn set shop-api host=shop.example password=- < password.txt\n"
        "  qconn set shop-api password='${env:SHOP_PASSWORD}' --remove proxy");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return set(tool, *arguments); }; });
}

}  // namespace qconn::cli
