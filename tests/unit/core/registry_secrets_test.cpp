// SPDX-License-Identifier: Apache-2.0
// A program's own secret providers, and how a registry follows secrets that change.
#include <qconn/core/secret_provider.hpp>

#include <qconn/core/file_resolver.hpp>
#include <qconn/core/property_source.hpp>
#include <qconn/core/watch.hpp>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "core/registry_impl.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A store of secrets as a program would have one. A read that nobody waits for any more may outlive the registry, and then so does this.
struct Vault : std::enable_shared_from_this<Vault> {
    SecretProvider provider(std::string prefix = "vault") {
        SecretProvider made;
        made.prefix = std::move(prefix);
        made.read = [self = shared_from_this()](const SecretRequest& request) { return self->read(request); };
        made.check = [](std::string_view argument) { return argument.find('#') == std::string_view::npos ? "a '#' and a field are missing" : ""; };
        made.timeout = timeout;
        return made;
    }
    SecretAnswer read(const SecretRequest& request) {
        ++reads;
        std::function<void(const SecretRequest&)> first;
        std::string value;
        {
            const std::scoped_lock lock{mutex};
            first = before;
            value = secrets[std::string{request.argument}];
        }
        if (first) first(request);
        if (value.empty()) throw make_error(Errc::system, "the vault has no such field").with_reason(Reason::missing);
        return {Secret{value}, valid_for};
    }
    void set(const std::string& argument, const std::string& value) {
        const std::scoped_lock lock{mutex};
        secrets[argument] = value;
    }

    std::atomic<int> reads{0};
    std::mutex mutex;
    std::map<std::string, std::string> secrets;
    std::function<void(const SecretRequest&)> before;
    std::optional<std::chrono::milliseconds> valid_for;
    std::chrono::milliseconds timeout{10'000};
};

/// Holds whoever comes in until it is let go, or goes itself.
class Gate {
public:
    ~Gate() { open(); }
    /// Waits there; may be called when the gate has gone.
    std::function<void()> waiter() const {
        return [held = state_] {
            std::unique_lock lock{held->mutex};
            ++held->waiting;
            held->opened.wait(lock, [&] { return held->open; });
            --held->waiting;
        };
    }
    void open() {
        const std::scoped_lock lock{state_->mutex};
        state_->open = true;
        state_->opened.notify_all();
    }
    int waiting() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->waiting;
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable opened;
        bool open{false};
        int waiting{0};
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct WithVault : FakeRegistry {
    explicit WithVault(std::chrono::milliseconds timeout = 10'000ms) {
        vault.timeout = timeout;
        vault.set("shop#password", "first");
        options.secret_providers = {vault.provider()};
        registry.emplace(options);
    }
    void add(const std::string& name, const std::string& password) { registry->add(with_password(name, password)); }
    static Definition with_password(const std::string& name, const std::string& password) {
        Definition one = definition(name, "fake://h");
        one.options.set("password", password);
        return one;
    }

    const std::shared_ptr<Vault> shared_vault = std::make_shared<Vault>();
    Vault& vault{*shared_vault};
};

}  // namespace

TEST_CASE("a program's own provider resolves references of its prefix", "[registry][secret]") {
    WithVault f;
    std::string seen;
    Deadline deadline;
    f.vault.before = [&](const SecretRequest& request) {
        seen = std::string{request.argument} + " for " + std::string{request.connection} + " in " + std::string{request.directory};
        deadline = request.deadline;
    };
    const std::string file = f.write("shop", "fake://h", "options:\n  password: x${vault:shop#password}y\n");
    f.registry->load(file);
    CHECK(f.vault.reads == 0);  // checked without being read

    const auto ref = f.registry->get<FakeClient>("shop");
    CHECK(ref->password() == "xfirsty");
    CHECK(ref->password() == "xfirsty");
    CHECK(f.vault.reads == 1);
    CHECK(seen == "shop#password for shop in " + f.directory.path());
    CHECK_FALSE(deadline.is_never());
    CHECK(f.registry->ping("shop").ok);
    CHECK(f.registry->open<FakeClient>("shop")->password() == "xfirsty");
    CHECK(f.registry->info("shop").options["password"] == Value{"<masked>"});
}

TEST_CASE("a reference that is nothing else is shown, an unknown one never", "[registry][secret]") {
    WithVault f;
    f.add("shop", "${vault:shop#password}");
    f.write("bad", "fake://h", "options:\n  password: ${vaultt:hunter#2}\n");
    const auto report = f.registry->load(f.directory.path());

    CHECK(f.registry->info("shop").options["password"] == Value{"${vault:shop#password}"});
    REQUIRE(report.diagnostics.size() == 1);
    CHECK(report.diagnostics[0].code == "bad-reference");
    CHECK(report.diagnostics[0].hint.find("did you mean '${vault:'") != std::string::npos);
    CHECK(f.registry->info("bad").validity == Validity::invalid);
    CHECK(f.registry->info("bad").options["password"] == Value{"<masked>"});
    CHECK(render(report.diagnostics[0]).find("hunter") == std::string::npos);
    CHECK(f.registry->info("bad").problem.find("hunter") == std::string::npos);
}

TEST_CASE("an argument that its provider cannot use is found without reading", "[registry][secret]") {
    WithVault f;
    CHECK(thrown_text([&] { f.add("shop", "${vault:shop}"); }).find("a field are missing") != std::string::npos);
    CHECK(f.vault.reads == 0);
}

TEST_CASE("commands are refused unless the program allows them", "[registry][secret]") {
    FakeRegistry f;
    const auto with_command = WithVault::with_password("shop", "${cmd:echo hello}");
    CHECK(thrown_text([&] { f.registry->add(with_command); }).find("does not run commands") != std::string::npos);

    f.options.secret_providers = {command_secrets()};
    f.registry.emplace(f.options);
    f.registry->add(with_command);
    CHECK(f.registry->get<FakeClient>("shop")->password() == "hello");
}

TEST_CASE("a provider that cannot be used is refused where the registry is made", "[registry][secret]") {
    const auto shared_vault = std::make_shared<Vault>();
    Vault& vault = *shared_vault;
    FakeRegistry f;
    const auto refused = [&](SecretProvider provider) {
        RegistryOptions options = f.options;
        options.secret_providers = {std::move(provider)};
        return thrown_name([&] { const Registry registry{options}; });
    };
    CHECK(refused(vault.provider("env")) == "SECRET-PROVIDER-ERROR");
    CHECK(refused(vault.provider("Vault")) == "SECRET-PROVIDER-ERROR");
    CHECK(refused(vault.provider("")) == "SECRET-PROVIDER-ERROR");
    SecretProvider empty = vault.provider();
    empty.read = nullptr;
    CHECK(refused(empty) == "SECRET-PROVIDER-ERROR");
    CHECK(refused(vault.provider("my-vault2")).empty());
}

TEST_CASE("what a provider throws is a failure of phase secret that names the reference", "[registry][secret]") {
    WithVault f;
    f.add("shop", "${vault:shop#password}");
    const auto failure = [&] {
        const PingResult result = f.registry->ping("shop", PingDepth::standard, {}, true);
        REQUIRE(result.error);
        CHECK(result.error->phase() == Phase::secret);
        CHECK(std::string{result.error->what()}.find("${vault:shop#password}") != std::string::npos);
        CHECK(std::string{result.error->what()}.find("canary") == std::string::npos);
        return *result.error;
    };
    SECTION("an Error of its own keeps words and reason") {
        f.vault.set("shop#password", "");
        CHECK(failure().reason() == Reason::missing);
        CHECK(std::string{failure().what()}.find("the vault has no such field") != std::string::npos);
    }
    SECTION("of others only the type is told") {
        f.vault.before = [](const SecretRequest&) { throw std::out_of_range{"canary"}; };
        CHECK(std::string{failure().what()}.find("std::out_of_range") != std::string::npos);
    }
    SECTION("whatever it is") {
        f.vault.before = [](const SecretRequest&) { throw 42; };
        CHECK(std::string{failure().what()}.find("no std::exception") != std::string::npos);
    }
}

TEST_CASE("a provider that hangs is given up in time, told so, and costs its own threads only", "[registry][secret][threads]") {
    Gate gate;
    const auto cancelled = std::make_shared<std::atomic<int>>(0);
    WithVault f{100ms};
    f.vault.before = [wait = gate.waiter(), cancelled](const SecretRequest& request) {
        wait();
        if (request.cancelled()) ++*cancelled;
    };
    for (int i = 0; i < 12; ++i) f.add("v" + std::to_string(i), "${vault:shop#password}");
    f.add("other", "plain");

    for (int i = 0; i < 12; ++i) {
        const PingResult result = f.registry->ping("v" + std::to_string(i));
        REQUIRE(result.error);
        CHECK(result.error->phase() == Phase::secret);
        CHECK((result.error->reason() == Reason::timeout || result.error->reason() == Reason::local));
    }
    CHECK(gate.waiting() == 4);  // its concurrency
    CHECK(f.registry->ping("other").ok);
    CHECK(f.registry->get<FakeClient>("other")->password() == "plain");

    gate.open();
    CHECK(wait_until([&] { return *cancelled >= 4; }));
    CHECK(wait_until([&] { return f.registry->ping("v0").ok; }));
}

TEST_CASE("a registry goes while a provider hangs", "[registry][secret][threads]") {
    Gate gate;
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    {
        WithVault f{50ms};
        f.vault.before = [wait = gate.waiter(), ended](const SecretRequest&) {
            wait();
            *ended = true;
            throw std::runtime_error{"too late"};
        };
        f.add("shop", "${vault:shop#password}");
        CHECK_FALSE(f.registry->ping("shop").ok);
        f.registry.reset();
        gate.open();
        CHECK(wait_until([&] { return ended->load(); }));
    }
}

TEST_CASE("a caller's deadline holds for the secrets too", "[registry][secret][threads]") {
    Gate gate;
    WithVault f{60'000ms};
    f.vault.before = [wait = gate.waiter()](const SecretRequest&) { wait(); };
    f.add("shop", "${vault:shop#password}");
    const PingResult result = f.registry->ping("shop", PingDepth::standard, Deadline{50ms});
    REQUIRE(result.error);
    CHECK(result.error->phase() == Phase::secret);
    CHECK(result.error->reason() == Reason::timeout);
    gate.open();
}

TEST_CASE("nobody waits for a provider on an I/O thread", "[registry][secret][threads]") {
    WithVault f;
    f.add("shop", "${vault:shop#password}");
    const auto ref = f.registry->get<FakeClient>("shop");
    std::atomic<int> done{0};
    std::string first;
    std::string second;
    const auto on_io = [&](std::string& name) {
        const int before = done;
        f.runtime.post([&] {
            name = thrown_name([&] { (void)ref.pin(); });
            ++done;
        });
        REQUIRE(wait_until([&] { return done > before; }));
    };
    on_io(first);
    CHECK(first == "INVALID-ARGUMENT");
    (void)ref.pin();
    on_io(second);
    CHECK(second.empty());  // the client is there
}

namespace {

/// Properties that do not come while the gate is shut.
class GatedProperties final : public PropertySource {
public:
    explicit GatedProperties(const Gate& gate) : wait_{gate.waiter()} {}
    std::optional<Secret> lookup(std::string_view, std::string_view) override {
        wait_();
        return Secret{"from-property"};
    }

private:
    const std::function<void()> wait_;
};

/// Connections `property` and `url` need a property and a file by URL, `plain` nothing.
struct WithSources : FakeRegistry {
    explicit WithSources(const Gate& gate) {
        Scheme property = fake_scheme("property", world);
        Scheme by_url = fake_scheme("url", world);
        for (OptionSpec& spec : property.options)
            if (spec.name == "password") spec.property = OptionProperty{"d", "k"};
        for (OptionSpec& spec : by_url.options)
            if (spec.name == "colour") spec.content = "password";
        catalogue.add(std::move(property));
        catalogue.add(std::move(by_url));
        FileResolver files{{.max_size = 100, .timeout = 50ms}};
        files.add("slow", {"slowly", [wait = gate.waiter()](const FileRequest& request) -> std::string {
                               wait();
                               if (request.deadline.has_passed()) throw make_error(Errc::system, "too late").with_reason(Reason::timeout);
                               return "from-file";
                           }});
        options.files = std::make_shared<const FileResolver>(std::move(files));
        options.properties = std::make_shared<GatedProperties>(gate);
        registry.emplace(options);
        registry->add(definition("property", "property://h"));
        Definition file = definition("url", "url://h");
        file.options = Map{{"colour", "slow://host/file"}};
        registry->add(file);
        registry->add(definition("plain", "fake://h"));
    }
};

}  // namespace

TEST_CASE("properties and files by URL that do not come are given up in time, and cost nobody else", "[registry][secret][threads]") {
    Gate gate;
    WithSources f{gate};
    for (int i = 0; i < 6; ++i) {
        for (const char* name : {"property", "url"}) {
            const PingResult result = f.registry->ping(name, PingDepth::standard, Deadline{50ms});
            REQUIRE(result.error);
            CHECK(result.error->phase() == Phase::secret);
            CHECK((result.error->reason() == Reason::timeout || result.error->reason() == Reason::local));
        }
    }
    CHECK(gate.waiting() == 8);  // four threads each
    CHECK(f.registry->ping("plain").ok);
    const auto& impl = f.registry->impl();
    CHECK(impl->secret_pool(impl->view("property")->slot) != nullptr);
    CHECK(impl->secret_pool(impl->view("url")->slot) != nullptr);
    CHECK(impl->secret_pool(impl->view("plain")->slot) == nullptr);

    gate.open();
    CHECK(wait_until([&] { return f.registry->ping("property").ok && f.registry->ping("url").ok; }));
    CHECK(f.registry->get<FakeClient>("url")->password() == "from-file");
    CHECK(f.registry->get<FakeClient>("property")->password() == "from-property");
}

TEST_CASE("nobody waits for a property or a file by URL on an I/O thread", "[registry][secret][threads]") {
    Gate gate;
    gate.open();
    WithSources f{gate};
    for (const char* name : {"property", "url"}) {
        std::atomic<bool> done{false};
        std::string refused;
        f.runtime.post([&] {
            refused = thrown_name([&] { f.registry->open<FakeClient>(name); });
            done = true;
        });
        REQUIRE(wait_until([&] { return done.load(); }));
        CHECK(refused == "INVALID-ARGUMENT");
    }
}

TEST_CASE("an answer without validity is asked for each time, one with it is kept", "[registry][secret]") {
    WithVault f;
    f.add("a", "${vault:shop#password}");
    f.add("b", "${vault:shop#password}");
    (void)f.registry->ping("a");
    (void)f.registry->ping("b");
    CHECK(f.vault.reads == 2);

    f.vault.valid_for = 1h;
    (void)f.registry->ping("a");
    (void)f.registry->ping("a");
    (void)f.registry->ping("b");
    CHECK(f.vault.reads == 3);
}

TEST_CASE("a secret that runs out is read anew, and a held Ref follows", "[registry][secret][threads]") {
    WithVault f;
    f.vault.valid_for = 100ms;
    f.add("shop", "${vault:shop#password}");
    const auto ref = f.registry->get<FakeClient>("shop");
    const auto pinned = ref.pin();
    CHECK(pinned->password() == "first");

    f.vault.set("shop#password", "second");
    CHECK(wait_until([&] { return ref->password() == "second"; }));
    CHECK(pinned->password() == "first");
    CHECK(pinned->is_whole());
    const int serial = ref->serial();
    const int reads = f.vault.reads;
    CHECK(wait_until([&] { return f.vault.reads > reads + 2; }));
    CHECK(ref->serial() == serial);  // the same secret makes no new client
    f.vault.set("shop#password", "");
    const int tries = f.vault.reads;
    CHECK(wait_until([&] { return f.vault.reads > tries; }));
    CHECK(ref->password() == "second");  // one that cannot be had any more takes nothing away
}

TEST_CASE("refreshing takes over changed secrets at once, and tells what has changed", "[registry][secret]") {
    WithVault f;
    f.vault.valid_for = 1h;
    const std::string file = f.directory.write("secret", "one");
    f.add("shop", "${vault:shop#password}");
    f.add("file", "${file:" + file + "}");
    f.add("plain", "x");
    f.add("unused", "${vault:shop#password}");
    CHECK_FALSE(f.registry->refresh_secrets("unused"));
    const auto shop = f.registry->get<FakeClient>("shop");
    const auto from_file = f.registry->get<FakeClient>("file");
    CHECK(shop->password() + from_file->password() == "firstone");
    CHECK(f.registry->refresh_all_secrets() == 0);
    CHECK_FALSE(f.registry->refresh_secrets("shop"));
    CHECK_FALSE(f.registry->refresh_secrets("plain"));
    CHECK(thrown_name([&] { f.registry->refresh_secrets("nobody"); }) == "CONNECTION-UNKNOWN");

    f.vault.set("shop#password", "second");
    CHECK(shop->password() == "first");
    CHECK(f.registry->refresh_secrets("shop"));
    CHECK(shop->password() == "second");
    f.vault.set("shop#password", "third");
    f.directory.write("secret", "two");
    CHECK(f.registry->refresh_all_secrets() == 2);
    CHECK(shop->password() + from_file->password() == "thirdtwo");

    f.vault.set("shop#password", "");
    CHECK(thrown_name([&] { f.registry->refresh_secrets("shop"); }) == "SECRET-ERROR");
    CHECK(f.registry->refresh_all_secrets() == 0);
    CHECK(shop->password() == "third");
}

TEST_CASE("refreshing all ends although a provider hangs", "[registry][secret][threads]") {
    Gate gate;
    WithVault f{100ms};
    const std::string file = f.directory.write("secret", "one");
    f.add("shop", "${vault:shop#password}");
    f.add("file", "${file:" + file + "}");
    const auto shop = f.registry->get<FakeClient>("shop");
    const auto from_file = f.registry->get<FakeClient>("file");
    CHECK(shop->password() + from_file->password() == "firstone");
    {
        const std::scoped_lock lock{f.vault.mutex};
        f.vault.before = [wait = gate.waiter()](const SecretRequest&) { wait(); };
    }
    f.directory.write("secret", "two");

    CHECK(f.registry->refresh_all_secrets() == 1);
    CHECK(shop->password() + from_file->password() == "firsttwo");
    gate.open();
}

TEST_CASE("plans for pings follow refreshed secrets", "[registry][secret]") {
    WithVault f;
    f.add("shop", "${vault:shop#password}");
    const auto& impl = f.registry->impl();
    const auto slot = impl->view("shop")->slot;
    const auto plan = impl->make_plan(slot, PingDepth::standard);
    CHECK(f.registry->refresh_all_secrets() == 0);
    CHECK(impl->view("shop")->build == plan.build);
    f.vault.set("shop#password", "second");
    CHECK(f.registry->refresh_all_secrets() == 1);
    CHECK(impl->view("shop")->build == plan.build + 1);
    CHECK(f.registry->refresh_all_secrets() == 0);
}

TEST_CASE("a watch takes over secret files that change, while calls run", "[registry][secret][watch][threads]") {
    FakeRegistry f;
    const TempDir secrets;
    secrets.write("release-1/password", "one");
    secrets.write("release-2/password", "two");
    std::filesystem::create_directory_symlink("release-1", secrets / "current");
    f.write("shop", "fake://h", "options:\n  password: ${file:" + secrets / "current/password" + "}\n");
    f.registry->load(f.directory.path());
    const auto ref = f.registry->get<FakeClient>("shop");
    CHECK(ref->password() == "one");
    std::atomic<bool> end{false};
    std::atomic<bool> whole{true};
    std::vector<std::thread> callers;
    for (int i = 0; i < 2; ++i)
        callers.emplace_back([&] {
            while (!end) {
                const auto client = ref.pin();
                if (!client->is_whole() || client->password().empty()) whole = false;
                std::this_thread::yield();
            }
        });
    std::atomic<int> reloads{0};
    WatchOptions watch;
    watch.debounce = 10ms;
    watch.poll = 1h;
    watch.on_reload = [&](const LoadReport&) { ++reloads; };
    const Watch watching = f.registry->watch(watch);
    REQUIRE(wait_until([&] { return reloads > 0; }));

    std::filesystem::create_directory_symlink("release-2", secrets / "next");
    std::filesystem::rename(secrets / "next", secrets / "current");
    CHECK(wait_until([&] { return ref->password() == "two"; }));
    secrets.write("release-2/password", "three");
    CHECK(wait_until([&] { return ref->password() == "three"; }));
    std::filesystem::remove(secrets / "release-2/password");
    secrets.write("new", "four");
    std::filesystem::rename(secrets / "new", secrets / "release-2/password");
    CHECK(wait_until([&] { return ref->password() == "four"; }));

    end = true;
    for (auto& caller : callers) caller.join();
    CHECK(whole);
    CHECK(f.world->made == 4);
    CHECK_FALSE(watching.polls());
}
