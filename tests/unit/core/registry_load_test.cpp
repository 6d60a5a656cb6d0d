// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "core/registry_impl.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using Texts = std::vector<std::string>;

namespace {

const Diagnostic* find_code(const Diagnostics& diagnostics, std::string_view code) {
    const auto found =
        std::find_if(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& d) { return d.severity != Severity::note && d.code == code; });
    return found == diagnostics.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("a directory is loaded by suffix, a file as it is given", "[registry][load]") {
    FakeRegistry f;
    f.write("b", "fake://b");
    f.write("a", "fake://a");
    f.directory.write("notes.yaml", "not: one");
    f.directory.write("._a.qconn.yaml", "what a copying program leaves");
    REQUIRE(::symlink("someone@host.17", (f.directory / ".#b.qconn.yaml").c_str()) == 0);
    const std::string plain =
        f.directory.write("other/anything", FakeRegistry::text("c", "fake://c") + "---\n" + FakeRegistry::text("d", "fake://d"));

    const LoadReport report = f.registry->load({f.directory.path(), plain});

    CHECK(report.ok());
    CHECK(report.files == 3);
    CHECK(report.added == 4);
    CHECK(f.registry->names() == Texts{"a", "b", "c", "d"});
    CHECK(f.registry->get<FakeClient>("d")->greet() == "d@d grey");
    CHECK(f.registry->info("a").file == f.directory / "a.qconn.yaml");
    CHECK(f.registry->info("a").place.line == 2);
    CHECK(f.registry->info("d").file == plain);
    CHECK(f.registry->info("d").place.line == 7);
    CHECK(f.registry->info("a").description == "one of a test");
}

TEST_CASE("a path that is not there is refused, and nothing is loaded", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    const std::string pipe = f.directory / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);

    CHECK(thrown_name([&] { f.registry->load({f.directory.path(), f.directory / "nowhere"}); }) == "LOAD-ERROR");
    CHECK(thrown_name([&] { f.registry->load(pipe); }) == "LOAD-ERROR");
    CHECK(f.registry->size() == 0);
}

TEST_CASE("what the file system refuses is a diagnostic", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    REQUIRE(::mkfifo((f.directory / "pipe.qconn.yaml").c_str(), 0600) == 0);
    REQUIRE(::symlink("/nowhere/at/all", (f.directory / "link.qconn.yaml").c_str()) == 0);
    std::filesystem::create_directory(f.directory / "folder.qconn.yaml");

    const LoadReport report = f.registry->load(f.directory.path());

    CHECK(report.diagnostics.size() == 3);
    CHECK(std::all_of(report.diagnostics.begin(), report.diagnostics.end(), [](const Diagnostic& d) { return d.code == "cannot-read"; }));
    CHECK(f.registry->names() == Texts{"a", "folder", "link", "pipe"});
    CHECK(report.invalid == 3);
    CHECK(f.registry->info("link").validity == Validity::invalid);
    CHECK(f.registry->info("folder").problem.find("this is a directory") != std::string::npos);
    CHECK(f.registry->info("link").problem.find("a symbolic link to \"/nowhere/at/all\"") != std::string::npos);
    CHECK(f.registry->info("pipe").problem.find("this is a pipe") != std::string::npos);
}

TEST_CASE("a file above the limit is not read", "[registry][load]") {
    FakeRegistry f;
    f.registry.reset();
    f.options.limits.max_file_size = 100;
    f.registry.emplace(f.options);
    f.write("a", "fake://a");
    f.directory.write("big.qconn.yaml", FakeRegistry::text("big", "fake://a", "# " + std::string(200, 'x')));

    const LoadReport report = f.registry->load(f.directory.path());

    CHECK(find_code(report.diagnostics, "limit"));
    CHECK(f.registry->names() == Texts{"a", "big"});
    CHECK(report.invalid == 1);
}

TEST_CASE("a bad definition concerns only its own connection", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.write("bad-scheme", "fale://b");
    f.write("bad-option", "fake://c", "options:\n  color: red\n");

    const LoadReport report = f.registry->load(f.directory.path());

    CHECK_FALSE(report.ok());
    CHECK(report.added == 3);
    CHECK(report.invalid == 2);
    CHECK(f.registry->get<FakeClient>("a")->is_whole());
    const std::string why = thrown_text([&] { f.registry->get<FakeClient>("bad-option"); });
    CHECK(why.starts_with("INVALID-CONNECTION"));
    CHECK(why.find("bad-option.qconn.yaml:6:3") != std::string::npos);
    CHECK(thrown_name([&] { f.registry->open<FakeClient>("bad-scheme"); }) == "INVALID-CONNECTION");
    CHECK(thrown_name([&] { f.registry->ping("bad-scheme"); }) == "INVALID-CONNECTION");
    CHECK(f.registry->info("bad-scheme").scheme == "fale");
    CHECK(f.registry->info("bad-scheme").type.empty());
}

TEST_CASE("a name used twice: the first stays, the error names both places", "[registry][load]") {
    FakeRegistry f;
    const std::string one = f.directory.write("one/z.qconn.yaml", FakeRegistry::text("x", "fake://one-z"));
    f.directory.write("two/a.qconn.yaml", FakeRegistry::text("x", "fake://two-a"));
    f.directory.write("two/b.qconn.yaml", FakeRegistry::text("y", "fake://two-b") + "---\n" + FakeRegistry::text("y", "fake://two-b2"));
    f.registry->add(FakeRegistry::definition("code", "fake://code"));
    f.directory.write("two/c.qconn.yaml", FakeRegistry::text("code", "fake://file"));

    const LoadReport report = f.registry->load({f.directory / "one", f.directory / "two"});

    CHECK(report.added == 2);
    CHECK(f.registry->get<FakeClient>("x")->greet() == "x@one-z grey");
    CHECK(f.registry->get<FakeClient>("y")->greet() == "y@two-b grey");
    CHECK(f.registry->get<FakeClient>("code")->greet() == "code@code grey");
    REQUIRE(report.diagnostics.size() == 5);
    const Diagnostic& x_note = report.diagnostics[0];
    CHECK(x_note.severity == Severity::note);
    CHECK(x_note.file == one);
    CHECK(x_note.source_line == "name: x");
    CHECK(x_note.message.find("two/a.qconn.yaml:2:") != std::string::npos);
    const Diagnostic& x_error = report.diagnostics[1];
    CHECK(x_error.code == "duplicate-name");
    CHECK(x_error.file == f.directory / "two/a.qconn.yaml");
    CHECK(x_error.place.line == 2);
    CHECK(x_error.message.find(one + ":2:") != std::string::npos);
    CHECK(render(x_error).find("   2 | name: x\n     |       ^\n") != std::string::npos);
    CHECK(report.diagnostics[2].place.line == 2);
    CHECK(report.diagnostics[3].place.line == 7);
    CHECK(report.diagnostics[3].message.find("b.qconn.yaml:2:") != std::string::npos);
    CHECK(report.diagnostics[3].source_line == "name: y");
    CHECK(report.diagnostics[4].message.find("by code") != std::string::npos);
    CHECK(report.diagnostics[4].source_line == "name: code");

    // The same when the second directory is loaded later, and again when all is read anew.
    FakeRegistry g;
    CHECK(g.registry->load(f.directory / "one").ok());
    const LoadReport later = g.registry->load(f.directory / "two");
    CHECK(find_code(later.diagnostics, "duplicate-name")->message.find(one + ":2:") != std::string::npos);
    const auto is_note = [&](const Diagnostic& d) { return d.severity == Severity::note && d.file == one && d.source_line == "name: x"; };
    CHECK(std::any_of(later.diagnostics.begin(), later.diagnostics.end(), is_note));
    CHECK(find_code(g.registry->reload().diagnostics, "duplicate-name")->message.find(one + ":2:") != std::string::npos);
    CHECK(g.registry->get<FakeClient>("x")->greet() == "x@one-z grey");
}

TEST_CASE("a file reached by two paths is read once", "[registry][load]") {
    FakeRegistry f;
    const std::string a = f.write("a", "fake://a");

    CHECK(f.registry->load({f.directory.path(), a, f.directory.path() + "/."}).ok());

    FakeRegistry g;
    CHECK(g.registry->load(f.directory.path()).ok());
    CHECK(g.registry->load(a).ok());
    f.write("a", "fake://new");
    CHECK(g.registry->load(f.directory.path() + "/./a.qconn.yaml").updated == 1);
    FakeRegistry h;
    CHECK(h.registry->load(a).ok());
    f.write("b", "fake://b");
    const LoadReport whole = h.registry->load(f.directory.path());
    CHECK(whole.ok());
    CHECK(whole.added == 1);
    CHECK(whole.unchanged == 1);
    f.write("a", "fake://a");
    std::filesystem::remove(f.directory / "b.qconn.yaml");
    CHECK(f.registry->load(f.directory.path()).unchanged == 1);
    CHECK(f.registry->size() == 1);
}

TEST_CASE("a reload takes over what has changed and nothing else", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.write("b", "fake://b");
    f.write("c", "fake://c");
    CHECK(f.registry->load(f.directory.path()).added == 3);
    const auto a = f.registry->get<FakeClient>("a");
    const auto b = f.registry->get<FakeClient>("b");
    const auto c = f.registry->get<FakeClient>("c");
    const int serial = a->serial();
    CHECK(b->serial() != c->serial());
    Changes changes{*f.registry};

    f.directory.write("a.qconn.yaml", "# moved by a line\n" + FakeRegistry::text("a", "fake://a"));
    f.write("b", "fake://new");
    std::filesystem::remove(f.directory / "c.qconn.yaml");
    f.write("d", "fake://d");
    const LoadReport report = f.registry->reload();

    CHECK(report.ok());
    CHECK(report.added == 1);
    CHECK(report.updated == 1);
    CHECK(report.removed == 1);
    CHECK(report.unchanged == 1);
    CHECK(a->serial() == serial);
    CHECK(f.registry->info("a").place.line == 3);
    CHECK(b->greet() == "b@new grey");
    CHECK(thrown_name([&] { c.pin(); }) == "CONNECTION-REMOVED");
    Texts told = changes.wait(4);
    std::sort(told.begin(), told.end() - 1);
    CHECK(told == Texts{"added d", "removed c", "updated b reconnects", "reloaded"});
}

TEST_CASE("a new version that is bad leaves the former one in use, stale", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    const auto ref = f.registry->get<FakeClient>("a");
    const int serial = ref->serial();
    Changes changes{*f.registry};

    f.write("a", "fake://new", "options:\n  timeout: soon\n");
    CHECK(f.registry->reload().stale == 1);
    CHECK(f.registry->reload().stale == 1);

    CHECK(ref->serial() == serial);
    const ConnectionInfo info = f.registry->info("a");
    CHECK(info.validity == Validity::stale);
    CHECK(info.url == "fake://a");
    CHECK(info.problem.find("a.qconn.yaml:6:12") != std::string::npos);
    CHECK(changes.wait(3) == Texts{"became_stale a", "reloaded", "reloaded"});

    f.write("a", "fake://a");
    CHECK(f.registry->reload().stale == 0);
    CHECK(ref->serial() == serial);
    CHECK(f.registry->info("a").validity == Validity::valid);
    CHECK(f.registry->info("a").problem.empty());
    CHECK(changes.wait(2) == Texts{"became_valid a", "reloaded"});
}

TEST_CASE("an unparseable file keeps all that it held, on first load it makes one invalid connection", "[registry][load]") {
    FakeRegistry f;
    f.directory.write("both.qconn.yaml", FakeRegistry::text("a", "fake://a") + "---\n" + FakeRegistry::text("b", "fake://b"));
    f.directory.write("broken.qconn.yaml", "type: [connection\nname: c\n");
    const LoadReport first = f.registry->load(f.directory.path());

    CHECK(first.added == 3);
    CHECK(first.invalid == 1);
    CHECK(f.registry->names() == Texts{"a", "b", "broken"});
    CHECK(f.registry->info("broken").validity == Validity::invalid);

    const auto b = f.registry->get<FakeClient>("b");
    f.directory.write("both.qconn.yaml", "type: 'connection\n");
    f.directory.write("broken.qconn.yaml", FakeRegistry::text("c", "fake://c"));
    const LoadReport second = f.registry->reload();

    CHECK(second.stale == 2);
    CHECK(second.invalid == 0);
    CHECK(second.removed == 1);
    CHECK(f.registry->names() == Texts{"a", "b", "c"});
    CHECK(b->greet() == "b@b grey");
    CHECK(f.registry->info("a").validity == Validity::stale);

    f.directory.write("both.qconn.yaml", FakeRegistry::text("b", "fake://b"));
    const LoadReport third = f.registry->reload();
    CHECK(third.removed == 1);
    CHECK(third.stale == 0);
    CHECK(f.registry->names() == Texts{"b", "c"});
}

TEST_CASE("an unparseable file does not take the name of a definition in another one", "[registry][load]") {
    FakeRegistry f;
    f.directory.write("one/b.qconn.yaml", "type: [connection\n");
    f.directory.write("one/c.qconn.yaml", FakeRegistry::text("b", "fake://c"));
    f.directory.write("one/d.qconn.yaml", "type: [connection\n");
    f.directory.write("two/x.qconn.yaml", FakeRegistry::text("d", "fake://x"));
    const LoadReport report = f.registry->load({f.directory / "one", f.directory / "two"});

    CHECK_FALSE(find_code(report.diagnostics, "duplicate-name"));
    CHECK(report.invalid == 0);
    CHECK(f.registry->names() == Texts{"b", "d"});
    CHECK(f.registry->get<FakeClient>("b")->greet() == "b@c grey");
    CHECK(f.registry->get<FakeClient>("d")->greet() == "d@x grey");
}

TEST_CASE("an unparseable file keeps the connection of its name that another file held before", "[registry][load]") {
    FakeRegistry f;
    const std::string former = f.directory.write("former.qconn.yaml", FakeRegistry::text("a", "fake://host"));
    f.registry->load(f.directory.path());
    CHECK(f.registry->get<FakeClient>("a")->greet() == "a@host grey");

    REQUIRE(::rename(former.c_str(), (f.directory / "a.qconn.yaml").c_str()) == 0);
    f.directory.write("a.qconn.yaml", "name: [a\n");
    const LoadReport report = f.registry->reload();

    CHECK(report.removed == 0);
    CHECK(report.stale == 1);
    CHECK(f.registry->get<FakeClient>("a")->greet() == "a@host grey");
    f.directory.write("a.qconn.yaml", FakeRegistry::text("a", "fake://other"));
    CHECK(f.registry->reload().stale == 0);
    CHECK(f.registry->get<FakeClient>("a")->greet() == "a@other grey");
}

TEST_CASE("a directory that is gone keeps its connections, stale", "[registry][load]") {
    FakeRegistry f;
    f.directory.write("sub/a.qconn.yaml", FakeRegistry::text("a", "fake://a"));
    const std::string b = f.directory.write("b.yaml", FakeRegistry::text("b", "fake://b"));
    f.registry->load({f.directory / "sub", b});

    std::filesystem::remove_all(f.directory / "sub");
    std::filesystem::remove(b);
    const LoadReport report = f.registry->reload();

    CHECK(report.diagnostics.size() == 2);
    CHECK(report.stale == 2);
    CHECK(f.registry->get<FakeClient>("a")->is_whole());
    CHECK(f.registry->info("a").validity == Validity::stale);
}

TEST_CASE("settings made by code survive a reload, those of files follow the file", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a", "tags: {team: red}\n");
    f.write("b", "fake://b", "enabled: false\n");
    f.registry->load(f.directory.path());
    CHECK(f.registry->info("a").tags["team"] == Value{"red"});
    CHECK_FALSE(f.registry->info("b").enabled);
    f.registry->disable("a");
    f.registry->set_monitored("a", false);
    f.registry->set_debug_data("a", true);
    f.registry->set_locked("a", true);
    f.registry->set_tags("a", {{"team", "blue"}});

    f.write("a", "fake://new", "tags: {team: green}\nenabled: true\nmonitor: true\n");
    f.write("b", "fake://b", "enabled: true\n");
    CHECK(f.registry->reload().updated == 2);

    const ConnectionInfo info = f.registry->info("a");
    CHECK(info.url == "fake://new");
    CHECK_FALSE(info.enabled);
    CHECK_FALSE(info.monitored);
    CHECK(info.debug_data);
    CHECK(info.locked);
    CHECK(info.tags.at("team") == Value{"blue"});
    CHECK(f.registry->info("b").enabled);
}

TEST_CASE("an update by code stays until the file says something new", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());

    f.registry->update(FakeRegistry::definition("a", "fake://code"));
    CHECK(f.registry->reload().unchanged == 1);
    CHECK(f.registry->info("a").url == "fake://code");
    f.write("a", "fake://file");
    CHECK(f.registry->reload().updated == 1);
    CHECK(f.registry->info("a").url == "fake://file");
}

TEST_CASE("definitions added by code stay over a reload", "[registry][load]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("code", "fake://code"));
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());

    std::filesystem::remove(f.directory / "a.qconn.yaml");

    CHECK(f.registry->reload().removed == 1);
    CHECK(f.registry->names() == Texts{"code"});
}

TEST_CASE("a document that loses its name leaves what it was, stale", "[registry][load]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());

    f.directory.write("a.qconn.yaml", "type: connection\ndesc: x\nurl: fake://a\n");
    const LoadReport report = f.registry->reload();

    CHECK_FALSE(report.ok());
    CHECK(report.stale == 1);
    CHECK(f.registry->get<FakeClient>("a")->is_whole());
}

TEST_CASE("every definition comes back from its packed form as it was", "[registry][load]") {
    FakeRegistry f;
    Definition definition = FakeRegistry::definition("a", "fake://a/\xC3\xA9");
    definition.description = std::string(4000, 'd');
    definition.options = Map{{"colour", nullptr}, {"timeout", 2147483647}};
    definition.enabled = true;
    definition.locked = false;
    definition.display_name = "A";
    definition.short_description = "short";
    definition.tags = Map{{"i", -5},
                          {"u", Value{18446744073709551615ULL}},
                          {"d", 1.5},
                          {"n", Value::decimal("1.10")},
                          {"b", Value::binary(std::string_view{"\0\1", 2})},
                          {"t", Timestamp{-1, 5, 60, true}},
                          {"l", Timestamp{1, 0, 0, false}},
                          {"p", Duration{1, -2, 3}},
                          {"list", List{1, "two", nullptr, false, List{}}},
                          {"g", Value::tagged("!x", "y")}};
    definition.other = Map{{"unknown", Map{{"deep", true}}}};

    f.registry->add(definition);

    const Definition back = f.registry->definition("a");
    CHECK(back.url == definition.url);
    CHECK(back.description == definition.description);
    CHECK(back.options == definition.options);
    CHECK(back.options.contains("colour"));
    CHECK(back.enabled == std::optional{true});
    CHECK(back.locked == std::optional{false});
    CHECK_FALSE(back.monitored);
    CHECK(back.display_name == "A");
    CHECK(back.short_description == "short");
    CHECK(back.tags == definition.tags);
    CHECK(back.other == definition.other);
}

TEST_CASE("a definition of 12 lines and 263 bytes keeps at most 400 bytes", "[registry][load]") {
    FakeRegistry f;
    constexpr int k_count = 2000;
    for (int i = 0; i < k_count; ++i) {
        std::array<char, 400> text{};
        const int size =
            std::snprintf(text.data(), text.size(),
                          "# generated; don't edit\ntype: connection\nname: conn-%05d\ndesc: connection number %05d of many in a test\n"
                          "url: fake://user:password@host%05d.example.com:8443/api\noptions:\n  connect_timeout:\n    type: int\n    value: 5000\n"
                          "  timeout:\n    type: int\n    value: 30000\n",
                          i, i, i);
        REQUIRE(size == 263);
        std::array<char, 32> name{};
        std::snprintf(name.data(), name.size(), "conn-%05d.qconn.yaml", i);
        f.directory.write(name.data(), text.data());
    }
    const Runtime runtime = f.registry->runtime();
    f.registry.reset();
    {
        Registry warm{f.options};  // what is made once
        warm.load(f.directory / "conn-00000.qconn.yaml");
    }

    const auto before = ::mallinfo2();
    Registry registry{f.options};
    LoadReport report = registry.load(f.directory.path());
    const auto after = ::mallinfo2();

    CHECK(report.ok());
    CHECK(report.added == k_count);
    const double each = static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / k_count;
    CAPTURE(each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(each > 100);
    CHECK(each <= 400);
#endif
}
