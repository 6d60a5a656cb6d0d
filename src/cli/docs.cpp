// SPDX-License-Identifier: Apache-2.0
/// `qconn docs`: option tables for the pages under docs/families, from the catalogue.
#include <CLI/App.hpp>
#include <CLI/Formatter.hpp>
#include <fstream>
#include <sstream>

#include <qconn/core/scheme.hpp>

#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

constexpr std::string_view k_begin = "<!-- qconn docs ";
constexpr std::string_view k_begin_end = " -->";
constexpr std::string_view k_end = "<!-- qconn docs end -->";

struct DocsArguments {
    std::vector<std::string> words;
    bool update{false};
    bool check{false};
};

const Scheme& find_scheme(const std::string& name) {
    const Catalogue& catalogue = builtin_catalogue();
    if (const Scheme* scheme = catalogue.find(name)) return *scheme;
    throw NotFound("the scheme '" + printable(name) + "' is not known to this build" + suggestion(name, catalogue.names()));
}

std::string table_of(const Scheme& scheme) {
    std::string text = builtin_catalogue().options_markdown(scheme);
    if (text.empty() || text.back() != '\n') text += '\n';
    return text;
}

/// The page with the table between each pair of marks made anew.
std::string updated(const std::string& page, const std::string& file) {
    std::string out;
    std::size_t at = 0;
    for (;;) {
        const auto begin = page.find(k_begin, at);
        if (begin == std::string::npos || page.compare(begin, k_end.size(), k_end) == 0) break;
        const auto name_at = begin + k_begin.size();
        const auto name_end = page.find(k_begin_end, name_at);
        const auto end = page.find(k_end, name_at);
        if (name_end == std::string::npos || end == std::string::npos || end < name_end) {
            throw UsageError(file + ": a '" + std::string{k_begin} + "' without its '" + std::string{k_end} + "'");
        }
        const auto body = name_end + k_begin_end.size();
        out.append(page, at, body - at);
        (out += "\n") += table_of(find_scheme(page.substr(name_at, name_end - name_at)));
        out += k_end;
        at = end + k_end.size();
    }
    return out.append(page, at);
}

int docs(Tool& tool, const DocsArguments& arguments) {
    const auto words = positional(tool, arguments.words);
    if (!arguments.update && !arguments.check) {
        std::vector<const Scheme*> schemes;
        for (const std::string& word : words) schemes.push_back(&find_scheme(word));
        if (words.empty()) schemes = builtin_catalogue().schemes();
        for (const Scheme* scheme : schemes) {
            tool.out.line("## " + scheme->names.front() + "\n");
            tool.out.line(table_of(*scheme));
        }
        return k_ok;
    }
    if (words.empty()) throw UsageError("give the pages to update or check");
    int code = k_ok;
    for (const std::string& file : words) {
        std::ifstream in{file, std::ios::binary};
        std::stringstream page;
        page << in.rdbuf();
        if (!in) throw NotFound(file + " cannot be read");
        const std::string fresh = updated(page.str(), file);
        if (fresh == page.str()) continue;
        if (arguments.check) {
            tool.out.line(file + ": its option tables are out of date; 'qconn docs --update " + file + "' writes them");
            code = k_failed;
            continue;
        }
        std::ofstream out{file, std::ios::binary | std::ios::trunc};
        out << fresh;
        out.close();
        if (!out) throw OutputError(file + " cannot be written");
        tool.out.line(file + ": updated");
    }
    return code;
}

}  // namespace

void add_docs(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("docs", "Write the option tables of schemes as Markdown, or keep those in pages up to date");
    auto arguments = std::make_shared<DocsArguments>();
    command->add_option("word", arguments->words, "Schemes; with --update or --check: pages")->type_name("SCHEME|FILE");
    auto* update = command->add_flag("--update", arguments->update, "Write the tables between the marks of these pages anew");
    command->add_flag("--check", arguments->check, "Exit code 1 where a table in these pages is out of date")->excludes(update);
    command->footer(
        "A table stands between the lines '<!-- qconn docs SCHEME -->' and '<!-- qconn docs end -->'.\n\n"
        "Examples:\n"
        "  qconn docs rest\n"
        "  qconn docs --update docs/families/*.md");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return docs(tool, *arguments); }; });
}

}  // namespace qconn::cli
