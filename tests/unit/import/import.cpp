// SPDX-License-Identifier: Apache-2.0
// What holds for all importers: the table, names, secrets, limits.
#include "importing.hpp"

#include "import/run.hpp"

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
    CHECK(guessed("old/Shop.qconn") == "qconn");
    CHECK(guessed("shop.qconn.yaml") == "none");
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

TEST_CASE("definitions of a source that has such keep their texts, with references for what is secret", "[import]") {
    Imported out;
    const ImportOptions options;
    importing::Run run{options, out};
    Definition given;
    given.name = "shop";
    given.description = "Orders";
    given.url = "https://edi:pa:ss@w@shop.example/api";
    given.options = Map{{"timeout", 5000}, {"ssl_key_password", "k3y"}, {"headers", Map{{"Accept", "text/plain"}}}};
    run.add(given);
    run.finish();

    INFO(findings(out));
    check_round_trip(out);
    const Definition& shop = definition(out, "shop");
    CHECK(shop.url == "https://edi:${env:SHOP_PASSWORD}@shop.example/api");
    CHECK(option(shop, "ssl_key_password") == Value{"${env:SHOP_OPTION_SSL_KEY_PASSWORD}"});
    CHECK(option(shop, "timeout") == Value{5000});
    CHECK(out.secrets.front().value.reveal() == "pa:ss@w");
}

TEST_CASE("a source whose reader gives definitions and findings is handed on whole", "[import]") {
    Imported out;
    const ImportOptions options;
    importing::Run run{options, out};
    run.add(parse_definitions(
        "type: connection\nname: erp\ndesc: d\nurl: db://pgsql:omq/pa/ss@w@erp%host{a=b}\nmood: bad\n---\ntype: connection\nname: x\n", "s"));
    run.finish();

    INFO(findings(out));
    CHECK(definition(out, "erp").url == "db://pgsql:omq/${env:ERP_PASSWORD}@erp%host{a=b}");
    CHECK(out.secrets.front().value.reveal() == "pa/ss@w");
    CHECK(has(findings(out), "5:1 warning unknown-key"));
    CHECK(has(findings(out), "7:1 error missing-key: the key 'url' is missing"));
    CHECK(out.definitions.size() == 1);
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
            CHECK(imported.diagnostics.empty());
        }
    }
}

#ifdef QCONN_WITH_HTTP
TEST_CASE("what the check of a scheme finds is told at the place in the source", "[import]") {
    const Imported imported = import_text("airflow", "# first\nx=http://u@h.example?Accept=x&timeout=5\ny=rest://\n");
    INFO(findings(imported));
    CHECK(has(findings(imported), "3:1 warning not-valid: the definition has an error: the URL has no host"));
}
#endif
