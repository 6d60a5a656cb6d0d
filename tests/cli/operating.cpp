// SPDX-License-Identifier: Apache-2.0
// docs/operating.md: every command on it, in order, in one directory.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <vector>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn::test;

namespace {

using Lines = std::vector<std::string>;

/// `$ command`, with lines of `> ` that belong to it, and what is shown below it.
struct Step {
    std::size_t line;
    std::string command;
    Lines shown;
};

std::vector<Step> steps_of(const std::string& page) {
    std::vector<Step> steps;
    std::ifstream in{page};
    bool console = false;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.starts_with("```"))
            console = line == "```console";
        else if (console && line.starts_with("$ "))
            steps.push_back({number, line.substr(2), {}});
        else if (console && line.starts_with("> ") && steps.back().shown.empty())
            steps.back().command += "\n" + line.substr(2);
        else if (console)
            steps.back().shown.push_back(line);
    }
    return steps;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
    return text;
}

/// Columns are as wide as what varies in them, so any number of spaces is as good as one.
std::string squeezed(std::string text) {
    text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }), text.end());
    return text;
}

const std::string k_any = "…";
/// Of the server on the page.
const std::string k_page_address = "127.0.0.1:18080";

/// `…` stands for any text.
bool matches(std::string_view shown, std::string_view line) {
    const auto any = shown.find(k_any);
    if (any == std::string_view::npos) return shown == line;
    if (!line.starts_with(shown.substr(0, any))) return false;
    shown.remove_prefix(any + k_any.size());
    for (std::size_t at = any; at <= line.size(); ++at)
        if (matches(shown, line.substr(at))) return true;
    return false;
}

/// A line that is only `…` stands for any lines.
bool match(const Lines& shown, std::size_t i, const Lines& lines, std::size_t j) {
    if (i == shown.size()) return j == lines.size();
    if (shown[i] == k_any) {
        for (std::size_t skip = j; skip <= lines.size(); ++skip)
            if (match(shown, i + 1, lines, skip)) return true;
        return false;
    }
    return j < lines.size() && matches(shown[i], lines[j]) && match(shown, i + 1, lines, j + 1);
}

bool remove_match(Lines& shown, const std::string& line) {
    const auto found = std::find_if(shown.begin(), shown.end(), [&](const std::string& one) { return matches(one, line); });
    if (found == shown.end()) return false;
    shown.erase(found);
    return true;
}

Lines lines_of(const std::string& text) {
    Lines lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/// The terminal of the page.
class Session {
public:
    void run(const Step& step) {
        INFO("docs/operating.md:" << step.line << ": $ " << step.command);
        Lines shown;
        for (const std::string& line : step.shown) shown.push_back(squeezed(line));
        const bool watches = std::any_of(shown.begin(), shown.end(), [&](const std::string& line) { return happenings_.count(line) > 0; });
        const std::string command = (watches ? "exec " : "") + replaced(step.command, k_page_address, nginx_.address());
        const std::string before = "exec 2>&1; " + setup_ + "(exit " + std::to_string(code_) + "); ";
        Process process{{"/bin/bash", {"--norc", "-c", before + command}, {path_}, directory_.path()}};
        if (watches) shown = watch(process, shown);
        const Outcome outcome = process.finish();
        code_ = outcome.code;
        Lines lines;
        for (const std::string& line : lines_of(outcome.out)) lines.push_back(as_on_page(line));
        const bool any_order = has(command, "ping --all");  // it tells as answers come
        if (any_order) std::erase_if(lines, [&](const std::string& line) { return remove_match(shown, line); });
        INFO("printed:\n" << outcome.out << "code " << code_);
        CHECK(match(shown, 0, lines, 0));
        if (step.command.starts_with("export ") || step.command.starts_with("cd ") || step.command.starts_with("source "))
            setup_ += step.command + "; ";
    }
    int code() const { return code_; }

private:
    std::string as_on_page(const std::string& line) const { return squeezed(replaced(line, nginx_.address(), k_page_address)); }

    /// Lines until something happens may come in any order: connections are independent of each other.
    /// @returns what is shown after the last happening
    Lines watch(Process& process, const Lines& shown) {
        Lines wanted;
        for (const std::string& one : shown) {
            if (happenings_.count(one) == 0) {
                wanted.push_back(one);
                continue;
            }
            const bool more = std::erase(wanted, k_any) > 0;
            std::string printed;
            while (!wanted.empty()) {
                const auto line = process.line();
                INFO("printed:\n" << printed << "still to come: " << wanted.front());
                REQUIRE(line);
                printed += *line + "\n";
                INFO("now: " << *line);
                const bool expected = remove_match(wanted, as_on_page(*line));
                REQUIRE((expected || more));
            }
            happenings_.at(one)(process);
        }
        return wanted;
    }

    Server nginx_{"nginx"};
    TempDir directory_;
    std::string path_ = "PATH=" + std::filesystem::path{QCONN_TOOL}.parent_path().string() + ":/usr/bin:/bin";
    const std::map<std::string, std::function<void(Process&)>> happenings_{
        {"# systemctl stop nginx", [this](Process&) { nginx_.stop(); }},
        {"# systemctl start nginx", [this](Process&) { nginx_.start(); }},
        {"^C", [](Process& process) { process.signal(SIGINT); }},
    };
    std::string setup_;
    int code_{0};
};

}  // namespace

TEST_CASE("docs/operating.md: every command does and prints what the page says", "[cli][operating][integration]") {
    const auto steps = steps_of(QCONN_DOCS "/operating.md");
    REQUIRE(steps.size() > 20);
    Session session;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        session.run(steps[i]);
        INFO("docs/operating.md:" << steps[i].line << ": $ " << steps[i].command);
        // A failure is never shown without its exit code.
        if (i + 1 == steps.size() || steps[i + 1].command != "echo $?") CHECK(session.code() == 0);
    }
}

TEST_CASE("every command has examples in its help, a row in docs/tool.md and a place on the manual page", "[cli][operating][integration]") {
    const std::string help = run_qconn({"--help"}).out;
    const std::string manual = replaced(run_qconn({"man"}).out, "\\-", "-");
    std::ifstream in{QCONN_DOCS "/tool.md"};
    const std::string page{std::istreambuf_iterator<char>{in}, {}};
    std::size_t count = 0;
    bool are_commands = false;
    for (const std::string& line : lines_of(help)) {
        if (!line.starts_with("  ")) are_commands = line == "Subcommands:";
        if (!are_commands || !line.starts_with("  ")) continue;
        const std::string command = line.substr(2, line.find(' ', 2) - 2);
        CAPTURE(command);
        const Outcome own = run_qconn({command, "--help"});
        CHECK(has(own.out, "\n  qconn "));
        CHECK_FALSE(has(own.out, " , "));
        CHECK((has(page, "| `" + command) || has(page, ", `" + command)));
        CHECK(has(manual, "qconn " + command));
        ++count;
    }
    CHECK(count > 20);
}
