// SPDX-License-Identifier: Apache-2.0
// A scheme that is not part of the library, with public headers only. docs/adding-a-scheme.md explains it piece by piece.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include <qconn/core/scheme.hpp>
#include <qconn/qconn.hpp>

#include "contract/connection_contract.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

// ---- 1. The client: knows nothing of definitions ----

struct GreetingOptions {
    std::string label;
    std::string host;
    std::uint16_t port{0};
    std::string word{"HELLO"};
    Secret pass;
};

class GreetingClient : public Client {
public:
    explicit GreetingClient(GreetingOptions options) : options_{std::move(options)} {}
    std::string_view label() const noexcept override { return options_.label; }
    std::string greeting() const { return options_.word + ", " + options_.host; }
    const GreetingOptions& options() const { return options_; }

private:
    GreetingOptions options_;
};

// ---- 2. What its ping says: bytes in, bytes and a decision out ----

class GreetingDialogue : public Dialogue {
public:
    explicit GreetingDialogue(std::string word) : word_{std::move(word)} {}

    Step begin(std::string& out) override {
        out += word_ + '\n';
        return {};
    }
    Step feed(std::string_view input, bool closed, std::string&) override {
        const auto end = input.find('\n');
        if (end == std::string_view::npos) {
            if (!closed) return {};
            return failed(0, Reason::closed, "the server closed before it had greeted back");
        }
        answer_ = input.substr(0, end);
        if (answer_ != word_) return failed(end + 1, Reason::bad_answer, "the server answered something else");
        return Step{Want::done, end + 1, std::nullopt};
    }
    bool keeps_stream() const noexcept override { return true; }
    std::string evidence() const override { return answer_; }
    std::string_view awaited() const noexcept override { return "the greeting"; }

private:
    static Step failed(std::size_t used, Reason reason, const char* what) {
        Error error{Errc::parse, "GREETING-ERROR", what};
        return Step{Want::failed, used, std::move(error).with_phase(Phase::protocol).with_reason(reason)};
    }
    std::string word_;
    std::string answer_;
};

// ---- 3. The scheme: options as a table, definition to options, what a ping does ----

const OptionTable<GreetingOptions>& table() {
    static const OptionTable<GreetingOptions> options = [] {
        OptionTable<GreetingOptions> all;
        OptionSpec& word = all.add("word", &GreetingOptions::word, OptionType::string, "What is said first");
        word.fallback = "HELLO";
        word.example = "WELCOME";
        OptionSpec& pass = all.add("pass", &GreetingOptions::pass, OptionType::string, "Secret of the house");
        pass.sensitive = true;
        pass.example = "${env:HOUSE_PASS}";
        return all;
    }();
    return options;
}

GreetingOptions options_of(const ResolvedDefinition& definition) {
    GreetingOptions options;
    table().apply(definition.options, options);
    options.label = definition.name;
    options.host = definition.url.host;
    options.port = definition.url.port.value_or(7007);
    return options;
}

Scheme greeting_scheme() {
    Scheme scheme;
    scheme.names = {"greet"};
    scheme.family = "greeting";
    scheme.title = "Greeting";
    scheme.help = "Says a word to a server that says it back.";
    scheme.example_url = "greet://door.example";
    scheme.default_ports = {{"greet", 7007}};
    scheme.options = table().specs();
    scheme.clients = client_types<GreetingClient>({"GreetingClient"});
    OperationSpec greet;
    greet.name = "greet";
    greet.help = "The greeting of this client";
    greet.run = [](Client& client, const Map&, Deadline) { return Value{dynamic_cast<GreetingClient&>(client).greeting()}; };
    scheme.operations = {std::move(greet)};
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime&) -> std::shared_ptr<Client> {
        return std::make_shared<GreetingClient>(options_of(definition));
    };
    scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth depth, const Runtime&) -> PingPlan {
        const GreetingOptions options = options_of(definition);
        NetPing ping;
        ping.endpoint.host = options.host;
        ping.endpoint.port = options.port;
        if (depth != PingDepth::connect && depth != PingDepth::tls) {
            ping.dialogue = [word = options.word] { return std::make_unique<GreetingDialogue>(word); };
            ping.keep = true;
        }
        return ping;
    };
    return scheme;
}

// ---- A server for it: sends each line back ----

class EchoServer {
public:
    EchoServer() : listener_{test::listen_on(port_)}, thread_{[this] { serve(); }} {}
    ~EchoServer() { stop(); }
    void stop() {
        if (!thread_.joinable()) return;
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    std::uint16_t port() const { return port_; }

private:
    void serve() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            char block[256];
            const auto n = ::recv(fd, block, sizeof block, 0);
            if (n > 0) ::send(fd, block, static_cast<std::size_t>(n), MSG_NOSIGNAL);
            ::close(fd);
        }
    }
    std::uint16_t port_{0};  // before listener_, which sets it
    int listener_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("a scheme from outside the library is checked, opened, pinged and called like any other", "[schemes][integration]") {
    EchoServer server;
    // ---- 4. Into a catalogue, and from there into a registry ----
    Catalogue catalogue = builtin_catalogue();
    catalogue.add(greeting_scheme());
    Registry registry{RegistryOptions{.catalogue = &catalogue}};

    Definition definition;
    definition.name = "door";
    definition.description = "the front door";
    definition.url = "greet://127.0.0.1:" + std::to_string(server.port());
    definition.options.set("word", "WELCOME");
    definition.options.set("pass", "k4naRi3nv0gel");
    registry.add(definition);

    CHECK(registry.get<GreetingClient>("door")->greeting() == "WELCOME, 127.0.0.1");
    CHECK(registry.open<GreetingClient>("door")->options().pass.reveal() == "k4naRi3nv0gel");
    CHECK(registry.info("door").type == "GreetingClient");
    CHECK(to_text(registry.info("door").options).find("k4naRi3nv0gel") == std::string::npos);

    const PingResult up = registry.ping("door", PingDepth::standard, 10s, true);
    INFO((up.error ? up.error->what() : "ok"));
    CHECK(up.ok);
    CHECK(catalogue.json_schema().find("greet") != std::string::npos);
    CHECK(catalogue.options_markdown(*catalogue.find("greet")).find("What is said first") != std::string::npos);
    CHECK(catalogue.find("greet")->operations.front().run(*registry.client("door"), {}, {}) == Value{"WELCOME, 127.0.0.1"});

    server.stop();
    const PingResult down = registry.ping("door", PingDepth::standard, 10s);
    REQUIRE(down.error);
    CHECK(down.error->reason() == Reason::refused);
    CHECK(down.error->connection() == "door");
}

TEST_CASE("a scheme from outside the library keeps the contract of connections", "[contract][integration]") {
    const EchoServer server;
    const test::SilentServer silent;
    Catalogue catalogue;
    catalogue.add(greeting_scheme());
    const auto door = [](std::uint16_t port) { return "greet://127.0.0.1:" + std::to_string(port); };
    test::ConnectionContract contract;
    contract.catalogue = &catalogue;
    contract.up = {door(server.port())};
    contract.changed = {door(server.port()), "word: WELCOME"};
    contract.use.blocking = [](Client& client, Deadline) { return dynamic_cast<GreetingClient&>(client).greeting(); };
    contract.answer = "HELLO, 127.0.0.1";
    contract.changed_answer = "WELCOME, 127.0.0.1";
    contract.refused = test::Down{{door(test::free_port())}, Phase::connect, Reason::refused};
    contract.silent = test::Down{{door(silent.port())}, Phase::protocol, Reason::timeout, PingDepth::standard, 1s};
    contract.wrong_password = test::Absent{"the secret of the house is told to nobody"};
    contract.bad_certificate = test::Absent{"it does not speak TLS"};
    contract.slow = test::Absent{"its client asks nobody"};

    CHECK(to_text(test::broken_promises(contract)) == "");
}

TEST_CASE("a misspelt option of a scheme from outside is found like any other", "[schemes][integration]") {
    Catalogue catalogue = builtin_catalogue();
    catalogue.add(greeting_scheme());
    ParsedDefinitions parsed = parse_definitions("type: connection\nname: door\ndesc: d\nurl: greet://h\noptions:\n  wrod: x\n", "door.qconn.yaml");
    REQUIRE(parsed.definitions.size() == 1);
    Diagnostics findings;

    CHECK_FALSE(catalogue.check(parsed.definitions[0], findings, &parsed));

    REQUIRE(findings.size() == 1);
    CHECK(findings[0].code == "unknown-option");
    CHECK(findings[0].hint.find("word") != std::string::npos);
    CHECK(findings[0].place.line == 6);
    CHECK_THROWS_AS(catalogue.add(greeting_scheme()), Error);  // known already
    CHECK(builtin_catalogue().find("greet") == nullptr);
}
