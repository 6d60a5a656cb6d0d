// SPDX-License-Identifier: Apache-2.0
// A registry whose definitions are shared and whose secrets are in a private file.
#include <qconn/core/plan.hpp>
#include <qconn/core/secret_overlay.hpp>
#include <qconn/core/watch.hpp>

#include <algorithm>
#include <filesystem>

#include "registry_scheme.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

struct WithOverlay : FakeRegistry {
    explicit WithOverlay(const std::string& text) : path{secrets / "secrets.yaml"} {
        put(text);
        options.secrets_file = path;
        registry.emplace(options);
    }
    /// Put in its place by renaming, with the rights that it must have.
    void put(const std::string& text, int mode = 0600) const {
        const std::string fresh = secrets.write("new", text);
        std::filesystem::permissions(fresh, static_cast<std::filesystem::perms>(mode));
        std::filesystem::rename(fresh, path);
    }
    LoadReport load() { return registry->load(directory.path()); }
    std::string password(const std::string& name) { return registry->get<FakeClient>(name)->password(); }

    TempDir secrets;
    std::string path;
};

/// "code FILE-NAME:LINE CONNECTION", one after the other.
std::string told(const Diagnostics& findings) {
    std::string out;
    for (const Diagnostic& one : findings)
        out += (out.empty() ? "" : ", ") + one.code + " " + one.file.substr(one.file.rfind('/') + 1) + ":" + std::to_string(one.place.line) +
               (one.connection.empty() ? "" : " " + one.connection);
    return out;
}

}  // namespace

TEST_CASE("secrets of a private file complete shared definitions", "[registry][secret][overlay]") {
    WithOverlay f{"shop:\n  password: hush\n"};
    f.write("shop", "fake://h");
    f.write("plain", "fake://h");
    CHECK(f.load().ok());
    CHECK(f.password("shop") == "hush");
    CHECK(f.password("plain").empty());
    const ConnectionInfo info = f.registry->info("shop");
    CHECK(info.options.at("password") == Value{"${local:password}"});
    CHECK(info.local_secrets == Map{{"password", f.path + ":2"}});
    CHECK(f.registry->info("plain").local_secrets.empty());
}

TEST_CASE("a map gets the members that it lacks, however it is written", "[registry][secret][overlay]") {
    WithOverlay f{"block:\n  headers.Authorization: hush\ntext:\n  headers.Authorization: hush\nnone:\n  headers.Authorization: hush\n"};
    Scheme scheme = fake_scheme("mapped", f.world);
    OptionSpec headers;
    headers.name = "headers";
    headers.type = OptionType::map;
    headers.pairs_text = true;
    headers.help = "headers";
    scheme.options.push_back(headers);
    f.catalogue.add(scheme);
    f.registry.emplace(f.options);
    f.write("block", "mapped://h", "options:\n  headers:\n    Version: 1.10\n");
    f.write("text", "mapped://h", "options:\n  headers: 'Version=1.10'\n");
    f.write("none", "mapped://h");
    CHECK(f.load().ok());
    std::vector<Value> seen;
    f.world->on_make = [&](const ResolvedDefinition& definition) { seen.push_back(definition.options.at("headers")); };
    for (const char* name : {"block", "text", "none"}) f.password(name);
    const Map both{{"Version", "1.10"}, {"Authorization", "hush"}};
    CHECK(seen == std::vector<Value>{both, both, Map{{"Authorization", "hush"}}});
    CHECK(f.registry->info("text").local_secrets == Map{{"headers.Authorization", f.path + ":4"}});
}

TEST_CASE("what an overlay gives is not part of what a definition says", "[registry][secret][overlay]") {
    WithOverlay f{"shop:\n  password: hush\ncode:\n  password: other\n"};
    f.write("shop", "fake://edi@h");
    f.load();
    Definition definition = f.registry->definition("shop");
    CHECK(definition.url == "fake://edi@h");
    CHECK(definition.options.empty());
    definition.description = "another";
    f.registry->update(definition);
    CHECK(f.registry->info("shop").local_secrets == Map{{"url.password", f.path + ":2"}});
    f.registry->add(FakeRegistry::definition("code", "fake://h"));
    CHECK(f.password("code") == "other");
}

TEST_CASE("entries that fit nothing are found at their places, by each load", "[registry][secret][overlay]") {
    WithOverlay f{"shop:\n  colour: red\n  password: p\nshup:\n  password: p\ncode:\n  password: p\nown:\n  password: p\n"};
    f.write("shop", "fake://h");
    f.write("own", "fake://h", "options:\n  password: own\n");
    f.registry->add(FakeRegistry::definition("code", "fake://h"));
    for (int i = 0; i < 2; ++i) {
        const LoadReport report = i == 0 ? f.load() : f.registry->reload();
        CHECK(told(report.diagnostics) == "secrets-entry secrets.yaml:2 shop, secrets-unknown secrets.yaml:4, secrets-unused secrets.yaml:9 own");
        CHECK(report.diagnostics[1].hint == "did you mean 'shop'?");
    }
    CHECK(f.registry->info("shop").validity == Validity::invalid);
    CHECK(f.password("own") == "own");
    CHECK(told(f.registry->plan().diagnostics).find("secrets-unknown") != std::string::npos);
}

TEST_CASE("an overlay that others can read is not used, and its load says so", "[registry][secret][overlay]") {
    WithOverlay f{"shop:\n  password: hush\n"};
    f.put("shop:\n  password: hush\n", 0640);
    f.write("shop", "fake://h");
    const LoadReport report = f.load();
    CHECK_FALSE(report.ok());
    CHECK(told(report.diagnostics) == "secrets-file secrets.yaml:0");
    CHECK(f.password("shop").empty());
}

TEST_CASE("an overlay that breaks leaves what was read before in use", "[registry][secret][overlay]") {
    WithOverlay f{"shop:\n  password: hush\n"};
    f.write("shop", "fake://h");
    f.load();
    const auto shop = f.registry->get<FakeClient>("shop");
    CHECK(shop->password() == "hush");
    f.put("shop: [\n");
    const LoadReport report = f.registry->reload();
    CHECK_FALSE(report.ok());
    CHECK(report.updated == 0);
    CHECK(shop->password() == "hush");
    CHECK(f.world->made == 1);
    // Whoever needs it anew is told why there is none.
    CHECK(thrown_text([&] { f.registry->open<FakeClient>("shop"); }).find("secrets.yaml") != std::string::npos);
    f.put("shop:\n  password: loud\n");
    CHECK(f.registry->reload().ok());
    CHECK(f.registry->open<FakeClient>("shop")->password() == "loud");
}

TEST_CASE("a reload reads definitions again only where the overlay has changed", "[registry][secret][overlay]") {
    WithOverlay f{"shop:\n  password: hush\n"};
    const std::string file = f.write("shop", "fake://h");
    const auto old = std::filesystem::file_time_type::clock::now() - 1h;
    std::filesystem::last_write_time(file, old);
    std::filesystem::last_write_time(f.path, old);
    f.load();
    f.registry->reload();
    CHECK(f.registry->reload().read == 0);
    f.put("shop:\n  password: hush\nother:\n  password: x\n");
    std::filesystem::last_write_time(f.path, old);
    CHECK(f.registry->reload().read == 1);
}

TEST_CASE("a plan tells what another overlay changes, and no secret", "[registry][secret][overlay]") {
    WithOverlay f{""};
    f.write("shop", "fake://h");
    f.load();
    f.put("shop:\n  password: hush\n");
    const Plan plan = f.registry->plan();
    REQUIRE(plan.connections.size() == 1);
    CHECK(plan.connections.front().reconnects);
    CHECK(plan.connections.front().changes.front().after == Value{"${local:password}"});
}

TEST_CASE("a watch takes over a changed overlay, and only touched connections reconnect", "[registry][secret][overlay][watch][threads]") {
    WithOverlay f{"a:\n  password: one\nb:\n  password: two\n"};
    for (const char* name : {"a", "b", "c"}) f.write(name, "fake://h");
    f.load();
    const auto a = f.registry->get<FakeClient>("a");
    const auto b = f.registry->get<FakeClient>("b");
    const auto c = f.registry->get<FakeClient>("c");
    CHECK(a->password() + b->password() + c->password() == "onetwo");
    const int serial = b->serial();
    WatchOptions options;
    options.debounce = 10ms;
    options.poll = 1h;
    std::atomic<int> reloads{0};
    options.on_reload = [&](const LoadReport&) { ++reloads; };
    const Watch watching = f.registry->watch(options);
    REQUIRE(wait_until([&] { return reloads > 0; }));

    f.put("# a line more\na:\n  password: three\nb:\n  password: two\n");
    CHECK(wait_until([&] { return a->password() == "three"; }));
    f.put("a:\n  password: three\nb:\n  password: two\nc:\n  password: four\n");
    CHECK(wait_until([&] { return c->password() == "four"; }));
    f.put("b:\n  password: two\nc:\n  password: four\n");
    CHECK(wait_until([&] { return a->password().empty(); }));
    CHECK(b->serial() == serial);
    CHECK(f.world->made == 6);
}
