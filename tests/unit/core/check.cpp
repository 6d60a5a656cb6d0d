// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"
#include "unit/core/test_catalogue.hpp"

using qconn::Definition;
using qconn::Diagnostic;
using qconn::Diagnostics;
using qconn::List;
using qconn::Map;
using qconn::Place;
using qconn::Severity;
using qconn::Value;

namespace {

struct Checked {
    Definition definition;
    Diagnostics diagnostics;
    bool valid{false};
};

Checked check(const std::string& text, const qconn::Catalogue& catalogue = test::catalogue()) {
    const auto parsed = qconn::parse_definitions(text, "f.qconn.yaml");
    REQUIRE(parsed.definitions.size() == 1);
    Checked out;
    out.definition = parsed.definitions[0];
    out.diagnostics = parsed.diagnostics;
    out.valid = catalogue.check(out.definition, out.diagnostics, &parsed);
    return out;
}

std::string with_options(const std::string& options, const std::string& url = "shop://h") {
    return "type: connection\nname: a\ndesc: d\nurl: " + url + "\noptions:\n" + options;
}

Map good(const std::string& options) {
    auto checked = check(with_options(options));
    INFO(options);
    for (const auto& d : checked.diagnostics) UNSCOPED_INFO(qconn::render(d));
    CHECK(checked.valid);
    CHECK(checked.diagnostics.empty());
    return checked.definition.options;
}

Diagnostic bad(const std::string& options, const std::string& url = "shop://h") {
    const auto checked = check(with_options(options, url));
    INFO(options);
    for (const auto& d : checked.diagnostics) UNSCOPED_INFO(qconn::render(d));
    CHECK_FALSE(checked.valid);
    REQUIRE(checked.diagnostics.size() == 1);
    CHECK(checked.diagnostics[0].severity == Severity::error);
    CHECK(checked.diagnostics[0].connection == "a");
    CHECK(checked.diagnostics[0].file == "f.qconn.yaml");
    return checked.diagnostics[0];
}

std::pair<Map, Diagnostic> warned(const std::string& options) {
    auto checked = check(with_options(options));
    INFO(options);
    for (const auto& d : checked.diagnostics) UNSCOPED_INFO(qconn::render(d));
    CHECK(checked.valid);
    REQUIRE(checked.diagnostics.size() == 1);
    CHECK(checked.diagnostics[0].severity == Severity::warning);
    return {checked.definition.options, checked.diagnostics[0]};
}

}  // namespace

TEST_CASE("good options pass as they are", "[check]") {
    CHECK(good("  timeout: 30\n  ssl_verify_cert: false\n  ratio: 0.5\n  username: bob\n  password: x\n  keyfile: $HOME/k\n") ==
          Map{{"timeout", 30}, {"ssl_verify_cert", false}, {"ratio", 0.5}, {"username", "bob"}, {"password", "x"}, {"keyfile", "$HOME/k"}});
    CHECK(good("  timeout: {type: int, value: 30}\n  scopes: {type: list, value: '[\"a\"]'}\n") == Map{{"timeout", 30}, {"scopes", List{"a"}}});
    CHECK(good("  ratio: 1\n") == Map{{"ratio", 1}});
    CHECK(good("  timeout: 0x10\n") == Map{{"timeout", 16}});
    CHECK(good("  timeout: null\n") == Map{{"timeout", nullptr}});
    CHECK(good("  body: {a: [1, x]}\n") == Map{{"body", Map{{"a", List{1, "x"}}}}});
}

TEST_CASE("maps and lists as text are read by the declared type", "[check]") {
    CHECK(good("  args: '{a: 1}'\n") == Map{{"args", Map{{"a", 1}}}});
    CHECK(good("  scopes: '[full, api]'\n") == Map{{"scopes", List{"full", "api"}}});
    CHECK(good("  headers: Accept=application/json, X-Version=1.10\n") ==
          Map{{"headers", Map{{"Accept", "application/json"}, {"X-Version", "1.10"}}}});
    CHECK(good("  headers: {X-Version: 1.10, X-On: true}\n") == Map{{"headers", Map{{"X-Version", "1.10"}, {"X-On", "true"}}}});
    CHECK(good("  headers: {type: hash, value: '{X-Version: 1.10}'}\n") == Map{{"headers", Map{{"X-Version", "1.10"}}}});
    CHECK(good("  headers: '{X-Version: 1.10}'\n") == Map{{"headers", Map{{"X-Version", "1.10"}}}});
    CHECK(good("  headers: {type: hash, value: \"A=x\"}\n") == Map{{"headers", Map{{"A", "x"}}}});
    CHECK(good("  headers: Authorization=Bearer ${env:A_B}, B=\"$${x}\"\n") ==
          Map{{"headers", Map{{"Authorization", "Bearer ${env:A_B}"}, {"B", "$${x}"}}}});
    CHECK(bad("  headers: \"a=1, b\"\n").code == "bad-pairs");
    CHECK(bad("  headers: just text\n").code == "bad-pairs");
    CHECK(bad("  args: a=1\n").code == "bad-map");
    CHECK(bad("  scopes: full\n").code == "bad-list");
    CHECK(bad("  scopes: {a: 1}\n").code == "bad-list");
}

TEST_CASE("an unknown option is an error at its key with the nearest name", "[check]") {
    const auto d = bad("  timeuot: 30\n");

    CHECK(d.code == "unknown-option");
    CHECK(d.place == Place{6, 3, 7});
    CHECK(d.hint == "did you mean 'timeout'?");
    CHECK(d.message == "the scheme 'shop' has no option 'timeuot'");
    CHECK(qconn::render(d) ==
          "f.qconn.yaml:6:3: error: the scheme 'shop' has no option 'timeuot' [unknown-option]\n"
          "   6 |   timeuot: <masked>\n"
          "     |   ^^^^^^^\n"
          "     = hint: did you mean 'timeout'?\n");
    CHECK(bad("  zzzzzz: 1\n").hint.empty());
    CHECK(bad("  user: edi\n").hint == "it is a part of the URL: shop://USER:${env:PASSWORD}@HOST");
    CHECK(bad("  <<: {a: 1}\n").hint.find("merge") != std::string::npos);
}

TEST_CASE("an unknown scheme makes the connection invalid, with the place of the scheme", "[check]") {
    const auto d = bad("  anything: 1\n", "\"shp://u:p@h\"");

    CHECK(d.code == "unknown-scheme");
    CHECK(d.place == Place{4, 7, 3});
    CHECK(d.hint == "did you mean 'shop'?");
    CHECK(d.source_line == "url: \"shp://u:<masked>@h\"");
    CHECK(bad("  a: 1\n", "amqps://h").hint == "known schemes are shop, shops, vault; a module can add others");
    CHECK(bad("  a: 1\n", "amqps://h").message == "unknown scheme 'amqps'");
    CHECK(bad("  a: 1\n", "no scheme").code == "bad-url");
}

TEST_CASE("a URL that cannot be read is an error at the URL", "[check]") {
    const auto d = bad("  timeout: 1\n", "shop://u:secretpw@h:99999/");

    CHECK(d.code == "bad-url");
    CHECK(d.place == Place{4, 6, 26});
    CHECK(qconn::render(d).find("secretpw") == std::string::npos);
    CHECK(bad("  timeout: 1\n", "shop://h:${env:PORT}/").hint.find("not for the port") != std::string::npos);
}

TEST_CASE("beside a URL that cannot be read nothing is said about its parts", "[check]") {
    qconn::Catalogue catalogue;
    auto scheme = test::strict_scheme();
    scheme.check = [](const qconn::Definition&, const std::function<qconn::Place(std::string_view)>& place_of, qconn::Diagnostics& out) {
        Diagnostic finding;
        finding.code = "missing-host";
        finding.place = place_of("url");
        out.push_back(finding);
    };
    catalogue.add(scheme);
    qconn::Definition definition;
    definition.name = "a";
    definition.url = "vault://u:p@h:99999/";
    qconn::Diagnostics found;

    CHECK_FALSE(catalogue.check(definition, found, nullptr));
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "bad-url");
}

TEST_CASE("booleans in other words and quoted numbers are taken with a warning", "[check]") {
    for (const char* word : {"yes", "on", "tRUE", "'true'", "1", "enabled"}) {
        const auto [options, d] = warned(std::string{"  ssl_verify_cert: "} + word + "\n");
        CHECK(options == Map{{"ssl_verify_cert", true}});
        CHECK(d.code == "boolean-spelling");
        CHECK(d.hint == "write true");
    }
    CHECK(warned("  ssl_verify_cert: off\n").first == Map{{"ssl_verify_cert", false}});

    const auto [options, d] = warned("  timeout: \"30\"\n");
    CHECK(options == Map{{"timeout", 30}});
    CHECK(d.code == "quoted-number");
    CHECK(d.hint == "write 30");
    CHECK(d.place == Place{6, 12, 4});
    CHECK(warned("  timeout: {type: int, value: '30'}\n").second.place == Place{6, 31, 4});
    CHECK(warned("  timeout: 30.0\n").second.hint == "write 30");
    CHECK(warned("  ratio: '0.5'\n").first == Map{{"ratio", 0.5}});
}

TEST_CASE("a misspelt boolean is an error, never false", "[check]") {
    const auto d = bad("  ssl_verify_cert: ture\n");

    CHECK(d.code == "bad-boolean");
    CHECK(d.place == Place{6, 20, 4});
    CHECK(d.hint == "did you mean 'true'?");
    CHECK(d.source_line == "  ssl_verify_cert: ture");
    CHECK(bad("  ssl_verify_cert: \"\"\n").code == "bad-boolean");
    CHECK(bad("  ssl_verify_cert: 2\n").code == "bad-boolean");
    CHECK(bad("  ssl_verify_cert: [true]\n").code == "bad-boolean");
}

TEST_CASE("what is no whole number is an error at the value", "[check]") {
    const auto d = bad("  timeout: 30s\n");
    CHECK(d.code == "bad-integer");
    CHECK(d.place == Place{6, 12, 3});
    CHECK(d.hint == "write 30000: the option counts milliseconds");
    CHECK(d.message == "the option 'timeout' must be a whole number of milliseconds; '30s' is none");
    CHECK(bad("  connect_timeout: 2 min\n").hint == "write 120: the option counts seconds");
    CHECK(bad("  connect_timeout: 500ms\n").hint.empty());
    CHECK(bad("  timeout: 1_000\n").code == "bad-integer");
    CHECK(bad("  timeout: 1.5\n").code == "bad-integer");
    CHECK(bad("  timeout: true\n").code == "bad-integer");
    CHECK(bad("  timeout: [1]\n").code == "bad-integer");
    CHECK(bad("  timeout: ${env:T}\n").code == "bad-reference");
}

TEST_CASE("octal-looking numbers and overflow are errors", "[check]") {
    const auto octal = bad("  timeout: 010\n");
    CHECK(octal.code == "octal-looking");
    CHECK(octal.hint == "write 10");
    CHECK(octal.place == Place{6, 12, 3});
    CHECK(bad("  timeout: '010'\n").code == "octal-looking");
    CHECK(bad("  timeout: 99999999999999999999\n").code == "overflow");
    CHECK(bad("  timeout: 18446744073709551615\n").code == "overflow");
    CHECK(bad("  ratio: 1e999\n").code == "overflow");
    CHECK(bad("  body: 010\n").code == "octal-looking");
}

TEST_CASE("text that YAML reads as something else is taken as it was written, with a warning", "[check]") {
    CHECK(warned("  http_version: 1.1\n").first == Map{{"http_version", "1.1"}});
    CHECK(warned("  password: 1e5\n").first == Map{{"password", "1e5"}});
    CHECK(warned("  password: 0123\n").first == Map{{"password", "0123"}});
    CHECK(warned("  password: 0x1F\n").first == Map{{"password", "0x1F"}});
    CHECK(warned("  username: 12345\n").first == Map{{"username", "12345"}});
    CHECK(warned("  username: false\n").first == Map{{"username", "false"}});
    CHECK(warned("  username: 2024-01-01\n").first == Map{{"username", "2024-01-01"}});
    CHECK(warned("  certificate: 99999999999999999999\n").first == Map{{"certificate", "99999999999999999999"}});
    CHECK(good("  password: '0123'\n") == Map{{"password", "0123"}});
    CHECK(good("  password: {type: string, value: 0123}\n") == Map{{"password", "0123"}});
    CHECK(bad("  username: [a]\n").code == "bad-string");
    CHECK(bad("  username: {a: 1}\n").code == "bad-string");
}

TEST_CASE("limits, allowed values and the option's own check", "[check]") {
    CHECK(bad("  timeout: 0\n").message == "the option 'timeout' must be at least 1 milliseconds");
    CHECK(bad("  ratio: 1.5\n").message == "the option 'ratio' must be between 0 and 1");
    const auto d = bad("  http_version: \"1.11\"\n");
    CHECK(d.code == "not-allowed");
    CHECK(d.message == "the option 'http_version' must be one of: 1.0, 1.1, 2");
    CHECK(d.hint == "did you mean '1.1'?");
    CHECK(bad("  colour: plaid\n").message == "the option 'colour': plaid is no colour");
    CHECK(good("  http_version: ${env:V}\n") == Map{{"http_version", "${env:V}"}});
}

TEST_CASE("another name of an option is taken with a warning", "[check]") {
    const auto [options, d] = warned("  io_timeout: 5\n");
    CHECK(options == Map{{"timeout", 5}});
    CHECK(d.code == "renamed-option");
    CHECK(d.place == Place{6, 3, 10});
    CHECK(d.hint == "write 'timeout'");
    CHECK(bad("  io_timeout: 5\n  timeout: 6\n").code == "duplicate-option");
    CHECK(check(with_options("  io_timeout: x\n")).diagnostics.size() == 2);
}

TEST_CASE("required options, with alternatives and the parts of the URL", "[check]") {
    const auto d = bad("  timeout: 1\n", "vault://h");
    CHECK(d.code == "missing-option");
    CHECK(d.place == Place{5, 1, 7});
    CHECK(d.message == "the scheme 'vault' needs 'apikey', or 'username' and 'password', or a user in the URL and a password in the URL");
    CHECK(check(with_options("  apikey: x\n", "vault://h")).valid);
    CHECK(check(with_options("  username: u\n  password: p\n", "vault://h")).valid);
    CHECK(check(with_options("  timeout: 1\n", "vault://u:p@h")).valid);
    CHECK(check(with_options("  timeout: 1\n", "vault://u:${env:P}@h")).valid);
    CHECK_FALSE(check(with_options("  apikey: null\n", "vault://h")).valid);
    CHECK_FALSE(check(with_options("  username: u\n", "vault://h")).valid);
}

TEST_CASE("a scheme's own check is told the places of options", "[check]") {
    const auto d = bad("  apikey: x\n  username: u\n", "vault://h");

    CHECK(d.code == "either-or");
    CHECK(d.place == Place{7, 3, 8});
    CHECK(d.source_line == "  username: u");
}

TEST_CASE("secret references are checked where they stand", "[check]") {
    CHECK(good("  password: a${env:P}b\n  keyfile: ${file:/k}\n") == Map{{"password", "a${env:P}b"}, {"keyfile", "${file:/k}"}});
    const auto open = bad("  password: ab${env:P\n");
    CHECK(open.code == "bad-reference");
    CHECK(open.place == Place{6, 15, 6});
    CHECK(bad("  password: \"${env:A-B}\"\n").place == Place{6, 14, 10});
    const auto command = bad("  headers:\n    A: ${cmd:pass}\n");
    CHECK(command.code == "secret-command");
    CHECK(command.message.find("does not run commands") != std::string::npos);
    CHECK(bad("  timeout: 1\n", "shop://u:${cmd:pass x}@h").place == Place{4, 15, 13});
    const auto unknown = bad("  password: a${evn:P}\n");
    CHECK(unknown.code == "bad-reference");
    CHECK(unknown.place == Place{6, 14, 8});
    CHECK(unknown.hint.find("did you mean '${env:'") != std::string::npos);
}

TEST_CASE("a document with errors of the reader is never valid", "[check]") {
    CHECK_FALSE(check("type: connection\nname: a\nname: b\ndesc: d\nurl: shop://h\n").valid);
    CHECK_FALSE(check("name: a\ndesc: d\nurl: shop://h\n").valid);
    const auto nothing = check("type: connection\ndesc: d\n");
    CHECK_FALSE(nothing.valid);
    CHECK(nothing.diagnostics.size() == 2);
}

TEST_CASE("each document is checked with its own places", "[check]") {
    const auto parsed = qconn::parse_definitions(
        "type: connection\nname: a\ndesc: d\nurl: shop://h\noptions: {timeout: x}\n---\ntype: connection\nname: b\ndesc: d\nurl: shop://h\noptions: "
        "{timeout: y}\n",
        "f");
    REQUIRE(parsed.definitions.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        Definition copy = parsed.definitions[i];  // found by its place, wherever it has been moved to
        Diagnostics out;
        CHECK_FALSE(test::catalogue().check(copy, out, &parsed));
        REQUIRE(out.size() == 1);
        CHECK(out[0].place.line == (i == 0 ? 5U : 11U));
        CHECK(out[0].connection == (i == 0 ? "a" : "b"));
    }
}

TEST_CASE("a definition made by code is checked without places", "[check]") {
    Definition d;
    Diagnostics out;
    CHECK_FALSE(test::catalogue().check(d, out));
    REQUIRE(out.size() == 2);
    CHECK(out[0].code == "missing-name");
    CHECK(out[1].code == "missing-url");

    d.name = "a";
    d.url = "shop://h";
    d.options = Map{{"timeout", "30"}, {"ssl_verify_cert", 1}, {"username", 5}, {"args", "{a: 1}"}};
    out.clear();
    CHECK(test::catalogue().check(d, out));
    CHECK(out.size() == 3);
    CHECK(d.options == Map{{"timeout", 30}, {"ssl_verify_cert", true}, {"username", "5"}, {"args", Map{{"a", 1}}}});
    CHECK(out[0].place.line == 0);

    d.options = Map{{"timeout", 1.5}};
    d.name = std::string(161, 'x');
    d.description = std::string(4001, 'x');
    out.clear();
    CHECK_FALSE(test::catalogue().check(d, out));
    CHECK(out.size() == 3);
    d = Definition{};
    d.name = "a\nb";
    d.url = "shop://h";
    CHECK_FALSE(test::catalogue().check(d, out));
}

TEST_CASE("a hundred findings of one connection are enough", "[check]") {
    std::string options;
    for (int i = 0; i < 20'000; ++i) options += "  k" + std::to_string(i) + ": 1\n";
    const auto checked = check(with_options(options));

    CHECK_FALSE(checked.valid);
    CHECK(checked.diagnostics.size() == 101);
    CHECK(checked.diagnostics.back().message == "19900 more findings about this connection are not shown");
}

TEST_CASE("a source line shows the values of harmless options only", "[check]") {
    const auto line = [](const std::string& options) { return check(with_options(options)).diagnostics.at(0).source_line; };

    CHECK(line("  {timeout: 3x, username: bob, password: secretpw, headers: {A: secretpw}, zz: secretpw}\n") ==
          "  {timeout: 3x, username: bob, password: <masked>, headers: {A: <masked>}, zz: <masked>}");
    CHECK(line("  timeout: 3x # secretpw\n") == "  timeout: 3x #…");
    CHECK(line("  timeout: 5\n   password:secretpw\n").find("secretpw") == std::string::npos);
    CHECK(line("  {password:secretpw, timeout: 1}\n").find("secretpw") == std::string::npos);
    CHECK(line("  ratio: http://u:secretpw@h\n").find("secretpw") == std::string::npos);
    const auto shifted = check(with_options("  {password: secretpw, timeout: 3x}\n")).diagnostics.at(0);
    CHECK(qconn::render(shifted) ==
          "f.qconn.yaml:6:33: error: the option 'timeout' must be a whole number of milliseconds; '3x' is none [bad-integer]\n"
          "   6 |   {password: <masked>, timeout: 3x}\n"
          "     |                                 ^^\n");
}

TEST_CASE("a long line is cut around the place", "[check]") {
    const auto d = check(with_options("  {" + std::string(500, ' ') + "timeout: 3x" + std::string(500, ' ') + "}\n")).diagnostics.at(0);
    CHECK(d.place.column == 513);
    CHECK(d.source_line.size() < 200);
    const auto rendered = qconn::render(d);
    CHECK(rendered.find("timeout: 3x") != std::string::npos);
}
