// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <qconn/http/http_client.hpp>
#include <qconn/http/oauth2.hpp>
#include <qconn/net/ping_plan.hpp>
#include <qconn/rest/rest_client.hpp>

#include "schemes/proxy_options.hpp"
#include "support/define.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using test::define;
using test::has;

namespace {

HttpOptions http_options(std::string_view url, std::string_view options = {}) {
    const auto checked = define(url, options);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<HttpClient>()->options();
}

const NetPing& net_ping(const PingPlan& plan) {
    const auto* ping = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
    REQUIRE(ping != nullptr);
    return **ping;
}

/// What a ping writes once its stream stands; empty where it writes nothing.
std::string wire(const PingPlan& plan) {
    const NetPing& ping = net_ping(plan);
    if (!ping.dialogue) return {};
    std::string out;
    ping.dialogue()->begin(out);
    return out;
}

}  // namespace

TEST_CASE("the URL of an HTTP kind: real scheme, host, port, path, log-in", "[schemes][http]") {
    const auto plain = http_options("rest://edi:p/w@d@host.example:8080/base?x=1");
    CHECK(plain.url == "http://host.example:8080/base?x=1");
    CHECK(plain.username == "edi");
    CHECK(plain.password.reveal() == "p/w@d");
    CHECK(plain.label == "test");

    CHECK(http_options("rests://h/").url == "https://h/");
    CHECK(http_options("https://[::1]:8443/a").url == "https://[::1]:8443/a");
    CHECK(http_options("http://h").url == "http://h");
    CHECK(http_options("http://socket=%2Frun%2Fapp.sock/x").url == "http://socket=%2Frun%2Fapp.sock/x");
    CHECK(http_options("rests://https://inner.example/v1").url == "https://inner.example/v1");
}

TEST_CASE("the defaults of the HTTP kinds: 45 s, verified, 1.1, five redirects", "[schemes][http]") {
    for (const char* url : {"https://h/", "rests://h/"}) {
        const auto options = http_options(url);
        CHECK(options.connect_timeout == 45s);
        CHECK(options.timeout == 45s);
        CHECK(options.tls.verify);
        CHECK(options.tls.reuse_sessions);
        CHECK(options.http_version == "1.1");
        CHECK(options.max_redirects == 5);
        CHECK(options.redirects == RedirectMode::standard);
        CHECK_FALSE(options.error_passthru);
        CHECK_FALSE(options.pre_encoded_paths);
        CHECK_FALSE(options.proxy);
        CHECK(options.token_type == "Bearer");
        CHECK(options.max_body == HttpOptions{}.max_body);
        CHECK(options.accept_codings == HttpOptions{}.accept_codings);
    }
}

TEST_CASE("each HTTP option reaches the client", "[schemes][http]") {
    const auto options =
        http_options("http://h/",
                     "connect_timeout: 1000\ntimeout: {type: int, value: 2000}\nusername: edi\npassword: secret\n"
                     "headers: {X-One: a, X-Two: 2}\nhttp_version: '2'\nproxy: http://u:p@proxy.example:3128\nmax_redirects: 2\n"
                     "redirect_mode: repeat\nerror_passthru: true\nassume_encoding: ISO-8859-1\nencode_chars: +\npre_encoded_urls: true\n"
                     "max_head_size: 2048\nmax_body_size: 4096\nmax_expansion: 7\nmax_idle: 3\naccept_encodings: [gzip, br]\n"
                     "send_encoding: auto\ncompress_above: 10");
    CHECK(options.connect_timeout == 1s);
    CHECK(options.timeout == 2s);
    CHECK(options.username == "edi");
    CHECK(options.password.reveal() == "secret");
    CHECK(options.headers == Headers{{"X-One", "a"}, {"X-Two", "2"}});
    CHECK(options.http_version == "2");
    REQUIRE(options.proxy);
    CHECK(options.proxy->host == "proxy.example");
    CHECK(options.proxy->port == 3128);
    CHECK(options.proxy->password.reveal() == "p");
    CHECK(options.socket == SocketOptions{});
    CHECK(options.max_redirects == 2);
    CHECK(options.redirects == RedirectMode::repeat);
    CHECK(options.error_passthru);
    CHECK(options.assume_charset == "ISO-8859-1");
    CHECK(options.encode_characters == "+");
    CHECK(options.pre_encoded_paths);
    CHECK(options.max_head == 2048);
    CHECK(options.max_body == 4096);
    CHECK(options.max_expansion == 7);
    CHECK(options.max_idle == 3);
    CHECK(options.accept_codings == std::vector<std::string>{"gzip", "br"});
    CHECK(options.send_coding == "gzip");
    CHECK(options.compress_above == 10);
    CHECK(http_options("http://h/", "redirect_passthru: true").redirects == RedirectMode::none);
    CHECK(http_options("http://h/", "headers: 'X-One=a, X-Two=\"b, c\"'").headers == Headers{{"X-One", "a"}, {"X-Two", "b, c"}});
}

TEST_CASE("each TLS option reaches the client", "[schemes][http]") {
    // Taken from the ping's endpoint, as making a client would read the files.
    const auto checked =
        define("https://h/",
               "ssl_verify_cert: false\nssl_waive: [expired, wrong_host]\nssl_ca_file: /ca.pem\nssl_ca_directory: /ca\nssl_ca_data: CA\n"
               "ssl_ca_only: true\nssl_cert_path: /c.pem\nssl_cert_data: CERT\nssl_key_path: /k.pem\nssl_key_data: KEY\nssl_key_password: pass\n"
               "ssl_pinned_sha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c'\nssl_min_version: TLSv1.1\n"
               "ssl_max_version: TLSv1.2\nssl_ciphers: HIGH\nssl_cipher_suites: TLS_AES_256_GCM_SHA384\nssl_groups: X25519\n"
               "ssl_signature_algorithms: ECDSA+SHA256\nssl_server_name: other.example\nssl_reuse_sessions: false\nssl_key_log_file: /keys\n"
               "ssl_crl_check: hard\nssl_crl_file: /lists.pem\nssl_crl_timeout: 17\nssl_cert_subject: CN=edi");
    INFO(checked.text());
    REQUIRE(checked.valid);
    const PingPlan plan = checked.ping();
    REQUIRE(net_ping(plan).endpoint.tls);
    const TlsOptions& tls = *net_ping(plan).endpoint.tls;

    CHECK_FALSE(tls.verify);
    CHECK(has(tls.waive, TlsWaiver::expired));
    CHECK(has(tls.waive, TlsWaiver::wrong_host));
    CHECK_FALSE(has(tls.waive, TlsWaiver::untrusted));
    CHECK(tls.ca_file == "/ca.pem");
    CHECK(tls.ca_directory == "/ca");
    CHECK(tls.ca_pem == "CA");
    CHECK(tls.ca_only);
    CHECK(tls.certificate_file == "/c.pem");
    CHECK(tls.certificate_data == "CERT");
    CHECK(tls.key_file == "/k.pem");
    CHECK(tls.key_data.reveal() == "KEY");
    CHECK(tls.key_password.reveal() == "pass");
    CHECK(tls.pinned_sha256.size() == 64);
    CHECK(tls.minimum == TlsVersion::tls1_1);
    CHECK(tls.maximum == TlsVersion::tls1_2);
    CHECK(tls.ciphers == "HIGH");
    CHECK(tls.cipher_suites == "TLS_AES_256_GCM_SHA384");
    CHECK(tls.groups == "X25519");
    CHECK(tls.signature_algorithms == "ECDSA+SHA256");
    CHECK(tls.server_name == std::string{"other.example"});
    CHECK_FALSE(tls.reuse_sessions);
    CHECK(tls.key_log_file == "/keys");
    CHECK(tls.crl_check == CrlCheck::hard);
    CHECK(tls.crl_file == "/lists.pem");
    CHECK(tls.crl_timeout == std::chrono::milliseconds{17});
    CHECK(tls.certificate_subject == "CN=edi");
}

TEST_CASE("the options of retries reach the client", "[schemes][http]") {
    CHECK(http_options("http://h/").retry.attempts == 1);
    const RetryPolicy retry = http_options("http://h/",
                                           "retries: 3\nretry_backoff: 1\nretry_max_backoff: 2\nretry_max_after: 3\nretry_statuses: [500]\n"
                                           "retry_methods: [POST]\nretry_budget: 4")
                                  .retry;
    CHECK(retry.attempts == 4);
    CHECK(retry.backoff == 1ms);
    CHECK(retry.max_backoff == 2ms);
    CHECK(retry.max_retry_after == 3ms);
    CHECK(retry.statuses == std::vector<int>{500});
    CHECK(retry.methods == std::vector<std::string>{"POST"});
    CHECK(retry.budget == 4);
    CHECK_FALSE(define("http://h/", "retry_statuses: [200]").valid);
    CHECK_FALSE(define("http://h/", "retry_methods: ['a b']").valid);
}

TEST_CASE("the options of rest reach the client", "[schemes][rest]") {
    const auto checked = define("rest://h/", "data: yaml\nno_charset: true\ntoken: abc\ntoken_type: Token\ncontent_encoding: bzip2");
    INFO(checked.text());
    REQUIRE(checked.valid);
    const auto client = checked.client<RestClient>();

    CHECK(client->rest_options().data == DataFormat::yaml);
    CHECK(client->rest_options().no_charset);
    CHECK(client->options().token.reveal() == "abc");
    CHECK(client->options().token_type == "Token");
    CHECK(client->options().accept_codings == std::vector<std::string>{"bzip2"});
    CHECK(client->options().send_coding == "bzip2");
    CHECK(define("rest://h/", "content_encoding: gzip\nsend_encoding: identity").client<RestClient>()->options().send_coding.empty());
}

TEST_CASE("what cannot work in an HTTP definition is found where it stands", "[schemes][http]") {
    const std::vector<std::pair<std::string, std::string>> bad{
        {"http_version: '3'", "not-allowed"},     {"username: edi", "missing-option"},       {"password: x", "missing-option"},
        {"timeout: -1", "out-of-range"},          {"proxy: ftp://p/", "bad-value"},          {"ssl_pinned_sha256: abc", "bad-value"},
        {"ssl_waive: [all]", "bad-value"},        {"ssl_key_path: /k", "missing-option"},    {"ssl_ca_only: true", "missing-option"},
        {"headers: {'a b': c}", "bad-value"},     {"accept_encodings: [lzma]", "bad-value"}, {"redirect_mode: maybe", "not-allowed"},
        {"ssl_verify_cert: ture", "bad-boolean"}, {"conect_timeout: 5", "unknown-option"},   {"token: x", "unknown-option"},
        {"oauth2_app: x", "unknown-option"},
    };
    for (const auto& [option, code] : bad) {
        CAPTURE(option);
        const auto checked = define("https://h/", option);
        INFO(checked.text());
        CHECK_FALSE(checked.valid);
        REQUIRE_FALSE(checked.diagnostics.empty());
        if (code != "bad-boolean") CHECK(checked.code() == code);
        CHECK(checked.diagnostics.front().place.line == 6);
    }
    CHECK_FALSE(define("https://h/", "ssl_min_version: TLSv1.3\nssl_max_version: TLSv1.2").valid);
    CHECK_FALSE(define("rests://u:p@h/", "token: x").valid);
    CHECK_FALSE(define("rest://h/", "username: u\npassword: p\ntoken: x").valid);
    CHECK_FALSE(define("http://socket=%2Fx/", "proxy: p").valid);
    CHECK_FALSE(define("https:///path").valid);
    CHECK(define("https://u:p@h/", "username: a\npassword: b").valid);
    CHECK(define("https://u:p@h/", "username: a\npassword: b").code() == "unused-option");
    CHECK(define("rest://h/", "ping_method: GET").code() == "unused-option");
    CHECK(define("rest://h/", "swagger_lax_parsing: true").code() == "unused-option");
    CHECK(define("rest://h/", "swagger: http://h/api.yaml").code() == "bad-value");
    CHECK(define("rest://h/", "swagger: http://h/api.yaml").valid);
    CHECK_FALSE(define("rest://h/", "swagger: api.yaml\nswagger_base_path: v1").valid);
    CHECK(define("rest://h/", "swagger: api.yaml\nswagger_base_path: /v1").code().empty());
}

TEST_CASE("no finding about an HTTP definition shows a secret", "[schemes][http]") {
    const std::string canary = "k4naRi3nv0gel";
    for (const std::string& option :
         {"proxy: ftp://edi:" + canary + "@p:1/", "proxy: 'http://edi:" + canary + "@p:99999'", "headers: {'a b': " + canary + "}",
          "headers: {X: \"" + canary + "\\n\"}", "password: " + canary, "ssl_key_data: " + canary, "ssl_key_password: [" + canary + "]",
          "token: {a: " + canary + "}", "ping_body: " + canary}) {
        const auto checked = define("rests://h/", option);
        CAPTURE(option);
        CHECK_FALSE(checked.diagnostics.empty());
        CHECK(checked.text().find(canary) == std::string::npos);
    }
}

TEST_CASE("an HTTP kind pings by connecting, with TLS where its scheme has it, always anew", "[schemes][ping]") {
    const PingPlan plain = define("http://h/").ping();
    CHECK(net_ping(plain).endpoint.host == "h");
    CHECK(net_ping(plain).endpoint.port == 80);
    CHECK_FALSE(net_ping(plain).endpoint.tls);
    CHECK_FALSE(net_ping(plain).keep);
    CHECK_FALSE(net_ping(plain).dialogue);

    const PingPlan secure = define("rests://h:8443/").ping();
    CHECK(net_ping(secure).endpoint.port == 8443);
    CHECK(net_ping(secure).endpoint.tls);
    CHECK(net_ping(secure).endpoint.alpn == std::vector<std::string>{"http/1.1"});
    CHECK_FALSE(net_ping(secure).keep);

    CHECK_FALSE(net_ping(define("https://h/").ping(PingDepth::connect)).endpoint.tls);
    CHECK(net_ping(define("https://h/").ping(PingDepth::tls)).endpoint.tls);
    CHECK(net_ping(define("https://h/").ping()).endpoint.port == 443);
    const PingPlan socket = define("http://socket=%2Frun%2Fapp.sock/").ping();
    CHECK(net_ping(socket).endpoint.is_socket);
    CHECK(net_ping(socket).endpoint.host == "/run/app.sock");
}

TEST_CASE("each proxy option reaches the client", "[schemes][http][proxy]") {
    ResolvedDefinition definition;
    definition.options = Map{{"proxy", "https://u:p@proxy.example"},
                             {"no_proxy", List{"example.com", "10.0.0.0/8"}},
                             {"proxy_auth", "any"},
                             {"proxy_headers", Map{{"X-Key", "canary"}}},
                             {"proxy_ssl_verify_cert", false},
                             {"proxy_ssl_ca_file", "/ca.pem"},
                             {"proxy_ssl_cert_path", "/c.pem"},
                             {"proxy_ssl_key_path", "/k.pem"},
                             {"proxy_ssl_key_password", "pw"},
                             {"proxy_ssl_server_name", "other.example"}};
    const auto found = schemes::proxy_of(definition, "https");
    REQUIRE(found);
    const Proxy& proxy = *found;
    CHECK(proxy.kind == Proxy::Kind::https);
    CHECK(proxy.port == 443);
    CHECK(proxy.except == std::vector<std::string>{"example.com", "10.0.0.0/8"});
    CHECK(proxy.auth == Proxy::Auth::any);
    CHECK(proxy.headers == std::vector<std::pair<std::string, std::string>>{{"X-Key", "canary"}});
    REQUIRE(proxy.tls);
    CHECK_FALSE(proxy.tls->verify);
    CHECK(proxy.tls->ca_file == "/ca.pem");
    CHECK(proxy.tls->certificate_file == "/c.pem");
    CHECK(proxy.tls->key_file == "/k.pem");
    CHECK(proxy.tls->key_password.reveal() == "pw");
    CHECK(proxy.tls->server_name == "other.example");
}

TEST_CASE("a proxy that a definition describes is the client's", "[schemes][http][proxy]") {
    const auto options =
        http_options("https://h/", "proxy: https://proxy.example\nproxy_ssl_server_name: other.example\nno_proxy: [a]\nproxy_auth: digest");
    REQUIRE(options.proxy);
    CHECK(options.proxy->tls->server_name == "other.example");
    CHECK_FALSE(options.proxy->is_for("a", 1));
    CHECK(options.proxy->auth == Proxy::Auth::digest);
}

TEST_CASE("each socket option reaches the client and its pings", "[schemes][http][socket]") {
    const std::string text =
        "local_address: 10.0.0.5\nlocal_port: 4000\nip_version: prefer_ipv6\nkeep_alive: false\nkeep_alive_idle: 1\nkeep_alive_interval: 2\n"
        "keep_alive_probes: 3\ntcp_no_delay: false\nlinger: 4\nsend_buffer: 5\nreceive_buffer: 6\nmax_send_rate: 7\nmax_receive_rate: 8";
    const SocketOptions socket = http_options("http://h/", text).socket;
    CHECK(socket.local_address == "10.0.0.5");
    CHECK(socket.local_port == 4000);
    CHECK(socket.family == AddressFamily::prefer_ipv6);
    CHECK_FALSE(socket.keep_alive);
    CHECK(socket.keep_alive_idle == 1s);
    CHECK(socket.keep_alive_interval == 2s);
    CHECK(socket.keep_alive_probes == 3);
    CHECK_FALSE(socket.no_delay);
    CHECK(socket.linger == 4s);
    CHECK(socket.send_buffer == 5);
    CHECK(socket.receive_buffer == 6);
    CHECK(socket.max_send_rate == 7);
    CHECK(socket.max_receive_rate == 8);
    const auto plan = define("http://h/", text).ping();
    REQUIRE(net_ping(plan).endpoint.socket);
    CHECK(*net_ping(plan).endpoint.socket == socket);
    CHECK_FALSE(net_ping(define("http://h/", "").ping()).endpoint.socket);
}

TEST_CASE("the environment names a proxy where it is asked, for the scheme of the target", "[schemes][http][proxy]") {
    ::setenv("http_proxy", "http://plain.example", 1);
    ::setenv("https_proxy", "socks5h://secure.example", 1);
    const auto host = [](const char* url, const char* text) {
        const auto options = http_options(url, text);
        return options.proxy ? options.proxy->host : "none";
    };
    CHECK(host("http://h/", "") == "none");
    CHECK(host("http://h/", "proxy_from_environment: true") == "plain.example");
    CHECK(host("https://h/", "proxy_from_environment: true") == "secure.example");
    CHECK(host("rests://h/", "proxy_from_environment: true") == "secure.example");
    CHECK(host("https://h/", "proxy_from_environment: true\nproxy: own.example") == "own.example");
    ::unsetenv("http_proxy");
    ::unsetenv("https_proxy");
}

TEST_CASE("proxy options that say nothing are pointed at, and wrong ones refused", "[schemes][http][proxy]") {
    const auto [text, code] = GENERATE(table<std::string, std::string>({{"no_proxy: [a]", "unused-option"},
                                                                        {"proxy_auth: any", "unused-option"},
                                                                        {"proxy: socks5://p\nproxy_headers: {A: b}", "unused-option"},
                                                                        {"proxy: socks5://p\nproxy_auth: digest", "unused-option"},
                                                                        {"proxy: http://p\nproxy_ssl_verify_cert: false", "unused-option"},
                                                                        {"proxy: p\nproxy_from_environment: true", "unused-option"},
                                                                        {"proxy: socks4://u:p@p", "bad-value"},
                                                                        {"proxy: p\nno_proxy: [h/8]", "bad-value"},
                                                                        {"proxy: p\nno_proxy: [1]", "bad-value"},
                                                                        {"proxy: p\nproxy_headers: {'a b': c}", "bad-value"}}));
    const auto checked = define("https://h/", text);
    INFO(checked.text());
    CHECK(checked.text().find(code) != std::string::npos);
    CHECK(checked.valid == (code == "unused-option"));
    const auto good = define("https://h/", "proxy: ${env:QCONN_NO_SUCH}\nno_proxy: [a]");
    CHECK(good.text().find("unused-option") == std::string::npos);
}

TEST_CASE("pings go through a tunnel for SOCKS, for TLS and where the proxy asks for the log-in", "[schemes][ping][proxy]") {
    const auto endpoint = [](const char* url, const char* text) { return net_ping(define(url, text).ping(PingDepth::full)).endpoint; };
    CHECK(endpoint("http://h/", "proxy: socks5://p").proxy);
    CHECK(endpoint("http://h/", "proxy: u:p@p\nproxy_auth: digest").proxy);
    CHECK(endpoint("http://h/", "proxy: socks5://p").host == "h");
    CHECK_FALSE(endpoint("http://h/", "proxy: p\nproxy_auth: digest").proxy);
    CHECK(endpoint("http://h/", "proxy: https://p").host == "p");
    CHECK(endpoint("http://h/", "proxy: https://p").tls);
    CHECK(endpoint("http://h/", "proxy: p\nno_proxy: [h]").host == "h");
    const std::string request = wire(define("http://h/", "proxy: p\nproxy_headers: {X-Key: v}").ping(PingDepth::full));
    CHECK(has(request, "\r\nX-Key: v\r\n"));
}

TEST_CASE("through a proxy a ping goes the way of the requests", "[schemes][ping]") {
    const PingPlan secure = define("https://h/", "proxy: u:p@proxy.example:3128").ping();
    CHECK(net_ping(secure).endpoint.host == "h");
    REQUIRE(net_ping(secure).endpoint.proxy);
    CHECK(net_ping(secure).endpoint.proxy->host == "proxy.example");

    CHECK_FALSE(net_ping(secure).dialogue);

    for (const char* url : {"http://h:81/x", "rest://h:81/x"}) {
        CAPTURE(url);
        const PingPlan plain = define(url, "proxy: u:p@proxy.example:3128").ping();
        CHECK(net_ping(plain).endpoint.host == "proxy.example");
        CHECK(net_ping(plain).endpoint.port == 3128);
        CHECK_FALSE(net_ping(plain).endpoint.proxy);
        CHECK(net_ping(plain).keep);
        CHECK(wire(plain).starts_with("HEAD http://h:81/x HTTP/1.1\r\nHost: h:81\r\n"));
        CHECK(has(wire(plain), "\r\nProxy-Authorization: Basic dTpw\r\n"));
        CHECK(wire(define(url, "proxy: proxy.example").ping(PingDepth::connect)).empty());
    }

    const std::string request = wire(define("http://h:81/x", "proxy: u:p@proxy.example:3128").ping(PingDepth::full));
    CHECK(request.starts_with("GET http://h:81/x HTTP/1.1\r\nHost: h:81\r\n"));
    CHECK(has(request, "\r\nProxy-Authorization: Basic dTpw\r\n"));
}

TEST_CASE("rest with ping_method and ping_path sends that request and keeps the connection", "[schemes][ping]") {
    const auto options = "ping_method: POST\nping_path: status\nping_headers: {X-Ping: '1'}\nping_body: {a: 1}\nheaders: {X-All: '2'}";
    const PingPlan plan = define("rest://u:p@h/v1", options).ping();
    const std::string request = wire(plan);

    CHECK(net_ping(plan).keep);
    CHECK(request.starts_with("POST /v1/status HTTP/1.1\r\nHost: h\r\n"));
    for (const char* line : {"X-Ping: 1", "X-All: 2", "Authorization: Basic dTpw", "Content-Type: application/json", "Content-Length: 7"}) {
        CAPTURE(line);
        CHECK(has(request, std::string{"\r\n"} + line + "\r\n"));
    }
    CHECK(request.ends_with("\r\n\r\n{\"a\":1}"));
    CHECK(wire(define("rest://h/", options).ping(PingDepth::connect)).empty());
    // What calls take the ping takes, unless told otherwise.
    CHECK(has(request, "\r\nAccept: text/x-yaml,application/x-yaml,text/xml,application/xml,application/json,"));
    CHECK(has(wire(define("rest://h/", "ping_method: GET\nping_path: x\nping_headers: {Accept: text/html}").ping()), "\r\nAccept: text/html\r\n"));
    CHECK(has(wire(define("rest://h/", "headers: {Accept: text/csv}").ping(PingDepth::full)), "\r\nAccept: text/csv\r\n"));
}

TEST_CASE("the path of a ping: absolute, joined, or another URL without the credentials", "[schemes][ping]") {
    const auto request = [](const std::string& path) {
        return define("rests://h/v1", "ping_method: GET\nping_path: '" + path + "'\ntoken: abc\nheaders: {X-Api-Key: k}").ping();
    };
    CHECK(wire(request("/health?deep=1")).starts_with("GET /health?deep=1 HTTP/1.1\r\n"));
    CHECK(wire(request("a b")).starts_with("GET /v1/a%20b HTTP/1.1\r\n"));
    CHECK(has(wire(request("x")), "\r\nAuthorization: Bearer abc\r\n"));
    CHECK(has(wire(request("https://h/y")), "\r\nAuthorization: Bearer abc\r\n"));

    const PingPlan other = request("http://other.example:81/z");
    CHECK(wire(other).starts_with("GET /z HTTP/1.1\r\nHost: other.example:81\r\n"));
    CHECK_FALSE(has(wire(other), "abc"));
    CHECK_FALSE(has(wire(other), "X-Api-Key"));
    CHECK(net_ping(other).endpoint.host == "other.example");
    CHECK_FALSE(net_ping(other).endpoint.tls);
}

TEST_CASE("depth auth takes every answer that does not refuse the credentials", "[schemes][ping]") {
    const auto outcome = [](PingDepth depth, const std::string& status) {
        const PingPlan plan = define("http://u:p@h/x").ping(depth);
        auto dialogue = net_ping(plan).dialogue();
        std::string out;
        dialogue->begin(out);
        CHECK(out.starts_with("GET /x HTTP/1.1\r\n"));
        return dialogue->feed("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n", false, out);
    };
    using Want = Dialogue::Want;
    CHECK(outcome(PingDepth::auth, "200 OK").want == Want::done);
    CHECK(outcome(PingDepth::auth, "404 Not Found").want == Want::done);
    CHECK(outcome(PingDepth::auth, "500 Oops").want == Want::done);
    const auto denied = outcome(PingDepth::auth, "401 Unauthorized");
    REQUIRE(denied.want == Want::failed);
    CHECK(denied.error->reason() == Reason::denied);
    CHECK(denied.error->phase() == Phase::auth);
    CHECK(outcome(PingDepth::full, "404 Not Found").want == Want::failed);
    CHECK(outcome(PingDepth::full, "204 No Content").want == Want::done);
}

TEST_CASE("with disable_automatic_pings the standard ping succeeds without I/O", "[schemes][ping]") {
    const auto checked = define("http://no-such-host.invalid/", "disable_automatic_pings: true");

    const PingPlan plan = checked.ping();

    REQUIRE(std::holds_alternative<std::shared_ptr<const BlockingPing>>(plan.what));
    CHECK(has(std::get<std::shared_ptr<const BlockingPing>>(plan.what)->run({}).text, "disable_automatic_pings"));
    CHECK(net_ping(checked.ping(PingDepth::connect)).endpoint.host == "no-such-host.invalid");
}

TEST_CASE("a secret that is no value of its TLS option is refused, never passed over", "[schemes][http]") {
    const auto refused = [](std::string_view options) {
        const auto checked = define("https://host.example/", options);
        INFO(checked.text());
        REQUIRE(checked.valid);
        try {
            (void)checked.resolved();
        } catch (const Error& error) {
            CHECK(error.name() == "SECRET-ERROR");
            CHECK(error.reason() == Reason::bad_value);
            CHECK_FALSE(has(error.what(), "TLSv9"));
            return std::string{error.message()};
        }
        return std::string{};
    };
    ::setenv("QCONN_T_TLS", "TLSv9", 1);
    ::setenv("QCONN_T_TLS_EMPTY", "", 1);

    CHECK(has(refused("ssl_min_version: '${env:QCONN_T_TLS}'"), "'ssl_min_version'"));
    CHECK(has(refused("ssl_pinned_sha256: '${env:QCONN_T_TLS_EMPTY}'"), "${env:QCONN_T_TLS_EMPTY} is empty"));
    CHECK(has(refused("ssl_key_data: '${env:QCONN_T_TLS_EMPTY}'\nssl_cert_path: /c.pem"), "'ssl_key_data'"));
    CHECK(has(refused("redirect_mode: '${env:QCONN_T_TLS}'"), "'redirect_mode'"));
    ::setenv("QCONN_T_TLS", "TLSv1.3", 1);
    CHECK(http_options("https://host.example/", "ssl_min_version: '${env:QCONN_T_TLS}'").tls.minimum == TlsVersion::tls1_3);
}

TEST_CASE("a ping of a whole URL takes its user info to that origin, and not the connection's", "[schemes][ping]") {
    const std::string other = wire(define("rest://u:p@h/", "ping_method: GET\nping_path: http://edi:s%40x@other/y").ping());
    CHECK(other.starts_with("GET /y HTTP/1.1\r\nHost: other\r\n"));
    CHECK(has(other, "\r\nAuthorization: Basic ZWRpOnNAeA==\r\n"));
    CHECK_FALSE(has(other, "dTpw"));
    CHECK_FALSE(has(wire(define("rest://u:p@h/", "ping_method: GET\nping_path: http://other/y").ping()), "Authorization"));
}

TEST_CASE("each option of OAuth 2 reaches the source of tokens", "[schemes][http]") {
    const auto checked =
        define("rests://api.example:8443/v1",
               "oauth2_grant_type: jwt_bearer\noauth2_client_id: shop\noauth2_client_secret: secret\noauth2_token_url: /token\n"
               "oauth2_auth_url: https://login.example/authorize\noauth2_alt_token_url: relay?x=1\noauth2_redirect_url: http://back/\n"
               "oauth2_scopes: [read, write]\noauth2_auth_args: {prompt: consent}\noauth2_token_args: 'audience=api'\n"
               "oauth2_token_use_basic_auth: true\noauth2_auto_refresh: false\noauth2_refresh_ahead: 5\noauth2_pkce: false\n"
               "oauth2_refresh_token: refresh\noauth2_app: x\noauth2_jwt_key: key\noauth2_jwt_key_password: word\noauth2_jwt_algorithm: ES256\n"
               "oauth2_jwt_key_id: k1\noauth2_jwt_issuer: me\noauth2_jwt_subject: you\noauth2_jwt_audience: them\noauth2_jwt_lifetime: 60\n"
               "token: given\ntoken_type: Special");
    INFO(checked.text());
    REQUIRE(checked.valid);
    const auto client = checked.client<RestClient>();
    const auto source = token_source(*client);
    REQUIRE(source);
    const OAuth2Options& options = source->options();
    CHECK(options.label == "test");
    CHECK(options.grant == OAuth2Grant::jwt_bearer);
    CHECK(options.client_id == "shop");
    CHECK(options.client_secret.reveal() == "secret");
    CHECK(options.token_url == "https://api.example:8443/token");
    CHECK(options.auth_url == "https://login.example/authorize");
    CHECK(options.alternative_token_url == "https://api.example:8443/relay?x=1");
    CHECK(options.redirect_url == "http://back/");
    CHECK(options.scopes == std::vector<std::string>{"read", "write"});
    CHECK(options.auth_args == Map{{"prompt", "consent"}});
    CHECK(options.token_args == Map{{"audience", "api"}});
    CHECK(options.basic_auth);
    CHECK_FALSE(options.auto_refresh);
    CHECK(options.refresh_ahead == 5s);
    CHECK_FALSE(options.pkce);
    CHECK(options.refresh_token.reveal() == "refresh");
    CHECK(options.jwt.key.reveal() == "key");
    CHECK(options.jwt.key_password.reveal() == "word");
    CHECK(options.jwt.algorithm == JwtAlgorithm::es256);
    CHECK(options.jwt.key_id == "k1");
    CHECK(options.jwt.issuer == "me");
    CHECK(options.jwt.subject == "you");
    CHECK(options.jwt.audience == "them");
    CHECK(options.jwt.lifetime == 60s);
    CHECK(options.token.reveal() == "given");
    CHECK(options.token_type == "Special");
    CHECK(client->options().token.empty());
    CHECK(source->current()->access.reveal() == "given");
    CHECK_FALSE(source->needs_authorization());
    CHECK_FALSE(token_source(*define("rests://h/", "token: given").client<RestClient>()));
}

TEST_CASE("the user of a password grant is for the token server and stands in no request", "[schemes][http]") {
    const std::string grant = "oauth2_grant_type: password\noauth2_client_id: shop\noauth2_client_secret: secret\noauth2_token_url: /token\n";
    for (const auto& [url, more] : {std::pair{"rest://jo:secret@h/", "token: given"}, std::pair{"rest://h/", "username: jo\npassword: secret"}}) {
        const auto checked = define(url, grant + more);
        INFO(checked.text());
        REQUIRE(checked.valid);
        const auto client = checked.client<RestClient>();
        CHECK(token_source(*client)->options().username == "jo");
        CHECK(token_source(*client)->options().password.reveal() == "secret");
        CHECK(client->options().username.empty());
        CHECK(client->options().url == "http://h/");
    }
}

TEST_CASE("what a grant lacks is found where the grant stands", "[schemes][http]") {
    const auto checked = define("rests://h/", "oauth2_client_id: shop\noauth2_grant_type: password");

    CHECK_FALSE(checked.valid);
    const std::string text = checked.text();
    for (const char* missing : {"oauth2_client_secret", "oauth2_token_url", "username", "password"})
        CHECK(has(text, "grant password needs '" + std::string{missing} + "'"));
    CHECK_FALSE(has(text, "needs 'oauth2_client_id'"));
    for (const Diagnostic& finding : checked.diagnostics) {
        CHECK(finding.code == "missing-option");
        CHECK(finding.place.line == 7);
    }
    CHECK(define("rests://h/", "oauth2_grant_type: authorization_code\noauth2_client_id: a\noauth2_auth_url: /a\noauth2_token_url: ${env:TOKEN_URL}")
              .valid);
}

TEST_CASE("options of OAuth 2 that cannot work, or have no effect, are found", "[schemes][http]") {
    const std::string grant =
        "oauth2_grant_type: client_credentials\noauth2_client_id: shop\noauth2_client_secret: ${env:SHOP_SECRET}\noauth2_token_url: /token\n";
    CHECK(define("rests://h/", grant).diagnostics.empty());
    CHECK(define("rests://jo:secret@h/", grant).code() == "conflicting-options");
    CHECK(define("rests://h/", grant + "username: jo\npassword: x").code() == "conflicting-options");
    CHECK(define("rests://h/", grant + "oauth2_jwt_issuer: me").code() == "unused-option");
    CHECK(define("rests://h/", "oauth2_client_id: shop").code() == "unused-option");
    CHECK(define("rests://h/", "oauth2_grant_type: implicit").code() == "not-allowed");
    CHECK_FALSE(define("rests://h/", grant + "oauth2_auth_url: ftp://h/").valid);
    CHECK_FALSE(define("rests://h/", grant + "oauth2_scopes: ['two words']").valid);
    CHECK_FALSE(define("rests://h/", grant + "oauth2_token_args: {a: {b: c}}").valid);
}

TEST_CASE("pings with tokens are calls of a client, those that only connect are not", "[schemes][http]") {
    const auto checked = define("rests://h/v1",
                                "oauth2_grant_type: client_credentials\noauth2_client_id: shop\noauth2_client_secret: x\n"
                                "oauth2_token_url: /token");
    for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls})
        CHECK(std::holds_alternative<std::shared_ptr<const NetPing>>(checked.ping(depth).what));
    for (const PingDepth depth : {PingDepth::auth, PingDepth::full})
        CHECK(std::holds_alternative<std::shared_ptr<const CallPing>>(checked.ping(depth).what));
}
