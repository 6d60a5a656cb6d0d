// SPDX-License-Identifier: Apache-2.0
/// What may come next on a command line, from the same tables as the parser and --help.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace qconn::cli {

/// One word that may come next.
struct Candidate {
    std::string word;
    /// For shells that show one. May be empty.
    std::string help{};
};

/// What may stand at the end of a command line.
struct Completions {
    std::vector<Candidate> words;
    /// Files and directories too, which the shell knows how to list.
    bool files{false};
};

/// Sources of words that change: the tool reads definitions for them, a test has lists.
struct Words {
    std::function<std::vector<Candidate>()> connections;
    std::function<std::vector<Candidate>()> schemes;
    std::function<std::vector<Candidate>(const std::string& connection)> operations;
};

/// @param before  the words after the program's name, whole
/// @param last    the one that is being typed; may be empty
Completions complete(const CLI::App& app, const std::vector<std::string>& before, const std::string& last, const Words& words);

/// Of the options in `before`, the values of that one: `--dir a --dir=b` gives a and b.
std::vector<std::string> values_given(const std::vector<std::string>& before, std::string_view option);

/// The words of a command line as a shell sees them: blanks, quotes, backslashes, `~/`. The last is the one being typed, empty after a blank.
/// Nothing is expanded but a leading `~/`.
std::vector<std::string> shell_words(std::string_view line, std::string_view home);

}  // namespace qconn::cli
