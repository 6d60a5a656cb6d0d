// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace qconn::cli {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

/// The name of an option as it is typed: the long one where there is one.
std::string typed_name(const CLI::Option& option) {
    if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
    return option.get_snames().empty() ? std::string{} : "-" + option.get_snames().front();
}

/// What the words before the cursor come to.
class Line {
public:
    Line(const CLI::App& app, const std::vector<std::string>& before) : app_{app} {
        for (const std::string& word : before) take(word);
    }

    const CLI::App* command() const noexcept { return command_; }
    bool only_arguments() const noexcept { return literal_; }
    const std::vector<std::string>& arguments() const noexcept { return arguments_; }
    /// The option whose value comes next; null: none.
    const CLI::Option* open() const noexcept { return open_; }

    const CLI::Option* option(const std::string& name) const {
        for (const CLI::App* one : {command_, &app_}) {
            if (one == nullptr) continue;
            for (const CLI::Option* option : one->get_options())
                if (!option->get_positional() && option->check_name(name)) return option;
        }
        return nullptr;
    }

private:
    void take(const std::string& word) {
        if (open_ != nullptr) {
            open_ = nullptr;
        } else if (literal_) {
            arguments_.push_back(word);
        } else if (word == "--") {
            literal_ = true;
        } else if (word.starts_with('-') && word.size() > 1) {
            if (word.find('=') != std::string::npos) return;
            const CLI::Option* found = option(word);
            if (found != nullptr && found->get_items_expected_max() > 0) open_ = found;
        } else {
            const CLI::App* inner = nullptr;  // a command, or one of its own: `secrets audit`
            if (arguments_.empty())
                for (const CLI::App* one : (command_ == nullptr ? app_ : *command_).get_subcommands([](const CLI::App*) { return true; }))
                    if (one->get_name() == word) inner = one;
            if (inner != nullptr)
                command_ = inner;
            else
                arguments_.push_back(word);
        }
    }

    const CLI::App& app_;
    const CLI::App* command_{nullptr};
    const CLI::Option* open_{nullptr};
    bool literal_{false};
    std::vector<std::string> arguments_;
};

class Completer {
public:
    Completer(const CLI::App& app, const Line& line, const std::string& last, const Words& words)
        : app_{app}, line_{line}, last_{last}, words_{words} {}

    Completions run() {
        const auto equals = last_.find('=');
        if (line_.open() != nullptr) {
            values_of(*line_.open(), {}, last_);
        } else if (!line_.only_arguments() && last_.starts_with("--") && equals != std::string::npos) {
            if (const CLI::Option* option = line_.option(last_.substr(0, equals)))
                values_of(*option, last_.substr(0, equals + 1), last_.substr(equals + 1));
        } else if (!line_.only_arguments() && last_.starts_with('-')) {
            options();
        } else if (line_.command() == nullptr) {
            if (line_.arguments().empty()) commands(app_);
        } else {
            if (line_.arguments().empty()) commands(*line_.command());
            arguments();
        }
        return std::move(found_);
    }

private:
    void add(const std::string& word, const std::string& help, const std::string& prefix, const std::string& begun) {
        if (word.starts_with(begun)) found_.words.push_back({prefix + word, help});
    }

    void commands(const CLI::App& of) {
        for (const CLI::App* one : of.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); }))
            add(one->get_name(), one->get_description(), {}, last_);
    }

    void options() {
        std::vector<std::string> seen;
        for (const CLI::App* one : {line_.command(), &app_}) {
            if (one == nullptr) continue;
            for (const CLI::Option* option : one->get_options()) {
                const std::string name = typed_name(*option);
                if (option->get_positional() || name.empty() || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
                seen.push_back(name);
                add(name, option->get_description(), {}, last_);
            }
        }
    }

    void arguments() {
        for (const CLI::Option* option : line_.command()->get_options())
            if (option->get_positional()) return values_of(*option, {}, last_);
    }

    /// What an option or argument takes is said by the name of its type, which --help shows: alternatives between '|', of which those in lower case
    /// stand for themselves.
    void values_of(const CLI::Option& option, const std::string& prefix, const std::string& begun) {
        const std::string type = option.get_type_name();
        if (type.starts_with("NAME OPERATION")) return call(begun);
        if (type.starts_with("NAME KEY") && line_.arguments().empty()) return list(words_.connections(), prefix, begun);
        for (const std::string& one : split(type, '|')) {
            if (one == "NAME")
                list(words_.connections(), prefix, begun);
            else if (one == "SCHEME")
                list(words_.schemes(), prefix, begun);
            else if (one == "FILE" || one == "DIR" || one == "PATH")
                found_.files = true;
            else if (std::none_of(one.begin(), one.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
                add(one, {}, prefix, begun);
        }
    }

    void call(const std::string& begun) {
        const auto& given = line_.arguments();
        if (given.empty()) return list(words_.connections(), {}, begun);
        if (given.size() == 1) return list(words_.operations(given.front()), {}, begun);
        found_.files = true;
    }

    void list(const std::vector<Candidate>& candidates, const std::string& prefix, const std::string& begun) {
        for (const Candidate& one : candidates) add(one.word, one.help, prefix, begun);
    }

    const CLI::App& app_;
    const Line& line_;
    const std::string& last_;
    const Words& words_;
    Completions found_;
};

}  // namespace

Completions complete(const CLI::App& app, const std::vector<std::string>& before, const std::string& last, const Words& words) {
    const Line line{app, before};
    return Completer{app, line, last, words}.run();
}

std::vector<std::string> values_given(const std::vector<std::string>& before, std::string_view option) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < before.size() && before[i] != "--"; ++i) {
        if (before[i] == option && i + 1 < before.size())
            values.push_back(before[++i]);
        else if (before[i].starts_with(option) && before[i].size() > option.size() && before[i][option.size()] == '=')
            values.push_back(before[i].substr(option.size() + 1));
    }
    return values;
}

std::vector<std::string> shell_words(std::string_view line, std::string_view home) {
    std::vector<std::string> words;
    std::string word;
    bool begun = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote == '\'' ? c == '\'' : quote == '"' && c == '"') {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            begun = true;
        } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
            // Within double quotes a backslash counts only before what has a meaning there.
            if (quote == '"' && std::string_view{"\"\\$`"}.find(line[i + 1]) == std::string_view::npos) word += c;
            word += line[++i];
            begun = true;
        } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
            if (begun) words.push_back(std::move(word));
            word.clear();
            begun = false;
        } else if (quote == 0 && c == '~' && !begun && !home.empty() && (i + 1 == line.size() || line[i + 1] == '/')) {
            word += home;
            begun = true;
        } else {
            word += c;
            begun = true;
        }
    }
    words.push_back(std::move(word));
    return words;
}

}  // namespace qconn::cli
