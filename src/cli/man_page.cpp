// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct Entry {
    const char* term;
    const char* text;
};

constexpr std::array<Entry, 4> k_exit_codes{{{"0", "Fine."},
                                             {"1", "Errors in definitions, something is down or invalid, or a call failed."},
                                             {"2", "Wrong usage."},
                                             {"3", "Not found: no such connection, scheme, directory or file, or no definitions there."}}};
constexpr std::array<Entry, 7> k_variables{{{"QCONN_SETTINGS", "The file of --settings. QCONN_MONITOR_INTERVAL and the like set single ones."},
                                            {"QCONN_STATE", "The file of --state."},
                                            {"QCONN_SECRETS", "The file of --secrets."},
                                            {"QCONN_ALLOW_COMMANDS", "1: as --allow-commands."},
                                            {"QCONN_MODULES", "Modules to load, with commas or colons between them."},
                                            {"QCONN_MODULE_PATH", "Directories in which modules are looked for by name."},
                                            {"NO_COLOR", "No colours where it is set."}}};

/// An argument of a macro.
std::string macro_argument(std::string_view text) {
    std::string out = "\"";
    for (const char c : roff_text(text)) c == '"' ? out += "\\(dq" : out += c;
    return out += '"';
}

std::string entry(std::string_view term, std::string_view text) { return ".TP\n.B " + macro_argument(term) + "\n" + roff_text(text) + "\n"; }

template <std::size_t N>
std::string entries(const std::array<Entry, N>& all) {
    std::string out;
    for (const Entry& one : all) out += entry(one.term, one.text);
    return out;
}

std::string argument_text(const CLI::Option& option) {
    if (option.get_items_expected_max() == 0) return {};  // a flag
    return option.get_type_name() + (option.get_positional() && option.get_items_expected_max() > 1 ? "..." : "");
}

std::string options(const CLI::App& app) {
    std::string out;
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) continue;
        std::string names;
        for (const std::string& name : option->get_snames()) names += (names.empty() ? "-" : ", -") + name;
        for (const std::string& name : option->get_lnames()) names += (names.empty() ? "--" : ", --") + name;
        const std::string argument = argument_text(*option);
        out += ".TP\n.BR " + macro_argument(names) + (argument.empty() ? "" : " \" \" " + macro_argument(argument)) + "\n" +
               roff_text(option->get_description()) + "\n";
    }
    return out;
}

std::string examples(std::string_view lines) { return ".EX\n" + roff_text(lines) + "\n.EE\n"; }

/// Paragraphs with blank lines between them; what follows "Examples:" keeps its lines.
std::string footer(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::string_view paragraph = text.substr(0, text.find("\n\n"));
        text.remove_prefix(std::min(paragraph.size() + 2, text.size()));
        if (paragraph.starts_with(k_common_options) || paragraph.empty()) continue;
        const auto line_end = paragraph.find('\n');
        if (!paragraph.starts_with("Examples:") || line_end == std::string_view::npos) {
            out += ".PP\n" + roff_text(paragraph) + "\n";
            continue;
        }
        out += ".PP\nExamples:\n.PP\n" + examples(paragraph.substr(line_end + 1));
    }
    return out;
}

std::string command(const CLI::App& app, const std::string& outer = {}) {
    const std::string name = outer + app.get_name();
    std::string title = name;
    for (const CLI::Option* option : app.get_options())
        if (option->get_positional()) title += " " + argument_text(*option);
    std::string page = ".SS " + macro_argument(title) + "\n" + roff_text(app.get_description()) + ".\n" + options(app) + footer(app.get_footer());
    for (const CLI::App* one : app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); })) page += command(*one, name + " ");
    return page;
}

bool is_plain(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

std::string roff_text(std::string_view text) {
    static constexpr std::array<std::pair<char, std::string_view>, 6> k_escapes{
        {{'\\', "\\(rs"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}}};
    std::string out;
    bool at_start = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (at_start && c == '.') out += "\\&";
        at_start = c == '\n';
        if (!is_plain(c)) {  // one character of UTF-8
            unsigned code = static_cast<unsigned char>(c);
            code &= code >= 0xF0 ? 0x07U : code >= 0xE0 ? 0x0FU : 0x1FU;
            while (i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0U) == 0x80U)
                code = code << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU);
            std::array<char, 24> escape{};
            std::snprintf(escape.data(), escape.size(), "\\[u%04X]", code);
            out += escape.data();
            continue;
        }
        const auto escape = std::find_if(k_escapes.begin(), k_escapes.end(), [c](const auto& one) { return one.first == c; });
        if (escape != k_escapes.end())
            out += escape->second;
        else
            out += c;
    }
    return out;
}

std::string man_page(const CLI::App& app, std::string_view version, std::string_view date) {
    std::string page = ".TH QCONN 1 \"" + std::string{date} + "\" " + macro_argument("qconn " + std::string{version}) + " \"User Commands\"\n";
    page += ".SH NAME\nqconn \\- named connections from qconn files\n";
    page += ".SH SYNOPSIS\n.B qconn\n.RI [ OPTIONS ]\n.I COMMAND\n.RI [ ARGUMENTS ]\n";
    page += ".SH DESCRIPTION\n" + roff_text(app.get_description()) + "\n";
    page += ".SH OPTIONS\nThey may stand before or after the command.\n" + options(app);
    page += ".SH COMMANDS\n";
    for (const CLI::App* one : app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); })) page += command(*one);
    page += ".SH \"EXIT STATUS\"\n" + entries(k_exit_codes);
    page += ".SH ENVIRONMENT\n" + entries(k_variables);
    constexpr std::string_view k_heading = "Examples:\n";
    const std::string footer_text = app.get_footer();
    if (const auto at = footer_text.find(k_heading); at != std::string::npos)
        page += ".SH EXAMPLES\n" + examples(std::string_view{footer_text}.substr(at + k_heading.size()));
    return page;
}

}  // namespace qconn::cli
