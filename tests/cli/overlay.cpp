// SPDX-License-Identifier: Apache-2.0
// The tool with a private file of secrets beside shared definitions.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

struct OverlayEstate : Estate {
    explicit OverlayEstate(std::string_view secrets) { put(secrets); }
    void put(std::string_view secrets, mode_t mode = 0600) const { REQUIRE(::chmod(directory.write("secrets.yaml", secrets).c_str(), mode) == 0); }
    Outcome with(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--secrets", "secrets.yaml"});
        const Outcome outcome = run(arguments);
        CHECK_FALSE(has(outcome.out + outcome.err, "C4nary"));
        return outcome;
    }
    std::string text(std::string_view name) const { return directory.read(std::string{name} + ".qconn.yaml"); }
};

}  // namespace

TEST_CASE("a connection works with the secret of a private file, and show says where it is from", "[cli][overlay][integration]") {
    Server nginx{"nginx"};
    const std::string user{k_user};
    const OverlayEstate estate{"shop:\n  password: " + std::string{k_password} + "\nwrong:\n  url.password: C4nary-2\n"};
    estate.add("shop", "rest://" + nginx.address() + "/auth", "options:\n  username: " + user + "\n");
    estate.add("wrong", "rest://" + user + "@" + nginx.address() + "/auth");

    CHECK(estate.run({"check"}).code == 1);
    CHECK(estate.with({"check"}).code == 0);
    CHECK(estate.run({"check"}, {"QCONN_SECRETS=secrets.yaml"}).code == 0);
    estate.directory.write("settings.yaml", "type: settings\nregistry:\n  secrets_file: secrets.yaml\n");
    CHECK(estate.run({"--settings", "settings.yaml", "check"}).code == 0);
    const Outcome shown = estate.with({"show", "shop"});
    CHECK(has(shown.out, "overlay secrets.yaml:2"));
    CHECK(has(shown.out, "${local:password}"));
    CHECK(json::parse(estate.with({"show", "wrong", "--json"}).out)["local_secrets"] == json{{"url.password", "secrets.yaml:4"}});
    CHECK(estate.with({"call", "shop", "get", "hello.txt"}).code == 0);
    const Outcome refused = estate.with({"call", "wrong", "get", "hello.txt"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "401"));
}

TEST_CASE("a private file that others can read, or that is not there, ends commands before they do anything", "[cli][overlay][integration]") {
    const OverlayEstate estate{"shop:\n  password: C4nary-1\n"};
    estate.add("shop", "rest://127.0.0.1:1", "options:\n  username: u\n");
    estate.put("shop:\n  password: C4nary-1\n", 0644);

    for (const char* command : {"list", "show shop"}) {
        std::vector<std::string> words{command};
        if (const auto blank = words[0].find(' '); blank != std::string::npos) words = {words[0].substr(0, blank), words[0].substr(blank + 1)};
        const Outcome outcome = estate.with(words);
        CHECK(outcome.code == 1);
        CHECK(has(outcome.err, "chmod 600 secrets.yaml"));
    }
    const Outcome checked = estate.with({"check"});
    CHECK(checked.code == 1);
    CHECK(has(checked.out, "secrets.yaml: error: "));
    const json audit = json::parse(estate.with({"secrets", "audit", "--json"}).out);
    REQUIRE(audit.size() == 1);
    CHECK(audit[0]["kind"] == "readable-by-others");
    CHECK(audit[0]["file"] == "secrets.yaml");
    estate.put("shop: [C4nary-1\n");
    CHECK(has(estate.with({"list"}).err, "secrets.yaml:"));
    CHECK(json::parse(estate.with({"secrets", "audit", "--json"}).out)[0]["kind"] == "unreadable");
    CHECK(estate.run({"--secrets", "nowhere.yaml", "list"}).code == 3);
}

TEST_CASE("entries that fit nothing are findings of check, with their lines but for the secrets", "[cli][overlay][integration]") {
    const OverlayEstate estate{"shop:\n  pasword: C4nary-1\nshup:\n  password: C4nary-2\n"};
    estate.add("shop", "rest://127.0.0.1:1");

    const Outcome outcome = estate.with({"check"});
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "secrets.yaml:2:3: error: "));
    CHECK(has(outcome.out, "   2 |   pasword: …\n     |   ^^^^^^^\n     = hint: did you mean 'password'?"));
    CHECK(has(outcome.out, "secrets.yaml:3:1: warning: there is no connection 'shup'"));
}

TEST_CASE("edits keep what a private file gives out of the definitions, and to the remote end that it was given for", "[cli][overlay][integration]") {
    const OverlayEstate estate{"shop:\n  url.password: C4nary-1\n"};
    estate.add("shop", "rest://edi@shop.example/v2");

    CHECK(estate.with({"set", "shop", "timeout=5000"}).code == 0);
    CHECK_FALSE(has(estate.text("shop"), "local"));
    const std::string before = estate.text("shop");
    for (const char* change : {"host=evil.example", "port=8080", "proxy=http://evil.example:1"}) {
        INFO(change);
        const Outcome moved = estate.with({"set", "shop", change});
        CHECK(moved.code == 1);
        CHECK(has(moved.err, "SECRET-WOULD-MOVE"));
        CHECK(has(moved.err, "secrets.yaml:2"));
        CHECK(estate.text("shop") == before);
        CHECK(estate.with({"set", "shop", change, "--password-stdin"}).code == 1);
    }
    CHECK(estate.with({"set", "shop", "port=8080", "--keep-secret"}).code == 0);
    const Outcome unused = estate.with({"set", "shop", "url=rest://edi:own@shop.example:8080/v2", "--keep-secret"});
    CHECK(unused.code == 0);
    CHECK(has(unused.err, "note: secrets.yaml:2:3: "));
}

TEST_CASE("add takes a definition that is whole with the private file", "[cli][overlay][integration]") {
    const OverlayEstate estate{"new:\n  password: C4nary-1\n"};
    estate.add("other", "file:///tmp");

    CHECK(estate.run({"add", "new", "rest://127.0.0.1:1", "username=edi"}).code == 1);
    CHECK(estate.with({"add", "new", "rest://127.0.0.1:1", "username=edi"}).code == 0);
    CHECK_FALSE(has(estate.text("new"), "local"));
    CHECK(estate.with({"check"}).code == 0);
}

TEST_CASE("secrets extract moves literals into a private file, whole or not at all", "[cli][overlay][integration]") {
    const OverlayEstate estate{"# mine\nshop:\n    token: t  # kept\n"};
    const std::string shop =
        "type: connection\nname: shop\ndesc: Orders   # all of them\nurl: rests://edi:C4nary-1@shop.example/v2\noptions:\n"
        "  headers: {Accept: x, X-Api-Key: C4nary-2}\n  proxy: http://u:C4nary-3@proxy.example:3128\n";
    estate.directory.write("shop.qconn.yaml", shop);
    const std::string query = "type: connection\nname: query\ndesc: d\nurl: rests://shop.example/v2?token=C4nary-4\n";
    estate.directory.write("query.qconn.yaml", query);

    CHECK(estate.with({"secrets", "extract", "--all", "--to", "overlay", "--dry-run"}).code == 1);
    CHECK(estate.text("shop") == shop);
    const Outcome outcome = estate.with({"secrets", "extract", "shop", "--to", "overlay"});
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "3 secrets moved to secrets.yaml"));
    CHECK(estate.text("shop") ==
          "type: connection\nname: shop\ndesc: Orders   # all of them\nurl: rests://edi@shop.example/v2\noptions:\n"
          "  headers: {Accept: x}\n  proxy: http://u@proxy.example:3128\n");
    const std::string secrets = estate.directory.read("secrets.yaml");
    CHECK(has(secrets, "# mine\nshop:\n"));
    for (const char* line : {"    url.password: \"C4nary-1\"\n", "    headers.X-Api-Key: \"C4nary-2\"\n", "    proxy.password: \"C4nary-3\"\n",
                             "    token: t  # kept\n"})
        CHECK(has(secrets, line));
    struct stat status {};
    REQUIRE(::stat((estate.directory / "secrets.yaml").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);

    // What has no place there stays, and is told of.
    const Outcome left = estate.with({"secrets", "extract", "query", "--to", "overlay:other.yaml"});
    CHECK(left.code == 1);
    CHECK(has(left.out, "has no place for it"));
    CHECK(estate.text("query") == query);
    CHECK(estate.directory.read("other.yaml").empty());
    CHECK(estate.run({"secrets", "extract", "query", "--to", "overlay"}).code == 2);
}

TEST_CASE("secrets extract makes a private file for its owner alone, and leaves none where it cannot be tried out", "[cli][overlay][integration]") {
    const Estate estate;
    estate.add("shop", "rests://edi:C4nary-1@shop.example/v2");
    const Outcome made = estate.run({"--secrets", "new.yaml", "secrets", "extract", "--all", "--to", "overlay"});
    INFO(made.out + made.err);
    CHECK(made.code == 0);
    CHECK(estate.directory.read("new.yaml") == "shop:\n  url.password: \"C4nary-1\"\n");
    struct stat status {};
    REQUIRE(::stat((estate.directory / "new.yaml").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(estate.run({"--secrets", "new.yaml", "check"}).code == 0);

    estate.add("other", "rests://${env:QCONN_TEST_NO_SUCH}:C4nary-2@shop.example/v2");
    CHECK(estate.run({"secrets", "extract", "other", "--to", "overlay:untried.yaml"}).code == 1);
    CHECK(estate.directory.read("untried.yaml").empty());
    CHECK(has(estate.directory.read("other.qconn.yaml"), "C4nary-2"));
    CHECK(estate.run({"secrets", "extract", "other", "--to", "overlay:new.yaml"}).code == 1);
    CHECK(estate.directory.read("new.yaml") == "shop:\n  url.password: \"C4nary-1\"\n");
}
