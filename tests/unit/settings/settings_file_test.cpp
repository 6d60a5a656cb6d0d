// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include <qconn/core/definition.hpp>
#include <qconn/settings/settings.hpp>

#include "settings/read.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;

namespace {

/// What is found in a text, one line each.
std::string findings(const std::string& text) {
    settings::Reader reader;
    reader.text(text, "s.yaml");
    std::string out;
    for (const Diagnostic& d : reader.diagnostics()) out += summary(d) + (d.hint.empty() ? "" : " / " + d.hint) + "\n";
    return out;
}
/// In caret form.
std::string rendered(const std::string& text) {
    settings::Reader reader;
    reader.text(text, "s.yaml");
    std::string out;
    for (const Diagnostic& d : reader.diagnostics()) out += render(d);
    return out;
}

const std::string k_head = "type: settings\n";

bool has(const std::string& text, std::string_view part) {
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a settings file has its findings at their places", "[settings]") {
    CHECK(findings(k_head + "monitor:\n  interval: 5000\nmonitor.fall: 3\nqorus.alert-fs-full: 90\nruntime:\n").find("error") == std::string::npos);
    CHECK(has(findings(k_head + "monitor:\n  intervall: 5\n"),
              "s.yaml:3:3: error: the section 'monitor' has no setting 'intervall' [unknown-option] / did you mean 'interval'?"));
    CHECK(has(findings(k_head + "monitor:\n  interval: 5s\n"), "s.yaml:3:13: error: the setting 'interval' must be a whole number of milliseconds"));
    CHECK(has(findings(k_head + "monitor:\n  interval: 5s\n"), "write 5000"));
    CHECK(has(findings(k_head + "montor:\n  interval: 5\n"),
              "s.yaml:2:1: error: there is no section 'montor' [unknown-section] / did you mean 'monitor'?"));
    CHECK(has(findings(k_head + "monitor: 5\n"), "s.yaml:2:10: error: the section 'monitor' must be a map"));
    CHECK(has(findings(k_head + "monitor.fal: 5\n"), "s.yaml:2:1: error: qconn has no setting 'monitor.fal'"));
    CHECK(has(findings(k_head + "qorus.ping-interval: 50\n"), "s.yaml:2:22: error: the setting 'monitor.interval': must be 0 or at least 100 ms"));
    CHECK(has(findings(k_head + "monitor:\n  fall: 3\nmonitor.fall: 4\n"), "stands here a second time"));
    CHECK(has(findings(k_head + "monitor:\n  fall: 3\n  fall: 4\n"), "s.yaml:4:3: error: the key 'fall' stands here a second time"));
    CHECK(has(findings(k_head + "monitor:\n  fall: '3'\n"), "warning: the setting 'fall' is a number in quotes"));
    CHECK(has(findings(k_head + "registry:\n  state_file: [a]\n"), "s.yaml:3:15: error: the setting 'state_file' must be text"));
    CHECK(has(findings(k_head + "tls:\n  min_version: {a: b}\n  max_version: TLSv1.2\n  ca_only: ture\n"), "did you mean 'true'?"));
    CHECK(has(findings(k_head + "---\ntype: settings\n"), "a second document begins here"));
    CHECK(has(findings("monitor: {}\n"), "the key 'type' is missing"));
    CHECK(has(findings("[1]\n"), "settings are a map"));
    CHECK(has(findings(""), "settings are a map"));
    CHECK(has(findings(k_head + "monitor: {\n"), "s.yaml:"));
}

TEST_CASE("the line of a finding is shown, and in it only settings that are known", "[settings]") {
    CHECK(has(rendered(k_head + "monitor:\n  interval: soon\n"), "  interval: soon\n"));
    const std::string canary = "Zq7canary";
    for (const std::string& text : {
             "type: connection\nname: a\nurl: rests://u:" + canary + "@h\noptions: {password: " + canary + "}\n",
             k_head + "password: " + canary + "\n",
             k_head + "monitor:\n  password: " + canary + "\n",
             k_head + "monitor: {password: " + canary + ", fall: x}\n",
             k_head + "tls: " + canary + " x\n",
             k_head + "monitor:\n  fall: http://u:" + canary + "@h\n",
             k_head + "secrets: {password: " + canary + "}\n",
             k_head + "monitor:\n  fall: [" + canary + "]\n",
             k_head + "tls: \"" + canary + "\n",
             k_head + "tls: *" + canary + "\n",
             k_head + "tls:\n  min_version: u:" + canary + "@h\n",
         }) {
        INFO(text);
        const std::string shown = rendered(text);
        CHECK(has(shown, "error"));
        CHECK_FALSE(has(shown, canary));
    }
}

TEST_CASE("a settings file is all right or not used at all", "[settings]") {
    const test::TempDir directory;
    const std::string path = directory.write("s.yaml", k_head + "monitor:\n  fall: 3\n  rise: 0\n  fast: x\n");

    try {
        (void)Settings{{.file = path, .code = {}, .environment = false}};
        FAIL("it was taken");
    } catch (const Error& error) {
        CHECK(has(error.what(), path + ":4:9: error:"));
        CHECK(has(error.what(), "(and 1 more error)"));
        REQUIRE(error.detail<SettingsErrorDetail>());
        CHECK(error.detail<SettingsErrorDetail>()->diagnostics.size() == 2);
    }
    const auto refusal = [](const std::string& file, Reason reason) {
        try {
            (void)Settings{{.file = file, .code = {}, .environment = false}};
        } catch (const Error& error) {
            CHECK(error.reason() == reason);
            return std::string{error.what()};
        }
        return std::string{};
    };
    CHECK(has(refusal(directory / "none.yaml", Reason::missing), "none.yaml: error: the settings cannot be read: No such file"));
    CHECK(has(refusal(directory.path(), Reason::bad_value), "Is a directory"));
    CHECK(has(refusal(directory.write("large.yaml", k_head + std::string(1024 * 1024, '#')), Reason::bad_value), "larger than"));
}

TEST_CASE("paths in a settings file count from where it is, and variables in them are replaced", "[settings]") {
    const test::TempDir directory;
    ::setenv("QCONN_T_PLACE", "/var/x", 1);
    const std::string path =
        directory.write("s.yaml", k_head + "registry:\n  state_file: state.json\ntls:\n  ca_file: $QCONN_T_PLACE/ca.pem\n  ca_directory: ca\n");

    const Settings settings{{.file = path, .code = {}, .environment = false}};

    CHECK(settings.registry().state_file == directory / "state.json");
    CHECK(settings.tls().ca_file == "/var/x/ca.pem");
    CHECK(settings.tls().ca_directory == directory / "ca");
    ::setenv("QCONN_T_LOOP", "$QCONN_T_LOOP", 1);
    CHECK(has(findings(k_head + "tls:\n  ca_file: $QCONN_T_LOOP\n"), "does not come to an end"));
    const Settings by_code{{.file = {}, .code = {{"registry.state_file", "state.json"}}, .environment = false}};
    CHECK(by_code.registry().state_file == "state.json");
}

TEST_CASE("settings and definitions are not taken for each other", "[settings]") {
    CHECK(has(findings("type: connection\nname: a\nurl: file:///\n"), "this is a definition of a connection"));

    const auto parsed = parse_definitions(k_head, "s.qconn.yaml");
    std::string said;
    for (const Diagnostic& d : parsed.diagnostics) said += d.hint + "\n";
    CHECK(has(said, "settings stand in a file of their own"));
}
