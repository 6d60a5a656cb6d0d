// SPDX-License-Identifier: Apache-2.0
// What holds for all importers: the table, names, secrets, limits.
#include "importing.hpp"

using namespace qconn;
using namespace qconn::test;

TEST_CASE("importers are found by name and guessed from names of files", "[import]") {
    for (const Importer& one : importers()) {
        CAPTURE(one.name);
        CHECK(find_importer(one.name) == &one);
        CHECK_FALSE(one.title.empty());
        CHECK_FALSE(one.file_names.empty());
    }
    CHECK(find_importer("gopher") == nullptr);
    const auto guessed = [](std::string_view file) { return guess_importer(file) != nullptr ? std::string{guess_importer(file)->name} : "none"; };
    CHECK(guessed("/etc/odbc.ini") == "odbc");
    CHECK(guessed("/home/me/.odbc.ini") == "odbc");
    CHECK(guessed("/home/me/.ssh/config") == "ssh");
    CHECK(guessed("stage.env") == "airflow");
    CHECK(guessed("Airflow_Connections.JSON") == "airflow");
    CHECK(guessed("dapr/components/mail-component.yaml") == "dapr");
    CHECK(guessed("old.qconn") == "legacy");
    CHECK(guessed("shop.txt") == "none");
}

TEST_CASE("names and variables are unique over all sources, and mended where a definition cannot have them", "[import]") {
    const Importer* ssh = find_importer("ssh");
    const std::string longest(200, 'x');
    const Imported imported = import_connections({{ssh, "Host a\n", "one"},
                                                  {ssh, "Host a a-2\n", "two"},
                                                  {find_importer("airflow"), "a-b=mysql://u:p1@h/d\na_b=mysql://u:p2@h/d\n", "three"},
                                                  {ssh, "Host " + longest + "\n", "four"}});
    INFO(findings(imported));
    check_round_trip(imported);
    std::vector<std::string> names;
    for (const Definition& one : imported.definitions) names.push_back(one.name);
    CHECK(names == std::vector<std::string>{"a", "a-2", "a-2-2", "a-b", "a_b", std::string(160, 'x')});
    REQUIRE(imported.secrets.size() == 2);
    CHECK(imported.secrets[0].variable == "A_B_PASSWORD");
    CHECK(imported.secrets[1].variable == "A_B_PASSWORD_2");
    CHECK(definition(imported, "a_b").url == "db://mysql:u/${env:A_B_PASSWORD_2}@d%h");
    CHECK(definition(imported, "a-2").file == "two");
}

TEST_CASE("the legacy form becomes YAML, with references for its variables and for what is secret", "[import]") {
    const Imported out = import_connections({{find_importer("legacy"), R"(# shop
shop = (
    desc = Orders,
    url = rests://edi:pa:ss@$SHOP_HOST/api,
    timeout = 5000,
    ssl_key_password = k3y,
)
erp = (desc = Erp, url = "db://pgsql:omq/pa/ss@w@erp%host{a=b}")
%ifdef STAGE
stage = (desc = Stage, url = file:///tmp)
%endif
)",
                                              "old.qconn"}},
                                            {.defines = {"STAGE"}});

    INFO(findings(out));
    REQUIRE(out.definitions.size() == 3);
    CHECK(definition(out, "erp").url == "db://pgsql:omq/${env:ERP_PASSWORD}@erp%host{a=b}");
    CHECK(definition(out, "stage").url == "file:///tmp");
    CHECK(definition(out, "shop").url == "rests://edi:${env:SHOP_PASSWORD}@${env:SHOP_HOST}/api");
    CHECK(option(definition(out, "shop"), "ssl_key_password") == Value{"${env:SHOP_OPTION_SSL_KEY_PASSWORD}"});
    CHECK(out.secrets.front().value.reveal() == "pa:ss");
    CHECK(has(findings(out), "variable-reference"));
    CHECK(has(findings(out), "note unknown-scheme: this build has no scheme 'db'"));
    CHECK_FALSE(has(findings(out), "error unknown-scheme"));
    CHECK_FALSE(has(shown(out), "k3y"));
}

TEST_CASE("an error in a definition of the legacy form is a warning, as with every other source, and one in its text stays", "[import]") {
    const Imported out =
        import_text("legacy", "a = (desc = d, url = file:///tmp, no_such_option = 5)\nb = (desc = d, url = file:///tmp, readonly = perhaps)\n");
    INFO(findings(out));
    CHECK(out.definitions.size() == 2);
    CHECK(has(findings(out), "warning not-valid: the definition has an error: "));
    CHECK(has(findings(out), "[unknown-option]"));
    CHECK(has(findings(out), "[bad-boolean]"));
    CHECK_FALSE(has_errors(out.diagnostics));
    CHECK(has_errors(import_text("legacy", "a = (desc = d, url = file:///tmp\n").diagnostics));
}

TEST_CASE("text that is not UTF-8, too large, or decodes to what is no text is an error", "[import]") {
    const Imported bytes = import_text("ssh", "Host a\nUser \xFFx\n");
    CHECK(bytes.definitions.empty());
    CHECK(has(findings(bytes), "2:6 error invalid-utf8"));
    const Imported decoded = import_text("airflow", "a=ftp://u:%FF@h\nb=ftp://h\n", true);
    CHECK(decoded.definitions.size() == 1);
    CHECK(has(findings(decoded), "1:1 error unfit-url") != has(findings(decoded), "1:1 error invalid-utf8"));
    CHECK(has(findings(import_text("ssh", std::string(17U << 20U, '#'))), "error limit"));
}

TEST_CASE("empty texts of every importer give nothing, and no error", "[import]") {
    for (const Importer& one : importers()) {
        for (const char* text : {"", "\n", "# a comment\n", "\xEF\xBB\xBF"}) {
            const Imported imported = import_text(one.name, text);
            CAPTURE(one.name, text, findings(imported));
            CHECK(imported.definitions.empty());
            CHECK_FALSE(has_errors(imported.diagnostics));
        }
    }
}

#ifndef QCONN_WITHOUT_HTTP
TEST_CASE("what the check of a scheme finds is told at the place in the source", "[import]") {
    const Imported imported = import_text("airflow", "# first\nx=http://u@h.example?Accept=x&timeout=5\ny=rest://\n");
    INFO(findings(imported));
    CHECK(has(findings(imported), "3:1 warning not-valid: the definition has an error: the URL has no host"));
}
#endif
