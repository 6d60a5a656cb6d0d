// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/registry_error.hpp>

#include <array>
#include <cstdlib>
#include <optional>

#include "core/registry_impl.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using Texts = std::vector<std::string>;

TEST_CASE("a connection added by code gives its client, made at first use", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://host-a/root"));

    const auto ref = f.registry->get<FakeClient>("shop");

    CHECK(f.world->made == 0);
    CHECK(ref->greet() == "shop@host-a/root grey");
    CHECK(ref->greet() == "shop@host-a/root grey");
    CHECK(f.world->made == 1);
    CHECK(ref.name() == "shop");
    CHECK(f.registry->get<FakeBase>("shop")->greet() == "shop@host-a/root grey");
    CHECK(f.registry->client("shop")->label() == "shop");
    CHECK(f.registry->get<FakeBase>("shop").pin() == std::shared_ptr<FakeBase>{ref.pin()});
    CHECK(f.world->made == 1);
}

TEST_CASE("each look-up that is refused says why", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop-api", "fake://h"));
    f.registry->add(FakeRegistry::definition("alone", "single://h"));

    const std::string unknown = thrown_text([&] { f.registry->get<FakeClient>("shop-apy"); });
    const std::string type = thrown_text([&] { f.registry->get<OtherClient>("shop-api"); });

    CHECK(unknown.starts_with("CONNECTION-UNKNOWN"));
    CHECK(unknown.find("\"shop-api\"") != std::string::npos);
    CHECK(type.starts_with("CONNECTION-TYPE-ERROR"));
    CHECK(type.find("OtherClient") != std::string::npos);
    CHECK(type.find("FakeClient") != std::string::npos);
    CHECK(thrown_name([&] { f.registry->get<FakeClient>("alone"); }) == "CONNECTION-EXCLUSIVE");
    CHECK(f.registry->open<FakeClient>("alone")->greet() == "alone@h grey");
    CHECK(thrown_name([&] { Ref<FakeClient>{}.pin(); }) == "INVALID-ARGUMENT");
    f.registry->disable("shop-api");
    CHECK(thrown_name([&] { f.registry->get<FakeClient>("shop-api"); }) == "CONNECTION-DISABLED");
    try {
        f.registry->get<FakeClient>("shop-api");
    } catch (const Error& error) {
        CHECK(error.code() == RegistryErrc::disabled);
        CHECK(error.connection() == "shop-api");
    }
}

TEST_CASE("a Ref follows updates, and a pinned client stays usable", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://one"));
    const auto ref = f.registry->get<FakeClient>("shop");
    auto pinned = ref.pin();

    f.registry->update(FakeRegistry::definition("shop", "fake://two"));

    CHECK(ref->greet() == "shop@two grey");
    CHECK(pinned->greet() == "shop@one grey");
    CHECK(f.world->alive == 2);
    pinned.reset();
    CHECK(f.world->alive == 1);
}

TEST_CASE("a retired client that nobody holds is gone when the update returns", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://one"));
    CHECK(f.registry->get<FakeClient>("shop")->is_whole());

    f.registry->update(FakeRegistry::definition("shop", "fake://two"));

    CHECK(f.world->alive == 0);
}

TEST_CASE("a change of texts keeps the client", "[registry]") {
    FakeRegistry f;
    Definition definition = FakeRegistry::definition("shop", "fake://one");
    definition.options.set("colour", "red");
    definition.options.set("timeout", 100);
    f.registry->add(definition);
    const auto ref = f.registry->get<FakeClient>("shop");
    const int serial = ref->serial();
    Changes changes{*f.registry};

    definition.description = "another text";
    f.registry->update(definition);
    f.registry->set_tags("shop", {{"team", "blue"}});
    definition.options = Map{{"timeout", 100}, {"colour", "red"}};
    f.registry->update(definition);

    CHECK(ref->serial() == serial);
    CHECK(f.registry->info("shop").description == "another text");
    CHECK(f.registry->info("shop").tags["team"] == Value{"blue"});
    CHECK(changes.wait(3) == Texts{"updated shop", "settings shop", "updated shop"});
}

TEST_CASE("open makes a new client, with options and path of its own", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h/base?x=1"));

    const auto a = f.registry->open<FakeClient>("shop", {.options = {{"colour", "red"}}, .path_add = "sub", .path = {}});
    const auto b = f.registry->open<FakeBase>("shop", {.options = {}, .path_add = {}, .path = "/other"});

    CHECK(a->greet() == "shop@h/base/sub?x=1 red");
    CHECK(b->greet() == "shop@h/other?x=1 grey");
    CHECK(f.world->alive == 2);
    const std::string wrong = thrown_text([&] { f.registry->open<FakeClient>("shop", {.options = {{"color", "red"}}, .path_add = {}, .path = {}}); });
    CHECK(wrong.starts_with("CONNECTION-OPTION-ERROR"));
    CHECK(wrong.find("colour") != std::string::npos);
    CHECK(thrown_name([&] { f.registry->open<OtherClient>("shop"); }) == "CONNECTION-TYPE-ERROR");
}

TEST_CASE("open takes an option under each of its names, but not under two", "[registry]") {
    FakeRegistry f;
    Definition definition = FakeRegistry::definition("shop", "fake://h");
    definition.options = {{"colour", "blue"}};
    f.registry->add(definition);
    const auto open = [&](Map options) { return f.registry->open<FakeClient>("shop", {.options = std::move(options), .path_add = {}, .path = {}}); };

    CHECK(open({{"hue", "red"}})->greet() == "shop@h red");
    CHECK(open({{"colour", "red"}})->greet() == "shop@h red");
    CHECK(thrown_text([&] { open({{"hue", "red"}, {"colour", "green"}}); }).find("another name of 'colour'") != std::string::npos);
}

TEST_CASE("a client whose making fails is tried again at its next use", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    const auto ref = f.registry->get<FakeClient>("shop");
    int attempts = 0;
    f.world->on_make = [&](const ResolvedDefinition&) {
        if (++attempts == 1) throw Error{make_error_code(Errc::system), "FAKE-ERROR", "not today"};
    };

    CHECK(thrown_name([&] { ref.pin(); }) == "FAKE-ERROR");
    CHECK(ref->is_whole());
    CHECK(attempts == 2);
}

TEST_CASE("making a client that asks for itself is an error, not a deadlock", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    f.world->on_make = [&](const ResolvedDefinition&) { f.registry->get<FakeClient>("shop").pin(); };

    CHECK(thrown_name([&] { f.registry->get<FakeClient>("shop").pin(); }) == "INVALID-CONNECTION");
}

TEST_CASE("disabling and enabling", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    const auto ref = f.registry->get<FakeClient>("shop");
    CHECK(ref->is_whole());
    Changes changes{*f.registry};

    CHECK(f.registry->disable("shop"));
    CHECK_FALSE(f.registry->disable("shop"));
    CHECK(f.world->alive == 0);
    CHECK(thrown_name([&] { ref.pin(); }) == "CONNECTION-DISABLED");
    CHECK(f.registry->enable("shop"));
    CHECK_FALSE(f.registry->enable("shop"));

    CHECK(ref->is_whole());
    CHECK(changes.wait(2) == Texts{"disabled shop", "enabled shop"});
    CHECK(thrown_name([&] { f.registry->enable("nothing"); }) == "CONNECTION-UNKNOWN");
}

TEST_CASE("a locked connection refuses update and removal only", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    f.registry->set_locked("shop", true);

    CHECK(thrown_name([&] { f.registry->update(FakeRegistry::definition("shop", "fake://x")); }) == "CONNECTION-LOCKED");
    CHECK(thrown_name([&] { f.registry->remove("shop"); }) == "CONNECTION-LOCKED");
    CHECK(f.registry->disable("shop"));
    CHECK(f.registry->info("shop").locked);
    f.registry->set_locked("shop", false);
    f.registry->remove("shop");
    CHECK(f.registry->size() == 0);
}

TEST_CASE("add and update refuse what is not valid", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));

    CHECK(thrown_name([&] { f.registry->add(FakeRegistry::definition("shop", "fake://x")); }) == "CONNECTION-ERROR");
    CHECK(thrown_name([&] { f.registry->add(FakeRegistry::definition("", "fake://x")); }) == "CONNECTION-DEFINITION-ERROR");
    CHECK(thrown_name([&] { f.registry->add(FakeRegistry::definition("x", "nothing://x")); }) == "CONNECTION-DEFINITION-ERROR");
    CHECK(thrown_name([&] { f.registry->update(FakeRegistry::definition("shop", "nothing://x")); }) == "CONNECTION-DEFINITION-ERROR");
    CHECK(thrown_name([&] { f.registry->update(FakeRegistry::definition("y", "fake://x")); }) == "CONNECTION-UNKNOWN");
    CHECK(f.registry->names() == Texts{"shop"});
}

TEST_CASE("a removed connection is gone for its Refs, and comes back for them", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://one"));
    const auto ref = f.registry->get<FakeClient>("shop");
    CHECK(ref->is_whole());
    Changes changes{*f.registry};

    f.registry->remove("shop");
    CHECK(f.world->alive == 0);
    CHECK(thrown_name([&] { ref.pin(); }) == "CONNECTION-REMOVED");
    CHECK(thrown_name([&] { f.registry->get<FakeClient>("shop"); }) == "CONNECTION-UNKNOWN");
    CHECK_FALSE(f.registry->contains("shop"));
    f.registry->add(FakeRegistry::definition("shop", "fake://two"));

    CHECK(ref->greet() == "shop@two grey");
    CHECK(changes.wait(2) == Texts{"removed shop", "added shop"});
}

TEST_CASE("a Ref outlives its registry", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    const auto ref = f.registry->get<FakeClient>("shop");
    const auto pinned = ref.pin();
    const std::weak_ptr<core::RegistryImpl> impl = f.registry->impl();

    f.registry.reset();

    CHECK(impl.expired());
    CHECK(pinned->is_whole());
    CHECK(ref.name() == "shop");
    CHECK(thrown_name([&] { ref.pin(); }) == "CONNECTION-REMOVED");
}

TEST_CASE("info holds defaults and no secret", "[registry]") {
    FakeRegistry f;
    Definition definition = FakeRegistry::definition("shop", "fake://user:canary-1@h/p");
    definition.options.set("timeout", 30);
    definition.options.set("password", "canary-2");
    definition.description = "text";
    f.registry->add(definition);

    const ConnectionInfo info = f.registry->info("shop");

    CHECK(info.url == "fake://user:<masked>@h/p");
    CHECK(info.scheme == "fake");
    CHECK(info.type == "FakeClient");
    CHECK(info.options == Map{{"colour", "grey"}, {"password", std::string{k_masked}}, {"timeout", 30}});
    CHECK(info.options.begin()->first == "colour");
    CHECK(info.enabled);
    CHECK(info.monitored);
    CHECK(info.updated.time_since_epoch().count() != 0);
    CHECK(f.registry->infos().size() == 1);
    CHECK(f.registry->definition("shop").options["password"] == Value{"canary-2"});
    CHECK(f.registry->definition("shop").url == "fake://user:canary-1@h/p");
}

TEST_CASE("a secret reference is resolved when a client is made, and compared by its text", "[registry]") {
    FakeRegistry f;
    Definition definition = FakeRegistry::definition("shop", "fake://h");
    definition.options.set("password", "${env:QCONN_TEST_REGISTRY_SECRET}");
    f.registry->add(definition);
    const auto ref = f.registry->get<FakeClient>("shop");

    ::unsetenv("QCONN_TEST_REGISTRY_SECRET");
    CHECK(thrown_name([&] { ref.pin(); }) == "SECRET-ERROR");
    ::setenv("QCONN_TEST_REGISTRY_SECRET", "first", 1);
    CHECK(ref->password() == "first");
    ::setenv("QCONN_TEST_REGISTRY_SECRET", "second", 1);
    definition.description = "other";
    f.registry->update(definition);
    CHECK(ref->password() == "first");

    const auto& impl = f.registry->impl();
    const auto slot = impl->view("shop")->slot;
    const auto build = impl->view("shop")->build;
    const std::uint64_t seen = impl->make_plan(slot, PingDepth::standard).fingerprint;
    CHECK_FALSE(impl->refresh_secrets(slot, seen));
    CHECK(ref->password() == "second");
    CHECK(impl->view("shop")->build == build + 1);
    ::setenv("QCONN_TEST_REGISTRY_SECRET", "third", 1);
    CHECK(impl->refresh_secrets(slot, seen));
    CHECK(ref->password() == "third");
    const auto same = impl->make_plan(slot, PingDepth::standard).fingerprint;
    const int serial = ref->serial();
    CHECK_FALSE(impl->refresh_secrets(slot, same));
    CHECK(ref->serial() == serial);
    ::unsetenv("QCONN_TEST_REGISTRY_SECRET");
    CHECK_FALSE(impl->refresh_secrets(slot, same));
}

TEST_CASE("the layers above see slots, host keys and builds", "[registry]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("b", "fake://u:${env:ANY}@Host.example/x"));
    f.registry->add(FakeRegistry::definition("a", "fake://host.example:80/x"));
    f.registry->set_monitored("a", false);

    std::vector<core::SlotView> views;
    for (const auto& slot : f.registry->impl()->slots()) views.push_back(f.registry->impl()->view(slot).value());

    REQUIRE(views.size() == 2);
    CHECK(views[0].name == "a");
    CHECK(views[0].host_key == "host.example:80");
    CHECK_FALSE(views[0].monitored);
    CHECK(views[1].host_key == "host.example:4711");
    CHECK(views[1].usable());
    CHECK(views[1].scheme == "fake");
    CHECK(views[1].entry == f.registry->catalogue().find("fake"));
    const auto before = views[1].build;
    f.registry->update(FakeRegistry::definition("b", "fake://elsewhere"));
    CHECK(f.registry->impl()->view("b")->build != before);
    CHECK(f.registry->impl()->view("b")->slot == views[1].slot);
    f.registry->remove("b");
    CHECK_FALSE(f.registry->impl()->view("b"));
    CHECK_FALSE(f.registry->impl()->view(views[1].slot));
}

TEST_CASE("a ping runs what the scheme made, and a missing secret is a failure of the connection", "[registry]") {
    FakeRegistry f;
    Definition definition = FakeRegistry::definition("shop", "fake://h");
    f.registry->add(definition);
    definition.name = "bad";
    definition.options.set("password", "wrong");
    f.registry->add(definition);
    definition.name = "missing";
    definition.options.set("password", "${env:QCONN_TEST_NOT_THERE}");
    f.registry->add(definition);

    const PingResult good = f.registry->ping("shop");
    const PingResult bad = f.registry->ping("bad");
    const PingResult missing = f.registry->ping("missing", PingDepth::standard, {}, true);

    CHECK(good.ok);
    CHECK_FALSE(bad.ok);
    REQUIRE(bad.error);
    CHECK(bad.error->phase() == Phase::auth);
    CHECK_FALSE(missing.ok);
    REQUIRE(missing.error);
    CHECK(missing.error->phase() == Phase::secret);
    REQUIRE(missing.steps.size() == 1);
    CHECK(f.world->made == 0);
    CHECK(thrown_name([&] { f.registry->ping("nothing"); }) == "CONNECTION-UNKNOWN");
}

TEST_CASE("changes arrive in order, a listener that throws or unsubscribes itself harms nobody", "[registry]") {
    FakeRegistry f;
    Changes changes{*f.registry};
    auto thrower = f.registry->subscribe([](const RegistryChange&) { throw std::runtime_error{"no"}; });
    std::optional<Subscription> self;
    std::atomic<int> calls{0};
    std::mutex mutex;
    {
        const std::scoped_lock lock{mutex};
        self.emplace(f.registry->subscribe([&](const RegistryChange&) {
            const std::scoped_lock inner{mutex};
            ++calls;
            self->unsubscribe();
        }));
    }

    Texts expected;
    for (int i = 0; i < 50; ++i) {
        const std::string name = "c" + std::to_string(i);
        f.registry->add(FakeRegistry::definition(name, "fake://h"));
        expected.push_back("added " + name);
    }

    CHECK(changes.wait(50) == expected);
    thrower.unsubscribe();
    f.registry.reset();
    CHECK(calls <= 1);
}
