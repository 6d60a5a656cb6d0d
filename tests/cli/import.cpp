// SPDX-License-Identifier: Apache-2.0
// `qconn import`: files, standard output, secrets, exit codes.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

/// An export of Airflow with two connections, one secret and one loss.
struct Sources : Estate {
    Sources() {
        directory.write("airflow.json", R"({
  "shop": {"conn_type": "http", "host": "shop.example", "schema": "https", "login": "edi", "password": "Hidden-1"},
  "lake": {"conn_type": "fs", "extra": {"path": "/tmp", "mood": "Hidden-2"}}
}
)");
    }
    std::string content(const std::string& path) const {
        std::ifstream in{directory / path};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    mode_t mode(const std::string& path) const {
        struct stat status {};
        return ::stat((directory / path).c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
    }
};

}  // namespace

TEST_CASE("import writes a file a connection that check finds nothing in, and says which variables to set", "[cli][integration]") {
    const Sources sources;

    const Outcome made = sources.run({"import", "airflow", "airflow.json", "--output", "new/connections"});
    INFO(made.out << made.err);
    CHECK(made.code == 0);
    CHECK(has(made.out, "new/connections/shop.qconn.yaml\n"));
    CHECK(has(made.out, "new/connections/lake.qconn.yaml\n"));
    CHECK(has(made.out, "  SHOP_PASSWORD  password of shop\n"));
    CHECK(has(made.out, "2 connections from 1 file, 0 errors, 1 warning, 0 notes\n"));
    CHECK(has(made.err, "airflow.json:3:31: warning: the extra 'mood' is not carried over [not-carried]"));
    CHECK_FALSE(has(made.out + made.err, "Hidden"));
    CHECK(has(sources.content("new/connections/shop.qconn.yaml"), "url: \"https://edi:${env:SHOP_PASSWORD}@shop.example\""));
    CHECK(std::distance(std::filesystem::directory_iterator{sources.directory / "new/connections"}, {}) == 2);

    const Outcome check = sources.run({"check", "new/connections"});
    INFO(check.out);
    CHECK(check.out == "2 ok, 0 errors, 0 warnings\n");
    CHECK(check.code == 0);
}

TEST_CASE("import replaces no file without --force, and then writes none at all", "[cli][integration]") {
    const Sources sources;
    sources.directory.write("out/lake.qconn.yaml", "mine");

    const Outcome refused = sources.run({"import", "airflow", "airflow.json", "--output", "out"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "nothing is written, as these files are there already: out/lake.qconn.yaml; --force replaces them"));
    CHECK(sources.content("out/lake.qconn.yaml") == "mine");
    CHECK_FALSE(std::filesystem::exists(sources.directory / "out/shop.qconn.yaml"));

    CHECK(sources.run({"import", "airflow", "airflow.json", "--output", "out", "--force"}).code == 0);
    CHECK(has(sources.content("out/lake.qconn.yaml"), "url: file:///tmp"));
    CHECK(std::filesystem::exists(sources.directory / "out/shop.qconn.yaml"));
}

TEST_CASE("import to standard output gives documents that can be read, and nothing else", "[cli][integration]") {
    const Sources sources;

    const Outcome made = sources.run({"import", "auto", "airflow.json"});
    CHECK(made.code == 0);
    CHECK(has(made.err, "SHOP_PASSWORD"));
    sources.directory.write("all.qconn.yaml", made.out);
    CHECK(sources.run({"check", "all.qconn.yaml"}).out == "2 ok, 0 errors, 0 warnings\n");

    Process piped{Launch{"/bin/sh", {"-c", std::string{"exec "} + QCONN_TOOL + " import airflow - < airflow.json"}, {}, sources.directory.path()}};
    CHECK(piped.finish().out == made.out);
}

TEST_CASE("import keeps secrets only where that is asked for, in files for their owner alone", "[cli][integration]") {
    const Sources sources;

    const Outcome made = sources.run({"import", "airflow", "airflow.json", "--keep-secrets", "--output", "out"});
    CHECK(made.code == 0);
    CHECK_FALSE(has(made.out + made.err, "Hidden"));
    CHECK_FALSE(has(made.out, "SHOP_PASSWORD"));
    CHECK(has(sources.content("out/shop.qconn.yaml"), "https://edi:Hidden-1@shop.example"));
    CHECK(sources.mode("out/shop.qconn.yaml") == 0600);
}

TEST_CASE("import --json tells of connections, variables and findings", "[cli][integration]") {
    const Sources sources;

    const Outcome to_files = sources.run({"import", "airflow", "airflow.json", "--output", "out", "--json"});
    const json told = json::parse(to_files.out);
    CHECK(to_files.err.empty());
    CHECK(told["connections"].size() == 2);
    CHECK(told["connections"][0]["name"] == "shop");
    CHECK(told["connections"][0]["scheme"] == "https");
    CHECK(told["connections"][0]["file"] == "out/shop.qconn.yaml");
    CHECK(told["variables"][0] == json{{"variable", "SHOP_PASSWORD"}, {"connection", "shop"}, {"what", "password"}, {"kept", ""}});
    CHECK(told["diagnostics"][0]["code"] == "not-carried");
    CHECK(told["warnings"] == 1);

    const json with_text = json::parse(sources.run({"import", "airflow", "airflow.json", "--json"}).out);
    CHECK(has(with_text["connections"][1]["yaml"].get<std::string>(), "url: file:///tmp"));
}

TEST_CASE("import has all formats: YAML as the document, CSV as a row a connection", "[cli][integration]") {
    const Sources sources;

    const Outcome csv = sources.run({"import", "airflow", "airflow.json", "--format", "csv"});
    CHECK(csv.code == 0);
    CHECK(csv.out ==
          "name,scheme,url,source,file\r\n"
          "shop,https,https://edi:<masked>@shop.example,airflow.json,\r\n"
          "lake,file,file:///tmp,airflow.json,\r\n");
    CHECK(has(csv.err, "[not-carried]"));
    CHECK(has(csv.err, "2 connections from 1 file"));

    const Outcome yaml = sources.run({"import", "airflow", "airflow.json", "--output", "out", "--format", "yaml"});
    CHECK(yaml.err.empty());
    CHECK(has(yaml.out, "file: out/shop.qconn.yaml\n"));
    CHECK(has(yaml.out, "code: not-carried\n"));
}

TEST_CASE("import ends with 1 for errors in a source, 2 for wrong usage, 3 for nothing there", "[cli][integration]") {
    const Sources sources;
    sources.directory.write("bad.env", "a=ftp://h\nno line\n");
    sources.directory.write("empty.env", "# nothing\n");

    const Outcome bad = sources.run({"import", "airflow", "bad.env"});
    CHECK(bad.code == 1);
    CHECK(has(bad.out, "url: \"ftp://h\"") != has(bad.out, "url: ftp://h"));
    CHECK(has(bad.err, "bad.env:2:1: error"));
    CHECK(sources.run({"import", "airflow", "empty.env"}).code == 3);
    CHECK(sources.run({"import", "airflow", "nowhere.env"}).code == 3);
    CHECK(sources.run({"import"}).code == 2);
    CHECK(sources.run({"import", "airflow"}).code == 2);
    const Outcome format = sources.run({"import", "airflo", "airflow.json"});
    CHECK(format.code == 2);
    CHECK(has(format.err, "did you mean 'airflow'?"));
    CHECK(has(sources.run({"import", "auto", "shop.txt"}).err, "tells no format"));
    CHECK(has(sources.run({"import", "--help"}).out, "  airflow  Apache Airflow"));
}
