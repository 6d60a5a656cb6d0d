// SPDX-License-Identifier: Apache-2.0
// Which of several client certificates is taken: files made by openssl.
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <openssl/pem.h>

#include "net/openssl_ptr.hpp"
#include "net/tls_certificate.hpp"
#include "net/tls_context.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;

namespace {

/// An authority, and two certificates of it with their keys, of which `second` is by an authority in between.
class Bundles {
public:
    Bundles() {
        run("openssl ecparam -name prime256v1 -genkey -noout -out ca.key && openssl req -x509 -new -key ca.key -subj /CN=ca -out ca.crt");
        make("between", "ca", "-extfile ca.ext");
        make("first", "ca", "");
        make("second", "between", "");
        run("cat first.crt first.key second.crt between.crt second.key ca.crt > all.pem");
        run("cat first.crt second.crt second.key > no_first_key.pem");
        run("openssl pkcs12 -export -in second.crt -inkey second.key -certfile between.crt -passout pass:box -out one.p12");
    }
    std::string file(const std::string& name) const { return std::string{dir_.path()} + "/" + name; }

private:
    void run(const std::string& command) const {
        if (std::system(("cd " + std::string{dir_.path()} + " && { " + command + "; } >/dev/null 2>&1").c_str()) != 0)
            throw std::runtime_error{command + " failed"};
    }
    void make(const std::string& name, const std::string& by, const std::string& more) const {
        run("echo basicConstraints=critical,CA:TRUE > ca.ext && openssl ecparam -name prime256v1 -genkey -noout -out " + name +
            ".key && openssl req -new -key " + name + ".key -subj '/O=Edi GmbH/CN=" + name + "' | openssl x509 -req -CA " + by + ".crt -CAkey " + by +
            ".key -CAcreateserial " + more + " -out " + name + ".crt");
    }
    test::TempDir dir_;
};

struct Shown {
    std::string subject;
    std::vector<std::string> chain;
    std::string refusal;
};

Shown shown(const std::string& file, const std::string& subject, const std::string& password = {}) {
    TlsOptions options;
    options.certificate_file = file;
    options.certificate_subject = subject;
    options.key_password = Secret{password};
    Shown shown;
    try {
        const auto context = net::TlsContext::make(options, Log{}, "shop");
        shown.subject = net::describe(SSL_CTX_get0_certificate(context->native())).subject;
        STACK_OF(X509)* chain = nullptr;
        SSL_CTX_get0_chain_certs(context->native(), &chain);
        for (int i = 0; i < sk_X509_num(chain); ++i) shown.chain.push_back(net::describe(sk_X509_value(chain, i)).subject);
    } catch (const Error& error) {
        CHECK(error.name() == "TLS-OPTION-ERROR");
        shown.refusal = error.message();
    }
    return shown;
}

}  // namespace

TEST_CASE("a client certificate is chosen by its subject", "[net][tls]") {
    static const Bundles bundles;
    const std::string all = bundles.file("all.pem");

    SECTION("none asked for: the first, with all that follow") {
        const auto first = shown(all, "");
        CHECK(first.subject == "CN=first,O=Edi GmbH");
        CHECK(first.chain.size() == 3);
    }
    SECTION("the whole subject") { CHECK(shown(all, "CN=first,O=Edi GmbH").subject == "CN=first,O=Edi GmbH"); }
    SECTION("a part of it, whatever the case; with those that lead to its authority, and no others") {
        const auto second = shown(all, "cn=Second");
        CHECK(second.subject == "CN=second,O=Edi GmbH");
        CHECK(second.chain == std::vector<std::string>{"CN=between,O=Edi GmbH", "CN=ca"});
    }
    SECTION("the first of several with that part whose key is there") {
        CHECK(shown(all, "O=Edi").subject == "CN=first,O=Edi GmbH");
        CHECK(shown(bundles.file("no_first_key.pem"), "O=Edi").subject == "CN=second,O=Edi GmbH");
    }
    SECTION("a container") { CHECK(shown(bundles.file("one.p12"), "CN=second", "box").subject == "CN=second,O=Edi GmbH"); }
    SECTION("one that is not there: what is there is said") {
        const auto none = shown(all, "CN=third");
        CHECK(none.refusal.find("certificate_subject") != std::string::npos);
        CHECK(none.refusal.find("CN=first,O=Edi GmbH; CN=second") != std::string::npos);
    }
    SECTION("one whose key is not there") {
        CHECK(shown(bundles.file("no_first_key.pem"), "CN=first").refusal.find("private key of CN=first") != std::string::npos);
        CHECK(shown(bundles.file("one.p12"), "CN=between", "box").refusal.find("private key of CN=between") != std::string::npos);
    }
}

TEST_CASE("a container with two certificates and their keys gives the one that is asked for", "[net][tls]") {
    // openssl's command makes containers of one key only; its library puts any number together.
    static const Bundles bundles;
    const auto read = [](const std::string& path, auto reader) {
        const net::BioPtr in{BIO_new_file(path.c_str(), "r")};
        return reader(in.get(), nullptr, nullptr, nullptr);
    };
    const std::string password = "box";
    STACK_OF(PKCS12_SAFEBAG)* bags = nullptr;
    for (const std::string name : {"first", "second"}) {
        const net::X509Ptr certificate{read(bundles.file(name + ".crt"), PEM_read_bio_X509)};
        const net::KeyPtr key{read(bundles.file(name + ".key"), PEM_read_bio_PrivateKey)};
        REQUIRE(PKCS12_add_cert(&bags, certificate.get()) != nullptr);
        REQUIRE(PKCS12_add_key(&bags, key.get(), 0, 1000, NID_aes_256_cbc, password.data()) != nullptr);
    }
    STACK_OF(PKCS7)* safes = nullptr;
    REQUIRE(PKCS12_add_safe(&safes, bags, -1, 0, nullptr) == 1);
    const net::Pkcs12Ptr container{PKCS12_add_safes(safes, 0)};
    REQUIRE(PKCS12_set_mac(container.get(), password.data(), -1, nullptr, 0, 1000, EVP_sha256()) == 1);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    const test::TempDir dir;
    const std::string path = std::string{dir.path()} + "/two.p12";
    {
        const net::BioPtr out{BIO_new_file(path.c_str(), "w")};
        REQUIRE(i2d_PKCS12_bio(out.get(), container.get()) == 1);
    }

    CHECK(shown(path, "CN=first", password).subject == "CN=first,O=Edi GmbH");
    CHECK(shown(path, "CN=second", password).subject == "CN=second,O=Edi GmbH");
}
