// SPDX-License-Identifier: Apache-2.0
/// `qconn completion`, and `qconn __complete`, which the scripts that it prints ask for candidates.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "cli/completion.hpp"
#include "cli/completion_scripts.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

std::vector<Candidate> connections(Tool& tool) {
    std::vector<Candidate> all;
    for (const ConnectionInfo& info : read_definitions(tool).registry->infos()) all.push_back({info.name, info.description});
    return all;
}

std::vector<Candidate> schemes(const Tool& tool) {
    std::vector<Candidate> all;
    for (const Scheme* scheme : tool.catalogue.schemes())
        for (const std::string& name : scheme->names) all.push_back({name, scheme->title});
    return all;
}

std::vector<Candidate> operations(Tool& tool, const std::string& connection) {
    std::vector<Candidate> all;
    const Loaded loaded = read_definitions(tool);
    if (!loaded.registry->contains(connection)) return all;
    if (const Scheme* scheme = tool.catalogue.find(loaded.registry->info(connection).scheme))
        for (const OperationSpec& one : scheme->operations) all.push_back({one.name, one.help});
    return all;
}

/// Of the line that bash hands over the words after the program's name; variables that are set for it may stand before that.
std::vector<std::string> words_of_line(const std::string& line) {
    const char* home = std::getenv("HOME");
    auto words = shell_words(line, home != nullptr ? home : "");
    const auto program = std::find_if(words.begin(), words.end() - 1, [](const std::string& word) { return word.find('=') == std::string::npos; });
    words.erase(words.begin(), program == words.end() - 1 ? program : program + 1);
    return words;
}

void write(Output& out, const Completions& found, std::size_t cut) {
    out.line(found.files ? "files" : "words");
    for (const Candidate& one : found.words) {
        if (one.word.find_first_of("\t\n") != std::string::npos) continue;
        out.line(one.word.substr(std::min(cut, one.word.size())) + '\t' + printable(one.help));
    }
}

/// Never fails and never says why there is nothing: a shell is in the middle of a line.
int answer(Tool& tool, const std::string& shell) {
    std::vector<std::string> words = tool.literals;
    std::size_t cut = 0;
    if (shell == "bash" && words.size() == 2) {
        const std::string typed = words[1];
        words = words_of_line(words[0]);
        // Bash has words of its own, which end at '=' and ':': candidates begin where the one that it replaces does.
        if (words.back().ends_with(typed)) cut = words.back().size() - typed.size();
    }
    if (words.empty()) words.emplace_back();
    const std::string last = words.back();
    words.pop_back();
    if (auto directories = values_given(words, "--dir"); !directories.empty()) tool.directories = std::move(directories);
    if (auto states = values_given(words, "--state"); !states.empty()) tool.state = states.back();
    if (auto secrets = values_given(words, "--secrets"); !secrets.empty()) tool.secrets_file = secrets.back();
    const Words sources{[&] { return connections(tool); }, [&] { return schemes(tool); },
                        [&](const std::string& connection) { return operations(tool, connection); }};
    try {
        if (auto files = values_given(words, "--settings"); !files.empty()) tool.settings_file = files.back();
        tool.modules = values_given(words, "--module");
        read_settings(tool);
        write(tool.out, complete(*tool.app, words, last, sources), cut);
    } catch (const std::exception&) { tool.out.line("words"); }
    return k_ok;
}

int completion(Tool& tool, const std::vector<std::string>& given) {
    const std::string shell = single_name(tool, given, "shell");
    std::vector<std::string> known;
    for (const CompletionScript& one : completion_scripts()) {
        known.emplace_back(one.shell);
        if (one.shell != shell) continue;
        tool.out.text(one.text);
        return k_ok;
    }
    throw UsageError("there is no completion for the shell '" + printable(shell) + "'" + suggestion(shell, known));
}

}  // namespace

void add_completion(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("completion", "Print what a shell loads to complete commands, options, connections and schemes");
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("shell", *names, "Shell")->type_name("bash|zsh|fish");
    command->footer(
        "Names of connections come from the definitions that the line names with --dir, otherwise from the current directory.\n\n"
        "Examples:\n"
        "  source <(qconn completion bash)\n"
        "  qconn completion zsh > ~/.zsh/functions/_qconn\n"
        "  qconn completion fish > ~/.config/fish/completions/qconn.fish");
    command->callback([&tool, names] { tool.run = [&tool, names] { return completion(tool, *names); }; });
}

void add_complete(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("__complete", "What may come next on a command line")->group("");
    auto shell = std::make_shared<std::string>();
    command->add_option("shell", *shell, "Shell");
    command->callback([&tool, shell] {
        tool.settings_at_start = false;
        tool.run = [&tool, shell] { return answer(tool, *shell); };
    });
}

}  // namespace qconn::cli
