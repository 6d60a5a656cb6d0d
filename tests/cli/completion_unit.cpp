// SPDX-License-Identifier: Apache-2.0
// What may come next on a command line, and the manual page, over a small table of commands.
#include <CLI/CLI.hpp>

#include "cli/completion.hpp"
#include "cli/man_page.hpp"
#include "support/catch.hpp"

using namespace qconn::cli;

namespace {

struct Small {
    CLI::App app{"A tool.", "qconn"};
    std::vector<std::string> texts;
    bool flag{false};

    Small() {
        app.add_option("--dir", texts, "Where")->type_name("DIR");
        app.add_option("--format", texts, "Form")->type_name("table|json");
        app.add_flag("--json", flag, "Short");
        app.footer("Examples:\n  qconn show 'a'");
        CLI::App* show = app.add_subcommand("show", "Show one");
        show->add_option("name", texts, "Connection")->type_name("NAME");
        show->add_option("--depth", texts, "How far")->type_name("connect|tls");
        show->footer("A word.\n.start of a line - \\n\n\nExamples:\n  qconn show 'x'");
        app.add_subcommand("schemes", "List them")->add_option("name", texts, "Scheme")->type_name("SCHEME");
        app.add_subcommand("call", "Call")->add_option("word", texts, "Words")->type_name("NAME OPERATION [ARG...]");
        app.add_subcommand("__complete", "Hidden")->group("");
    }

    std::string ask(const std::vector<std::string>& before, const std::string& last) const {
        const Words words{[] {
                              return std::vector<Candidate>{{"shop-api", "Orders"}, {"inbox", ""}};
                          },
                          [] {
                              return std::vector<Candidate>{{"rest", "REST"}};
                          },
                          [](const std::string& of) {
                              return std::vector<Candidate>{{of + "-get", ""}};
                          }};
        const Completions found = complete(app, before, last, words);
        std::string text = found.files ? "files" : "";
        for (const Candidate& one : found.words) (text += text.empty() ? "" : " ") += one.word;
        return text;
    }
};

}  // namespace

TEST_CASE("commands come first, hidden ones never", "[cli]") {
    const Small small;
    CHECK(small.ask({}, "") == "show schemes call");
    CHECK(small.ask({}, "s") == "show schemes");
    CHECK(small.ask({"--dir", "x", "--json"}, "sh") == "show");
    CHECK(small.ask({"nonsense"}, "s").empty());
}

TEST_CASE("a command that has commands of its own offers these, then what they take", "[cli]") {
    Small small;
    CLI::App* secrets = small.app.add_subcommand("secrets", "Secrets");
    secrets->add_subcommand("audit", "List")->add_option("path", small.texts, "Where")->type_name("FILE|DIR");
    secrets->add_subcommand("extract", "Move")->add_option("name", small.texts, "What")->type_name("NAME");
    small.app.add_subcommand("set", "Change")->add_option("name", small.texts, "What")->type_name("NAME KEY=VALUE...");
    CHECK(small.ask({"secrets"}, "") == "audit extract");
    CHECK(small.ask({"secrets", "audit"}, "") == "files");
    CHECK(small.ask({"secrets", "extract"}, "s") == "shop-api");
    CHECK(small.ask({"set"}, "s") == "shop-api");
    CHECK(small.ask({"set", "shop-api"}, "s").empty());
    CHECK(man_page(small.app, "1", "d").find(".SS \"secrets extract NAME...\"\nMove.\n") != std::string::npos);
}

TEST_CASE("options of the command and of all are known after it, each once", "[cli]") {
    const Small small;
    CHECK(small.ask({}, "--") == "--help --dir --format --json");
    CHECK(small.ask({"show"}, "-") == "--help --depth --dir --format --json");
    CHECK(small.ask({"show"}, "--d") == "--depth --dir");
    CHECK(small.ask({"show", "--"}, "--d").empty());
}

TEST_CASE("values come from the type of an option, also behind an equals sign", "[cli]") {
    const Small small;
    CHECK(small.ask({"--format"}, "") == "table json");
    CHECK(small.ask({"show", "--depth"}, "t") == "tls");
    CHECK(small.ask({"show"}, "--format=j") == "--format=json");
    CHECK(small.ask({"show", "--dir"}, "x") == "files");
    CHECK(small.ask({"show"}, "--dir=x") == "files");
    CHECK(small.ask({"show", "--json"}, "sh") == "shop-api");
}

TEST_CASE("arguments are connections, schemes, or the operations of a connection", "[cli]") {
    const Small small;
    CHECK(small.ask({"show"}, "") == "shop-api inbox");
    CHECK(small.ask({"schemes"}, "r") == "rest");
    CHECK(small.ask({"call"}, "in") == "inbox");
    CHECK(small.ask({"call", "inbox"}, "") == "inbox-get");
    CHECK(small.ask({"call", "inbox", "get"}, "x") == "files");
    CHECK(small.ask({"show", "--"}, "sh") == "shop-api");
}

TEST_CASE("values that were given are found in both spellings, but for those after two dashes", "[cli]") {
    CHECK(values_given({"--dir", "a", "list", "--dir=b", "--dirx", "c", "--", "--dir", "d"}, "--dir") == std::vector<std::string>{"a", "b"});
    CHECK(values_given({"--dir"}, "--dir").empty());
}

TEST_CASE("a line is taken apart as a shell does", "[cli]") {
    const auto words = [](std::string_view line) { return shell_words(line, "/home/x"); };
    using List = std::vector<std::string>;
    CHECK(words("qconn show sh") == List{"qconn", "show", "sh"});
    CHECK(words("qconn show ") == List{"qconn", "show", ""});
    CHECK(words("qconn 'a b' \"c \\\" d\\n\" e\\ f") == List{"qconn", "a b", "c \" d\\n", "e f"});
    CHECK(words("qconn --dir ~/d ~x 'a") == List{"qconn", "--dir", "/home/x/d", "~x", "a"});
    CHECK(words("") == List{""});
    CHECK(words("a ''") == List{"a", ""});
    CHECK(words("a\\") == List{"a\\"});
}

TEST_CASE("text in the manual page shows as it is", "[cli]") {
    CHECK(roff_text(".a\n'b'\n--c \\n ~^`") == "\\&.a\n\\(aqb\\(aq\n\\-\\-c \\(rsn \\(ti\\(ha\\(ga");
    CHECK(roff_text("\xe2\x80\xa6\xc3\xa9") == "\\[u2026]\\[u00E9]");
}

TEST_CASE("the manual page has every command with its options and examples, no hidden one", "[cli]") {
    const Small small;
    const std::string page = man_page(small.app, "1.2", "2026-01-31");
    const auto has = [&](std::string_view text) { return page.find(text) != std::string::npos; };

    CHECK(page.starts_with(".TH QCONN 1 \"2026-01-31\" \"qconn 1.2\""));
    CHECK(has(".SS \"show NAME...\"\nShow one.\n"));
    CHECK(has(".BR \"\\-\\-depth\" \" \" \"connect|tls\"\nHow far\n"));
    CHECK(has(".PP\nA word.\n\\&.start of a line \\- \\(rsn\n"));
    CHECK(has(".EX\n  qconn show \\(aqx\\(aq\n.EE\n"));
    CHECK_FALSE(has("__complete"));
}
