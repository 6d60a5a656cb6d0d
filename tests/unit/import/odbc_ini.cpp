// SPDX-License-Identifier: Apache-2.0
// odbc.ini.
#include "importing.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::string_view k_ini = R"([ODBC Data Sources]
Orders = PostgreSQL
Legacy = Some driver
Ghost = nothing there

[ODBC]
Trace = No

[Orders]
Description = Orders of the shop
Driver      = /usr/lib/x86_64-linux-gnu/odbc/psqlodbcw.so
Servername  = pg.example
Port        = 5433
Database    = orders
UserName    = edi
Password    = t0p;secret
SSLmode     = verify-full
ReadOnly    = No

; MySQL
[Stock]
Driver = MySQL ODBC 8.0 Unicode Driver
SERVER = my.example
UID = stock
PWD = st@ck
DATABASE = stock
CHARSET = utf8mb4

[Warehouse]
Driver = ODBC Driver 18 for SQL Server
Server = tcp:sql.example,1434
Database = wh
Encrypt = yes

[Ledger]
Driver = Oracle 19 ODBC driver
DBQ = //ora.example:1521/LEDGER
UserID = scott
Password = tiger

[Cache]
Driver = SQLite3
Database = /var/lib/cache.db

[Legacy]
Driver = /opt/acme/libacme.so
Host = acme.example
UID = me
PWD = acme-secret

[Broken
x = y
hunter2
)";

}  // namespace

TEST_CASE("data sources of known drivers become datasources of qconn's drivers", "[import]") {
    const Imported imported = import_text("odbc", k_ini);
    INFO(findings(imported));
    check_round_trip(imported);

    const Definition& orders = definition(imported, "Orders");
    CHECK(orders.url == "db://pgsql:edi/${env:ORDERS_PASSWORD}@orders%pg.example:5433");
    CHECK(orders.description == "Orders of the shop");
    CHECK(definition(imported, "Stock").url == "db://mysql:stock/${env:STOCK_PASSWORD}@stock(utf8mb4)%my.example");
    CHECK(definition(imported, "Warehouse").url == "db://freetds:@wh%sql.example:1434");
    CHECK(definition(imported, "Ledger").url == "db://oracle:scott/${env:LEDGER_PASSWORD}@LEDGER%ora.example:1521");
    CHECK(definition(imported, "Cache").url == "db://sqlite3:@/var/lib/cache.db");
    CHECK(definition(imported, "Legacy").url == "db://odbc:me/${env:LEGACY_PASSWORD}@Legacy");
    CHECK(definition(imported, "Legacy").description == "Some driver");
    CHECK(imported.definitions.size() == 6);
}

TEST_CASE("what an odbc.ini says beside that is told at its key", "[import]") {
    const std::string told = findings(import_text("odbc", k_ini));
    CHECK(has(told, "4:1 warning no-section: the data source 'Ghost' is listed and has no section in this file"));
    CHECK(has(told, "7:1 note not-carried: the setting 'Trace' of the driver manager is not carried over"));
    CHECK(has(told, "17:1 warning not-carried: the key 'SSLmode' is not carried over"));
    CHECK(has(told, "18:1 warning not-carried: the key 'ReadOnly' is not carried over"));
    CHECK(has(told, "33:1 warning not-carried: the key 'Encrypt' is not carried over"));
    CHECK(has(told, "45:2 note odbc-ini"));
    CHECK(has(told, "51:1 error bad-line"));
    CHECK(has(told, "53:1 error bad-line"));
}

TEST_CASE("no finding about an odbc.ini shows a value", "[import]") {
    const std::string told = shown(import_text("odbc", k_ini));
    for (const char* secret : {"t0p", "st@ck", "tiger", "acme-secret", "hunter2", "verify-full"}) CHECK_FALSE(has(told, secret));
    CHECK(has(told, "17 | SSLmode …"));
}

TEST_CASE("kept secrets stand literally, and an '@' in a password is no end of it", "[import]") {
    const Imported imported = import_text("odbc", k_ini, true);
    check_round_trip(imported);
    CHECK(imported.secrets.empty());
    CHECK(definition(imported, "Stock").url == "db://mysql:stock/st@ck@stock(utf8mb4)%my.example");
    const Imported dollar = import_text("odbc", "[x]\nDriver=psql\nDriver64=postgres\nUID=u\nPWD=a${env:HOME}b\nDatabase=d\n", true);
    CHECK(has(findings(dollar), "odbc-ini") == true);
    CHECK(definition(dollar, "x").url == "db://odbc:u/a$${env:HOME}b@x");
}
