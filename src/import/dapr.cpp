// SPDX-License-Identifier: Apache-2.0
/// Components and HTTP endpoints of Dapr.
#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "import/database.hpp"
#include "import/formats.hpp"
#include "import/tree.hpp"
#include "import/web.hpp"

namespace qconn::importing {
namespace {

/// One component while it is translated.
struct Source {
    Fields& fields;
    Draft& draft;
    /// Of its type.
    Place place;

    Run& run() const { return fields.run(); }
    const std::string& name() const { return fields.connection(); }
};

struct ComponentType {
    std::string_view name;
    /// A draft without a scheme afterwards is left out; what is wrong is told then.
    void (*translate)(Source& source, std::string_view target);
    /// Scheme, driver or service.
    std::string_view target;
};

/// An address that is wholly kept in a secret store cannot be taken apart.
const Field* address(Source& s, Fields::Names names) {
    const Field* field = s.fields.find(names);
    if (field == nullptr) {
        s.run().error("no-address", s.place, "the component has no address; it is left out", {}, s.name());
    } else if (field->value.is_null()) {
        s.run().error("address-elsewhere", field->place,
                      "the whole address is kept elsewhere, so that its parts are not known; the component is left out",
                      "write the definition by hand, with references for the user and the password alone", s.name());
        return nullptr;
    }
    return field;
}

// ---- the types ----

/// "Authorization: Bearer" is a header and what stands before the token.
void token_header(Source& s) {
    std::string header = s.fields.raw({"securityTokenHeader"});
    if (header.empty() || s.fields.find({"securityToken"}) == nullptr) return;
    std::string before;
    if (const auto colon = header.find(':'); colon != std::string::npos) {
        before = std::string{text::trim(std::string_view{header}.substr(colon + 1))};
        if (!before.empty()) before += ' ';
        header.erase(colon);
    }
    if (const auto token = s.fields.secret({"securityToken"}, "token")) add_written_header(s.draft, header, literal(before) + *token);
}

/// `100Mi`, `4k`, `1048576`.
void largest_body(Source& s) {
    const Field* field = s.fields.find({"maxResponseBodySize"});
    if (field == nullptr) return;
    struct Unit {
        std::string_view name;
        double bytes;
    };
    constexpr std::array<Unit, 7> k_units{{{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"Ki", 1024}, {"Mi", 1048576}, {"Gi", 1073741824}}};
    const std::string text = text_of(field->value).value_or(std::string{});
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto* const unit =
        std::find_if(k_units.begin(), k_units.end(), [&](const Unit& one) { return one.name == std::string_view{text}.substr(digits); });
    if (digits == 0 || digits > 12 || unit == k_units.end()) return;
    s.draft.options.set("max_body_size", static_cast<long long>(std::stod(text.substr(0, digits)) * unit->bytes));
    s.fields.take({"maxResponseBodySize"});
}

void http(Source& s, std::string_view) {
    const Field* url = address(s, {"url", "endpoint"});
    if (url == nullptr || !fill_base_url(s.fields, s.draft, s.fields.raw({"url", "endpoint"}), url->place)) return;
    token_header(s);
    largest_body(s);
    add_pem(s.fields, s.draft, {"MTLSRootCA"}, "ssl_ca_file", "ssl_ca_data", false);
    add_pem(s.fields, s.draft, {"MTLSClientCert"}, "ssl_cert_path", "ssl_cert_data", false);
    add_pem(s.fields, s.draft, {"MTLSClientKey"}, "ssl_key_path", "ssl_key_data", true);
    if (const auto errors = s.fields.flag({"errorIfNot2XX"}); errors && !*errors) s.draft.options.set("error_passthru", true);
    if (const auto time = s.fields.seconds({"responseTimeout"})) s.draft.options.set("timeout", static_cast<long long>(*time));
    for (Field* field : s.fields.rest()) {  // of GraphQL
        const auto text = text_of(field->value);
        if (!field->key.starts_with("header:") || !text || !is_header_name(std::string_view{field->key}.substr(7))) continue;
        field->taken = true;
        add_header(s.fields, s.draft, std::string_view{field->key}.substr(7), *text);
    }
}

/// TLS at connect on port 465, otherwise STARTTLS where the server has it.
void smtp(Source& s, std::string_view) {
    s.draft.host = s.fields.text({"host"});
    s.draft.port = s.fields.port({"port"});
    s.draft.user = s.fields.text({"user"});
    s.draft.password = s.fields.secret({"password"}, "password");
    s.draft.scheme = s.draft.port == std::uint16_t{465} ? "esmtps" : "esmtp";
    if (std::string from = s.fields.text({"emailFrom"}); !from.empty()) s.draft.options.set("from", std::move(from));
}

void sftp(Source& s, std::string_view) {
    const Field* field = address(s, {"address"});
    if (field == nullptr) return;
    const auto url = Url::try_parse("sftp://" + s.fields.raw({"address"}));
    if (!url || url->host.empty()) {
        s.run().error("bad-url", field->place, "no host with a port stands there; the component is left out", {}, s.name());
        return;
    }
    s.draft.scheme = "sftp";
    s.draft.host = literal(url->host);
    s.draft.port = url->port;
    s.draft.user = s.fields.text({"username"});
    s.draft.password = s.fields.secret({"password"}, "password");
    const std::string root = s.fields.text({"rootPath"});
    if (!root.empty()) s.draft.path = root.starts_with('/') ? root : "/" + root;
    for (Field* one : s.fields.rest()) {
        if (text::iequals(one->key, "privateKey"))
            s.fields.tell(*one, Severity::warning, "put the key into a file and name it in the option keyfile");
        else if (text::iequals(one->key, "privateKeyPassphrase"))
            s.fields.tell(*one, Severity::warning, "the password of the connection is the pass-phrase of its key");
    }
}

void file(Source& s, std::string_view) {
    const std::string root = s.fields.text({"rootPath"});
    s.draft.scheme = "file";
    s.draft.path = root.starts_with('/') ? root : "/" + root;
}

void database(Source& s, std::string_view driver) {
    s.draft.driver = driver;
    const Fields::Names whole{"connectionString", "url"};
    if (const Field* field = s.fields.find(whole)) {
        const Place place = field->place;
        if (address(s, whole) == nullptr) return;
        const std::string text = s.fields.raw(whole);
        if (driver == "sqlite3") {
            std::string_view path = text;
            if (path.starts_with("file:")) path.remove_prefix(5);
            s.draft.scheme = "db";
            s.draft.database = literal(path.substr(0, path.find('?')));
            if (path.find('?') != std::string_view::npos)
                s.run().warning("not-carried", place, "the parameters of the connection string are not carried over", {}, s.name());
            return;
        }
        const auto parameters = parse_connection_string(text);
        if (!parameters) {
            s.run().error("bad-connection-string", place, "the connection string is in no known form; the component is left out", {}, s.name());
            return;
        }
        Fields parts{s.run(), s.name(), "the parameter "};
        // Single fields win over the string.
        for (const char* one : {"host", "hostaddr", "port", "database", "user", "password"}) {
            if (const Field* single = s.fields.find({one})) parts.add(*s.fields.take({single->key}));
        }
        for (const auto& [name, value] : *parameters) parts.add({name, Value{value}, place});
        fill_database(parts, s.draft);
        if (s.draft.database.empty()) s.draft.database = s.fields.text({"databaseName", "schemaName"});
        parts.tell_rest();
        return;
    }
    fill_database(s.fields, s.draft);
    if (s.draft.database.empty()) s.draft.database = s.fields.text({"databaseName", "schemaName"});
    if (s.draft.host.empty() && s.draft.database.empty()) {
        s.draft.scheme.clear();
        (void)address(s, whole);
    }
}

void amqp(Source& s, std::string_view product) {
    const Fields::Names names{"connectionString", "host", "url"};
    const bool parts = s.fields.find({"hostname"}) != nullptr;
    const Field* field = parts ? nullptr : address(s, names);
    if (!parts && field == nullptr) return;
    if (parts) {
        s.draft.scheme = text::iequals(s.fields.raw({"protocol"}), "amqps") ? "amqps" : "amqp";
        const auto url = Url::try_parse(s.draft.scheme + "://" + s.fields.raw({"hostname"}));
        if (!url || url->host.empty()) {
            s.draft.scheme.clear();
            s.run().error("bad-url", s.place, "the hostname is none; the component is left out", {}, s.name());
            return;
        }
        s.draft.host = literal(url->host);
        s.draft.port = url->port;
    } else {
        const auto url = Url::try_parse(text::trim(s.fields.raw(names)));
        if (!url || (url->scheme != "amqp" && url->scheme != "amqps") || url->host.empty()) {
            s.run().error("bad-url", field->place, "no URL of amqp or amqps stands there; the component is left out", {}, s.name());
            return;
        }
        s.draft.scheme = url->scheme;
        s.draft.host = literal(url->host);
        s.draft.port = url->port;
        // The path is a virtual host there, and an address here. RabbitMQ takes virtual hosts by that prefix.
        const std::string_view path = std::string_view{url->path}.substr(0, url->path.find('?'));
        if (const std::string host = percent_decode(path.substr(std::min<std::size_t>(path.size(), 1))); !host.empty())
            s.draft.options.set("virtual_host", literal((product == "rabbitmq" ? "vhost:" : "") + host));
        if (url->username) s.draft.user = literal(percent_decode(*url->username));
        if (url->password) s.draft.password = s.run().secret(s.name(), "password", percent_decode(url->password->reveal()));
    }
    if (const std::string user = s.fields.text({"username"}); !user.empty()) s.draft.user = user;
    if (const auto password = s.fields.secret({"password"}, "password")) s.draft.password = password;
    if (product == "rabbitmq")
        s.run().warning("other-protocol", s.place, "Dapr speaks AMQP 0-9-1 with RabbitMQ, qconn speaks AMQP 1.0",
                        "RabbitMQ 4 has both on one port; before that it needs its plug-in for AMQP 1.0", s.name());
}

void aws(Source& s, std::string_view service) {
    AwsService aws;
    aws.service = service;
    aws.region = s.fields.text({"region", "awsRegion"});
    aws.key_id = s.fields.text({"accessKey", "awsAccessKey"});
    aws.secret = s.fields.secret({"secretKey", "awsSecretKey"}, "aws_secret");
    aws.token = s.fields.secret({"sessionToken", "awsSessionToken"}, "aws_token");
    const Field* endpoint = s.fields.find({"endpoint"});
    if (endpoint != nullptr) {
        aws.place = endpoint->place;
        aws.endpoint = s.fields.raw({"endpoint"});
    }
    if (!fill_aws(s.fields, s.draft, aws)) return;
    if (service != "s3") return;
    const std::string bucket = s.fields.text({"bucket"});
    if (bucket.empty()) return;
    if (s.fields.flag({"forcePathStyle"}).value_or(false) || endpoint != nullptr)
        s.draft.path += "/" + bucket;
    else
        s.draft.host.insert(0, bucket + ".");
}

constexpr ComponentType k_types[] = {
    {"bindings.http", http, {}},
    {"bindings.graphql", http, {}},
    {"bindings.smtp", smtp, {}},
    {"bindings.sftp", sftp, {}},
    {"bindings.localstorage", file, {}},
    {"bindings.postgres", database, "pgsql"},
    {"bindings.postgresql", database, "pgsql"},
    {"bindings.mysql", database, "mysql"},
    {"bindings.rabbitmq", amqp, "rabbitmq"},
    {"bindings.aws.s3", aws, "s3"},
    {"bindings.aws.sqs", aws, "sqs"},
    {"bindings.aws.sns", aws, "sns"},
    {"bindings.aws.ses", aws, "email"},
    {"bindings.aws.dynamodb", aws, "dynamodb"},
    {"bindings.aws.kinesis", aws, "kinesis"},
    {"configuration.postgresql", database, "pgsql"},
    {"configuration.postgres", database, "pgsql"},
    {"pubsub.rabbitmq", amqp, "rabbitmq"},
    {"pubsub.solace.amqp", amqp, "solace"},
    {"pubsub.aws.snssqs", aws, "sns"},
    {"secretstores.aws.secretmanager", aws, "secretsmanager"},
    {"secretstores.aws.parameterstore", aws, "ssm"},
    {"state.aws.dynamodb", aws, "dynamodb"},
    {"state.cockroachdb", database, "pgsql"},
    {"state.mysql", database, "mysql"},
    {"state.oracledatabase", database, "oracle"},
    {"state.postgres", database, "pgsql"},
    {"state.postgresql", database, "pgsql"},
    {"state.sqlite", database, "sqlite3"},
    {"state.sqlserver", database, "freetds"},
    {"cryptography.dapr.localstorage", file, {}},
    {"lock.postgresql", database, "pgsql"},
    {"endpoint", http, {}},  // an HTTPEndpoint, which has no type of its own
};

// ---- the documents ----

std::string text_at(const yaml::Node& node, std::string_view key) {
    const yaml::Node* value = node.find(key);
    return value != nullptr && value->is_scalar() && !value->is_null() ? std::string{value->text()} : std::string{};
}

/// Value, secretKeyRef or envRef of one entry.
Field field_of(const yaml::Node& entry, std::string key, Place place, const std::string& store) {
    Field field{std::move(key), {}, place};
    if (const yaml::Node* value = entry.find("value")) field.value = value_of(*value);
    if (const yaml::Node* reference = entry.find("secretKeyRef")) {
        const std::string name = text_at(*reference, "name");
        const std::string inner = text_at(*reference, "key");
        field.value = {};
        field.kept = "the secret " + quoted(name) + (inner.empty() || inner == name ? "" : ", key " + quoted(inner)) +
                     (store.empty() ? "" : ", in the store " + quoted(store));
    }
    if (const std::string variable = text_at(entry, "envRef"); !variable.empty()) {
        field.value = {};
        const bool usable = !text::is_digit(variable[0]) &&
                            std::all_of(variable.begin(), variable.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_'; });
        field.kept = "an environment variable of Dapr's";
        if (usable) field.variable = variable;
    }
    return field;
}

class Reader {
public:
    explicit Reader(Run& run) : run_{run} {}

    void read(std::string_view text) {
        const yaml::ParseResult parsed = read_tree(text, run_);
        if (parsed.fatal) return;
        for (const yaml::Document& document : parsed.documents) resource(*document.root);
    }

private:
    void resource(const yaml::Node& node) {
        if (node.is_null()) return;
        const Place start{node.start().line, node.start().column, 1};
        if (!node.is_mapping()) {
            run_.error("bad-connection", start, "a resource of Dapr is expected here: a map with kind, metadata and spec");
            return;
        }
        const std::string kind = text_at(node, "kind");
        const yaml::Node* items = node.find("items");
        if (kind.ends_with("List") && items != nullptr) {
            for (const yaml::Node& item : items->items()) resource(item);
            return;
        }
        const yaml::Node* kind_node = node.find("kind");
        const Place place = kind_node != nullptr ? place_of(*kind_node) : start;
        if (kind != "Component" && kind != "HTTPEndpoint") {
            run_.note("no-equivalent", place, "a resource of the kind " + quoted(kind) + " is no connection");
            return;
        }
        if (run_.may_begin(place)) component(node, kind == "HTTPEndpoint", place);
    }

    void component(const yaml::Node& node, bool endpoint, Place place) {
        const yaml::Node* metadata = node.find("metadata");
        const yaml::Node* spec = node.find("spec");
        const yaml::Node* name_node = metadata != nullptr ? metadata->find("name") : nullptr;
        const std::string given = name_node != nullptr && name_node->is_scalar() ? std::string{name_node->text()} : std::string{};
        if (name_node != nullptr) place = place_of(*name_node);
        if (spec == nullptr || !spec->is_mapping()) {
            run_.error("bad-connection", place, "the component has no spec; it is left out", {}, given);
            return;
        }
        const yaml::Node* type_node = spec->find("type");
        const std::string type = endpoint ? "endpoint" : text_at(*spec, "type");
        const auto* const known =
            std::find_if(std::begin(k_types), std::end(k_types), [&](const ComponentType& one) { return text::iequals(one.name, type); });
        if (known == std::end(k_types) || (!endpoint && type == "endpoint")) {
            run_.warning("no-equivalent", type_node != nullptr ? place_of(*type_node) : place,
                         "qconn has nothing for components of the type " + quoted(type) + "; " + quoted(given) + " is left out", {}, given);
            return;
        }
        const yaml::Node* auth = node.find("auth");
        const std::string store = auth != nullptr ? text_at(*auth, "secretStore") : std::string{};

        Draft draft;
        draft.name = run_.name(given, place);
        draft.place = place;
        draft.description = endpoint ? "HTTP endpoint of Dapr" : "Dapr component of the type " + type;
        Fields fields{run_, draft.name, "the field "};
        Source source{fields, draft, type_node != nullptr ? place_of(*type_node) : place};
        if (endpoint)
            this->endpoint(*spec, source, store);
        else
            entries(*spec, fields, store);
        fields.drop({"direction"});
        known->translate(source, known->target);
        fields.tell_rest();
        outside(node, *spec, endpoint, draft.name);
        if (draft.scheme.empty())
            run_.discard(draft.name);
        else
            run_.add(std::move(draft));
    }

    void entries(const yaml::Node& spec, Fields& fields, const std::string& store) {
        const yaml::Node* metadata = spec.find("metadata");
        if (metadata == nullptr) return;
        for (const yaml::Node& entry : metadata->items()) {
            const yaml::Node* name = entry.find("name");
            if (!entry.is_mapping() || name == nullptr || !name->is_scalar()) {
                run_.error("bad-entry", {entry.start().line, entry.start().column, 1}, "an entry of the metadata is a map with name and value", {},
                           fields.connection());
                continue;
            }
            fields.add(field_of(entry, std::string{name->text()}, place_of(*name), store));
        }
    }

    /// What bindings.http has as entries, in a form of its own.
    void endpoint(const yaml::Node& spec, Source& source, const std::string& store) {
        if (const yaml::Node* url = spec.find("baseUrl")) source.fields.add({"url", value_of(*url), place_of(*url)});
        constexpr std::array<std::pair<std::string_view, const char*>, 3> k_tls{
            {{"rootCA", "MTLSRootCA"}, {"certificate", "MTLSClientCert"}, {"privateKey", "MTLSClientKey"}}};
        if (const yaml::Node* tls = spec.find("clientTLS")) {
            for (const auto& [name, as] : k_tls) {
                if (const yaml::Node* one = tls->find(name)) source.fields.add(field_of(*one, as, place_of(*one), store));
            }
            if (const yaml::Node* renegotiation = tls->find("renegotiation"))
                source.fields.add({"renegotiation", value_of(*renegotiation), place_of(*renegotiation)});
        }
        const yaml::Node* headers = spec.find("headers");
        if (headers == nullptr) return;
        for (const yaml::Node& entry : headers->items()) {
            const yaml::Node* name = entry.find("name");
            if (name == nullptr || !is_header_name(name->text())) {
                run_.error("bad-entry", {entry.start().line, entry.start().column, 1}, "a header has a name and a value", {}, source.name());
                continue;
            }
            const Field field = field_of(entry, std::string{name->text()}, place_of(*name), store);
            if (!field.kept.empty())
                add_written_header(source.draft, field.key,
                                   run_.secret_elsewhere(source.name(), "the header " + field.key, field.kept, field.variable));
            else if (const auto text = text_of(field.value))
                add_header(source.fields, source.draft, field.key, *text);
        }
    }

    /// What a resource says beside the parts that were read.
    void outside(const yaml::Node& node, const yaml::Node& spec, bool endpoint, const std::string& connection) {
        for (const auto [key, value] : node.entries()) {
            if (key.is_scalar() && key.text() == "scopes")
                run_.note("not-carried", place_of(key), "the scopes are not carried over: every program that has the definition may use it", {},
                          connection);
        }
        for (const auto [key, value] : spec.entries()) {
            const std::string_view name = key.text();
            const bool read = name == "type" || name == "version" || name == "metadata" ||
                              (endpoint && (name == "baseUrl" || name == "headers" || name == "clientTLS"));
            if (!read) run_.note("not-carried", place_of(key), "the key " + quoted(name) + " of the spec is not carried over", {}, connection);
        }
    }

    Run& run_;
};

}  // namespace

void read_dapr(std::string_view text, Run& run) { Reader{run}.read(text); }

}  // namespace qconn::importing
