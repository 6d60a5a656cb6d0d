// SPDX-License-Identifier: Apache-2.0
// Legacy definition files beside those in YAML: one directory, one set of rules.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <qconn/core/plan.hpp>
#include <qconn/core/watch.hpp>

#include "registry_scheme.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

void set_old(const std::string& path) {
    const timespec time{::time(nullptr) - 1000, 0};
    const std::array<timespec, 2> times{time, time};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
}

struct Mixed : FakeRegistry {
    /// `name.qconn`, old enough to be left out by a reload.
    std::string legacy(const std::string& name, const std::string& text) const {
        std::string path = directory.write(name + ".qconn", text);
        set_old(path);
        return path;
    }
    static std::string one(const std::string& name, const std::string& url, const std::string& more = {}) {
        return name + " = (\n  url = " + url + ",\n  desc = old,\n" + more + ")\n";
    }
    LoadReport load() { return registry->load(directory.path()); }
};

const Diagnostic* find_code(const Diagnostics& diagnostics, std::string_view code) {
    const auto found =
        std::find_if(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& d) { return d.severity == Severity::error && d.code == code; });
    return found == diagnostics.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("legacy files are read beside those in YAML", "[registry][legacy]") {
    Mixed f;
    f.write("a", "fake://a");
    const std::string file = f.legacy("b", Mixed::one("b", "fake://b", "  timeout = 500,\n  hue = red\n") + Mixed::one("c", "fake://c"));
    f.legacy(".#hidden", "not one");
    f.directory.write("notes.qconn.txt", "not one");

    const LoadReport report = f.load();

    CHECK(report.ok());
    CHECK(report.files == 2);
    CHECK(report.added == 3);
    CHECK(f.registry->names() == Texts{"a", "b", "c"});
    CHECK(f.registry->get<FakeClient>("b")->greet() == "b@b red");
    CHECK(f.registry->info("b").options.at("timeout") == Value{500});
    CHECK(f.registry->info("b").file == file);
    CHECK(f.registry->info("c").place.line == 7);
    REQUIRE(report.diagnostics.size() == 1);
    CHECK(report.diagnostics[0].code == "renamed-option");
    CHECK(report.diagnostics[0].place == Place{5, 3, 3});
}

TEST_CASE("a legacy file that is given by name is read as one, also without the directory", "[registry][legacy]") {
    Mixed f;
    const std::string file = f.legacy("b", Mixed::one("b", "fake://b"));
    CHECK(f.registry->load(file).added == 1);
    CHECK(f.load().added == 0);
    CHECK(f.registry->names() == Texts{"b"});
}

TEST_CASE("legacy files can be left out", "[registry][legacy]") {
    Mixed f;
    f.options.legacy_suffix.clear();
    f.registry.emplace(f.options);
    f.write("a", "fake://a");
    f.legacy("b", "not one");
    CHECK(f.load().files == 1);
}

TEST_CASE("a name in both forms is a duplicate, and the first file counts", "[registry][legacy]") {
    Mixed f;
    f.write("a", "fake://yaml");
    f.legacy("a", Mixed::one("a", "fake://legacy"));
    f.legacy("b", Mixed::one("c", "fake://c") + Mixed::one("c", "fake://c2"));

    const LoadReport report = f.load();

    CHECK(f.registry->info("a").url == "fake://legacy");
    CHECK(f.registry->info("c").url == "fake://c");
    const Diagnostic* duplicate = find_code(report.diagnostics, "duplicate-name");
    REQUIRE(duplicate);
    CHECK(duplicate->file == f.directory / "a.qconn.yaml");
    const auto second = std::find_if(report.diagnostics.begin(), report.diagnostics.end(), [](const Diagnostic& d) {
        return d.code == "duplicate-name" && d.severity == Severity::error && d.connection == "c";
    });
    REQUIRE(second != report.diagnostics.end());
    CHECK(second->place == Place{5, 1, 1});
    CHECK(second->source_line == "c = (");
}

TEST_CASE("a mistake in a legacy file concerns its connection, one that breaks the form keeps what was there", "[registry][legacy]") {
    Mixed f;
    f.legacy("old", Mixed::one("a", "fake://a") + Mixed::one("b", "fake://b", "  tiemout = 5"));
    f.legacy("broken", "x = (");
    const LoadReport first = f.load();

    CHECK(first.invalid == 2);
    CHECK(f.registry->names() == Texts{"a", "b", "broken"});
    CHECK(f.registry->info("a").validity == Validity::valid);
    CHECK(f.registry->info("b").validity == Validity::invalid);
    CHECK(f.registry->info("b").problem.find("old.qconn:8:3: error: the scheme 'fake' has no option 'tiemout'") != std::string::npos);
    CHECK(f.registry->info("broken").problem.find("broken.qconn:1:5: error: no ')' ends") != std::string::npos);

    f.legacy("old", Mixed::one("a", "fake://a2") + "b = (");
    const LoadReport second = f.registry->reload();

    CHECK(f.registry->info("a").validity == Validity::stale);
    CHECK(f.registry->info("a").url == "fake://a");
    CHECK(second.stale == 1);
}

TEST_CASE("a mistake of one declaration is not put to the one beside it", "[registry][legacy]") {
    Mixed f;
    f.legacy("one-line", "a = (url = fake://a, desc = d, url = fake://x) b = (url = fake://b, desc = d)\n");
    f.load();
    CHECK(f.registry->info("a").validity == Validity::invalid);
    CHECK(f.registry->info("b").validity == Validity::valid);
}

TEST_CASE("defines are those of the registry, for loads, reloads and plans", "[registry][legacy]") {
    Mixed f;
    f.options.defines = {"LOCAL"};
    f.registry.emplace(f.options);
    const std::string text = "%ifdef LOCAL\n" + Mixed::one("a", "fake://local") + "%else\n" + Mixed::one("a", "fake://far") + "%endif\n";
    f.legacy("a", text);
    f.load();
    CHECK(f.registry->info("a").url == "fake://local");

    f.legacy("a", text + "# changed\n");
    const Plan plan = f.registry->plan();
    CHECK(plan.connections.empty());
    CHECK(f.registry->reload().unchanged == 1);
    CHECK(f.registry->info("a").url == "fake://local");
}

TEST_CASE("a reload reads a legacy file again only where it changed, or where variables are in it", "[registry][legacy]") {
    Mixed f;
    REQUIRE(::setenv("QCONN_LEGACY_HOST", "here", 1) == 0);
    f.legacy("a", Mixed::one("a", "fake://a"));
    f.legacy("b", Mixed::one("b", "fake://$QCONN_LEGACY_HOST"));
    CHECK(f.load().read == 2);
    CHECK(f.registry->info("b").url == "fake://here");

    const LoadReport same = f.registry->reload();
    CHECK(same.read == 1);
    CHECK(same.unchanged == 2);

    REQUIRE(::setenv("QCONN_LEGACY_HOST", "there", 1) == 0);
    CHECK(f.registry->reload().updated == 1);
    CHECK(f.registry->info("b").url == "fake://there");
}

TEST_CASE("a variable's value is no reference, and a secret in one is not shown", "[registry][legacy]") {
    Mixed f;
    REQUIRE(::setenv("QCONN_LEGACY_SECRET", "${env:QCONN_LEGACY_OTHER}", 1) == 0);
    REQUIRE(::setenv("QCONN_LEGACY_OTHER", "other", 1) == 0);
    f.legacy("a", Mixed::one("a", "fake://a", "  password = $QCONN_LEGACY_SECRET,\n  timeout = $QCONN_LEGACY_OTHER\n"));
    f.legacy("b", Mixed::one("b", "fake://b", "  password = \"$QCONN_LEGACY_SECRET ${env:QCONN_LEGACY_OTHER}\",\n"));

    const LoadReport report = f.load();

    REQUIRE(report.diagnostics.size() == 1);
    CHECK(report.diagnostics[0].code == "bad-integer");
    CHECK(render(report.diagnostics[0]).find("other") == std::string::npos);
    CHECK(f.registry->get<FakeClient>("b")->password() == "${env:QCONN_LEGACY_OTHER} other");
    CHECK(f.registry->info("b").options.at("password") == Value{"<masked>"});
}

TEST_CASE("a watch sees legacy files come, change and go", "[registry][legacy][watch][threads]") {
    const bool notified = GENERATE(true, false);
    Mixed f;
    f.write("a", "fake://a");
    f.load();
    std::atomic<int> reloads{0};
    WatchOptions options;
    options.debounce = 10ms;
    options.poll = notified ? std::chrono::milliseconds{1h} : 10ms;
    options.notified = notified;
    options.on_reload = [&](const LoadReport&) { ++reloads; };
    const Watch watch = f.registry->watch(options);
    REQUIRE(wait_until([&] { return reloads >= 1; }));

    f.directory.write("b.qconn", Mixed::one("b", "fake://b"));
    CHECK(wait_until([&] { return f.registry->contains("b"); }));
    f.directory.write("b.qconn", Mixed::one("b", "fake://b2"));
    CHECK(wait_until([&] { return f.registry->info("b").url == "fake://b2"; }));
    std::filesystem::remove(f.directory / "b.qconn");
    CHECK(wait_until([&] { return !f.registry->contains("b"); }));
}
