// SPDX-License-Identifier: Apache-2.0
// ftp and ftps.
#include <qconn/ftp/ftp_client.hpp>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "ftp/settings.hpp"
#include "schemes/file_operations.hpp"
#include "schemes/idle_options.hpp"
#include "schemes/log_options.hpp"
#include "schemes/schemes.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/proxy_options.hpp"
#endif

namespace qconn::schemes {
namespace {

constexpr std::array<std::pair<const char*, FtpDataMode>, 3> k_data_modes{
    {{"automatic", FtpDataMode::automatic}, {"passive", FtpDataMode::passive}, {"active", FtpDataMode::active}}};

const OptionTable<FtpOptions>& table() {
    static const OptionTable<FtpOptions> options = [] {
        OptionTable<FtpOptions> all;
        const auto milliseconds = [&all](std::string name, std::chrono::milliseconds FtpOptions::*member, int example, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::integer, std::move(help));
            spec.unit = Unit::milliseconds;
            spec.fallback = static_cast<long long>((FtpOptions{}.*member).count());
            spec.minimum = 0;
            spec.maximum = 2'147'483'647.0;
            spec.example = example;
        };
        const auto flag = [&all](std::string name, bool FtpOptions::*member, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::boolean, std::move(help));
            spec.fallback = false;
            spec.example = true;
        };
        {
            OptionSpec& spec = all.add("username", OptionType::string,
                                       "User of the log-in; only together with password, and only where the URL lacks one of the two", nullptr);
            spec.fallback_text = "anonymous";
            spec.example = "edi";
        }
        {
            OptionSpec& spec = all.add("password", OptionType::string, "Password of the log-in; only together with username", nullptr);
            spec.sensitive = true;
            spec.example = "${env:FTP_PASSWORD}";
        }
        milliseconds("connect_timeout", &FtpOptions::connect_timeout, 10'000, "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit");
        milliseconds("timeout", &FtpOptions::timeout, 10'000, "Longest silence of the server, not the time of a whole call; 0: no limit");
        {
            OptionSpec& spec = all.add("data_mode", OptionType::string, "Who opens data connections", [](FtpOptions& o, const Value& v) {
                for (const auto& [word, mode] : k_data_modes) {
                    if (v.as_string() == word) o.data_mode = mode;
                }
            });
            spec.fallback = "automatic";
            spec.allowed = {{"automatic", "passive, or active where the server refuses that"},
                            {"passive", "this machine (EPSV, PASV)"},
                            {"active", "the server, to this machine (EPRT, PORT)"}};
            spec.example = "active";
        }
        {
            OptionSpec& spec = all.add("implicit_tls", OptionType::boolean,
                                       "ftps: TLS from the first byte, on port 990 unless the URL has another, in the place of AUTH TLS", nullptr);
            spec.fallback = false;
            spec.example = true;
        }
        flag("ascii", &FtpOptions::ascii, "Files are sent as text: line ends become those of the other side, and sizes are not checked");
        {
            OptionSpec& spec =
                all.add("max_sessions", &FtpOptions::max_sessions, OptionType::integer, "Sessions at a time; so many calls run beside each other");
            spec.fallback = 4;
            spec.minimum = 1;
            spec.maximum = 1000;
            spec.example = 1;
        }
        milliseconds("idle_time", &FtpOptions::idle_time, 10'000, "Sessions that nobody uses are closed after that time");
        milliseconds("noop_interval", &FtpOptions::noop_interval, 30'000,
                     "NOOP on the control connection each so often in long transfers, against firewalls that forget it; not every server stands "
                     "that; 0: never");
        {
            OptionSpec& spec = all.add("max_read_size", &FtpOptions::max_read, OptionType::integer, "Largest file that is read into memory");
            spec.unit = Unit::bytes;
            spec.fallback = static_cast<unsigned long long>(FtpOptions{}.max_read);
            spec.minimum = 0;
            spec.example = 1'000'000;
        }
        flag("delete_before_rename", &FtpOptions::delete_before_rename,
             "Remove a file before another takes its name, for servers whose renames replace nothing (IIS); for a moment there is neither");
        {
            OptionSpec& spec =
                all.add("disable_automatic_pings", OptionType::boolean,
                        "The standard ping, which a monitor makes, succeeds without any I/O; pings to a named depth are made", nullptr);
            spec.fallback = false;
            spec.example = true;
        }
        add_log_options(all);
#ifndef QCONN_WITHOUT_HTTP
        add_proxy_options(all);
#endif
        add_socket_options(all);
        all.remove("max_send_rate");  // of libcurl's transfers
        all.remove("max_receive_rate");
        add_tls_options(all);
        add_idle_options(all);
        return all;
    }();
    return options;
}

bool is_true(const Value& value) { return value.is_bool() && value.as_bool(); }

FtpOptions options_of(const ResolvedDefinition& definition) {
    FtpOptions options;
    table().apply(definition.options, options);
    options.label = definition.name;
    const Url& url = definition.url;
    options.host = url.host;
    options.port = url.port.value_or(0);
    // As it is, its slash included, as Qorus sends it: where a server shows a log-in its own root, that is the directory of the log-in.
    options.path = url.path == "/" ? std::string{} : url.path;
    options.username = url.username.value_or(std::string{});
    options.password = url.password;
    const Value& user = option_of(definition, "username");
    const Value& password = option_of(definition, "password");
    if ((!url.username || !url.password) && user.is_string() && password.is_string()) {
        options.username = std::string{user.as_string()};
        options.password = Secret{password.as_string()};
    }
    if (url.scheme == "ftps") options.security = is_true(option_of(definition, "implicit_tls")) ? FtpTls::implicit : FtpTls::required;
#ifndef QCONN_WITHOUT_HTTP
    options.proxy = proxy_of(definition, url.scheme == "ftps" ? "https" : "http");
#endif
    return options;
}

ftp::LoginDepth depth_of(PingDepth depth) {
    switch (depth) {
        case PingDepth::connect: return ftp::LoginDepth::greeting;
        case PingDepth::tls: return ftp::LoginDepth::tls;
        case PingDepth::auth: return ftp::LoginDepth::login;
        default: return ftp::LoginDepth::directory;
    }
}

/// A log-in as far as the depth goes, and QUIT.
PingPlan make_ping(const ResolvedDefinition& definition, PingDepth depth) {
    if (depth == PingDepth::standard && is_true(option_of(definition, "disable_automatic_pings"))) {
        return BlockingPing{[](Deadline) { return PingEvidence{"nothing was asked: automatic pings are switched off (disable_automatic_pings)"}; }};
    }
    const FtpOptions options = options_of(definition);
    const auto plan = std::make_shared<const ftp::LoginPlan>(ftp::login_of(options, depth_of(depth)));
    NetPing ping;
    ping.endpoint = ftp::endpoint_of(options);
    if (options.security == FtpTls::implicit) {
        if (depth == PingDepth::connect) return ping;  // the greeting comes under TLS
        ping.endpoint.tls = std::make_shared<const TlsOptions>(options.tls);
    }
    if (options.security == FtpTls::required && depth != PingDepth::connect) ping.start_tls = std::make_shared<const TlsOptions>(options.tls);
    ping.dialogue = [plan]() -> std::unique_ptr<Dialogue> { return std::make_unique<ftp::LoginDialogue>(plan); };
    return ping;
}

Value value_of(const FtpReply& reply) {
    List lines;
    for (const std::string& line : reply.lines) lines.push_back(text_or_bytes(line));
    return Map{{"code", reply.code}, {"lines", std::move(lines)}};
}

std::vector<OperationSpec> operations() {
    std::vector<OperationSpec> all = file_operations();
    std::erase_if(all, [](const OperationSpec& one) { return one.name == "space"; });
    {
        OperationSpec spec;
        spec.name = "names";
        spec.help = "Names of the entries of a directory (NLST)";
        spec.arguments.push_back({"path", OptionType::string, false, "a directory; default: that of the connection"});
        spec.run = [](Client& client, const Map& given, Deadline deadline) {
            List names;
            for (auto& name : dynamic_cast<FtpClient&>(client).names(text_argument(given, "path"), deadline))
                names.push_back(text_or_bytes(std::move(name)));
            return Value{std::move(names)};
        };
        all.push_back(std::move(spec));
    }
    {
        OperationSpec spec;
        spec.name = "command";
        spec.help = "A command of FTP as it stands; the reply, also one that refuses";
        spec.arguments.push_back({"line", OptionType::string, true, "for example \"SITE CHMOD 644 orders.csv\""});
        spec.run = [](Client& client, const Map& given, Deadline deadline) {
            return value_of(dynamic_cast<FtpClient&>(client).command(text_argument(given, "line"), deadline));
        };
        all.push_back(std::move(spec));
    }
    return all;
}

void check(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    if (url.host.empty()) findings.error("url", "missing-host", "the URL has no host", "write " + definition.scheme() + "://host/directory");
    const bool user = is_set(definition, "username");
    const bool password = is_set(definition, "password");
    if (user != password && !(url.username && url.password)) {
        findings.error(user ? "username" : "password", "missing-option",
                       std::string{"'"} + (user ? "username" : "password") + "' is of no use without '" + (user ? "password" : "username") + "'");
    }
    if (url.username && url.password && (user || password)) {
        findings.warning(user ? "username" : "password", "unused-option", "the URL has user and password, so 'username' and 'password' are not used");
    }
    const bool secure = definition.scheme() == "ftps";
    if (!secure) {
        if (is_set(definition, "implicit_tls"))
            findings.warning("implicit_tls", "unused-option", "without TLS this has no effect; the scheme with TLS is ftps");
        for (const OptionSpec& spec : table().specs()) {
            if (spec.name.starts_with("ssl_") && is_set(definition, spec.name))
                findings.warning(spec.name, "unused-option", "without TLS this has no effect; the scheme with TLS is ftps");
        }
    }
    check_idle_options(definition, findings);
    check_tls_options(definition, findings);
#ifndef QCONN_WITHOUT_HTTP
    check_proxy_options(definition, findings);
#endif
}

}  // namespace

Scheme ftp_scheme() {
    Scheme scheme;
    scheme.names = {"ftp", "ftps"};
    scheme.family = "ftp";
    scheme.user_is_name = true;
    scheme.title = "FTP";
    scheme.help = "Files on an FTP server, for ftps under TLS (AUTH TLS, data connections too). A ping logs in, enters the directory and says QUIT.";
    scheme.example_url = "ftps://edi:secret@files.example.com/in";
    scheme.default_ports = {{"ftp", 21}, {"ftps", 21}};
    scheme.options = table().specs();
    scheme.sharing = Sharing::parallel;
    scheme.standard_depth = PingDepth::full;
    scheme.clients = client_types<FtpClient, FileTransferClient>({"FtpClient", "FileTransferClient"});
    scheme.operations = operations();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check(definition, findings);
    };
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<FtpClient>(options_of(definition), runtime);
    };
    scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth depth, const Runtime&) { return make_ping(definition, depth); };
    return scheme;
}

}  // namespace qconn::schemes
