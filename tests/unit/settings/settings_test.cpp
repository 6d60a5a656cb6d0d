// SPDX-License-Identifier: Apache-2.0
#include <qconn/settings/settings.hpp>

#include <chrono>
#include <cstdlib>
#include <set>
#include <string>

#include <qconn/core/file_resolver.hpp>
#include <qconn/core/scheme.hpp>

#include "base/json.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

/// A variable of this process for as long as it lives.
class Variable {
public:
    Variable(std::string name, const std::string& value) : name_{std::move(name)} { ::setenv(name_.c_str(), value.c_str(), 1); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_.c_str()); }

private:
    std::string name_;
};

Settings by_code(const Map& values) { return Settings{{.file = {}, .code = values, .environment = false}}; }

std::string refusal(const SettingsSources& sources) {
    try {
        (void)Settings{sources};
    } catch (const Error& error) {
        CHECK(error.name() == "SETTINGS-ERROR");
        return error.what();
    }
    return {};
}
std::string refusal(const Map& values) { return refusal(SettingsSources{.file = {}, .code = values, .environment = false}); }

bool has(const std::string& text, std::string_view part) {
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("settings that are absent keep their defaults", "[settings]") {
    const Settings settings = by_code({});

    CHECK(settings.monitor().interval == MonitorOptions{}.interval);
    CHECK(settings.monitor().fast == 0ms);
    CHECK(settings.monitor().depth == PingDepth::standard);
    CHECK(settings.monitor().manage_interfaces);
    CHECK(settings.runtime().blocking_threads == RuntimeOptions{}.blocking_threads);
    CHECK(settings.watch().debounce == WatchOptions{}.debounce);
    CHECK(settings.registry().limits.max_nodes == DefinitionLimits{}.max_nodes);
    CHECK(settings.registry().suffix == RegistryOptions{}.suffix);
    CHECK(settings.registry().option_defaults.empty());
    CHECK(settings.modules().is_null());
    for (const Setting& one : settings.all()) CHECK(one.origin == SettingOrigin::fallback);
}

TEST_CASE("settings are taken under our names and under those of Qorus", "[settings]") {
    CHECK(by_code({{"monitor", Map{{"interval", 10'000}}}}).monitor().interval == 10s);
    CHECK(by_code({{"monitor.interval", 10'000}}).monitor().interval == 10s);
    CHECK(by_code({{"monitor", Map{{"ping-interval", 10'000}}}}).monitor().interval == 10s);
    CHECK(by_code({{"qorus.ping-interval", 10'000}}).monitor().interval == 10s);
    CHECK_FALSE(by_code({{"manage-interfaces", false}}).monitor().manage_interfaces);
    CHECK_FALSE(by_code({{"qorus.manage-interfaces", "no"}}).monitor().manage_interfaces);
    CHECK(by_code({{"alert-fs-full", 90}}).monitor().alert_fs_full == 90);
    CHECK(by_code({{"monitor.alert_certificate_days", 30}}).monitor().alert_certificate_days == 30);
    CHECK_FALSE(by_code({{"monitor.history", false}}).monitor().history);
    CHECK(by_code({{"monitor.state_file", "/var/m.state"}}).monitor().state_file == "/var/m.state");
    CHECK(by_code({{"monitor.max_in_flight", "12"}}).monitor().max_in_flight == 12);
    CHECK(by_code({{"monitor.depth", "tls"}}).monitor().depth == PingDepth::tls);
    CHECK(by_code({{"runtime", Map{{"io_threads", 3}, {"resolver_threads", 5}}}}).runtime().io_threads == 3);
    CHECK(by_code({{"qorus.connection-modules", List{"redis"}}}).modules() == Value{List{"redis"}});
    CHECK(by_code({{"limits.definition_depth", 9}}).registry().limits.max_depth == 9);
    CHECK(by_code({{"limits.file_size", 2048}}).registry().files->limits().max_size == 2048);
    CHECK(by_code({{"watch.poll", 50}}).watch().poll == 50ms);
    CHECK(by_code({{"tls.min_version", "TLSv1.3"}}).tls().minimum == TlsVersion::tls1_3);
    CHECK(by_code({{"ssl_ca_file", "/etc/ca.pem"}}).tls().ca_file == "/etc/ca.pem");
}

TEST_CASE("wrong settings say what is wrong", "[settings]") {
    CHECK(has(refusal(Map{{"monitor", Map{{"intervall", 1}}}}), "qconn has no setting 'monitor.intervall'"));
    CHECK(has(refusal(Map{{"monitor", Map{{"intervall", 1}}}}), "did you mean 'monitor.interval'?"));
    CHECK(has(refusal(Map{{"monitor.interval", 50}}), "at least 100 ms"));
    CHECK(has(refusal(Map{{"monitor.fall", 0}}), "the setting 'monitor.fall' must be between 1 and"));
    CHECK(has(refusal(Map{{"monitor.manage_interfaces", "ture"}}), "did you mean 'true'?"));
    CHECK(has(refusal(Map{{"monitor.alert_fs_full", 101}}), "between 1 and 100 percent"));
    CHECK(has(refusal(Map{{"monitor.interval", "5s"}}), "write 5000"));
    CHECK(has(refusal(Map{{"monitor.depth", "far"}}), "must be one of: standard, connect, tls, auth, full"));
    CHECK(has(refusal(Map{{"runtime.io_threads", 100'000}}), "between 1 and 1024"));
    CHECK(has(refusal(Map{{"monitor.fall", 3'000'000'000}}), "between 1 and 2147483647"));
    CHECK(has(refusal(Map{{"monitor.timeout", 9'000'000'000'000'000'000}}), "between 1 and 31622400000 milliseconds"));
    CHECK(has(refusal(Map{{"registry.modules", Map{}}}), "a list of names"));
    CHECK(has(refusal(Map{{"registry.state_file", "${env:HOME}"}}), "takes no reference to a secret"));
    CHECK(has(refusal(Map{{"tls.min_version", "TLSv1.3"}, {"tls.max_version", "TLSv1.2"}}), "no version is left"));
    CHECK(has(refusal(Map{{"tls.ca_only", true}}), "an authority must be named"));
    CHECK(has(refusal(Map{{"tls.verify_cert", false}}), "has no setting 'tls.verify_cert'"));
    CHECK(has(refusal(Map{{"monitor.fall", 0}, {"monitor.rise", 0}}), "(and 1 more error)"));
}

TEST_CASE("code wins over the environment, that over the file, that over the default, and each value says where it is from", "[settings]") {
    const test::TempDir directory;
    const std::string file = directory.write("s.yaml",
                                             "type: settings\n"
                                             "monitor:\n"
                                             "  fall: 5\n"
                                             "  rise: 5\n"
                                             "  timeout: 5000\n");
    const Variable fall{"QCONN_MONITOR_FALL", "4"};
    const Variable rise{"QCONN_MONITOR_RISE", "4"};
    const Variable state{"QCONN_STATE", "/s.json"};
    const Variable secrets{"QCONN_SECRETS", "/secrets.yaml"};

    const Settings settings{{.file = file, .code = {{"monitor.fall", 3}}, .environment = true}};

    CHECK(settings.monitor().fall == 3);
    CHECK(settings.at("monitor.fall").origin == SettingOrigin::code);
    CHECK(settings.monitor().rise == 4);
    CHECK(settings.at("monitor.rise").where == "QCONN_MONITOR_RISE");
    CHECK(settings.monitor().timeout == 5s);
    CHECK(settings.at("monitor.timeout").where == file + ":5:12");
    CHECK(settings.at("monitor.interval").origin == SettingOrigin::fallback);
    CHECK(settings.registry().state_file == "/s.json");
    CHECK(settings.registry().secrets_file == "/secrets.yaml");
    CHECK_THROWS_AS(settings.at("monitor.nothing"), Error);

    CHECK(Settings{{.file = file, .code = {}, .environment = false}}.monitor().rise == 5);
}

TEST_CASE("the environment names the file where nobody else does", "[settings]") {
    const test::TempDir directory;
    const Variable file{"QCONN_SETTINGS", directory.write("s.yaml", "type: settings\nmonitor.rise: 5\n")};

    CHECK(Settings{}.monitor().rise == 5);
    CHECK(Settings{}.file() == directory / "s.yaml");
    CHECK(Settings{{.file = {}, .code = {}, .environment = false}}.monitor().rise == 1);
}

TEST_CASE("a variable that is like one of ours and none is an error, one that is empty counts for nothing", "[settings]") {
    {
        const Variable near{"QCONN_MONITOR_INTERVALL", "5"};
        const std::string said = refusal(SettingsSources{});
        CHECK(has(said, "QCONN_MONITOR_INTERVALL: error: there is no setting of this name"));
        CHECK(has(said, "did you mean 'QCONN_MONITOR_INTERVAL'?"));
    }
    {
        const Variable bad{"QCONN_MONITOR_INTERVAL", "soon"};
        CHECK(
            has(refusal(SettingsSources{}), "QCONN_MONITOR_INTERVAL: error: the setting 'monitor.interval' must be a whole number of milliseconds"));
    }
    {
        const Variable empty{"QCONN_MONITOR_INTERVAL", ""};
        const Variable other{"QCONN_OWN_THING", "x"};
        const Variable yes{"QCONN_MONITOR_MANAGE_INTERFACES", "off"};
        CHECK(Settings{}.monitor().interval == 30s);
        CHECK_FALSE(Settings{}.monitor().manage_interfaces);
        CHECK(Settings{}.warnings().empty());
    }
}

TEST_CASE("TLS settings and limits are what connections have that do not say otherwise", "[settings]") {
    const test::TempDir directory;
    RegistryOptions options =
        by_code({{"tls", Map{{"min_version", "TLSv1.3"}, {"ca_file", "/etc/own-ca.pem"}}}, {"limits", Map{{"max_body_size", 4096}}}}).registry();
    Registry registry{options};
    Definition plain;
    plain.name = "plain";
    plain.url = "rests://h/";
    registry.add(plain);
    plain.name = "own";
    plain.options = {{"ssl_min_version", "TLSv1.2"}, {"max_body_size", 1}};
    registry.add(plain);

    const Map defaults = registry.info("plain").options;
    CHECK(defaults.at("ssl_min_version") == Value{"TLSv1.3"});
    CHECK(defaults.at("ssl_ca_file") == Value{"/etc/own-ca.pem"});
    CHECK(defaults.at("max_body_size") == Value{4096});
    const Map own = registry.info("own").options;
    CHECK(own.at("ssl_min_version") == Value{"TLSv1.2"});
    CHECK(own.at("max_body_size") == Value{1});
    CHECK(registry.catalogue().resolve(registry.definition("plain")).options.at("ssl_min_version") == Value{"TLSv1.3"});
    CHECK(builtin_catalogue().find("rests")->option("ssl_min_version")->fallback.is_null());
}

TEST_CASE("a default that an option cannot have is refused", "[settings]") {
    try {
        (void)builtin_catalogue().with_defaults({{"max_body_size", "much"}});
        FAIL("it was taken");
    } catch (const Error& error) { CHECK(has(error.what(), "its option 'max_body_size' has a default that is no int")); }
}

TEST_CASE("every setting has a help text, a variable and a place in documentation and schema", "[settings]") {
    const std::string markdown = settings_markdown();
    const Value schema = json::decode(settings_json_schema()).value();
    std::set<std::string> variables;
    for (const SettingSpec& spec : setting_specs()) {
        INFO(spec.name);
        const auto dot = spec.name.find('.');
        CHECK_FALSE(spec.option.help.empty());
        CHECK_FALSE(spec.option.sensitive);
        CHECK((!spec.option.fallback.is_null() || !spec.option.fallback_text.empty() || !spec.option.example.is_null()));
        CHECK(spec.variable.starts_with("QCONN_"));
        CHECK(variables.insert(spec.variable).second);
        CHECK(markdown.find("| `" + spec.option.name + "` |") != std::string::npos);
        CHECK(schema["properties"][spec.name.substr(0, dot)]["properties"][spec.name.substr(dot + 1)].is_map());
        CHECK(schema["properties"][spec.name].is_map());
    }
    CHECK(schema["properties"]["qorus.ping-interval"]["$ref"] == Value{"#/properties/monitor.interval"});
}
