// SPDX-License-Identifier: Apache-2.0
// What pings of amqp and amqps tell beyond the contract of connections.
#include "integration/amqp/fixture.hpp"
#include "net/ping_run.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

PingResult ping(const std::string& url, const std::string& options = {}, PingDepth depth = PingDepth::standard, Deadline deadline = 10s) {
    const Checked checked = define(url, options);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return net::run_ping_blocking(Runtime{}, checked.ping(depth), checked.definition.name, deadline, true);
}

std::string words(const PingResult& result) {
    std::string all = result.error ? result.error->what() : "ok";
    for (const PingStep& step : result.steps) all.append("\n  ").append(to_string(step.phase)).append(": ").append(step.evidence);
    return all;
}

struct Expected {
    std::string role;
    std::string name;
    Phase phase;
    Reason reason;
};

const std::string k_login = std::string{k_user} + ':' + std::string{k_password} + '@';

}  // namespace

TEST_CASE("up: every peer, to every depth, with and without TLS", "[amqp][integration]") {
    const std::string trust = "ssl_ca_file: " + tls_file("ca.crt");
    for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full}) {
        CAPTURE(to_string(depth));
        for (const auto& [url, options] :
             {std::pair{"amqp://" + k_login + rhea().address(), std::string{}}, std::pair{"amqps://" + k_login + rhea().address2(), trust},
              std::pair{"amqp://" + proton().address(), std::string{}}, std::pair{"amqps://" + proton().address2(), trust},
              std::pair{"amqp://" + raw_amqp().address(), std::string{}}}) {
            const PingResult result = ping(url, options, depth);
            INFO(url + '\n' + words(result));
            CHECK(result.ok);
            if (depth == PingDepth::full) CHECK(words(result).find("session begun and ended") != std::string::npos);
        }
    }
    CHECK(raw_amqp_control("breaches").find("breach") == std::string::npos);
}

TEST_CASE("up: RabbitMQ, by each way to log in", "[amqp][integration]") {
    for (const std::string& url : {"amqp://" + k_login + rabbitmq().address(), "amqp://" + rabbitmq().address()}) {
        const PingResult result = ping(url, {}, PingDepth::full);
        INFO(url + '\n' + words(result));
        CHECK(result.ok);
        CHECK(words(result).find("RabbitMQ") != std::string::npos);
    }
    // It looks for the virtual host when a session begins.
    CHECK(ping("amqp://" + k_login + rabbitmq().address(), "virtual_host: 'vhost:/'", PingDepth::full).ok);
    const PingResult elsewhere = ping("amqp://" + k_login + rabbitmq().address(), "virtual_host: 'vhost:nowhere'", PingDepth::full);
    INFO(words(elsewhere));
    CHECK_FALSE(elsewhere.ok);
    const PingResult wrong = ping("amqp://qconntest:wrong@" + rabbitmq().address());
    INFO(words(wrong));
    REQUIRE(wrong.error);
    CHECK(wrong.error->phase() == Phase::auth);
    CHECK(wrong.error->reason() == Reason::denied);
}

TEST_CASE("with several hosts a ping is up where one of them is", "[amqp][integration]") {
    const std::string dead = "127.0.0.1:" + std::to_string(free_port());
    for (const PingDepth depth : {PingDepth::standard, PingDepth::full}) {
        const PingResult result = ping("amqp://" + k_login, "hosts: '" + dead + "," + rhea().address() + "'", depth);
        INFO(words(result));
        CHECK(result.ok);
    }
    const PingResult down = ping("amqp://" + k_login, "hosts: '" + dead + "," + dead + "'");
    INFO(words(down));
    REQUIRE(down.error);
    CHECK(down.error->phase() == Phase::connect);
    CHECK(down.error->reason() == Reason::refused);
}

TEST_CASE("down: what a peer does wrong, or says, is in the phase and the reason", "[amqp][integration]") {
    const std::vector<Expected> all{{"header-http", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::bad_answer},
                                    {"header-ssh", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::bad_answer},
                                    {"header-0-9-1", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::bad_answer},
                                    {"header-tls", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::bad_answer},
                                    {"header-half", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::closed},
                                    {"header-half-silent", "TIMEOUT", Phase::protocol, Reason::timeout},
                                    {"silent-accept", "TIMEOUT", Phase::protocol, Reason::timeout},
                                    {"silent-sasl-mechanisms", "TIMEOUT", Phase::auth, Reason::timeout},
                                    {"silent-sasl-outcome", "TIMEOUT", Phase::auth, Reason::timeout},
                                    {"silent-open", "TIMEOUT", Phase::protocol, Reason::timeout},
                                    {"silent-close", "TIMEOUT", Phase::protocol, Reason::timeout},
                                    {"cut-open", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::closed},
                                    {"mechanisms-foreign", "AMQP-AUTH-ERROR", Phase::auth, Reason::denied},
                                    {"outcome-1", "AMQP-AUTH-ERROR", Phase::auth, Reason::denied},
                                    {"outcome-4", "AMQP-AUTH-ERROR", Phase::auth, Reason::status},
                                    {"open-refused", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::permission},
                                    {"open-close", "AMQP-CONNECTION-ERROR", Phase::protocol, Reason::closed},
                                    {"open-redirect", "AMQP-REDIRECT", Phase::redirect, Reason::status},
                                    {"open-malformed", "AMQP-PROTOCOL-ERROR", Phase::protocol, Reason::bad_answer}};
    const std::string url = "amqp://" + raw_amqp().address();
    for (const Expected& one : all) {
        REQUIRE(raw_amqp_control("role " + one.role) == "ok\n");
        const PingResult result = ping(url, {}, PingDepth::standard, one.reason == Reason::timeout ? 700ms : 10s);
        INFO(one.role + ": " + words(result));
        REQUIRE_FALSE(result.ok);
        REQUIRE(result.error);
        CHECK(result.error->name() == one.name);
        CHECK(to_string(result.error->phase()) == to_string(one.phase));
        CHECK(to_string(result.error->reason()) == to_string(one.reason));
        CHECK(result.error->connection() == "test");
    }
    raw_amqp_control("role broker");
}

TEST_CASE("down: rhea opens a connection and closes it at once, and the ping has its words", "[amqp][integration]") {
    const PingResult forbidden = ping("amqp://" + k_login + rhea().address(), "virtual_host: forbidden.example");
    INFO(words(forbidden));
    REQUIRE(forbidden.error);
    CHECK(forbidden.error->reason() == Reason::permission);
    CHECK(forbidden.error->message().find("not you") != std::string_view::npos);
    const PingResult elsewhere = ping("amqp://" + k_login + rhea().address(), "virtual_host: redirect.example");
    REQUIRE(elsewhere.error);
    CHECK(elsewhere.error->name() == "AMQP-REDIRECT");
}
