// SPDX-License-Identifier: Apache-2.0
#include "import/database.hpp"

#include <algorithm>
#include <array>

#include <qconn/base/url.hpp>

#include "base/form.hpp"
#include "base/text.hpp"

namespace qconn::importing {
namespace {

struct DriverWord {
    std::string_view word;
    std::string_view driver;
};
// In this order: "SQL Server" is part of other names, "Oracle" the maker of MySQL.
constexpr std::array<DriverWord, 15> k_drivers{{{"psqlodbc", "pgsql"},
                                                {"postgres", "pgsql"},
                                                {"mysql", "mysql"},
                                                {"maodbc", "mysql"},
                                                {"mariadb", "mysql"},
                                                {"myodbc", "mysql"},
                                                {"sqora", "oracle"},
                                                {"oracle", "oracle"},
                                                {"sqlite", "sqlite3"},
                                                {"firebird", "firebird"},
                                                {"odbcfb", "firebird"},
                                                {"tdsodbc", "freetds"},
                                                {"freetds", "freetds"},
                                                {"msodbcsql", "freetds"},
                                                {"sql server", "freetds"}}};

/// `host:port`, `host,port`, `tcp:host,port`, `[::1]:port`: the port goes to where ports are.
void split_server(Fields& fields, Draft& draft, std::string server) {
    if (server.starts_with("tcp:")) server.erase(0, 4);
    const auto close = server.rfind(']');
    const auto mark = server.find_last_of(":,");
    const bool single =
        mark != std::string::npos && (server.find(':') == mark || server[mark] == ',' || (close != std::string::npos && mark == close + 1));
    if (single && mark + 1 < server.size() && server.size() - mark <= 6 &&
        std::all_of(server.begin() + static_cast<std::ptrdiff_t>(mark) + 1, server.end(), text::is_digit)) {
        const unsigned long port = std::stoul(server.substr(mark + 1));
        if (port > 0 && port <= 65'535) {
            if (!draft.port) draft.port = static_cast<std::uint16_t>(port);
            server.erase(mark);
        }
    }
    if (server.find('\\') != std::string::npos) {
        fields.run().warning("not-carried", draft.place, "the server is a named instance (HOST\\INSTANCE), which a datasource URL cannot name",
                             "find out the port of the instance and write that", draft.name);
        server.erase(server.find('\\'));
    }
    const bool ipv6 = std::count(server.begin(), server.end(), ':') > 1 && !server.starts_with('[');
    draft.host = ipv6 ? "[" + server + "]" : server;
    draft.host = literal(draft.host);
}

/// Oracle's `//host:port/service` and `host:port/service`; anything else is a name that its client library knows.
void oracle_service(Fields& fields, Draft& draft, std::string_view text) {
    if (text.starts_with("//")) text.remove_prefix(2);
    const auto slash = text.find('/');
    if (slash == npos) {
        draft.database = literal(text);
        return;
    }
    split_server(fields, draft, std::string{text.substr(0, slash)});
    draft.database = literal(text.substr(slash + 1));
}

std::string unquoted(std::string_view text) {
    text = text::trim(text);
    const bool braces = text.size() >= 2 && text.front() == '{' && text.back() == '}';
    const bool quotes = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
    return std::string{braces || quotes ? text.substr(1, text.size() - 2) : text};
}

bool add_query(Parameters& out, std::string_view query) {
    const auto decoded = form::decode(query, 1000);
    if (!decoded) return false;
    for (const auto& [name, value] : decoded->as_map()) {
        const Value& last = value.is_list() && value.size() > 0 ? value.as_list().back() : value;
        out.emplace_back(name, last.is_string() ? std::string{last.as_string()} : std::string{});
    }
    return true;
}

}  // namespace

std::string_view driver_for(std::string_view name) noexcept {
    const std::string lower = text::to_lower(name.substr(0, 1000));
    for (const auto& [word, driver] : k_drivers)
        if (lower.find(word) != std::string::npos) return driver;
    return {};
}

void fill_database(Fields& fields, Draft& draft) {
    draft.scheme = "db";
    draft.user = fields.text({"user", "username", "login", "uid", "userid", "user id", "logonid"});
    draft.password = fields.secret({"password", "pwd"}, "password");
    draft.port = fields.port({"port", "portnumber"});
    draft.charset = fields.text({"charset", "clientcharset", "client_charset", "client_encoding"});
    const Fields::Names servers{"server", "servername", "host", "hostname", "hostaddr", "data source", "addr", "address"};
    const Fields::Names databases{"database", "dbname", "db", "schema", "initial catalog", "dbalias", "dbq"};
    const bool elsewhere = fields.find(servers) != nullptr && fields.find(servers)->value.is_null();
    if (draft.driver == "oracle") {
        const std::string server = fields.raw(servers);
        draft.database = fields.text({"service_name", "service", "sid", "database", "schema"});
        const std::string dbq = fields.raw({"dbq", "dsn", "dbname"});
        const std::string& named = dbq.empty() ? server : dbq;
        if (draft.database.empty() || !dbq.empty() || named.find('/') != npos)
            oracle_service(fields, draft, named);
        else
            split_server(fields, draft, server);
        if (!dbq.empty() && draft.host.empty() && !server.empty()) split_server(fields, draft, server);
    } else {
        if (elsewhere)
            draft.host = fields.text(servers);
        else if (std::string server = fields.raw(servers); !server.empty() && server != "(local)")
            split_server(fields, draft, std::move(server));
        draft.database = fields.text(databases);
    }
    if (draft.driver == "firebird") {
        // `host:/path`, `host/port:name`
        const auto colon = draft.database.find(':');
        if (colon != std::string::npos && colon > 1 && draft.host.empty()) {
            std::string server = draft.database.substr(0, colon);
            draft.database.erase(0, colon + 1);
            std::replace(server.begin(), server.end(), '/', ':');
            split_server(fields, draft, server);
        }
    }
    if (draft.user.empty() && draft.password) {
        fields.run().warning("not-carried", draft.place, "the password is not carried over: a datasource URL has none without a user", {},
                             draft.name);
        draft.password.reset();
    }
}

std::optional<Parameters> parse_database_url(std::string_view text) {
    const auto url = Url::try_parse(text);
    if (!url || url->scheme.empty() || text.find("://") == npos) return std::nullopt;
    Parameters out;
    const auto put = [&out](const char* name, std::string value) {
        if (!value.empty()) out.emplace_back(name, std::move(value));
    };
    if (url->username) put("user", percent_decode(*url->username));
    if (url->password) put("password", percent_decode(url->password->reveal()));
    put("host", url->is_ipv6 ? "[" + url->host + "]" : percent_decode(url->host));
    if (url->port) put("port", std::to_string(*url->port));
    const std::string_view path = url->path;
    const auto question = path.find('?');
    std::string_view name = path.substr(0, question);
    if (name.starts_with('/')) name.remove_prefix(1);
    put("database", percent_decode(name));
    if (question != npos && !add_query(out, path.substr(question + 1))) return std::nullopt;
    return out;
}

std::optional<Parameters> parse_libpq(std::string_view text) {
    Parameters out;
    std::size_t i = 0;
    const auto skip = [&] {
        while (i < text.size() && text::is_space(text[i])) ++i;
    };
    for (skip(); i < text.size(); skip()) {
        const std::size_t begin = i;
        while (i < text.size() && text[i] != '=' && !text::is_space(text[i])) ++i;
        std::string name{text.substr(begin, i - begin)};
        skip();
        if (name.empty() || i >= text.size() || text[i] != '=') return std::nullopt;
        ++i;
        skip();
        std::string value;
        const bool quotes = i < text.size() && text[i] == '\'';
        if (quotes) ++i;
        while (i < text.size() && (quotes ? text[i] != '\'' : !text::is_space(text[i]))) {
            if (text[i] == '\\' && i + 1 < text.size()) ++i;
            value += text[i++];
        }
        if (quotes && i++ >= text.size()) return std::nullopt;
        out.emplace_back(std::move(name), std::move(value));
    }
    return out.empty() ? std::nullopt : std::optional{std::move(out)};
}

std::optional<Parameters> parse_semicolons(std::string_view text) {
    Parameters out;
    std::size_t i = 0;
    while (i < text.size()) {
        const auto equals = text.find('=', i);
        if (equals == npos) {
            if (!text::trim(text.substr(i)).empty()) return std::nullopt;
            break;
        }
        const std::string name{text::trim(text.substr(i, equals - i))};
        if (name.empty() || name.find(';') != std::string::npos) return std::nullopt;
        i = equals + 1;
        while (i < text.size() && text[i] == ' ') ++i;
        std::size_t end = i;
        if (end < text.size() && (text[end] == '"' || text[end] == '\'' || text[end] == '{')) {
            end = text.find(text[end] == '{' ? '}' : text[end], end + 1);
            if (end == npos) return std::nullopt;
        }
        end = std::min(text.find(';', end), text.size());
        out.emplace_back(name, unquoted(text.substr(i, end - i)));
        i = end + 1;
    }
    return out.empty() ? std::nullopt : std::optional{std::move(out)};
}

std::optional<Parameters> parse_go_mysql(std::string_view text) {
    // The address in parentheses ends at the last ')' before the last '/', the password at the last '@' before it.
    const auto open = text.rfind('(');
    const auto close = text.find(')', open == npos ? 0 : open);
    if (open == npos || close == npos || close + 1 >= text.size() || text[close + 1] != '/') return std::nullopt;
    Parameters out;
    const std::string_view before = text.substr(0, open);
    const auto at = before.rfind('@');
    if (at != npos) {
        const std::string_view user = before.substr(0, at);
        const auto colon = user.find(':');
        out.emplace_back("user", user.substr(0, colon));
        if (colon != npos) out.emplace_back("password", user.substr(colon + 1));
    }
    const std::string_view net = before.substr(at == npos ? 0 : at + 1);
    if (net != "tcp" && net != "unix") return std::nullopt;
    out.emplace_back(net == "tcp" ? "host" : "socket", text.substr(open + 1, close - open - 1));
    const std::string_view rest = text.substr(close + 2);
    const auto question = rest.find('?');
    if (const auto database = rest.substr(0, question); !database.empty()) out.emplace_back("database", percent_decode(database));
    if (question != npos && !add_query(out, rest.substr(question + 1))) return std::nullopt;
    return out;
}

std::optional<Parameters> parse_connection_string(std::string_view text) {
    text = text::trim(text);
    if (text.find("://") != npos && text.find("://") < text.find_first_of("= ;'\"")) return parse_database_url(text);
    if (auto out = parse_go_mysql(text)) return out;
    if (text.find(';') != npos) return parse_semicolons(text);
    if (auto out = parse_libpq(text)) return out;
    return parse_semicolons(text);
}

}  // namespace qconn::importing
