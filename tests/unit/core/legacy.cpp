// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/legacy.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "unit/core/test_catalogue.hpp"

using qconn::Definition;
using qconn::Diagnostic;
using qconn::Diagnostics;
using qconn::LegacyOptions;
using qconn::List;
using qconn::Map;
using qconn::ParsedDefinitions;
using qconn::Place;
using qconn::Severity;
using qconn::Value;

namespace {

const std::map<std::string, std::string> k_environment{{"HOST", "shop.example"},
                                                       {"SECRET", "s3cr%t"},
                                                       {"PORT", "8080"},
                                                       {"TIMEOUT", "500"},
                                                       {"EMPTY", ""},
                                                       {"REFERENCE", "${file:/etc/shadow}"},
                                                       {"HALF", "{file:/etc/shadow}"},
                                                       {"DOLLAR", "$"},
                                                       {"NESTED", "$HOST ${HOST}"},
                                                       {"PARTS", "a, b) = c"}};

LegacyOptions options(std::vector<std::string> defines = {}) {
    LegacyOptions out;
    out.defines = std::move(defines);
    out.environment = [](const std::string& name) -> std::optional<std::string> {
        const auto found = k_environment.find(name);
        return found == k_environment.end() ? std::nullopt : std::optional{found->second};
    };
    return out;
}

ParsedDefinitions parsed(const std::string& text, std::vector<std::string> defines = {}) {
    return parse_legacy_definitions(text, "f.qconn", options(std::move(defines)));
}

/// All definitions of a text in which nothing is wrong.
std::vector<Definition> all(const std::string& text, std::vector<std::string> defines = {}) {
    auto out = parsed(text, std::move(defines));
    INFO(text);
    for (const auto& d : out.diagnostics) UNSCOPED_INFO(qconn::render(d));
    REQUIRE(out.diagnostics.empty());
    return std::move(out.definitions);
}

/// The only one, with an option or more: `key = value`.
Definition with(const std::string& pairs, std::vector<std::string> defines = {}) {
    auto out = all("shop = (\n  url = shop://h,\n  desc = d,\n" + pairs + "\n)\n", std::move(defines));
    REQUIRE(out.size() == 1);
    return std::move(out.front());
}
std::string option(const std::string& value) { return std::string{with("  a = " + value).options.at("a").as_string()}; }

/// The one finding of a text.
Diagnostic finding(const std::string& text, std::vector<std::string> defines = {}) {
    const auto out = parsed(text, std::move(defines));
    INFO(text);
    for (const auto& d : out.diagnostics) UNSCOPED_INFO(qconn::render(d));
    REQUIRE(out.diagnostics.size() == 1);
    return out.diagnostics.front();
}
Diagnostic finding_with(const std::string& pairs) { return finding("shop = (url = shop://h, desc = d,\n" + pairs + "\n)\n"); }

struct Checked {
    Definition definition;
    Diagnostics found;
    bool valid{false};
};

Checked checked(const std::string& pairs, const std::string& url = "shop://h") {
    const std::string text = "shop = (url = " + url + ", desc = d,\n" + pairs + "\n)\n";
    ParsedDefinitions out = parsed(text);
    INFO(text);
    REQUIRE(out.definitions.size() == 1);
    Checked result{out.definitions.front(), {}, false};
    result.valid = test::catalogue().check(result.definition, result.found, &out);
    return result;
}

Value converted_option(const std::string& name, const std::string& value) {
    auto result = checked("  " + name + " = " + value);
    INFO(name << " = " << value);
    for (const auto& d : result.found) UNSCOPED_INFO(qconn::render(d));
    REQUIRE(result.valid);
    REQUIRE(result.found.empty());
    return result.definition.options.at(name);
}
Diagnostic refused(const std::string& pair) {
    auto result = checked("  " + pair);
    INFO(pair);
    CHECK_FALSE(result.valid);
    REQUIRE(result.found.size() == 1);
    return result.found.front();
}

}  // namespace

TEST_CASE("the legacy form: declarations with their keys", "[legacy]") {
    const auto d =
        all("# connections of the shop\n"
            "shop-api = (\n"
            "    desc = Orders of the shop,   # what else\n"
            "    url = rests://shop.example/v2,\n"
            "    timeout = 30000,\n"
            ")\n"
            "\n"
            "other_1 = ( url = \"ftp://h/a,b\", desc = \"it's \\\"here\\\"\" )\n");

    REQUIRE(d.size() == 2);
    CHECK(d[0].name == "shop-api");
    CHECK(d[0].description == "Orders of the shop");
    CHECK(d[0].url == "rests://shop.example/v2");
    CHECK(d[0].options == Map{{"timeout", "30000"}});
    CHECK(d[0].place == Place{2, 1, 8});
    CHECK(d[0].file == "f.qconn");
    CHECK(d[1].name == "other_1");
    CHECK(d[1].url == "ftp://h/a,b");
    CHECK(d[1].description == "it's \"here\"");
    CHECK(d[1].options.empty());
}

TEST_CASE("the legacy form: line breaks are anywhere, names may be quoted", "[legacy]") {
    const auto d = all("\xEF\xBB\xBF\"shop\"\n=\n(\nurl\n=\nshop://h\n,\n\"desc\" = d)x=(url=shop://x,desc=)");
    REQUIRE(d.size() == 2);
    CHECK(d[0].name == "shop");
    CHECK(d[0].url == "shop://h");
    CHECK(d[0].description == "d");
    CHECK(d[1].url == "shop://x");
    CHECK(d[1].description.empty());
    CHECK(all("a = (url = shop://h,\r\n  desc = d,\r\n  b = two\r\n words,\r\n)\r\n").at(0).options.at("b") == Value{"two\n words"});
}

TEST_CASE("the legacy form: raw values", "[legacy]") {
    CHECK(option("it's 5\" wide") == "it's 5\" wide");
    CHECK(option("f(a, b) c") == "f(a, b) c");
    CHECK(option("{a=1, b=2}") == "{a=1, b=2}");
    CHECK(option("a=b") == "a=b");
    CHECK(option("back\\slash \\n") == "back\\slash \\n");
    CHECK(option("smile :(") == "smile :(");
    CHECK(option("open { only,") == "open { only");
    CHECK(option("${cmd:cut -d, -f1}") == "${cmd:cut -d, -f1}");
    CHECK(option("x # a comment\n") == "x");
    CHECK(option("x\n  # a comment\n  y") == "x\n  \n  y");
    CHECK(option("").empty());
    CHECK(option("null") == "null");
    const auto d = with("  a = b:(,\n c = d");
    CHECK(d.options == Map{{"a", "b:("}, {"c", "d"}});
}

TEST_CASE("the legacy form: quoted values", "[legacy]") {
    CHECK(option(R"("a\n\r\t\\\"\x")") == "a\n\r\t\\\"x");
    CHECK(option("\"# no comment, (no) end\"") == "# no comment, (no) end");
    CHECK(option("\"two\n%ifdef lines\"") == "two\n%ifdef lines");
    CHECK(option("\"\"").empty());
    CHECK(option("\"x\" # a comment").size() == 1);
}

TEST_CASE("the legacy form: conditions choose lines", "[legacy]") {
    const std::string text =
        "%ifdef LOCAL\n  a = local,\n%else\n  a = far,\n%endif\n"
        "  %ifndef LOCAL # indented\n  b = not local\n  %endif\n";
    CHECK(with(text).options == Map{{"a", "far"}, {"b", "not local"}});
    CHECK(with(text, {"X", "LOCAL"}).options == Map{{"a", "local"}});
}

TEST_CASE("the legacy form: one condition in another counts only where the outer one holds", "[legacy]") {
    const std::string text =
        "%ifdef A\n  a = 1,\n%ifdef B\n  b = 1,\n%else\n  c = 1,\n%endif\n  d = 1,\n%else\n%ifndef B\n  e = 1,\n%endif\n%endif\n";
    CHECK(with(text).options == Map{{"e", "1"}});
    CHECK(with(text, {"B"}).options.empty());
    CHECK(with(text, {"A"}).options == Map{{"a", "1"}, {"c", "1"}, {"d", "1"}});
    CHECK(with(text, {"A", "B"}).options == Map{{"a", "1"}, {"b", "1"}, {"d", "1"}});
}

TEST_CASE("the legacy form: conditions may hold whole declarations, and text that is none in lines that do not count", "[legacy]") {
    const auto d = all("%ifdef X\nx = ( \" %unknown\n%else\na = (url = shop://h, desc = d)\n%endif\n");
    REQUIRE(d.size() == 1);
    CHECK(d[0].name == "a");
}

TEST_CASE("the legacy form: the environment is read at load time", "[legacy]") {
    CHECK(option("$HOST/x") == "shop.example/x");
    CHECK(option("a${HOST}b$PORT") == "ashop.exampleb8080");
    CHECK(option("\"http://$HOST:${PORT}\"") == "http://shop.example:8080");
    CHECK(option("\"\\$HOST \\${HOST} $HOST\"") == "$HOST $${HOST} shop.example");
    CHECK(option("[$EMPTY]") == "[]");
    CHECK(with("  tags = \"host=$HOST\"").tags == Map{{"host", "shop.example"}});
    const auto d = all("a = (url = shop://$HOST, desc = on $HOST)");
    CHECK(d[0].url == "shop://shop.example");
    CHECK(d[0].description == "on shop.example");
    CHECK(parsed("a = (url = shop://$HOST, desc = d)").uses_environment);
    CHECK_FALSE(parsed("a = (url = shop://${env:HOST}, desc = d)").uses_environment);
}

TEST_CASE("the legacy form: what is no variable stays", "[legacy]") {
    CHECK(option("$5 $ ${} ${a-b} $(HOST) ${HOST") == "$5 $ ${} ${a-b} $(HOST) ${HOST");
    CHECK(option("$$HOST") == "$shop.example");
}

TEST_CASE("the legacy form: values of variables are not looked at again", "[legacy]") {
    CHECK(option("$NESTED") == "$HOST $${HOST}");
    CHECK(option("$PARTS") == "a, b) = c");
}

TEST_CASE("the legacy form: references to secrets stay, and no variable forms one", "[legacy]") {
    CHECK(option("${env:SECRET}") == "${env:SECRET}");
    CHECK(option("${file:$HOST/x}") == "${file:$HOST/x}");
    CHECK(option("$${env:SECRET}") == "$${env:SECRET}");
    CHECK(option("$REFERENCE") == "$${file:/etc/shadow}");
    CHECK(option("$$HALF") == "$${file:/etc/shadow}");
    CHECK(option("$DOLLAR{file:/etc/shadow}") == "$${file:/etc/shadow}");
    CHECK(option("$$EMPTY{file:/etc/shadow}") == "$${file:/etc/shadow}");
    CHECK(all("a = (url = shop://h, desc = $REFERENCE)")[0].description == "${file:/etc/shadow}");
}

TEST_CASE("the legacy form: what cannot be said is an error", "[legacy]") {
    const auto d = finding_with("  a = $DOLLAR${env:SECRET}");
    CHECK(d.code == "bad-reference");
    CHECK(d.severity == Severity::error);
    CHECK(d.place == Place{2, 14, 13});
    CHECK(finding_with(R"(  a = "\$${env:SECRET}")").code == "bad-reference");
    CHECK(option(R"("\$\${env:SECRET}")") == "$$${env:SECRET}");
    CHECK(option("$$${env:SECRET}") == "$$${env:SECRET}");
}

TEST_CASE("the legacy form: a variable that is not set is a warning that does not name what may be a part of a password", "[legacy]") {
    const auto out = parsed("shop = (\n  url = shop://u:pa$word@h,\n  desc = d,\n)\n");
    REQUIRE(out.diagnostics.size() == 1);
    const auto& d = out.diagnostics[0];
    CHECK(d.code == "unset-variable");
    CHECK(d.severity == Severity::warning);
    CHECK(d.place == Place{2, 20, 5});
    CHECK(d.connection == "shop");
    CHECK(qconn::render(d).find("word") == std::string::npos);
    CHECK(d.source_line == "  url = shop://u:<masked>@h,");
    CHECK(out.definitions[0].url == "shop://u:pa@h");
}

TEST_CASE("the legacy form: tags are text in the grammar of values", "[legacy]") {
    CHECK(with("  tags = \"team=sales, level=2, since=2024-05-01\"").tags.at("level") == Value{2});
    CHECK(with("  tags = (a = 1, b = (x, y))").tags == Map{{"a", 1}, {"b", List{"x", "y"}}});
    CHECK(with("  tags = {\"a\": 1}").tags == Map{{"a", 1}});
    CHECK(with("  tags = ").tags.empty());
    CHECK(finding_with("  tags = blue").code == "bad-pairs");
    const auto d = finding_with("  tags = %EVAL=f()");
    CHECK(d.code == "bad-pairs");
    CHECK(d.place == Place{2, 10, 9});
    CHECK(d.message.find("would run code") != std::string::npos);
}

TEST_CASE("the legacy form: what a connection must have", "[legacy]") {
    CHECK(finding("shop = (desc = d)").code == "missing-key");
    CHECK(finding("shop = (desc = d)").severity == Severity::error);
    const auto d = finding("shop = (url = shop://h)");
    CHECK(d.code == "missing-key");
    CHECK(d.severity == Severity::warning);
    CHECK(d.place == Place{1, 1, 4});
    CHECK(parsed("shop = (url = shop://h)").definitions[0].description == "<no description provided>");
    CHECK(parsed("shop = ()").diagnostics.size() == 2);
    CHECK(finding("sh.op = (url = shop://h, desc = d)").code == "bad-name");
    CHECK(finding("# nothing\n").code == "empty");
}

TEST_CASE("the legacy form: a key stands once, and the first one counts", "[legacy]") {
    const auto out = parsed("shop = (url = shop://h, desc = d,\n  a = 1, url = shop://x,\n  a = 2)");
    REQUIRE(out.diagnostics.size() == 2);
    CHECK(out.diagnostics[0].code == "duplicate-key");
    CHECK(out.diagnostics[0].place == Place{2, 10, 3});
    CHECK(out.diagnostics[1].place == Place{3, 3, 1});
    CHECK(out.definitions[0].url == "shop://h");
    CHECK(out.definitions[0].options == Map{{"a", "1"}});
}

TEST_CASE("the legacy form: a comma that is missing is found", "[legacy]") {
    const auto out = parsed("shop = (\n  desc = d\n  url = shop://h\n  \"q\" = 1)");
    REQUIRE(out.diagnostics.size() == 1);
    CHECK(out.diagnostics[0].code == "missing-comma");
    CHECK(out.diagnostics[0].place == Place{2, 11, 1});
    CHECK(out.definitions[0].url == "shop://h\n  \"q\" = 1");
    CHECK(finding("shop = (\n  desc = \"d\"\n  url = shop://h)").place == Place{2, 10, 3});
    const auto empty = finding("shop = (\n  desc =\n  url = shop://h)");
    CHECK(empty.code == "missing-comma");
    CHECK(empty.place == Place{2, 3, 4});
}

TEST_CASE("the legacy form: a value that a comment cuts is a warning", "[legacy]") {
    const auto d = finding_with("  a = p#w");
    CHECK(d.code == "cut-by-comment");
    CHECK(d.severity == Severity::warning);
    CHECK(d.place == Place{2, 8, 1});
    CHECK(d.source_line == "  a = <masked>#…");
}

TEST_CASE("the legacy form: text that is none is unreadable, with the place", "[legacy]") {
    struct Case {
        std::string text;
        std::string code;
        Place place;
    };
    const auto [text, code, place] = GENERATE(values<Case>({
        {"shop", "missing-equals", {1, 1, 4}},
        {"shop =", "missing-bracket", {1, 1, 4}},
        {"shop = url", "missing-bracket", {1, 1, 4}},
        {"a = (\n  url = x,\n", "unclosed-bracket", {1, 5, 1}},
        {"a = (\n  url = x,,\n)", "syntax", {2, 11, 1}},
        {"a = (\n  url x,\n)", "missing-equals", {2, 3, 5}},
        {"a = (\n  url = \"x\n)", "unterminated-quote", {2, 9, 1}},
        {"a = (\n  url = \"x\\", "unterminated-quote", {2, 9, 1}},
        {"a = (\n  url = \"x\" y\n)", "trailing-text", {2, 13, 1}},
        {")", "syntax", {1, 1, 1}},
        {"%else\n", "bad-directive", {1, 1, 5}},
        {" %endif", "bad-directive", {1, 2, 6}},
        {"%ifdef A\n%else\n%else\n", "bad-directive", {3, 1, 5}},
        {"%ifdef\n", "bad-directive", {1, 1, 6}},
        {"\n%ifndef A\n", "bad-directive", {2, 1, 7}},
        {"a = (\n%ifdfe A\n", "bad-directive", {2, 1, 8}},
        {"a = (desc = \xC3\xA9\xC3\xA9\xFF)", "invalid-utf8", {1, 15, 1}},
        {"a\n\x01", "control-character", {2, 1, 1}},
    }));
    const auto out = parsed(text);
    INFO(text);
    CHECK(out.unreadable);
    CHECK(out.definitions.empty());
    REQUIRE(out.diagnostics.size() == 1);
    CHECK(out.diagnostics[0].code == code);
    CHECK(out.diagnostics[0].severity == Severity::error);
    CHECK(out.diagnostics[0].place == place);
    CHECK(out.diagnostics[0].file == "f.qconn");
}

TEST_CASE("the legacy form: a misspelt directive has a hint, what stands behind one a warning", "[legacy]") {
    CHECK(finding("%ifdfe A\n").hint == "did you mean '%ifdef'?");
    const auto d = finding("%ifdef A\n%endif A\na = (url = shop://h, desc = d)");
    CHECK(d.severity == Severity::warning);
    CHECK(d.place == Place{2, 1, 6});
}

TEST_CASE("the legacy form: size, count and depth are limited", "[legacy]") {
    const auto limited = [](const std::string& text, const qconn::DefinitionLimits& limits) {
        LegacyOptions o = options();
        o.limits = limits;
        const auto out = parse_legacy_definitions(text, "f", o);
        return out.unreadable && out.diagnostics.size() == 1 && out.diagnostics[0].code == "limit";
    };
    const std::string text = "%ifndef A\n%ifndef B\na = (url = x, desc = d)\n%endif\n%endif\n";
    CHECK_FALSE(limited(text, {}));
    CHECK(limited(text, {.max_file_size = 20}));
    CHECK(limited(text, {.max_depth = 1}));
    CHECK(limited(text, {.max_nodes = 4}));
    CHECK_FALSE(limited(text, {.max_file_size = text.size(), .max_depth = 2, .max_nodes = 5}));
}

TEST_CASE("the legacy form: findings of one connection are at most a hundred", "[legacy]") {
    std::string text = "a = (url = x, desc = d";
    for (int i = 0; i < 150; ++i) text += ", a = 1";
    const auto out = parsed(text + ")");
    CHECK(out.diagnostics.size() == 101);
    CHECK(std::count_if(out.diagnostics.begin(), out.diagnostics.end(), [](const Diagnostic& d) { return d.code == "more"; }) == 1);
    std::string cuts = "a = (url = x, desc = d";
    for (int i = 0; i < 150; ++i) cuts += ",\n b" + std::to_string(i) + " = x#";
    CHECK(parsed(cuts + "\n)").diagnostics.size() == 101);
}

TEST_CASE("the legacy form: options get the types of their scheme without a word about quotes", "[legacy]") {
    CHECK(converted_option("timeout", "500") == Value{500});
    CHECK(converted_option("timeout", "\"500\"") == Value{500});
    CHECK(converted_option("timeout", "$TIMEOUT") == Value{500});
    CHECK(converted_option("ratio", "0.5") == Value{0.5});
    CHECK(converted_option("username", "0123") == Value{"0123"});
    CHECK(converted_option("username", "true") == Value{"true"});
    CHECK(converted_option("body", "5") == Value{"5"});
    CHECK(converted_option("headers", "(Accept=text/html, X-Version=1.10)") == Value{Map{{"Accept", "text/html"}, {"X-Version", "1.10"}}});
    CHECK(converted_option("headers", "{\"X-Version\": 1.10, \"X-Host\": \"$HOST\"}") ==
          Value{Map{{"X-Version", "1.10"}, {"X-Host", "shop.example"}}});
    CHECK(converted_option("headers", "(X-Key=${file:/a,b})") == Value{Map{{"X-Key", "${file:/a,b}"}}});
    CHECK(converted_option("args", "{a=1, b=(true, x)}") == Value{Map{{"a", 1}, {"b", List{true, "x"}}}});
    CHECK(converted_option("args", "\"a=1\"") == Value{Map{{"a", 1}}});
    CHECK(converted_option("scopes", "(full, api)") == Value{List{"full", "api"}});
    CHECK(converted_option("scopes", "\"[full, api]\"") == Value{List{"full", "api"}});
}

TEST_CASE("the legacy form: booleans are the words whose meaning is plain", "[legacy]") {
    for (const char* word : {"true", "On", "yes", "Y", "1", "42", "enable", "ENABLED"})
        CHECK(converted_option("ssl_verify_cert", word) == Value{true});
    for (const char* word : {"false", "OFF", "no", "n", "f", "0", "000", "disable"}) CHECK(converted_option("ssl_verify_cert", word) == Value{false});
    for (const char* word : {"ture", "t", "\"\"", "$EMPTY", "enable-all", "maybe", "-1"})
        CHECK(refused(std::string{"ssl_verify_cert = "} + word).code == "bad-boolean");
}

TEST_CASE("the legacy form: findings of the check stand at their places and show no secrets", "[legacy]") {
    const auto timeout = refused("timeout = 30s");
    CHECK(timeout.code == "bad-integer");
    CHECK(timeout.place == Place{2, 13, 3});
    CHECK(timeout.source_line == "  timeout = 30s");
    CHECK(timeout.file == "f.qconn");
    const auto unknown = refused("tiemout = 30");
    CHECK(unknown.code == "unknown-option");
    CHECK(unknown.place == Place{2, 3, 7});
    CHECK(unknown.source_line == "  tiemout = <masked>");
    CHECK(refused("timeout = 30, passwrod = hunter2, username = u").source_line == "  timeout = 30, passwrod = <masked>, username = u");
    const auto variable = refused("timeout = $SECRET");
    CHECK(qconn::render(variable).find("s3cr%t") == std::string::npos);
    const auto nothing = refused("timeout = $EMPTY");
    CHECK(nothing.code == "bad-integer");
    const auto url = checked("", "shpo://u:hunter2@h");
    REQUIRE(url.found.size() == 1);
    CHECK(url.found[0].code == "unknown-scheme");
    CHECK(url.found[0].place == Place{1, 15, 4});
    CHECK(url.found[0].source_line == "shop = (url = shpo://u:<masked>@h, desc = d,");
    CHECK(refused("args = %EVAL=f()").message.find("would run code") != std::string::npos);
    CHECK(refused("scopes = a").code == "bad-pairs");
    const auto missing = checked("", "vault://h");
    REQUIRE(missing.found.size() == 1);
    CHECK(missing.found[0].code == "missing-option");
    CHECK(missing.found[0].place == Place{1, 1, 4});
}

TEST_CASE("the legacy form: lines of text that cannot be read show keys only", "[legacy]") {
    const auto d = finding("a = (\n  password = \"hunter2\n)");
    CHECK(d.source_line == "  password = <masked>");
    CHECK(finding("desc = ( password = hunter2").source_line == "desc = <masked>");
    CHECK(finding("hunter2").source_line == "<masked>");
}

TEST_CASE("converting: variables become references, and nothing of their values is there", "[legacy]") {
    const auto result = qconn::read_legacy(
        "shop = (\n"
        "  url = shop://$HOST:8080/${HOST},\n"
        "  desc = on $HOST,\n"
        "  password = \"x$SECRET\",\n"
        "  timeout = 500,\n"
        "  ssl_verify_cert = on,\n"
        "  username = \"\\$HOST ${file:/a}\",\n"
        "  tags = \"host=$HOST\",\n"
        ")\n",
        "f.qconn", options(), &test::catalogue());

    REQUIRE(result.definitions.size() == 1);
    const Definition& d = result.definitions[0];
    CHECK(d.url == "shop://${env:HOST}:8080/${env:HOST}");
    CHECK(d.description == "on $HOST");
    CHECK(d.options == Map{{"password", "x${env:SECRET}"}, {"timeout", 500}, {"ssl_verify_cert", true}, {"username", "$HOST ${file:/a}"}});
    CHECK(d.tags == Map{{"host", "$HOST"}});
    CHECK_FALSE(has_errors(result.notes));
    std::vector<std::string> codes;
    for (const auto& note : result.notes) codes.push_back(note.code);
    CHECK(codes == std::vector<std::string>{"variable-reference", "variable-kept", "variable-reference", "variable-kept"});
    CHECK(result.notes[0].place == Place{2, 16, 5});

    const std::string yaml = to_yaml(d);
    CHECK(yaml.find("shop.example") == std::string::npos);
    CHECK(yaml.find("s3cr%t") == std::string::npos);
    const auto back = qconn::parse_definitions(yaml, "again");
    CHECK(back.diagnostics.empty());
    CHECK(back.definitions.at(0) == d);
    Definition again = back.definitions.at(0);
    Diagnostics found;
    CHECK(test::catalogue().check(again, found, &back));
    CHECK(found.empty());
    CHECK(again == d);
}

TEST_CASE("converting: what a reference cannot stand for is an error, never a frozen value", "[legacy]") {
    const auto result = qconn::read_legacy(
        "shop = (url = shop://h:$PORT, desc = d)\nb = (url = shop://h, desc = d, timeout = $TIMEOUT)\n"
        "c = (url = shop://h, desc = d, username = $$SECRET)\n",
        "f.qconn", options(), &test::catalogue());
    REQUIRE(result.definitions.size() == 3);
    CHECK(result.definitions[0].url == "shop://h:${env:PORT}");
    CHECK(result.definitions[1].options == Map{{"timeout", "${env:TIMEOUT}"}});
    std::vector<std::string> codes;
    for (const auto& note : result.notes)
        if (note.severity == Severity::error) codes.push_back(note.connection + " " + note.code);
    CHECK(codes == std::vector<std::string>{"shop bad-url", "b bad-reference", "c bad-reference"});
}

TEST_CASE("converting: decided conditions and dropped comments are told", "[legacy]") {
    const std::string text =
        "# one\n"
        "shop = (url = shop://h, desc = d,\n"
        "%ifdef LOCAL\n  username = a,\n%ifdef INNER\n%endif\n%endif\n"
        ")  # two\n";
    const auto result = qconn::read_legacy(text, "f.qconn", options(), &test::catalogue());
    CHECK(result.definitions.at(0).options.empty());
    REQUIRE(result.notes.size() == 2);
    CHECK(result.notes[0].code == "comments-dropped");
    CHECK(result.notes[0].message.find("2 comments") == 0);
    CHECK(result.notes[1].code == "condition-decided");
    CHECK(result.notes[1].place == Place{3, 1, 6});
    CHECK(result.notes[1].message.find("LOCAL is not defined") == 0);
    CHECK(qconn::read_legacy(text, "f.qconn", options({"LOCAL"}), &test::catalogue()).notes.size() == 3);
}

TEST_CASE("converting: an unreadable text gives nothing, an unknown scheme its text", "[legacy]") {
    const auto unreadable = qconn::read_legacy("a = (", "f.qconn", options(), &test::catalogue());
    CHECK(unreadable.unreadable);
    CHECK(unreadable.definitions.empty());
    CHECK(unreadable.notes.size() == 1);
    const auto unknown = qconn::read_legacy("a = (url = nowhere://h, desc = d, timeout = 5)", "f.qconn", options());
    CHECK(unknown.definitions.at(0).options == Map{{"timeout", "5"}});
    CHECK(unknown.notes.at(0).code == "unknown-scheme");
}

TEST_CASE("the legacy form: without a lookup it is the environment of the process", "[legacy]") {
    REQUIRE(::setenv("QCONN_LEGACY_TEST", "there", 1) == 0);
    CHECK(qconn::parse_legacy_definitions("a = (url = shop://$QCONN_LEGACY_TEST, desc = d)", "f").definitions.at(0).url == "shop://there");
}
