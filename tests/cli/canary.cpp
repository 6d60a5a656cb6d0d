// SPDX-License-Identifier: Apache-2.0
// A canary in every place of every built-in scheme that can hold a secret, taken from the option tables, written out where such values are masked and
// by reference and in a private file of secrets; then all that the library and the tool say about these connections is searched for it.
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/file/file_client.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/monitor/monitor.hpp>

#include "base/text.hpp"
#include "estate.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_limit = 500ms;  // many cannot answer: this is what the test takes its time for

constexpr std::string_view k_mark = "cn4ry";  // in lower case, as hosts are

/// Where a canary shows; empty: nowhere.
std::string leak_in(std::string_view output) {
    const std::string lower = text::to_lower(output);
    const auto at = lower.find(k_mark);
    return at == std::string::npos ? std::string{} : std::string{output.substr(at > 200 ? at - 200 : 0, 300)};
}

/// Connections with a canary each. Their names say where it is.
class Aviary {
public:
    explicit Aviary(const Server& nginx) : nginx_{nginx}, nowhere_{"127.0.0.1:" + std::to_string(free_port())} {
        for (const Scheme* scheme : builtin_catalogue().schemes())
            for (auto name = scheme->names.rbegin(); name != scheme->names.rend(); ++name) plant(*scheme, *name);  // with TLS there is more to say
        ::chmod(estate_.directory.write("secrets.yaml", overlay_).c_str(), 0600);
    }

    std::string secrets_file() const { return estate_.directory / "secrets.yaml"; }

    const Estate& estate() const noexcept { return estate_; }
    const std::vector<std::string>& names() const noexcept { return names_; }

private:
    std::string canary() { return "Cn4ry" + std::to_string(10'000 + count_++) + "x"; }

    /// A reference to that text.
    std::string by_environment(const std::string& text) {
        const std::string name = "QCONN_T_PLACE_" + std::to_string(count_++);
        ::setenv(name.c_str(), text.c_str(), 1);
        return "${env:" + name + "}";
    }
    std::string by_file(const std::string& text) {
        const std::string name = "secret-" + std::to_string(count_++);
        return "${file:" + estate_.directory.write(name, text + "\n") + "}";
    }

    void add(const std::string& name, const std::string& url, const Map& options) {
        Definition definition;
        definition.name = name;
        definition.description = "a canary";
        definition.url = url;
        definition.options = options;
        estate_.directory.write(name + ".qconn.yaml", to_yaml(definition));
        names_.push_back(name);
    }

    /// The definition says nothing of it.
    void add_to_overlay(const std::string& name, const std::string& url, const Map& options, const std::string& entry) {
        add(name, url, options);
        overlay_ += name + ":\n  " + entry + ": " + canary() + "\n";
    }

    /// What an option needs beside it to be looked at.
    static Map companions(const Scheme& scheme, const std::string& option) {
        Map map;
        const auto set = [&](const char* name, const char* value) {
            if (option != name && scheme.option(name)) map.set(name, Value{value});
        };
        if (option == "username") set("password", "p");
        if (option == "password") set("username", "edi");
        if (option.starts_with("ping_")) {
            set("ping_method", "POST");
            set("ping_path", "status/401");
        }
        if (option.starts_with("oauth2_")) {
            set("oauth2_grant_type", "client_credentials");
            set("oauth2_client_id", "shop");
            set("oauth2_client_secret", "s");
            set("oauth2_token_url", "/status/401");
        }
        if (option.starts_with("ssl_key")) set("ssl_cert_path", "/no/such/file");
        return map;
    }

    static Value shaped(const OptionSpec& spec, const std::string& text) {
        if (spec.type == OptionType::map) return Map{{"X-Key", text}};
        if (spec.type == OptionType::list) return List{text};
        return text;
    }

    void plant(const Scheme& scheme, const std::string& name) {
        const bool network = scheme.option("timeout") != nullptr;
        const bool tls = name.ends_with('s');
        const std::string here = network ? (tls ? nginx_.address2() : nginx_.address()) : estate_.directory.path();
        const std::string start = name + "://";
        for (const OptionSpec& spec : scheme.options) {
            // What schemes share is one option, and each place costs seconds.
            if (!planted_.insert(spec.name + spec.help).second) continue;
            if (spec.type == OptionType::boolean || spec.type == OptionType::integer || spec.type == OptionType::number) continue;
            const std::string c = canary();
            const bool is_url = spec.name == "proxy";
            const auto planted = [&](const std::string& how, const std::string& text) {
                Map options = companions(scheme, spec.name);
                options.set(spec.name, shaped(spec, text));
                add(name + "-" + spec.name + "-" + how, start + here, options);
            };
            const std::string whole = is_url ? "http://" + c + "user:" + c + "word@" + c + "host.invalid:3128" : c;
            planted("env", by_environment(whole));
            // Each costs seconds; these two take the same way whatever the option is called.
            if (!spec.name.starts_with("oauth2_")) {
                planted("file", by_file(whole));
                planted("joined", "x" + by_environment(c));
            }
            const bool is_masked = spec.sensitive || spec.type == OptionType::map || spec.type == OptionType::any || spec.type == OptionType::data;
            if (is_masked) planted("literal", c);
            if (spec.sensitive && (spec.type == OptionType::string || spec.type == OptionType::map))
                add_to_overlay(name + "-" + spec.name + "-overlay", start + here, companions(scheme, spec.name),
                               spec.type == OptionType::map ? spec.name + ".X-Key" : spec.name);
            if (spec.type == OptionType::map && !spec.sensitive)
                add_to_overlay(name + "-" + spec.name + "-overlay", start + here, {}, spec.name + ".Authorization");
            if (is_url) add_to_overlay(name + "-proxy-overlay", start + here, Map{{"proxy", "http://edi@" + nowhere_}}, "proxy.password");
            if (!spec.content.empty()) planted("reference-env", "https://" + nowhere_ + "/" + by_environment(c));
            if (!spec.content.empty()) planted("reference", "https://edi:" + c + "@" + nowhere_ + "/x?token=" + c);
            if (is_url) planted("literal", "http://edi:" + c + "@" + nowhere_);
            if (spec.name.ends_with("path") && !spec.file) planted("query", "/x?token=" + c + "&b=1");
        }
        // The names of a family share what reads their URLs: with and without TLS are enough.
        if (++of_family_[scheme.family] > 2) return;
        const auto url = [&](const std::string& where, const std::string& rest) { add(name + "-url-" + where, start + rest, {}); };
        url("path", here + "/" + by_environment(canary()));
        url("host", by_environment(canary() + ".invalid"));
        url("file", by_file("/nowhere/" + canary() + "/"));
        if (!network) return;
        url("password", "edi:" + canary() + "@" + here + "/auth");
        url("password-refused", "edi:" + canary() + "@" + nowhere_);
        url("password-env", "edi:" + by_environment(canary()) + "@" + here + "/auth");
        url("password-joined", "edi:x" + by_environment(canary()) + canary() + "@" + here + "/auth");
        add_to_overlay(name + "-url-overlay", start + "edi@" + here + "/auth", {}, "url.password");
        add_to_overlay(name + "-url-overlay-unused", start + "edi:own@" + here + "/auth", {}, "url.password");
        add_to_overlay(name + "-url-overlay-wrong", start + here, {}, "pasword");
        url("user", by_environment(canary()) + ":p@" + here + "/auth");
        url("query", here + "/status/401?token=" + canary());
        url("query-env", here + "/status/401?q=" + by_environment(canary()));
        url("path-refused", nowhere_ + "/" + by_environment(canary()) + "?q=" + by_environment(canary()));
    }

    const Server& nginx_;
    const std::string nowhere_;
    Estate estate_;
    std::vector<std::string> names_;
    std::set<std::string> planted_;
    std::map<std::string, int> of_family_;
    std::string overlay_;
    int count_{0};
};

/// What the library says, piece by piece; a piece with a canary in it fails the test.
class Listener {
public:
    void hear(std::string_view where, std::string_view text) {
        const std::string leak = leak_in(text);
        const std::scoped_lock lock{mutex_};
        ++heard_;
        if (!leak.empty()) leaks_.push_back(std::string{where} + ": " + leak);
    }
    void hear(std::string_view where, const PingResult& result) {
        if (result.error) hear(where, result.error->what());
        for (const auto& step : result.steps) hear(where, step.evidence);
        if (result.tls) hear(where, result.tls->verdict);
        for (const Credential& one : result.credentials) hear(where, one.subject + one.issuer + one.fingerprint);
    }
    template <class F>
    void hear_errors(std::string_view where, F call) {
        try {
            call();
        } catch (const Error& error) { hear(where, error.what()); }
    }
    std::vector<std::string> leaks() const {
        const std::scoped_lock lock{mutex_};
        return leaks_;
    }
    std::size_t heard() const {
        const std::scoped_lock lock{mutex_};
        return heard_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> leaks_;
    std::size_t heard_{0};
};

void check_silent(const Listener& listener) {
    for (const std::string& leak : listener.leaks()) FAIL_CHECK("leaked: " << leak);
}

/// Calls it for each, several at a time.
template <class T, class F>
void each_of(const std::vector<T>& all, F call, int at_once = 12) {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < at_once; ++i)
        threads.emplace_back([&] {
            for (std::size_t at = next++; at < all.size(); at = next++) call(all[at]);
        });
    for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("no canary is in what the library says: findings, errors, evidence, logs, events", "[secret][integration]") {
    Server nginx{"nginx"};
    const Aviary aviary{nginx};
    Listener listener;
    RuntimeOptions runtime_options;
    runtime_options.log = Log{LogLevel::debug, [&](const LogRecord& record) {
                                  listener.hear("log", record.text);
                                  for (const auto& field : record.fields) listener.hear("log", field.second);
                              }};
    RegistryOptions options;
    options.runtime = Runtime{runtime_options};
    options.secrets_file = aviary.secrets_file();
    Registry registry{options};
    for (const auto& finding : registry.load(aviary.estate().directory.path()).diagnostics) {
        listener.hear("load", render(finding));
        listener.hear("load", summary(finding));
    }
    REQUIRE(registry.size() == aviary.names().size());

    const auto look_at = [&](const ConnectionInfo& info) {
        listener.hear("info", info.url + info.problem + to_text(Value{info.options}) + to_text(Value{info.local_secrets}));
        const std::string where = "connection " + info.name;
        for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::full})
            listener.hear_errors(where, [&] { listener.hear(where, registry.ping(info.name, depth, Deadline{k_limit}, true)); });
        listener.hear_errors(where, [&] {
            const auto client = registry.open<Client>(info.name);
            for (const auto& operation : registry.catalogue().find(info.scheme)->operations) {
                if (operation.name == "write" || operation.name == "remove" || operation.name == "move") continue;
                listener.hear_errors(where, [&] { operation.run(*client, Map{{"path", "no/such"}}, Deadline{k_limit}); });
            }
        });
        listener.hear_errors(where, [&] { registry.client(info.name); });
    };
    // Most of the time is spent waiting for what does not answer.
    each_of(registry.infos(), look_at);
    {
        Monitor monitor{registry};
        const Subscription events = monitor.subscribe([&](const Event& event) { listener.hear("event", event.error); });
        monitor.start();
        each_of(aviary.names(), [&](const std::string& name) {
            listener.hear_errors("monitor " + name, [&] { listener.hear("monitor " + name, monitor.ping(name, Deadline{k_limit})); });
        });
        for (const auto& status : monitor.statuses()) listener.hear("status " + status.name, status.error);
        for (const auto& alert : monitor.alerts()) listener.hear("alert " + alert.name, alert.text);
    }
    check_silent(listener);
    CHECK(listener.heard() > 10 * aviary.names().size());
}

TEST_CASE("no canary is in what calls say after their client and registry have gone", "[secret][integration]") {
    const SilentServer silent;
    const Estate estate;
    ::setenv("QCONN_T_GONE", "cn4ry-gone", 1);
    estate.add("files", "file:///nowhere/${env:QCONN_T_GONE}");
    estate.add("api", "http://127.0.0.1:" + std::to_string(silent.port()) + "/${env:QCONN_T_GONE}");
    Listener listener;
    std::atomic<int> ended{0};
    const auto heard = [&](const auto& result) {
        if (!result) listener.hear("callback", result.error().what());
        ++ended;
    };
    for (int i = 0; i < 20; ++i) {
        Registry registry;
        registry.load(estate.directory.path());
        const auto files = registry.open<FileClient>("files");
        const auto api = registry.open<HttpClient>("api");
        files->async_read("x", Deadline{5s}, [&](Result<std::string> result) { heard(result); });
        api->async_request({.path = "x"}, Deadline{5s}, [&](Result<HttpResponse> result) { heard(result); });
        api->async_request({.path = "http://127.0.0.1:1/cn4ry-gone"}, Deadline{5s}, [&](Result<HttpResponse> result) { heard(result); });
    }
    REQUIRE(wait_until([&] { return ended == 60; }));
    CHECK(listener.heard() == 60);
    check_silent(listener);
}

TEST_CASE("no canary is in what the tool prints", "[secret][cli][integration]") {
    Server nginx{"nginx"};
    const Aviary aviary{nginx};
    Listener listener;
    std::vector<std::vector<std::string>> commands;
    std::atomic<int> broken{0};
    const auto run_once = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--secrets", aviary.secrets_file()});
        const Outcome outcome = aviary.estate().run(arguments);
        std::string where;
        for (const auto& argument : arguments) where += argument + " ";
        listener.hear(where, outcome.out);
        listener.hear(where, outcome.err);
        if (outcome.code < 0) ++broken;
    };
    const auto run = [&](std::vector<std::string> arguments) {
        commands.push_back(arguments);
        arguments.emplace_back("--json");
        commands.push_back(std::move(arguments));
    };
    run({"check"});
    run({"list"});
    run({"plan", "."});
    run({"secrets", "audit"});
    run({"schemes"});
    run({"schema"});
    run({"ping", "--all", "--timeout", "500ms"});
    run({"ping", "--all", "--timeout", "500ms", "--depth", "full"});
    run({"down", "--timeout", "500ms"});
    run({"expiring", "--all", "--timeout", "500ms"});
    run({"monitor", "--interval", "200ms", "--for", "1s"});
    // In turns as text and as JSON: each scheme has many names.
    int turn = 0;
    const auto run_by_turns = [&](std::vector<std::string> arguments) {
        if (++turn % 2 == 0) arguments.emplace_back("--json");
        commands.push_back(std::move(arguments));
    };
    const bool all = std::getenv("QCONN_TEST_CANARIES") != nullptr;
    int place = 0;
    for (const auto& name : aviary.names()) {
        if (name.find("-url-") != std::string::npos && !name.starts_with("rests-") && !name.starts_with("file-")) continue;
        // A process each takes long: every eighth place is enough here, and one of the forms that an option can have, as the tool shows what the
        // library tells of it. All that is planted was in the listings above.
        if (!all && ++place % 8 != 0) continue;
        const auto is_about = [&](const char* what) { return name.find(what) != std::string::npos; };
        const bool is_everywhere =
            is_about("-url-") || is_about("-proxy-env") || is_about("-token-") || is_about("-password-") || is_about("-overlay");
        if (is_everywhere || name.ends_with("-env")) run_by_turns({"show", name});
        if (!is_everywhere || is_about("-oauth2_")) continue;  // what tokens are got with goes the way of passwords
        run_by_turns({"explain", name, "--timeout", "500ms"});
        run_by_turns(
            {"call", name, name.starts_with("file-") || name.starts_with("dir-") ? "stat" : "get", "no/such", "--timeout", "500ms", "--verbose"});
    }
    each_of(commands, run_once, 3);
    CHECK(broken == 0);
    check_silent(listener);
}

TEST_CASE("the search finds a canary that is shown on purpose", "[secret][cli][integration]") {
    const Estate estate;
    estate.add("shown", "file://" + estate.directory.path() + "/Cn4ry1x");
    const Outcome shown = estate.run({"show", "shown"});
    Listener listener;
    listener.hear("show", shown.out);
    Registry registry;
    registry.load(estate.directory.path());
    listener.hear("ping", registry.ping("shown", PingDepth::standard, Deadline{5s}, true));
    CHECK(listener.leaks().size() >= 2);
}
