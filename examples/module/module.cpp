// SPDX-License-Identifier: Apache-2.0
/// The scheme, and the entry point that adds it.
#include <memory>
#include <utility>

#include <qconn/core/module.hpp>

#include "options.hpp"

using namespace qconn;

namespace redis {

namespace {

const OptionTable<RedisOptions>& table() {
    static const OptionTable<RedisOptions> options = [] {
        OptionTable<RedisOptions> all;
        auto& username = all.add("username", &RedisOptions::username, OptionType::string, "User of the server's access list; Redis 6 and later");
        username.fallback_text = "that of the URL";
        username.example = "edi";
        auto& password = all.add("password", &RedisOptions::password, OptionType::string, "Password");
        password.fallback_text = "that of the URL";
        password.sensitive = true;
        password.example = "${env:REDIS_PASSWORD}";
        auto& database = all.add("database", &RedisOptions::database, OptionType::integer, "Number of the database");
        database.fallback = 0;
        database.minimum = 0;
        database.example = 3;
        auto& timeout = all.add("timeout", &RedisOptions::timeout, OptionType::integer, "Longest silence of the server");
        timeout.unit = Unit::milliseconds;
        timeout.fallback = 5000;
        timeout.minimum = 1;
        timeout.example = 1000;
        return all;
    }();
    return options;
}

RedisOptions options_of(const ResolvedDefinition& definition) {
    RedisOptions options;
    options.label = definition.name;
    options.host = definition.url.host;
    options.port = definition.url.port.value_or(options.port);
    options.username = definition.url.username.value_or("");
    options.password = definition.url.password.value_or(Secret{});
    table().apply(definition.options, options);
    return options;
}

void check(const Definition& definition, const std::function<Place(std::string_view)>& place_of, Diagnostics& findings) {
    const auto url = Url::try_parse(definition.url);
    if (!url || url.value().path.size() > 1 || url.value().host.empty() || url.value().is_socket) {
        Diagnostic finding;
        finding.code = "redis-url";
        finding.place = place_of("url");
        finding.message = "the URL of a Redis server is redis://host, with a user, a password and a port where needed";
        finding.hint = "the number of a database goes into the option 'database'";
        if (url) findings.push_back(std::move(finding));
    }
}

OperationSpec operation(std::string name, std::string help, std::vector<OperationSpec::Argument> arguments,
                        std::function<Value(RedisClient&, const Map&, Deadline)> run) {
    OperationSpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.arguments = std::move(arguments);
    spec.run = [run = std::move(run)](Client& client, const Map& given, Deadline deadline) {
        return run(dynamic_cast<RedisClient&>(client), given, deadline);
    };
    return spec;
}

Scheme scheme() {
    Scheme scheme;
    scheme.names = {"redis"};
    scheme.family = "redis";
    scheme.title = "Redis";
    scheme.help = "Values by key on a Redis server.";
    scheme.example_url = "redis://cache.example:6379";
    scheme.default_ports = {{"redis", 6379}};
    scheme.options = table().specs();
    scheme.sharing = Sharing::serialised;
    scheme.standard_depth = PingDepth::auth;
    scheme.clients = client_types<RedisClient>({"RedisClient"});
    scheme.operations = {
        operation("get", "The value of a key, or null", {{"key", OptionType::string, true, "Key"}},
                  [](RedisClient& client, const Map& given, Deadline deadline) -> Value {
                      auto value = client.get(given.find("key")->as_string(), deadline);
                      return value ? Value{std::move(*value)} : Value{};
                  }),
        operation("set", "Sets the value of a key", {{"key", OptionType::string, true, "Key"}, {"value", OptionType::string, true, "Value"}},
                  [](RedisClient& client, const Map& given, Deadline deadline) -> Value {
                      client.set(given.find("key")->as_string(), given.find("value")->as_string(), deadline);
                      return {};
                  }),
    };
    scheme.check = check;
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime&) -> std::shared_ptr<Client> {
        return redis::make_client(options_of(definition));
    };
    scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth depth, const Runtime&) -> PingPlan {
        const RedisOptions options = options_of(definition);
        NetPing ping;
        ping.endpoint.host = options.host;
        ping.endpoint.port = options.port;
        if (depth != PingDepth::connect && depth != PingDepth::tls) {
            ping.dialogue = [options, full = depth == PingDepth::full] { return redis::make_ping(options, full); };
            ping.keep = true;
        }
        return ping;
    };
    return scheme;
}

}  // namespace

}  // namespace redis

void qconn_module_1(ModuleHost& host) {
    host.describe("redis", "1.0.0", "Redis servers: get, set, ping.");
    host.add(redis::scheme());
}
