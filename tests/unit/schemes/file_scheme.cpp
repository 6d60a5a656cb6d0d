// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <qconn/file/file_client.hpp>
#include <qconn/net/ping_plan.hpp>

#include "schemes/file_location.hpp"
#include "support/define.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using test::define;

namespace {

PingEvidence ping(const test::Checked& checked, PingDepth depth = PingDepth::standard) {
    const PingPlan plan = checked.ping(depth);
    const auto* blocking = std::get_if<std::shared_ptr<const BlockingPing>>(&plan.what);
    REQUIRE(blocking != nullptr);
    return (*blocking)->run(Deadline{});
}

}  // namespace

TEST_CASE("the directory of a file URL: host before path, absolute, normal", "[schemes][file]") {
    const std::vector<std::pair<std::string, std::string>> vectors{{"file:///data/in", "/data/in"},
                                                                   {"file://data/x", "/data/x"},
                                                                   {"dir:///data//./a/../b/", "/data/b"},
                                                                   {"file://data", "/data"},
                                                                   {"file:///", "/"},
                                                                   {"file:///../..", "/"},
                                                                   {"file:///C:/temp", "C:/temp"},
                                                                   {"file:///data/sp ace", "/data/sp ace"},
                                                                   {"file:///data/100%20", "/data/100%20"}};
    for (const auto& [url, path] : vectors) {
        CAPTURE(url);
        CHECK(schemes::file_location(Url::parse(url)) == path);
    }
}

TEST_CASE("environment variables in the path are replaced when the connection is used", "[schemes][file]") {
    const test::TempDir dir;
    dir.write("in/a", "A");
    ::setenv("QCONN_TEST_PLACE", dir.path().c_str(), 1);
    const auto checked = define("file://$QCONN_TEST_PLACE/in");
    INFO(checked.text());
    REQUIRE(checked.valid);

    CHECK(checked.client<FileClient>()->read("a") == "A");
    CHECK(checked.definition.url == "file://$QCONN_TEST_PLACE/in");
    ::setenv("QCONN_TEST_PLACE", "/nowhere", 1);
    CHECK_THROWS_WITH(ping(checked), Catch::Matchers::Contains("/nowhere/in"));
    ::unsetenv("QCONN_TEST_PLACE");
}

TEST_CASE("the options of file reach the client", "[schemes][file]") {
    const auto checked = define("file:///data", "readonly: true\nconfine: true\nmax_read_size: 1000");
    INFO(checked.text());
    REQUIRE(checked.valid);
    const auto client = checked.client<FileClient>();

    CHECK(client->label() == "test");
    CHECK(client->options().path == "/data");
    CHECK(client->options().read_only);
    CHECK(client->options().confine);
    CHECK(client->options().max_read == 1000);

    const auto defaults = define("file:///data").client<FileClient>();
    CHECK_FALSE(defaults->options().read_only);
    CHECK_FALSE(defaults->options().confine);
}

TEST_CASE("the ping of a directory measures how full its file system is", "[schemes][file]") {
    const test::TempDir dir;

    const PingEvidence evidence = ping(define("file://" + dir.path()));

    CHECK(evidence.text.find(dir.path() + ", can be written to; ") == 0);
    REQUIRE_FALSE(evidence.measures.empty());
    CHECK(evidence.measures[0].kind == PingMeasure::Kind::space_used);
    for (const auto& measure : evidence.measures) {
        CHECK(measure.value >= 0);
        CHECK(measure.value <= 100);
    }
}

TEST_CASE("the ping of a directory fails where it cannot be used", "[schemes][file]") {
    const test::TempDir dir;
    dir.write("file", "x");
    for (const auto& [url, reason] : std::vector<std::pair<std::string, Reason>>{{"file://" + dir.path() + "/gone", Reason::not_found},
                                                                                 {"file://" + dir.path() + "/file", Reason::not_found},
                                                                                 {"file:///C:/temp", Reason::bad_value}}) {
        CAPTURE(url);
        try {
            ping(define(url));
            FAIL("it did not fail");
        } catch (const Error& error) {
            CHECK(error.name() == "CONNECTION-ERROR");
            CHECK(error.reason() == reason);
            CHECK(error.phase() == Phase::connect);
            CHECK(error.connection() == "test");
        }
    }
}

TEST_CASE("what cannot work in a file definition is found", "[schemes][file]") {
    CHECK_FALSE(define("file://").valid);
    CHECK(define("file:///data", "readonli: true").code() == "unknown-option");
    CHECK_FALSE(define("file:///data", "max_read_size: -1").valid);
    CHECK(define("file:///C:/temp").code() == "windows-path");
    CHECK(define("file:///C:/temp").valid);
}

TEST_CASE("get and put take directories, in which files have their own names", "[schemes][file]") {
    const test::TempDir there;
    const test::TempDir here;
    std::filesystem::create_directories(there / "sub");
    std::filesystem::create_directories(here / "in");
    there.write("sub/a.txt", "A");
    here.write("b.txt", "B");
    const auto checked = define("file://" + there.path());
    const auto client = checked.client<FileClient>();
    const auto call = [&](std::string_view name, const Map& arguments) {
        for (const auto& operation : checked.scheme().operations) {
            if (operation.name == name) operation.run(*client, arguments, {});
        }
    };

    call("get", {{"path", "sub/a.txt"}, {"file", here / "in"}});
    CHECK(here.read("in/a.txt") == "A");
    call("get", {{"path", "sub/a.txt"}, {"file", here / "in/"}, {"verify", true}});
    call("get", {{"path", "sub/a.txt"}, {"file", here / "c.txt"}});
    CHECK(here.read("c.txt") == "A");
    call("put", {{"file", here / "b.txt"}, {"path", "sub/"}});
    CHECK(there.read("sub/b.txt") == "B");
    call("put", {{"file", here / "b.txt"}, {"path", "sub/d.txt"}});
    CHECK(there.read("sub/d.txt") == "B");
}

TEST_CASE("the operations of file can be called by name", "[schemes][file]") {
    const test::TempDir dir;
    const auto checked = define("file://" + dir.path());
    const auto client = checked.client<FileClient>();
    const auto call = [&](std::string_view name, const Map& arguments) {
        for (const auto& operation : checked.scheme().operations) {
            if (operation.name == name) return operation.run(*client, arguments, {});
        }
        FAIL("no such operation");
        return Value{};
    };

    CHECK(call("write", {{"path", "a.txt"}, {"data", Value::binary("hello")}}).is_null());
    CHECK(call("write", {{"path", "a.txt"}, {"data", "!"}, {"mode", "append"}}).is_null());
    CHECK(call("read", {{"path", "a.txt"}}) == Value{"hello!"});
    const Value info = call("stat", {{"path", "a.txt"}});
    CHECK(info["size"] == Value{6});
    CHECK(info["type"] == Value{"file"});
    CHECK(call("list", {{"pattern", "*.txt"}})[0]["name"] == Value{"a.txt"});
    CHECK(call("list", {{"pattern", "*.csv"}}).size() == 0);
    call("move", {{"from", "a.txt"}, {"to", "b.txt"}});
    CHECK(call("space", {})["total"].as_uint64() > 0);
    call("write", {{"path", "bytes"}, {"data", Value::binary("\xFF\x00\x01")}});
    CHECK(call("read", {{"path", "bytes"}}).is_binary());
    call("mkdir", {{"path", "d/e"}});
    for (const char* path : {"b.txt", "bytes", "d/e", "d"}) call("remove", {{"path", path}});
    CHECK(call("list", {}).size() == 0);
    CHECK_THROWS_AS(call("write", {{"path", "a"}, {"data", "x"}, {"mode", "sideways"}}), Error);
}
