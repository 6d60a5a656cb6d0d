// SPDX-License-Identifier: Apache-2.0
/// Connections of Apache Airflow: what `airflow connections export` and `list` write, and AIRFLOW_CONN_ variables; URIs and JSON in both.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/url.hpp>

#include "base/form.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "import/database.hpp"
#include "import/formats.hpp"
#include "import/lines.hpp"
#include "import/tree.hpp"
#include "import/web.hpp"

namespace qconn::importing {
namespace {

constexpr std::string_view k_prefix = "AIRFLOW_CONN_";

/// One connection while it is translated. Its fields: conn_type, host, login, password, port, schema, description.
struct Source {
    Fields& fields;
    /// What stands in `extra`.
    Fields& extra;
    Draft& draft;
    /// Of the connection type.
    Place place;
};

struct ConnType;
/// A draft without a scheme afterwards is left out; what is wrong is told then.
using Translate = void (*)(Source& source, const ConnType& type);

struct ConnType {
    std::string_view name;
    Translate translate;
    /// The scheme or the driver.
    std::string_view target;
};

// ---- the types ----

void log_in(Source& s) {
    s.draft.user = s.fields.text({"login"});
    s.draft.password = s.fields.secret({"password"}, "password");
    s.draft.port = s.fields.port({"port"});
}

/// One URL, or a map of them by the scheme of the target.
void proxy(Source& s) {
    const Field* field = s.extra.find({"proxies", "proxy"});
    if (field == nullptr) return;
    const Value& text = field->value.is_string() ? field->value : field->value[s.draft.scheme];
    if (!text.is_string()) return;
    const auto url = Url::try_parse(text.as_string());
    if (!url || url->host.empty()) return;
    s.extra.take({"proxies", "proxy"});
    if (!url->password || url->password->empty()) {
        s.draft.options.set("proxy", Value{literal(text.as_string())});
        return;
    }
    const std::string password = s.fields.run().secret(s.fields.connection(), "proxy password", url->password->reveal());
    s.draft.options.set("proxy", Value{literal(url->scheme + "://" + url->username.value_or(std::string{})) + ":" + password + "@" +
                                       literal(url->authority() + url->path)});
}

/// requests.Session, which HttpHook fills from these; everything else in `extra` is a header.
void http_settings(Source& s) {
    Map& options = s.draft.options;
    if (const auto time = s.extra.seconds({"timeout"})) options.set("timeout", static_cast<long long>(*time));
    if (const auto most = s.extra.number({"max_redirects"}, 0, 1000)) options.set("max_redirects", static_cast<long long>(*most));
    if (const auto follow = s.extra.flag({"allow_redirects"}); follow && !*follow) options.set("redirect_mode", Value{"none"});
    if (const auto check = s.extra.flag({"check_response"}); check && !*check) options.set("error_passthru", true);
    if (const auto environment = s.extra.flag({"trust_env"})) options.set("proxy_from_environment", *environment);
    if (const Field* verify = s.extra.find({"verify", "verify_ssl"})) {
        const std::string text = text_of(verify->value).value_or(std::string{});
        if (text.starts_with('/') || text.ends_with(".pem") || text.ends_with(".crt"))
            options.set("ssl_ca_file", Value{home_path(s.extra.raw({"verify", "verify_ssl"}))});
        else if (const auto yes = s.extra.flag({"verify", "verify_ssl"}))
            options.set("ssl_verify_cert", *yes);
    }
    if (const Field* cert = s.extra.find({"cert"})) {
        if (cert->value.is_list() && cert->value.size() == 2 && cert->value[0].is_string() && cert->value[1].is_string()) {
            options.set("ssl_cert_path", Value{home_path(cert->value[0].as_string())});
            options.set("ssl_key_path", Value{home_path(cert->value[1].as_string())});
            s.extra.take({"cert"});
        } else if (std::string path = s.extra.raw({"cert"}); !path.empty()) {
            options.set("ssl_cert_path", Value{home_path(path)});
        }
    }
    proxy(s);
    s.extra.drop({"stream"});
    if (const Field* headers = s.extra.find({"headers"}); headers != nullptr && headers->value.is_map()) {
        s.extra.take({"headers"});
        for (const auto& [name, value] : headers->value.as_map()) {
            const auto text = text_of(value);
            if (text && is_header_name(name))
                add_header(s.fields, s.draft, name, *text);
            else
                s.fields.run().warning("not-carried", headers->place, "the header " + quoted(name) + " is not carried over", {}, s.draft.name);
        }
    }
    for (Field* field : s.extra.rest()) {
        const auto text = text_of(field->value);
        if (!text || !is_header_name(field->key) || field->key == "proxies" || field->key == "proxy" || field->key == "srv" ||
            field->key.starts_with("auth_"))
            continue;
        field->taken = true;
        add_header(s.fields, s.draft, field->key, *text);
    }
}

/// The host may be a whole URL, or have a path behind it; the schema is the protocol.
void http(Source& s, const ConnType& type) {
    log_in(s);
    const std::string host = s.fields.raw({"host"});
    std::string protocol = text::to_lower(s.fields.raw({"schema"}));
    if (protocol.empty()) protocol = type.target;
    const std::string url = host.find("://") != std::string::npos ? host : protocol + "://" + host;
    const bool port = s.draft.port && host.find("://") != std::string::npos;
    if (!fill_base_url(s.fields, s.draft, url, s.place)) return;
    if (port) s.fields.run().note("port", s.place, "Airflow leaves the port out where the host is a whole URL; here it counts", {}, s.draft.name);
    http_settings(s);
}

void database(Source& s, const ConnType& type) {
    s.draft.driver = type.target;
    if (type.target == "oracle") {
        for (const char* one : {"service_name", "sid"}) {
            if (const Field* service = s.extra.take({one})) s.fields.add({one, service->value, service->place});
        }
    }
    if (type.target == "sqlite3") {
        s.draft.scheme = "db";
        s.draft.database = s.fields.text({"host", "schema"});
        return;
    }
    fill_database(s.fields, s.draft);
    if (s.draft.charset.empty()) s.draft.charset = s.extra.text({"charset", "client_encoding"});
}

/// The name of a data source, or its parts as further text of the connection string.
void odbc(Source& s, const ConnType&) {
    s.draft.driver = "odbc";
    const std::string driver = s.extra.raw({"driver"});
    const std::string dsn = s.extra.text({"dsn"});
    fill_database(s.fields, s.draft);
    if (!dsn.empty()) {
        if (!s.draft.database.empty()) s.draft.settings.emplace_back("conn", "DATABASE=" + s.draft.database);
        s.draft.database = dsn;
    } else if (!driver.empty()) {
        std::string_view name = driver;
        if (name.starts_with('{') && name.ends_with('}')) name = name.substr(1, name.size() - 2);
        const std::string_view known = driver_for(name);
        if (!known.empty())
            s.draft.driver = known;
        else
            s.draft.settings.emplace_back("conn", "DRIVER=" + literal(name));
    }
}

/// The host is the URL of the JDBC driver.
void jdbc(Source& s, const ConnType&) {
    s.draft.scheme = "db";
    s.draft.driver = "jdbc";
    s.draft.user = s.fields.text({"login"});
    s.draft.password = s.fields.secret({"password"}, "password");
    if (s.draft.user.empty()) s.draft.password.reset();
    std::string url = s.fields.raw({"host"});
    if (url.starts_with("jdbc:")) url.erase(0, 5);
    if (url.find('@') != std::string::npos)
        s.fields.run().warning("secret-in-url", s.place, "the URL of the JDBC driver may hold a log-in; it is carried over as it stands",
                               "write a reference such as ${env:NAME} in the place of the password", s.draft.name);
    s.draft.settings.emplace_back("url", with_secret_parameters(s.fields, url, "?&;"));
}

void ssh(Source& s, const ConnType& type) {
    log_in(s);
    s.draft.scheme = "sftp";
    s.draft.host = s.fields.text({"host"});
    if (std::string key = s.extra.raw({"key_file"}); !key.empty()) s.draft.options.set("keyfile", Value{home_path(key)});
    for (Field* field : s.extra.rest()) {
        if (text::iequals(field->key, "private_key"))
            s.extra.tell(*field, Severity::warning, "put the key into a file and name it in the option keyfile");
        else if (text::iequals(field->key, "private_key_passphrase") || text::iequals(field->key, "private_key_pass"))
            s.extra.tell(*field, Severity::warning, "the password of the connection is the pass-phrase of its key");
    }
    if (type.name == "ssh")
        s.fields.run().note("other-scheme", s.place, "ssh becomes sftp: the same log-in, and files instead of commands", {}, s.draft.name);
}

/// SSL at connect unless `disable_ssl`, then STARTTLS unless `disable_tls`.
void smtp(Source& s, const ConnType&) {
    log_in(s);
    s.draft.host = s.fields.text({"host"});
    const bool ssl = !s.extra.flag({"disable_ssl"}).value_or(false);
    const bool tls = !s.extra.flag({"disable_tls"}).value_or(false);
    s.draft.scheme = ssl ? "esmtps" : tls ? "esmtptls" : "smtp";
    if (std::string from = s.extra.text({"from_email"}); !from.empty()) s.draft.options.set("from", std::move(from));
}

void file(Source& s, const ConnType&) {
    s.draft.scheme = "file";
    std::string path = s.extra.text({"path"});
    if (path.empty()) path = s.fields.text({"host", "schema"});
    // A file connection counts every path from the root.
    if (!path.empty() && !path.starts_with('/'))
        s.fields.run().warning("not-valid", s.place, "the path is relative, to where Airflow runs; the definition has it from the root",
                               "write the whole path", s.draft.name);
    s.draft.path = path.starts_with('/') ? path : "/" + path;
}

/// Airflow names no service; its own test of such a connection asks STS who it is.
void aws(Source& s, const ConnType& type) {
    AwsService aws;
    aws.service = type.target;
    aws.region = s.extra.text({"region_name"});
    aws.key_id = s.fields.text({"login"});
    if (aws.key_id.empty()) aws.key_id = s.extra.text({"aws_access_key_id"});
    aws.secret = s.fields.secret({"password"}, "aws_secret");
    if (!aws.secret) aws.secret = s.extra.secret({"aws_secret_access_key"}, "aws_secret");
    aws.token = s.extra.secret({"aws_session_token"}, "aws_token");
    aws.endpoint = s.extra.raw({"endpoint_url", "host"});
    aws.place = s.place;
    if (!fill_aws(s.fields, s.draft, aws)) return;
    if (aws.service == "sts" && aws.endpoint.empty())
        s.fields.run().warning("no-service", s.place, "an AWS connection of Airflow names no service; the definition asks STS",
                               "put the host and the option aws_service of the service in their places", s.draft.name);
}

void salesforce(Source& s, const ConnType&) {
    s.draft.scheme = "sfrests";
    s.draft.user = s.fields.text({"login"});
    const std::string domain = s.extra.raw({"domain"});
    const std::string host = s.fields.raw({"host"});
    std::string server = "login.salesforce.com";
    if (!domain.empty()) server = domain + ".salesforce.com";
    if (!host.empty()) server = host.find("://") != npos ? host.substr(host.find("://") + 3) : host;
    if (!fill_base_url(s.fields, s.draft, "https://" + server + "/services/oauth2/token", s.place)) return;
    s.draft.scheme = "sfrests";
    s.draft.password = s.fields.secret({"password"}, "password");
    if (const std::string id = s.extra.text({"client_id", "consumer_key"}); !id.empty()) s.draft.options.set("client_id", Value{id});
    if (const auto secret = s.extra.secret({"client_secret", "consumer_secret"}, "client_secret"))
        s.draft.options.set("client_secret", Value{*secret});
    else
        s.fields.run().warning("needs-more", s.place, "a sfrests connection needs the options client_id and client_secret", {}, s.draft.name);
    for (Field* field : s.extra.rest()) {
        if (text::iequals(field->key, "security_token")) s.extra.tell(*field, Severity::warning, "Salesforce takes it appended to the password");
    }
}

/// Schemes that both know by one name.
void same(Source& s, const ConnType& type) {
    log_in(s);
    s.draft.scheme = type.target;
    s.draft.host = s.fields.text({"host"});
    const std::string path = s.fields.text({"schema"});
    if (!path.empty()) s.draft.path = path.starts_with('/') ? path : "/" + path;
}

constexpr ConnType k_types[] = {
    {"http", http, "http"},
    {"https", http, "https"},
    {"postgres", database, "pgsql"},
    {"postgresql", database, "pgsql"},
    {"mysql", database, "mysql"},
    {"mariadb", database, "mysql"},
    {"mssql", database, "freetds"},
    {"oracle", database, "oracle"},
    {"sqlite", database, "sqlite3"},
    {"odbc", odbc, {}},
    {"jdbc", jdbc, {}},
    {"sftp", ssh, "sftp"},
    {"ssh", ssh, "sftp"},
    {"smtp", smtp, {}},
    {"fs", file, {}},
    {"file", file, {}},
    {"dir", file, {}},
    {"aws", aws, "sts"},
    {"s3", aws, "s3"},
    {"salesforce", salesforce, {}},
    {"ftp", same, "ftp"},
    {"ftps", same, "ftps"},
    {"ws", same, "ws"},
    {"wss", same, "wss"},
    {"rest", same, "rest"},
    {"rests", same, "rests"},
    {"soap", same, "soap"},
    {"soaps", same, "soaps"},
    {"amqp", same, "amqp"},
    {"amqps", same, "amqps"},
    {"pop3", same, "pop3"},
    {"pop3s", same, "pop3s"},
    {"telnet", same, "telnet"},
    {"smtps", same, "smtps"},
    {"esmtp", same, "esmtp"},
    {"esmtps", same, "esmtps"},
    {"esmtptls", same, "esmtptls"},
    {"smtptls", same, "smtptls"},
    {"xmlrpc", same, "xmlrpc"},
    {"xmlrpcs", same, "xmlrpcs"},
    {"jsonrpc", same, "jsonrpc"},
    {"jsonrpcs", same, "jsonrpcs"},
    {"yamlrpc", same, "yamlrpc"},
    {"yamlrpcs", same, "yamlrpcs"},
    {"awsrests", same, "awsrests"},
    {"sfrests", same, "sfrests"},
    {"snrests", same, "snrests"},
    {"cdsrests", same, "cdsrests"},
    {"sewiows", same, "sewiows"},
};

// ---- the forms ----

/// Airflow's own URIs: percent-encoded parts, the schema as path, `extra` as query or as JSON in `__extra__`. A second `scheme://` belongs to the
/// host.
std::optional<std::vector<Field>> parse_uri(std::string_view uri, Place place) {
    const auto colon = uri.find("://");
    if (colon == npos || colon == 0) return std::nullopt;
    std::vector<Field> fields;
    const auto put = [&](const char* key, std::string_view value) { fields.push_back({key, Value{value}, place}); };
    put("conn_type", uri.substr(0, colon));
    std::string_view rest = uri.substr(colon + 3);
    std::string protocol;
    if (const auto inner = rest.find("://"); inner != npos && rest.substr(0, inner).find_first_of("@:/?#") == npos) {
        protocol = std::string{rest.substr(0, inner)} + "://";
        rest.remove_prefix(inner + 3);
    }
    const auto end = std::min(rest.find_first_of("/?#"), rest.size());
    std::string_view authority = rest.substr(0, end);
    rest.remove_prefix(end);
    if (const auto at = authority.rfind('@'); at != npos) {
        const std::string_view user = authority.substr(0, at);
        authority.remove_prefix(at + 1);
        const auto parts = user.find(':');
        put("login", percent_decode(user.substr(0, parts)));
        if (parts != npos) put("password", percent_decode(user.substr(parts + 1)));
    }
    const auto bracket = authority.rfind(']');
    if (const auto port = authority.rfind(':'); port != npos && (bracket == npos || port > bracket)) {
        put("port", authority.substr(port + 1));
        authority = authority.substr(0, port);
    }
    if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
    const std::string host = percent_decode(authority);
    if (!host.empty()) put("host", protocol + host);
    const auto hash = std::min(rest.find('#'), rest.size());
    if (hash < rest.size()) put("fragment", rest.substr(hash + 1));
    rest = rest.substr(0, hash);
    const auto question = std::min(rest.find('?'), rest.size());
    if (question > 1) put("schema", percent_decode(rest.substr(1, question - 1)));
    if (question + 1 >= rest.size()) return fields;
    auto query = form::decode(rest.substr(question + 1), 1000);
    if (!query) {
        put("query", rest.substr(question + 1));
        return fields;
    }
    if (const Value* whole = query->as_map().find("__extra__")) {
        fields.push_back({"extra", *whole, place});
        return fields;
    }
    for (auto& [name, value] : query->as_map())
        if (value.is_list() && value.size() > 0) value = Value{value.as_list().back()};
    fields.push_back({"extra", *query, place});
    return fields;
}

class Reader {
public:
    explicit Reader(Run& run) : run_{run} {}

    void read(std::string_view text) {
        if (is_env(text))
            env(text);
        else
            tree(text);
    }

private:
    /// The first line that says something is NAME=VALUE.
    static bool is_env(std::string_view text) {
        for (const Line& line : lines_of(text)) {
            std::string_view trimmed = text::trim(line.text);
            if (trimmed.empty() || trimmed[0] == '#') continue;
            if (trimmed.starts_with("export ")) return true;
            const auto mark = trimmed.find_first_of("=: \t{}[]\"'");
            return mark != npos && mark > 0 && trimmed[mark] == '=';
        }
        return false;
    }

    struct Variable {
        std::string_view name;
        std::string value;
        Place place;
    };

    void env(std::string_view text) {
        std::vector<Variable> variables;
        for (const Line& line : lines_of(text)) {
            std::string_view trimmed = text::trim(line.text);
            if (trimmed.empty() || trimmed[0] == '#') continue;
            if (trimmed.starts_with("export ")) trimmed = text::trim(trimmed.substr(7));
            const auto equals = trimmed.find('=');
            const std::string_view name = trimmed.substr(0, equals);
            const bool is_name = !name.empty() && name.find_first_of(" \t\"'") == npos;
            if (equals == npos || !is_name) {
                run_.error("bad-line", line.start(), "this is no line of an environment file: NAME=VALUE is expected",
                           "a value cannot go on in the next line");
                continue;
            }
            std::string_view value = text::trim(trimmed.substr(equals + 1));
            if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
                const bool escapes = value[0] == '"';
                value = value.substr(1, value.size() - 2);
                variables.push_back({name, escapes ? unescaped(value) : std::string{value}, line.at(name)});
            } else {
                variables.push_back({name, std::string{value}, line.at(name)});
            }
        }
        // With the prefix these are variables of a process, of which others may be anything; without it the file is an export, and each line one.
        const bool prefixed = std::any_of(variables.begin(), variables.end(), [](const Variable& one) { return one.name.starts_with(k_prefix); });
        for (const Variable& one : variables) {
            if (prefixed && !one.name.starts_with(k_prefix)) {
                run_.note("other-variable", one.place, "the variable " + quoted(one.name) + " is no connection");
                continue;
            }
            if (!run_.may_begin(one.place)) return;
            connection(id_of(one.name), one.value, one.place);
        }
    }

    /// `\"`, `\\` and `\$` between double quotes, as shells and most readers of such files have them.
    static std::string unescaped(std::string_view text) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\' || text[i + 1] == '$' || text[i + 1] == '`'))
                ++i;
            out += text[i];
        }
        return out;
    }

    /// A URI, or JSON.
    void connection(const std::string& id, std::string_view value, Place place) {
        value = text::trim(value);
        std::optional<std::vector<Field>> fields;
        if (value.starts_with('{')) {
            auto map = json::decode(value, {.depth = 64, .last_member_wins = true});
            if (map && map->is_map()) {
                fields.emplace();
                for (auto& [key, one] : map->as_map()) fields->push_back({key, std::move(one), place});
            }
        } else {
            fields = parse_uri(value, place);
        }
        if (fields)
            translate(id, place, std::move(*fields));
        else
            run_.error("bad-connection", place,
                       (id.empty() ? std::string{"what stands here"} : "the value of " + quoted(id)) +
                           " is neither a URI nor JSON; the connection is left out",
                       {}, id);
    }

    /// A map of connections by their ids, or a list of maps with ids in them.
    void tree(std::string_view text) {
        const yaml::ParseResult parsed = read_tree(text, run_);
        if (parsed.fatal) return;
        for (const yaml::Document& document : parsed.documents) {
            const yaml::Node& root = *document.root;
            if (root.is_mapping()) {
                for (const auto [key, value] : root.entries()) {
                    if (!run_.may_begin(place_of(key))) return;
                    if (key.is_scalar()) entry(id_of(key.text()), value, place_of(key));
                }
            } else if (root.is_sequence()) {
                for (const yaml::Node& item : root.items()) {
                    if (!run_.may_begin(place_of(item))) return;
                    const yaml::Node* id = item.find("conn_id");
                    entry(id != nullptr ? std::string{id->text()} : std::string{}, item, id != nullptr ? place_of(*id) : place_of(item));
                }
            } else if (!root.is_null()) {
                run_.error("bad-connection", {root.start().line, root.start().column, 1}, "a map of connections by their ids is expected here");
            }
        }
    }

    static std::string id_of(std::string_view name) {
        return name.starts_with(k_prefix) ? text::to_lower(name.substr(k_prefix.size())) : std::string{name};
    }

    void entry(const std::string& id, const yaml::Node& node, Place place) {
        if (node.is_mapping()) {
            std::vector<Field> fields;
            for (const auto [key, value] : node.entries())
                if (key.is_scalar()) fields.push_back({std::string{key.text()}, value_of(value), place_of(key)});
            translate(id, place, std::move(fields));
        } else if (node.is_sequence()) {
            for (const yaml::Node& item : node.items()) {
                if (item.is_sequence() || !run_.may_begin(place)) {
                    run_.error("bad-connection", place, "a list in a list is no connection; it is left out", {}, id);
                    continue;
                }
                entry(id, item, place);
            }
        } else {
            connection(id, node.text(), place);
        }
    }

    void translate(const std::string& id, Place place, std::vector<Field> given) {
        std::string type;
        Place type_place = place;
        for (const Field& field : given) {
            if (field.key != "conn_type") continue;
            type = text::to_lower(text_of(field.value).value_or(std::string{}));
            type_place = field.place;
        }
        std::replace(type.begin(), type.end(), '-', '_');
        const auto* const known = std::find_if(std::begin(k_types), std::end(k_types), [&](const ConnType& one) { return one.name == type; });
        if (known == std::end(k_types)) {
            // What stands in the place of a type may be anything: only a word is shown.
            const bool word = !type.empty() && type.size() <= 40 && type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == npos;
            run_.warning("no-equivalent", type_place,
                         word ? "qconn has nothing for connections of the type '" + type + "'; " + quoted(id) + " is left out"
                              : "the connection " + quoted(id) + " has no type; it is left out",
                         {}, id);
            return;
        }
        Draft draft;
        draft.name = run_.name(id, place);
        draft.place = place;
        Fields fields{run_, draft.name, "the field "};
        Fields extra{run_, draft.name, "the extra "};
        for (Field& field : given) {
            if (field.key == "extra" || field.key == "extra_dejson")
                add_extra(extra, type, field);
            else
                fields.add(std::move(field));
        }
        fields.drop({"conn_type", "conn_id", "id", "is_encrypted", "is_extra_encrypted", "get_uri", "team_name"});
        draft.description = fields.raw({"description"});
        if (draft.description.empty()) draft.description = "Airflow connection of the type " + type;

        Source source{fields, extra, draft, place};
        known->translate(source, *known);
        fields.tell_rest();
        extra.tell_rest();
        if (draft.scheme.empty())
            run_.discard(draft.name);
        else
            run_.add(std::move(draft));
    }

    /// A map, or JSON text of one. Older versions write `extra__http__timeout` for `timeout`.
    void add_extra(Fields& extra, const std::string& type, const Field& field) {
        Value value = field.value;
        if (value.is_string() && value.size() > 0) {
            auto decoded = json::decode(value.as_string(), {.depth = 64, .last_member_wins = true});
            value = decoded ? std::move(*decoded) : Value{};
            if (!value.is_map()) {
                run_.warning("bad-extra", field.place, "the extra is no JSON object; nothing of it is carried over", {}, extra.connection());
                return;
            }
        }
        if (!value.is_map()) return;
        const std::string prefix = "extra__" + type + "__";
        for (auto& [key, one] : value.as_map()) extra.add({key.starts_with(prefix) ? key.substr(prefix.size()) : key, std::move(one), field.place});
    }

    Run& run_;
};

}  // namespace

void read_airflow(std::string_view text, Run& run) { Reader{run}.read(text); }

}  // namespace qconn::importing
