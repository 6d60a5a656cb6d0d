// SPDX-License-Identifier: Apache-2.0
// Log-ins by a browser, against a real authorization server; and calls that show what they say.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include <qconn/http/http_client.hpp>

#include "../integration/auth/oauth2_fixture.hpp"
#include "../integration/vendors/stand_in.hpp"
#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// Connections to one server, and a person at a terminal.
struct LogIns : Estate {
    /// @param more  further options of the connection "crm", a line each
    explicit LogIns(const std::string& more = {}) {
        add("crm", "rest://" + token_server().address() + "/",
            "options:\n" + options("authorization_code", "-native") + "  oauth2_auth_url: /auth\n  oauth2_scopes: [openid, offline_access]\n" + more);
        add("shop", "rest://" + token_server().address() + "/", "options:\n" + options("client_credentials", "-post") + "  oauth2_scopes: [read]\n");
        add("files", "file://" + directory.path());
    }
    static std::string options(const std::string& grant, const std::string& client) {
        return "  oauth2_grant_type: " + grant + "\n  oauth2_client_id: " + std::string{k_user} + client +
               "\n  oauth2_client_secret: " + std::string{k_password} + "\n  oauth2_token_url: /token\n";
    }
    Launch at_terminal(std::vector<std::string> arguments, std::vector<std::string> environment = {}) const {
        environment.emplace_back("NO_COLOR=1");
        Launch launch = this->launch(std::move(arguments), std::move(environment));
        launch.terminal = true;
        return launch;
    }
    std::string text() const { return directory.read("crm.qconn.yaml"); }
};

constexpr const char* k_consent = "  oauth2_auth_args: {prompt: consent}\n";
constexpr const char* k_deny = "  oauth2_auth_args: {prompt: consent, login_hint: deny}\n";

/// The URL that the tool shows, once it waits.
std::string shown_url(Process& process, std::string_view waits) {
    REQUIRE(process.wait_for(waits));
    const std::string& text = process.pending();
    const auto begin = std::min(text.find("http://"), text.find("https://"));
    return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

HttpResponse visit(const std::string& url) {
    HttpOptions options;
    options.url = url;
    options.error_passthru = true;
    HttpClient browser{options};
    return browser.get(url, Deadline{20s});
}

/// What was kept, if anything, logs later processes in.
void check_works(const LogIns& estate, std::vector<std::string> words) {
    words.insert(words.end(), {"call", "crm", "get", "resource"});
    const Outcome later = estate.run(words);
    INFO(later.err);
    CHECK(later.code == 0);
    CHECK(has(later.out, "qconntest-native"));
}

}  // namespace

TEST_CASE("auth: a person comes back from the browser, and the refresh token serves later processes", "[cli][auth][integration]") {
    const LogIns estate{k_consent};
    CHECK(estate.run({"call", "crm", "get", "resource"}).code == 1);
    Process process{estate.at_terminal({"auth", "crm", "--save"})};

    const BackFromBrowser back = browse(shown_url(process, "Ctrl-C"));
    CHECK(back.url.starts_with("http://127.0.0.1:"));
    CHECK(visit(back.url.substr(0, back.url.find('?')) + "favicon.ico").status == 404);
    const HttpResponse page = visit(back.url);
    const Outcome outcome = process.finish();

    INFO(outcome.out);
    CHECK(page.status == 200);
    CHECK(has(page.body, "The code has come"));
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "crm  logged in by authorization_code"));
    CHECK(has(outcome.out, "good for 10 min"));
    CHECK(has(outcome.out, "openid offline_access"));
    CHECK(has(outcome.out, "crm.qconn.yaml as oauth2_refresh_token"));
    CHECK(has(outcome.out, "others on this machine can read"));
    const std::string text = estate.text();
    const auto begin = text.find("oauth2_refresh_token: ");
    REQUIRE(begin != std::string::npos);
    const std::string token = text.substr(begin + 22, text.find('\n', begin) - begin - 22);
    CHECK(token.size() > 20);
    CHECK_FALSE(has(outcome.out, token));
    CHECK_FALSE(has(outcome.out, k_password));
    CHECK_FALSE(has(outcome.out, back.code));
    check_works(estate, {});
}

TEST_CASE("auth: a person lets a connection into the API of a vendor, and later processes need none", "[cli][auth][vendors][integration]") {
    const Vendor now{"servicenow"};
    const Vendor dataverse{"dataverse"};
    const Vendor salesforce{"salesforce", "login"};
    const std::string entra = "https://" + dataverse.address("login") + "/" + dataverse.login("tenant") + "/oauth2/v2.0/";
    struct Case {
        std::string url;
        const Vendor& vendor;
        std::string more;
        std::string path;
    };
    for (const Case& one :
         {Case{"snrests://" + now.address(), now, "", "table/incident"},
          Case{"cdsrests://" + dataverse.address(), dataverse,
               dataverse.option("tenant") + yaml_line("oauth2_token_url", entra + "token") + yaml_line("oauth2_auth_url", entra + "authorize"),
               "accounts"},
          Case{"sfrests://" + salesforce.address(), salesforce, "", "sobjects/Account"}}) {
        INFO(one.url);
        Estate estate;
        std::string options = "options:\n";
        std::istringstream lines{yaml_line("ssl_ca_file", tls_file("ca.crt")) + one.vendor.option("client_id") + one.vendor.option("client_secret") +
                                 "oauth2_grant_type: authorization_code\n" + one.more};
        for (std::string line; std::getline(lines, line);) options += "  " + line + "\n";
        estate.add("api", one.url, options);
        const Outcome before = estate.run({"call", "api", "get", one.path});
        CHECK(before.code == 1);
        CHECK(has(before.err, "REST-TOKEN-ERROR"));
        CHECK(has(before.err, "qconn auth api"));
        Launch launch = estate.launch({"auth", "api", "--save"}, {"NO_COLOR=1"});
        launch.terminal = true;
        Process process{std::move(launch)};

        visit(browse(shown_url(process, "Ctrl-C")).url);
        const Outcome outcome = process.finish();

        INFO(outcome.out);
        CHECK(outcome.code == 0);
        CHECK(has(outcome.out, "logged in by authorization_code"));
        CHECK(has(outcome.out, "api.qconn.yaml as oauth2_refresh_token"));
        CHECK_FALSE(has(outcome.out, one.vendor.login("client_secret")));
        const Outcome later = estate.run({"call", "api", "get", one.path});
        INFO(later.err);
        CHECK(later.code == 0);
    }
}

TEST_CASE("auth: with a private file of secrets the token goes there, also in the place of another one", "[cli][auth][integration]") {
    const LogIns estate{k_consent};
    const std::string secrets = estate.directory.write("secrets.yaml", "# mine\ncrm:\n  oauth2_refresh_token: gone  # old\n");
    REQUIRE(::chmod(secrets.c_str(), 0600) == 0);
    const std::string before = estate.text();
    Process process{estate.at_terminal({"--secrets", "secrets.yaml", "auth", "crm", "--save"})};

    visit(browse(shown_url(process, "Ctrl-C")).url);
    const Outcome outcome = process.finish();

    INFO(outcome.out);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "kept in secrets.yaml"));
    CHECK(estate.text() == before);
    const std::string text = estate.directory.read("secrets.yaml");
    CHECK(has(text, "# mine\ncrm:\n  oauth2_refresh_token: \""));
    CHECK(has(text, "\"  # old\n"));
    check_works(estate, {"--secrets", "secrets.yaml"});
}

TEST_CASE("auth: without --save nothing is written and no token is seen, --print shows them", "[cli][auth][integration]") {
    const bool print = GENERATE(false, true);
    const LogIns estate{k_consent};
    const std::string before = estate.text();
    std::vector<std::string> words{"auth", "crm", "--json", "--port", std::to_string(free_port())};
    if (print) words.emplace_back("--print");
    Process process{estate.at_terminal(words)};

    const BackFromBrowser back = browse(shown_url(process, "Ctrl-C"));
    CHECK(has(back.url, ":" + words[4] + "/?"));
    visit(back.url);
    const Outcome outcome = process.finish();

    INFO(outcome.out);
    CHECK(outcome.code == 0);
    CHECK(estate.text() == before);
    const json told = json::parse(outcome.out.substr(outcome.out.find('{')));
    CHECK(told["refresh_token"] == true);
    CHECK(told["saved"].is_null());
    CHECK(told["expires_in_s"] == 600);
    CHECK(told["scopes"] == json{"openid", "offline_access"});
    CHECK(told.contains("printed") == print);
}

TEST_CASE("auth: another log-in's code is refused, and the waiting goes on", "[cli][auth][integration]") {
    const LogIns estate{k_consent};
    Process process{estate.at_terminal({"auth", "crm"})};

    const BackFromBrowser back = browse(shown_url(process, "Ctrl-C"));
    const HttpResponse foreign = visit(back.url.substr(0, back.url.find('?')) + "?code=" + back.code + "&state=somebody-elses");
    CHECK(process.wait_for("note: a browser brought the code of another log-in"));
    const HttpResponse own = visit(back.url);
    const Outcome outcome = process.finish();

    INFO(outcome.out);
    CHECK(foreign.status == 400);
    CHECK(has(foreign.body, "belongs to another log-in"));
    CHECK(own.status == 200);
    CHECK(outcome.code == 0);
}

TEST_CASE("auth: what the provider refuses is told in its words", "[cli][auth][integration]") {
    const LogIns estate{k_deny};
    Process process{estate.at_terminal({"auth", "crm"})};

    const HttpResponse page = visit(browse(shown_url(process, "Ctrl-C")).url);
    const Outcome outcome = process.finish();

    INFO(outcome.out);
    CHECK(has(page.body, "not allowed"));
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "REST-LOGIN-ERROR: logging in was refused at http://127.0.0.1:"));
    CHECK(has(outcome.out, "access_denied: the person said no"));
}

TEST_CASE("auth: the URL that the browser ended at can be pasted, and so can the code", "[cli][auth][integration]") {
    const bool whole = GENERATE(true, false);
    const LogIns estate{k_consent};
    Process process{estate.at_terminal({"auth", "crm", "--paste"})};

    const BackFromBrowser back = browse(shown_url(process, "or the code in it: "));
    process.type((whole ? back.url : back.code) + "\n");
    const Outcome outcome = process.finish();

    INFO(outcome.out);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "logged in by authorization_code"));
    CHECK(has(outcome.out, "--save writes it where"));
    CHECK_FALSE(has(outcome.out, back.code));
}

TEST_CASE("auth: what is pasted must belong to this log-in, and must be something", "[cli][auth][integration]") {
    struct Case {
        std::string pasted;
        int code;
        std::string told;
    };
    for (const Case& one :
         {Case{"https://app.example/back?code=C4nary&state=another", 1, "the state that came back"}, Case{"", 2, "nothing was changed"},
          Case{"https://app.example/", 1, "neither code nor error"}, Case{"C4nary", 1, "invalid_grant"}, Case{"\x03", 2, "broken off"}}) {
        const LogIns estate{"  oauth2_redirect_url: https://app.example/back\n"};
        Process process{estate.at_terminal({"auth", "crm"})};
        CHECK(has(shown_url(process, "or the code in it: "), "app.example"));

        process.type(one.pasted + "\n");
        const Outcome outcome = process.finish();

        INFO(outcome.out);
        CHECK(outcome.code == one.code);
        CHECK(has(outcome.out, one.told));
        CHECK_FALSE(has(outcome.out, "C4nary"));
    }
}

TEST_CASE("auth ends at Ctrl-C, at the end of its time, and where there is no input", "[cli][auth][integration]") {
    const LogIns estate{};
    for (const char* how : {"", "--paste"}) {
        std::vector<std::string> words{"auth", "crm"};
        if (*how != '\0') words.emplace_back(how);
        Process process{estate.at_terminal(words)};
        shown_url(process, *how == '\0' ? "Ctrl-C" : "or the code in it: ");
        process.signal(SIGINT);
        const Outcome outcome = process.finish();
        INFO(outcome.out);
        CHECK(outcome.code == 1);
        CHECK(has(outcome.out, "broken off; nothing was changed"));
    }
    const Outcome late = estate.run({"auth", "crm", "--timeout", "200ms"});
    CHECK(late.code == 1);
    CHECK(has(late.err, "TIMEOUT: waiting for the browser at http://127.0.0.1:"));
    CHECK(has(late.err, "nobody came back in time; --timeout gives more"));
    CHECK(has(Process{estate.at_terminal({"auth", "crm", "--paste", "--timeout", "200ms"})}.finish().out, "nothing came in time"));
    const Outcome silent = estate.run({"auth", "crm", "--paste", "--open"});
    CHECK(silent.code == 2);
    CHECK(has(silent.err, "--open does nothing without a terminal"));
}

TEST_CASE("auth --open gives the URL to the desktop", "[cli][auth][integration]") {
    const LogIns estate{};
    const std::string opened = estate.directory / "opened";
    const std::string script =
        estate.directory.write("xdg-open", "#!/bin/sh\nprintf '%s' \"$1\" >\"" + opened + ".new\"\nmv \"" + opened + ".new\" \"" + opened + "\"\n");
    REQUIRE(::chmod(script.c_str(), 0700) == 0);
    Process process{estate.at_terminal({"auth", "crm", "--open", "--timeout", "1m"}, {"PATH=" + estate.directory.path() + ":/usr/bin:/bin"})};
    const std::string url = shown_url(process, "Ctrl-C");

    CHECK(wait_until([&] { return std::filesystem::exists(opened); }, 20s));
    CHECK(estate.directory.read("opened") == url);
}

TEST_CASE("auth: what cannot be kept is said before anybody logs in", "[cli][auth][integration]") {
    const auto refused = [](const LogIns& estate, const std::vector<std::string>& words) {
        const Outcome outcome = estate.run(words);
        CHECK(outcome.code == 1);
        CHECK_FALSE(has(outcome.err, "Open this URL"));
        return outcome.err;
    };
    const LogIns referring{"  oauth2_refresh_token: ${env:CRM_TOKEN}\n"};
    CHECK(has(refused(referring, {"auth", "crm", "--save"}), "SECRET-ERROR"));
    const Outcome there = referring.run({"auth", "crm", "--save"}, {"CRM_TOKEN=x"});
    CHECK(has(there.err, "refers to it as ${env:CRM_TOKEN}"));
    LogIns locked{};
    locked.directory.write("crm.qconn.yaml", locked.text() + "locked: true\n");
    CHECK(has(refused(locked, {"auth", "crm", "--save"}), "CONNECTION-LOCKED"));
}

TEST_CASE("auth: other grants log in once, and connections without OAuth 2 are told what to do", "[cli][auth][integration]") {
    const LogIns estate{};

    const Outcome checked = estate.run({"auth", "shop", "--json"});
    INFO(checked.err);
    CHECK(checked.code == 0);
    const json told = json::parse(checked.out);
    CHECK(told["grant"] == "client_credentials");
    CHECK(told["scopes"] == json{"read"});
    CHECK(told["refresh_token"] == false);
    CHECK(has(estate.run({"auth", "shop"}).out, "none is needed"));
    CHECK(estate.run({"auth", "shop", "--save"}).code == 1);
    CHECK(estate.run({"auth", "shop", "--paste"}).code == 2);
    CHECK(estate.run({"auth", "nobody"}).code == 3);
    const Outcome files = estate.run({"auth", "files"});
    CHECK(files.code == 1);
    CHECK(has(files.err, "has no log-in by OAuth 2: the scheme file knows none"));
    CHECK(estate.run({"set", "shop", "oauth2_client_secret=Wr0ng-canary"}).code == 0);
    const Outcome wrong = estate.run({"auth", "shop"});
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err, "invalid_client"));
    CHECK_FALSE(has(wrong.err, "canary"));
}

TEST_CASE("call --verbose shows what is said over HTTP on standard error, secrets masked", "[cli][auth][integration]") {
    const LogIns estate{};

    const Outcome outcome = estate.run({"call", "shop", "get", "resource", "-v"});

    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "qconntest-post"));
    const std::string at = "http://" + token_server().address();
    CHECK(has(outcome.err, "> POST " + at + "/token\n"));
    CHECK(has(outcome.err, "client_secret=<masked>"));
    CHECK(has(outcome.err, "\"access_token\":\"<masked>\""));
    CHECK(has(outcome.err, "> GET " + at + "/resource\n"));
    CHECK(has(outcome.err, "> Authorization: Bearer <masked>\n"));
    CHECK(has(outcome.err, "* connected to " + token_server().address() + "\n< HTTP/1.1 200 OK\n"));
    CHECK(has(outcome.err, "first byte "));
    CHECK_FALSE(has(outcome.err, k_password));
    CHECK(has(estate.run({"call", "files", "list", "--verbose"}).err, "* nothing was sent over HTTP"));
    CHECK_FALSE(has(estate.run({"call", "shop", "get", "resource"}).err, "POST"));
}
