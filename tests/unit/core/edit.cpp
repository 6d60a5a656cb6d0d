// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/edit.hpp>

#include <qconn/base/error.hpp>

#include "support/catch.hpp"

using qconn::Definition;
using qconn::Error;
using qconn::List;
using qconn::Map;
using qconn::Value;

namespace {

const std::string k_head = "type: connection\nname: a\ndesc: d\nurl: shop://h\n";

/// The text after one change of the document "a".
template <class Change>
std::string edited(const std::string& text, Change change) {
    auto parsed = qconn::parse_definitions(text, "f");
    for (Definition& definition : parsed.definitions) {
        if (definition.name != "a") continue;
        change(definition);
        return qconn::edit_definition(text, "a", definition);
    }
    FAIL("there is no document a");
    return {};
}

std::string with_option(const std::string& text, const std::string& name, const Value& value) {
    return edited(text, [&](Definition& d) { d.options.set(name, value); });
}

std::string without_option(const std::string& text, const std::string& name) {
    return edited(text, [&](Definition& d) { d.options.erase(name); });
}

std::string why(const std::string& text, const std::string& name, const Value& value) {
    try {
        return with_option(text, name, value);
    } catch (const Error& error) {
        CHECK(error.name() == "EDIT-ERROR");
        return error.what();
    }
}

}  // namespace

TEST_CASE("a changed value changes nothing around it", "[edit]") {
    const std::string text =
        "# the shop\r\n"
        "type: connection   # always\r\n"
        "name:   a\r\n"
        "\r\n"
        "url: 'shop://h'\r\n"
        "desc: \"d\"  # a word\r\n"
        "opts:\r\n"
        "     timeout: 30   # in seconds\r\n"
        "     # what follows is typed\r\n"
        "     retries: {type: int, value: 3}\r\n"
        "     other: &x [1, 2]\r\n"
        "     again: *x";

    CHECK(with_option(text, "timeout", 45).find("     timeout: 45   # in seconds\r\n") != std::string::npos);
    std::string expected = text;
    expected.replace(expected.find("value: 3"), 8, "value: 4");
    CHECK(with_option(text, "retries", 4) == expected);
    expected = text;
    expected.replace(expected.find("'shop://h'"), 10, "'shop://it''s'");
    CHECK(edited(text, [](Definition& d) { d.url = "shop://it's"; }) == expected);
    expected = text;
    expected.replace(expected.find("\"d\""), 3, "\"a \\\"word\\\"\"");
    CHECK(edited(text, [](Definition& d) { d.description = "a \"word\""; }) == expected);
    expected = text;
    expected.replace(expected.find("*x"), 2, "[1]");
    CHECK(with_option(text, "again", List{1}) == expected);
    CHECK(edited(text, [](Definition&) {}) == text);
}

TEST_CASE("a new option comes below the last, indented as that, and the file keeps how it ends", "[edit]") {
    CHECK(with_option(k_head + "options:\n    b: 1 # one\n\n# end\n", "c", 2) == k_head + "options:\n    b: 1 # one\n    c: 2\n\n# end\n");
    CHECK(with_option(k_head + "options:\n   b: 1", "c", 2) == k_head + "options:\n   b: 1\n   c: 2");
    CHECK(with_option(k_head + "options: {b: 1}\n", "c", 2) == k_head + "options: {b: 1, c: 2}\n");
    CHECK(with_option(k_head + "options: {b: 1, }\n", "c", 2) == k_head + "options: {b: 1, c: 2 }\n");
    CHECK(with_option(k_head + "options: {}\n", "c", "x: y") == k_head + "options: {c: \"x: y\"}\n");
    CHECK(with_option(k_head + "options: {\"b\": \"1\"}\n", "c", "x") == k_head + "options: {\"b\": \"1\", \"c\": \"x\"}\n");
    CHECK(with_option(k_head + "options:\n  b: |\n    text\n\n\nenabled: true\n", "c", 2) ==
          k_head + "options:\n  b: |\n    text\n  c: 2\n\n\nenabled: true\n");
    CHECK(with_option(k_head + "options:\n  b: |+\n    text\n\n\nenabled: true\n", "c", 2) ==
          k_head + "options:\n  b: |+\n    text\n\n\n  c: 2\nenabled: true\n");
}

TEST_CASE("options are made where there are none, and go with the last of them", "[edit]") {
    CHECK(with_option(k_head, "c", 2) == k_head + "options:\n  c: 2\n");
    CHECK(with_option(k_head + "tags:\n    x: 1\n", "c", 2) == k_head + "options:\n    c: 2\ntags:\n    x: 1\n");
    CHECK(with_option(k_head + "options: # none\n", "c", 2) == k_head + "options: {c: 2} # none\n");
    CHECK(with_option(k_head + "options: ~\n", "c", 2) == k_head + "options: {c: 2}\n");
    CHECK(without_option(k_head + "options:\n  c: 2\nenabled: true\n", "c") == k_head + "enabled: true\n");
    CHECK(without_option(k_head + "options: {c: 2}\nenabled: true\n", "c") == k_head + "enabled: true\n");
    CHECK(without_option(k_head + "options:\n  c: 2", "c") + "\n" == k_head);
}

TEST_CASE("an option is unset by a null and taken out with its line", "[edit]") {
    CHECK(with_option(k_head + "options:\n  b: 1\n  c: 2 # two\n  d: 3\n", "c", {}) == k_head + "options:\n  b: 1\n  c: null # two\n  d: 3\n");
    CHECK(without_option(k_head + "options:\n  b: 1\n  c: 2 # two\n  # about d\n  d: 3\n", "c") ==
          k_head + "options:\n  b: 1\n  # about d\n  d: 3\n");
    CHECK(without_option(k_head + "options: {b: 1, c: 2, d: 3}\n", "b") == k_head + "options: {c: 2, d: 3}\n");
    CHECK(without_option(k_head + "options: {b: 1, c: 2, d: 3}\n", "c") == k_head + "options: {b: 1, d: 3}\n");
    CHECK(without_option(k_head + "options: {b: 1, c: 2, d: 3}\n", "d") == k_head + "options: {b: 1, c: 2}\n");
    CHECK(without_option(k_head + "options: {\n  b: 1,  # one\n  c: 2   # two\n}\n", "c") == k_head + "options: {\n  b: 1,  # one\n}\n");
    CHECK(without_option(k_head + "options:\n  b: |\n    x\n    y\n  c: 2\n", "b") == k_head + "options:\n  c: 2\n");
    CHECK(with_option(k_head + "options:\n  b: {type: string, value: 0123}\n", "b", {}) == k_head + "options:\n  b: {type: string, value: null}\n");
}

TEST_CASE("text is quoted wherever YAML could take it for something else", "[edit]") {
    for (const char* text : {"yes",       "1",    "0123", "1.10",       "x #y", "#x",  "a: b", "*x",     "&x",  "- x", "",
                             " x ",       "null", "~",    "2024-01-01", "PT5S", "[x]", "%x",   "@x",     "`x",  "x:",  "two\nlines",
                             "tab\there", "\x01", "ü€",   "${env:X}",   "'",    "\"",  "\\",   "%STR=x", "---", "!x"}) {
        INFO(text);
        for (const char* old : {"c: x", "c: 'x'", "c: \"x\"", "c: 5", "c:", "c: |\n    x\n    y", "c: {type: string, value: x}",
                                "c:\n    type: string\n    value: x", "c: [1]", "c:\n    - 1\n    - 2", "c:\n    k: v", "c: >-  # comment\n    x"}) {
            INFO(old);
            const std::string result = with_option(k_head + "options:\n  b: 1\n  " + old + "\n  d: 4\n", "c", text);
            CHECK(result.starts_with(k_head + "options:\n  b: 1\n  c:"));
            CHECK(result.ends_with("\n  d: 4\n"));
        }
        with_option(k_head + "options: {b: 1, c: x, d: 4}\n", "c", text);
        with_option(k_head + "options: {b: 1, d: 4}\n", "c", text);
        with_option(k_head + "options: {\"b\": 1}\n", "c", text);
    }
}

TEST_CASE("of a map only the members change that are to, of lists the whole", "[edit]") {
    const std::string text = k_head + "options:\n  headers:  # all\n    A: 1 # one\n    B: 2\n  list:\n    - x\n    - y\n";
    CHECK(edited(text, [](Definition& d) { d.options.find("headers")->as_map().set("B", "3"); }) ==
          k_head + "options:\n  headers:  # all\n    A: 1 # one\n    B: \"3\"\n  list:\n    - x\n    - y\n");
    CHECK(with_option(text, "headers", Map{{"C", Map{{"D", 1}}}, {"B", 2}}) ==
          k_head + "options:\n  headers:  # all\n    B: 2\n    C:\n      D: 1\n  list:\n    - x\n    - y\n");
    CHECK(with_option(text, "headers", Map{}) == k_head + "options:\n  headers: {}  # all\n  list:\n    - x\n    - y\n");
    CHECK(with_option(text, "list", List{"z", Map{{"a", 1}, {"b", 2}}}) ==
          k_head + "options:\n  headers:  # all\n    A: 1 # one\n    B: 2\n  list:\n    - z\n    - a: 1\n      b: 2\n");
    CHECK(with_option(text, "list", "text") == k_head + "options:\n  headers:  # all\n    A: 1 # one\n    B: 2\n  list: text\n");
    CHECK(with_option(k_head + "options:\n  c: 1\n", "d", Map{{"type", "x"}, {"value", 1}}) ==
          k_head + "options:\n  c: 1\n  d:\n    type: hash\n    value:\n      type: x\n      value: 1\n");
}

TEST_CASE("options and maps that are written as text stay so until one of them changes", "[edit]") {
    const std::string text = k_head + "options: 'b=1, c=two'\ntags: x=1\n";
    CHECK(edited(text, [](Definition& d) { d.enabled = false; }) == text + "enabled: false\n");
    CHECK(with_option(text, "b", 2) == k_head + "options: {b: 2, c: two}\ntags: x=1\n");
    CHECK(with_option(k_head + "options:\n  h: {type: hash, value: '{A: \"x\"}'}\n", "h", Map{{"A", "y"}}) ==
          k_head + "options:\n  h: {type: hash, value: {A: \"y\"}}\n");
}

TEST_CASE("the other keys are set, made in their place and taken out", "[edit]") {
    CHECK(edited(k_head + "enabled: yes # on\n", [](Definition& d) { d.enabled = false; }) == k_head + "enabled: false # on\n");
    CHECK(edited(k_head + "enabled: true\n", [](Definition& d) { d.enabled.reset(); }) == k_head);
    CHECK(edited("type: connection\nname: a\nurl: shop://h\n", [](Definition& d) { d.description = "d"; }) ==
          "type: connection\nname: a\ndesc: d\nurl: shop://h\n");
    CHECK(edited(k_head, [](Definition& d) { d.description.clear(); }) == "type: connection\nname: a\ndesc: \"\"\nurl: shop://h\n");
    CHECK(edited(k_head, [](Definition& d) { d.tags = Map{{"team", "x"}}; }) == k_head + "tags:\n  team: x\n");
    CHECK(edited(k_head, [](Definition& d) { d.url = "shop://h/#x"; }) == "type: connection\nname: a\ndesc: d\nurl: shop://h/#x\n");
    CHECK(edited(k_head, [](Definition& d) { d.name = "b"; }) == "type: connection\nname: b\ndesc: d\nurl: shop://h\n");
    CHECK(edited("{type: connection, name: a, desc: d, url: 'shop://h'}", [](Definition& d) { d.monitored = false; }) ==
          "{type: connection, name: a, desc: d, url: 'shop://h', monitor: false}");
}

TEST_CASE("of several documents only the one that is meant changes", "[edit]") {
    const std::string other = "# other\ntype: connection\nname: o\ndesc: x\nurl: shop://o\noptions: {b: 1}\n";
    const std::string text = other + "---\n" + k_head + "...\n---\n# nothing\n---\n" + other;
    std::string expected = text;
    expected.replace(expected.find("shop://h"), 8, "shop://i");
    CHECK(edited(text, [](Definition& d) { d.url = "shop://i"; }) == expected);
}

TEST_CASE("an edit that would change something else is refused, and says why", "[edit]") {
    CHECK(why(k_head + "options:\n  b: &x 1\n  c: *x\n", "b", 2).find("refer to an anchor") != std::string::npos);
    CHECK(why(k_head + "options:\n  b: &x {k: 1}\n  c: *x\n", "b", Map{{"k", 2}}).find("otherwise than meant") != std::string::npos);
    CHECK(why(k_head + "options:\n  b: {type: string}\n", "b", "x").find("no 'value'") != std::string::npos);
    CHECK(why(k_head + "options:\n  b: {type: int, value: 1}\n", "b", "x").find("\"x\"") == std::string::npos);
    CHECK_THROWS_AS(qconn::edit_definition("a: [", "a", Definition{}), Error);
    CHECK_THROWS_AS(qconn::edit_definition(k_head, "nobody", Definition{}), Error);
}

TEST_CASE("a document is added at the end", "[edit]") {
    Definition b;
    b.name = "b";
    b.description = "x";
    b.url = "shop://b";
    const std::string yaml = qconn::to_yaml(b);
    CHECK(qconn::add_definition("", b) == yaml);
    CHECK(qconn::add_definition(k_head, b) == k_head + "---\n" + yaml);
    CHECK(qconn::add_definition(k_head.substr(0, k_head.size() - 1), b) == k_head + "---\n" + yaml);
    CHECK(qconn::add_definition("# nothing yet\n", b) == "# nothing yet\n" + yaml);
    CHECK_THROWS_AS(qconn::add_definition(yaml, b), Error);
}

TEST_CASE("a document is removed with what is about it", "[edit]") {
    const std::string b = "type: connection\nname: b\ndesc: x\nurl: shop://b\n";
    CHECK(qconn::remove_definition("# all of them\n\n# about a\n" + k_head + "---\n" + b, "a") == "# all of them\n\n" + b);
    CHECK(qconn::remove_definition(k_head + "---\n# about b\n" + b, "b") == k_head);
    CHECK(qconn::remove_definition("---\n" + b + "---\n" + k_head + "---\n# none\n", "a") == "---\n" + b + "---\n# none\n");
    CHECK(qconn::remove_definition(k_head, "a").empty());
    CHECK(qconn::remove_definition("# shops\n\n" + k_head, "a") == "# shops\n\n");
    CHECK_THROWS_AS(qconn::remove_definition(k_head, "b"), Error);
}
