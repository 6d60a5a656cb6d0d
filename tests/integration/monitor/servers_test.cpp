// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <filesystem>
#include <future>
#include <optional>
#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/metrics.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/rest/rest_client.hpp>
#include <qconn/testing/fault_proxy.hpp>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/event_log.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

namespace {

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

MonitorOptions quick() {
    MonitorOptions options;
    options.interval = 200ms;
    options.group_alerts = false;
    options.timeout = 1000ms;
    return options;
}

Definition connection(const std::string& name, const std::string& url, Map options = {}) {
    Definition definition;
    definition.name = name;
    definition.url = url;
    definition.options = std::move(options);
    return definition;
}

/// One that asks for a page over a kept stream.
Definition asking(const std::string& name, const std::string& url, const std::string& path = "/hello.txt", Map options = {}) {
    options.set("ping_method", "GET");
    options.set("ping_path", path);
    return connection(name, url, std::move(options));
}

struct Scene {
    Registry registry;
    EventLog log;
    std::optional<Monitor> monitor;
    Subscription watching;

    void start(const MonitorOptions& options = quick()) {
        monitor.emplace(registry, options);
        watching = monitor->subscribe(log.listener());
        monitor->start();
    }
};

const std::string k_out_and_back = "up failing down alert up alert-cleared";

/// So many for this process, until it goes.
struct FewDescriptors {
    explicit FewDescriptors(rlim_t count) {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
        const rlimit low{count, before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }

    rlimit before{};
};

}  // namespace

TEST_CASE("a server that is killed is down, refused, and up again when it is back", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    scene.registry.add(asking("asking", "rest://" + nginx.address()));
    scene.registry.add(connection("connecting", "http://" + nginx.address()));
    scene.start();
    REQUIRE(scene.log.wait_for("asking", "up"));
    REQUIRE(scene.log.wait_for("connecting", "up"));

    nginx.kill();
    CHECK(scene.log.wait_for("asking", "up failing down alert"));
    CHECK(scene.log.wait_for("connecting", "up failing down alert"));
    const ConnectionStatus down = scene.monitor->status("asking");
    CHECK(down.phase == Phase::connect);
    CHECK(down.reason == Reason::refused);
    CHECK(down.error.find(nginx.address()) != std::string::npos);
    CHECK(scene.monitor->alerts().size() == 2);

    nginx.start();
    CHECK(scene.log.wait_for("asking", k_out_and_back));
    CHECK(scene.log.wait_for("connecting", k_out_and_back));
    CHECK(wait_until([&] { return scene.monitor->alerts().empty(); }));
}

TEST_CASE("a call that fails shows an outage long before the next ping is due", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    scene.registry.add(connection("shop", "rest://" + nginx.address()));
    MonitorOptions seldom;
    seldom.interval = 24h;
    seldom.fast = 20ms;
    seldom.group_alerts = false;
    scene.start(seldom);
    const auto shop = scene.registry.get<RestClient>("shop");
    REQUIRE(scene.monitor->ping("shop").ok);
    REQUIRE(scene.log.wait_for("shop", "up"));
    const std::uint64_t pings = scene.monitor->status("shop").pings;

    CHECK_THROWS_AS(shop->get("/nothing-there"), Error);  // an answer all the same
    nginx.kill();
    CHECK_THROWS_AS(shop->get("/hello.txt"), Error);
    CHECK(scene.log.wait_for("shop", "up failing down alert"));
    CHECK(scene.monitor->status("shop").pings == pings + 2);
}

TEST_CASE("calls that are answered late or slowly raise warnings, and the connection stays up", "[monitor][integration]") {
    Server server{"httpbin"};
    Scene scene;
    for (const char* name : {"slow", "late", "quick"}) scene.registry.add(connection(name, "rest://" + server.address()));
    scene.registry.add(connection("deaf", "rest://" + server.address(), Map{{"ignore_socket_warnings", true}}));
    MonitorOptions options = quick();
    options.alert_late_answer = 500ms;
    options.alert_throughput_time = 400ms;
    scene.start(options);
    for (const char* name : {"slow", "late", "quick", "deaf"}) REQUIRE(scene.log.wait_for(name, "up", 10s));
    const auto get = [&](const char* name, const char* path) { return scene.registry.get<RestClient>(name)->HttpClient::get(path); };

    CHECK(get("quick", "/bytes/100").info.bytes_received == 100);
    const HttpResponse dripped = get("slow", "/drip?duration=0.6&numbytes=6&code=200&delay=0");
    CHECK(dripped.info.bytes_received == 6);
    CHECK(dripped.info.receive >= 400ms);
    CHECK(get("deaf", "/drip?duration=0.6&numbytes=6&code=200&delay=0").status == 200);
    CHECK(get("late", "/delay/0.6").info.first_byte >= 500ms);

    CHECK(scene.log.wait_for("slow", "up alert", 10s));
    CHECK(scene.log.last(EventKind::alert, "slow").alert == "SOCKET-THROUGHPUT-WARNING");
    CHECK(scene.log.wait_for("late", "up alert", 10s));
    CHECK(scene.log.last(EventKind::alert, "late").alert == "SOCKET-OPERATION-WARNING");
    CHECK(scene.log.of("quick") == "up");
    CHECK(scene.log.of("deaf") == "up");
    CHECK(scene.monitor->alerts().empty());
}

TEST_CASE("a proxy that is gone is what is at fault, for plain requests as for tunnels", "[monitor][integration]") {
    const std::string proxy = "127.0.0.1:" + std::to_string(free_port());
    Scene scene;
    for (const char* name : {"plain", "other"})
        scene.registry.add(connection(name, std::string{"http://"} + name + ".example", Map{{"proxy", "http://" + proxy}}));
    scene.registry.add(connection("tunnel", "https://shop.example", Map{{"proxy", "http://" + proxy}}));
    MonitorOptions options = quick();
    options.group_alerts = true;
    scene.start(options);
    CHECK(wait_until([&] {
        const auto outages = scene.monitor->outages();
        return outages.size() == 1 && outages[0].members == 3;
    }));
    REQUIRE(scene.monitor->outages().size() == 1);
    CHECK(scene.monitor->outages()[0].kind == OutageKind::proxy);
    CHECK(scene.monitor->outages()[0].cause == proxy);
    CHECK(scene.monitor->alerts().size() == 1);
}

TEST_CASE("a server that is frozen is down where it is asked something, and up again when it goes on", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    scene.registry.add(asking("asking", "rest://" + nginx.address()));
    scene.start();
    REQUIRE(scene.log.wait_for("asking", "up"));

    nginx.freeze();
    CHECK(scene.log.wait_for("asking", "up failing down alert"));
    CHECK(scene.monitor->status("asking").reason == Reason::timeout);
    CHECK(scene.monitor->status("asking").phase != Phase::connect);  // the system still takes connections for it

    nginx.thaw();
    CHECK(scene.log.wait_for("asking", k_out_and_back));
}

TEST_CASE("silence is told by the phase that it is in", "[monitor][integration]") {
    const BlackHole hole;
    const SilentServer silent;
    Scene scene;
    scene.registry.add(connection("hole", "http://127.0.0.1:" + std::to_string(hole.port())));
    scene.registry.add(connection("no-tls", "https://127.0.0.1:" + std::to_string(silent.port())));
    scene.registry.add(asking("no-answer", "rest://127.0.0.1:" + std::to_string(silent.port())));
    scene.start();
    for (const char* name : {"hole", "no-tls", "no-answer"}) {
        CHECK(scene.log.wait_for(name, "down alert"));
        CHECK(scene.log.last(EventKind::down, name).reason == Reason::timeout);
    }
    CHECK(scene.log.last(EventKind::down, "hole").phase == Phase::connect);
    CHECK(scene.log.last(EventKind::down, "no-tls").phase == Phase::tls);
    CHECK(scene.log.last(EventKind::down, "no-answer").phase == Phase::protocol);
}

TEST_CASE("certificates that cannot be trusted are told apart", "[monitor][integration]") {
    Server good{"nginx"};
    Server expired{"nginx", {.environment = {"NGINX_CERT=expired"}}};
    Server wrong{"nginx", {.environment = {"NGINX_CERT=wrong"}}};
    Server self{"nginx", {.environment = {"NGINX_CERT=self"}}};
    const Map trust{{"ssl_ca_file", tls_file("ca.crt")}};
    Scene scene;
    scene.registry.add(connection("good", "https://" + good.address2(), trust));
    scene.registry.add(connection("expired", "https://" + expired.address2(), trust));
    scene.registry.add(connection("wrong", "https://" + wrong.address2(), trust));
    scene.registry.add(connection("self", "https://" + self.address2(), trust));
    scene.start();

    CHECK(scene.log.wait_for("good", "up"));
    for (const char* name : {"expired", "wrong", "self"}) {
        CHECK(scene.log.wait_for(name, "down alert"));
        CHECK(scene.log.last(EventKind::down, name).phase == Phase::tls);
    }
    CHECK(scene.log.last(EventKind::down, "expired").reason == Reason::certificate_expired);
    CHECK(scene.log.last(EventKind::down, "wrong").reason == Reason::certificate_name);
    CHECK(scene.log.last(EventKind::down, "self").reason == Reason::certificate_untrusted);
}

TEST_CASE("what connections show of themselves is known, and told before it ends", "[monitor][integration]") {
    const Server nginx{"nginx"};
    Scene scene;
    scene.registry.add(connection("certified", "https://" + nginx.address2(),
                                  {{"ssl_verify_cert", false}, {"ssl_cert_path", tls_file("client.crt")}, {"ssl_key_path", tls_file("client.key")}}));
    // {"exp":4102444800,"iss":"https://login.example"}
    scene.registry.add(
        asking("bearer", "rests://" + nginx.address2(), "/hello.txt",
               {{"ssl_verify_cert", false}, {"token", "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsImlzcyI6Imh0dHBzOi8vbG9naW4uZXhhbXBsZSJ9.c2ln"}}));
    MonitorOptions options = quick();
    options.interval = 0ms;
    options.alert_certificate_days = 60;  // certificates are for 30
    scene.start(options);
    for (const char* name : {"certified", "bearer"}) REQUIRE(scene.monitor->ping(name).ok);

    const auto known = scene.monitor->credentials();
    REQUIRE(known.size() == 2);
    CHECK(known[0].connection == "certified");
    CHECK(known[0].credential.kind == Credential::Kind::client_certificate);
    CHECK(known[0].credential.subject.find("CN=qconntest") != std::string::npos);
    CHECK(known[0].credential.expires > std::chrono::system_clock::now() + 24h);
    CHECK(known[1].connection == "bearer");
    CHECK(known[1].credential.kind == Credential::Kind::token);
    CHECK(known[1].credential.expires == Credential::Time{4'102'444'800s});
    CHECK(known[1].credential.issuer == "https://login.example");
    CHECK(scene.monitor->snapshot().credentials.size() == 2);
    REQUIRE(scene.log.wait_for("certified", "up alert alert"));
    CHECK(scene.log.last(EventKind::alert, "certified").alert == "CREDENTIAL-EXPIRES");
    CHECK(metrics_text(*scene.monitor).find("qconn_connection_credential_expires_seconds{connection=\"bearer\",kind=\"token\"} 4102444800") !=
          std::string::npos);
}

TEST_CASE("the certificate of a server is known, and a new one in its place is told", "[monitor][integration]") {
    const TempDir certificates;
    for (const char* name : {"server.crt", "server.key", "ca.crt", "ca.key", "complete"})
        std::filesystem::copy_file(tls_file(name), certificates / name);
    Server nginx{"nginx", {.environment = {"TLS_DIR=" + certificates.path()}}};
    Scene scene;
    scene.registry.add(asking("kept", "rests://" + nginx.address2(), "/hello.txt", {{"ssl_verify_cert", false}}));
    scene.registry.add(connection("resumed", "https://" + nginx.address2(), {{"ssl_verify_cert", false}}));
    MonitorOptions options = quick();
    options.interval = 0ms;
    options.alert_certificate_days = 60;  // they are for 30
    scene.start(options);
    const auto ping = [&] {
        for (const char* name : {"kept", "resumed"}) REQUIRE(scene.monitor->ping(name).ok);
    };
    for (int i = 0; i < 4; ++i) ping();

    auto known = scene.monitor->certificates();
    REQUIRE(known.size() == 2);
    CHECK(known[0].certificate.sha256 + "\n" == read_file(tls_file("server.sha256")));
    CHECK(known[0].certificate.subject.find("CN=localhost") != std::string::npos);
    CHECK(known[0].certificate.expires == scene.monitor->status("kept").certificate_expires);
    CHECK(scene.log.wait_for("kept", "up alert"));
    CHECK(scene.log.wait_for("resumed", "up alert"));
    CHECK(scene.log.last(EventKind::alert, "kept").alert == "CERTIFICATE-EXPIRES");

    std::filesystem::copy_file(tls_file("other.crt"), certificates / "server.crt", std::filesystem::copy_options::overwrite_existing);
    nginx.restart();
    ping();
    known = scene.monitor->certificates();
    REQUIRE(known.size() == 2);
    CHECK(known[0].certificate.sha256 + "\n" != read_file(tls_file("server.sha256")));
    CHECK(known[0].certificate.issuer.find("Other CA") != std::string::npos);
    for (const char* name : {"kept", "resumed"}) CHECK(scene.log.wait_for(name, "up alert alert"));
    const Event changed = scene.log.last(EventKind::alert, "resumed");
    CHECK(changed.alert == "CERTIFICATE-CHANGED");
    CHECK(changed.transient);
    CHECK(changed.error.find("Other CA") != std::string::npos);
    CHECK(metrics_text(*scene.monitor).find("qconn_connection_certificate_expires_seconds{connection=\"kept\"} 1") != std::string::npos);
}

TEST_CASE("a refused log-in is a failure of phase auth", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    scene.registry.add(asking("in", "rest://" + std::string{k_user} + ":" + std::string{k_password} + "@" + nginx.address(), "/auth/hello.txt"));
    scene.registry.add(asking("out", "rest://" + std::string{k_user} + ":canary-4711@" + nginx.address(), "/auth/hello.txt"));
    scene.start();
    CHECK(scene.log.wait_for("in", "up"));
    CHECK(scene.log.wait_for("out", "down alert"));
    const Event down = scene.log.last(EventKind::down, "out");
    CHECK(down.phase == Phase::auth);
    CHECK(down.error.find("canary") == std::string::npos);
}

TEST_CASE("the death of a watched peer is seen long before the next ping is due", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    scene.registry.add(asking("shop", "rest://" + nginx.address()));
    MonitorOptions options;
    options.interval = 60s;
    options.fast = 100ms;
    scene.start(options);
    REQUIRE(scene.monitor->ping("shop").ok);
    REQUIRE(scene.monitor->ping("shop").kept);

    const auto killed = Clock::now();
    nginx.kill();
    CHECK(scene.log.wait_for("shop", "up failing down alert"));
    const auto seen = scene.log.last(EventKind::down, "shop").mono - killed;
    CHECK(seen < 400ms);  // looked at once, and again after the fast time
}

TEST_CASE("a kept stream that is cut while idle is no failure", "[monitor][integration]") {
    Server nginx{"nginx"};
    testing::FaultProxy proxy{nginx.port()};
    Scene scene;
    scene.registry.add(asking("shop", "rest://" + proxy.address()));
    MonitorOptions options = quick();
    options.interval = 60s;
    options.fast = 100ms;
    scene.start(options);
    REQUIRE(scene.monitor->ping("shop").ok);
    REQUIRE(proxy.connections() == 1);

    proxy.cut();
    CHECK(wait_until([&] { return scene.monitor->status("shop").pings == 2; }));
    CHECK(scene.monitor->status("shop").state == ConnectionState::up);
    CHECK(proxy.connections() == 2);
    CHECK(scene.log.of("shop") == "up");
}

TEST_CASE("at most half of the descriptors that the process may have are kept streams", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    for (int i = 0; i < 40; ++i) scene.registry.add(asking("c" + std::to_string(i), "rest://" + nginx.address()));
    MonitorOptions options = quick();
    options.interval = 60s;
    {
        const FewDescriptors few{64};
        scene.monitor.emplace(scene.registry, options);  // asks for the limit
    }

    scene.monitor->start();
    for (int i = 0; i < 40; ++i) CHECK(scene.monitor->ping("c" + std::to_string(i)).ok);

    int kept = 0;
    for (int i = 0; i < 40; ++i) kept += scene.monitor->ping("c" + std::to_string(i)).kept ? 1 : 0;
    CHECK(kept == 32);
}

TEST_CASE("what connects to another server after an update is pinged there, not over the stream to the former one", "[monitor][integration]") {
    Server former{"nginx"};
    Scene scene;
    scene.registry.add(asking("shop", "rest://" + former.address()));
    MonitorOptions options = quick();
    options.interval = 60s;
    options.fast = 100ms;
    scene.start(options);
    REQUIRE(scene.monitor->ping("shop").ok);
    REQUIRE(scene.monitor->ping("shop").kept);

    scene.registry.update(asking("shop", "rest://127.0.0.1:" + std::to_string(free_port())));

    CHECK(scene.log.wait_for("shop", "up updated down alert"));
    CHECK(scene.log.last(EventKind::down, "shop").reason == Reason::refused);
}

TEST_CASE("a process that stood still does not hold that against the peers", "[monitor][integration]") {
    Server nginx{"nginx"};
    const Runtime runtime{RuntimeOptions{}};
    Registry registry{RegistryOptions{.runtime = runtime}};
    registry.add(asking("shop", "rest://" + nginx.address()));
    MonitorOptions options = quick();
    options.interval = 0ms;
    Monitor monitor{registry, options};
    REQUIRE(monitor.ping("shop").ok);
    nginx.freeze();

    std::promise<PingResult> ended;
    monitor.async_ping("shop", {}, [&](Result<PingResult> result) { ended.set_value(std::move(result).value()); });
    // Stands still for longer than the ping may take and than a stall is at least.
    runtime.post([] { wait_until([] { return false; }, 2500ms); });
    const PingResult stalled = ended.get_future().get();
    CHECK_FALSE(stalled.ok);
    CHECK(stalled.inconclusive);
    CHECK(monitor.status("shop").state == ConnectionState::up);
    CHECK(monitor.status("shop").failures == 0);

    const PingResult late = monitor.ping("shop");  // the same without the stall
    CHECK_FALSE(late.inconclusive);
    CHECK(monitor.status("shop").state == ConnectionState::failing);
}

TEST_CASE("a peer that closes idle connections is dialled anew each time and stays up", "[monitor][integration]") {
    Server nginx{"nginx", {.environment = {"NGINX_SERVER=keepalive_timeout 100ms;"}}};
    Scene scene;
    scene.registry.add(asking("shop", "rest://" + nginx.address()));
    MonitorOptions options = quick();
    options.interval = 400ms;
    scene.start(options);
    CHECK(wait_until([&] { return scene.monitor->status("shop").pings >= 8; }));
    CHECK(scene.log.of("shop") == "up");
    CHECK_FALSE(scene.monitor->ping("shop").kept);
}

TEST_CASE("a file system that is fuller than allowed raises its alert", "[monitor][integration]") {
    const TempDir directory;
    Scene scene;
    scene.registry.add(connection("in-box", "file://" + directory.path()));
    MonitorOptions options = quick();
    options.alert_fs_full = 0;
    scene.start(options);
    CHECK(scene.log.wait_for("in-box", "up alert"));
    REQUIRE(scene.monitor->alerts().size() == 1);
    CHECK(scene.monitor->alerts()[0].type == "FILESYSTEM-FULL");
    CHECK(scene.monitor->status("in-box").state == ConnectionState::up);
}
