// SPDX-License-Identifier: Apache-2.0
// Alerts by mail: what happens together is one mail, and a server that does not take it gets it later.
#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include <qconn/sinks/mail_sink.hpp>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/wait.hpp"
#include "unit/monitor/remote.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

struct Scene {
    explicit Scene(int connections) {
        for (int i = 0; i < connections; ++i) registry.add(remote("c" + std::to_string(i)));
        MonitorOptions options{0ms, 20s};
        options.group_alerts = false;
        monitor.emplace(registry, options);
    }

    std::shared_ptr<World> world{std::make_shared<World>()};
    Catalogue catalogue{remote_catalogue(world)};
    Registry registry{[this] {
        RegistryOptions options;
        options.catalogue = &catalogue;
        options.runtime = Runtime{RuntimeOptions{}};
        return options;
    }()};
    std::optional<Monitor> monitor;

    void ping(const std::string& name, bool up) {
        world->set_up(name, up);
        monitor->ping(name);
    }
    void down(const std::string& name) {
        ping(name, true);
        ping(name, false);
        ping(name, false);
    }
};

MailSinkOptions quick_mail() {
    MailSinkOptions options;
    options.to = parse_mail_addresses("ops@example.com, reject@example.com");
    options.collect = 300ms;
    options.interval = 10ms;
    options.retry = 20ms;
    options.longest_retry = 100ms;
    options.flush = 20s;
    return options;
}

/// The pieces in which a message came that has these words.
std::string mails(const ScriptedSmtp& server) {
    std::string all;
    for (const std::string& piece : server.pieces()) all += piece;
    return all;
}

}  // namespace

TEST_CASE("an outage of a hundred is one mail, and so is its end", "[sinks][smtp][integration]") {
    Scene scene{100};
    const ScriptedSmtp server{[](const std::string& line) { return line.starts_with("RCPT TO:<reject@") ? "550 no\r\n" : usual_reply(line); }};
    const MailSink sink{*scene.monitor, std::make_shared<SmtpClient>(server.options()), quick_mail()};
    for (int i = 0; i < 100; ++i) scene.down("c" + std::to_string(i));
    REQUIRE(wait_until([&] { return sink.counts().delivered == 100; }, 60s));
    const std::string said = mails(server);
    CHECK(sink.counts().mails <= 3);  // a slow machine may take longer than the time that it collects
    CHECK(said.find("Auto-Submitted: auto-generated") != std::string::npos);
    CHECK(said.find("RCPT TO:<ops@example.com>") != std::string::npos);
    CHECK(sink.counts().error.empty());
    scene.ping("c7", true);
    REQUIRE(wait_until([&] { return sink.counts().delivered == 101; }, 60s));
    CHECK(mails(server).find("has an alert no more") != std::string::npos);
}

TEST_CASE("what cannot be mailed is mailed later, and the monitor waits for nothing", "[sinks][smtp][integration]") {
    Scene scene{2};
    std::atomic<bool> broken{true};
    const ScriptedSmtp server{[&broken](const std::string& line) -> std::string {
        if (line == "." && broken) return "!";  // nobody knows whether it was taken: it is sent again
        return usual_reply(line);
    }};
    std::mutex mutex;
    std::string lines;
    MailSinkOptions options = quick_mail();
    options.collect = 10ms;
    options.log = Log{LogLevel::info, [&](const LogRecord& record) {
                          const std::scoped_lock lock{mutex};
                          lines.append(record.event).append(" ");
                      }};
    {
        const MailSink sink{*scene.monitor, std::make_shared<SmtpClient>(server.options()), options};
        scene.down("c0");
        REQUIRE(wait_until([&] { return sink.counts().failures >= 3; }, 60s));
        CHECK(sink.counts().error.find("SMTP-OUTCOME-UNKNOWN") != std::string::npos);
        scene.down("c1");
        broken = false;
        REQUIRE(wait_until([&] { return sink.counts().delivered == 2; }, 60s));
    }
    const std::scoped_lock lock{mutex};
    CHECK(lines.find("mail-sink-failed") != std::string::npos);
    CHECK(lines.find("mail-sink-failed", lines.find("mail-sink-failed") + 1) == std::string::npos);
    CHECK(lines.find("mail-sink-recovered") != std::string::npos);
}

TEST_CASE("a mail sink that ends sends what waits, or says what it left", "[sinks][smtp][integration]") {
    Scene scene{1};
    const ScriptedSmtp server{usual_reply};
    MailSinkOptions options = quick_mail();
    options.collect = 60s;
    {
        const MailSink sink{*scene.monitor, std::make_shared<SmtpClient>(server.options()), options};
        scene.down("c0");
        REQUIRE(wait_until([&] { return sink.counts().waiting == 1; }, 60s));
    }
    CHECK(server.count(".") == 1);

    std::string lines;
    options.log = Log{LogLevel::info, [&](const LogRecord& record) { lines.append(record.event).append(" "); }};
    options.flush = 100ms;
    SmtpOptions nowhere = server.options();
    nowhere.port = free_port();
    {
        const MailSink sink{*scene.monitor, std::make_shared<SmtpClient>(nowhere), options};
        scene.ping("c0", true);
        REQUIRE(wait_until([&] { return sink.counts().waiting > 0; }, 60s));
    }
    CHECK(lines.find("mail-sink-ended") != std::string::npos);
    MailSinkOptions nobody = options;
    nobody.to.clear();
    CHECK(error_of([&] { const MailSink sink{*scene.monitor, std::make_shared<SmtpClient>(nowhere), nobody}; }).name() == "SMTP-MESSAGE-ERROR");
}
