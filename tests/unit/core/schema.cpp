// SPDX-License-Identifier: Apache-2.0
// The JSON Schema itself, and that it and Catalogue::check agree; see validate_schema.py for the judgement of an independent validator.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "base/json.hpp"
#include "support/catch.hpp"
#include "unit/core/test_catalogue.hpp"

using qconn::List;
using qconn::Map;
using qconn::Value;

namespace {

/// How many files there are, and which are judged otherwise than expected.
std::pair<std::size_t, std::string> judged(const std::string& folder, bool expected) {
    std::size_t files = 0;
    std::string wrong;
    for (const auto& entry : std::filesystem::directory_iterator{std::string{QCONN_TESTS_DIR} + "/data/definitions/" + folder}) {
        ++files;
        std::ifstream in{entry.path(), std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        const auto parsed = qconn::parse_definitions(text, entry.path().filename().string());
        auto definition = parsed.definitions.at(0);
        auto diagnostics = parsed.diagnostics;
        if (test::catalogue().check(definition, diagnostics, &parsed) == expected) continue;
        wrong += entry.path().filename().string() + "\n";
        for (const auto& d : diagnostics) wrong += qconn::render(d);
    }
    return {files, wrong};
}

}  // namespace

TEST_CASE("the schema says what each option is", "[schema]") {
    const Value schema = qconn::json::decode(test::catalogue().json_schema()).value();

    CHECK(schema["$schema"] == Value{"https://json-schema.org/draft/2020-12/schema"});
    CHECK(schema["required"] == Value{List{"type", "name", "url"}});
    const Value& timeout = schema["$defs"]["options-shop"]["properties"]["timeout"];
    CHECK(timeout["default"] == Value{45'000});
    CHECK(timeout["description"] == Value{"Says how. Unit: milliseconds."});
    CHECK(timeout["else"]["anyOf"][0] == Value{Map{{"type", "integer"}, {"minimum", 1}}});
    CHECK(schema["$defs"]["options-shop"]["properties"]["password"]["writeOnly"] == Value{true});
    CHECK(schema["$defs"]["options-shop"]["properties"]["io_timeout"]["deprecated"] == Value{true});
    CHECK(schema["$defs"]["options-shop"]["additionalProperties"] == Value{false});
    CHECK(schema["allOf"].size() == 2);
    CHECK(schema["allOf"][0]["if"]["properties"]["url"]["pattern"] == Value{"^(?:[Ss][Hh][Oo][Pp]|[Ss][Hh][Oo][Pp][Ss])://"});
}

TEST_CASE("an empty catalogue has a schema too", "[schema]") {
    const Value schema = qconn::json::decode(qconn::Catalogue{}.json_schema()).value();

    CHECK(schema["properties"]["type"]["const"] == Value{"connection"});
}

TEST_CASE("the documents that the schema is tried on are judged alike by the check", "[schema]") {
    const auto [good, good_wrong] = judged("good", true);
    const auto [bad, bad_wrong] = judged("bad", false);

    CHECK(good >= 5);
    CHECK(bad >= 10);
    CHECK(good_wrong == "");
    CHECK(bad_wrong == "");
}
