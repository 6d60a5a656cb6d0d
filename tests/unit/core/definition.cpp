// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/definition.hpp>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "support/catch.hpp"

using qconn::Definition;
using qconn::Diagnostics;
using qconn::List;
using qconn::Map;
using qconn::parse_definitions;
using qconn::ParsedDefinitions;
using qconn::Place;
using qconn::Severity;
using qconn::to_yaml;
using qconn::Value;

namespace {

const std::string k_head = "type: connection\nname: shop\ndesc: d\nurl: shop://h\n";

Definition only(const std::string& text) {
    auto parsed = parse_definitions(text, "f.qconn.yaml");
    INFO(text);
    for (const auto& d : parsed.diagnostics) UNSCOPED_INFO(qconn::render(d));
    REQUIRE(parsed.definitions.size() == 1);
    REQUIRE(parsed.diagnostics.empty());
    return std::move(parsed.definitions.front());
}

Map options(const std::string& text) { return only(k_head + "options:\n" + text).options; }

/// The one finding of a text.
qconn::Diagnostic finding(const std::string& text) {
    const auto parsed = parse_definitions(text, "f.qconn.yaml");
    INFO(text);
    for (const auto& d : parsed.diagnostics) UNSCOPED_INFO(qconn::render(d));
    REQUIRE(parsed.diagnostics.size() == 1);
    return parsed.diagnostics.front();
}

}  // namespace

TEST_CASE("a definition is read with all its keys", "[definition]") {
    const auto d = only(
        "# a comment\n"
        "type: connection\n"
        "name: shop-api\n"
        "desc: \"Orders\"\n"
        "options:\n"
        "    timeout: 30\n"
        "url: rests://shop.example/api\n"
        "display_name: Shop\n"
        "short_desc: short\n"
        "enabled: false\n"
        "monitor: true\n"
        "locked: true\n"
        "debug_data: false\n"
        "tags: {team: sales}\n");

    CHECK(d.name == "shop-api");
    CHECK(d.description == "Orders");
    CHECK(d.url == "rests://shop.example/api");
    CHECK(d.scheme() == "rests");
    CHECK(d.options == Map{{"timeout", 30}});
    CHECK(d.display_name == "Shop");
    CHECK(d.short_description == "short");
    CHECK(d.enabled == false);
    CHECK(d.monitored == true);
    CHECK(d.locked == true);
    CHECK(d.debug_data == false);
    CHECK(d.tags == Map{{"team", "sales"}});
    CHECK(d.file == "f.qconn.yaml");
    CHECK(d.place == Place{3, 7, 8});
    CHECK(d.other.empty());
}

TEST_CASE("what is not written stays open", "[definition]") {
    const auto d = only(k_head);

    CHECK_FALSE(d.enabled);
    CHECK_FALSE(d.monitored);
    CHECK_FALSE(d.locked);
    CHECK(d.options.empty());
    CHECK(Definition{}.scheme().empty());
}

TEST_CASE("options are read in the typed and the plain spelling", "[definition]") {
    CHECK(options("  a:\n    type: int\n    value: 30\n") == Map{{"a", 30}});
    CHECK(options("  a: {type: integer, value: 30}\n") == Map{{"a", 30}});
    CHECK(options("  a: {value: text, type: string}\n") == Map{{"a", "text"}});
    CHECK(options("  a: {type: string, value: 0123}\n") == Map{{"a", "0123"}});
    CHECK(options("  a: {type: string, value: true}\n") == Map{{"a", "true"}});
    CHECK(options("  a: {type: bool, value: true}\n") == Map{{"a", true}});
    CHECK(options("  a: {type: float, value: 1.5}\n") == Map{{"a", 1.5}});
    CHECK(options("  a: {type: int, value: \"30\"}\n") == Map{{"a", "30"}});
    CHECK(options("  a: 30\n  b: text\n  c: true\n  d: 1.5\n") == Map{{"a", 30}, {"b", "text"}, {"c", true}, {"d", 1.5}});
}

TEST_CASE("maps and lists are read natively and as YAML text in a string", "[definition]") {
    const Map map{{"Accept", "application/json"}};
    CHECK(options("  a: {type: hash, value: '{Accept: \"application/json\"}'}\n") == Map{{"a", map}});
    CHECK(options("  a:\n    type: hash\n    value: |\n      {\"Accept\": \"application/json\"}\n") == Map{{"a", map}});
    CHECK(options("  a: {type: hash, value: {Accept: application/json}}\n") == Map{{"a", map}});
    CHECK(options("  a:\n    Accept: application/json\n") == Map{{"a", map}});
    CHECK(options("  a: {type: list, value: '[\"full\", \"api\"]'}\n") == Map{{"a", List{"full", "api"}}});
    CHECK(options("  a: [full, api]\n") == Map{{"a", List{"full", "api"}}});
    CHECK(options("  a: {type: hash, value: \"k=v\"}\n") == Map{{"a", "k=v"}});
}

TEST_CASE("a secret reference in a map written as text stays one token", "[definition]") {
    CHECK(options("  a: {type: hash, value: '{A: ${env:X}, B: \"${file:/a b/{c}}\"}'}\n") ==
          Map{{"a", Map{{"A", "${env:X}"}, {"B", "${file:/a b/{c}}"}}}});
}

TEST_CASE("null means unset and is kept", "[definition]") {
    CHECK(options("  a: null\n  b: ~\n  c:\n  d: {type: int, value: null}\n") == Map{{"a", nullptr}, {"b", nullptr}, {"c", nullptr}, {"d", nullptr}});
    CHECK(only(k_head + "options:\n").options.empty());
    CHECK_FALSE(only(k_head + "enabled:\n").enabled);
}

TEST_CASE("a map with a key named type is the map unless it reads as the typed spelling", "[definition]") {
    CHECK(options("  a: {type: x, other: y}\n") == Map{{"a", Map{{"type", "x"}, {"other", "y"}}}});
    CHECK(options("  a: {type: x}\n") == Map{{"a", Map{{"type", "x"}}}});
    CHECK(options("  a: {type: [x], value: y}\n") == Map{{"a", Map{{"type", List{"x"}}, {"value", "y"}}}});
    CHECK(finding(k_head + "options:\n  a: {type: int}\n").code == "missing-key");
    CHECK(finding(k_head + "options:\n  a: {type: itn, value: 3}\n").code == "unknown-type");
    CHECK(finding(k_head + "options:\n  a: {type: int, value: 3, unit: s}\n").code == "ignored-key");
}

TEST_CASE("opts stands for options where that is absent", "[definition]") {
    CHECK(only(k_head + "opts: {a: 1}\n").options == Map{{"a", 1}});

    const auto parsed = parse_definitions(k_head + "opts: {a: 1}\noptions: {b: 2}\n", "f");
    CHECK(parsed.definitions.front().options == Map{{"b", 2}});
    REQUIRE(parsed.diagnostics.size() == 1);
    CHECK(parsed.diagnostics[0].severity == Severity::warning);
    CHECK(parsed.diagnostics[0].place == Place{5, 1, 4});
}

TEST_CASE("options may be one text", "[definition]") {
    CHECK(only(k_head + "options: '{\"a\": 1}'\n").options == Map{{"a", 1}});
    CHECK(only(k_head + "options: a=1, b=\"x, y\"\n").options == Map{{"a", 1}, {"b", "x, y"}});
    CHECK(finding(k_head + "options: hello\n").code == "bad-type");
    CHECK(finding(k_head + "options: [a]\n").code == "bad-type");
}

TEST_CASE("tags are a map or text of pairs", "[definition]") {
    CHECK(only(k_head + "tags: team=sales, level=2\n").tags == Map{{"team", "sales"}, {"level", 2}});
    CHECK(only(k_head + "tags: '{\"a\": 1}'\n").tags == Map{{"a", 1}});
    CHECK(only(k_head + "tags:\n").tags.empty());
    CHECK(finding(k_head + "tags: [x]\n").code == "bad-type");
}

TEST_CASE("a file holds several documents", "[definition]") {
    const auto parsed = parse_definitions("---\n" + k_head + "---\n# nothing\n---\ntype: connection\nname: b\ndesc: d\nurl: shop://b\n...\n", "f");

    REQUIRE(parsed.definitions.size() == 2);
    CHECK(parsed.diagnostics.empty());
    CHECK(parsed.definitions[0].name == "shop");
    CHECK(parsed.definitions[1].name == "b");
    CHECK(parsed.definitions[1].place == Place{10, 7, 1});
}

TEST_CASE("a bad document does not harm the others", "[definition]") {
    const auto parsed = parse_definitions("- a list\n---\n" + k_head + "---\ntype: workflow\nname: w\ndesc: d\nurl: x://y\n", "f");

    REQUIRE(parsed.definitions.size() == 3);
    CHECK_FALSE(parsed.unreadable);
    REQUIRE(parsed.diagnostics.size() == 2);
    CHECK(parsed.diagnostics[0].code == "not-a-mapping");
    CHECK(parsed.diagnostics[0].place.line == 1);
    CHECK(parsed.diagnostics[1].code == "not-a-connection");
    CHECK(parsed.diagnostics[1].place == Place{8, 7, 8});
    CHECK(parsed.diagnostics[1].connection == "w");
}

TEST_CASE("missing keys are told", "[definition]") {
    const auto parsed = parse_definitions("\n  desc: d\n", "f");

    REQUIRE(parsed.diagnostics.size() == 3);
    for (const auto& d : parsed.diagnostics) {
        CHECK(d.code == "missing-key");
        CHECK(d.severity == Severity::error);
        CHECK(d.place == Place{2, 3, 1});
    }
    CHECK(finding("type: connection\nname: a\nurl: shop://h\n").severity == Severity::warning);
}

TEST_CASE("an empty file is told, and no error", "[definition]") {
    for (const char* text : {"", "# nothing\n", "---\n"}) {
        const auto parsed = parse_definitions(text, "f");
        REQUIRE(parsed.diagnostics.size() == 1);
        CHECK(parsed.diagnostics[0].code == "empty");
        CHECK_FALSE(qconn::has_errors(parsed.diagnostics));
        CHECK(parsed.definitions.empty());
    }
}

TEST_CASE("unknown keys are kept, with a warning that shows the nearest", "[definition]") {
    const auto parsed = parse_definitions(k_head + "enabld: true\nid: 7\n", "f");

    REQUIRE(parsed.definitions.size() == 1);
    CHECK(parsed.definitions[0].other == Map{{"enabld", true}, {"id", 7}});
    REQUIRE(parsed.diagnostics.size() == 2);
    CHECK(parsed.diagnostics[0].severity == Severity::warning);
    CHECK(parsed.diagnostics[0].code == "unknown-key");
    CHECK(parsed.diagnostics[0].hint == "did you mean 'enabled'?");
}

TEST_CASE("booleans in other words are taken with a warning, others are errors", "[definition]") {
    for (const char* word : {"yes", "on", "True", "'true'", "y", "1"}) {
        const auto parsed = parse_definitions(k_head + "enabled: " + word + "\n", "f");
        INFO(word);
        REQUIRE(parsed.diagnostics.size() == 1);
        CHECK(parsed.diagnostics[0].severity == Severity::warning);
        CHECK(parsed.diagnostics[0].hint == "write `enabled: true`");
        CHECK(parsed.definitions[0].enabled == true);
    }
    const auto bad = finding(k_head + "enabled: ture\n");
    CHECK(bad.code == "bad-boolean");
    CHECK(bad.place == Place{5, 10, 4});
    CHECK(bad.hint == "did you mean 'true'?");
    CHECK(finding(k_head + "enabled: [true]\n").code == "bad-boolean");
}

TEST_CASE("what YAML readers let pass is caught", "[definition]") {
    SECTION("duplicate keys, at the top and in options") {
        const auto top = finding(k_head + "name: other\n");
        CHECK(top.code == "duplicate-key");
        CHECK(top.place == Place{5, 1, 4});
        const auto inner = finding(k_head + "options:\n  a: 1\n  a: 2\n");
        CHECK(inner.code == "duplicate-key");
        CHECK(inner.place == Place{7, 3, 1});
        CHECK(inner.connection == "shop");
    }
    SECTION("unterminated quotes") {
        const auto parsed = parse_definitions("type: connection\nname: \"shop\nurl: x://y\n", "f");
        CHECK(parsed.unreadable);
        CHECK(parsed.definitions.empty());
        REQUIRE(parsed.diagnostics.size() == 1);
        CHECK(parsed.diagnostics[0].code == "unterminated-quote");
        CHECK(parsed.diagnostics[0].place.line == 2);
        CHECK(parsed.diagnostics[0].place.column == 7);
        CHECK(parsed.diagnostics[0].source_line == "name: \"shop");
    }
    SECTION("invalid UTF-8") {
        const auto parsed = parse_definitions("type: connection\nname: a\xFF\n", "f");
        CHECK(parsed.unreadable);
        REQUIRE(parsed.diagnostics.size() == 1);
        CHECK(parsed.diagnostics[0].code == "invalid-utf8");
        CHECK(parsed.diagnostics[0].place == Place{2, 8, 1});
    }
    SECTION("a plain URL that a comment cuts off") {
        const auto cut = finding("type: connection\nname: a\ndesc: d\nurl: http://u:p #w@h\n");
        CHECK(cut.code == "cut-by-comment");
        CHECK(cut.severity == Severity::error);
        CHECK(cut.place.line == 4);
        CHECK(cut.place.column == 17);
        CHECK(cut.source_line == "url: http://<masked> #…");
    }
    SECTION("a comment without a blank behind a number is only a warning") {
        CHECK(finding(k_head + "options:\n  timeout: 30 #ms\n").severity == Severity::warning);
    }
    SECTION("a URL with a # and no blank before it is whole") {
        CHECK(only("type: connection\nname: a\ndesc: d\nurl: http://u:p#w@h\n").url == "http://u:p#w@h");
        CHECK(only("type: connection\nname: a\ndesc: d\nurl: http://h # a comment\n").url == "http://h");
    }
    SECTION("an octal-looking number inside a map") {
        const auto octal = finding(k_head + "options:\n  a: {n: 010}\n");
        CHECK(octal.code == "octal-looking");
        CHECK(octal.place == Place{6, 10, 3});
    }
}

TEST_CASE("limits on size, depth and nodes make the file unreadable", "[definition]") {
    const auto code = [](const std::string& text, const qconn::DefinitionLimits& limits) {
        const auto parsed = parse_definitions(text, "f", limits);
        REQUIRE(parsed.unreadable);
        CHECK(parsed.definitions.empty());
        return parsed.diagnostics.at(0).code;
    };
    CHECK(code(k_head, {.max_file_size = 10}) == "limit");
    CHECK(code(k_head + "options: {a: {b: {c: 1}}}\n", {.max_depth = 3}) == "limit");
    CHECK(code(k_head, {.max_nodes = 5}) == "limit");
}

TEST_CASE("a million findings stay few", "[definition]") {
    std::string text = k_head;
    for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
    const auto parsed = parse_definitions(text, "f");

    CHECK(parsed.diagnostics.size() == 101);
    CHECK(parsed.definitions[0].other.size() == 20'000);
}

TEST_CASE("writing is canonical", "[definition]") {
    Definition d;
    d.name = "shop-api";
    d.description = "Orders: all";
    d.url = "rests://user:p#w@shop.example/api";
    d.options = Map{{"timeout", 30},
                    {"unset", nullptr},
                    {"version", "1.1"},
                    {"headers", Map{{"Accept", "application/json"}}},
                    {"scopes", List{"full", "api"}},
                    {"empty", Map{}},
                    {"typed", Map{{"type", "x"}, {"value", 1}}}};
    d.enabled = false;
    d.tags = Map{{"team", "sales"}};
    d.other = Map{{"id", 7}};

    CHECK(to_yaml(d) ==
          "type: connection\n"
          "name: shop-api\n"
          "desc: \"Orders: all\"\n"
          "url: \"rests://user:p#w@shop.example/api\"\n"
          "options:\n"
          "  timeout: 30\n"
          "  unset: null\n"
          "  version: \"1.1\"\n"
          "  headers:\n"
          "    Accept: \"application/json\"\n"
          "  scopes:\n"
          "    - \"full\"\n"
          "    - \"api\"\n"
          "  empty: {}\n"
          "  typed:\n"
          "    type: hash\n"
          "    value:\n"
          "      type: \"x\"\n"
          "      value: 1\n"
          "enabled: false\n"
          "tags:\n"
          "  team: \"sales\"\n"
          "id: 7\n");
    CHECK(only(to_yaml(only(to_yaml(d).substr(0, to_yaml(d).find("id:"))))).name == "shop-api");
}

namespace {

/// Definitions at random, with the texts that break writers.
class Generator {
public:
    explicit Generator(unsigned seed) : random_{seed} {}

    Definition definition() {
        Definition d;
        d.name = text();
        if (d.name.empty()) d.name = "n";
        d.description = text();
        d.url = text();
        if (d.url.empty()) d.url = "u";
        d.options = map(0);
        if (coin()) d.enabled = coin();
        if (coin()) d.monitored = coin();
        if (coin()) d.locked = coin();
        if (coin()) d.debug_data = coin();
        if (coin()) d.display_name = text();
        if (coin()) d.short_description = text();
        if (coin()) d.tags = map(1);
        if (coin()) d.other = Map{{"id", 1}, {"x y", value(1)}};
        return d;
    }

private:
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_); }
    bool coin() { return below(2) == 0; }

    std::string text() {
        static const std::vector<std::string> k_nasty{"",
                                                      " ",
                                                      "a ",
                                                      " a",
                                                      "\n",
                                                      "a\nb",
                                                      "a\n\n",
                                                      "# x",
                                                      "a # b",
                                                      "a #b",
                                                      "a: b",
                                                      "a:",
                                                      "'",
                                                      "\"",
                                                      "\\",
                                                      "{}",
                                                      "[x",
                                                      "null",
                                                      "~",
                                                      "true",
                                                      "Yes",
                                                      "on",
                                                      "010",
                                                      "0x1F",
                                                      "1e5",
                                                      "1_000",
                                                      "12:30",
                                                      ".inf",
                                                      "-",
                                                      "- a",
                                                      "?",
                                                      "*x",
                                                      "&x",
                                                      "!x",
                                                      "%x",
                                                      "@x",
                                                      "`x",
                                                      "---",
                                                      "...",
                                                      "<<",
                                                      "=",
                                                      "1.10",
                                                      "2024-01-01",
                                                      "P1D",
                                                      "${env:X}",
                                                      "$${x",
                                                      "\t",
                                                      "a\tb",
                                                      "\r\n",
                                                      "\x01",
                                                      "\x7F",
                                                      "\xC2\x85",
                                                      "\xE2\x80\xA8",
                                                      "\xEF\xBB\xBF",
                                                      "\xF0\x9F\x98\x80",
                                                      "été",
                                                      "> x",
                                                      "| x",
                                                      "--- x",
                                                      "a, b",
                                                      "http://u:p #w@h",
                                                      "sqlnull",
                                                      "@inf@",
                                                      "NaN",
                                                      "18446744073709551616",
                                                      "+1",
                                                      "-0",
                                                      "x\n  y\n z\n"};
        if (below(3) > 0) return k_nasty[below(k_nasty.size())];
        std::string out;
        for (std::size_t n = below(4); n-- > 0;) out += k_nasty[below(k_nasty.size())];
        if (below(20) == 0) out.append(1'500, 'x');
        return out;
    }

    Value value(int depth) {
        switch (below(depth > 2 ? 8 : 10)) {
            case 0: return nullptr;
            case 1: return coin();
            case 2: return static_cast<long long>(random_()) - 2'000'000'000LL;
            case 3: return std::numeric_limits<std::int64_t>::min();
            case 4: return 18'446'744'073'709'551'615ULL;
            case 5: return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(600)) - 300);
            case 6: return Value::binary(text());
            case 7: return text();
            case 8: return map(depth + 1);
            default: break;
        }
        List list;
        for (std::size_t n = below(4); n-- > 0;) list.push_back(value(depth + 1));
        return list;
    }
    Map map(int depth) {
        Map out;
        for (std::size_t n = below(5); n-- > 0;) out.set(coin() ? text() : std::string{coin() ? "type" : "value"}, value(depth));
        return out;
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("what is written reads back as the same definition", "[definition]") {
    for (unsigned seed = 0; seed < 3'000; ++seed) {
        const Definition d = Generator{seed}.definition();
        const std::string yaml = to_yaml(d);
        const auto parsed = parse_definitions(yaml, "f");
        INFO("seed " << seed << "\n" << yaml);
        for (const auto& finding : parsed.diagnostics) {
            INFO(qconn::render(finding));
            REQUIRE(finding.severity != Severity::error);
        }
        REQUIRE(parsed.definitions.size() == 1);
        REQUIRE(parsed.definitions[0] == d);
        REQUIRE(to_yaml(parsed.definitions[0]) == yaml);
    }
}

TEST_CASE("equality leaves out where a definition came from", "[definition]") {
    Definition a;
    Definition b;
    b.file = "x";
    b.place = {3, 4, 5};
    CHECK(a == b);
    b.enabled = true;
    CHECK_FALSE(a == b);
}
