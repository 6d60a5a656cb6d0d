// SPDX-License-Identifier: Apache-2.0
// Files by reference over HTTP, against nginx.
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include <qconn/core/file_resolver.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/http/http_client.hpp>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/file_failure.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

TlsOptions trust() {
    TlsOptions tls;
    tls.ca_file = tls_file("ca.crt");
    return tls;
}

bool has(const std::string& text, std::string_view part) {
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("files are read over http and https, with the log-in of their URL", "[file-reference][integration]") {
    const Server nginx{"nginx"};
    const FileResolver resolver = builtin_file_resolver({}, trust());
    const std::string login = std::string{k_user} + ":" + std::string{k_password} + "@";

    CHECK(resolver.read("http://" + nginx.address() + "/hello.txt") == "hello\n");
    CHECK(resolver.read("https://" + nginx.address2() + "/hello.txt#part") == "hello\n");
    CHECK(resolver.read("https://" + login + nginx.address2() + "/auth/hello.txt?v=1") == "hello\n");
    CHECK(has(resolver.read("http://" + nginx.address() + "/redirect/302"), "GET /echo"));
}

TEST_CASE("what cannot be read over HTTP is named without its credentials, with the way and the reason", "[file-reference][integration]") {
    const Server nginx{"nginx"};
    const FileResolver resolver = builtin_file_resolver({.max_size = 1000, .timeout = 20s}, trust());
    const std::string http = "http://" + nginx.address();

    const auto missing = failure(resolver, http + "/none.pem");
    REQUIRE(missing);
    CHECK(missing->reason() == Reason::not_found);
    CHECK(has(missing->what(), http + "/none.pem\" over HTTP failed: "));
    const auto denied = failure(resolver, "http://edi:Zq7canary@" + nginx.address() + "/auth/hello.txt?token=Zq7canary");
    REQUIRE(denied);
    CHECK(denied->reason() == Reason::denied);
    CHECK_FALSE(has(denied->what(), "Zq7canary"));
    const auto large = failure(resolver, http + "/numbers.txt");
    REQUIRE(large);
    CHECK(large->reason() == Reason::limit);
    const auto refused = failure(resolver, "http://127.0.0.1:" + std::to_string(free_port()) + "/x");
    REQUIRE(refused);
    CHECK(refused->reason() == Reason::refused);
    CHECK(refused->retryable());
    const auto untrusted = failure(builtin_file_resolver(), "https://" + nginx.address2() + "/hello.txt");
    REQUIRE(untrusted);
    CHECK(untrusted->reason() == Reason::certificate_untrusted);
    const auto loop = failure(resolver, http + "/redirect/loop");
    REQUIRE(loop);
}

TEST_CASE("a redirect from https to http is not followed to its end", "[file-reference][integration]") {
    const Server other{"nginx"};
    const Server nginx{"nginx", {.environment = {"NGINX_SERVER=location = /down { return 302 http://" + other.address() + "/hello.txt; }"}}};
    const auto error = failure(builtin_file_resolver({}, trust()), "https://" + nginx.address2() + "/down");
    REQUIRE(error);
    CHECK(has(error->what(), "from https to http"));
}

TEST_CASE("a server that says nothing costs no more than the time that was given", "[file-reference][integration]") {
    const SilentServer silent;
    const std::string url = "http://127.0.0.1:" + std::to_string(silent.port()) + "/x";
    const auto by_deadline = failure(builtin_file_resolver(), url, Deadline{200ms});
    REQUIRE(by_deadline);
    CHECK(by_deadline->reason() == Reason::timeout);
    const auto by_limit = failure(builtin_file_resolver({.max_size = 1000, .timeout = 200ms}), url);
    REQUIRE(by_limit);
    CHECK(by_limit->reason() == Reason::timeout);
}

TEST_CASE("an I/O thread is refused rather than held up", "[file-reference][integration]") {
    const Server nginx{"nginx"};
    const Runtime runtime{RuntimeOptions{}};
    const FileResolver resolver = builtin_file_resolver({}, {}, runtime);
    std::promise<std::optional<Error>> outcome;
    runtime.post([&] { outcome.set_value(failure(resolver, "http://" + nginx.address() + "/hello.txt")); });
    const auto error = outcome.get_future().get();
    REQUIRE(error);
    CHECK(has(error->what(), "I/O thread"));
}

TEST_CASE("certificates and keys of a connection can be named by https, file and path", "[file-reference][integration]") {
    const Server nginx{"nginx"};
    for (const char* name : {"client.crt", "client.key"}) nginx.directory().write(std::string{"www/"} + name, read_file(tls_file(name)));
    const std::string store = "https://" + nginx.address2() + "/";
    RegistryOptions options;
    options.files = std::make_shared<const FileResolver>(builtin_file_resolver({}, trust()));
    Registry registry{options};
    const auto add = [&](const std::string& name, Map given) {
        Definition definition;
        definition.name = name;
        definition.url = "https://" + nginx.address2() + "/mtls";
        definition.file = tls_dir() + "/" + name + ".qconn.yaml";
        given.set("ssl_ca_file", tls_file("ca.crt"));
        definition.options = std::move(given);
        registry.add(definition);
    };
    add("by-https", {{"ssl_cert_path", store + "client.crt"}, {"ssl_key_path", store + "client.key"}});
    add("by-file", {{"ssl_cert_path", "file:client.crt"}, {"ssl_key_path", "file://" + tls_file("client.key")}});
    add("by-path", {{"ssl_cert_path", tls_file("client.crt")}, {"ssl_key_path", tls_file("client.key")}});
    add("gone", {{"ssl_cert_path", store + "gone.crt"}, {"ssl_key_path", store + "client.key"}});

    for (const char* name : {"by-https", "by-file", "by-path"}) {
        INFO(name);
        CHECK(registry.get<HttpClient>(name)->get("hello.txt").body == "hello\n");
        CHECK(registry.ping(name).ok);
    }
    const PingResult gone = registry.ping("gone");
    REQUIRE(gone.error);
    CHECK(gone.error->phase() == Phase::secret);
    CHECK(has(gone.error->what(), "the option 'ssl_cert_path' of connection 'gone': reading \"" + store + "gone.crt\" over HTTP failed"));
}
