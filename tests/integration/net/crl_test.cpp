// SPDX-License-Identifier: Apache-2.0
// Certificates that were revoked: openssl s_server shows them, nginx has the lists.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <stdexcept>

#include <qconn/http/http_client.hpp>

#include "integration/net/openssl_server.hpp"
#include "integration/net/pinging.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct CrlOutcome {
    bool ok{false};
    Reason reason{Reason::none};
    std::string message;
    std::string verdict;

    bool mentions(std::string_view words) const { return message.find(words) != std::string::npos; }
};

/// Lists on an nginx of their own, and the certificates that name them.
class Authority {
public:
    Authority() {
        const std::string command = std::string{QCONN_TEST_SERVERS} + "/crl.sh " + directory_.path() + " http://" + lists.address() + "/crl";
        if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) throw std::runtime_error{"crl.sh failed"};
        std::filesystem::create_directory(folder());
    }
    std::string file(const std::string& name) const { return directory_.path() + "/" + name; }
    /// Puts FROM where the certificates say that NAME is.
    void publish(const std::string& name, const std::string& from) const {
        std::filesystem::copy_file(file(from), folder() + "/" + name, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::permissions(folder(), std::filesystem::perms::others_all, std::filesystem::perm_options::add);
    }
    void publish_all() const {
        publish("issuing.crl", "issuing.crl");
        publish("root.crl", "root.crl");
    }
    std::size_t requests() const {
        const std::string log = lists.directory().read("access.log");
        std::size_t count = 0;
        for (std::size_t at = log.find("/crl/"); at != std::string::npos; at = log.find("/crl/", at + 1)) ++count;
        return count;
    }
    TlsOptions trusting(CrlCheck check) const {
        TlsOptions options;
        options.ca_file = file("root.crt");
        options.ca_only = true;
        options.crl_check = check;
        return options;
    }
    /// Shows the certificate and those above it.
    OpensslServer showing(const std::string& certificate) const {
        return OpensslServer{{"-cert_chain", file(certificate)}, file(certificate), file("server.key")};
    }

    Server lists{"nginx"};

private:
    std::string folder() const { return lists.directory().path() + "/www/crl"; }
    TempDir directory_;
};

using Client = std::function<CrlOutcome(std::uint16_t port)>;
/// Options of one client; each has a runtime of its own, and so its own lists.
using MakeClient = std::function<Client(const TlsOptions& options)>;

CrlOutcome outcome_of(const Error& error) { return {false, error.reason(), std::string{error.what()}, {}}; }

Client by_dialer(const TlsOptions& options) {
    const auto shared = std::make_shared<const TlsOptions>(options);
    return [runtime = Runtime{RuntimeOptions{.log = Log{LogLevel::off, {}}}}, shared](std::uint16_t port) {
        Endpoint to = endpoint("127.0.0.1", port);
        to.tls = shared;
        const auto result = ping(runtime, {.endpoint = to, .dialogue = get("/"), .keep = false, .start_tls = nullptr});
        if (result.error) return outcome_of(*result.error);
        return CrlOutcome{true, Reason::none, {}, result.tls->verdict};
    };
}

Client by_http(const TlsOptions& options, bool blocking) {
    return [runtime = Runtime{RuntimeOptions{.log = Log{LogLevel::off, {}}}}, options, blocking](std::uint16_t port) {
        HttpOptions http;
        http.url = "https://127.0.0.1:" + std::to_string(port) + "/";
        http.tls = options;
        HttpClient client{http, runtime};
        try {
            HttpResponse response;
            if (blocking) {
                response = client.get("/");
            } else {
                std::promise<Result<HttpResponse>> told;
                const auto operation =
                    client.async_request({.method = "GET", .path = "/"}, {}, [&](Result<HttpResponse> r) { told.set_value(std::move(r)); });
                response = told.get_future().get().value();
            }
            return CrlOutcome{true, Reason::none, {}, response.info.tls_info->verdict};
        } catch (const Error& error) { return outcome_of(error); }
    };
}

/// What depends on how a handshake waits for lists.
void check_waiting(const MakeClient& make) {
    const Authority authority;
    using enum CrlCheck;

    SECTION("a revoked certificate is refused, softly and hard") {
        authority.publish_all();
        const auto server = authority.showing("revoked.crt");

        for (const CrlCheck check : {soft, hard}) {
            const auto outcome = make(authority.trusting(check))(server.port());
            INFO(outcome.message);
            CHECK(outcome.reason == Reason::certificate_revoked);
            CHECK(outcome.mentions("certificate revoked"));
        }
    }

    SECTION("one that is not on the list passes, and the lists are fetched once") {
        authority.publish_all();
        const auto server = authority.showing("good.crt");
        const auto client = make(authority.trusting(hard));

        for (int i = 0; i < 3; ++i) {
            const auto outcome = client(server.port());
            INFO(outcome.message);
            CHECK(outcome.ok);
            CHECK(outcome.verdict == "ok");
        }
        CHECK(authority.requests() == 2);  // one for each certificate below the root
    }

    SECTION("a list that is not there: softly it passes, hard it does not") {
        authority.publish("root.crl", "root.crl");
        const auto server = authority.showing("good.crt");

        const auto passes = make(authority.trusting(soft))(server.port());
        INFO(passes.message);
        CHECK(passes.ok);
        CHECK(passes.verdict.find("issuing.crl") != std::string::npos);
        CHECK(passes.verdict.find("404") != std::string::npos);
        const auto refused = make(authority.trusting(hard))(server.port());
        CHECK(refused.reason == Reason::certificate_revoked);
        CHECK(refused.mentions("404"));
    }

    SECTION("a host with lists that does not answer is given up in time") {
        authority.publish_all();
        const auto server = authority.showing("good.crt");
        Authority silent;  // shown to by its certificates, stopped
        const auto other = silent.showing("good.crt");
        silent.lists.freeze();
        TlsOptions options = silent.trusting(soft);
        options.crl_timeout = std::chrono::milliseconds{200};

        const auto outcome = make(options)(other.port());

        INFO(outcome.message);
        CHECK(outcome.ok);
        CHECK(outcome.verdict != "ok");
        silent.lists.thaw();
    }
}

/// What depends on the verification alone.
void check_judgement(const MakeClient& make) {
    const Authority authority;
    using enum CrlCheck;

    SECTION("off: a revoked certificate is taken, and nobody asks for lists") {
        authority.publish_all();
        const auto server = authority.showing("revoked.crt");

        const auto outcome = make(authority.trusting(off))(server.port());

        INFO(outcome.message);
        CHECK(outcome.ok);
        CHECK(authority.requests() == 0);
    }

    SECTION("an authority that was revoked itself") {
        authority.publish("issuing.crl", "issuing.crl");
        authority.publish("root.crl", "root-all.crl");
        const auto server = authority.showing("good.crt");

        const auto outcome = make(authority.trusting(soft))(server.port());

        CHECK(outcome.reason == Reason::certificate_revoked);
        CHECK(outcome.mentions("certificate revoked (depth 1)"));
    }

    SECTION("lists that say nothing: over, signed by another, of another, of changes only, no list at all") {
        const std::string bad = GENERATE("old.crl", "foreign.crl", "root.crl", "delta.crl", "root.crt");
        CAPTURE(bad);
        authority.publish("root.crl", "root.crl");
        authority.publish("issuing.crl", bad);
        const auto server = authority.showing("good.crt");

        const auto passes = make(authority.trusting(soft))(server.port());
        INFO(passes.message);
        CHECK(passes.ok);
        CHECK(passes.verdict != "ok");
        CHECK(make(authority.trusting(hard))(server.port()).reason == Reason::certificate_revoked);
    }

    SECTION("a certificate that names no list: by file it can be had all the same") {
        authority.publish_all();
        const auto server = authority.showing("nowhere.crt");
        TlsOptions options = authority.trusting(hard);

        const auto refused = make(options)(server.port());
        CHECK(refused.reason == Reason::certificate_revoked);
        CHECK(refused.mentions("names no list"));
        options.crl_file = authority.file("both.pem");
        const auto passes = make(options)(server.port());
        INFO(passes.message);
        CHECK(passes.ok);
    }

    SECTION("a file with a list of changes, or with a damaged one, is refused") {
        TlsOptions options = authority.trusting(hard);
        const auto refusal = [&](const std::string& text) {
            const TempDir folder;
            options.crl_file = folder.write("lists.pem", text);
            return make(options)(1).message;
        };
        CHECK(refusal(read_file(authority.file("delta.pem"))).find("changes only") != std::string::npos);
        const std::string good = read_file(authority.file("issuing.pem"));
        CHECK(refusal(good + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n").find("list number 2 is damaged") != std::string::npos);
    }

    SECTION("what a file says needs no fetching") {
        const auto server = authority.showing("revoked.crt");
        TlsOptions options = authority.trusting(hard);
        options.crl_file = authority.file("both.pem");

        CHECK(make(options)(server.port()).reason == Reason::certificate_revoked);
        CHECK(authority.requests() == 0);
    }

    SECTION("whoever has no certificate of an authority does not choose what is fetched") {
        authority.publish_all();
        const auto server = authority.showing("good.crt");
        TlsOptions options = authority.trusting(hard);
        options.ca_file = tls_file("ca.crt");

        CHECK(make(options)(server.port()).reason == Reason::certificate_untrusted);
        CHECK(authority.requests() == 0);
    }

    SECTION("no time for fetching: nothing is fetched") {
        authority.publish_all();
        const auto server = authority.showing("good.crt");
        TlsOptions options = authority.trusting(soft);
        options.crl_timeout = {};

        CHECK(make(options)(server.port()).ok);
        CHECK(authority.requests() == 0);
    }
}

}  // namespace

TEST_CASE("revoked certificates over our own dialer", "[net][tls][integration]") { check_waiting(by_dialer); }
TEST_CASE("revoked certificates over our own dialer: what is refused", "[net][tls][integration][alike]") { check_judgement(by_dialer); }

TEST_CASE("revoked certificates over HTTP, blocking", "[net][tls][http][integration]") {
    check_waiting([](const TlsOptions& options) { return by_http(options, true); });
}

TEST_CASE("revoked certificates over HTTP, asynchronous", "[net][tls][http][integration]") {
    check_waiting([](const TlsOptions& options) { return by_http(options, false); });
}
