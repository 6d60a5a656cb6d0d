// SPDX-License-Identifier: Apache-2.0
// Each field of TlsOptions over libcurl: a case fails where the field is ignored.
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <functional>

#include "http_fixture.hpp"
#include "support/free_port.hpp"
#include "support/watcher.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

Server& with_certificate(const std::string& which) {
    static Server expired{"nginx", {.environment = {"NGINX_CERT=expired"}}};
    static Server wrong{"nginx", {.environment = {"NGINX_CERT=wrong"}}};
    static Server self{"nginx", {.environment = {"NGINX_CERT=self"}}};
    if (which == "expired") return expired;
    if (which == "wrong") return wrong;
    return self;
}

/// Settings that must lead to an answer, and settings that must not: each pair differs in the field alone.
struct Pair {
    std::string field;
    HttpOptions good;
    HttpOptions bad;
    Reason reason;
};

HttpOptions to(Server& server, const std::function<void(TlsOptions&)>& change = {}) {
    HttpOptions out = options("https://" + server.address2() + "/");
    out.tls.ca_file = tls_file("ca.crt");
    if (change) change(out.tls);
    return out;
}

/// openssl s_server, as nginx of this age speaks no TLS 1.3 unless told: answers each connection's request with a page and closes.
class OpensslServer {
public:
    OpensslServer()
        : port_{free_port()},
          pid_{spawn({"openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port_), "-cert", tls_file("server.crt"), "-key",
                      tls_file("server.key"), "-www", "-quiet"},
                     {}, {})} {
        watch_group(pid_);
        HttpClient probe{options("http://127.0.0.1:" + std::to_string(port_) + "/")};
        const bool up = wait_until([&] {
            try {
                probe.get("", Deadline{1s});
            } catch (const Error& error) { return error.reason() != Reason::refused; }
            return true;
        });
        REQUIRE(up);
    }
    OpensslServer(const OpensslServer&) = delete;
    OpensslServer& operator=(const OpensslServer&) = delete;
    ~OpensslServer() {
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        forget_group(pid_);
    }
    HttpOptions options_with(const std::function<void(TlsOptions&)>& change = {}) const {
        HttpOptions out = options("https://127.0.0.1:" + std::to_string(port_) + "/");
        out.tls.ca_file = tls_file("ca.crt");
        if (change) change(out.tls);
        return out;
    }

private:
    std::uint16_t port_;
    pid_t pid_;
};

TlsInfo info_of(const HttpOptions& settings) {
    HttpClient client{settings};
    const HttpResponse response = client.get("/hello.txt");
    REQUIRE(response.info.tls_info);
    return *response.info.tls_info;
}

std::vector<Pair> pairs() {
    std::vector<Pair> out;
    Server& plain = nginx();
    Server& expired = with_certificate("expired");
    Server& wrong = with_certificate("wrong");
    Server& self = with_certificate("self");
    const std::string ca = read_file(tls_file("ca.crt"));
    const auto add = [&](std::string field, HttpOptions good, HttpOptions bad, Reason reason) {
        out.push_back({std::move(field), std::move(good), std::move(bad), reason});
    };
    add("verify", to(expired, [](TlsOptions& t) { t.verify = false; }), to(expired), Reason::certificate_expired);
    add("waive expired", to(expired, [](TlsOptions& t) { t.waive = TlsWaiver::expired; }),
        to(expired, [](TlsOptions& t) { t.waive = TlsWaiver::wrong_host; }), Reason::certificate_expired);
    add("waive wrong_host", to(wrong, [](TlsOptions& t) { t.waive = TlsWaiver::wrong_host; }),
        to(wrong, [](TlsOptions& t) { t.waive = TlsWaiver::expired; }), Reason::certificate_name);
    add("waive untrusted", to(self, [](TlsOptions& t) { t.waive = TlsWaiver::untrusted; }), to(self), Reason::certificate_untrusted);
    add("ca_file", to(plain), to(plain, [](TlsOptions& t) { t.ca_file.clear(); }), Reason::certificate_untrusted);
    add("ca_pem",
        to(plain,
           [&](TlsOptions& t) {
               t.ca_file.clear();
               t.ca_pem = ca;
           }),
        to(plain, [](TlsOptions& t) { t.ca_file.clear(); }), Reason::certificate_untrusted);
    const std::string pin = info_of(to(plain)).chain.at(0).sha256;
    std::string other = pin;
    other[0] = other[0] == '0' ? '1' : '0';
    add("pinned_sha256", to(plain, [&](TlsOptions& t) { t.pinned_sha256 = pin; }), to(plain, [&](TlsOptions& t) { t.pinned_sha256 = other; }),
        Reason::certificate_pin);
    add("pinned_sha256 alone", to(self, [&](TlsOptions& t) { t.verify = false; }),
        to(self,
           [&](TlsOptions& t) {
               t.verify = false;
               t.pinned_sha256 = other;
           }),
        Reason::certificate_pin);
    add("server_name", to(wrong, [](TlsOptions& t) { t.server_name = "other.invalid"; }),
        to(plain, [](TlsOptions& t) { t.server_name = "other.invalid"; }), Reason::certificate_name);
    add("decide refuses", to(plain, [](TlsOptions& t) { t.decide = [](const TlsInfo&, bool accepted) { return accepted; }; }),
        to(plain, [](TlsOptions& t) { t.decide = [](const TlsInfo&, bool) { return false; }; }), Reason::none);
    add("decide accepts", to(self, [](TlsOptions& t) { t.decide = [](const TlsInfo& i, bool) { return !i.chain.empty(); }; }), to(self),
        Reason::certificate_untrusted);
    add("ciphers",
        to(plain,
           [](TlsOptions& t) {
               t.maximum = TlsVersion::tls1_2;
               t.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
           }),
        to(plain,
           [](TlsOptions& t) {
               t.maximum = TlsVersion::tls1_2;
               t.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
           }),
        Reason::handshake);
    add("signature_algorithms", to(plain, [](TlsOptions& t) { t.signature_algorithms = "RSA-PSS+SHA256:RSA+SHA256"; }),
        to(plain, [](TlsOptions& t) { t.signature_algorithms = "ECDSA+SHA256"; }), Reason::handshake);
    return out;
}

}  // namespace

TEST_CASE("each field of the TLS options is heeded over libcurl", "[http][tls][integration]") {
    for (const Pair& pair : pairs()) {
        for (const Form form : k_forms) {
            INFO(pair.field);
            HttpRequest request;
            request.path = "hello.txt";
            HttpClient good{pair.good};
            CHECK(call(good, form, request).status == 200);
            HttpClient bad{pair.bad};
            const Error error = failure(bad, form, request);
            CHECK(error.name() == "SOCKET-SSL-ERROR");
            CHECK(error.phase() == Phase::tls);
            if (pair.reason != Reason::none) CHECK(to_string(error.reason()) == to_string(pair.reason));
        }
    }
}

TEST_CASE("what a handshake came to can be read", "[http][tls][integration]") {
    const OpensslServer server;
    const TlsInfo plain = info_of(server.options_with());
    CHECK(plain.version == "TLSv1.3");
    CHECK(plain.verdict == "ok");
    CHECK_FALSE(plain.session_reused);
    CHECK(plain.chain.size() >= 1);
    CHECK(info_of(to(nginx())).alpn == "http/1.1");

    CHECK(info_of(server.options_with([](TlsOptions& t) { t.maximum = TlsVersion::tls1_2; })).version == "TLSv1.2");
    CHECK(info_of(server.options_with([](TlsOptions& t) { t.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256"; })).cipher ==
          "TLS_CHACHA20_POLY1305_SHA256");
    CHECK(info_of(server.options_with([](TlsOptions& t) { t.groups = "P-384"; })).group == "P-384");
    CHECK(info_of(server.options_with([](TlsOptions& t) { t.groups = "P-521"; })).group == "P-521");

    // This nginx ends at TLS 1.2.
    HttpClient newer{to(nginx(), [](TlsOptions& t) { t.minimum = TlsVersion::tls1_3; })};
    const Error error = failure(newer, Form::blocking, {});
    CHECK(error.phase() == Phase::tls);
    CHECK(error.reason() == Reason::handshake);
}

TEST_CASE("authorities from a directory, and only ours", "[http][tls][integration]") {
    const TempDir directory;
    directory.write("ca.pem", read_file(tls_file("ca.crt")));
    REQUIRE(std::system(("openssl rehash " + directory.path() + " >/dev/null 2>&1").c_str()) == 0);
    CHECK(info_of(to(nginx(), [&](TlsOptions& t) {
              t.ca_file.clear();
              t.ca_directory = directory.path();
          })).verdict == "ok");

    // With ca_only the system's authorities, here replaced by the test's, do not count.
    ::setenv("SSL_CERT_FILE", tls_file("ca.crt").c_str(), 1);
    HttpOptions system = to(nginx(), [](TlsOptions& t) { t.ca_file.clear(); });
    system.tls.ca_pem = read_file(tls_file("self.crt"));
    HttpClient with_system{system};
    CHECK(with_system.get("hello.txt").status == 200);
    system.tls.ca_only = true;
    HttpClient without{system};
    CHECK(failure(without, Form::blocking, {}).reason() == Reason::certificate_untrusted);
    ::unsetenv("SSL_CERT_FILE");
}

TEST_CASE("a client certificate in all its forms", "[http][tls][integration]") {
    const std::string cert = tls_file("client.crt");
    const TempDir directory;
    const std::string p12 = directory / "client.p12";
    REQUIRE(std::system(
                ("openssl pkcs12 -export -in " + cert + " -inkey " + tls_file("client.key") + " -passout pass:p12pass -out " + p12).c_str()) == 0);
    const auto status = [](const std::function<void(TlsOptions&)>& change) {
        HttpOptions settings = to(nginx(), change);
        settings.error_passthru = true;
        HttpClient client{settings};
        return client.get("mtls/hello.txt").status;
    };
    CHECK(status([](TlsOptions&) {}) == 403);
    CHECK(status([&](TlsOptions& t) {
              t.certificate_file = cert;
              t.key_file = tls_file("client.key");
          }) == 200);
    CHECK(status([&](TlsOptions& t) {
              t.certificate_data = read_file(cert);
              t.key_data = Secret{read_file(tls_file("client.key"))};
          }) == 200);
    CHECK(status([&](TlsOptions& t) {
              t.certificate_file = cert;
              t.key_file = tls_file("client-enc.key");
              t.key_password = Secret{"keypass"};
          }) == 200);
    CHECK(status([&](TlsOptions& t) {
              t.certificate_file = p12;
              t.key_password = Secret{"p12pass"};
          }) == 200);
    CHECK(status([&](TlsOptions& t) {
              t.certificate_data = read_file(p12);
              t.key_password = Secret{"p12pass"};
          }) == 200);
    const auto refused = [](const std::function<void(TlsOptions&)>& change) {
        try {
            const HttpClient client{to(nginx(), change)};
        } catch (const Error& error) { return std::string{error.name()}; }
        return std::string{};
    };
    CHECK(refused([&](TlsOptions& t) {
              t.certificate_file = cert;
              t.key_file = tls_file("client-enc.key");
              t.key_password = Secret{"wrong"};
          }) == "TLS-OPTION-ERROR");
}

TEST_CASE("sessions are offered again, or not", "[http][tls][integration]") {
    const OpensslServer server;
    for (const Form form : k_forms) {
        for (const bool wanted : {true, false}) {
            INFO(wanted);
            HttpClient client{server.options_with([wanted](TlsOptions& t) { t.reuse_sessions = wanted; })};
            call(client, form, {});
            const HttpResponse second = call(client, form, {});
            REQUIRE(second.info.tls_info);
            CHECK(second.info.tls_info->session_reused == wanted);
            CHECK(second.info.tls_info->verdict == "ok");
        }
    }
}

TEST_CASE("session keys are logged where asked for", "[http][tls][integration]") {
    const OpensslServer server;
    const TempDir directory;
    info_of(server.options_with([&](TlsOptions& t) { t.key_log_file = directory / "keys"; }));
    CHECK(directory.read("keys").find("SERVER_HANDSHAKE_TRAFFIC_SECRET") != std::string::npos);
}

TEST_CASE("plain text where TLS is expected, and the reverse", "[http][tls][integration]") {
    HttpClient tls_to_plain{options("https://" + nginx().address() + "/")};
    const Error first = failure(tls_to_plain, Form::blocking, {});
    CHECK(first.phase() == Phase::tls);
    CHECK(first.reason() == Reason::handshake);

    HttpOptions reverse = options("http://" + nginx().address2() + "/");
    reverse.error_passthru = true;
    HttpClient plain_to_tls{reverse};
    CHECK(plain_to_tls.get("").status == 400);
}
