// SPDX-License-Identifier: Apache-2.0
#include "ftp/settings.hpp"

#include <utility>

#include "base/text.hpp"
#include "net/address.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::ftp {
namespace {

constexpr std::uint16_t k_port = 21;
constexpr std::uint16_t k_implicit_port = 990;

bool has_line_end(std::string_view text) noexcept { return text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos; }

Error bad_option(const FtpOptions& options, std::string_view what) {
    Error error{FtpErrc::url, error_name(FtpErrc::url), std::string{what}};
    error.with_reason(Reason::bad_value);
    if (!options.label.empty()) error.with_connection(options.label);
    return error;
}

}  // namespace

std::uint16_t port_of(const FtpOptions& options) noexcept {
    return options.port != 0 ? options.port : static_cast<std::uint16_t>(options.security == FtpTls::implicit ? k_implicit_port : k_port);
}

LoginPlan login_of(const FtpOptions& options, LoginDepth depth) {
    if (options.host.empty()) throw bad_option(options, "the URL of an FTP connection has no host; write ftp://host/directory");
    LoginPlan plan;
    plan.security = options.security;
    plan.implicit_port = port_of(options) == k_implicit_port;
    plan.username = options.username.empty() ? std::string{k_anonymous} : options.username;
    plan.job = {options.label, text::printable(plan.username) + '@' + net::authority(options.host, port_of(options)), "connecting", {}};
    if (options.password)
        plan.password = *options.password;
    else if (options.username.empty() || options.username == k_anonymous)
        plan.password = Secret{std::string{k_anonymous_password}};
    plan.path = options.path;
    plan.depth = depth;
    plan.ascii = options.ascii;
    if (has_line_end(plan.username)) throw bad_option(options, "the user name has a line break in it");
    if (has_line_end(plan.password.reveal())) throw bad_option(options, "the password has a line break in it");
    if (has_line_end(plan.path)) throw bad_option(options, "the path has a line break in it");
    return plan;
}

Endpoint endpoint_of(const FtpOptions& options) {
    Endpoint endpoint;
    endpoint.host = options.host;
    endpoint.port = port_of(options);
    if (options.proxy) endpoint.proxy = std::make_shared<const Proxy>(*options.proxy);
    if (options.socket != SocketOptions{}) endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
    return endpoint;
}

std::shared_ptr<const Settings> settings_of(FtpOptions options, const Runtime& runtime) {
    auto settings = std::make_shared<Settings>();
    settings->login = std::make_shared<const LoginPlan>(login_of(options, LoginDepth::session));
    settings->endpoint = endpoint_of(options);
    settings->server = settings->login->job.server;
    settings->dialogue = net::DialogueLog::of("ftp", options, runtime.log());
    if (options.security != FtpTls::none) settings->tls = runtime.impl().tls_context(options.tls, options.label);
    settings->options = std::move(options);
    return settings;
}

}  // namespace qconn::ftp
