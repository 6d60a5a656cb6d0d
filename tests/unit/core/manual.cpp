// SPDX-License-Identifier: Apache-2.0
// The examples of Qorus' manual, with their indentation restored.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"
#include "unit/core/test_catalogue.hpp"

namespace {

std::vector<qconn::ParsedDefinitions> examples() {
    std::vector<qconn::ParsedDefinitions> out;
    for (const auto& entry : std::filesystem::directory_iterator{std::string{QCONN_TESTS_DIR} + "/data/definitions/manual"}) {
        std::ifstream in{entry.path(), std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        out.push_back(qconn::parse_definitions(text, entry.path().filename().string()));
    }
    return out;
}

}  // namespace

TEST_CASE("all examples of the manual are read without a finding", "[definition]") {
    const auto parsed = examples();

    CHECK(parsed.size() == 24);
    for (const auto& file : parsed) {
        REQUIRE(file.definitions.size() == 1);
        INFO(file.definitions[0].file);
        for (const auto& d : file.diagnostics) UNSCOPED_INFO(qconn::render(d));
        CHECK(file.diagnostics.empty());
        CHECK(file.definitions[0].file == file.definitions[0].scheme() + ".qconn.yaml");
        CHECK(qconn::parse_definitions(qconn::to_yaml(file.definitions[0]), "again").definitions.at(0) == file.definitions[0]);
    }
}

TEST_CASE("an example whose scheme is not known is invalid, with the place of the scheme", "[definition]") {
    for (const auto& file : examples()) {
        auto definition = file.definitions.at(0);
        qconn::Diagnostics found;
        INFO(definition.file);

        CHECK_FALSE(test::catalogue().check(definition, found, &file));
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "unknown-scheme");
        CHECK(found[0].message == "unknown scheme '" + definition.scheme() + "'");
        CHECK(found[0].place.line == 5);
        CHECK(found[0].place.column == (definition.scheme() == "file" ? 7U : 6U));
        CHECK(found[0].place.length == definition.scheme().size());
    }
}

TEST_CASE("the examples whose family this build has are valid, the others have an unknown scheme", "[definition]") {
    const auto& catalogue = qconn::builtin_catalogue();
    CHECK(catalogue.find("file") != nullptr);
    for (const auto& file : examples()) {
        auto definition = file.definitions.at(0);
        qconn::Diagnostics found;
        const bool known = catalogue.find(definition.scheme()) != nullptr;
        INFO(definition.file);

        CHECK(catalogue.check(definition, found, &file) == known);
        for (const auto& d : found) UNSCOPED_INFO(qconn::render(d));
        if (definition.scheme() == "awsrests" && known) {  // names of other vendors, which are told what they are here
            CHECK(found.size() == 2);
            for (const auto& d : found) CHECK(d.code == "renamed-option");
            continue;
        }
        CHECK(found.size() == (known ? 0U : 1U));
        if (!known) CHECK(found.at(0).code == "unknown-scheme");
    }
}

TEST_CASE("the built-in catalogue has the schemes of the families that are built", "[definition]") {
    const auto& catalogue = qconn::builtin_catalogue();
    const bool http = catalogue.find("http") != nullptr;
    for (const char* name : {"https", "rest", "rests", "jsonrpcs", "xmlrpcs", "yamlrpcs"}) CHECK((catalogue.find(name) != nullptr) == http);
    for (const char* name : {"file", "dir"}) CHECK(catalogue.find(name) != nullptr);
}
