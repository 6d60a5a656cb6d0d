// SPDX-License-Identifier: Apache-2.0
// Completion in the shells themselves.
#include <filesystem>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;

namespace {

/// Connections with names that shells have to quote.
struct ShellEstate : Estate {
    ShellEstate() {
        add("shop-api", "rest://127.0.0.1:1/", "enabled: false\n");
        add("inbox", "file:///tmp");
        directory.write("odd.qconn.yaml", "type: connection\nname: \"o d$d:x\"\ndesc: for a test\nurl: file:///tmp\n");
        directory.write("there/far.qconn.yaml", "type: connection\nname: far-away\ndesc: for a test\nurl: file:///tmp\n");
    }
    /// With the tool on the path, a home of its own and no terminal's tricks.
    Launch shell(const std::string& program, std::vector<std::string> arguments, bool terminal) const {
        const std::string path = std::filesystem::path{QCONN_TOOL}.parent_path().string() + ":/usr/local/bin:/usr/bin:/bin";
        return {program,
                std::move(arguments),
                {"PATH=" + path, "HOME=" + directory.path(), "XDG_CONFIG_HOME=" + directory.path(), "TERM=xterm", "PS1=ready> "},
                directory.path(),
                terminal};
    }
    std::string answer(const std::string& program, std::vector<std::string> arguments) const {
        const Outcome outcome = Process{shell(program, std::move(arguments), false)}.finish();
        INFO(outcome.err);
        CHECK(outcome.code == 0);
        CHECK(outcome.err.empty());
        return outcome.out;
    }
    /// What bash would be given at the end of that line.
    std::string bash(const std::string& line, const std::string& word) const {
        return answer("/bin/bash", {"--norc", "-c", R"(source <(qconn completion bash); compopt() { echo "compopt $*"; }
COMP_LINE=$1 COMP_POINT=${#1}; _qconn qconn "$2" ""; for one in "${COMPREPLY[@]}"; do echo "$one"; done)",
                                    "bash", line, word});
    }
    std::string fish(const std::string& line) const {
        return answer("/usr/bin/fish", {"--no-config", "-c", "qconn completion fish | source; complete -C $argv[1]", line});
    }
};

}  // namespace

TEST_CASE("bash completes commands, options, values, connections, schemes and operations", "[cli][integration]") {
    const ShellEstate estate;

    CHECK(estate.bash("qconn sche", "sche") == "schemes\nschema\n");
    CHECK(estate.bash("qconn ping --ti", "--ti") == "--timeout\n");
    CHECK(estate.bash("qconn show --format ", "") == "table\njson\nyaml\ncsv\n");
    CHECK(estate.bash("qconn check --format=s", "s") == "sarif\n");
    CHECK(estate.bash("qconn show sh", "sh") == "shop-api\n");
    CHECK(estate.bash("qconn show o", "o") == "o\\ d\\$d:x\n");
    CHECK(estate.bash("qconn show 'o d$d:x", "x") == "x\n");
    CHECK(estate.bash("qconn schemes res", "res") == "rest\nrests\n");
    CHECK(estate.bash("qconn call inbox wr", "wr") == "write\n");
    CHECK(estate.bash("X=1 qconn --dir there show ", "") == "far-away\n");
    CHECK(estate.bash("qconn list --dir th", "th") == "compopt -o default\n");
}

TEST_CASE("completion is quiet where definitions cannot be read or words make no sense", "[cli][integration]") {
    const ShellEstate estate;
    estate.directory.write("broken.qconn.yaml", "type: [connection\n");

    CHECK(estate.bash("qconn show sh", "sh") == "shop-api\n");
    CHECK(estate.bash("qconn --dir nowhere show sh", "sh").empty());
    CHECK(estate.bash("qconn --module nothing show sh", "sh") == "shop-api\n");
    CHECK(estate.bash("qconn nonsense sh", "sh").empty());
    CHECK(estate.bash("qconn", "").empty());
    const Outcome bare = estate.run({"__complete"});
    CHECK(bare.code == 0);
    CHECK(bare.err.empty());
}

TEST_CASE("fish completes with what the words mean", "[cli][integration]") {
    const ShellEstate estate;

    CHECK(estate.fish("qconn show sho") == "shop-api\tfor a test\n");
    CHECK(has(estate.fish("qconn sche"), "schemes\tList the URL schemes"));
    CHECK(estate.fish("qconn ping --dep") == "--depth\tHow far; standard: as the monitor\n");
    CHECK(estate.fish("qconn --format=j") == "--format=json\n");
    CHECK(has(estate.fish("qconn show 'o d"), "o d$d:x"));
    CHECK(estate.fish("qconn --dir there show ") == "far-away\tfor a test\n");
    CHECK(has(estate.fish("qconn list --dir th"), "there/"));
}

TEST_CASE("a tab at the prompt of bash and zsh completes the name of a connection", "[cli][integration]") {
    const ShellEstate estate;
    const auto [program, arguments, load] = GENERATE(table<std::string, std::vector<std::string>, std::string>(
        {{"/bin/bash", {"--norc", "--noprofile", "-i"}, "source <(qconn completion bash)"},
         {"/usr/bin/zsh", {"-f", "-i"}, "autoload -Uz compinit && compinit -u -D && source <(qconn completion zsh)"}}));
    CAPTURE(program);
    Process shell{estate.shell(program, arguments, true)};
    shell.type(load + "; echo lo''aded\n");
    REQUIRE(shell.wait_for("loaded"));

    shell.type("qconn show sho\t\n");
    CHECK(shell.wait_for("rest://127.0.0.1:1"));

    shell.type("qconn show o\t--json\n");
    CHECK(shell.wait_for("\"file:///tmp\""));
}
