// SPDX-License-Identifier: Apache-2.0
/// `qconn auth`: a log-in by OAuth 2, with the person in front of the browser where its grant wants one.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>

#include <qconn/base/error.hpp>
#include <qconn/http/oauth2.hpp>

#include "cli/duration.hpp"
#include "cli/live.hpp"
#include "cli/present.hpp"
#include "cli/prompt.hpp"
#include "cli/redirect.hpp"
#include "cli/redirect_server.hpp"
#include "cli/token_keeper.hpp"
#include "cli/tool.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): not all libraries declare it

namespace qconn::cli {
namespace {

struct AuthArguments {
    std::vector<std::string> names;
    std::string timeout;
    std::string port;
    bool paste{false};
    bool open{false};
    bool save{false};
    bool print{false};
};

Error of_log_in(AuthErrc code, const std::string& message, Reason reason, const std::string& name) {
    Error error{make_error_code(code), code == AuthErrc::option ? "OAUTH2-ERROR" : "REST-LOGIN-ERROR", message};
    return error.with_phase(Phase::auth).with_reason(reason).with_connection(name);
}

/// For what stands on standard error and is not wrong.
void note(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

/// Waits for a token, or a signal, which cancels it.
TokenPtr wait_for_token(Signals& signals, const std::function<Operation(Callback<TokenPtr>)>& start) {
    struct Box {
        std::mutex mutex;
        std::optional<Result<TokenPtr>> result;  // guarded by mutex
        Descriptor ready{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    };
    const auto box = std::make_shared<Box>();
    Operation operation = start([box](Result<TokenPtr> result) {
        const std::scoped_lock lock{box->mutex};
        box->result.emplace(std::move(result));
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = ::write(box->ready.get(), &one, sizeof one);
    });
    for (;;) {
        {
            const std::scoped_lock lock{box->mutex};
            if (box->result) return std::move(*box->result).value();
        }
        std::array<pollfd, 2> fds{{{box->ready.get(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), -1);
        if (signals.take() == 0) continue;
        operation.cancel();
        break_off();
    }
}

/// Leaves the URL to the desktop's browser.
void open_browser(const std::string& url) {
    posix_spawn_file_actions_t files{};
    posix_spawn_file_actions_init(&files);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    std::string program = "xdg-open";
    std::string argument = url;
    std::array<char*, 3> words{program.data(), argument.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawnp(&child, program.c_str(), &files, &attributes, words.data(), environ) != 0)
        note("qconn: note: there is no xdg-open to open the browser with; open the URL yourself");
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
}

std::uint16_t port_option(const std::string& text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0)
        throw UsageError("--port: '" + printable(text) + "' is no port; from 1 to 65535");
    return port;
}

/// Sends a person to the browser and takes what comes back from there.
class Walk {
public:
    Walk(const std::string& name, const AuthArguments& arguments, TokenSource& source, Signals& signals, Deadline until)
        : name_{name}, arguments_{arguments}, source_{source}, signals_{signals}, until_{until} {}

    TokenPtr run() {
        const std::string& configured = source_.options().redirect_url;
        std::optional<RedirectPlace> place = redirect_place(configured);
        if (!arguments_.port.empty() && !place)
            throw UsageError("--port is for a redirect URL on this machine; that of '" + name_ + "' is " + printable(mask_url(configured)));
        if (!arguments_.port.empty()) place->port = port_option(arguments_.port);
        std::optional<RedirectServer> server;
        std::string redirect_url = configured;
        if (place) {
            server.emplace(*place);
            redirect_url = server->url();
        }
        if (arguments_.paste) server.reset();
        const AuthorizationRequest request = source_.begin_authorization(redirect_url);
        send_away(request, server.has_value());
        const Redirected back = server ? server->wait(request.state, signals_, until_) : pasted(request);
        if (!back.error.empty()) {
            std::string why = printable(back.error);
            if (!back.description.empty()) why += ": " + printable(back.description);
            throw of_log_in(AuthErrc::login,
                            "logging in was refused at " + server_text() + ": " + why +
                                (back.error == "access_denied" ? "; allow the access there, or log in as somebody who may"
                                                               : "; check the client id, the redirect URL and the scopes that are registered there"),
                            Reason::denied, name_);
        }
        // It has its own time: what came in the last second is to be taken as well.
        const Deadline deadline{source_.options().fetch_timeout};
        return wait_for_token(signals_, [&](Callback<TokenPtr> callback) {
            return source_.async_finish_authorization(request, back.code, back.state, deadline, std::move(callback));
        });
    }

private:
    std::string server_text() const {
        const std::string& url = source_.options().auth_url;
        return printable(mask_url(url.substr(0, url.find('?'))));
    }

    void send_away(const AuthorizationRequest& request, bool listens) const {
        note("Open this URL in a browser and allow the access:\n\n    " + printable(request.url) + "\n");
        if (listens)
            note("Waiting for the browser at " + printable(request.redirect_url) + " (Ctrl-C ends it)");
        else
            note("The browser ends at " + printable(mask_url(request.redirect_url)) + "…, whether or not there is a page. Copy the URL from there.");
        if (!arguments_.open) return;
        if (at_terminal())
            open_browser(request.url);
        else
            note("qconn: note: --open does nothing without a terminal");
    }

    Redirected pasted(const AuthorizationRequest& request) const {
        constexpr std::string_view k_what = "the URL that the browser ended at, or the code in it";
        const Secret text = read_secret(k_what, {until_, &signals_});
        std::optional<Redirected> back = read_pasted(text.reveal());
        if (!back)
            throw of_log_in(AuthErrc::option, "what was given is not " + std::string{k_what} + ": it has neither code nor error, or has one twice",
                            Reason::bad_value, name_);
        const bool is_bare = text.reveal().find('=') == std::string_view::npos;
        if (is_bare && back->error.empty()) back->state = request.state;  // the person says that it belongs to this log-in
        if (!back->error.empty() && !(Secret{back->state} == Secret{request.state}))
            throw of_log_in(AuthErrc::option, "what was given belongs to another log-in: its state is another one; begin anew", Reason::bad_value,
                            name_);
        return std::move(*back);
    }

    const std::string& name_;
    const AuthArguments& arguments_;
    TokenSource& source_;
    Signals& signals_;
    Deadline until_;
};

[[noreturn]] void no_oauth2(const Loaded& loaded, const std::string& name, bool is_http) {
    const std::string scheme = loaded.registry->info(name).scheme;
    throw of_log_in(AuthErrc::option,
                    "the connection \"" + name + "\" has no log-in by OAuth 2: " +
                        (is_http ? "set oauth2_grant_type and what it needs ('qconn schemes " + scheme + "' has the options); 'qconn ping " + name +
                                       " --depth full' tries the credentials that it has"
                                 : "the scheme " + scheme + " knows none; 'qconn ping " + name + "' tries its credentials"),
                    Reason::unsupported, name);
}

/// What is told of a token: all but the token.
struct Told {
    std::string name;
    std::string grant;
    TokenPtr token;
    std::vector<std::string> scopes;
    bool scopes_said{false};
    /// There, but the one that the connection had before.
    bool same_refresh{false};
    /// The token stands in the definition.
    bool fixed{false};
    /// Where the refresh token was written; empty: nowhere.
    std::string saved;

    std::optional<std::chrono::seconds> lifetime() const {
        if (!token->lifetime) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::seconds>(*token->lifetime);
    }
};

std::vector<std::string> scopes_in(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        if (!word.empty()) words.emplace_back(word);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return words;
}

Value document_of(const Told& told, bool print) {
    const auto lifetime = told.lifetime();
    Map out{{"name", told.name},
            {"grant", told.grant},
            {"fixed_token", told.fixed},
            {"token_type", told.token->type},
            {"expires_in_s", lifetime ? Value{std::int64_t{lifetime->count()}} : Value{}},
            {"scopes", List(told.scopes.begin(), told.scopes.end())},
            {"refresh_token", !told.token->refresh.empty()},
            {"saved", told.saved.empty() ? Value{} : Value{told.saved}}};
    if (print) { out.set("printed", Map{{"access_token", told.token->access.reveal()}, {"refresh_token", told.token->refresh.reveal()}}); }
    return out;
}

std::string refresh_text(const Told& told, bool print) {
    if (told.token->refresh.empty()) {
        const bool by_person = told.grant == to_string(OAuth2Grant::authorization_code);
        return by_person ? "none came, so this log-in serves nobody later; servers want a scope for it (offline_access), or a parameter "
                           "(access_type: offline in oauth2_auth_args)"
                         : "none came, and none is needed: each process logs in by itself";
    }
    if (!told.saved.empty()) return "kept in " + printable(told.saved) + " as oauth2_refresh_token";
    if (told.same_refresh) return "the one that the connection has";
    return std::string{"came, and is kept nowhere: "} + (print ? "" : "--save writes it where those who use the connection find it, ") +
           (print ? "put it into oauth2_refresh_token" : "--print shows it");
}

void tell(Output& out, const Told& told, bool print) {
    if (told.fixed)
        out.line(printable(told.name) + "  has a token of its own (option token); nobody was asked");
    else
        out.line(printable(told.name) + "  " + out.paint(Style::good, "logged in") + " by " + told.grant);
    const auto lifetime = told.lifetime();
    Table table;
    table.add({"  token", printable(told.token->type) + (lifetime ? ", good for " + age_text(*lifetime) : ", with no end that the server says")});
    std::string scopes;
    for (const std::string& one : told.scopes) scopes += (scopes.empty() ? "" : " ") + one;
    table.add(
        {"  scopes", scopes.empty() ? "none were named" : printable(scopes) + (told.scopes_said ? "" : " (as asked for; the server names none)")});
    table.add({"  refresh token", refresh_text(told, print)});
    if (print) {
        table.add({"  access_token", printable(told.token->access.reveal())});
        if (!told.token->refresh.empty()) table.add({"  refresh_token", printable(told.token->refresh.reveal())});
    }
    out.text(table.render(out));
}

int auth(Tool& tool, const AuthArguments& arguments) {
    const std::string name = single_name(tool, arguments.names, "connection");
    constexpr std::chrono::minutes k_patience{5};
    const Deadline until = arguments.timeout.empty() ? Deadline{k_patience} : Deadline{duration_option("--timeout", arguments.timeout)};
    Signals signals{{SIGINT, SIGTERM}};  // before there are other threads
    const Loaded loaded = load(tool, false);
    require_connection(*loaded.registry, name);
    const auto client = loaded.registry->open<Client>(name);
    const auto* const http = dynamic_cast<const HttpClient*>(client.get());
    const auto source = http ? token_source(*http) : nullptr;
    if (!source) no_oauth2(loaded, name, http != nullptr);
    const OAuth2Options& options = source->options();
    const bool by_person = options.grant == OAuth2Grant::authorization_code;
    if (!by_person && (arguments.paste || arguments.open || !arguments.port.empty()))
        throw UsageError("--paste, --open and --port are for the grant authorization_code; '" + name + "' logs in by " +
                         std::string{to_string(options.grant)} + ", without a browser");
    std::optional<TokenKeeper> keeper;
    if (arguments.save) keeper.emplace(tool, *loaded.registry, name);

    Told told{name, std::string{to_string(options.grant)}, {}, {}, false, false, false, {}};
    told.token = by_person ? Walk{name, arguments, *source, signals, until}.run()
                           : wait_for_token(signals, [&](Callback<TokenPtr> callback) { return source->async_token(until, std::move(callback)); });
    told.scopes_said = !told.token->scope.empty();
    told.scopes = told.scopes_said ? scopes_in(told.token->scope) : options.scopes;
    told.fixed = !options.token.empty() && told.token->access == options.token;
    const Secret& refresh = told.token->refresh;
    told.same_refresh = !refresh.empty() && refresh == options.refresh_token;
    if (keeper && !refresh.empty() && !told.same_refresh) {
        try {
            keeper->keep(refresh);
        } catch (const Error& error) {
            Error lost = error;
            throw lost.with_prefix("the log-in was made, and its refresh token is lost (mend this and log in again): ");
        }
        told.saved = keeper->place();
    }
    present(tool.out, tool.format, {.document = document_of(told, arguments.print), .text = [&](Output& out) { tell(out, told, arguments.print); }});
    tool.out.flush();
    if (!told.saved.empty() && keeper->is_open_to_others())
        note("qconn: note: others on this machine can read " + printable(told.saved) +
             ": chmod 600, or keep secrets in a file of their own (--secrets)");
    if (!refresh.empty() && !told.same_refresh && !options.refresh_token.empty() && told.saved.empty())
        note("qconn: note: the server gave another refresh token in the place of the one that the connection has, which may be of no use any more");
    if (arguments.save && refresh.empty()) {
        note("qconn: error: there is no refresh token to save");
        return k_failed;
    }
    return k_ok;
}

}  // namespace

void add_auth(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("auth", "Log in by OAuth 2, with a browser where the connection's grant wants one");
    auto arguments = std::make_shared<AuthArguments>();
    command->add_option("name", arguments->names, "The connection")->type_name("NAME");
    command->add_flag("--save", arguments->save, "Write the refresh token into the file of --secrets, or, without one, into the definition");
    command->add_flag("--paste", arguments->paste, "Do not listen: ask for the URL that the browser ended at, or read it from standard input");
    command->add_flag("--open", arguments->open, "At a terminal: open the browser, by xdg-open");
    command
        ->add_option("--port", arguments->port,
                     "Port of this machine that the browser comes back to; default: that of oauth2_redirect_url, or a free one")
        ->type_name("PORT");
    command->add_option("--timeout", arguments->timeout, "Longest time until the browser is back; default 5m")->type_name("TIME");
    command->add_flag("--print", arguments->print, "Show the tokens: whoever reads them can use them");
    command->footer(
        "Grant authorization_code: it shows a URL, waits for the browser to come back to 127.0.0.1 (where oauth2_redirect_url is auto or such a "
        "URL;\n"
        "otherwise, and with --paste, it asks for the URL that the browser ended at), and exchanges the code. Other grants: it logs in once, which\n"
        "checks the credentials. Without --save and --print no token goes anywhere.\n\n"
        "Examples:\n"
        "  qconn auth crm --save\n"
        "  qconn --secrets secrets.yaml auth crm --save --open\n"
        "  qconn auth crm --paste               the browser is on another machine\n"
        "  qconn auth crm --port 8085 --timeout 10m");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return auth(tool, *arguments); }; });
}

}  // namespace qconn::cli
