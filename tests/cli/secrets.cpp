// SPDX-License-Identifier: Apache-2.0
// A secret planted in every place that can hold one appears in no output of any command, whatever goes wrong.
#include <csignal>
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn::test;

namespace {

constexpr std::string_view k_canary = "C4nary-7f3a";
// base64 of "edi:C4nary-7f3a", as in an Authorization header, and the text percent-encoded by a careless caller.
constexpr std::string_view k_basic = "ZWRpOkM0bmFyeS03ZjNh";
constexpr std::string_view k_encoded = "C4nary%2D7f3a";

/// Good, failing and broken definitions that all hold the canary.
struct SecretEstate : Estate {
    explicit SecretEstate(const Server& nginx) {
        const std::string canary{k_canary};
        const std::string http = nginx.address();
        const std::string tls = "127.0.0.1:" + std::to_string(nginx.port2());
        const std::string nowhere = "127.0.0.1:" + std::to_string(free_port());
        directory.write("canary.txt", canary + "\n");

        // Those that work or fail at the remote end.
        add("url", "rest://edi:" + canary + "@" + http + "/auth");
        add("url-dead", "rest://edi:" + canary + "@" + nowhere);
        add("url-tls", "rests://edi:" + canary + "@" + tls);
        add("option", "rest://" + http + "/auth", "options:\n  username: edi\n  password: " + canary + "\n");
        add("token", "rest://" + http + "/token", "options:\n  token: " + canary + "\n");
        add("header", "rest://" + http + "/token", "options:\n  headers: {Authorization: 'Bearer " + canary + "', X-Api-Key: " + canary + "}\n");
        add("env", "rest://edi:${env:QCONN_TEST_CANARY}@" + http + "/auth");
        add("file", "rest://edi:${file:" + directory / "canary.txt" + "}@" + http + "/auth");
        add("cmd", "rest://edi:${cmd:cat canary.txt}@" + http + "/auth");
        add("cmd-fails", "rest://edi:${cmd:sh -c 'cat canary.txt; cat canary.txt >&2; exit 1'}@" + http + "/auth");
        add("cmd-dead", "rest://${cmd:cat canary.txt}:x@" + nowhere);
        add("unknown", "rest://" + http, "options:\n  password: ${vault:" + canary + "}\n");
        add("proxy", "rest://" + http, "options:\n  proxy: http://edi:" + canary + "@" + nowhere + "\n");
        add("key", "rests://" + tls, "options:\n  ssl_key_password: " + canary + "\n  ssl_cert_path: /no/such/file\n  ssl_key_path: /no/such/file\n");
        add("ping", "rest://edi:" + canary + "@" + http, "options:\n  ping_method: GET\n  ping_path: status/401\n");

        // Those that cannot be used.
        add("bad-port", "rest://edi:" + canary + "@host:99999/");
        add("bad-type", "rest://" + http, "options:\n  password: [" + canary + "]\n");
        add("bad-map", "rest://" + http, "options:\n  token: {type: int, value: " + canary + "}\n");
        add("misspelt", "rest://" + http, "options:\n  pasword: " + canary + "\n  tokn: " + canary + "\n");
        add("bad-scheme", "gopher://edi:" + canary + "@" + http);
        add("cut", "http://edi:" + canary + " #x@host/");
        add("control", "\"http://edi:" + canary + "@host\\x01/\"");
        directory.write("broken.qconn.yaml",
                        "type: connection\nname: broken\nurl: rest://edi:" + canary + "@host\noptions:\n  password: \"" + canary + "\n");
        directory.write("twice.qconn.yaml", "type: connection\nname: twice\ndesc: d\nurl: rest://host\noptions:\n  password: " + canary +
                                                "\n  password: " + canary + "\n");
    }
};

void check_clean(const std::vector<std::string>& arguments, const Outcome& outcome) {
    std::string command;
    for (const std::string& argument : arguments) (command += argument) += ' ';
    CAPTURE(command);
    for (const std::string* text : {&outcome.out, &outcome.err}) {
        for (const std::string_view secret : {k_canary, k_basic, k_encoded}) {
            const auto at = text->find(secret);
            if (at != std::string::npos) FAIL_CHECK("leaked: " << text->substr(at > 200 ? at - 200 : 0, 300));
        }
    }
    CHECK((outcome.code == 0 || outcome.code == 1));
}

}  // namespace

TEST_CASE("no command shows a secret, as text or JSON, in success or failure", "[cli][integration]") {
    Server nginx{"nginx"};
    const SecretEstate estate{nginx};
    const std::vector<std::string> environment{"QCONN_TEST_CANARY=" + std::string{k_canary}, "QCONN_ALLOW_COMMANDS=1"};
    const auto both = [&](std::vector<std::string> arguments) {
        const Outcome text = estate.run(arguments, environment);
        check_clean(arguments, text);
        arguments.emplace_back("--json");
        const Outcome machine = estate.run(arguments, environment);
        check_clean(arguments, machine);
        if (!machine.out.empty() && arguments.front() != "monitor") CHECK(nlohmann::json::accept(machine.out));
        return machine;
    };

    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"check", "--format", "sarif"},
                                                                                           {"check", "--format", "csv"},
                                                                                           {"list", "--format", "csv"},
                                                                                           {"list", "--format", "yaml"},
                                                                                           {"show", "option", "--format", "csv"},
                                                                                           {"graph", "--format", "dot"},
                                                                                           {"__complete", "fish", "--", "show", ""}})
        check_clean(arguments, estate.run(arguments, environment));
    both({"check"});
    both({"graph"});
    both({"doctor"});
    const auto list = nlohmann::json::parse(both({"list"}).out);
    both({"ping", "--all", "--timeout", "5s"});
    both({"ping", "--all", "--timeout", "5s", "--depth", "full"});
    both({"monitor", "--interval", "100ms", "--for", "1s"});
    CHECK(list.size() >= 18);
    for (const auto& entry : list) {
        const std::string name = entry["name"];
        both({"show", name});
        both({"explain", name, "--timeout", "5s"});
        both({"set", name, "desc=x", "--dry-run"});
    }
    for (const char* name : {"url", "url-dead", "url-tls", "option", "token", "header", "env", "file", "cmd", "cmd-fails", "proxy", "key", "bad-port",
                             "bad-type", "misspelt"}) {
        both({"call", name, "get", "hello.txt", "--timeout", "5s"});
    }
    both({"call", "url", "get", "../status/401"});
    both({"secrets", "audit"});
    both({"secrets", "extract", "--all", "--to", "file:.", "--dry-run"});
}

TEST_CASE("a secret that is missing is a failure of its connection, named by its reference", "[cli][integration]") {
    const Estate estate;
    estate.add("api", "rest://edi:${env:QCONN_TEST_NO_SUCH}@127.0.0.1:1");
    estate.add("files", "file://" + estate.directory.path());

    CHECK(estate.run({"check"}).code == 0);
    const Outcome outcome = estate.run({"explain", "api"});
    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "QCONN_TEST_NO_SUCH"));
    CHECK(has(outcome.out, "set the variable"));
    CHECK(estate.run({"ping", "files"}).code == 0);
}

TEST_CASE("commands of definitions are run only where that is allowed", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    const std::string ran = estate.directory / "ran";
    estate.directory.write("password", "secret");
    estate.add("api", "rest://" + nginx.address() + "/auth/hello.txt",
               "options:\n  username: test\n  password: ${cmd:sh -c 'echo x > ran; cat password'}\n");

    const Outcome refused = estate.run({"check"});
    INFO(refused.out + refused.err);
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "[secret-command]"));
    CHECK(has(refused.out, "--allow-commands"));
    CHECK(estate.run({"ping", "api"}).code == 1);
    CHECK(read_file(ran).empty());

    CHECK(estate.run({"check", "--allow-commands"}).code == 0);
    CHECK(estate.run({"show", "api", "--allow-commands"}).code == 0);
    CHECK(read_file(ran).empty());  // looked at without being run
    const Outcome pinged = estate.run({"--allow-commands", "ping", "api"});
    CAPTURE(pinged.out, pinged.err);
    CHECK(read_file(ran) == "x\n");
    CHECK(estate.run({"ping", "api"}, {"QCONN_ALLOW_COMMANDS=1"}).code == pinged.code);
    CHECK(estate.run({"ping", "api"}, {"QCONN_ALLOW_COMMANDS=0"}).code == 1);
}

TEST_CASE("explain says why a command gave no secret, and nothing of what it printed", "[cli][integration]") {
    const Estate estate;
    estate.add("api", "rest://edi:${cmd:sh -c 'echo half; exit 9'}@127.0.0.1:1");

    const Outcome outcome = estate.run({"explain", "api", "--allow-commands"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "ended with status 9"));
    CHECK(has(outcome.out, "run it by hand"));
}
