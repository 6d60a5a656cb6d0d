// SPDX-License-Identifier: Apache-2.0
// ws and wss.
#include "schemes/websocket_options.hpp"

#include <array>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "http/target.hpp"
#include "schemes/http_address.hpp"
#include "schemes/http_ping.hpp"
#include "schemes/proxy_options.hpp"
#include "schemes/schemes.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"
#include "websocket/ping.hpp"
#include "websocket/settings.hpp"

namespace qconn::schemes {
namespace {

/// Options of the table that Qorus shares with HTTP: taken there, and without effect there as here.
struct IdleOption {
    const char* name;
    OptionType type;
    Value example;
};
const std::array<IdleOption, 6>& idle_websocket_options() {
    static const std::array<IdleOption, 6> all{{{"assume_encoding", OptionType::string, "ISO-8859-1"},
                                                {"encode_chars", OptionType::string, "+"},
                                                {"error_passthru", OptionType::boolean, true},
                                                {"http_version", OptionType::string, "1.1"},
                                                {"pre_encoded_urls", OptionType::boolean, true},
                                                {"redirect_passthru", OptionType::boolean, true}}};
    return all;
}

std::string subprotocols_problem(const Value& list) {
    for (const Value& one : list.as_list()) {
        if (!one.is_string() || !http::is_token(one.as_string())) return "each element must be the name of a subprotocol: a word without blanks";
    }
    return {};
}

void add_log_in(OptionTable<WebSocketOptions>& all) {
    {
        OptionSpec& spec = all.add("username", &WebSocketOptions::username, OptionType::string,
                                   "User for basic authentication; only together with password, and only where the URL has neither");
        spec.example = "edi";
    }
    {
        OptionSpec& spec =
            all.add("password", &WebSocketOptions::password, OptionType::string, "Password for basic authentication; only together with username");
        spec.sensitive = true;
        spec.example = "${env:FEED_PASSWORD}";
    }
    {
        OptionSpec& spec =
            all.add("token", &WebSocketOptions::token, OptionType::string, "Sent as Authorization, after token_type; not with a user name");
        spec.sensitive = true;
        spec.example = "${env:FEED_TOKEN}";
    }
    {
        OptionSpec& spec = all.add("token_type", &WebSocketOptions::token_type, OptionType::string, "The word before the token");
        spec.fallback = "Bearer";
        spec.example = "Token";
        spec.check = [](const Value& v) { return http::is_token(v.as_string()) ? std::string{} : std::string{"it must be one word"}; };
    }
    {
        OptionSpec& spec =
            all.add("headers", OptionType::map, "Sent with the handshake", [](WebSocketOptions& o, const Value& v) { o.headers = headers_of(v); });
        spec.pairs_text = true;
        spec.example = Map{{"Origin", "https://www.example.com"}};
        spec.check = headers_problem;
    }
}

void add_messages(OptionTable<WebSocketOptions>& all) {
    {
        OptionSpec& spec =
            all.add("data", OptionType::string, "How values become messages, for send and receive by name", [](WebSocketOptions& o, const Value& v) {
                o.data = v.as_string() == "json" ? WebSocketData::json : v.as_string() == "yaml" ? WebSocketData::yaml : WebSocketData::none;
            });
        spec.fallback = "none";
        spec.allowed = {{"none", "texts and bytes as they are"}, {"json", ""}, {"yaml", ""}};
        spec.example = "json";
    }
    {
        OptionSpec& spec =
            all.add("subprotocols", OptionType::list, "Offered to the server, most wanted first", [](WebSocketOptions& o, const Value& v) {
                o.subprotocols.clear();
                for (const Value& one : v.as_list()) o.subprotocols.emplace_back(one.as_string());
            });
        spec.example = List{"v2.example.com", "v1.example.com"};
        spec.check = subprotocols_problem;
    }
    {
        OptionSpec& spec = all.add("require_subprotocol", &WebSocketOptions::require_subprotocol, OptionType::boolean,
                                   "Where subprotocols are offered, the server must choose one");
        spec.fallback = true;
        spec.example = false;
    }
    {
        OptionSpec& spec = all.add("version", &WebSocketOptions::version, OptionType::integer, "Version of the protocol");
        spec.fallback = 13;
        spec.allowed = {{13, "RFC 6455"}, {8, "for servers that are older than that"}};
        spec.example = 8;
    }
    const auto flag = [&all](std::string name, bool WebSocketCompression::*member, bool fallback, std::string help) {
        OptionSpec& spec = all.add(std::move(name), OptionType::boolean, std::move(help),
                                   [member](WebSocketOptions& o, const Value& v) { o.compression.*member = v.as_bool(); });
        spec.fallback = fallback;
        spec.example = !fallback;
    };
    const auto number = [&all](std::string name, int WebSocketCompression::*member, int minimum, int maximum, int example, std::string help) {
        OptionSpec& spec = all.add(std::move(name), OptionType::integer, std::move(help),
                                   [member](WebSocketOptions& o, const Value& v) { o.compression.*member = static_cast<int>(v.as_int64()); });
        spec.fallback = WebSocketCompression{}.*member;
        spec.minimum = minimum;
        spec.maximum = maximum;
        spec.example = example;
    };
    flag("compression", &WebSocketCompression::enabled, true, "Offer compression of messages (permessage-deflate)");
    {
        OptionSpec& spec = all.add("compression_above", OptionType::integer, "Smaller messages are not compressed",
                                   [](WebSocketOptions& o, const Value& v) { o.compression.above = static_cast<std::size_t>(v.as_int64()); });
        spec.unit = Unit::bytes;
        spec.fallback = 1024;
        spec.minimum = 0;
        spec.example = 256;
    }
    number("compression_level", &WebSocketCompression::level, 0, 9, 1, "From none to best");
    number("client_window_bits", &WebSocketCompression::client_window_bits, 9, 15, 10,
           "Log 2 of the window for what is sent: memory of the connection");
    number("server_window_bits", &WebSocketCompression::server_window_bits, 9, 15, 10,
           "The same for what is received; a server may refuse to keep to it");
    flag("client_no_context_takeover", &WebSocketCompression::client_no_context_takeover, false,
         "Each message that is sent is compressed for itself");
    flag("server_no_context_takeover", &WebSocketCompression::server_no_context_takeover, false, "The server compresses each message for itself");
}

void add_limits(OptionTable<WebSocketOptions>& all) {
    const auto size = [&all]<class M>(std::string name, M WebSocketOptions::*member, double minimum, std::string help) {
        OptionSpec& spec = all.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.unit = Unit::bytes;
        spec.fallback = static_cast<unsigned long long>(WebSocketOptions{}.*member);
        spec.minimum = minimum;
        spec.example = 1'048'576;
    };
    size("max_message_size", &WebSocketOptions::max_message, 1, "Largest message that is received whole");
    size("max_streamed_size", &WebSocketOptions::max_streamed, 0, "Largest message that is received in parts; 0: no limit");
    size("max_unread_size", &WebSocketOptions::max_unread, 1, "What came and was not received yet; above, the server has to wait");
    size("max_queue_size", &WebSocketOptions::max_queue, 1, "What waits to be sent; above, senders wait or are refused");
    size("part_size", &WebSocketOptions::part_size, 125, "Frames of messages that are sent in parts");
}

void add_times(OptionTable<WebSocketOptions>& all) {
    const auto time = [&all](std::string name, auto set, std::chrono::milliseconds fallback, int example, std::string help) {
        OptionSpec& spec = all.add(std::move(name), OptionType::integer, std::move(help),
                                   [set](WebSocketOptions& o, const Value& v) { set(o) = std::chrono::milliseconds{v.as_int64()}; });
        spec.unit = Unit::milliseconds;
        spec.fallback = static_cast<long long>(fallback.count());
        spec.minimum = 0;
        spec.maximum = 2'147'483'647.0;
        spec.example = example;
    };
    const WebSocketOptions defaults;
    time(
        "connect_timeout", [](WebSocketOptions & o) -> auto& { return o.connect_timeout; }, defaults.connect_timeout, 10'000,
        "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit");
    time(
        "timeout", [](WebSocketOptions & o) -> auto& { return o.timeout; }, defaults.timeout, 15'000,
        "Longest silence of the server, not the time of a whole call; 0: no limit");
    time(
        "heartbeat_interval", [](WebSocketOptions & o) -> auto& { return o.ping_interval; }, defaults.ping_interval, 5'000,
        "When the server was silent for that time it is sent a ping; a third of timeout where that is less; 0: never");
    time(
        "close_timeout", [](WebSocketOptions & o) -> auto& { return o.close_timeout; }, defaults.close_timeout, 1'000,
        "How long the server may take to answer a close frame");
    {
        OptionSpec& spec = all.add("reconnect", OptionType::boolean, "A connection that broke is made anew, until it is closed here",
                                   [](WebSocketOptions& o, const Value& v) { o.reconnect.enabled = v.as_bool(); });
        spec.fallback = false;
        spec.example = true;
    }
    time(
        "reconnect_delay", [](WebSocketOptions & o) -> auto& { return o.reconnect.delay; }, defaults.reconnect.delay, 2'000,
        "Wait before the first try, half of it by chance; twice as long before each further one");
    time(
        "reconnect_max_delay", [](WebSocketOptions & o) -> auto& { return o.reconnect.max_delay; }, defaults.reconnect.max_delay, 60'000,
        "Longest such wait");
    {
        OptionSpec& spec = all.add("reconnect_attempts", OptionType::integer, "Tries in a row; 0: no limit",
                                   [](WebSocketOptions& o, const Value& v) { o.reconnect.attempts = static_cast<int>(v.as_int64()); });
        spec.fallback = 0;
        spec.minimum = 0;
        spec.maximum = 1'000'000;
        spec.example = 10;
    }
    {
        OptionSpec& spec = all.add("raise_ping_events", OptionType::boolean, "Pings of the server are events of the client",
                                   [](WebSocketOptions& o, const Value& v) { o.handlers.ping_events = v.as_bool(); });
        spec.fallback = false;
        spec.example = true;
    }
    {
        OptionSpec& spec = all.add("max_redirects", &WebSocketOptions::max_redirects, OptionType::integer,
                                   "Redirects followed in one call; 0: a redirect is an error");
        spec.fallback = 5;
        spec.minimum = 0;
        spec.maximum = 1000;
        spec.example = 2;
    }
    {
        OptionSpec& spec = all.add("disable_automatic_pings", OptionType::boolean,
                                   "The standard ping, which a monitor makes, succeeds without any I/O; pings to a named depth are made", nullptr);
        spec.fallback = false;
        spec.example = true;
    }
}

Value value_of(WebSocketClient& client, Deadline deadline) {
    if (client.options().data != WebSocketData::none) return client.receive_value(deadline);
    return text_or_bytes(std::move(client.receive(deadline).data));
}

OperationSpec send_operation() {
    OperationSpec spec;
    spec.name = "send";
    spec.help = "Send a message; with count, wait for so many that come after it";
    spec.arguments.push_back({"message", OptionType::any, true, "text, or a value in the format of the option data"});
    OperationSpec::Argument count = count_field();
    count.help = "messages to wait for after it; default: 0";
    spec.fields.push_back(std::move(count));
    spec.run = [](Client& client, const Map& arguments, Deadline deadline) -> Value {
        auto& socket = dynamic_cast<WebSocketClient&>(client);
        const Value* message = arguments.find("message");
        socket.connect(deadline);
        if (message != nullptr && socket.options().data != WebSocketData::none)
            socket.send_value(*message, deadline);
        else if (message != nullptr && message->is_binary())
            socket.send(WebSocketKind::binary, message->as_bytes(), deadline);
        else
            socket.send(body_argument(arguments, "message"), deadline);
        socket.flush(deadline);
        const Value* wanted = arguments.find("count");
        if (wanted == nullptr || wanted->is_null()) return {};
        return received(arguments, [&] { return value_of(socket, deadline); });
    };
    return spec;
}

OperationSpec receive_operation() {
    OperationSpec spec;
    spec.name = "receive";
    spec.help = "The next message; with count, a list of so many";
    spec.fields.push_back(count_field());
    spec.run = [](Client& client, const Map& arguments, Deadline deadline) {
        auto& socket = dynamic_cast<WebSocketClient&>(client);
        return received(arguments, [&] { return value_of(socket, deadline); });
    };
    return spec;
}

OperationSpec ping_operation() {
    OperationSpec spec;
    spec.name = "ping";
    spec.help = "Send a ping and wait for its pong; the round trip in milliseconds";
    spec.run = [](Client& client, const Map&, Deadline deadline) -> Value {
        const auto round_trip = dynamic_cast<WebSocketClient&>(client).ping(deadline);
        return Value{static_cast<double>(round_trip.count()) / 1e6};
    };
    return spec;
}

}  // namespace

OperationSpec::Argument count_field() { return {"count", OptionType::integer, false, "messages to wait for; default: 1"}; }

Value received(const Map& arguments, const std::function<Value()>& next) {
    const Value* count = arguments.find("count");
    if (count == nullptr || count->is_null()) return next();
    List all;
    for (std::int64_t left = count->as_int64(); left > 0; --left) all.push_back(next());
    return all;
}

const OptionTable<WebSocketOptions>& websocket_table() {
    static const OptionTable<WebSocketOptions> options = [] {
        OptionTable<WebSocketOptions> all;
        add_times(all);
        add_log_in(all);
        add_messages(all);
        add_limits(all);
        add_proxy_options(all);
        add_socket_options(all);
        all.remove("max_send_rate");  // of libcurl's transfers
        all.remove("max_receive_rate");
        add_tls_options(all);
        for (const IdleOption& one : idle_websocket_options()) {
            OptionSpec& spec = all.add(one.name, one.type, "Of HTTP; taken because Qorus takes it, without effect", nullptr);
            spec.example = one.example;
        }
        return all;
    }();
    return options;
}

WebSocketOptions websocket_options_of(const ResolvedDefinition& definition) {
    WebSocketOptions options;
    websocket_table().apply(definition.options, options);
    const Url& url = definition.url;
    options.label = definition.name;
    options.url = definition.scheme.ends_with('s') && definition.scheme != "ws" && definition.scheme != "sewiows" ? "wss://" : "ws://";
    options.url += url.authority();
    options.url += url.path;
    if (url.username || url.password) {
        options.username = url.username.value_or(std::string{});
        options.password = url.password.value_or(Secret{});
    }
    options.proxy = proxy_of(definition, options.url.starts_with("wss:") ? "https" : "http");
    return options;
}

PingPlan make_websocket_ping_plan(const ResolvedDefinition& definition, PingDepth depth) {
    const WebSocketOptions options = websocket_options_of(definition);
    const Value& off = option_of(definition, "disable_automatic_pings");
    if (depth == PingDepth::standard && off.is_bool() && off.as_bool()) {
        return BlockingPing{[](Deadline) { return PingEvidence{"nothing was asked: automatic pings are switched off (disable_automatic_pings)"}; }};
    }
    const auto settings = std::make_shared<const websocket::Settings>(options);
    NetPing ping;
    ping.endpoint = settings->endpoint_of(settings->base);
    if (depth == PingDepth::connect) {
        ping.endpoint.tls = nullptr;
        ping.endpoint.alpn.clear();
    }
    if (depth != PingDepth::connect && depth != PingDepth::tls) {
        const auto proof = depth == PingDepth::full ? websocket::PingProof::round_trip : websocket::PingProof::handshake;
        ping.dialogue = [settings, proof] { return websocket::make_websocket_ping(settings, proof); };
    }
    return with_end_of(std::move(ping), options.token);
}

Scheme websocket_kind(const std::string& name) {
    Scheme scheme;
    const std::string secure = name == "ws" ? "wss" : name + "s";
    scheme.names = {name, secure};
    scheme.family = "websocket";
    scheme.default_ports = {{name, 80}, {secure, 443}};
    scheme.sharing = Sharing::multiplexed;
    scheme.standard_depth = PingDepth::auth;
    scheme.options = websocket_table().specs();
    scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth depth, const Runtime&) {
        return make_websocket_ping_plan(definition, depth);
    };
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_http(definition, findings);
    };
    return scheme;
}

Scheme ws_scheme() {
    Scheme scheme = websocket_kind("ws");
    scheme.title = "WebSocket";
    scheme.help =
        "Messages both ways over one connection (RFC 6455). A ping makes the handshake and closes; depth full also sends a ping frame and waits for "
        "its "
        "pong.";
    scheme.example_url = "wss://feed.example.com/live";
    scheme.clients = client_types<WebSocketClient>({"WebSocketClient"});
    scheme.operations = {send_operation(), receive_operation(), ping_operation()};
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<WebSocketClient>(websocket_options_of(definition), runtime);
    };
    return scheme;
}

}  // namespace qconn::schemes
