// SPDX-License-Identifier: Apache-2.0
// The formats of results, without a process.
#include <qconn/base/yaml.hpp>

#include "cli/csv.hpp"
#include "cli/format.hpp"
#include "cli/present.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::cli;

namespace {

std::string written(Format format, const Presentation& what) {
    Output out;
    present(out, format, what);
    return std::string{out.pending()};
}

}  // namespace

TEST_CASE("CSV quotes what RFC 4180 says must be, and nothing else", "[cli]") {
    CHECK(csv_record({"plain", "a,b", "say \"x\"", " edge", ""}) == "plain,\"a,b\",\"say \"\"x\"\"\",\" edge\",\r\n");
    CHECK(csv_record({1, -2, true, nullptr, 0.5, Value::decimal("1.50")}) == "1,-2,true,,0.5,1.50\r\n");
    CHECK(csv_record({Value::binary("\x01\x02"), List{"a", 2}, Map{{"k", "v"}}, List{}, List{Value{List{1}}}}) ==
          "AQI=,\"a, 2\",\"{\"\"k\"\":\"\"v\"\"}\",,[[1]]\r\n");
}

TEST_CASE("text in CSV is no formula for a spreadsheet and stays on its line", "[cli]") {
    CHECK(csv_field("=1+1") == "'=1+1");
    CHECK(csv_field("+49") == "'+49");
    CHECK(csv_field("-x") == "'-x");
    CHECK(csv_field("@sum") == "'@sum");
    CHECK(csv_field(List{"=1", "x"}) == "\"'=1, x\"");
    CHECK(csv_field(-5) == "-5");
    CHECK(csv_field("a\r\nb\tc\x1b[2J") == "a\\x0d\\x0ab\\x09c\\x1b[2J");
    CHECK(csv_field("\t=1") == "\\x09=1");
    CHECK(csv_field("a\xff") == "a\xEF\xBF\xBD");
}

TEST_CASE("one description of a result gives a table, JSON, YAML and CSV", "[cli]") {
    const Presentation what{
        .document = Map{{"count", 2}, {"all", List{Map{{"name", "a"}, {"up", true}}, Map{{"name", "b,c"}, {"up", false}, {"x", 1}}}}},
        .columns = {{"name", "NAME"}, {"up", "UP", [](const Value& row) { return Table::Cell{row["up"].as_bool() ? "yes" : "no"}; }}, {"x"}},
        .rows = "all"};

    CHECK(written(Format::table, what) == "NAME  UP\na     yes\nb,c   no\n");
    CHECK(written(Format::csv, what) == "name,up,x\r\na,true,\r\n\"b,c\",false,1\r\n");
    CHECK(written(Format::yaml, what) == "count: 2\nall:\n  - name: a\n    up: true\n  - name: b,c\n    up: false\n    x: 1\n");
    CHECK(written(Format::json, what).starts_with("{\n  \"count\": 2,\n  \"all\": ["));
}

TEST_CASE("a result without columns has all its members in CSV", "[cli]") {
    CHECK(written(Format::csv, {.document = List{Map{{"a", 1}}, Map{{"b", 2}}}}) == "a,b\r\n1,\r\n,2\r\n");
    CHECK(written(Format::csv, {.document = Map{{"a", 1}, {"o", Map{{"t", 5}, {"e", Map{}}}}}}) == "key,value\r\na,1\r\no.t,5\r\no.e,{}\r\n");
    CHECK(written(Format::csv, {.document = List{"x", 2}}) == "value\r\nx\r\n2\r\n");
    CHECK(written(Format::csv, {.document = "x"}) == "value\r\nx\r\n");
    CHECK(written(Format::csv, {.document = List{}}).empty());
    CHECK(written(Format::csv, {.document = List{}, .columns = {{"a"}, {"b"}}}) == "a,b\r\n");
}

TEST_CASE("rows that come one by one are an object a line, a YAML document each, or records under one head", "[cli]") {
    const Value row = Map{{"a", "x"}, {"b", 1}};
    const auto two = [&](Format format) {
        RowStream stream{format, {{"b"}, {"a"}}};
        const std::string first = stream.next(row);
        return first + stream.next(row);
    };

    CHECK(two(Format::json) == "{\"a\":\"x\",\"b\":1}\n{\"a\":\"x\",\"b\":1}\n");
    CHECK(two(Format::yaml) == "---\na: x\nb: 1\n---\na: x\nb: 1\n");
    CHECK(two(Format::csv) == "b,a\r\n1,x\r\n1,x\r\n");
}

TEST_CASE("YAML quotes what another reader would take for something else, and is YAML whatever a peer has sent", "[cli]") {
    CHECK(to_yaml(Map{{"a", "yes"}, {"b", "1"}, {"c", "x: y"}, {"d", "plain text"}}) == "a: \"yes\"\nb: \"1\"\nc: \"x: y\"\nd: plain text\n");
    CHECK_THROWS(to_yaml(Value{"\xff"}));
    CHECK(document_text(Format::yaml, Map{{"a\xff", "b\xff\x1b"}}) == "a\xEF\xBF\xBD: \"b\xEF\xBF\xBD\\x1B\"\n");
}

TEST_CASE("formats are known by their words", "[cli]") {
    for (const Format format : {Format::table, Format::json, Format::yaml, Format::csv, Format::sarif, Format::dot}) {
        CHECK(format_named(to_string(format)) == format);
    }
    CHECK_FALSE(format_named("xml"));
    CHECK(formats_text({Format::dot}) == "table|json|yaml|csv|dot");
}
