// SPDX-License-Identifier: Apache-2.0
// Log-ins by tokens: of an OAuth 2 server, which the broker asks whether they are good.
#ifndef QCONN_WITHOUT_HTTP
#include "integration/amqp/fixture.hpp"
#include "net/ping_run.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/token_grant.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

struct TokenPeers {
    Server oauth{"oauth"};
    Server broker{"rhea", {.environment = {"AMQP_SASL=xoauth2", "OAUTH_RESOURCE=http://" + oauth.address() + "/resource"}}};

    std::string count(bool accepted) const {
        const std::string log = broker.log();
        const std::string wanted = accepted ? "\"accepted\":true" : "\"accepted\":false";
        std::size_t found = 0;
        for (std::size_t at = log.find(wanted); at != std::string::npos; at = log.find(wanted, at + 1)) ++found;
        return std::to_string(found);
    }
};

TokenPeers& token_peers() {
    static TokenPeers all;
    return all;
}

OAuth2Options grant() { return grant_of(token_peers().oauth); }

AmqpOptions with(std::shared_ptr<TokenSource> tokens) {
    AmqpOptions options = to(token_peers().broker);
    options.username = "jo@example.com";
    options.tokens = std::move(tokens);
    return options;
}

}  // namespace

TEST_CASE("a client logs in with a token that it gets, and gets another one where that is refused", "[amqp][integration]") {
    const auto tokens = source_of(grant());
    {
        AmqpClient client{with(tokens)};
        AmqpSender sender = client.open_sender(sending_to("queue"), soon());
        sender.send(AmqpMessage::of_text("x"), soon());
        client.close(soon());
    }
    const auto stale = with_stale_token(grant());
    const std::string refused = token_peers().count(false);
    AmqpClient client{with(stale)};
    client.connect(soon());
    CHECK(token_peers().count(false) == std::to_string(std::stoi(refused) + 1));
    CHECK(stale->last()->access.reveal() != "long-forgotten");
    client.close(soon());
}

TEST_CASE("where no token is to be had, the log-in fails with the reason, and no secret in it", "[amqp][integration]") {
    OAuth2Options wrong = grant();
    wrong.client_secret = Secret{"canary-of-the-secret"};
    AmqpClient client{with(source_of(wrong))};
    const Error error = error_of([&] { client.connect(soon()); });
    CHECK(error.message().find("there is no token for the log-in") != std::string_view::npos);
    CHECK(error.message().find("canary") == std::string_view::npos);

    AmqpOptions silly = with(source_of(grant()));
    silly.sasl = AmqpSasl::anonymous;
    CHECK(error_of([&] { AmqpClient{silly}; }).name() == "AMQP-OPTION-ERROR");
}

TEST_CASE("a definition says where tokens come from, for pings too", "[amqp][integration]") {
    const std::string url = "amqp://jo@" + token_peers().broker.address();
    const std::string options = "sasl: xoauth2\noauth2_grant_type: client_credentials\noauth2_client_id: " + std::string{k_user} +
                                "\noauth2_client_secret: " + std::string{k_password} +
                                "\noauth2_token_use_basic_auth: true\noauth2_token_url: http://" + token_peers().oauth.address() + "/token";
    const Checked good = define(url, options);
    INFO(good.text());
    REQUIRE(good.valid);
    for (const PingDepth depth : {PingDepth::auth, PingDepth::full}) {
        const PingResult result = net::run_ping_blocking(Runtime{}, good.ping(depth), good.definition.name, 20s, true);
        INFO((result.error ? result.error->what() : "ok"));
        CHECK(result.ok);
    }
    CHECK(define(url, "oauth2_grant_type: client_credentials\noauth2_client_id: x\noauth2_client_secret: y\noauth2_token_url: /token")
              .text()
              .find("must be a whole URL here") != std::string::npos);
}
#endif
