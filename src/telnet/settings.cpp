// SPDX-License-Identifier: Apache-2.0
#include "telnet/settings.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/text.hpp"
#include "net/address.hpp"
#include "telnet/telnet_error.hpp"

namespace qconn::telnet {
namespace {

Error unusable(const TelnetOptions& options, TelnetErrc code, std::string what) {
    Error error{code, error_name(code), std::move(what)};
    error.with_reason(Reason::bad_value);
    if (!options.label.empty()) error.with_connection(options.label);
    return error;
}

void check(const TelnetOptions& options) {
    const auto refuse = [&options](std::string what) { throw unusable(options, TelnetErrc::target, std::move(what)); };
    if (options.host.empty()) refuse("the URL of a TELNET connection has no host; write telnet://host");
    if (options.port == 0) refuse("a TELNET connection cannot go to port 0");
    if (text::has_control(options.username)) refuse("the user name has a control character in it");
    if (options.password && text::has_control(options.password->reveal())) refuse("the password has a control character in it");
    constexpr std::size_t k_longest_type = 40;  // RFC 1091
    const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
    if (options.terminal_type.size() > k_longest_type || !std::all_of(options.terminal_type.begin(), options.terminal_type.end(), printable))
        refuse("the terminal type must be at most 40 characters of ASCII without blanks (RFC 1091)");
    constexpr std::size_t k_most_environment = 4'096;
    std::size_t size = 0;
    for (const auto& [name, value] : options.environment) {
        if (name.empty()) refuse("a variable of the environment has no name");
        size += name.size() + value.size();
    }
    if (size > k_most_environment) refuse("the environment has more than 4096 bytes");
    for (const std::string& line : options.on_login) {
        if (text::has_control(line)) refuse("a line of on_login has a control character in it");
    }
}

}  // namespace

Endpoint endpoint_of(const TelnetOptions& options) {
    check(options);
    Endpoint endpoint;
    endpoint.host = options.host;
    endpoint.port = options.port;
    if (options.proxy) endpoint.proxy = std::make_shared<const Proxy>(*options.proxy);
    if (options.socket != SocketOptions{}) endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
    return endpoint;
}

std::shared_ptr<const Settings> settings_of(TelnetOptions options) {
    Endpoint endpoint = endpoint_of(options);
    options.max_buffer = std::max<std::size_t>(options.max_buffer, 1'024);
    std::shared_ptr<Settings> settings;
    try {
        settings = std::make_shared<Settings>(options);
    } catch (const std::invalid_argument& wrong) { throw unusable(options, TelnetErrc::pattern, wrong.what()); }
    settings->endpoint = std::move(endpoint);
    settings->server = net::authority(options.host, options.port);
    settings->engine = {options.terminal_type, options.terminal_speed, options.columns,         options.rows,     options.binary,
                        options.environment,   options.encoding,       options.replace_invalid, options.line_end, options.strip_escapes};
    return settings;
}

}  // namespace qconn::telnet
