// SPDX-License-Identifier: Apache-2.0
// The forms that connection strings of databases have.
#include "import/database.hpp"
#include "importing.hpp"

using namespace qconn;
using namespace qconn::importing;

namespace {

std::string flat(const std::optional<Parameters>& parameters) {
    if (!parameters) return "none";
    std::string text;
    for (const auto& [name, value] : *parameters) text += name + "=" + value + "|";
    return text;
}

}  // namespace

TEST_CASE("connection strings are told apart by their forms", "[import]") {
    CHECK(flat(parse_connection_string("postgres://u:p%40w@h.example:5432/db?sslmode=require")) ==
          "user=u|password=p@w|host=h.example|port=5432|database=db|sslmode=require|");
    CHECK(flat(parse_connection_string("host=a user='b c' password='it\\'s' dbname=d")) == "host=a|user=b c|password=it's|dbname=d|");
    CHECK(flat(parse_connection_string("Server=a,1433; User Id=sa;Password=\"x;y\";Database=d;")) ==
          "Server=a,1433|User Id=sa|Password=x;y|Database=d|");
    CHECK(flat(parse_connection_string("u:p:@/w@tcp(db.example:3307)/shop?parseTime=true")) ==
          "user=u|password=p:@/w|host=db.example:3307|database=shop|parseTime=true|");
    CHECK(flat(parse_connection_string("nonsense")) == "none");
    CHECK(flat(parse_connection_string("")) == "none");
    CHECK(flat(parse_connection_string("a='open")) == "none");
}

TEST_CASE("drivers of other systems are known by parts of their names", "[import]") {
    CHECK(driver_for("/usr/lib/odbc/psqlodbcw.so") == "pgsql");
    CHECK(driver_for("MariaDB Unicode") == "mysql");
    CHECK(driver_for("{ODBC Driver 17 for SQL Server}") == "freetds");
    CHECK(driver_for("/opt/acme/libacme.so").empty());
}
