// SPDX-License-Identifier: Apache-2.0
#include "eftl/settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <qconn/base/url.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "eftl/eftl_error.hpp"

namespace qconn {

namespace {

using eftl::eftl_error;

[[noreturn]] void refuse_option(const std::string& what) { throw eftl_error(EftlErrc::option, what); }

/// The value of a parameter, decoded.
std::string parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view one = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = one.find('=');
        if (equals != npos && text::iequals(one.substr(0, equals), name)) return percent_decode(one.substr(equals + 1));
    }
    return {};
}

EftlServer parse_one(std::string_view text, std::size_t number) {
    // Nothing of it is shown: it may be the rest of a password.
    if (text.find("://") == npos) {
        refuse_option("the URL number " + std::to_string(number) +
                      " of the list does not begin with ws:// or wss://; a '|' in a user, a password or a client id is written %7C");
    }
    const auto refuse = [&](const std::string& what) {
        refuse_option("the URL number " + std::to_string(number) + ", " + mask_url(text) + ", cannot be used: " + what);
    };
    const Result<Url> read = Url::try_parse(text);
    if (!read) refuse(std::string{read.error().message()});
    const Url& url = *read;
    const bool tls = url.scheme == "wss" || url.scheme == "eftls";
    if (!tls && url.scheme != "ws" && url.scheme != "eftl") refuse("its scheme must be ws or wss");
    if (url.host.empty() || url.is_socket) refuse("it has no host");
    EftlServer out;
    out.tls = tls;
    out.host = url.host;
    out.port = url.port.value_or(0);
    const std::size_t query = std::min(url.path.find('?'), url.path.size());
    out.channel = query == 0 ? "/" : url.path.substr(0, query);
    const std::string_view rest = std::string_view{url.path}.substr(std::min(query + 1, url.path.size()));
    // TIBCO's text has the one, what its clients send has the other.
    out.client_id = parameter(rest, "clientId");
    if (out.client_id.empty()) out.client_id = parameter(rest, "client_id");
    if (url.username) out.username = percent_decode(*url.username);
    if (url.password) {
        std::string password = percent_decode(url.password->reveal());
        out.password = Secret{password};
        wipe(password);
    }
    if (text::has_control(out.username) || text::has_control(out.channel)) refuse("it has control characters");
    return out;
}

std::string bracketed(std::string_view host) { return host.find(':') == npos ? std::string{host} : '[' + std::string{host} + ']'; }

// In the order of EftlState.
constexpr std::array<std::string_view, 5> k_states{"connecting", "connected", "reconnecting", "disconnecting", "disconnected"};

}  // namespace

std::string_view to_string(EftlState state) noexcept { return k_states[static_cast<std::size_t>(state)]; }

std::vector<EftlServer> EftlServer::parse_list(std::string_view urls) {
    std::vector<EftlServer> out;
    for (const std::string_view part : split_urls(urls)) {
        const std::string_view one = text::trim(part);
        if (one.empty()) refuse_option("the URL number " + std::to_string(out.size() + 1) + " of the list is empty");
        out.push_back(parse_one(one, out.size() + 1));
    }
    return out;
}

std::string EftlServer::shown() const {
    std::string out = (tls ? "wss://" : "ws://") + bracketed(host);
    if (port != 0) out += ':' + std::to_string(port);
    return out + channel;
}

namespace eftl {

std::string client_version() { return std::string{"qconn "} + QCONN_VERSION; }

std::shared_ptr<const Settings> make_settings(EftlOptions options) {
    if (options.servers.empty()) refuse_option("no server is named");
    if (options.auto_reconnect_attempts < 0) refuse_option("the number of attempts to reconnect is not negative");
    if (options.auto_reconnect_max_delay.count() < 0 || options.handshake_timeout.count() < 0 || options.login_timeout.count() < 0)
        refuse_option("a time is not negative");
    if (options.max_in_flight == 0 || options.max_in_flight_bytes == 0 || options.max_unread == 0)
        refuse_option("a limit of zero lets nothing through");
    if (options.max_pending_acks < 0) refuse_option("max_pending_acks is not negative; 0: the server's number");
    if (!text::valid_utf8(options.client_id) || !text::valid_utf8(options.username)) refuse_option("client id and user must be UTF-8");

    auto out = std::make_shared<Settings>();
    EngineOptions& engine = out->engine;
    engine.servers = options.servers.size();
    engine.client_version = client_version();
    engine.max_pending_acks = options.max_pending_acks;
    engine.login_timeout = options.login_timeout;
    engine.attempts = options.auto_reconnect_attempts;
    engine.max_delay = options.auto_reconnect_max_delay;
    engine.shuffle = options.shuffle;
    engine.resend = options.resend;
    for (const EftlServer& server : options.servers) {
        if (server.host.empty()) refuse_option("a server has no host");
        const bool own = !server.username.empty() || !server.password.empty();
        const std::string& user = own ? server.username : options.username;
        const Secret& password = own ? server.password : options.password;
        const std::string& client_id = server.client_id.empty() ? options.client_id : server.client_id;
        engine.shown.push_back(server.shown());
        engine.users.push_back(user);
        engine.passwords.push_back(password);
        engine.client_ids.push_back(client_id);

        WebSocketOptions link;
        link.label = options.label;
        link.url = server.shown();
        if (!client_id.empty()) link.url += "?client_id=" + percent_encode(client_id);
        if (!user.empty() || !password.empty()) {
            std::string pair = user + ':' + std::string{password.reveal()};
            std::string token = base64::encode(pair);
            link.token = Secret{token};
            link.token_type = "Basic";
            wipe(pair);
            wipe(token);
        }
        link.subprotocols = {std::string{k_subprotocol}};
        link.require_subprotocol = false;  // real servers may name none
        link.compression.enabled = false;
        link.max_redirects = 0;
        link.proxy = options.proxy;
        link.tls = options.tls;
        link.socket = options.socket;
        link.connect_timeout = options.handshake_timeout;
        link.ping_interval = std::chrono::milliseconds{0};  // the server's heartbeat says whether it lives
        link.timeout = std::chrono::milliseconds{0};
        link.max_message = options.max_frame;
        out->links.push_back(std::make_shared<const websocket::Settings>(std::move(link)));
    }
    out->options = std::move(options);
    return out;
}

}  // namespace eftl
}  // namespace qconn
