// SPDX-License-Identifier: Apache-2.0
// eftl and eftls.
#include <qconn/eftl/eftl_client.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "schemes/convert.hpp"
#include "schemes/proxy_options.hpp"
#include "schemes/schemes.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"

namespace qconn::schemes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::pair<std::string_view, EftlAck>, 3> k_acks{
    {{"auto", EftlAck::automatic}, {"client", EftlAck::client}, {"none", EftlAck::none}}};
constexpr std::array<std::pair<std::string_view, EftlDurable>, 3> k_durables{
    {{"standard", EftlDurable::standard}, {"shared", EftlDurable::shared}, {"last-value", EftlDurable::last_value}}};

std::string urls_problem(const Value& value) {
    try {
        EftlServer::parse_list(value.as_string());
    } catch (const Error& error) { return std::string{error.message()}; }
    return {};
}

const OptionTable<EftlOptions>& eftl_table() {
    static const OptionTable<EftlOptions> options = [] {
        OptionTable<EftlOptions> all;
        const auto in_seconds = [&all](const char* name, milliseconds EftlOptions::*member, const char* help) -> OptionSpec& {
            OptionSpec& spec =
                all.add(name, OptionType::integer, help, [member](EftlOptions& o, const Value& v) { o.*member = seconds{v.as_int64()}; });
            spec.unit = Unit::seconds;
            spec.fallback = 15;
            spec.minimum = 0;
            spec.maximum = 86'400;
            spec.example = 5;
            return spec;
        };
        const auto count = [&all](const char* name, std::size_t EftlOptions::*member, const char* help, int example) -> OptionSpec& {
            OptionSpec& spec = all.add(name, member, OptionType::integer, help);
            spec.fallback = static_cast<unsigned long long>(EftlOptions{}.*member);
            spec.minimum = 1;
            spec.maximum = 1e12;
            spec.example = example;
            return spec;
        };
        {
            OptionSpec& spec =
                all.add("urls", OptionType::string,
                        "Servers in the place of the URL's, as eFTL writes them: ws:// and wss:// URLs parted by '|', each with its own user, "
                        "password (percent-encoded) and clientId, tried in random order",
                        nullptr);
            spec.fallback_text = "the server of the URL";
            spec.example = "ws://one.example.com:8585/channel|ws://two.example.com:8585/channel";
            spec.check = urls_problem;
        }
        {
            OptionSpec& spec = all.add("username", OptionType::string, "User of the log-in, for servers whose URL has none",
                                       [](EftlOptions& o, const Value& v) { o.username = std::string{v.as_string()}; });
            spec.aliases = {"user"};
            spec.fallback_text = "none";
            spec.example = "edi";
        }
        {
            OptionSpec& spec = all.add("password", OptionType::string, "Password of the log-in, for servers whose URL has none",
                                       [](EftlOptions& o, const Value& v) { o.password = Secret{v.as_string()}; });
            spec.sensitive = true;
            spec.example = "${env:EFTL_PASSWORD}";
        }
        {
            OptionSpec& spec =
                all.add("client_id", &EftlOptions::client_id, OptionType::string,
                        "Name of the client, which its durable subscriptions belong to; of two connections with one name the older is closed. "
                        "A clientId in the URL wins. Pings have none");
            spec.fallback_text = "the server makes one";
            spec.example = "order-service";
        }
        {
            OptionSpec& spec = all.add("auto_reconnect_attempts", &EftlOptions::auto_reconnect_attempts, OptionType::integer,
                                       "Walks through the servers after the connection was lost, until it is given up; 0: none");
            spec.fallback = 256;
            spec.minimum = 0;
            spec.maximum = 1e9;
            spec.example = 10;
        }
        {
            OptionSpec& spec =
                all.add("auto_reconnect_max_delay", OptionType::integer, "Longest wait before such a walk; the first is about a second",
                        [](EftlOptions& o, const Value& v) { o.auto_reconnect_max_delay = milliseconds{v.as_int64()}; });
            spec.unit = Unit::milliseconds;
            spec.fallback = 30'000;
            spec.minimum = 0;
            spec.maximum = 86'400'000;
            spec.example = 10'000;
        }
        in_seconds("handshake_timeout", &EftlOptions::handshake_timeout,
                   "Longest time to reach one server: name, TCP, proxy, TLS, WebSocket handshake; 0: no limit");
        // TIBCO's name is another protocol's here, with another unit.
        in_seconds("welcome_timeout", &EftlOptions::login_timeout, "Longest time until it has answered the log-in after that; 0: no limit")
            .aliases = {"login_timeout"};
        {
            OptionSpec& spec = all.add("max_pending_acks", &EftlOptions::max_pending_acks, OptionType::integer,
                                       "Messages that the server may send before they are acknowledged; 0: the server's own number");
            spec.fallback = 0;
            spec.minimum = 0;
            spec.maximum = 1e9;
            spec.example = 100;
        }
        {
            OptionSpec& spec = all.add(
                "resend", OptionType::string, "What becomes of messages without an answer when the server has lost the session over a reconnection",
                [](EftlOptions& o, const Value& v) { o.resend = v.as_string() == "resumed" ? EftlResend::resumed : EftlResend::always; });
            spec.fallback = "always";
            spec.allowed = {{"always", "they are sent again: none is lost, some may come twice"},
                            {"resumed", "they are sent again only where the server has kept the session, and fail otherwise"}};
            spec.example = "resumed";
        }
        count("max_in_flight", &EftlOptions::max_in_flight, "Messages that may wait for the server's answers; further ones wait, or are refused",
              1000);
        count("max_in_flight_bytes", &EftlOptions::max_in_flight_bytes, "Likewise their bytes", 1'000'000).unit = Unit::bytes;
        count("max_frame", &EftlOptions::max_frame, "Largest frame that is received", 1'000'000).unit = Unit::bytes;
        count("max_unread", &EftlOptions::max_unread, "Messages that wait to be received; above, nothing is read from the server until some are",
              1000);
        {
            OptionSpec& spec = all.add("trust_all", OptionType::boolean, "As TIBCO's clients have it: the opposite of ssl_verify_cert", nullptr);
            spec.fallback = false;
            spec.example = true;
        }
        {
            OptionSpec& spec =
                all.add("trust_store", OptionType::string, "As TIBCO's clients have it: the PEM file of the only authorities that count", nullptr);
            spec.environment = true;
            spec.file = true;
            spec.fallback_text = "the system's authorities";
            spec.example = "/etc/ssl/eftl-ca.pem";
        }
        {
            OptionSpec& spec =
                all.add("polling_interval", OptionType::any, "Of TIBCO's Python library; taken, without effect: nothing here polls", nullptr);
            spec.example = 1;
        }
        add_proxy_options(all);
        add_socket_options(all);
        all.remove("max_send_rate");
        all.remove("max_receive_rate");
        add_tls_options(all);
        return all;
    }();
    return options;
}

EftlServer server_of(const Url& url) {
    EftlServer server;
    server.tls = url.scheme == "eftls";
    server.host = url.host;
    server.port = url.port.value_or(0);
    // User and password stand in a connection's URL as they are; the rest is eFTL's.
    if (!url.path.empty()) {
        const auto rest = EftlServer::parse_list("ws://x" + url.path).front();
        server.channel = rest.channel;
        server.client_id = rest.client_id;
    }
    server.username = url.username.value_or(std::string{});
    server.password = url.password.value_or(Secret{});
    return server;
}

EftlOptions eftl_options_of(const ResolvedDefinition& definition) {
    EftlOptions options;
    eftl_table().apply(definition.options, options);
    options.label = definition.name;
    // After the others, whose defaults would undo them.
    if (const Value& all = option_of(definition, "trust_all"); all.is_bool() && all.as_bool()) options.tls.verify = false;
    if (const Value& store = option_of(definition, "trust_store"); store.is_string()) {
        options.tls.ca_file = std::string{store.as_string()};
        options.tls.ca_only = true;
    }
    const EftlServer own = server_of(definition.url);
    const Value& urls = option_of(definition, "urls");
    if (urls.is_string()) {
        options.servers = EftlServer::parse_list(urls.as_string());
        // What the URL has is for those that have nothing of their own.
        if (!own.username.empty() || !own.password.empty()) {
            options.username = own.username;
            options.password = own.password;
        }
        if (!own.client_id.empty()) options.client_id = own.client_id;
    } else {
        options.servers = {own};
    }
    const bool tls = std::any_of(options.servers.begin(), options.servers.end(), [](const EftlServer& one) { return one.tls; });
    options.proxy = proxy_of(definition, tls ? "https" : "http");
    return options;
}

PingPlan eftl_ping(const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
    EftlOptions options = eftl_options_of(definition);
    if (depth == PingDepth::connect || depth == PingDepth::tls) {
        const EftlServer& first = options.servers.front();
        NetPing ping;
        ping.endpoint.host = first.host;
        ping.endpoint.port = first.port != 0 ? first.port : std::uint16_t{first.tls ? std::uint16_t{443} : std::uint16_t{80}};
        if (options.proxy && options.proxy->is_for(first.host, ping.endpoint.port))
            ping.endpoint.proxy = std::make_shared<const Proxy>(*options.proxy);
        if (first.tls && depth == PingDepth::tls) ping.endpoint.tls = std::make_shared<const TlsOptions>(options.tls);
        ping.endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
        return ping;
    }
    // One that comes under the name of the real client would disconnect that.
    options.client_id.clear();
    for (EftlServer& server : options.servers) server.client_id.clear();
    options.auto_reconnect_attempts = 0;
    return BlockingPing{[options = std::move(options), runtime](Deadline deadline) -> PingEvidence {
        EftlClient client{options, runtime};
        const EftlSession session = client.connect(deadline);
        std::string text = "logged in at " + session.server + ", protocol " + std::to_string(session.protocol);
        if (session.heartbeat.count() > 0) text += ", heartbeat " + std::to_string(session.heartbeat.count() / 1000) + " s";
        if (session.max_size > 0) text += ", messages up to " + std::to_string(session.max_size) + " bytes";
        client.disconnect(earlier(deadline, Deadline{seconds{2}}));
        return text;
    }};
}

// ---- what can be called by name ----

EftlClient& client_of_eftl(Client& client) { return dynamic_cast<EftlClient&>(client); }

const Value& argument_of(const Map& given, std::string_view name) {
    static const Value none;
    const Value* const value = given.find(name);
    return value != nullptr ? *value : none;
}

/// What is written as JSON, or as FIELD=VALUE.
EftlMessage message_of(const Map& given, std::initializer_list<std::string_view> others) {
    const Value& whole = argument_of(given, "message");
    Map fields = given;
    fields.erase("message");
    for (const std::string_view other : others) fields.erase(other);
    if (!whole.is_null()) {
        if (!fields.empty()) throw make_error(Errc::invalid_argument, "a message is given as JSON or as FIELD=VALUE, not both");
        return EftlMessage::from_value(whole);
    }
    return EftlMessage::from_value(Value{std::move(fields)});
}

EftlMatcher matcher_of(const Map& given) {
    const Value& matcher = argument_of(given, "matcher");
    if (matcher.is_null()) return {};
    return EftlMatcher::parse(matcher.is_string() ? std::string{matcher.as_string()} : body_argument(given, "matcher"));
}

template <class Table>
auto word_of(const Map& given, std::string_view name, const Table& table, decltype(table.front().second) fallback) {
    const Value& word = argument_of(given, name);
    if (word.is_null()) return fallback;
    const std::string text = scalar_text(word);
    for (const auto& [known, value] : table)
        if (text::iequals(known, text)) return value;
    std::string all;
    for (const auto& [known, value] : table) all += (all.empty() ? "" : ", ") + std::string{known};
    throw make_error(Errc::invalid_argument, "'" + std::string{name} + "' must be one of " + all);
}

Value shown_message(const EftlMessage& message) {
    const EftlReceipt& receipt = message.receipt();
    Map out{{"message", message.to_value()}};
    if (receipt.sequence) out.set("sequence", static_cast<long long>(*receipt.sequence));
    if (receipt.store_message_id != 0) out.set("store_message_id", static_cast<long long>(receipt.store_message_id));
    if (receipt.delivery_count != 0) out.set("delivery_count", static_cast<long long>(receipt.delivery_count));
    if (message.is_request()) out.set("request", true);
    return out;
}

/// Ends a subscription so that nothing of a durable is lost.
void end_subscription(EftlClient& client, const std::string& id, bool durable) {
    if (!durable)
        client.unsubscribe(id);
    else if (client.session().protocol >= 1)
        client.close_subscription(id);
}

using Argument = OperationSpec::Argument;

OperationSpec eftl_operation(std::string name, std::string help, std::vector<Argument> arguments, std::vector<Argument> fields, bool free,
                             std::function<Value(EftlClient&, const Map&, Deadline)> run) {
    OperationSpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.arguments = std::move(arguments);
    spec.fields = std::move(fields);
    spec.free_fields = free;
    spec.run = [run = std::move(run)](Client& client, const Map& given, Deadline deadline) { return run(client_of_eftl(client), given, deadline); };
    return spec;
}

Value subscribe_and_receive(EftlClient& client, const Map& given, Deadline deadline) {
    EftlSubscription what;
    what.matcher = matcher_of(given);
    what.durable = text_argument(given, "durable");
    what.type = word_of(given, "type", k_durables, EftlDurable::standard);
    what.key = text_argument(given, "key");
    // TIBCO's text has the one, its code the other.
    what.ack = word_of(given, given.contains("ack") ? "ack" : "ack_mode", k_acks, EftlAck::automatic);
    const std::int64_t count = given.contains("count") ? argument_of(given, "count").as_int64() : 1;
    if (count < 1) throw make_error(Errc::invalid_argument, "'count' must be at least 1");
    if (given.contains("timeout"))
        deadline = earlier(deadline, Deadline{milliseconds{std::max<std::int64_t>(argument_of(given, "timeout").as_int64(), 0)}});
    const EftlAck ack = what.ack;
    const bool durable = !what.durable.empty();
    const std::string id = client.subscribe(std::move(what), deadline);
    List all;
    try {
        while (static_cast<std::int64_t>(all.size()) < count) {
            const EftlMessage message = client.receive(id, deadline);
            if (ack == EftlAck::client) client.acknowledge(message);
            all.push_back(shown_message(message));
        }
    } catch (const Error& error) {
        // What has come until the time is over is the answer.
        if (error.code() != Errc::timeout || !given.contains("timeout")) throw;
    }
    end_subscription(client, id, durable);
    return Value{std::move(all)};
}

Value reply_once(EftlClient& client, const Map& given, Deadline deadline) {
    const EftlMessage answer = message_of(given, {"matcher"});
    EftlSubscription what;
    what.matcher = matcher_of(given);
    const std::string id = client.subscribe(std::move(what), deadline);
    for (;;) {
        const EftlMessage request = client.receive(id, deadline);
        if (!request.is_request()) continue;
        client.reply(request, answer, deadline);
        client.unsubscribe(id);
        return shown_message(request);
    }
}

std::vector<OperationSpec> eftl_operations() {
    const Argument message{"message", OptionType::any, false, "JSON object, in the place of FIELD=VALUE"};
    const Argument map{"map", OptionType::string, true, "name of the map"};
    const Argument key{"key", OptionType::string, true, "key in it"};
    const Argument matcher{"matcher", OptionType::any, false, "JSON object: field to string, integer, true (there) or false; default: every message"};
    return {
        eftl_operation("publish", "Send a message of FIELD=VALUE fields, or of a JSON object, and wait until the server has it", {message}, {}, true,
                       [](EftlClient& client, const Map& given, Deadline deadline) {
                           client.publish(message_of(given, {}), deadline);
                           return Value{};
                       }),
        eftl_operation("subscribe", "Receive messages", {},
                       {matcher,
                        {"durable", OptionType::string, false, "name under which the server keeps messages; it stays"},
                        {"type", OptionType::string, false, "of the durable: standard, shared, last-value; default: standard"},
                        {"key", OptionType::string, false, "last-value: the field whose newest values count"},
                        {"ack", OptionType::string, false, "auto, client, none; default: auto"},
                        {"ack_mode", OptionType::string, false, "the same"},
                        {"count", OptionType::integer, false, "how many; default: 1"},
                        {"timeout", OptionType::integer, false,
                         "milliseconds after which those that have come are enough; default: an error when the time is over"}},
                       false, subscribe_and_receive),
        eftl_operation("request", "Send a message as a request; the reply", {message}, {}, true,
                       [](EftlClient& client, const Map& given, Deadline deadline) {
                           return client.request(message_of(given, {}), earlier(deadline, Deadline{seconds{60}})).to_value();
                       }),
        eftl_operation("reply", "Wait for one request and reply to it with the message; the request", {message}, {matcher}, true, reply_once),
        eftl_operation("map-set", "Set a key of a map to a message", {map, key, message}, {}, true,
                       [](EftlClient& client, const Map& given, Deadline deadline) {
                           client.map(text_argument(given, "map")).set(text_argument(given, "key"), message_of(given, {"map", "key"}), deadline);
                           return Value{};
                       }),
        eftl_operation("map-get", "The message of a key of a map; nothing where it has no such key", {map, key}, {}, false,
                       [](EftlClient& client, const Map& given, Deadline deadline) {
                           const auto found = client.map(text_argument(given, "map")).get(text_argument(given, "key"), deadline);
                           return found ? found->to_value() : Value{};
                       }),
        eftl_operation("map-remove", "Remove a key from a map", {map, key}, {}, false,
                       [](EftlClient& client, const Map& given, Deadline deadline) {
                           client.map(text_argument(given, "map")).remove(text_argument(given, "key"), deadline);
                           return Value{};
                       }),
    };
}

void check_eftl(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    const bool urls = is_set(definition, "urls");
    if (!urls && url.host.empty())
        findings.error("url", "missing-host", "the URL has no host", "write " + definition.scheme() + "://host:port/channel");
    if (url.is_socket) findings.error("url", "missing-host", "an eFTL server is not reached by a UNIX socket");
    if (!urls && (url.path.empty() || url.path == "/"))
        findings.warning("url", "missing-channel", "the URL names no channel", "most servers have " + definition.scheme() + "://host:port/channel");
    if (is_set(definition, "polling_interval")) findings.warning("polling_interval", "unused-option", "nothing here polls, so this has no effect");
    if (is_set(definition, "trust_store") && is_set(definition, "ssl_ca_file"))
        findings.error("trust_store", "conflicting-options", "'trust_store' and 'ssl_ca_file' name two files for one purpose",
                       "take one of the two out");
    if (definition.scheme() == "eftl" && !urls) {
        for (const OptionSpec& spec : eftl_table().specs()) {
            if ((spec.name.starts_with("ssl_") || spec.name.starts_with("trust_")) && is_set(definition, spec.name))
                findings.warning(spec.name, "unused-option", "without TLS this has no effect; the scheme with TLS is eftls");
        }
    }
    check_tls_options(definition, findings);
    check_proxy_options(definition, findings);
}

}  // namespace

Scheme eftl_scheme() {
    Scheme scheme;
    scheme.names = {"eftl", "eftls"};
    scheme.family = "eftl";
    scheme.title = "TIBCO eFTL";
    scheme.help =
        "Messages by way of a TIBCO eFTL server: publish, subscribe, request and reply, key-value maps. The path of the URL is the channel. A ping "
        "logs in "
        "under no client id, and out again.";
    scheme.example_url = "eftls://edi:secret@eftl.example.com:8585/channel?clientId=order-service";
    scheme.default_ports = {{"eftl", 80}, {"eftls", 443}};
    scheme.options = eftl_table().specs();
    scheme.sharing = Sharing::multiplexed;
    scheme.standard_depth = PingDepth::auth;
    scheme.clients = client_types<EftlClient>({"EftlClient"});
    scheme.operations = eftl_operations();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_eftl(definition, findings);
    };
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<EftlClient>(eftl_options_of(definition), runtime);
    };
    scheme.make_ping = eftl_ping;
    return scheme;
}

}  // namespace qconn::schemes
