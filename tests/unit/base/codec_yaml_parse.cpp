// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "base/yaml.hpp"
#include "support/catch.hpp"

using namespace qconn;
using yaml::Kind;
using yaml::Mark;
using yaml::Style;

namespace {

/// "line:column code" of every problem.
std::string problems(const yaml::ParseResult& r) {
    std::string out;
    for (const auto& p : r.problems) {
        if (!out.empty()) out += ", ";
        out += std::to_string(p.at.line) + ":" + std::to_string(p.at.column) + " " + p.code;
    }
    return out;
}
std::string problems(std::string_view text, const yaml::Limits& limits = {}) { return problems(yaml::parse(text, limits)); }

}  // namespace

TEST_CASE("nodes know where they begin and end", "[yaml]") {
    const auto r = yaml::parse("name: x\nopts:\n  \xC3\xA4: [1, 'two']\n  b: \"q\"  # note\n");

    REQUIRE(r.problems.empty());
    REQUIRE(r.documents.size() == 1);
    const yaml::Node& root = *r.documents[0].root;
    CHECK(root.is_mapping());
    CHECK(root.size() == 2);
    CHECK(root.start() == Mark{1, 1, 0});
    CHECK(root.find("name")->start() == Mark{1, 7, 6});
    CHECK(root.find("name")->end() == Mark{1, 8, 7});
    const yaml::Node& opts = *root.find("opts");
    CHECK(opts.style() == Style::block);
    CHECK(opts.end() == Mark{4, 9, 39});
    const yaml::Node& list = *opts.find("\xC3\xA4");
    CHECK(list.kind() == Kind::sequence);
    CHECK(list.style() == Style::flow);
    CHECK(list.start() == Mark{3, 6, 20});
    CHECK(list.end() == Mark{3, 16, 30});
    CHECK(list.length() == 10);
    CHECK(opts.find("b")->style() == Style::double_quoted);
    CHECK(opts.find("b")->text() == "q");
    CHECK(opts.find("b")->length() == 3);
    CHECK(root.find("url") == nullptr);
}

TEST_CASE("a byte order mark is skipped and counted in offsets only", "[yaml]") {
    const auto r = yaml::parse(
        "\xEF\xBB\xBF"
        "a: \xE2\x82\xAC x\nb: 1");

    REQUIRE(r.problems.empty());
    CHECK(r.documents[0].root->start() == Mark{1, 1, 3});
    CHECK(r.documents[0].root->find("a")->end() == Mark{1, 7, 11});
    CHECK(r.documents[0].root->find("b")->start() == Mark{2, 4, 15});
}

TEST_CASE("places far into text that is not ASCII are exact", "[yaml]") {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "k" + std::to_string(i) + ": \xC3\xA4\xF0\x9F\x98\x80\n";
    text += "last: 'x'\n";

    const auto r = yaml::parse(text);

    REQUIRE(r.problems.empty());
    CHECK(r.documents[0].root->find("last")->start() == Mark{101, 7, static_cast<std::uint32_t>(text.size() - 4)});
}

TEST_CASE("every document of a text is read", "[yaml]") {
    CHECK(yaml::parse("").documents.empty());
    CHECK(yaml::parse(std::string_view{}).documents.empty());
    CHECK(yaml::parse("# only a comment\n").documents.empty());
    const auto r = yaml::parse("a: 1\n---\n- 2\n---\n...\n");
    REQUIRE(r.documents.size() == 3);
    CHECK(r.documents[1].root->is_sequence());
    CHECK(r.documents[2].root->is_null());
}

TEST_CASE("broken text is one problem at its exact place", "[yaml]") {
    CHECK(problems("a: 'x\nb: 1\n") == "1:4 unterminated-quote");
    CHECK(problems("ok: 1\na: \"x\n") == "2:4 unterminated-quote");
    CHECK(problems("'a") == "1:1 unterminated-quote");
    CHECK(problems("foo: bar\nnot-a-key\n") == "2:1 missing-colon");
    CHECK(problems("a: b: c\n") == "1:5 unexpected-colon");
    CHECK(problems("a:\n\tb: c\n") == "2:1 tab");
    CHECK(problems("\ta: c\n") == "1:1 tab");
    CHECK(problems("a: [1, 2\n") == "1:4 unclosed-bracket");
    CHECK(problems("a: {b: 1\nc: 2\n") == "2:2 bad-flow");
    CHECK(problems("- 1\nb: 2\n") == "2:1 bad-indentation");
    CHECK(problems("a:\n  - b\n c: d\n") == "3:2 bad-indentation");
    CHECK(problems("a: @x\n") == "1:4 reserved-character");
    CHECK(problems("a: \"\\q\"\n") == "1:5 bad-escape");
    CHECK(problems("{a: b}}\n") == "1:7 trailing-text");
    CHECK(problems("key: \"abc\" def\n") == "1:12 bad-indentation");
    CHECK(problems("a: !foo!bar x\n") == "1:4 unknown-tag-handle");
    CHECK(problems("a: * b\n") == "1:4 bad-alias");
    CHECK(problems("a: - b\n") == "1:4 unexpected-dash");
    CHECK(problems("%nonsense\n--- x\n") == "1:1 bad-directive");
    CHECK(problems("a: | text\n") == "1:6 bad-block-text");
    CHECK(yaml::parse("a: b: c").fatal);
}

TEST_CASE("bytes and characters that YAML does not allow are found first", "[yaml]") {
    CHECK(problems("ok: 1\nx: \xFF\n") == "2:4 invalid-utf8");
    CHECK(problems("x: \xC3\xA4\xC3") == "1:5 invalid-utf8");
    CHECK(problems("x: \xED\xA0\x80") == "1:4 invalid-utf8");
    CHECK(problems("x: a\x01") == "1:5 control-character");
    CHECK(problems(std::string_view{"x: a\0b", 6}) == "1:5 control-character");
    CHECK(problems("x: \xC2\x81") == "1:4 control-character");
    CHECK(problems("x: a\xE2\x80\xA8 b") == "1:5 line-separator");
    CHECK(problems("x: a\xC2\x85 b") == "1:5 line-separator");
}

TEST_CASE("documents before a broken one are kept", "[yaml]") {
    const auto r = yaml::parse("a: 1\n---\nb: 'x\n");

    CHECK(r.fatal);
    REQUIRE(r.documents.size() == 1);
    CHECK(r.documents[0].root->find("a")->text() == "1");
}

TEST_CASE("duplicate keys are all found and leave a usable tree", "[yaml]") {
    const auto r = yaml::parse("a: 1\nb: {x: 1, x: 2}\n\"a\": 3\n");

    CHECK_FALSE(r.fatal);
    CHECK(problems(r) == "2:11 duplicate-key, 3:1 duplicate-key");
    CHECK(r.problems[1].length == 3);
    CHECK(r.problems[1].message.find("line 1") != std::string::npos);
    CHECK(r.documents[0].root->find("a")->text() == "1");
    CHECK(r.documents[0].root->size() == 3);
}

TEST_CASE("duplicate keys are found in large mappings too", "[yaml]") {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "k" + std::to_string(i) + ": 1\n";

    CHECK(problems(text).empty());
    CHECK(problems(text + "k7: 2\n") == "1001:1 duplicate-key");
}

TEST_CASE("a comment that cuts a plain value off is noticed", "[yaml]") {
    const auto r = yaml::parse("url: http://u:p #w@h\n");

    CHECK_FALSE(r.fatal);
    CHECK(problems(r) == "1:17 cut-by-comment");
    CHECK(r.problems[0].length == 4);
    CHECK(r.documents[0].root->find("url")->is_cut());
    CHECK(problems("a: x # note\nb: y #\nc: z ## note\nd: http://h/#top\ne: 'x' #note\nf: #note\n#note\n").empty());
}

TEST_CASE("an alias shares the children and has its own place", "[yaml]") {
    const auto r = yaml::parse("a: &x {k: [1]}\nb: *x\n");

    REQUIRE(r.problems.empty());
    const yaml::Node& b = *r.documents[0].root->find("b");
    CHECK(b.is_alias());
    CHECK(b.start() == Mark{2, 4, 18});
    REQUIRE(b.find("k") != nullptr);
    CHECK(b.find("k") == r.documents[0].root->find("a")->find("k"));
}

TEST_CASE("aliases to nothing, to themselves and across documents are problems", "[yaml]") {
    CHECK(problems("a: *x\n") == "1:4 unknown-anchor");
    CHECK(problems("a: &x [*x]\n") == "1:8 recursive-alias");
    CHECK(problems("&x a: 1\n--- *x\n") == "2:5 unknown-anchor");
    CHECK(yaml::parse("a: *x").documents[0].root->find("a")->is_null());
}

TEST_CASE("an exponential text is refused at the limit, not walked", "[yaml]") {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 30; ++i) {
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 10; ++k) text += (k ? ", *a" : "*a") + std::to_string(i - 1);
        text += "]\n";
    }
    const auto r = yaml::parse(text);

    CHECK(r.fatal);
    CHECK(r.problems.back().code == "limit");
}

TEST_CASE("depth counts through aliases", "[yaml]") {
    CHECK(problems("a: &x [[[1]]]\nb: [[[*x]]]\n", {.depth = 7}).empty());
    CHECK(problems("a: &x [[[1]]]\nb: [[[*x]]]\n", {.depth = 6}) == "2:7 limit");
}

TEST_CASE("limits hold exactly", "[yaml]") {
    CHECK(problems("[[[1]]]", {.depth = 3}).empty());
    CHECK(problems("[[[1]]]", {.depth = 2}) == "1:3 limit");
    CHECK(problems("[1, 2]", {.nodes = 3}).empty());
    CHECK(problems("[1, 2]", {.nodes = 2}) == "1:5 limit");
    CHECK(problems("12345", {.size = 5}).empty());
    CHECK(problems("123456", {.size = 5}) == "1:1 limit");
    CHECK(problems("--- 1\n--- 2\n", {.documents = 2}).empty());
    CHECK(problems("--- 1\n--- 2\n", {.documents = 1}) == "2:1 limit");
    CHECK(yaml::parse("{a: 1, a: 1, a: 1, a: 1}", {.problems = 2}).problems.size() == 2);
    CHECK(yaml::parse(std::string(100'000, '[')).problems.back().code == "limit");
}

TEST_CASE("tags are shown in their short form", "[yaml]") {
    const auto r = yaml::parse("%TAG !e! tag:example.org,2026:\n---\na: !!int 5\nb: ! x\nc: !own y\nd: !e!z w\ne: !<tag:yaml.org,2002:map> {}\n");

    REQUIRE(r.problems.empty());
    const yaml::Node& root = *r.documents[0].root;
    CHECK(root.find("a")->tag() == "!!int");
    CHECK(root.find("b")->tag() == "!");
    CHECK(root.find("c")->tag() == "!own");
    CHECK(root.find("d")->tag() == "tag:example.org,2026:z");
    CHECK(root.find("e")->tag() == "!!map");
}

TEST_CASE("a text cut at any byte is read or refused, never more", "[yaml]") {
    const std::string text =
        "%YAML 1.2\n---\n# note\ntype: connection\nurl: \"rests://u:p\\x41@h\" # x\nopts: &o\n  list: [1, 'it''s', {a: b, ? c : d}]\n"
        "  text: |+2\n      more\n\n  fold: >-\n    a\n    b\n  tag: !!binary aGk=\n? complex\n: *o\n\xC3\xA4: \xF0\x9F\x98\x80\n...\n--- last\n";
    REQUIRE(problems(text).empty());
    for (std::size_t n = 0; n < text.size(); ++n) {
        const auto r = yaml::parse(std::string_view{text}.substr(0, n));
        for (const auto& p : r.problems) {
            CHECK(p.at.offset <= n);
            CHECK(p.at.line >= 1);
            CHECK_FALSE(p.message.empty());
        }
    }
}
