// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <qconn/mail/pop3_client.hpp>

#include "contract/connection_contract.hpp"
#include "contract/tls_samples.hpp"
#include "pop3_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Calls that have been begun and have not ended.
std::atomic<int>& pop3_calls() {
    static std::atomic<int> count{0};
    return count;
}
struct Pop3InFlight {
    Pop3InFlight() { ++pop3_calls(); }
    Pop3InFlight(const Pop3InFlight&) = delete;
    Pop3InFlight& operator=(const Pop3InFlight&) = delete;
    ~Pop3InFlight() { --pop3_calls(); }
};

/// Two mailboxes of one server, with as many messages as their names say.
class Pop3Peers {
public:
    Pop3Peers() {
        one_.fill(1, 100);
        two_.fill(2, 100);
    }
    ConnectionContract contract(const std::string& scheme) {
        const bool tls = scheme == "pop3s";
        const std::string trust = tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "";
        const std::string server = "127.0.0.1:" + std::to_string(tls ? dovecot().port2() : dovecot().port());
        const auto url = [&](const std::string& user, const std::string& where) {
            return scheme + "://" + user + ':' + std::string{k_password} + '@' + where;
        };
        ConnectionContract out;
        out.up = {url(one_.user(), server), trust};
        out.changed = {url(two_.user(), server), trust};
        out.use.blocking = [](Client& client, Deadline deadline) {
            auto& mailbox = dynamic_cast<Pop3Client&>(client);
            const Pop3InFlight counted;
            return std::to_string(mailbox.list(deadline).size());
        };
        out.use.asynchronous = [](Client& client, Deadline deadline, Callback<std::string> callback) {
            return dynamic_cast<Pop3Client&>(client).async_list(
                deadline, [counted = std::make_shared<Pop3InFlight>(), callback = std::move(callback)](Result<std::vector<Pop3Entry>> all) mutable {
                    callback(all ? Result<std::string>{std::to_string(all->size())} : Result<std::string>{all.error()});
                });
        };
        out.answer = "1";
        out.changed_answer = "2";
        out.refused = Down{{url("edi", "127.0.0.1:" + std::to_string(free_port())), trust}, Phase::connect, Reason::refused};
        const std::string nowhere = "127.0.0.1:" + std::to_string(silent_.port());
        out.silent = Down{{url("edi", nowhere), trust}, tls ? Phase::tls : Phase::protocol, Reason::timeout, PingDepth::full, 2s};
        out.wrong_password = Down{{scheme + "://" + one_.user() + ":wrong@" + server, trust}, Phase::auth, Reason::denied, PingDepth::auth};
        if (tls)
            out.bad_certificate =
                Down{{url(one_.user(), "127.0.0.1:" + std::to_string(expired_.port2())), trust}, Phase::tls, Reason::certificate_expired};
        else
            out.bad_certificate = Absent{"without TLS there is no certificate"};
        out.slow = SlowUse{.sample = {url("edi", nowhere), "connect_timeout: 0"}, .reached = [this](int calls) {
                               // One has the session, the others wait for it: from outside only the first can be seen.
                               if (pop3_calls() < calls || count_ends_towards(silent_.port(), TcpState::established) == 0) return false;
                               std::this_thread::sleep_for(300ms);
                               return true;
                           }};
        out.options_beyond = tls ? "pop3" : "rests";
        out.samples = tls_samples();
        const std::string bare = scheme + "://" + server;
        for (const char* name : {"username", "password"})
            out.samples[name] = {bare, trust + "username: " + one_.user() + "\npassword: " + std::string{k_password}};
        out.samples["token"] = {scheme + "://edi@" + server, trust + "token: t0ken"};
        out.samples["tls"] = {url(one_.user(), server), "tls: true\nssl_ca_file: " + tls_file("ca.crt")};
        out.samples["oauth2_grant_type"] = {scheme + "://edi@" + server,
                                            trust +
                                                "oauth2_grant_type: client_credentials\noauth2_client_id: shop\noauth2_client_secret: "
                                                "s\noauth2_token_url: https://login.example/token"};
        const std::string canary = k_canary;
        out.with_canary = {
            {scheme + "://" + one_.user() + ':' + canary + '@' + server, trust},
            {scheme + "://edi:" + canary + '@' + nowhere, trust + "proxy: http://edi:" + canary + "@127.0.0.1:" + std::to_string(free_port())}};
        return out;
    }

private:
    Mailbox one_;
    Mailbox two_;
    Server expired_{"dovecot", {.environment = {"POP3_CERT=expired"}}};
    SilentServer silent_;
};

}  // namespace

TEST_CASE("pop3 keeps the contract of connections", "[contract][alike][mail][integration]") {
    CHECK(to_text(broken_promises(Pop3Peers{}.contract("pop3"))) == "");
}

TEST_CASE("pop3s keeps the contract of connections", "[contract][mail][integration]") {
    CHECK(to_text(broken_promises(Pop3Peers{}.contract("pop3s"))) == "");
}
