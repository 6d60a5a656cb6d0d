// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <vector>

#include "monitor/credentials.hpp"
#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct CredentialScene : Play {
    using Play::Play;
    TargetId shop{add("shop")};

    Credential certificate(std::string sha256, std::chrono::hours left) const {
        return {Credential::Kind::client_certificate,
                "CN=us",
                "CN=authority",
                now.wall - 1000h,
                std::chrono::floor<std::chrono::seconds>(now.wall + left),
                std::move(sha256)};
    }
    Credential token(std::chrono::minutes life, std::chrono::minutes left) const {
        return {Credential::Kind::token, "access token", "login.example.com", now.wall + left - life, now.wall + left, {}};
    }
    static Credential key(std::string fingerprint) {
        return {Credential::Kind::host_key, "ssh-ed25519", {}, {}, {}, "SHA256:" + std::move(fingerprint)};
    }
    /// @param with_tls  it made a handshake
    static PingResult seen(std::vector<Credential> credentials, bool with_tls = false) {
        PingResult result = good();
        result.credentials = std::move(credentials);
        if (with_tls) result.tls.emplace();
        return result;
    }
    std::string told_of(const PingResult& result) {
        told();
        ping(shop, result);
        return told();
    }
    std::size_t known() const {
        const auto all = engine.cell(shop).credentials();
        return all ? all->size() : 0;
    }
};

const std::string k_ends = "alert:shop:CREDENTIAL-EXPIRES";
const std::string k_is_over = "alert-cleared:shop:CREDENTIAL-EXPIRES";
const std::string k_other_key = "alert:shop:HOST-KEY-CHANGED";

}  // namespace

TEST_CASE("a client certificate that expires within the time of warning is an alert until another is shown", "[monitor][credentials]") {
    CredentialScene scene;
    CHECK(scene.told_of(scene.seen({scene.certificate("a", 20 * 24h)}, true)) == "up:shop");
    scene.pass(7 * 24h);
    CHECK(scene.told_of(scene.seen({})) == k_ends);  // over a kept stream nothing is shown: it is the one that is known
    CHECK(scene.told_of(scene.seen({})).empty());
    REQUIRE(scene.alerts.list().size() == 1);
    const std::string text = scene.alerts.list().front().text;
    CHECK(text.starts_with("the client certificate of \"shop\" (CN=us, issued by CN=authority) expires on 2023-12-04"));
    CHECK(text.find("into its definition before") != std::string::npos);
    CHECK(scene.told_of(scene.seen({scene.certificate("b", 90 * 24h)}, true)) == k_is_over);
    CHECK(scene.known() == 1);
    CHECK(scene.told_of(scene.seen({}, true)).empty());  // the server is not shown one any more
    CHECK(scene.known() == 0);
}

TEST_CASE("a token that only a person can replace is told of in the last fifth of its life", "[monitor][credentials]") {
    CredentialScene scene;
    CHECK(scene.told_of(scene.seen({scene.token(60min, 50min)})) == "up:shop");
    CHECK(scene.told_of(scene.seen({scene.token(60min, 13min)})).empty());
    CHECK(scene.told_of(scene.seen({scene.token(60min, 11min)})) == k_ends);
    CHECK(scene.alerts.list().front().text.find("the access token of \"shop\" (issued by login.example.com) expires on") == 0);
    CHECK(scene.alerts.list().front().text.find("qconn auth") != std::string::npos);
    PingResult refused = Play::bad(Reason::denied, Phase::auth);
    refused.credentials = {scene.token(60min, -1min)};
    CHECK(scene.told_of(refused).find(k_is_over) == std::string::npos);
    CHECK(scene.told_of(Play::doubtful()).empty());  // it was never made, and says nothing of tokens
    CHECK(scene.known() == 1);
    CHECK(scene.told_of(scene.seen({scene.token(60min, 60min)})) == "recovered:shop " + k_is_over);
    CHECK(scene.told_of(scene.seen({scene.token(60min, 1min)})) == k_ends);
    CHECK(scene.told_of(scene.seen({})) == k_is_over);  // it has none any more
    CHECK(scene.known() == 0);
}

TEST_CASE("what ends first of all that a connection has is what is told", "[monitor][credentials]") {
    CredentialScene scene;
    scene.ping(scene.shop, scene.seen({scene.certificate("a", 100h), scene.token(10'000min, 100min)}, true));
    REQUIRE(scene.alerts.list().size() == 1);
    CHECK(scene.alerts.list().front().text.starts_with("the access token of"));
    scene.engine.remove(scene.shop, scene.now);
    CHECK(scene.alerts.list().empty());
}

TEST_CASE("another host key is told once, also of several servers behind one name", "[monitor][credentials]") {
    CredentialScene scene;
    CHECK(scene.told_of(scene.seen({CredentialScene::key("one")})) == "up:shop");
    CHECK(scene.told_of(scene.seen({})).empty());
    CHECK(scene.told_of(scene.seen({CredentialScene::key("one")})).empty());
    CHECK(scene.told_of(scene.seen({CredentialScene::key("two")})) == k_other_key);
    REQUIRE(scene.alerts.recent().size() == 1);
    CHECK(scene.alerts.recent().front().text.find("ssh-ed25519 SHA256:two instead of ssh-ed25519 SHA256:one") != std::string::npos);
    for (int i = 0; i < 3; ++i) {
        CHECK(scene.told_of(scene.seen({CredentialScene::key("one")})).empty());
        CHECK(scene.told_of(scene.seen({CredentialScene::key("two")})).empty());
    }
    CHECK(scene.alerts.list().empty());
}

TEST_CASE("a connection that connects to something else has nothing of what it was shown before", "[monitor][credentials]") {
    CredentialScene scene;
    scene.ping(scene.shop, scene.seen({scene.certificate("a", 10h), CredentialScene::key("one")}, true));
    CHECK(scene.alerts.list().size() == 1);
    scene.engine.change(scene.shop, scene.now);
    CHECK(scene.alerts.list().empty());
    CHECK(scene.known() == 0);
    CHECK(scene.told_of(scene.seen({CredentialScene::key("two")})) == "up:shop");
}
