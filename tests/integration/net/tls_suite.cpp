// SPDX-License-Identifier: Apache-2.0
#include "integration/net/tls_suite.hpp"

#include <cstdlib>
#include <stdexcept>

#include <qconn/base/secret.hpp>

#include "integration/net/openssl_server.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"
#include "support/temp_dir.hpp"

namespace qconn::test {

namespace {

void run(const std::string& command) {
    if (std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) != 0) throw std::runtime_error{command + " failed"};
}

std::string fingerprint(const std::string& certificate) {
    TempDir directory;
    run("openssl x509 -noout -fingerprint -sha256 -in " + tls_file(certificate) + " | cut -d= -f2 | tr -d '\\n' > " + directory.path() + "/print");
    return directory.read("print");
}

TlsOptions trusting() {
    TlsOptions options;
    options.ca_file = tls_file("ca.crt");
    return options;
}

/// The environment variable for the lifetime of this object.
class Environment {
public:
    Environment(const char* name, const std::string& value) : name_{name} { setenv(name, value.c_str(), 1); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { unsetenv(name_); }

private:
    const char* name_;
};

bool mentions(const TlsOutcome& outcome, std::string_view words) { return outcome.message.find(words) != std::string::npos; }

}  // namespace

void check_every_tls_field(const MakeTlsClient& make) {
    const auto with = [&](const TlsOptions& options, const OpensslServer& server, const std::string& host = "127.0.0.1") {
        return make(options)(host, server.port(), "/");
    };

    SECTION("nothing set: the system's authorities count, and the certificate is checked") {
        OpensslServer server{{}};

        const auto refused = with({}, server);
        CHECK(refused.reason == Reason::certificate_untrusted);
        INFO(refused.message);
        CHECK(mentions(refused, "CN=localhost"));
        CHECK(mentions(refused, "valid from 20"));

        const Environment system{"SSL_CERT_FILE", tls_file("ca.crt")};
        TlsOptions other;  // not the options above, whose authorities are loaded already
        other.key_log_file = "/dev/null";
        const auto accepted = with(other, server);
        INFO(accepted.message);
        CHECK(accepted.ok);
        CHECK(accepted.info.verdict == "ok");
        REQUIRE(accepted.info.chain.size() == 1);
        CHECK(accepted.info.chain[0].subject.find("CN=localhost") != std::string::npos);
        CHECK(accepted.info.chain[0].issuer.find("CN=Test CA") != std::string::npos);
        CHECK(accepted.info.chain[0].names == std::vector<std::string>{"127.0.0.1", "::1", "localhost"});
    }

    SECTION("ca_file, ca_directory, ca_pem: each adds an authority") {
        OpensslServer server{{}};
        TempDir hashed;
        run("cp " + tls_file("ca.crt") + " " + hashed.path() + "/ca.pem && openssl rehash " + hashed.path());
        TlsOptions options;
        SECTION("ca_file") { options.ca_file = tls_file("ca.crt"); }
        SECTION("ca_directory") { options.ca_directory = hashed.path(); }
        SECTION("ca_pem") { options.ca_pem = read_file(tls_file("ca.crt")); }

        const auto outcome = with(options, server);

        INFO(outcome.message);
        CHECK(outcome.ok);
    }

    SECTION("ca_only: the system's authorities do not count") {
        OpensslServer server{{}};
        const Environment system{"SSL_CERT_FILE", tls_file("ca.crt")};
        TlsOptions options;
        options.ca_pem = read_file(tls_file("self.crt"));

        const auto added = with(options, server);
        INFO(added.message);
        CHECK(added.ok);
        options.ca_only = true;
        CHECK(with(options, server).reason == Reason::certificate_untrusted);
    }

    SECTION("verify: off accepts everything") {
        OpensslServer server{{}, "self.crt", "self.key"};
        TlsOptions options;

        CHECK(with(options, server).reason == Reason::certificate_untrusted);
        options.verify = false;
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.ok);
        CHECK(outcome.info.verdict != "ok");
    }

    SECTION("an expired certificate") {
        OpensslServer server{{}, "expired.crt"};
        auto options = trusting();

        const auto refused = with(options, server);
        CHECK(refused.reason == Reason::certificate_expired);
        CHECK(mentions(refused, "certificate has expired"));
        options.waive = TlsWaiver::wrong_host | TlsWaiver::untrusted;
        CHECK(with(options, server).reason == Reason::certificate_expired);
        options.waive = TlsWaiver::expired;
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.ok);
        CHECK(outcome.info.verdict == "certificate has expired");
    }

    SECTION("a certificate for another host") {
        OpensslServer server{{}, "wrong.crt"};
        auto options = trusting();

        const auto refused = with(options, server);
        CHECK(refused.reason == Reason::certificate_name);
        CHECK(mentions(refused, "other.invalid"));
        CHECK(with(options, server, "localhost").reason == Reason::certificate_name);
        options.waive = TlsWaiver::expired | TlsWaiver::untrusted;
        CHECK(with(options, server).reason == Reason::certificate_name);
        options.waive = TlsWaiver::wrong_host;
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.ok);
    }

    SECTION("a certificate of an unknown authority") {
        OpensslServer server{{}, "self.crt", "self.key"};
        TlsOptions options;

        options.waive = TlsWaiver::expired | TlsWaiver::wrong_host;
        CHECK(with(options, server).reason == Reason::certificate_untrusted);
        options.waive = TlsWaiver::untrusted;
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.ok);
    }

    SECTION("pinned_sha256: this certificate and no other, also where nothing else is checked") {
        OpensslServer server{{}};
        auto options = trusting();
        options.verify = GENERATE(true, false);

        options.pinned_sha256 = fingerprint("server.crt");
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.ok);
        options.pinned_sha256 = fingerprint("self.crt");
        CHECK(with(options, server).reason == Reason::certificate_pin);
    }

    SECTION("a pin does not stand for the rest") {
        OpensslServer server{{}, "expired.crt"};
        auto options = trusting();
        options.pinned_sha256 = fingerprint("expired.crt");

        CHECK(with(options, server).reason == Reason::certificate_expired);
    }

    SECTION("minimum") {
        OpensslServer server{{"-tls1_2"}};
        auto options = trusting();

        CHECK(with(options, server).info.version == "TLSv1.2");
        options.minimum = TlsVersion::tls1_3;
        const auto refused = with(options, server);
        CHECK(refused.reason == Reason::handshake);
        CHECK(mentions(refused, "version"));
    }

    SECTION("an old version only where it is asked for") {
        OpensslServer server{{"-tls1", "-cipher", "DEFAULT@SECLEVEL=0"}};
        auto options = trusting();

        CHECK(with(options, server).reason == Reason::handshake);
        options.minimum = TlsVersion::tls1_0;
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.info.version == "TLSv1");
    }

    SECTION("maximum") {
        OpensslServer server{{}};
        auto options = trusting();

        CHECK(with(options, server).info.version == "TLSv1.3");
        options.maximum = TlsVersion::tls1_2;
        CHECK(with(options, server).info.version == "TLSv1.2");
    }

    SECTION("ciphers") {
        OpensslServer server{{"-tls1_2"}};
        auto options = trusting();
        options.ciphers = GENERATE("ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256");

        CHECK(with(options, server).info.cipher == options.ciphers);
    }

    SECTION("cipher_suites") {
        OpensslServer server{{}};
        auto options = trusting();
        options.cipher_suites = GENERATE("TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256");

        CHECK(with(options, server).info.cipher == options.cipher_suites);
    }

    SECTION("groups") {
        OpensslServer server{{}};
        auto options = trusting();
        options.groups = GENERATE("P-384", "X25519", "P-521");

        CHECK(with(options, server).info.group == options.groups);
    }

    SECTION("signature_algorithms") {
        OpensslServer server{{}};
        auto options = trusting();

        options.signature_algorithms = "RSA-PSS+SHA384";
        const auto outcome = with(options, server);
        INFO(outcome.message);
        CHECK(outcome.ok);
        options.signature_algorithms = "ECDSA+SHA256";  // the server has an RSA key
        CHECK(with(options, server).reason == Reason::handshake);
    }

    SECTION("server_name: is sent and looked for") {
        OpensslServer server{{"-servername", "localhost", "-cert2", tls_file("server.crt"), "-key2", tls_file("server.key")}, "wrong.crt"};
        auto options = trusting();

        CHECK(with(options, server, "127.0.0.1").reason == Reason::certificate_name);
        options.server_name = "localhost";
        const auto outcome = with(options, server, "127.0.0.1");
        INFO(outcome.message);
        CHECK(outcome.ok);
        options.server_name = "other.invalid";
        CHECK(with(options, server, "127.0.0.1").ok);
    }

    SECTION("server_name: unset is the host of the URL, empty sends none") {
        OpensslServer server{{"-servername", "localhost", "-cert2", tls_file("wrong.crt"), "-key2", tls_file("server.key")}, "server.crt"};
        auto options = trusting();

        CHECK(with(options, server, "localhost").reason == Reason::certificate_name);
        options.server_name = "";
        const auto outcome = with(options, server, "localhost");
        INFO(outcome.message);
        CHECK(outcome.ok);
    }

    SECTION("reuse_sessions") {
        OpensslServer server{{}};
        auto options = trusting();
        options.maximum = GENERATE(TlsVersion::tls1_2, TlsVersion::tls1_3);

        const auto client = make(options);
        const auto first = client("127.0.0.1", server.port(), "/");
        INFO(first.message);
        CHECK(first.ok);
        CHECK_FALSE(first.info.session_reused);
        const auto second = client("127.0.0.1", server.port(), "/");
        CHECK(second.info.session_reused);
        CHECK(second.info.verdict == "ok");
        options.reuse_sessions = false;
        const auto other = make(options);
        CHECK(other("127.0.0.1", server.port(), "/").ok);
        CHECK_FALSE(other("127.0.0.1", server.port(), "/").info.session_reused);
    }

    SECTION("key_log_file") {
        OpensslServer server{{}};
        TempDir directory;
        auto options = trusting();
        options.key_log_file = directory.path() + "/keys";

        CHECK(with(options, server).ok);
        CHECK(with(options, server).ok);

        const auto text = directory.read("keys");
        CHECK(text.find("CLIENT_TRAFFIC_SECRET_0 ") != std::string::npos);
        CHECK(text.find("CLIENT_TRAFFIC_SECRET_0 ") != text.rfind("CLIENT_TRAFFIC_SECRET_0 "));
    }

    SECTION("the client certificate, in every form") {
        Server server{"nginx"};
        TempDir directory;
        const auto p12 = directory.path() + "/client.p12";
        run("openssl pkcs12 -export -in " + tls_file("client.crt") + " -inkey " + tls_file("client.key") + " -passout pass:box -out " + p12);
        auto options = trusting();
        CHECK(make(options)("localhost", server.port2(), "/mtls/hello.txt").reason == Reason::status);

        SECTION("PEM files") {
            options.certificate_file = tls_file("client.crt");
            options.key_file = tls_file("client.key");
        }
        SECTION("PEM files, encrypted key") {
            options.certificate_file = tls_file("client.crt");
            options.key_file = tls_file("client-enc.key");
            options.key_password = Secret{"keypass"};
        }
        SECTION("PEM data with the key in it; data wins over a file") {
            options.certificate_data = read_file(tls_file("client.crt")) + read_file(tls_file("client.key"));
            options.certificate_file = "/nonexistent";
        }
        SECTION("PEM data, key data") {
            options.certificate_data = read_file(tls_file("client.crt"));
            options.key_data = Secret{read_file(tls_file("client-enc.key"))};
            options.key_password = Secret{"keypass"};
        }
        SECTION("PKCS#12 file") {
            options.certificate_file = p12;
            options.key_password = Secret{"box"};
        }
        SECTION("PKCS#12 bytes") {
            options.certificate_data = read_file(p12);
            options.key_password = Secret{"box"};
        }
        const auto outcome = make(options)("localhost", server.port2(), "/mtls/hello.txt");
        INFO(outcome.message);
        CHECK(outcome.ok);
    }

    SECTION("a server that insists on a client certificate says so") {
        OpensslServer server{{"-Verify", "2", "-verify_return_error", "-CAfile", tls_file("ca.crt")}};
        auto options = trusting();
        options.maximum = GENERATE(TlsVersion::tls1_2, TlsVersion::tls1_3);

        const auto outcome = with(options, server);

        INFO(outcome.message);
        CHECK_FALSE(outcome.ok);
        CHECK((outcome.reason == Reason::denied || outcome.reason == Reason::handshake));
        CHECK(mentions(outcome, "client certificate"));
    }

    SECTION("decide: sees the chain and the verdict, and has the last word") {
        OpensslServer good{{}};
        OpensslServer expired{{}, "expired.crt"};
        std::vector<std::string> seen;
        auto options = trusting();
        bool answer = true;
        options.decide = [&](const TlsInfo& info, bool accepted) {
            seen.push_back(info.chain.at(0).subject + (accepted ? " good: " : " bad: ") + info.verdict);
            return answer;
        };
        const auto client = make(options);

        CHECK(client("127.0.0.1", good.port(), "/").ok);
        CHECK(client("127.0.0.1", expired.port(), "/").ok);
        answer = false;
        const auto refused = client("127.0.0.1", good.port(), "/");
        CHECK_FALSE(refused.ok);
        CHECK(mentions(refused, "decision"));

        REQUIRE(seen.size() == 3);
        CHECK(seen[0].find("CN=localhost") != std::string::npos);
        CHECK(seen[0].find(" good: ok") != std::string::npos);
        CHECK(seen[1].find(" bad: certificate has expired") != std::string::npos);

        options.decide = [](const TlsInfo&, bool) -> bool { throw std::runtime_error{"no opinion"}; };
        const auto threw = with(options, good);
        CHECK_FALSE(threw.ok);
        CHECK(mentions(threw, "no opinion"));
    }
}

}  // namespace qconn::test
