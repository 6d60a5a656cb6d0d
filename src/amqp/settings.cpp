// SPDX-License-Identifier: Apache-2.0
#include "amqp/settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/wire.hpp"
#include "auth/sasl.hpp"
#include "base/text.hpp"
#ifndef QCONN_WITHOUT_WEBSOCKET
#include "websocket/settings.hpp"
#endif

namespace qconn {

namespace {

using amqp::Descriptor;
using amqp::Fields;

[[noreturn]] void refuse_amqp_option(const std::string& what) { throw amqp::amqp_error(AmqpErrc::option, what); }

constexpr std::array<std::string_view, 4> k_expiries{"link-detach", "session-end", "connection-close", "never"};

void put_optional_map(Fields& fields, const AmqpMap& map) {
    if (map.empty()) return fields.absent();
    AmqpValue{map}.encode(fields.next());
}

void put_symbol_array(Fields& fields, const std::vector<std::string>& names) {
    if (names.empty()) return fields.absent();
    AmqpArray array{AmqpType::symbol, {}};
    for (const std::string& name : names) array.elements.emplace_back(AmqpSymbol{name});
    AmqpValue{std::move(array)}.encode(fields.next());
}

AmqpMap with_symbol_keys(const AmqpMap& map) {
    AmqpMap out = map;
    for (auto& [key, value] : out)
        if (const auto* const text = key.get_if<std::string>()) key = AmqpSymbol{*text};
    return out;
}

std::string encoded(const AmqpMap& map) {
    std::string out;
    if (!map.empty()) AmqpValue{with_symbol_keys(map)}.encode(out);
    return out;
}

bool has_certificate(const AmqpOptions& options) {
    return options.use_tls && (!options.tls.certificate_file.empty() || !options.tls.certificate_data.empty());
}

/// The ways to log in, most wanted first.
std::vector<amqp::SaslMechanism> mechanisms_of(const AmqpOptions& options) {
    const auto plain = [&] {
        return amqp::SaslMechanism{"PLAIN", sasl::plain(options.authorization_id, options.username, options.password.reveal())};
    };
    const auto xoauth2 = [&] { return amqp::SaslMechanism{"XOAUTH2", sasl::xoauth2(options.username, options.password.reveal())}; };
    const amqp::SaslMechanism anonymous{"ANONYMOUS", Secret{options.label.empty() ? "qconn" : options.label}};
    const amqp::SaslMechanism external{"EXTERNAL", Secret{options.authorization_id}};
    switch (options.sasl) {
        case AmqpSasl::none: return {};
        case AmqpSasl::anonymous: return {anonymous};
        case AmqpSasl::plain: return {plain()};
        case AmqpSasl::external: return {external};
        case AmqpSasl::xoauth2: return {xoauth2()};
        case AmqpSasl::automatic: break;
    }
    std::vector<amqp::SaslMechanism> out;
    if (!options.username.empty() || !options.password.empty()) out.push_back(plain());
    if (has_certificate(options)) out.push_back(external);
    // Who has shown no password and no certificate is nobody; who has is not taken for that in silence.
    if (out.empty()) out.push_back(anonymous);
    return out;
}

}  // namespace

std::pair<AmqpValue, AmqpValue> AmqpTerminus::selector(std::string_view expression) {
    return {AmqpSymbol{"apache.org:selector-filter:string"}, AmqpDescribed{AmqpValue{std::uint64_t{0x0000468c00000004}}, AmqpValue{expression}}};
}

namespace amqp {

std::string random_name(const char* prefix) { return prefix + AmqpUuid::random().text(); }

namespace {

#ifdef QCONN_WITHOUT_WEBSOCKET
[[noreturn]] std::shared_ptr<const websocket::Settings> socket_of(const AmqpOptions&, const std::string&) {
    refuse_amqp_option("this qconn was built without WebSocket");
}
#else
std::shared_ptr<const websocket::Settings> socket_of(const AmqpOptions& options, const std::string& place) {
    if (options.websocket_path.front() != '/') refuse_amqp_option("websocket_path begins with a slash");
    WebSocketOptions out;
    out.label = options.label;
    out.url = (options.use_tls ? "wss://" : "ws://") + place + options.websocket_path;
    out.subprotocols = {"amqp"};
    out.compression.enabled = false;
    out.proxy = options.proxy;
    out.tls = options.tls;
    out.socket = options.socket;
    out.connect_timeout = std::chrono::milliseconds{0};  // who waits lets go of it
    out.ping_interval = std::chrono::milliseconds{0};    // AMQP's own frames say whether the peer lives
    out.timeout = std::chrono::milliseconds{0};
    return std::make_shared<const websocket::Settings>(std::move(out));
}
#endif

}  // namespace

std::shared_ptr<const Settings> make_settings(AmqpOptions options) {
    if (options.hosts.empty()) refuse_amqp_option("no host is named");
    if (options.max_frame_size < 512) refuse_amqp_option("max_frame_size is at least 512 bytes");
    if (options.max_sessions < 1 || options.max_sessions > 65'536) refuse_amqp_option("max_sessions is 1 to 65536");
    if (options.max_links_per_session < 1) refuse_amqp_option("max_links_per_session is at least 1");
    if (options.incoming_window < 1 || options.outgoing_window < 1) refuse_amqp_option("a window is at least one frame");
    if (options.connect_timeout.count() < 0 || options.timeout.count() < 0 || options.reconnect.delay.count() < 0 ||
        options.reconnect.max_delay.count() < 0)
        refuse_amqp_option("a time is not negative");
    if (options.idle_timeout.count() != 0 && options.idle_timeout < std::chrono::seconds{1})
        refuse_amqp_option("idle_timeout is at least 1 s, or zero for none");
    if (options.reconnect.attempts < 0) refuse_amqp_option("the number of attempts to reconnect is not negative");
    if (options.max_unsettled_bytes == 0) refuse_amqp_option("max_unsettled_bytes is not zero");
    if (options.sasl == AmqpSasl::plain && options.username.empty() && !options.tokens) refuse_amqp_option("a log-in by PLAIN needs a user name");
    if (options.tokens && (options.sasl == AmqpSasl::none || options.sasl == AmqpSasl::anonymous || options.sasl == AmqpSasl::external))
        refuse_amqp_option("tokens are for a log-in by XOAUTH2 or PLAIN");
    if (options.sasl == AmqpSasl::xoauth2 && options.password.empty() && !options.tokens)
        refuse_amqp_option("a log-in by XOAUTH2 needs a token, as the password");
    if (options.sasl == AmqpSasl::external && options.use_tls && !has_certificate(options))
        refuse_amqp_option("a log-in by EXTERNAL needs a client certificate");
    for (const std::string* text : {&options.username, &options.authorization_id, &options.container_id, &options.virtual_host})
        if (!text::valid_utf8(*text) || text->find('\0') != std::string::npos)
            refuse_amqp_option("user, authorization id, container id and virtual host are UTF-8 without zeros");
    if (options.container_id.empty()) options.container_id = random_name("qconn-");

    auto out = std::make_shared<Settings>();
    EngineOptions& engine = out->engine;
    engine.container_id = options.container_id;
    engine.max_frame_size = options.max_frame_size;
    engine.channel_max = static_cast<std::uint16_t>(options.max_sessions - 1);
    engine.idle_time_out = options.idle_timeout;
    engine.mechanisms = mechanisms_of(options);
    engine.offered_capabilities = options.offered_capabilities;
    engine.desired_capabilities = options.desired_capabilities;
    AmqpMap properties = options.properties;
    properties.emplace_back(AmqpSymbol{"product"}, "qconn");
    properties.emplace_back(AmqpSymbol{"version"}, QCONN_VERSION);
    engine.properties = encoded(properties);

    const bool over_websocket = !options.websocket_path.empty();
    const auto tls = options.use_tls ? std::make_shared<const TlsOptions>(options.tls) : nullptr;
    const auto proxy = options.proxy ? std::make_shared<const Proxy>(*options.proxy) : nullptr;
    const auto socket = std::make_shared<const SocketOptions>(options.socket);
    for (const AmqpHost& host : options.hosts) {
        if (host.host.empty()) refuse_amqp_option("a host has no name");
        Endpoint endpoint;
        endpoint.host = host.host;
        endpoint.port = host.port != 0 ? host.port : over_websocket ? (options.use_tls ? 443 : 80) : options.use_tls ? 5671 : 5672;
        endpoint.proxy = proxy;
        endpoint.tls = tls;
        endpoint.socket = socket;
        const bool address = host.host.find(':') != std::string::npos;
        const std::string place = (address ? '[' + host.host + ']' : host.host) + ':' + std::to_string(endpoint.port);
        out->shown.push_back((options.use_tls ? "amqps://" : "amqp://") + place);
        if (over_websocket) {
            out->shown.back() += " over WebSocket";
            out->sockets.push_back(socket_of(options, place));
        }
        out->endpoints.push_back(std::move(endpoint));
    }
    out->options = std::move(options);
    return out;
}

std::string encode_terminus(const AmqpTerminus& terminus, bool is_source) {
    std::string out;
    Fields fields{out, static_cast<std::uint8_t>(is_source ? Descriptor::source : Descriptor::target)};
    if (terminus.address.empty() || terminus.dynamic)
        fields.absent();
    else
        put_string(fields.next(), terminus.address);
    if (terminus.durability == AmqpTerminus::Durability::none)
        fields.absent();
    else
        put_uint(fields.next(), static_cast<std::uint32_t>(terminus.durability));
    if (terminus.expiry == AmqpTerminus::Expiry::session_end)
        fields.absent();
    else
        put_symbol(fields.next(), k_expiries[static_cast<std::size_t>(terminus.expiry)]);
    if (terminus.timeout.count() == 0)
        fields.absent();
    else
        put_uint(fields.next(), static_cast<std::uint32_t>(terminus.timeout.count()));
    if (terminus.dynamic)
        put_boolean(fields.next(), true);
    else
        fields.absent();
    put_optional_map(fields, with_symbol_keys(terminus.dynamic_node_properties));
    if (is_source) {
        if (terminus.distribution_mode.empty())
            fields.absent();
        else
            put_symbol(fields.next(), terminus.distribution_mode);
        put_optional_map(fields, with_symbol_keys(terminus.filter));
        if (terminus.default_outcome.is_null())
            fields.absent();
        else
            terminus.default_outcome.encode(fields.next());
        put_symbol_array(fields, terminus.outcomes);
    }
    put_symbol_array(fields, terminus.capabilities);
    fields.close();
    return out;
}

std::string encode_coordinator() {
    std::string out;
    Fields fields{out, static_cast<std::uint8_t>(Descriptor::coordinator)};
    put_symbol_array(fields, {"amqp:local-transactions"});
    fields.close();
    return out;
}

LinkOptions link_options(const AmqpSenderOptions& options, const Settings& settings) {
    LinkOptions out;
    out.name = options.name;
    out.receiver = false;
    out.snd_settle_mode = static_cast<std::uint8_t>(options.settle_mode);
    out.source = encode_terminus(options.source, true);
    out.target = encode_terminus(options.target, false);
    out.max_message_size = settings.options.max_message_size;
    out.desired_capabilities = options.desired_capabilities;
    out.properties = encoded(options.properties);
    return out;
}

LinkOptions link_options(const AmqpReceiverOptions& options, const Settings& settings) {
    if (options.mode == AmqpReceiverOptions::Mode::automatic && options.credit == 0)
        refuse_amqp_option("a receiver without credit gets no message: set credit, or mode fetch");
    if (options.mode == AmqpReceiverOptions::Mode::fetch && options.on_message)
        refuse_amqp_option("a receiver that fetches gives its messages to fetch(), and not to a handler");
    LinkOptions out;
    out.name = options.name;
    out.receiver = true;
    out.snd_settle_mode = static_cast<std::uint8_t>(options.settle_mode);
    out.source = encode_terminus(options.source, true);
    out.target = encode_terminus(options.target, false);
    out.max_message_size = settings.options.max_message_size;
    out.desired_capabilities = options.desired_capabilities;
    out.properties = encoded(options.properties);
    if (options.mode == AmqpReceiverOptions::Mode::automatic) {
        out.credit = options.credit;
        out.threshold = std::min(options.threshold, options.credit - 1);
    }
    return out;
}

}  // namespace amqp
}  // namespace qconn
