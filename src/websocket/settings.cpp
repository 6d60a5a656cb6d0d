// SPDX-License-Identifier: Apache-2.0
#include "websocket/settings.hpp"

#include <algorithm>
#include <utility>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "net/http_auth.hpp"
#include "net/proxy_check.hpp"
#include "net/socket.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn::websocket {
namespace {

void mask_all(std::string& text, std::string_view what) {
    constexpr std::size_t k_shortest = 4;  // shorter ones would blot out ordinary words
    if (what.size() < k_shortest) return;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + k_masked.size()))
        text.replace(at, what.size(), k_masked);
}

/// A problem of the options that are numbers; empty: none.
std::string number_problem(const WebSocketOptions& options) {
    const WebSocketCompression& deflate = options.compression;
    if (deflate.level < 0 || deflate.level > 9) return "the level of compression is from 0 to 9";
    for (const int bits : {deflate.client_window_bits, deflate.server_window_bits}) {
        if (bits < 9 || bits > 15) return "the window bits of compression are from 9 to 15";
    }
    for (const auto time : {options.connect_timeout, options.ping_interval, options.timeout, options.close_timeout, options.reconnect.delay,
                            options.reconnect.max_delay}) {
        if (time.count() < 0) return "a time is not negative; 0 means none";
    }
    if (options.reconnect.attempts < 0) return "the number of attempts to reconnect is not negative";
    if (options.max_redirects < 0) return "max_redirects is not negative";
    if (options.max_message == 0 || options.max_queue == 0 || options.max_unread == 0) return "a limit on messages is at least 1";
    if (options.part_size < 125) return "part_size is at least 125";
    return {};
}

}  // namespace

Settings::Settings(WebSocketOptions given) : options{std::move(given)}, redactions{redactions_of(options.label)} {
    const std::string about = options.label.empty() ? std::string{} : "connection \"" + options.label + "\": ";
    const auto refuse = [&](const std::string& message, WebSocketErrc code = WebSocketErrc::option) {
        throw make_websocket_error(code, about + message, Phase::none, Reason::bad_value, options.label);
    };
    const Result<Url> parsed = Url::try_parse(options.url);
    if (!parsed) refuse(std::string{parsed.error().message()}, WebSocketErrc::url);
    const Url& url = *parsed;
    if (url.scheme == "wss" || url.scheme == "https")
        base.tls = true;
    else if (url.scheme != "ws" && url.scheme != "http")
        refuse("the URL " + url.masked() + " cannot be used: this client takes ws:// and wss://", WebSocketErrc::url);
    if (url.host.empty()) refuse("the URL " + url.masked() + " names no host", WebSocketErrc::url);
    base.port = url.port.value_or(base.tls ? 443 : 80);
    if (url.is_socket) {
        base.socket = url.host;
        base.host = "localhost";
        if (base.socket.size() > 107) refuse("the path of the UNIX socket is longer than 107 bytes", WebSocketErrc::url);
    } else {
        base.host = text::to_lower(url.host);
    }
    if (base.host.find_first_of(std::string_view{" \t\r\n/?#\\\"<>^`{|}\0", 17}) != std::string::npos) {
        refuse("the host of the URL " + url.masked() + " holds a character that no host name has", WebSocketErrc::url);
    }
    if (url.path.find('#') != std::string::npos) refuse("the URL of a WebSocket has no fragment (RFC 6455 section 3)", WebSocketErrc::url);
    try {
        base.path = http::join_paths(http::encode_path(url.path, {}), {});
    } catch (const Error& error) { refuse(std::string{error.message()}, WebSocketErrc::url); }

    const bool own_name = !options.username.empty();
    const std::string username = own_name ? options.username : url.username.value_or("");
    Secret password = options.password;
    if (!own_name && url.password) password = *url.password;
    if (!options.token.empty()) {
        if (!username.empty()) refuse("a token and a user name exclude each other: remove one of them");
        if (!http::is_token(options.token_type)) refuse("option token_type is a word such as Bearer");
        if (!http::is_field_value(options.token.reveal())) refuse("the token holds a line break: was it read from a file with one at its end?");
        std::string line = options.token_type + ' ' + std::string{options.token.reveal()};
        authorization = Secret{line};
        wipe(line);
    } else if (!username.empty()) {
        std::string line = net::basic_credentials(username, password.reveal());
        authorization = Secret{line};
        wipe(line);
    } else if (!password.empty()) {
        refuse("a password is set, but there is no user name: set username, or remove the password");
    }

    for (const auto& [name, value] : options.headers) {
        if (!http::is_token(name)) refuse("\"" + text::printable(text::shorten(name, 80)) + "\" is no header name; it was not sent");
        if (!http::is_field_value(value)) refuse("the value of header \"" + name + "\" holds a line break or a zero byte; it was not sent");
    }
    for (std::size_t i = 0; i < options.subprotocols.size(); ++i) {
        const std::string& one = options.subprotocols[i];
        if (!http::is_token(one)) refuse("\"" + text::printable(text::shorten(one, 80)) + "\" is no name of a subprotocol");
        if (std::find(options.subprotocols.begin(), options.subprotocols.begin() + static_cast<std::ptrdiff_t>(i), one) !=
            options.subprotocols.begin() + static_cast<std::ptrdiff_t>(i)) {
            refuse("the subprotocol \"" + one + "\" is offered twice (RFC 6455 section 4.1)");
        }
    }
    if (const std::string problem = number_problem(options); !problem.empty()) refuse(problem);
    if (options.version != 13 && options.version != 8) refuse("the version of the protocol is 13, or 8");
    // Else a server that has nothing to say would be taken for gone before it is asked.
    if (options.timeout.count() > 0 && options.ping_interval > options.timeout / 2) options.ping_interval = options.timeout / 3;
    if (options.handlers.on_message && options.handlers.on_part) refuse("on_message and on_part exclude each other");
    if (const std::string problem = net::socket_problem(options.socket); !problem.empty()) refuse(problem);
    if (options.proxy) {
        if (base.socket.empty()) {
            if (const std::string problem = net::proxy_problem(*options.proxy); !problem.empty()) refuse(problem);
        } else {
            refuse("a UNIX socket cannot be reached through a proxy");
        }
        proxy = std::make_shared<const Proxy>(*options.proxy);
    }
    tls = std::make_shared<const TlsOptions>(options.tls);
    if (options.socket != SocketOptions{}) socket = std::make_shared<const SocketOptions>(options.socket);
}

Endpoint Settings::endpoint_of(const http::Target& target) const {
    Endpoint endpoint;
    endpoint.is_socket = !target.socket.empty();
    endpoint.host = endpoint.is_socket ? target.socket : target.host;
    endpoint.port = target.port;
    if (!endpoint.is_socket) endpoint.proxy = proxy;
    if (target.tls) {
        endpoint.tls = tls;
        endpoint.alpn = {"http/1.1"};
    }
    endpoint.socket = socket;
    return endpoint;
}

std::string Settings::redact(std::string text) const {
    mask_all(text, options.password.reveal());
    mask_all(text, options.token.reveal());
    if (const Result<Url> url = Url::try_parse(options.url); url && url->password) mask_all(text, url->password->reveal());
    const std::string_view line = authorization.reveal();
    mask_all(text, line.substr(std::min(line.find(' ') + 1, line.size())));
    return text;
}

}  // namespace qconn::websocket
