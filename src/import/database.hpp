// SPDX-License-Identifier: Apache-2.0
/// Databases: drivers, and the forms that their connection strings have.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/draft.hpp"
#include "import/fields.hpp"

namespace qconn::importing {

/// The driver of a datasource URL for the name or file of a driver of another system ("psqlodbcw.so", "MySQL ODBC 8.0"); empty where none is known.
std::string_view driver_for(std::string_view name) noexcept;

/// Fills in user, password, host, port, database and charset from fields of the usual names (server, uid, dbname …).
void fill_database(Fields& fields, Draft& draft);

/// Names and values of a connection string, those of the usual parts as fill_database knows them.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// `scheme://user:password@host:port/database?name=value`; percent-decoded. Absent where it is none.
std::optional<Parameters> parse_database_url(std::string_view text);
/// `host=a user='b c' password=d`, the form of libpq.
std::optional<Parameters> parse_libpq(std::string_view text);
/// `Server=a;User Id=b;Password="c;d"`.
std::optional<Parameters> parse_semicolons(std::string_view text);
/// `user:password@tcp(host:port)/database?name=value`, the form of the MySQL driver of Go.
std::optional<Parameters> parse_go_mysql(std::string_view text);
/// Whichever of these it is.
std::optional<Parameters> parse_connection_string(std::string_view text);

}  // namespace qconn::importing
