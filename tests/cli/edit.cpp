// SPDX-License-Identifier: Apache-2.0
// The commands that change definition files: set, add, remove, secrets.
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

const std::string k_shop =
    "# the shop\n"
    "type: connection   # always\n"
    "name: shop\n"
    "desc: 'Orders'\n"
    "url: rests://edi:C4nary-1@shop.example/v2\n"
    "options:\n"
    "     timeout: 30000   # slow\n"
    "     headers: {Accept: x, X-Api-Key: C4nary-2}\n";

struct ShopEstate : Estate {
    ShopEstate() { directory.write("shop.qconn.yaml", k_shop); }
    std::string text() const { return directory.read("shop.qconn.yaml"); }
    /// With that on standard input.
    Outcome type_in(const std::string& input, const std::string& arguments) const {
        return Process{{"/bin/sh", {"-c", "printf '" + input + "' | " + QCONN_TOOL + " " + arguments}, {}, directory.path(), false}}.finish();
    }
};

std::string replaced(std::string text, std::string_view what, std::string_view by) { return text.replace(text.find(what), what.size(), by); }

void check_silent(const Outcome& outcome) {
    INFO(outcome.out + outcome.err);
    CHECK_FALSE(has(outcome.out + outcome.err, "C4nary"));
}

std::size_t files_in(const std::string& directory) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{directory}) ++n;
    return n;
}

}  // namespace

TEST_CASE("set changes the lines that must change and no other byte", "[cli][integration]") {
    const ShopEstate estate;

    const Outcome outcome =
        estate.run({"set", "shop", "timeout=20000", "desc=Orders: all", "port=8443", "--keep-secret", "--unset", "proxy", "--unset", "enabled"});

    CHECK(outcome.out == "shop  changed in ./shop.qconn.yaml\n");
    CHECK(outcome.code == 0);
    check_silent(outcome);
    CHECK(estate.text() ==
          replaced(replaced(replaced(k_shop, "'Orders'", "'Orders: all'"), "30000 ", "20000 "), "shop.example/", "shop.example:8443/") +
              "     proxy: null\n");
    CHECK(estate.run({"set", "shop", "--remove", "proxy", "timeout=20000"}).code == 0);
    CHECK_FALSE(has(estate.text(), "proxy"));
    CHECK(has(estate.run({"set", "shop", "timeout=20000"}).out, "is so already"));
    CHECK(estate.run({"set", "shop", "headers.Accept=z", "tags.team=sales", "locked=false"}).code == 0);
    CHECK(has(estate.text(), "headers: {Accept: z, X-Api-Key: C4nary-2}\nlocked: false\ntags:\n     team: sales\n"));
    CHECK(files_in(estate.directory.path()) == 1);
}

TEST_CASE("set refuses what the scheme does not have or take, names what was meant, and writes nothing", "[cli][integration]") {
    const ShopEstate estate;

    const Outcome unknown = estate.run({"set", "shop", "desc=x", "tiemout=1"});
    CHECK(unknown.code == 2);
    CHECK(has(unknown.err, "did you mean 'timeout'?"));
    const Outcome bad = estate.run({"set", "shop", "desc=x", "timeout=30s"});
    CHECK(bad.code == 1);
    CHECK(has(bad.err, "write 30000"));
    CHECK(has(bad.err, "nothing was written"));
    check_silent(bad);
    const json error = json::parse(estate.run({"--json", "set", "shop", "timeout=30s"}).err);
    CHECK(error["error"]["diagnostics"][0]["code"] == "bad-integer");
    CHECK(estate.run({"set", "shop", "port=99999"}).code == 2);
    CHECK(estate.run({"set", "shop", "enabled=maybe"}).code == 2);
    CHECK(estate.run({"set", "shop", "url=gopher://x", "--keep-secret"}).code == 1);
    CHECK(estate.run({"set", "shop", "timeout"}).code == 2);
    CHECK(estate.run({"set", "shop"}).code == 2);
    CHECK(estate.run({"set", "shp", "desc=x"}).code == 3);
    CHECK(estate.text() == k_shop);
}

TEST_CASE("set --dry-run shows a unified diff in which secrets are masked, and writes nothing", "[cli][integration]") {
    const ShopEstate estate;

    const Outcome outcome = estate.run({"set", "shop", "timeout=1", "--dry-run"});

    check_silent(outcome);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out,
              "--- ./shop.qconn.yaml\n+++ ./shop.qconn.yaml\n@@ -4,5 +4,5 @@\n desc: 'Orders'\n url: rests://edi:<masked>@shop.example/v2\n"));
    CHECK(has(outcome.out, "-     timeout: 30000"));
    CHECK(has(outcome.out, "+     timeout: 1 "));
    CHECK(json::parse(estate.run({"set", "shop", "timeout=1", "--dry-run", "--json"}).out)["changed"] == true);
    CHECK(estate.text() == k_shop);
}

TEST_CASE("a connection that is led to another host does not take its secrets along", "[cli][integration]") {
    const ShopEstate estate;

    for (const char* change : {"host=evil.example", "url=rests://edi@evil.example", "scheme=rest", "port=8443", "proxy=http://evil.example:3128"}) {
        const Outcome outcome = estate.run({"set", "shop", change});
        INFO(change);
        check_silent(outcome);
        CHECK(outcome.code == 1);
        CHECK(has(outcome.err, "SECRET-WOULD-MOVE"));
        CHECK(has(outcome.err, "headers.X-Api-Key"));
        CHECK(estate.text() == k_shop);
    }
    CHECK(estate.run({"set", "shop", "host=new.example", "password=${env:NEW}"}).code == 1);  // the key in the headers is left
    CHECK(estate.type_in("C4nary-3\\n", "set shop host=new.example --password-stdin --remove headers.X-Api-Key").code == 0);
    CHECK(has(estate.text(), "rests://edi:C4nary-3@new.example/v2"));
    CHECK(estate.run({"set", "shop", "host=shop.example", "--keep-secret"}).code == 0);
    CHECK(has(estate.text(), "rests://edi:C4nary-3@shop.example/v2"));
    CHECK(estate.run({"set", "shop", "password=${env:SHOP}"}).code == 0);
    CHECK(estate.run({"set", "shop", "host=evil.example"}).code == 1);  // what a reference gives would go there too
    CHECK(estate.run({"set", "shop", "port=8443"}).code == 1);
    CHECK(estate.run({"set", "shop", "path=/v3", "port=443"}).code == 0);  // as before, now written out
    CHECK(estate.run({"set", "shop", "proxy=http://proxy.example:3128", "--keep-secret"}).code == 0);
    CHECK(estate.run({"set", "shop", "proxy=http://u:${env:P}@proxy.example:3128"}).code == 0);  // the same one
    CHECK(estate.run({"set", "shop", "--remove", "proxy"}).code == 0);
}

TEST_CASE("a secret on the command line is warned of, one from standard input is not", "[cli][integration]") {
    const ShopEstate estate;

    const Outcome seen = estate.run({"set", "shop", "password=C4nary-4"});
    CHECK(seen.code == 0);
    CHECK(has(seen.err, "stood on the command line"));
    check_silent(seen);
    const Outcome unseen = estate.type_in("C4nary: #5\\n", "set shop password=-");
    CHECK(unseen.code == 0);
    CHECK(unseen.err.empty());
    check_silent(unseen);
    CHECK(has(estate.text(), "url: \"rests://edi:C4nary: #5@shop.example/v2\""));
    CHECK(estate.run({"set", "shop", "password=-"}).code == 2);  // nothing comes
    // A reference is none, also one of a provider that only the program has.
    CHECK_FALSE(has(estate.run({"set", "shop", "password=${vault:shop}"}).err, "stood on the command line"));
    CHECK_FALSE(has(estate.run({"set", "shop", "password=${local:x}"}).err, "stood on the command line"));
    CHECK(has(estate.run({"set", "shop", "password=${vault:shop}C4n"}).err, "stood on the command line"));
}

TEST_CASE("at a terminal the secret for another host is asked for and not shown", "[cli][integration]") {
    const ShopEstate estate;
    estate.directory.write("shop.qconn.yaml", replaced(k_shop, ", X-Api-Key: C4nary-2", ""));
    Launch launch = estate.launch({"set", "shop", "host=new.example"}, {"TERM=xterm"});
    launch.terminal = true;
    {
        Process process{launch};
        CHECK(process.wait_for("goes from rests://shop.example:443 to rests://new.example:443"));
        CHECK(process.wait_for("The new url.password of shop: "));
        process.type("C4nary-Y\x7FX\r");
        const Outcome outcome = process.finish();
        check_silent(outcome);
        CHECK(outcome.code == 0);
        CHECK(has(estate.text(), "rests://edi:C4nary-X@new.example/v2"));
    }
    const std::string before = estate.text();
    launch.arguments.back() = "host=other.example";
    {
        Process process{launch};
        CHECK(process.wait_for("The new url.password of shop: "));
        process.type("half\x03");
        CHECK(process.finish().code == 2);
        CHECK(estate.text() == before);
    }
    {
        Process process{launch};
        CHECK(process.wait_for("The new url.password of shop: "));
        estate.directory.write("shop.qconn.yaml", before + "# by somebody else\n");
        process.type("C4nary-Z\r");
        const Outcome outcome = process.finish();
        CHECK(outcome.code == 1);
        CHECK(has(outcome.out, "FILE-CHANGED"));
        CHECK(estate.text() == before + "# by somebody else\n");
    }
}

TEST_CASE("a file keeps its mode, a link stays one, and a disk that is full leaves the old file", "[cli][integration]") {
    const ShopEstate estate;
    const std::string path = estate.directory / "shop.qconn.yaml";
    estate.directory.write("real/shop.yaml", k_shop);
    std::filesystem::remove(path);
    std::filesystem::create_symlink("real/shop.yaml", path);
    REQUIRE(::chmod((estate.directory / "real/shop.yaml").c_str(), 0640) == 0);

    CHECK(estate.run({"set", "shop", "timeout=1"}).code == 0);

    CHECK(std::filesystem::is_symlink(path));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0640);
    const std::string before = estate.text();
    CHECK(before == replaced(k_shop, "30000", "1"));

    const std::string full = std::string{"trap '' XFSZ; ulimit -f 0; exec "} + QCONN_TOOL + " set shop timeout=2";
    const Outcome outcome = Process{{"/bin/sh", {"-c", full}, {}, estate.directory.path(), false}}.finish();
    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "SYSTEM-ERROR"));
    CHECK(estate.text() == before);
    CHECK(files_in(estate.directory / "real") == 1);
}

TEST_CASE("a locked connection is changed and removed by nobody until it is unlocked", "[cli][integration]") {
    const ShopEstate estate;
    REQUIRE(estate.run({"set", "shop", "locked=true"}).code == 0);

    CHECK(has(estate.run({"set", "shop", "timeout=1"}).err, "CONNECTION-LOCKED"));
    CHECK(estate.run({"set", "shop", "timeout=1", "locked=false"}).code == 1);
    CHECK(estate.run({"remove", "shop", "--yes"}).code == 1);
    CHECK(estate.run({"secrets", "extract", "shop", "--to", "env:x.env"}).code == 1);
    CHECK(estate.text() == k_shop + "locked: true\n");
    CHECK(estate.run({"set", "shop", "locked=false"}).code == 0);
    CHECK(estate.run({"set", "shop", "timeout=1"}).code == 0);
}

TEST_CASE("add makes a file of its own or appends, checks first and takes no name twice", "[cli][integration]") {
    const Estate estate;

    CHECK(estate.run({"add", "inbox", "file:///tmp", "readonly=true", "--desc", "What comes in"}).out == "inbox  added to ./inbox.qconn.yaml\n");
    CHECK(estate.directory.read("inbox.qconn.yaml") ==
          "type: connection\nname: inbox\ndesc: What comes in\nurl: file:///tmp\noptions:\n  readonly: true\n");
    CHECK(has(estate.run({"add", "inbox", "file:///var"}).err, "already"));
    CHECK(estate.run({"add", "out", "file:///tmp", "readonly=maybe"}).code == 1);
    CHECK(has(estate.run({"add", "out", "file:///tmp", "readnly=true"}).err, "did you mean 'readonly'?"));
    CHECK(estate.run({"add", "out", "gopher://x"}).code == 1);
    CHECK(estate.run({"add", "out"}).code == 2);
    CHECK(files_in(estate.directory.path()) == 1);

    CHECK(estate.run({"add", "out", "file:///var", "--file", "inbox.qconn.yaml"}).code == 0);
    CHECK(has(estate.directory.read("inbox.qconn.yaml"), "readonly: true\n---\ntype: connection\nname: out\n"));
    const Outcome secret = estate.run({"add", "api", "rest://u:C4nary-9@127.0.0.1"});
    CHECK(secret.code == 0);
    check_silent(secret);
    struct stat status {};
    REQUIRE(::stat((estate.directory / "api.qconn.yaml").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(estate.run({"check"}).code == 0);
}

TEST_CASE("remove --dry-run shows what would go, without secrets, and asks and writes nothing", "[cli][integration]") {
    const ShopEstate estate;

    const Outcome shown = estate.run({"remove", "shop", "--dry-run"});
    check_silent(shown);
    CHECK(shown.code == 0);
    CHECK(has(shown.out, "\n@@ -1,8 +0,0 @@\n"));
    CHECK(has(shown.out, "\n-name: shop\n"));
    const json document = json::parse(estate.run({"remove", "shop", "--dry-run", "--json"}).out);
    CHECK(document["dry_run"] == true);
    CHECK(document["file_removed"] == false);
    CHECK(document["diff"] == shown.out);
    CHECK(estate.text() == k_shop);

    Launch launch = estate.launch({"remove", "shop", "--dry-run"}, {"TERM=xterm"});
    launch.terminal = true;
    CHECK(Process{launch}.finish().code == 0);
}

TEST_CASE("remove takes a document out of its file, and the file with the last one", "[cli][integration]") {
    const ShopEstate estate;
    REQUIRE(estate.run({"add", "other", "file:///tmp", "--file", "shop.qconn.yaml"}).code == 0);

    CHECK(estate.run({"remove", "other", "--yes"}).out == "other  removed from ./shop.qconn.yaml\n");
    CHECK(estate.text() == k_shop);
    Launch launch = estate.launch({"remove", "shop"}, {"TERM=xterm"});
    launch.terminal = true;
    {
        Process process{launch};
        CHECK(process.wait_for("[y/N] "));
        process.type("n\r");
        CHECK(process.finish().code == 2);
        CHECK(estate.text() == k_shop);
    }
    Process process{launch};
    CHECK(process.wait_for("[y/N] "));
    process.type("y\r");
    CHECK(process.finish().code == 0);
    CHECK(files_in(estate.directory.path()) == 0);
    CHECK(estate.run({"remove", "shop"}).code == 3);
}

TEST_CASE("secrets audit lists literal secrets with their places and never their values", "[cli][integration]") {
    const ShopEstate estate;
    REQUIRE(::chmod((estate.directory / "shop.qconn.yaml").c_str(), 0600) == 0);
    estate.add("clean", "rest://u:${env:X}@127.0.0.1", "options:\n  headers: {X-Token: '${file:/x}'}\n");

    const Outcome text = estate.run({"secrets", "audit"});
    CHECK(text.code == 1);
    check_silent(text);
    CHECK(text.out ==
          "./shop.qconn.yaml:5:18: shop: url.password holds a literal secret\n"
          "./shop.qconn.yaml:8:38: shop: options.headers.X-Api-Key holds a literal secret\n"
          "2 literal secrets in 2 files\n");
    REQUIRE(::chmod((estate.directory / "shop.qconn.yaml").c_str(), 0644) == 0);
    const json list = json::parse(estate.run({"secrets", "audit", "--json"}).out);
    REQUIRE(list.size() == 3);
    CHECK(list[0] ==
          json{{"kind", "literal"}, {"file", "./shop.qconn.yaml"}, {"line", 5}, {"column", 18}, {"connection", "shop"}, {"where", "url.password"}});
    CHECK(list[2]["kind"] == "readable-by-all");
    CHECK(estate.run({"secrets", "audit", "clean.qconn.yaml"}).code == 0);
    REQUIRE(::chmod(estate.directory.write("keys/token", "C4nary-8").c_str(), 0644) == 0);
    estate.add("clean", "rest://u:${env:X}@127.0.0.1", "options:\n  headers: {X-Token: '${file:keys/token}'}\n");
    const json target = json::parse(estate.run({"secrets", "audit", "clean.qconn.yaml", "--json"}).out);
    REQUIRE(target.size() == 1);
    CHECK(target[0]["kind"] == "readable-by-all");
    CHECK(target[0]["connection"] == "clean");
    CHECK(has(estate.run({"secrets", "audit", "clean.qconn.yaml"}).out, "refers to the file ./keys/token"));
    REQUIRE(::chmod((estate.directory / "keys/token").c_str(), 0640) == 0);
    CHECK(estate.run({"secrets", "audit", "clean.qconn.yaml"}).code == 0);
    CHECK(estate.run({"secrets", "audit", "nowhere"}).code == 3);
    estate.directory.write("broken.qconn.yaml", "password: \"C4nary\n");
    const Outcome broken = estate.run({"secrets", "audit", "broken.qconn.yaml"});
    CHECK(broken.code == 1);
    check_silent(broken);
}

TEST_CASE("files of the legacy form are searched for secrets, and not changed", "[cli][integration]") {
    const Estate estate;
    const std::string text = "old = (\n  desc = d,\n  url = rest://u:C4nary-1@127.0.0.1,\n)\n";
    estate.directory.write("old.qconn", text);

    const Outcome audit = estate.run({"secrets", "audit"});
    check_silent(audit);
    CHECK(audit.code == 1);
    CHECK(has(audit.out, "./old.qconn:1:1: old: url.password holds a literal secret\n"));
    for (const auto& command :
         {std::vector<std::string>{"set", "old", "desc=x"}, {"remove", "old", "--yes"}, {"secrets", "extract", "old", "--to", "env:x"}}) {
        const Outcome outcome = estate.run(command);
        CHECK(outcome.code == 1);
        CHECK(has(outcome.err, "legacy form"));
        CHECK(has(outcome.err, "qconn import legacy FILE --output DIR"));
    }
    const Outcome all = estate.run({"secrets", "extract", "--all", "--to", "env:x"});
    CHECK(all.code == 1);
    CHECK(has(all.out, "old    stays: its file is of the legacy form\n0 secrets moved\n"));
    CHECK(estate.run({"add", "new", "file:///tmp", "--file", "old.qconn"}).code == 2);
    CHECK(estate.directory.read("old.qconn") == text);
    CHECK(estate.run({"add", "a/b", "file:///tmp"}).out == "a/b  added to ./a_b.qconn.yaml\n");
}

TEST_CASE("secrets extract puts references in the place of literals, whole or not at all", "[cli][integration]") {
    const ShopEstate estate;
    std::filesystem::create_directory(estate.directory / "keys");
    const std::string keys = std::filesystem::canonical(estate.directory / "keys").string();

    const Outcome dry = estate.run({"secrets", "extract", "--all", "--to", "file:keys", "--dry-run"});
    check_silent(dry);
    CHECK(estate.text() == k_shop);
    const Outcome outcome = estate.run({"secrets", "extract", "shop", "--to", "file:keys"});
    check_silent(outcome);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "2 secrets moved to "));
    CHECK(estate.text() == replaced(replaced(k_shop, "C4nary-1", "${file:" + keys + "/shop.url.password}"), "C4nary-2",
                                    "\"${file:" + keys + "/shop.headers.X-Api-Key}\""));
    CHECK(estate.directory.read("keys/shop.url.password") == "C4nary-1\n");
    CHECK(estate.directory.read("keys/shop.headers.X-Api-Key") == "C4nary-2\n");
    struct stat status {};
    REQUIRE(::stat((keys + "/shop.url.password").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(estate.run({"secrets", "audit"}).out == "0 literal secrets in 1 file\n");

    const ShopEstate other;
    CHECK(other.run({"secrets", "extract", "--all", "--to", "env:shop.env"}).code == 0);
    CHECK(other.directory.read("shop.env") == "SHOP_URL_PASSWORD=C4nary-1\nSHOP_HEADERS_X_API_KEY=C4nary-2\n");
    CHECK(has(other.text(), "rests://edi:${env:SHOP_URL_PASSWORD}@shop.example/v2"));
    CHECK(other.run({"check"}).code == 0);
}

TEST_CASE("secrets extract leaves all as it was where it cannot be tried out or written", "[cli][integration]") {
    const ShopEstate estate;
    std::filesystem::create_directory(estate.directory / "keys");
    const std::string text = "type: connection\nname: z\ndesc: d\nurl: rest://${env:QCONN_TEST_NO_SUCH}:C4nary-7@127.0.0.1\n";
    estate.directory.write("z.qconn.yaml", text);

    const Outcome untried = estate.run({"secrets", "extract", "--all", "--to", "file:keys"});
    CHECK(untried.code == 1);
    CHECK(has(untried.err, "QCONN_TEST_NO_SUCH"));
    check_silent(untried);
    CHECK(estate.text() == k_shop);
    CHECK(files_in(estate.directory / "keys") == 0);

    estate.directory.write("keys/shop.url.password", "mine");
    CHECK(estate.run({"secrets", "extract", "shop", "--to", "file:keys"}).code == 1);
    CHECK(estate.directory.read("keys/shop.url.password") == "mine");
    CHECK(estate.text() == k_shop);
    CHECK(estate.run({"secrets", "extract", "--all", "--to", "env:z.qconn.yaml"}).code == 2);
    CHECK(estate.run({"secrets", "extract", "--all", "--to", "nowhere"}).code == 2);
    CHECK(estate.run({"secrets", "extract", "--to", "env:x"}).code == 2);
}
