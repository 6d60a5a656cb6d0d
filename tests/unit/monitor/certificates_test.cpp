// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include "monitor/certificates.hpp"
#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr auto k_day = std::chrono::hours{24};

struct Scene : Play {
    using Play::Play;
    TargetId shop{add("shop")};

    PingResult shows(std::string sha256, std::chrono::hours left) const {
        PingResult result = good();
        TlsCertificate certificate;
        certificate.subject = "CN=" + sha256;
        certificate.issuer = "CN=authority";
        certificate.not_before = now.wall - 90 * k_day;
        certificate.not_after = std::chrono::floor<std::chrono::seconds>(now.wall + left);
        certificate.sha256 = std::move(sha256);
        result.tls.emplace().chain.push_back(certificate);
        return result;
    }
    std::string told_of(const PingResult& result) {
        told();
        ping(shop, result);
        return told();
    }
};

const std::string k_expires = "alert:shop:CERTIFICATE-EXPIRES";
const std::string k_over = "alert-cleared:shop:CERTIFICATE-EXPIRES";
const std::string k_changed = "alert:shop:CERTIFICATE-CHANGED";

}  // namespace

TEST_CASE("a certificate that expires within the time of warning is an alert until another one is there", "[monitor][certificate]") {
    Scene scene;
    CHECK(scene.told_of(scene.shows("a", 20 * k_day)) == "up:shop");
    CHECK(scene.status(scene.shop).certificate_expires > scene.now.wall + 19 * k_day);
    scene.pass(7 * k_day);
    CHECK(scene.told_of(scene.good()) == k_expires);  // a kept stream shows none: it is the one that is known
    CHECK(scene.told_of(scene.good()).empty());
    REQUIRE(scene.alerts.list().size() == 1);
    const std::string text = scene.alerts.list().front().text;
    CHECK(text.find("CN=a, issued by CN=authority") != std::string::npos);
    CHECK(text.find("expires on 2023-12-04") != std::string::npos);
    CHECK(text.find("put a new one on the server") != std::string::npos);

    CHECK(scene.told_of(scene.shows("b", 90 * k_day)) == k_changed + ' ' + k_over);
    CHECK(scene.alerts.list().empty());
    REQUIRE(scene.alerts.recent().size() == 1);
    const std::string changed = scene.alerts.recent().front().text;
    CHECK(changed.find("CN=b, issued by CN=authority, sha256 b, which expires on 2024-02-19") != std::string::npos);
    CHECK(changed.find("instead of CN=a, issued by CN=authority, sha256 a, which was to expire on 2023-12-04") != std::string::npos);
}

TEST_CASE("a certificate that has expired says so, also of the one that took its place", "[monitor][certificate]") {
    Scene scene;
    scene.ping(scene.shop, scene.shows("a", -k_day));
    REQUIRE(scene.alerts.list().size() == 1);
    CHECK(scene.alerts.list().front().text.find("expired on 2023-11-13") != std::string::npos);
    scene.ping(scene.shop, scene.shows("b", 90 * k_day));
    CHECK(scene.alerts.recent().front().text.find("which expired on 2023-11-13") != std::string::npos);
}

TEST_CASE("the days of warning can be set, none warns of what has expired", "[monitor][certificate]") {
    MonitorOptions options{1000ms, 500ms};
    options.alert_certificate_days = 0;
    Scene scene{options};
    scene.ping(scene.shop, scene.shows("a", 1h));
    CHECK(scene.alerts.list().empty());
    scene.pass(2h);
    scene.ping(scene.shop, scene.good());
    CHECK(scene.alerts.list().size() == 1);
}

TEST_CASE("several servers behind one name, each with its certificate, are news once each", "[monitor][certificate]") {
    Scene scene;
    scene.ping(scene.shop, scene.shows("a", 90 * k_day));
    CHECK(scene.told_of(scene.shows("b", 90 * k_day)) == k_changed);
    for (int i = 0; i < 10; ++i) {
        CHECK(scene.told_of(scene.shows("a", 90 * k_day)).empty());
        CHECK(scene.told_of(scene.shows("b", 90 * k_day)).empty());
    }
    // One of them is forgotten: the warning stands as long as it is seen now and then.
    CHECK(scene.told_of(scene.shows("a", 10 * k_day)) == k_expires);
    for (int i = 0; i < 10; ++i) {
        CHECK(scene.told_of(scene.shows("b", 90 * k_day)).empty());
        CHECK(scene.told_of(scene.shows("a", 10 * k_day)).empty());
    }
    // Taken out of service.
    CHECK(scene.told_of(scene.shows("b", 90 * k_day)).empty());
    CHECK(scene.told_of(scene.shows("b", 90 * k_day)).empty());
    CHECK(scene.told_of(scene.shows("b", 90 * k_day)) == k_over);
}

TEST_CASE("a session that goes on from an earlier one takes no later certificate back", "[monitor][certificate]") {
    Scene scene;
    PingResult resumed = scene.shows("old", 90 * k_day);
    resumed.tls->session_reused = true;
    scene.ping(scene.shop, resumed);  // all that is known
    CHECK(scene.status(scene.shop).certificate_expires != std::chrono::system_clock::time_point{});
    CHECK(scene.told_of(scene.shows("new", 90 * k_day)) == k_changed);
    CHECK(scene.told_of(resumed).empty());
    PingResult newer = scene.shows("newest", 90 * k_day);  // another connection to that server has seen it
    newer.tls->session_reused = true;
    CHECK(scene.told_of(newer) == k_changed);
}

TEST_CASE("a certificate is seen also where the ping fails behind it", "[monitor][certificate]") {
    Scene scene;
    PingResult refused = Play::bad(Reason::denied, Phase::auth);
    refused.tls = scene.shows("a", 3 * k_day).tls;
    scene.ping(scene.shop, refused);
    CHECK(scene.told() == k_expires);
}

TEST_CASE("what is disabled, removed or connects to something else has no warning of its certificate any more", "[monitor][certificate]") {
    Scene scene;
    scene.ping(scene.shop, scene.shows("a", 3 * k_day));
    scene.told();
    SECTION("disabled") {
        scene.engine.disable(scene.shop, scene.now);
        CHECK(scene.told() == "disabled:shop " + k_over);
    }
    SECTION("removed") {
        scene.engine.remove(scene.shop, scene.now);
        CHECK(scene.told() == k_over + " removed:shop");
    }
    SECTION("changed") {
        scene.engine.change(scene.shop, scene.now);
        CHECK(scene.told() == k_over);
        CHECK(scene.status(scene.shop).certificate_expires == std::chrono::system_clock::time_point{});
        CHECK(scene.told_of(scene.shows("b", 90 * k_day)) == "up:shop");  // of another server: no change
    }
}

TEST_CASE("one certificate is kept once for all that show it", "[certificate]") {
    CertificateTable table;
    ServerCertificate one;
    one.sha256 = "a";
    const Certificate first = table.take(one);
    CHECK(table.take(one) == first);
    for (int i = 0; i < 1000; ++i) {
        one.sha256 = "b" + std::to_string(i);
        table.take(one);
    }
    CHECK(table.size() < 130);
    one.sha256 = "a";
    CHECK(table.take(one) == first);
}
