// SPDX-License-Identifier: Apache-2.0
// amqp and amqps.
#include <qconn/amqp/amqp_client.hpp>
#include <qconn/auth/oauth2.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amqp/ping.hpp"
#include "amqp/settings.hpp"
#include "base/operation_steps.hpp"
#include "base/text.hpp"
#include "schemes/amqp_operations.hpp"
#include "schemes/convert.hpp"
#include "schemes/schemes.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"
#include "schemes/token_log_in.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/oauth2_options.hpp"
#include "schemes/proxy_options.hpp"
#endif

namespace qconn::schemes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What the table sets.
struct AmqpConnection : AmqpOptions {
    OAuth2Options oauth2{};
};

/// By the names that definitions use, and by those of the mechanisms.
constexpr std::array<std::pair<std::string_view, AmqpSasl>, 6> k_mechanisms{{{"automatic", AmqpSasl::automatic},
                                                                             {"none", AmqpSasl::none},
                                                                             {"anonymous", AmqpSasl::anonymous},
                                                                             {"plain", AmqpSasl::plain},
                                                                             {"external", AmqpSasl::external},
                                                                             {"xoauth2", AmqpSasl::xoauth2}}};

std::optional<AmqpSasl> mechanism_of(std::string_view word) {
    for (const auto& [name, mechanism] : k_mechanisms)
        if (text::iequals(name, word)) return mechanism;
    return std::nullopt;
}

std::string mechanism_problem(const Value& value) {
    return mechanism_of(value.as_string()) ? std::string{} : std::string{"it must be one of automatic, none, anonymous, plain, external, xoauth2"};
}

/// `host`, `host:port`, `[address]`, `[address]:port`. Nothing where it is none of these.
std::optional<AmqpHost> host_of(std::string_view one) {
    AmqpHost out;
    std::string_view port;
    if (one.starts_with('[')) {
        const auto end = one.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        out.host = one.substr(1, end - 1);
        port = one.substr(end + 1);
    } else {
        const auto colon = one.find(':');
        out.host = one.substr(0, colon);
        port = colon == std::string_view::npos ? std::string_view{} : one.substr(colon);
    }
    if (out.host.empty() || out.host.find_first_of("/@ ") != std::string::npos) return std::nullopt;
    if (port.empty()) return out;
    if (port.front() != ':') return std::nullopt;
    port.remove_prefix(1);
    const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (fault != std::errc{} || end != port.data() + port.size() || out.port == 0) return std::nullopt;
    return out;
}

std::vector<std::string> words_of(std::string_view list) {
    std::vector<std::string> out;
    for (const std::string_view one : text::split(list, ',')) out.emplace_back(text::trim(one));
    return out;
}

std::string hosts_problem(const Value& value) {
    for (const std::string& one : words_of(value.as_string()))
        if (!host_of(one)) return "it must be hosts parted by commas, each with or without :port";
    return {};
}

std::string addresses_problem(const Value& value) {
    for (const std::string& one : words_of(value.as_string()))
        if (one.empty()) return "an address in it is empty";
    return {};
}

std::string idle_problem(const Value& value) {
    const std::int64_t time = value.as_int64();
    return time == 0 || time >= 1'000 ? std::string{} : std::string{"it must be at least 1000, or 0 for none"};
}

std::string capabilities_problem(const Value& list) {
    for (const Value& one : list.as_list())
        if (!one.is_string() || one.as_string().empty() ||
            !std::all_of(one.as_string().begin(), one.as_string().end(), [](char c) { return c > ' ' && c <= '~'; }))
            return "each element must be the name of a capability: ASCII without blanks";
    return {};
}

std::vector<std::string> texts_of(const Value& list) {
    std::vector<std::string> out;
    for (const Value& one : list.as_list()) out.emplace_back(one.as_string());
    return out;
}

AmqpMap properties_of(const Value& map) {
    const AmqpValue value = AmqpValue::from_value(map);
    const auto* const out = value.get_if<AmqpMap>();
    return out == nullptr ? AmqpMap{} : *out;
}

std::string properties_problem(const Value& map) {
    try {
        std::string encoded;
        AmqpValue{properties_of(map)}.encode(encoded);
        return {};
    } catch (const Error& error) { return std::string{error.message()}; }
}

void add_peers(OptionTable<AmqpConnection>& all) {
    {
        OptionSpec& spec = all.add("hosts", OptionType::string,
                                   "Hosts in the place of the URL's, parted by commas, each with or without :port, tried in this order", nullptr);
        spec.fallback_text = "the host of the URL";
        spec.example = "one.example.com,two.example.com:5673";
        spec.check = hosts_problem;
    }
    {
        OptionSpec& spec = all.add("virtual_host", &AmqpOptions::virtual_host, OptionType::string,
                                   "The hostname that is told to the peer, with which some choose a virtual host");
        spec.aliases = {"vhost", "hostname"};
        spec.fallback_text = "the host's name";
        spec.example = "shop";
    }
#ifndef QCONN_WITHOUT_WEBSOCKET
    {
        OptionSpec& spec = all.add("websocket_path", &AmqpOptions::websocket_path, OptionType::string,
                                   "Over WebSocket, at this path of the host; the port is 80, with amqps 443, unless the URL or hosts have another");
        spec.fallback_text = "none: AMQP's own port";
        spec.example = "/$servicebus/websocket";
        spec.check = [](const Value& value) {
            return value.as_string().starts_with('/') ? std::string{} : std::string{"it must begin with a slash"};
        };
    }
#endif
    {
        OptionSpec& spec = all.add("addresses", OptionType::string,
                                   "Nodes that are used, parted by commas; the first is the one of messages sent and received by name, where the "
                                   "URL's path has none",
                                   nullptr);
        spec.fallback_text = "none";
        spec.example = "orders,invoices";
        spec.check = addresses_problem;
    }
    {
        OptionSpec& spec =
            all.add("container_id", &AmqpOptions::container_id, OptionType::string, "Names this client for the peer. Pings have a random one");
        spec.fallback_text = "a random one";
        spec.example = "order-service";
    }
}

void add_log_in(OptionTable<AmqpConnection>& all) {
    {
        OptionSpec& spec =
            all.add("sasl", OptionType::string,
                    "How to log in: automatic (PLAIN with user and password, EXTERNAL with a client certificate, else ANONYMOUS), none "
                    "(no SASL layer), anonymous, plain, external, xoauth2 (the password is a bearer token)",
                    [](AmqpOptions& o, const Value& v) { o.sasl = mechanism_of(v.as_string()).value_or(AmqpSasl::automatic); });
        spec.aliases = {"mechanism", "sasl_mechanism", "auth_scheme"};
        spec.fallback = "automatic";
        spec.example = "anonymous";
        spec.check = mechanism_problem;
    }
    {
        OptionSpec& spec =
            all.add("username", &AmqpOptions::username, OptionType::string, "User of the log-in; only where the URL has neither user nor password");
        spec.aliases = {"user"};
        spec.fallback_text = "none";
        spec.example = "edi";
    }
    {
        OptionSpec& spec = all.add("password", &AmqpOptions::password, OptionType::string,
                                   "Password of the log-in; only where the URL has neither user nor password");
        spec.sensitive = true;
        spec.example = "${env:AMQP_PASSWORD}";
    }
    {
        OptionSpec& spec =
            all.add("authorization_id", &AmqpOptions::authorization_id, OptionType::string, "To act for another user than who logs in");
        spec.aliases = {"authorization_identity"};
        spec.fallback_text = "who logs in";
        spec.example = "orders";
    }
}

void add_times(OptionTable<AmqpConnection>& all) {
    const auto time = [&all](const char* name, auto set, milliseconds fallback, int example, const char* help) -> OptionSpec& {
        OptionSpec& spec = all.add(name, OptionType::integer, help, [set](AmqpOptions& o, const Value& v) { set(o) = milliseconds{v.as_int64()}; });
        spec.unit = Unit::milliseconds;
        spec.fallback = static_cast<long long>(fallback.count());
        spec.minimum = 0;
        spec.maximum = 2'147'483'647.0;
        spec.example = example;
        return spec;
    };
    const AmqpOptions defaults;
    time(
        "open_timeout", [](AmqpOptions & o) -> auto& { return o.connect_timeout; }, defaults.connect_timeout, 5'000,
        "Longest time to have a connection to one host: name, TCP, proxy, TLS, log-in, open; 0: no limit")
        .aliases = {"connect_timeout"};
    time(
        "call_timeout", [](AmqpOptions & o) -> auto& { return o.timeout; }, defaults.timeout, 10'000,
        "Of blocking calls without a deadline of their own: longest time without an answer; 0: no limit")
        .aliases = {"timeout", "timeout_ms"};
    time(
        "idle_timeout", [](AmqpOptions & o) -> auto& { return o.idle_timeout; }, defaults.idle_timeout, 30'000,
        "Longest silence of the peer, which is told to send a sign of life twice in that time; 0: any, else at least 1000")
        .check = idle_problem;
    {
        OptionSpec& spec =
            all.add("heartbeat", OptionType::integer, "The same in seconds, as Qorus and Proton have it; not together with idle_timeout",
                    [](AmqpOptions& o, const Value& v) { o.idle_timeout = seconds{v.as_int64()}; });
        spec.unit = Unit::seconds;
        spec.minimum = 0;
        spec.maximum = 2'147'483;
        spec.fallback_text = "idle_timeout";
        spec.example = 30;
    }
    {
        OptionSpec& spec = all.add("auto_reconnect", OptionType::boolean, "A connection that broke is made anew, with its sessions and links",
                                   [](AmqpOptions& o, const Value& v) { o.reconnect.enabled = v.as_bool(); });
        spec.aliases = {"reconnect"};
        spec.fallback = true;
        spec.example = false;
    }
    time(
        "reconnect_delay", [](AmqpOptions & o) -> auto& { return o.reconnect.delay; }, defaults.reconnect.delay, 2'000,
        "Wait before the first try, half of it by chance; twice as long before each further one")
        .aliases = {"reconnect_delay_ms"};
    time(
        "reconnect_max_delay", [](AmqpOptions & o) -> auto& { return o.reconnect.max_delay; }, defaults.reconnect.max_delay, 60'000,
        "Longest such wait");
    {
        OptionSpec& spec = all.add("reconnect_attempts", OptionType::integer, "Tries in a row; 0: no limit",
                                   [](AmqpOptions& o, const Value& v) { o.reconnect.attempts = static_cast<int>(v.as_int64()); });
        spec.aliases = {"max_reconnect_attempts"};
        spec.fallback = 0;
        spec.minimum = 0;
        spec.maximum = 1'000'000;
        spec.example = 10;
    }
    {
        OptionSpec& spec =
            all.add("resend_unsettled", OptionType::boolean,
                    "Messages that had no outcome yet when the connection broke are sent again: none is lost, some may come twice; false: "
                    "they end with AMQP-OUTCOME-UNKNOWN, and none comes twice",
                    [](AmqpOptions& o, const Value& v) { o.reconnect.resend = v.as_bool() ? AmqpResend::resend : AmqpResend::report; });
        spec.fallback = false;
        spec.example = true;
    }
    {
        OptionSpec& spec = all.add("connect_on_use", &AmqpOptions::connect_on_use, OptionType::boolean,
                                   "Calls that need a connection make one; false: they end with AMQP-NOT-CONNECTED where there is none");
        spec.fallback = true;
        spec.example = false;
    }
}

void add_limits(OptionTable<AmqpConnection>& all) {
    const auto number = [&all]<class M>(const char* name, M AmqpOptions::*member, double minimum, double maximum, Value example,
                                        const char* help) -> OptionSpec& {
        OptionSpec& spec = all.add(name, member, OptionType::integer, help);
        spec.fallback = static_cast<unsigned long long>(AmqpOptions{}.*member);
        spec.minimum = minimum;
        spec.maximum = maximum;
        spec.example = std::move(example);
        return spec;
    };
    constexpr double k_most = 4'294'967'295.0;
    number("max_frame_size", &AmqpOptions::max_frame_size, 512, k_most, 65'536, "Largest frame that the peer may send").unit = Unit::bytes;
    number("max_incoming_message_size", &AmqpOptions::max_message_size, 0, 1e15, 1'000'000,
           "Largest message that is received; larger ones detach their link; 0: any")
        .unit = Unit::bytes;
    all.at("max_incoming_message_size").aliases = {"max_message_size"};
    number("max_unsettled_bytes", &AmqpOptions::max_unsettled_bytes, 1, 1e15, 1'000'000,
           "Bytes of messages that wait in each sender, to be sent or for their outcome; above, senders wait or are refused")
        .unit = Unit::bytes;
    number("max_sessions_per_connection", &AmqpOptions::max_sessions, 1, 65'536, 10, "Sessions at a time").aliases = {"max_sessions"};
    number("max_links_per_session", &AmqpOptions::max_links_per_session, 1, k_most, 100, "Links on each session");
    number("incoming_window", &AmqpOptions::incoming_window, 1, k_most, 500, "Of each session: frames that the peer may send");
    number("outgoing_window", &AmqpOptions::outgoing_window, 1, k_most, 500, "Of each session: frames that it is told of as to be sent");
}

void add_open(OptionTable<AmqpConnection>& all) {
    const auto capabilities = [&all](const char* name, std::vector<std::string> AmqpOptions::*member, const char* help) {
        OptionSpec& spec = all.add(name, OptionType::list, help, [member](AmqpOptions& o, const Value& v) { o.*member = texts_of(v); });
        spec.fallback_text = "none";
        spec.example = List{"DELAYED_DELIVERY"};
        spec.check = capabilities_problem;
    };
    {
        OptionSpec& spec = all.add("generate_message_id", &AmqpOptions::generate_message_id, OptionType::boolean,
                                   "Messages that are sent without a message-id get a random UUID");
        spec.fallback = false;
        spec.example = true;
    }
    capabilities("offered_capabilities", &AmqpOptions::offered_capabilities, "Told to the peer with the open");
    capabilities("desired_capabilities", &AmqpOptions::desired_capabilities, "Asked of the peer with the open");
    {
        OptionSpec& spec = all.add("properties", OptionType::map, "Of this client, told to the peer; product and version are added",
                                   [](AmqpOptions& o, const Value& v) { o.properties = properties_of(v); });
        spec.fallback_text = "none";
        spec.example = Map{{"department", "sales"}};
        spec.check = properties_problem;
    }
    {
        OptionSpec& spec =
            all.add("use_management", OptionType::boolean, "Of Qorus; taken, without effect: nothing here needs a management node", nullptr);
        spec.example = true;
    }
}

const OptionTable<AmqpConnection>& amqp_table() {
    static const OptionTable<AmqpConnection> options = [] {
        OptionTable<AmqpConnection> all;
        add_peers(all);
        add_log_in(all);
        add_times(all);
        add_limits(all);
        add_open(all);
#ifndef QCONN_WITHOUT_HTTP
        add_oauth2_options(all);
        add_proxy_options(all);
#endif
        add_socket_options(all);
        all.remove("max_send_rate");  // of libcurl's transfers
        all.remove("max_receive_rate");
        add_tls_options(all);
        // As Qorus has them.
        all.at("ssl_verify_cert").aliases = {"verify"};
        all.at("ssl_ca_file").aliases = {"ca_cert"};
        all.at("ssl_cert_path").aliases = {"client_cert"};
        all.at("ssl_key_path").aliases = {"client_key"};
        return all;
    }();
    return options;
}

/// Everything behind the first slash, as it stands: nodes have slashes, question marks and percent signs in their names.
std::string address_of_path(const Url& url) { return url.path.empty() ? std::string{} : url.path.substr(1); }

AmqpConnection amqp_options_of(const ResolvedDefinition& definition) {
    AmqpConnection options;
    amqp_table().apply(definition.options, options);
    const Url& url = definition.url;
    options.label = definition.name;
    options.use_tls = definition.scheme == "amqps";
    if (const Value& hosts = option_of(definition, "hosts"); hosts.is_string()) {
        for (const std::string& one : words_of(hosts.as_string()))
            if (auto host = host_of(one)) options.hosts.push_back(std::move(*host));
    } else {
        options.hosts = {{url.host, url.port.value_or(0)}};
    }
    if (url.username || url.password) {
        options.username = url.username.value_or(std::string{});
        options.password = url.password.value_or(Secret{});
    }
    options.address = address_of_path(url);
    if (const Value& addresses = option_of(definition, "addresses"); options.address.empty() && addresses.is_string())
        options.address = words_of(addresses.as_string()).front();
#ifndef QCONN_WITHOUT_HTTP
    options.proxy = proxy_of(definition, options.use_tls ? "https" : "http");
#endif
    return options;
}

// ---- pings ----

/// Over all hosts: what a monitor has to know is whether there is one that lets the client in.
class HostsPing final : public std::enable_shared_from_this<HostsPing> {
public:
    HostsPing(const AmqpOptions& options, const Runtime& runtime, bool full, Deadline deadline, Callback<PingEvidence> callback)
        : client_{std::make_shared<AmqpClient>(options, runtime)}, full_{full}, deadline_{deadline}, callback_{std::move(callback)} {}

    Operation start() {
        steps_->set_part(1, client_->async_connect(deadline_, [self = shared_from_this()](Result<AmqpInfo> info) {
            if (!info) return self->end(info.error());
            self->evidence_.text = self->seen_of(*info);
            self->evidence_.tls = info->tls;
            self->full_ ? self->ask() : self->close({});
        }));
        return Operation{steps_};
    }

private:
    std::string seen_of(const AmqpInfo& info) const {
        return amqp::shown_peer(info.container_id, info.properties, info.max_frame_size) + " at " + info.host + ':' + std::to_string(info.port);
    }
    void ask() {
        steps_->set_part(2, client_->async_ping(deadline_, [self = shared_from_this()](Result<void> answer) {
            if (answer) self->evidence_.text += "; session begun and answered";
            self->close(answer ? std::optional<Error>{} : std::optional<Error>{answer.error()});
        }));
    }
    void close(std::optional<Error> why) {
        const Deadline soon = earlier(deadline_, Deadline{seconds{2}});
        steps_->set_part(3, client_->async_close(soon, [self = shared_from_this(), why = std::move(why)](Result<void>) {
            if (why) return self->end(*why);
            self->end(std::move(self->evidence_));
        }));
    }
    void end(Result<PingEvidence> result) {
        steps_->end();
        if (auto callback = std::move(callback_)) callback(std::move(result));
    }

    const std::shared_ptr<AmqpClient> client_;
    const std::shared_ptr<OperationSteps> steps_{std::make_shared<OperationSteps>()};
    const bool full_;
    const Deadline deadline_;
    Callback<PingEvidence> callback_;
    PingEvidence evidence_;
};

/// With the source of its tokens, where it has one.
AmqpConnection with_tokens(TokenSources& sources, const ResolvedDefinition& definition, const Runtime& runtime) {
    AmqpConnection options = amqp_options_of(definition);
    options.tokens = log_in_tokens(sources, definition, {options.oauth2, options.username, options.password, options.tls, options.proxy}, runtime);
    return options;
}

PingPlan amqp_ping(AmqpConnection options, PingDepth depth, const Runtime& runtime) {
    const bool full = depth == PingDepth::full;
    const bool connects_only = depth == PingDepth::connect || depth == PingDepth::tls;
    if ((options.hosts.size() > 1 || !options.websocket_path.empty() || options.tokens) && !connects_only) {
        // Of two connections of one container some peers close the older, which would be the real one.
        options.container_id.clear();
        options.reconnect.enabled = false;
        options.connect_on_use = true;
        return CallPing{[options = std::move(options), runtime, full](Deadline deadline, Callback<PingEvidence> callback) {
            return std::make_shared<HostsPing>(options, runtime, full, deadline, std::move(callback))->start();
        }};
    }
    const auto settings = amqp::make_settings(std::move(options));
    NetPing ping;
    ping.endpoint = settings->endpoints.front();
    if (depth == PingDepth::connect) ping.endpoint.tls = nullptr;
    if (!connects_only) {
        const auto proof = full ? amqp::PingProof::session : amqp::PingProof::open;
        ping.dialogue = [settings, proof] { return amqp::make_amqp_ping(settings, proof); };
    }
    return ping;
}

// ---- what the table cannot say ----

void check_amqp(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    const bool hosts = is_set(definition, "hosts");
    if (!hosts && url.host.empty())
        findings.error("url", "missing-host", "the URL has no host", "write " + definition.scheme() + "://host:port/address");
    if (url.is_socket) findings.error("url", "missing-host", "an AMQP peer is not reached by a UNIX socket");
    for (const char* name : {"username", "password"}) {
        if ((url.username || url.password) && is_set(definition, name))
            findings.warning(name, "unused-option", std::string{"the URL has a log-in, so '"} + name + "' is not used");
    }
    if (is_set(definition, "heartbeat") && is_set(definition, "idle_timeout"))
        findings.error("heartbeat", "conflicting-options", "'heartbeat' and 'idle_timeout' are one thing in two units", "take one of the two out");
    if (is_set(definition, "use_management"))
        findings.warning("use_management", "unused-option", "nothing here needs a management node, so this has no effect");
    if (definition.scheme() == "amqp") {
        for (const OptionSpec& spec : amqp_table().specs()) {
            if (spec.name.starts_with("ssl_") && is_set(definition, spec.name))
                findings.warning(spec.name, "unused-option", "without TLS this has no effect; the scheme with TLS is amqps");
        }
    }
    check_tls_options(definition, findings);
#ifndef QCONN_WITHOUT_HTTP
    check_proxy_options(definition, findings);
#endif
    check_token_log_in(definition, findings);
}

}  // namespace

Scheme amqp_scheme() {
    Scheme scheme;
    scheme.names = {"amqp", "amqps"};
    scheme.family = "amqp";
    scheme.title = "AMQP 1.0";
    scheme.help =
        "Messages by way of an AMQP 1.0 peer: a broker, a router, a service. The path of the URL is the address of messages sent and received by "
        "name. "
        "A ping logs in, opens a connection of its own and closes it; depth full also begins a session.";
    scheme.example_url = "amqps://edi:secret@bus.example.com/orders";
    scheme.default_ports = {{"amqp", 5672}, {"amqps", 5671}};
    scheme.options = amqp_table().specs();
    scheme.sharing = Sharing::multiplexed;
    scheme.standard_depth = PingDepth::auth;
    scheme.clients = client_types<AmqpClient>({"AmqpClient"});
    scheme.operations = amqp_operations();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_amqp(definition, findings);
    };
    const auto sources = std::make_shared<TokenSources>();
    scheme.make_client = [sources](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<AmqpClient>(with_tokens(*sources, definition, runtime), runtime);
    };
    scheme.make_ping = [sources](const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
        const AmqpConnection options = with_tokens(*sources, definition, runtime);
        return with_credentials(amqp_ping(options, depth, runtime), options.tokens);
    };
    return scheme;
}

}  // namespace qconn::schemes
