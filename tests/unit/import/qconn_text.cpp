// SPDX-License-Identifier: Apache-2.0
// qconn's own definitions in the text form before YAML.
#include "importing.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::string_view k_old = R"(# two connections
drop = (
    desc = Files of $WHO,
    url = file://$DROP_DIR/in,
%ifdef LOCAL
    readonly = yes
%endif
)
erp = (url = sftp://edi:s3cret@files.example/in, desc = "not in this build", timeout = 5)
)";

}  // namespace

TEST_CASE("legacy definitions are imported with references in the place of variables and secrets", "[import]") {
    const Imported imported = import_text("qconn", k_old);

    INFO(findings(imported));
    check_round_trip(imported);
    CHECK(definition(imported, "drop").url == "file://${env:DROP_DIR}/in");
    CHECK(definition(imported, "drop").description == "Files of $WHO");
    CHECK(definition(imported, "drop").options.empty());
    CHECK(definition(imported, "erp").url == "sftp://edi:${env:ERP_PASSWORD}@files.example/in");
    CHECK_FALSE(has_errors(imported.diagnostics));
    const std::string told = findings(imported);
    CHECK(has(told, "3:21 warning variable-kept"));
    CHECK(has(told, "4:18 note variable-reference"));
    CHECK(has(told, "5:1 warning condition-decided"));
    CHECK(has(told, "note comments-dropped"));
    CHECK(has(told, "note unknown-scheme"));
    CHECK_FALSE(has(shown(imported), "s3cret"));
}

TEST_CASE("legacy definitions are imported as the defines make them", "[import]") {
    const Imported imported = import_connections({{find_importer("qconn"), std::string{k_old}, "old.qconn"}}, {.defines = {"LOCAL"}});
    CHECK(option(definition(imported, "drop"), "readonly") == Value{true});
}

TEST_CASE("what a legacy text cannot say in YAML is told once", "[import]") {
    const Imported imported = import_text("qconn", "drop = (url = file:///in, desc = d, readonly = $FLAG)\n");
    INFO(findings(imported));
    CHECK(imported.definitions.size() == 1);
    REQUIRE(imported.diagnostics.size() == 2);
    CHECK(imported.diagnostics[0].code == "variable-reference");
    CHECK(imported.diagnostics[1].code == "bad-boolean");
    CHECK(imported.diagnostics[1].severity == Severity::error);
    CHECK(has_errors(import_text("qconn", "drop = (").diagnostics));
}
