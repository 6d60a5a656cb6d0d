// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for smtp, smtptls and smtps.
#include <string>

#include "contract/connection_contract.hpp"
#include "contract/tls_samples.hpp"
#include "fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// What the server says to VRFY; each of the two has words of its own.
Use verify_use() {
    return {
        .blocking = [](Client& client, Deadline deadline) { return dynamic_cast<SmtpClient&>(client).verify("jane@example.com", deadline).text(); },
        .asynchronous =
            [](Client& client, Deadline deadline, Callback<std::string> callback) {
                return dynamic_cast<SmtpClient&>(client).async_verify("jane@example.com", deadline,
                                                                      [callback = std::move(callback)](Result<Reply> reply) mutable {
                                                                          if (reply)
                                                                              callback(reply->text());
                                                                          else
                                                                              callback(reply.error());
                                                                      });
            }};
}

std::string said_by(Server& server) { return SmtpClient{options_for(server)}.verify("jane@example.com", 20s).text(); }

ConnectionContract contract_of(const std::string& scheme, const SilentServer& silent) {
    const bool implicit = scheme == "smtps";
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    const std::string trust = "ssl_ca_file: " + tls_file("ca.crt") + "\n";
    const auto at = [&](const std::string& user, std::uint16_t port) { return scheme + "://" + user + "127.0.0.1:" + std::to_string(port); };
    const std::uint16_t port = implicit ? exim().port2() : exim().port();
    ConnectionContract out;
    out.up = {at(login, port), trust};
    out.changed = {at(login, implicit ? aiosmtp().port2() : aiosmtp().port()), trust};
    out.use = verify_use();
    out.answer = said_by(exim());
    out.changed_answer = said_by(aiosmtp());
    out.refused = Down{{at(login, free_port()), trust}, Phase::connect, Reason::refused};
    out.silent = Down{{at(login, silent.port()), trust}, implicit ? Phase::tls : Phase::protocol, Reason::timeout, PingDepth::full, 2s};
    const std::string wrong = std::string{k_user}.append(":wrong@");
    out.wrong_password = Down{{at(wrong, port), trust}, Phase::auth, Reason::denied};
    out.bad_certificate = Down{{at(login, port), ""}, Phase::tls, Reason::certificate_untrusted};
    out.slow = SlowUse{.sample = {at(login, silent.port()), trust}, .reached = [&silent](int calls) {
                           return count_ends_towards(silent.port(), TcpState::established) >= static_cast<std::size_t>(calls);
                       }};
    const std::string both = trust + "username: " + std::string{k_user} + "\npassword: " + std::string{k_password};
    out.options_beyond = scheme == "smtp" ? "rests" : "smtp";
    out.samples = tls_samples();
    out.samples["username"] = {at("", port), both};
    out.samples["password"] = {at("", port), both};
    out.samples["token"] = {at("", port), trust + "username: " + std::string{k_user} + "\ntoken: sample"};
    out.samples["oauth2_grant_type"] = {
        at("", port),
        trust + "username: user\n" +
            "oauth2_grant_type: client_credentials\noauth2_client_id: shop\noauth2_client_secret: s\noauth2_token_url: https://login.example/token"};
    if (scheme != "smtp") out.samples["security"] = {at(login, port), trust + "security: default"};
    out.samples["proxy"] = {"", "proxy: socks5://127.0.0.1:" + std::to_string(free_port())};
    const std::string canary = k_canary;
    out.with_canary = {
        {at("user:" + canary + "@", port), trust},
        {at("", port), trust + "username: user\npassword: " + canary},
        {at("", port), trust + "username: user\ntoken: " + canary},
        {at("user:" + canary + "@", silent.port()), trust + "proxy: http://edi:" + canary + "@127.0.0.1:" + std::to_string(free_port())}};
    return out;
}

}  // namespace

TEST_CASE("smtp keeps the contract of connections", "[contract][integration]") {
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("smtp", silent))) == "");
}

TEST_CASE("smtptls keeps the contract of connections", "[contract][alike][integration]") {
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("smtptls", silent))) == "");
}

TEST_CASE("smtps keeps the contract of connections", "[contract][alike][integration]") {
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("smtps", silent))) == "");
}
