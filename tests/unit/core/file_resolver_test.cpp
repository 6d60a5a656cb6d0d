// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/file_resolver.hpp>

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"
#include "support/file_failure.hpp"
#include "support/temp_dir.hpp"
#include "unit/core/registry_scheme.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, std::string_view part) {
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
}

class Resources final : public ResourceSource {
public:
    std::optional<std::string> resource(std::string_view service, std::string_view name, Deadline) override {
        if (service == "billing" && name == "wsdl/orders.wsdl") return "<definitions/>";
        if (name == "broken") throw Error{make_error_code(Errc::system), "SERVICE-GONE", "the service has stopped"}.with_reason(Reason::closed);
        return std::nullopt;
    }
};

}  // namespace

TEST_CASE("a reference is a path or a URL", "[file-reference]") {
    CHECK(reference_scheme("/etc/x.pem").empty());
    CHECK(reference_scheme("x.pem").empty());
    CHECK(reference_scheme("a:b").empty());
    CHECK(reference_scheme("orders:1.pem").empty());
    CHECK(reference_scheme("HTTPS://h/x") == "https");
    CHECK(reference_scheme("file:x.pem") == "file");
    CHECK(reference_scheme("resource://s:n") == "resource");
    CHECK(reference_path("x.pem", "/d") == "/d/x.pem");
    CHECK(reference_path("x.pem", "") == "x.pem");
    CHECK(reference_path("/x.pem", "/d") == "/x.pem");
    CHECK(reference_path("file:///a%20b.pem", "/d") == "/a b.pem");
    CHECK(reference_path("file://localhost/a.pem", "/d") == "/a.pem");
    CHECK(reference_path("file:/a.pem", "/d") == "/a.pem");
    CHECK(reference_path("file:a.pem", "/d/") == "/d/a.pem");
}

TEST_CASE("files are read by path and by URL, a relative one beside the definition", "[file-reference]") {
    const TempDir directory;
    const std::string path = directory.write("in/a.txt", "hello");
    const FileResolver resolver;
    CHECK(resolver.read(path) == "hello");
    CHECK(resolver.read("file://" + path) == "hello");
    CHECK(resolver.read("in/a.txt", directory.path()) == "hello");
    CHECK(resolver.read("file:in/a.txt", directory.path()) == "hello");
    directory.write("empty", "");
    CHECK(resolver.read(directory / "empty").empty());
}

TEST_CASE("a file that cannot be read is named, with the way and the reason", "[file-reference]") {
    const TempDir directory;
    const FileResolver resolver{{.max_size = 4, .timeout = 1s}};
    const auto missing = failure(resolver, directory / "none");
    CHECK(missing->reason() == Reason::missing);
    CHECK(has(missing->what(), "none\" as a file failed: "));
    CHECK(has(missing->what(), "No such file"));
    CHECK(failure(resolver, directory.write("large", "12345"))->reason() == Reason::limit);
    CHECK_FALSE(failure(resolver, directory.write("fits", "1234")));
    const std::string pipe = directory / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(has(failure(resolver, pipe)->what(), "no regular file"));
    CHECK(has(failure(resolver, "/dev/zero")->what(), "no regular file"));
    CHECK(failure(resolver, directory / "fits", Deadline{Clock::now()})->reason() == Reason::timeout);
    const auto unknown = failure(resolver, "gopher://u:Zq7canary@h/x");
    CHECK(unknown->reason() == Reason::unsupported);
    CHECK(has(unknown->what(), "there is no way to read 'gopher:'"));
    CHECK_FALSE(has(unknown->what(), "Zq7canary"));
}

TEST_CASE("resources come from the program", "[file-reference]") {
    FileResolver resolver{{.max_size = 100, .timeout = 1s}};
    CHECK(failure(resolver, "resource://billing:wsdl/orders.wsdl")->reason() == Reason::unsupported);
    resolver.add_resources(std::make_shared<Resources>());

    CHECK(resolver.read("resource://billing:wsdl/orders.wsdl") == "<definitions/>");
    CHECK(failure(resolver, "resource://billing:none")->reason() == Reason::missing);
    CHECK(failure(resolver, "resource://billing")->reason() == Reason::bad_value);
    CHECK(failure(resolver, "resource://:x")->reason() == Reason::bad_value);
    const auto broken = failure(resolver, "resource://billing:broken");
    CHECK(broken->reason() == Reason::closed);
    CHECK(has(broken->what(), "from the program's resources failed: the service has stopped"));
    CHECK(resolver.schemes() == std::vector<std::string>{"resource"});
}

TEST_CASE("a way of one's own is held to the limits", "[file-reference]") {
    FileResolver resolver{{.max_size = 3, .timeout = 1h}};
    Deadline seen;
    resolver.add("s3", {"from the store", [&seen](const FileRequest& request) {
                            seen = request.deadline;
                            return request.reference + std::to_string(request.max_size);
                        }});
    const auto error = failure(resolver, "s3://bucket/x?token=Zq7canary", Deadline{1min});
    CHECK(error->reason() == Reason::limit);
    CHECK(has(error->what(), "from the store"));
    CHECK_FALSE(has(error->what(), "Zq7canary"));
    CHECK(seen.remaining() <= 1min);
}

namespace {

/// A registry with a scheme that takes a key by file and by content.
struct KeyFixture : FakeRegistry {
    KeyFixture() {
        Scheme scheme = fake_scheme("keyed", world);
        OptionSpec path;
        path.name = "key_path";
        path.help = "a key";
        path.file = true;
        path.content = "password";
        scheme.options.push_back(path);
        catalogue.add(std::move(scheme));
        FileResolver resolver;
        resolver.add("vault", {"from the vault", [this](const FileRequest& request) {
                                   ++reads;
                                   if (request.reference.find("none") != std::string::npos)
                                       throw Error{make_error_code(Errc::system), "NO-KEY", "there is none"}.with_reason(Reason::missing);
                                   return "KEY of " + request.directory;
                               }});
        resolver.add("http", {"over HTTP", [](const FileRequest&) { return std::string{"in clear"}; }});
        options.files = std::make_shared<const FileResolver>(std::move(resolver));
        registry.emplace(options);
        world->on_make = [this](const ResolvedDefinition& resolved) { seen = resolved.options; };
    }
    std::string use(Map given) {
        Definition one = definition("a", "keyed://h");
        one.file = "/etc/app/a.qconn.yaml";
        one.options = std::move(given);
        if (registry->contains("a")) registry->remove("a");
        registry->add(one);
        return thrown_text([&] { registry->get<FakeClient>("a").pin(); });
    }
    int reads{0};
    Map seen;
};

}  // namespace

TEST_CASE_METHOD(KeyFixture, "what a URL leads to goes to the option that takes the content", "[file-reference]") {
    CHECK(use({{"key_path", "vault://k/1"}}).empty());
    CHECK(seen.at("password") == Value{"KEY of /etc/app"});
    CHECK_FALSE(seen.contains("key_path"));
    CHECK(reads == 1);

    CHECK(use({{"key_path", "keys/a.pem"}}).empty());  // a path stays what it was
    CHECK(seen.at("key_path") == Value{"keys/a.pem"});
    CHECK(use({{"key_path", "file:keys/a.pem"}}).empty());
    CHECK(seen.at("key_path") == Value{"/etc/app/keys/a.pem"});
    CHECK_FALSE(seen.contains("password"));
    CHECK(reads == 1);
}

TEST_CASE_METHOD(KeyFixture, "a file that must not be changed on the way is not read over http, which is said where it stands", "[file-reference]") {
    Definition one = definition("a", "keyed://h");
    one.options = {{"key_path", "http://h/key"}};
    CHECK(has(thrown_text([&] { registry->add(one); }), "use https:"));
}

TEST_CASE_METHOD(KeyFixture, "a URL that leads nowhere is a failure of its connection, of phase secret", "[file-reference]") {
    CHECK(has(use({{"key_path", "vault://u:Zq7canary@k/none"}}), "from the vault failed: there is none"));
    const PingResult ping = registry->ping("a");
    REQUIRE(ping.error);
    CHECK(ping.error->phase() == Phase::secret);
    CHECK(ping.error->reason() == Reason::missing);
    CHECK(has(ping.error->what(), "the option 'key_path' of connection 'a'"));
    CHECK_FALSE(has(ping.error->what(), "Zq7canary"));
    CHECK(registry->info("a").validity == Validity::valid);

    ::setenv("QCONN_T_REFERENCE", "Zq7canary", 1);
    const std::string by_reference = use({{"key_path", "vault://k/${env:QCONN_T_REFERENCE}/none"}});
    CHECK(has(by_reference, "vault://k/${env:QCONN_T_REFERENCE}/none"));
    CHECK_FALSE(has(by_reference, "Zq7canary"));

    ::setenv("QCONN_T_REFERENCE", "http://h/key", 1);
    CHECK(has(use({{"key_path", "${env:QCONN_T_REFERENCE}"}}), "use https:"));
    CHECK(has(use({{"key_path", "vault://k/1"}, {"password", "own"}}), "remove one of them"));
}
