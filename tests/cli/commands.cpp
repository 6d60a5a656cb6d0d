// SPDX-License-Identifier: Apache-2.0
// The commands that ask nobody: check, list, show, schemes, schema, docs; exit codes and where output goes.
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

constexpr std::string_view k_shop = R"(type: connection
name: shop-api
desc: Orders of the web shop
url: rest://edi:Passw0rd-1@127.0.0.1:8080/api
options:
  timeout: 20000
)";

constexpr std::string_view k_inbox = R"(type: connection
name: inbox
desc: Incoming files
url: file:///tmp
options:
  readonly: true
)";

/// A directory with two good definitions.
struct GoodEstate : Estate {
    GoodEstate() {
        directory.write("shop-api.qconn.yaml", k_shop);
        directory.write("inbox.qconn.yaml", k_inbox);
    }
};

}  // namespace

TEST_CASE("check says how many are fine and ends with 0 where no definition has an error", "[cli][integration]") {
    const GoodEstate estate;

    const Outcome outcome = estate.run({"check"});

    CHECK(outcome.out == "2 ok, 0 errors, 0 warnings\n");
    CHECK(outcome.err.empty());
    CHECK(outcome.code == 0);
}

TEST_CASE("check shows each finding with a caret and the nearest name, and ends with 1", "[cli][integration]") {
    const GoodEstate estate;
    estate.add("erp", "rests://erp.example/api", "options:\n  conect_timeout: 5000\n");

    const Outcome outcome = estate.run({"check", "."});

    INFO(outcome.out);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "erp.qconn.yaml:6:3"));
    CHECK(has(outcome.out, "6 |   conect_timeout:"));
    CHECK(has(outcome.out, "^"));
    CHECK(has(outcome.out, "connect_timeout"));
    CHECK(has(outcome.out, "2 ok, 1 error, 0 warnings\n"));
    CHECK_FALSE(has(outcome.out, "\x1b["));
}

TEST_CASE("check --json gives places and counts", "[cli][integration]") {
    const GoodEstate estate;
    estate.add("erp", "rests://erp.example/api", "options:\n  conect_timeout: 5000\n");
    estate.add("old", "rests://old.example/api", "options:\n  ssl_verify_cert: yes\n");

    const Outcome outcome = estate.run({"check", "--json", estate.directory.path()});

    INFO(outcome.out);
    CHECK(outcome.code == 1);
    const json report = json::parse(outcome.out);
    CHECK(report["ok"] == 3);
    CHECK(report["errors"] == 1);
    CHECK(report["warnings"] == 1);
    REQUIRE(report["diagnostics"].size() == 2);
    const json& first = report["diagnostics"][0];
    CHECK(first["severity"] == "error");
    CHECK(first["line"] == 6);
    CHECK(first["column"] == 3);
    CHECK(first["connection"] == "erp");
    CHECK(has(first["hint"].get<std::string>() + first["message"].get<std::string>(), "connect_timeout"));
}

TEST_CASE("check takes single files", "[cli][integration]") {
    const GoodEstate estate;

    CHECK(estate.run({"check", "inbox.qconn.yaml"}).out == "1 ok, 0 errors, 0 warnings\n");
}

TEST_CASE("list shows every connection, also invalid and disabled ones, without passwords", "[cli][integration]") {
    const GoodEstate estate;
    estate.add("odd", "gopher://x/");
    estate.add("off", "http://127.0.0.1:1/", "enabled: false\n");

    const Outcome text = estate.run({"list"});
    INFO(text.out);
    CHECK(text.code == 0);
    CHECK(has(text.out, "shop-api"));
    CHECK(has(text.out, "rest://edi:<masked>@127.0.0.1:8080/api"));
    CHECK(has(text.out, "invalid"));
    CHECK(has(text.out, "disabled"));
    CHECK_FALSE(has(text.out, "Passw0rd"));
    CHECK(has(text.err, "qconn check"));

    const Outcome machine = estate.run({"--json", "list"});
    const json list = json::parse(machine.out);
    REQUIRE(list.size() == 4);
    CHECK(list[0]["name"] == "inbox");
    CHECK(list[0]["status"] == "ok");
    CHECK(list[1]["status"] == "invalid");
    CHECK_FALSE(list[1]["problem"].get<std::string>().empty());
    CHECK(list[2]["status"] == "disabled");
    CHECK(list[3]["url"] == "rest://edi:<masked>@127.0.0.1:8080/api");
}

TEST_CASE("show has the options with defaults, and the operations", "[cli][integration]") {
    const GoodEstate estate;

    const Outcome text = estate.run({"show", "shop-api"});
    INFO(text.out);
    CHECK(text.code == 0);
    CHECK(has(text.out, "Orders of the web shop"));
    CHECK(has(text.out, "20000"));
    CHECK(has(text.out, "definition"));
    CHECK(has(text.out, "default"));
    CHECK(has(text.out, "get PATH"));
    CHECK_FALSE(has(text.out, "Passw0rd"));

    const json shop = json::parse(estate.run({"show", "shop-api", "--json"}).out);
    CHECK(shop["options"]["timeout"] == 20000);
    CHECK(shop["options"].contains("connect_timeout"));
}

TEST_CASE("an unknown name ends with 3 and the nearest ones, on standard error", "[cli][integration]") {
    const GoodEstate estate;
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"show", "shop-apu"}, {"ping", "shop-apu"}, {"explain", "shop-apu"}, {"call", "shop-apu", "get", "x"}}) {
        const Outcome outcome = estate.run(arguments);
        CAPTURE(arguments[0], outcome.err);
        CHECK(outcome.code == 3);
        CHECK(outcome.out.empty());
        CHECK(has(outcome.err, "did you mean 'shop-api'?"));
    }
    const Outcome machine = estate.run({"--json", "show", "shop-apu"});
    CHECK(json::parse(machine.err)["error"]["name"] == "NOT-FOUND");
    CHECK(estate.run({"schemes", "rest2"}).code == 3);
    CHECK(has(estate.run({"schemes", "rets"}).err, "'rest'"));
}

TEST_CASE("nothing to work on ends with 3", "[cli][integration]") {
    const TempDir empty;

    const Outcome none = run_qconn({"list"}, {}, empty.path());
    CHECK(none.code == 3);
    CHECK(has(none.err, "no connection definitions"));

    const Outcome missing = run_qconn({"--dir", empty / "no-such", "list"});
    CHECK(missing.code == 3);
    CHECK(has(missing.err, "no-such"));
}

TEST_CASE("files without a connection end with 3, check says first what they hold", "[cli][integration]") {
    const TempDir directory;
    directory.write("empty.qconn.yaml", "# nothing\n");

    const Outcome list = run_qconn({"list"}, {}, directory.path());
    CHECK(list.code == 3);
    CHECK(has(list.err, "there is no connection in . (1 file read)"));
    const Outcome check = run_qconn({"check"}, {}, directory.path());
    CHECK(check.code == 3);
    CHECK(has(check.out, "empty.qconn.yaml: warning"));
    CHECK(has(check.out, "0 ok, 0 errors, 1 warning"));
}

TEST_CASE("a directory with nothing but broken files has findings, not nothing", "[cli][integration]") {
    const TempDir directory;
    directory.write("broken.qconn.yaml", "type: [connection\n");

    const Outcome check = run_qconn({"check"}, {}, directory.path());
    CHECK(check.code == 1);
    CHECK(has(check.out, "0 ok, 1 error, 0 warnings"));
    CHECK(has(run_qconn({"list"}, {}, directory.path()).out, "invalid"));
    CHECK(run_qconn({"ping", "--all"}, {}, directory.path()).code == 1);
}

TEST_CASE("a directory that cannot be read is an error in the system's words, also beside one that can", "[cli][integration]") {
    const GoodEstate estate;
    const std::string loop = estate.directory / "loop";
    REQUIRE(::symlink("loop", loop.c_str()) == 0);

    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"list", "--dir", loop},
                                                                                           {"list", "--dir", ".", "--dir", loop},
                                                                                           {"ping", "--all", "--dir", loop},
                                                                                           {"call", "inbox", "list", "--dir", loop}}) {
        const Outcome outcome = estate.run(arguments);
        CAPTURE(arguments, outcome.out);
        CHECK(outcome.code == 1);
        CHECK(outcome.out.empty());
        CHECK(has(outcome.err, "loop\": "));
        CHECK(has(outcome.err, "Too many levels of symbolic links"));
    }
    const Outcome check = estate.run({"check", ".", loop});
    CHECK(check.code == 1);
    CHECK(has(check.out, "Too many levels of symbolic links"));
    CHECK(has(check.out, "2 ok, 1 error"));
    CHECK(json::parse(estate.run({"--json", "list", "--dir", loop}).err)["error"]["name"] == "LOAD-ERROR");
}

TEST_CASE("a name in brackets is a name, wherever it stands", "[cli][integration]") {
    const TempDir directory;
    directory.write("[x,y]/a.qconn.yaml", k_inbox);
    const auto run = [&](const std::vector<std::string>& arguments) { return run_qconn(arguments, {}, directory.path()); };

    CHECK(run({"--dir", "[x,y]", "list"}).code == 0);
    CHECK(run({"list", "--dir=[x,y]"}).code == 0);
    CHECK(run({"--dir", "[x,y]", "--dir", "[x,y]/.", "check"}).out == "1 ok, 0 errors, 0 warnings\n");
    CHECK(run({"check", "[x,y]"}).code == 0);
    CHECK(has(run({"--dir", "[z]", "list"}).err, "loading connections from \"[z]\""));
    CHECK(has(run({"--dir", "[x,y]", "ping", "[z]"}).err, "'[z]'"));
    CHECK(has(run({"[z]"}).err, "'[z]'"));
    CHECK(has(run({"list", "--no=[z]"}).err, "--no=[z]"));
    CHECK(has(run({"--dir", "[x,y]", "ping", "inbox", "--timeout", "[1]"}).err, "'[1]'"));
}

TEST_CASE("what is no file does not hold check up, and is told for what it is", "[cli][integration]") {
    const GoodEstate estate;
    REQUIRE(::mkfifo((estate.directory / "pipe.qconn.yaml").c_str(), 0600) == 0);
    REQUIRE(::symlink("gone", (estate.directory / "link.qconn.yaml").c_str()) == 0);
    REQUIRE(::mkdir((estate.directory / "folder.qconn.yaml").c_str(), 0700) == 0);

    const Outcome outcome = estate.run({"check"});

    INFO(outcome.out);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "pipe.qconn.yaml: error: this is a pipe"));
    CHECK(has(outcome.out, "link.qconn.yaml: error: this is a symbolic link to \"gone\", which is not there"));
    CHECK(has(outcome.out, "folder.qconn.yaml: error: this is a directory"));
    CHECK(has(outcome.out, "2 ok, 3 errors"));
}

TEST_CASE("wrong usage ends with 2 and says what is wrong on standard error", "[cli][integration]") {
    const GoodEstate estate;
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{},
                                                                                           {"no-such-command"},
                                                                                           {"list", "--no-such-option"},
                                                                                           {"list", "too-many"},
                                                                                           {"show"},
                                                                                           {"show", "a", "b"},
                                                                                           {"ping"},
                                                                                           {"ping", "inbox", "--all"},
                                                                                           {"ping", "inbox", "--depth", "deep"},
                                                                                           {"ping", "inbox", "--timeout", "soon"},
                                                                                           {"monitor", "--interval", "10ms"},
                                                                                           {"monitor", "--fall", "0"},
                                                                                           {"monitor", "--for", "1y"},
                                                                                           {"call", "inbox"},
                                                                                           {"call", "inbox", "fly"},
                                                                                           {"call", "inbox", "read"},
                                                                                           {"call", "inbox", "stat", "a", "b"}}) {
        const Outcome outcome = estate.run(arguments);
        CAPTURE(arguments, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(outcome.out.empty());
        CHECK(has(outcome.err, "qconn: error: "));
    }
}

TEST_CASE("an unknown command is named, with the nearest one", "[cli][integration]") {
    CHECK(has(run_qconn({"chek"}).err, "there is no command 'chek'; did you mean 'check'?"));
    CHECK(has(run_qconn({"--jsno", "list"}).err, "--jsno"));
    CHECK(has(run_qconn({}).err, "a command is missing"));
    CHECK(has(run_qconn({"secrets"}).err, "a command of 'secrets' is missing; there are: audit, extract"));
    CHECK(has(run_qconn({"secrets", "audt"}).err, "there is no command of 'secrets' 'audt'; did you mean 'audit'?"));
    CHECK(run_qconn({"secrets"}).code == 2);
}

TEST_CASE("an unknown operation is named, with the one that is meant", "[cli][integration]") {
    const GoodEstate estate;
    const auto said = [&](const char* operation) { return estate.run({"call", "inbox", operation, "x"}).err; };
    CHECK(has(said("lst"), "'inbox' has no operation 'lst'; did you mean 'list'?; 'qconn call inbox operations' lists them"));
    CHECK(has(said("ls"), "has no operation 'ls'; did you mean 'list'?"));
    CHECK(has(said("rm"), "did you mean 'remove'?"));
    CHECK(has(said("cat"), "did you mean 'read'?"));
    CHECK(has(said("cp"), "did you mean 'get' or 'put'?"));
    CHECK(has(said("download"), "did you mean 'get'?"));
}

TEST_CASE("help has examples, and is no error", "[cli][integration]") {
    const Outcome all = run_qconn({"--help"});
    CHECK(all.code == 0);
    CHECK(has(all.out, "Examples:"));
    for (const char* command : {"check", "list", "show", "schemes", "schema", "ping", "explain", "monitor", "call", "docs"}) {
        const Outcome help = run_qconn({command, "--help"});
        CAPTURE(command);
        CHECK(help.code == 0);
        CHECK(has(help.out, "Examples:"));
        CHECK(has(all.out, command));
    }
    CHECK(run_qconn({"--version"}).out.starts_with("qconn 0."));
}

TEST_CASE("the option --dir names several directories, before or after the command", "[cli][integration]") {
    const GoodEstate first;
    const TempDir second;
    second.write("extra.qconn.yaml", "type: connection\nname: extra\ndesc: d\nurl: http://127.0.0.1:1/\n");

    CHECK(json::parse(run_qconn({"--dir", first.directory.path(), "--dir", second.path(), "list", "--json"}).out).size() == 3);
    CHECK(json::parse(run_qconn({"list", "--json", "--dir", second.path()}).out).size() == 1);
    CHECK(run_qconn({"--dir", second.path(), "check"}).out == "1 ok, 0 errors, 0 warnings\n");
}

TEST_CASE("a name used twice is told by check with both places", "[cli][integration]") {
    const GoodEstate estate;
    estate.directory.write("z.qconn.yaml", k_inbox);

    const Outcome outcome = estate.run({"check"});

    INFO(outcome.out);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "inbox.qconn.yaml"));
    CHECK(has(outcome.out, "z.qconn.yaml"));
    CHECK(has(outcome.out, "inbox.qconn.yaml:2:7: note: "));
    CHECK(has(outcome.out, "   2 | name: inbox\n     |       ^^^^^\n"));
    CHECK(has(outcome.out, "2 ok, 1 error, 0 warnings"));
}

TEST_CASE("schemes lists what the build has, one has its options and operations", "[cli][integration]") {
    const Outcome all = run_qconn({"schemes"});
    CHECK(all.code == 0);
    for (const char* name : {"http", "rest", "rests", "file"}) CHECK(has(all.out, name));

    const Outcome rest = run_qconn({"schemes", "rests"});
    CHECK(has(rest.out, "connect_timeout"));
    CHECK(has(rest.out, "int, milliseconds"));
    CHECK(has(rest.out, "post PATH"));

    CHECK(json::parse(run_qconn({"schemes", "--json"}).out).size() >= 3);
    const json machine = json::parse(run_qconn({"schemes", "rest", "--json"}).out);
    CHECK(machine["options"].size() > 10);
    CHECK(machine["operations"].size() >= 5);
}

TEST_CASE("schema prints a JSON Schema", "[cli][integration]") {
    const json schema = json::parse(run_qconn({"schema"}).out);
    CHECK(has(schema["$schema"].get<std::string>(), "2020-12"));
}

TEST_CASE("docs prints Markdown tables", "[cli][integration]") {
    const Outcome one = run_qconn({"docs", "rest"});
    CHECK(one.code == 0);
    CHECK(has(one.out, "|"));
    CHECK(has(one.out, "connect_timeout"));
    CHECK(has(run_qconn({"docs"}).out, "## file"));
    CHECK(run_qconn({"docs", "rets"}).code == 3);
}

TEST_CASE("texts of definitions cannot steer the terminal", "[cli][integration]") {
    const TempDir directory;
    directory.write("a.qconn.yaml", "type: connection\nname: a\ndesc: \"x\\e[2Jy\"\nurl: file:///tmp\n");

    const Outcome outcome = run_qconn({"list"}, {}, directory.path());

    CHECK(outcome.out.find('\x1b') == std::string::npos);
    CHECK(has(outcome.out, "x\\x1b[2Jy"));
}

TEST_CASE("a reader that closes the pipe early is no error", "[cli][integration]") {
    const GoodEstate estate;
    Process process{qconn_launch({"schemes", "rest"}, {}, estate.directory.path())};
    process.close_output();

    const Outcome outcome = process.finish();

    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
}

TEST_CASE("output that cannot be written is an error", "[cli][integration]") {
    const Outcome outcome = Process{{"/bin/sh", {"-c", std::string{QCONN_TOOL} + " schemes > /dev/full"}}}.finish();

    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "No space left"));
}
