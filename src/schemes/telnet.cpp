// SPDX-License-Identifier: Apache-2.0
// telnet.
#include <qconn/telnet/telnet_client.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "schemes/convert.hpp"
#include "schemes/log_options.hpp"
#include "schemes/schemes.hpp"
#include "schemes/socket_options.hpp"
#include "telnet/pattern.hpp"
#include "telnet/settings.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/proxy_options.hpp"
#endif

namespace qconn::schemes {
namespace {

constexpr std::uint16_t k_telnet_port = 23;

constexpr std::array<std::pair<const char*, TelnetEncoding>, 2> k_encodings{
    {{"UTF-8", TelnetEncoding::utf8}, {"ISO-8859-1", TelnetEncoding::latin1}}};
struct LineEndWord {
    const char* word;
    TelnetLineEnd value;
    const char* help;
};
constexpr std::array<LineEndWord, 5> k_line_ends{{{"automatic", TelnetLineEnd::automatic, "CR LF; CR where binary transmission was agreed on"},
                                                  {"crlf", TelnetLineEnd::crlf, "CR LF"},
                                                  {"cr_nul", TelnetLineEnd::cr_nul, "CR NUL, as the Enter key of a terminal"},
                                                  {"cr", TelnetLineEnd::cr, "CR"},
                                                  {"lf", TelnetLineEnd::lf, "LF"}}};

std::string pattern_problem(const Value& value) {
    std::string problem;
    return telnet::Pattern::compile(TelnetPattern{std::string{value.as_string()}}, problem) ? std::string{}
                                                                                            : "it is no regular expression: " + problem;
}

std::string lines_problem(const Value& list) {
    for (const Value& one : list.as_list()) {
        if (!one.is_string() || text::has_control(one.as_string())) return "each element must be a line without control characters";
    }
    return {};
}

const OptionTable<TelnetOptions>& telnet_table() {
    static const OptionTable<TelnetOptions> options = [] {
        OptionTable<TelnetOptions> all;
        const TelnetOptions usual;
        const auto milliseconds = [&](std::string name, std::chrono::milliseconds TelnetOptions::*member, int example, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::integer, std::move(help));
            spec.unit = Unit::milliseconds;
            spec.fallback = static_cast<long long>((usual.*member).count());
            spec.minimum = 0;
            spec.maximum = 2'147'483'647.0;
            spec.example = example;
        };
        const auto flag = [&](std::string name, bool TelnetOptions::*member, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::boolean, std::move(help));
            spec.fallback = usual.*member;
            spec.example = !(usual.*member);
        };
        const auto number = [&](std::string name, auto member, double minimum, double maximum, Unit unit, long long example, std::string help) {
            OptionSpec& spec = all.add(std::move(name), member, OptionType::integer, std::move(help));
            spec.unit = unit;
            spec.fallback = static_cast<unsigned long long>(usual.*member);
            spec.minimum = minimum;
            spec.maximum = maximum;
            spec.example = example;
        };
        const auto prompt = [&](std::string name, std::vector<TelnetPattern> TelnetOptions::*member, std::string fallback, const char* example,
                                std::string help) {
            OptionSpec& spec = all.add(std::move(name), OptionType::string, std::move(help),
                                       [member](TelnetOptions& o, const Value& v) { (o.*member) = {TelnetPattern{std::string{v.as_string()}}}; });
            spec.fallback_text = std::move(fallback);
            spec.example = example;
            spec.check = pattern_problem;
        };
        {
            OptionSpec& spec = all.add("username", &TelnetOptions::username, OptionType::string, "User of the log-in, where the URL has none");
            spec.fallback_text = "the server is expected to ask for none";
            spec.example = "admin";
        }
        {
            OptionSpec& spec = all.add("password", &TelnetOptions::password, OptionType::string, "Password of the log-in, where the URL has none");
            spec.sensitive = true;
            spec.example = "${env:TELNET_PASSWORD}";
        }
        milliseconds("connect_timeout", &TelnetOptions::connect_timeout, 10'000,
                     "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit");
        milliseconds("login_timeout", &TelnetOptions::login_timeout, 10'000, "Longest time of the log-in; 0: no limit");
        milliseconds("timeout", &TelnetOptions::timeout, 10'000, "Longest silence of the server, not the time of a whole call; 0: no limit");
        prompt("login_prompt", &TelnetOptions::login_prompt, "`login:`, `Username:` and the like",
               "User Access Verification\\s+Name:", "A regular expression for what asks for the user name, at the end of what has come");
        prompt("password_prompt", &TelnetOptions::password_prompt, "`Password:` and the like",
               "Secret word:", "A regular expression for what asks for the password");
        prompt("shell_prompt", &TelnetOptions::shell_prompt, "what ends in one of `$ # > % ]`; then that of the log-in", "^[^\\n]*[$#>]",
               "A regular expression for what a command is waited for with");
        prompt("failure_pattern", &TelnetOptions::failure, "`Login incorrect`, `Access denied` and the like", "(?i)no way",
               "A regular expression for what says that a log-in is refused");
        prompt("pager_prompt", &TelnetOptions::pager, "`--More--` and the like", "-- next page --",
               "A regular expression for what a pager asks at the end of a page");
        {
            OptionSpec& spec = all.add("pager_answer", &TelnetOptions::pager_answer, OptionType::string,
                                       "What gives the next page; empty: pagers are not looked for");
            spec.fallback = usual.pager_answer;
            spec.example = "f";
        }
        number("max_pages", &TelnetOptions::max_pages, 1, 1e9, Unit::none, 100, "Pages that the output of one command may have");
        {
            OptionSpec& spec = all.add("on_login", OptionType::list, "Lines that are sent after each log-in, their output thrown away",
                                       [](TelnetOptions& o, const Value& v) {
                                           for (const Value& one : v.as_list()) o.on_login.emplace_back(one.as_string());
                                       });
            spec.fallback_text = "none";
            spec.example = List{"terminal length 0"};
            spec.check = lines_problem;
        }
        {
            OptionSpec& spec = all.add("terminal_type", &TelnetOptions::terminal_type, OptionType::string,
                                       "What the server is told that this terminal is; empty: it is not told");
            spec.fallback = usual.terminal_type;
            spec.example = "vt100";
        }
        number("terminal_speed", &TelnetOptions::terminal_speed, 0, 4'294'967'295.0, Unit::none, 9'600,
               "Bits a second that the server is told; 0: it is not told");
        number("columns", &TelnetOptions::columns, 0, 65'535, Unit::none, 80,
               "Width of the window that the server is told; 0: it is not told a size");
        number("rows", &TelnetOptions::rows, 0, 65'535, Unit::none, 24, "Height of the window that the server is told; 0: it is not told a size");
        flag("binary", &TelnetOptions::binary, "Ask for binary transmission both ways");
        {
            OptionSpec& spec = all.add("environment", OptionType::map, "Variables that the server is told where it asks for them, and nothing else",
                                       [](TelnetOptions& o, const Value& v) {
                                           for (const auto& [name, value] : v.as_map()) o.environment.emplace_back(name, scalar_text(value));
                                       });
            spec.fallback_text = "none";
            spec.example = Map{{"LANG", "C.UTF-8"}};
        }
        {
            OptionSpec& spec = all.add("encoding", OptionType::string, "Of the text at the other end", [](TelnetOptions& o, const Value& v) {
                for (const auto& [word, value] : k_encodings) {
                    if (v.as_string() == word) o.encoding = value;
                }
            });
            spec.fallback = "UTF-8";
            for (const auto& [word, value] : k_encodings) spec.allowed.push_back({Value{word}, {}});
            spec.example = "ISO-8859-1";
        }
        flag("replace_invalid", &TelnetOptions::replace_invalid, "Bytes that are no UTF-8 become U+FFFD; false: they are kept");
        {
            OptionSpec& spec = all.add("line_end", OptionType::string, "What ends a line that is sent", [](TelnetOptions& o, const Value& v) {
                for (const LineEndWord& one : k_line_ends) {
                    if (v.as_string() == one.word) o.line_end = one.value;
                }
            });
            spec.fallback = "automatic";
            for (const LineEndWord& one : k_line_ends) spec.allowed.push_back({Value{one.word}, one.help});
            spec.example = "cr_nul";
        }
        flag("strip_escapes", &TelnetOptions::strip_escapes, "Escape sequences of terminals are taken out of the text");
        number("max_buffer", &TelnetOptions::max_buffer, 1'024, 1e12, Unit::bytes, 65'536,
               "Text that is kept until it is asked for; of more, what came first is dropped");
        number("max_output", &TelnetOptions::max_output, 0, 1e12, Unit::bytes, 1'000'000, "Largest output of a command that is taken into memory");
        milliseconds("settle_time", &TelnetOptions::settle_time, 200,
                     "So long nothing more may come behind what looks like a prompt, until a log-in without `shell_prompt` counts as ended");
        add_log_options(all);
#ifndef QCONN_WITHOUT_HTTP
        add_proxy_options(all);
#endif
        add_socket_options(all);
        all.remove("max_send_rate");  // of libcurl's transfers
        all.remove("max_receive_rate");
        return all;
    }();
    return options;
}

TelnetOptions telnet_options_of(const ResolvedDefinition& definition) {
    TelnetOptions options;
    telnet_table().apply(definition.options, options);
    const Url& url = definition.url;
    options.label = definition.name;
    options.host = url.host;
    options.port = url.port.value_or(k_telnet_port);
    if (url.username) options.username = *url.username;
    if (url.password) options.password = url.password;
#ifndef QCONN_WITHOUT_HTTP
    options.proxy = proxy_of(definition, "http");
#endif
    return options;
}

// ---- pings ----

/// A log-in of its own; for depth full an empty line gives the prompt once more.
class LoginPing : public std::enable_shared_from_this<LoginPing> {
public:
    LoginPing(TelnetOptions options, const Runtime& runtime, bool full, Callback<PingEvidence> callback)
        : client_{std::make_shared<TelnetClient>(std::move(options), runtime)}, full_{full}, callback_{std::move(callback)} {}

    Operation start(Deadline deadline) {
        // A little earlier, so that its own words for what did not come are those that are told.
        constexpr std::chrono::milliseconds k_ahead{50};
        const Deadline ahead = deadline.is_never() || deadline.remaining() < 4 * k_ahead ? deadline : Deadline{deadline.when() - k_ahead};
        Callback<std::string> done = [self = shared_from_this()](Result<std::string> outcome) { self->end(std::move(outcome)); };
        return full_ ? client_->async_run({}, ahead, std::move(done)) : client_->async_login(ahead, std::move(done));
    }

private:
    void end(Result<std::string> outcome) {
        if (!outcome) return callback_(outcome.error());
        std::string seen = "logged in; prompt " + text::printable(text::shorten(text::trim(client_->session().prompt), 80));
        if (full_) seen += ", and again after an empty line";
        callback_(PingEvidence{std::move(seen)});
    }

    const std::shared_ptr<TelnetClient> client_;
    const bool full_;
    Callback<PingEvidence> callback_;
};

PingPlan telnet_ping(const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
    TelnetOptions options = without_logs(telnet_options_of(definition));
    if (depth == PingDepth::auth || depth == PingDepth::full) {
        const bool full = depth == PingDepth::full;
        return CallPing{[options = std::move(options), runtime, full](Deadline deadline, Callback<PingEvidence> callback) {
            const auto ping = std::make_shared<LoginPing>(options, runtime, full, std::move(callback));
            return ping->start(deadline);
        }};
    }
    NetPing ping;
    ping.endpoint = telnet::endpoint_of(options);
    return ping;
}

// ---- operations ----

TelnetClient& telnet_client(Client& client) { return dynamic_cast<TelnetClient&>(client); }

std::vector<std::string> words_of(const Map& given, std::string_view name) {
    std::vector<std::string> out;
    const Value* const list = given.find(name);
    if (list == nullptr || !list->is_list()) return out;
    for (const Value& one : list->as_list()) out.push_back(scalar_text(one));
    return out;
}

OperationSpec telnet_run() {
    OperationSpec spec;
    spec.name = "run";
    spec.help = "Log in and run commands, one an argument; the output of each";
    spec.arguments = {{"command", OptionType::string, true, "a line for the shell there"}};
    spec.rest = OperationSpec::Argument{"commands", OptionType::string, false, "further lines"};
    spec.run = [](Client& client, const Map& given, Deadline deadline) {
        TelnetClient& telnet = telnet_client(client);
        std::vector<std::string> commands = words_of(given, "commands");
        commands.insert(commands.begin(), text_argument(given, "command"));
        if (commands.size() == 1) return text_or_bytes(telnet.run(commands.front(), deadline));
        List all;
        for (const std::string& command : commands)
            all.push_back(Map{{"command", command}, {"output", text_or_bytes(telnet.run(command, deadline))}});
        return Value{std::move(all)};
    };
    return spec;
}

OperationSpec telnet_chat() {
    OperationSpec spec;
    spec.name = "chat";
    spec.help = "A dialogue by hand: wait for a pattern, send a line, and so on in turn, without a log-in unless `login` says so; all that came";
    spec.arguments = {{"pattern", OptionType::string, true, "a regular expression; empty: nothing is waited for"}};
    spec.fields = {{"login", OptionType::boolean, false, "log in before; default: false"}};
    spec.rest = OperationSpec::Argument{"lines", OptionType::string, false, "a line, a pattern, a line …"};
    spec.run = [](Client& client, const Map& given, Deadline deadline) {
        TelnetClient& telnet = telnet_client(client);
        const Value* const login = given.find("login");
        std::string all;
        if (login != nullptr && login->is_bool() && login->as_bool())
            all += telnet.login(deadline);
        else
            telnet.connect(deadline);
        std::vector<std::string> words = words_of(given, "lines");
        words.insert(words.begin(), text_argument(given, "pattern"));
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (i % 2 == 1) {
                telnet.send_line(words[i], deadline);
            } else if (!words[i].empty()) {
                const TelnetMatch match = telnet.expect(words[i], deadline);
                all += match.before + match.text;
            }
        }
        return text_or_bytes(std::move(all));
    };
    return spec;
}

OperationSpec telnet_session() {
    OperationSpec spec;
    spec.name = "session";
    spec.help = "Log in, and tell what was agreed on with the server";
    spec.run = [](Client& client, const Map&, Deadline deadline) {
        TelnetClient& telnet = telnet_client(client);
        telnet.login(deadline);
        const TelnetSessionInfo info = telnet.session();
        List told;
        for (const std::string& one : info.told) told.emplace_back(one);
        return Value{Map{{"peer", info.peer},
                         {"prompt", text_or_bytes(info.prompt)},
                         {"echo", info.echo},
                         {"suppress_go_ahead", info.suppress_go_ahead},
                         {"binary_in", info.binary_in},
                         {"binary_out", info.binary_out},
                         {"told", std::move(told)}}};
    };
    return spec;
}

void check_telnet(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    if (url.host.empty()) findings.error("url", "missing-host", "the URL has no host", "write telnet://host");
    if (url.is_socket) findings.error("url", "missing-host", "a TELNET server is not reached by a UNIX socket");
    if (!url.path.empty() && url.path != "/") findings.warning("url", "unused-path", "TELNET knows no paths, so that of the URL is not used");
    if (url.username && is_set(definition, "username"))
        findings.warning("username", "unused-option", "the URL has a user, so 'username' is not used");
    if (url.password && is_set(definition, "password"))
        findings.warning("password", "unused-option", "the URL has a password, so 'password' is not used");
#ifndef QCONN_WITHOUT_HTTP
    check_proxy_options(definition, findings);
#endif
}

}  // namespace

Scheme telnet_scheme() {
    Scheme scheme;
    scheme.names = {"telnet"};
    scheme.family = "telnet";
    scheme.user_is_name = true;
    scheme.title = "TELNET";
    scheme.help = "Dialogues with shells, switches and other devices, without encryption. A ping connects; depth auth logs in.";
    scheme.example_url = "telnet://admin:secret@switch.example.com";
    scheme.default_ports = {{"telnet", k_telnet_port}};
    scheme.options = telnet_table().specs();
    scheme.sharing = Sharing::exclusive;  // what one user has begun, another must not go on with
    scheme.standard_depth = PingDepth::connect;
    scheme.clients = client_types<TelnetClient>({"TelnetClient"});
    scheme.operations = {telnet_run(), telnet_chat(), telnet_session()};
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_telnet(definition, findings);
    };
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<TelnetClient>(telnet_options_of(definition), runtime);
    };
    scheme.make_ping = telnet_ping;
    return scheme;
}

}  // namespace qconn::schemes
