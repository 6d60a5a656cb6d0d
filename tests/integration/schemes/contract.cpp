// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for each scheme that the library has.
#include <sys/stat.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>

#include <qconn/file/file_client.hpp>
#include <qconn/ftp/ftp_client.hpp>
#include <qconn/rest/rest_client.hpp>
#include <qconn/rpc/rpc_client.hpp>

#include "contract/connection_contract.hpp"
#include "contract/tls_samples.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/http_use.hpp"
#include "support/server.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

const std::string k_login = std::string{k_user} + ':' + std::string{k_password} + '@';

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// What nginx says to every call of one of the RPC kinds: 17 to those who log in, 18 at another path.
std::string rpc_locations() {
    struct Answer {
        const char* kind;
        const char* type;
        const char* before;
        const char* behind;
    };
    constexpr Answer k_answers[] = {
        {"jsonrpc", "application/json", R"({"jsonrpc":"2.0","id":1,"result":)", "}"},
        {"xmlrpc", "text/xml", "<methodResponse><params><param><value><int>", "</int></value></param></params></methodResponse>"},
        {"yamlrpc", "application/x-yaml", "result: ", ""},
    };
    std::string all;
    for (const Answer& one : k_answers) {
        for (const bool login : {true, false}) {
            all += "location = /" + std::string{login ? "" : "other/"} + one.kind + " { default_type " + one.type + "; echo_read_request_body; ";
            if (login) all += "auth_basic test; auth_basic_user_file htpasswd; ";
            all += "echo '" + std::string{one.before} + (login ? "17" : "18") + one.behind + "'; } ";
        }
    }
    return all;
}

/// Peers of the HTTP kinds, and what they have in common.
class HttpPeers {
public:
    HttpPeers() {
        nginx_.directory().write("www/other/hello.txt", "other\n");
        nginx_.directory().write("www/other/order.json", "{\"id\": 18}\n");
        for (const char* name : {"www/other", "www/other/hello.txt", "www/other/order.json"}) ::chmod((nginx_.directory() / name).c_str(), 0755);
    }

    ConnectionContract contract(const std::string& scheme) {
        const bool tls = scheme.ends_with('s');
        const bool rest = scheme.starts_with("rest");
        const bool rpc = scheme.find("rpc") != std::string::npos;
        const std::string kind = scheme.substr(0, scheme.size() - (tls ? 1 : 0));
        const std::string start = scheme + "://";
        const std::string at = tls ? nginx_.address2() : nginx_.address();
        const std::string trust = tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "";
        const std::string request = rest ? "ping_method: GET\nping_path: hello.txt\n" : rpc ? "ping_call: orders.next\n" : "";
        const Phase talk = tls ? Phase::tls : Phase::protocol;
        const std::string dead = local(free_port());

        ConnectionContract out;
        out.up = {start + k_login + at + "/auth/hello.txt", trust};
        if (rest) out.up = {start + k_login + at + "/auth", trust + request};
        if (rpc) out.up = {start + k_login + at + '/' + kind, trust + request};
        out.changed = {start + at + "/other", trust};
        out.use = rpc ? rpc_call("orders.next") : rest ? rest_get("order.json") : http_get("");
        out.answer = rest || rpc ? "17" : "hello\n";
        if (rest || rpc) {
            out.changed_answer = "18";
            if (rpc) out.changed.url += '/' + kind;
        } else {
            out.changed.url += "/hello.txt";
            out.changed_answer = "other\n";
        }
        out.refused = Down{{start + dead, trust + request}, Phase::connect, Reason::refused};
        out.silent = Down{{start + local(silent_.port()), trust + request}, talk, Reason::timeout, PingDepth::full, 2s};
        const std::string guarded = rpc ? '/' + kind : "/auth/hello.txt";
        out.wrong_password = Down{{start + std::string{k_user} + ":wrong@" + at + guarded, trust}, Phase::auth, Reason::denied, PingDepth::auth};
        if (tls)
            out.bad_certificate = Down{{start + expired_.address2(), trust + request}, Phase::tls, Reason::certificate_expired};
        else
            out.bad_certificate = Absent{"without TLS there is no certificate"};
        out.slow = SlowUse{.sample = {start + local(silent_.port())}, .reached = [this](int calls) {
                               return count_ends_towards(silent_.port(), TcpState::established) >= static_cast<std::size_t>(calls);
                           }};
        // With TLS each option is tried, without it those that are not of http.
        if (!tls) out.options_beyond = rest ? "rests" : "https";
        if (rpc) out.options_beyond = "https";
        out.samples = tls_samples();
        if (rest) {
            out.samples.insert({"token", {start + at, trust + "token: " + std::string{k_password}}});
            out.samples.insert({"oauth2_grant_type",
                                {start + at, trust + "oauth2_grant_type: client_credentials\noauth2_client_id: shop\n"
                                                     "oauth2_client_secret: s\noauth2_token_url: /token\n"}});
            out.samples.insert(
                {"swagger", {"", "swagger: " + nginx_.directory().write("api.yaml", "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n")}});
        }
        const std::string canary = k_canary;
        const std::string in_places = trust + "headers: {X-Api: " + canary + "}\n";
        const std::string in_ping =
            rest ? "ping_method: GET\nping_path: /auth/hello.txt?key=" + canary + "\nping_headers: {X-Key: " + canary + "}\n" : "";
        out.with_canary = {{start + k_login + at + "/auth?key=" + canary, in_places + in_ping},
                           {start + "edi:" + canary + "@" + dead, in_places + in_ping},
                           {start + at, in_places + "proxy: http://edi:" + canary + "@" + dead},
                           {start + at, "ssl_cert_path: " + tls_file("client.p12") + "\nssl_key_password: " + canary}};
        return out;
    }

    /// Of a connection whose requests have tokens of that server.
    ConnectionContract contract_with_tokens(const Server& tokens) {
        ConnectionContract out = contract("rests");
        const auto log_in = [&tokens](const std::string& secret) {
            return "oauth2_grant_type: client_credentials\noauth2_client_id: " + std::string{k_user} + "-post\noauth2_client_secret: " + secret +
                   "\noauth2_token_url: http://" + tokens.address() + "/token\n";
        };
        const std::string good = log_in(std::string{k_password});
        const std::string at = "rests://" + nginx_.address2();
        const std::string trust = "ssl_ca_file: " + tls_file("ca.crt") + "\n";
        const std::string request = "ping_method: GET\nping_path: hello.txt\n";
        out.up = {at, trust + request + good};
        out.changed.options += good;
        for (auto* down : {&out.refused, &out.silent, &out.bad_certificate}) std::get<Down>(*down).sample.options += good;
        out.wrong_password = Down{{at, trust + log_in("wrong")}, Phase::auth, Reason::denied, PingDepth::auth};
        std::get<SlowUse>(out.slow).sample.options += good;
        for (const char* name : {"username", "password"}) out.samples[name] = {at, trust + "username: edi\npassword: secret"};
        out.with_canary = {{at, trust + log_in(k_canary)},
                           {at, trust + good + "oauth2_token_args: {key: " + k_canary + "}"},
                           {at, trust + good + "oauth2_alt_token_url: http://edi:" + k_canary + "@" + local(free_port()) + "/?key=" + k_canary}};
        return out;
    }

    /// Of requests that are signed for Amazon Web Services. No signature is looked at here; a log-in of another kind stands for a key that is
    /// refused.
    ConnectionContract contract_with_signatures() {
        ConnectionContract out = contract("rests");
        out.options_beyond = "rests";
        const std::string key = "aws_keyid: AKIDEXAMPLE\naws_region: eu-west-1\naws_service: sqs\naws_secret: ";
        const std::string at = "awsrests://" + nginx_.address2();
        const std::string trust = "ssl_ca_file: " + tls_file("ca.crt") + "\n";
        const std::string request = "ping_method: GET\nping_path: hello.txt\n";
        out.up = {at, trust + request + key + "s3cr3t\n"};
        out.changed = {at + "/other", trust + key + "s3cr3t"};
        for (auto* down : {&out.refused, &out.silent, &out.bad_certificate}) {
            Sample& sample = std::get<Down>(*down).sample;
            sample = {"aws" + sample.url, sample.options + key + "s3cr3t"};
        }
        out.wrong_password = Down{{at + "/auth/hello.txt", trust + key + "wrong"}, Phase::auth, Reason::denied, PingDepth::auth};
        Sample& slow = std::get<SlowUse>(out.slow).sample;
        slow = {"aws" + slow.url, slow.options + key + "s3cr3t"};
        out.with_canary = {{at, trust + key + k_canary},
                           {at, trust + key + "s\naws_token: " + k_canary},
                           {"awsrests://edi:" + std::string{k_canary} + "@" + nginx_.address2(), trust + key + "s"}};
        return out;
    }

private:
    /// The number of an order.
    static Use rest_get(const std::string& path) {
        return {.blocking = [path](Client& client,
                                   Deadline deadline) { return to_text(dynamic_cast<RestClient&>(client).get(path, deadline).body["id"]); },
                .asynchronous =
                    [path](Client& client, Deadline deadline, Callback<std::string> callback) {
                        RestCall call;
                        call.path = path;
                        return dynamic_cast<RestClient&>(client).async_call(
                            std::move(call), deadline, [callback = std::move(callback)](Result<RestResponse> result) mutable {
                                callback(result ? Result<std::string>{to_text(result.value().body["id"])} : Result<std::string>{result.error()});
                            });
                    }};
    }

    /// What a method gives.
    static Use rpc_call(const std::string& method) {
        return {
            .blocking = [method](Client& client, Deadline deadline) { return to_text(dynamic_cast<RpcClient&>(client).call(method, {}, deadline)); },
            .asynchronous =
                [method](Client& client, Deadline deadline, Callback<std::string> callback) {
                    return dynamic_cast<RpcClient&>(client).async_call(
                        method, {}, deadline, [callback = std::move(callback)](Result<Value> result) mutable {
                            callback(result ? Result<std::string>{to_text(*result)} : Result<std::string>{result.error()});
                        });
                }};
    }

    Server nginx_{"nginx", {.environment = {"NGINX_SERVER=" + rpc_locations()}}};
    Server expired_{"nginx", {.environment = {"NGINX_CERT=expired"}}};
    SilentServer silent_;
};

/// Keeps all threads of a runtime's blocking pool, until it goes.
class BusyPool {
public:
    explicit BusyPool(const Runtime& runtime) {
        for (std::size_t i = 0; i < RuntimeOptions{}.blocking_threads; ++i) {
            runtime.post_blocking([state = state_] {
                std::unique_lock lock{state->mutex};
                state->changed.wait(lock, [&] { return state->over; });
            });
        }
    }
    BusyPool(const BusyPool&) = delete;
    BusyPool& operator=(const BusyPool&) = delete;
    ~BusyPool() {
        const std::scoped_lock lock{state_->mutex};
        state_->over = true;
        state_->changed.notify_all();
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool over{false};
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

ConnectionContract file_contract(const std::string& scheme, const TempDir& dir) {
    dir.write("one/name", "one");
    dir.write("two/name", "two");
    const auto url = [&](std::string_view name) { return Sample{scheme + "://" + dir / name}; };
    ConnectionContract out;
    out.up = url("one");
    out.changed = url("two");
    out.use = {.blocking = [](Client& client, Deadline deadline) { return dynamic_cast<FileClient&>(client).read("name", deadline); },
               .asynchronous =
                   [](Client& client, Deadline deadline, Callback<std::string> callback) {
                       return dynamic_cast<FileClient&>(client).async_read("name", deadline, std::move(callback));
                   }};
    out.answer = "one";
    out.changed_answer = "two";
    out.refused = Down{url("gone"), Phase::connect, Reason::not_found};  // the nearest that a directory has
    out.silent = Absent{"a file system that hangs cannot be had without privileges; tests/unit/file/endings_test.cpp replaces libc's functions"};
    out.wrong_password = Absent{"a directory asks for no log-in"};
    out.bad_certificate = Absent{"a directory has no TLS"};
    out.slow = SlowUse{.sample = url("one"),
                       .hold = [](const Runtime& runtime) { return std::make_shared<BusyPool>(runtime); },
                       .blocking_ignores_deadline = "the file system answers at once",
                       .blocking_holds_client = "the file system answers at once"};
    return out;
}

/// Peers of the kinds of FTP.
class FtpPeers {
public:
    FtpPeers() {
        ftp_.directory().write("home/one/name", "one");
        ftp_.directory().write("home/two/name", "two");
    }
    ConnectionContract contract(const std::string& scheme) {
        const bool tls = scheme == "ftps";
        const std::string start = scheme + "://";
        const std::string trust = tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "";
        ConnectionContract out;
        out.up = {start + k_login + ftp_.address() + "/one", trust};
        out.changed = {start + k_login + ftp_.address() + "/two", trust};
        out.use = {.blocking = [](Client& client, Deadline deadline) { return dynamic_cast<FtpClient&>(client).read("name", deadline); },
                   .asynchronous =
                       [](Client& client, Deadline deadline, Callback<std::string> callback) {
                           return dynamic_cast<FtpClient&>(client).async_read("name", deadline, std::move(callback));
                       }};
        out.answer = "one";
        out.changed_answer = "two";
        out.refused = Down{{start + local(free_port()), trust}, Phase::connect, Reason::refused};
        out.silent = Down{{start + local(silent_.port()), trust}, Phase::protocol, Reason::timeout, PingDepth::full, 2s};
        out.wrong_password = Down{{start + std::string{k_user} + ":wrong@" + ftp_.address(), trust}, Phase::auth, Reason::denied, PingDepth::auth};
        if (tls)
            out.bad_certificate = Down{{start + k_login + expired_.address(), trust}, Phase::tls, Reason::certificate_expired};
        else
            out.bad_certificate = Absent{"without TLS there is no certificate"};
        out.slow = SlowUse{.sample = {start + local(silent_.port()), "max_sessions: 100"}, .reached = [this](int calls) {
                               return count_ends_towards(silent_.port(), TcpState::established) >= static_cast<std::size_t>(calls);
                           }};
        out.samples = tls_samples();
        for (const char* name : {"username", "password"}) out.samples[name] = {start + ftp_.address(), trust + "username: edi\npassword: x"};
        const std::string canary = k_canary;
        out.with_canary = {{start + "edi:" + canary + "@" + ftp_.address() + "/one", trust},
                           {start + "edi:" + canary + "@" + local(silent_.port()), trust + "proxy: http://edi:" + canary + "@" + local(free_port())}};
        return out;
    }

private:
    Server ftp_{"proftpd"};
    Server expired_{"proftpd", {.environment = {"FTP_CERT=expired"}}};
    SilentServer silent_;
};

}  // namespace

TEST_CASE("ftp keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(FtpPeers{}.contract("ftp"))) == "");
}

TEST_CASE("ftps keeps the contract of connections", "[contract][integration]") { CHECK(to_text(broken_promises(FtpPeers{}.contract("ftps"))) == ""); }

TEST_CASE("http keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("http"))) == "");
}

TEST_CASE("https keeps the contract of connections", "[contract][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("https"))) == "");
}

TEST_CASE("rest keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("rest"))) == "");
}

TEST_CASE("rests keeps the contract of connections", "[contract][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("rests"))) == "");
}

// Of the RPC kinds one scheme each, unless QCONN_LONG=1 asks for all: they differ in nothing but the table of their protocol, and the secure ones in
// nothing from rests.
TEST_CASE("jsonrpc keeps the contract of connections", "[contract][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("jsonrpc"))) == "");
}

TEST_CASE("xmlrpcs keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("xmlrpcs"))) == "");
}

TEST_CASE("yamlrpc keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract("yamlrpc"))) == "");
}

TEST_CASE("the other names of the RPC kinds keep the contract of connections", "[contract][alike][integration]") {
    if (std::getenv("QCONN_LONG") == nullptr) return;  // of .ci/full
    for (const char* scheme : {"jsonrpcs", "xmlrpc", "yamlrpcs"}) CHECK(to_text(broken_promises(HttpPeers{}.contract(scheme))) == "");
}

TEST_CASE("rests with tokens keeps the contract of connections", "[contract][alike][integration]") {
    Server tokens{"oauth"};
    CHECK(to_text(broken_promises(HttpPeers{}.contract_with_tokens(tokens))) == "");
}

TEST_CASE("awsrests keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(HttpPeers{}.contract_with_signatures())) == "");
}

TEST_CASE("file keeps the contract of connections", "[contract][integration]") { CHECK(to_text(broken_promises(file_contract("file", {}))) == ""); }

TEST_CASE("dir keeps the contract of connections", "[contract][alike][integration]") {
    CHECK(to_text(broken_promises(file_contract("dir", {}))) == "");
}

// Of the vendors' kinds awsrests is here, the others are in tests/integration/vendors; ssh, sftp, those of WebSocket, eFTL, AMQP, mail, TELNET in
// their folders.
TEST_CASE("no scheme of the library is left out of the contract", "[contract]") {
    const std::vector<std::string> stated{"http",      "https",   "rest",          "rests",    "awsrests",  "billwerkrests", "billwerkrest",
                                          "cdsrests",  "sfrests", "sap4hanarests", "snrests",  "sewiorest", "sewiorests",    "zeyosrests",
                                          "zeyosrest", "jsonrpc", "jsonrpcs",      "xmlrpc",   "xmlrpcs",   "yamlrpc",       "yamlrpcs",
#ifndef QCONN_WITHOUT_WEBSOCKET
                                          "ws",        "wss",     "sewiows",       "sewiowss", "eftl",      "eftls",
#endif
                                          "amqp",      "amqps",   "file",          "dir",      "ssh",       "sftp",          "ftp",
                                          "ftps",      "smtp",    "smtptls",       "smtps",    "esmtp",     "esmtptls",      "esmtps",
                                          "pop3",      "pop3s",
#ifndef QCONN_WITHOUT_TELNET
                                          "telnet"
#endif
    };
    CHECK(builtin_catalogue().names() == stated);
}
