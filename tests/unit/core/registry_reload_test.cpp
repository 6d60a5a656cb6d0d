// SPDX-License-Identifier: Apache-2.0
// A reload reads what may have changed, and its report is as if it had read everything.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>

#include <qconn/core/diagnostic.hpp>
#include <qconn/core/plan.hpp>

#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using Texts = std::vector<std::string>;

namespace {

/// As if the file had been written that long ago.
void set_age(const std::string& path, std::time_t seconds) {
    const timespec time{::time(nullptr) - seconds, 0};
    const std::array<timespec, 2> times{time, time};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
}

/// A directory whose files are old unless a test makes one anew.
struct OldFiles : FakeRegistry {
    std::string put(const std::string& name, const std::string& url, const std::string& more = {}, std::time_t age = 1000) const {
        const std::string path = write(name, url, more);
        set_age(path, age);
        return path;
    }
    LoadReport load() { return registry->load(directory.path()); }
};

bool same(const LoadReport& a, const LoadReport& b) {
    const auto counts = [](const LoadReport& r) { return std::tuple{r.files, r.added, r.updated, r.removed, r.unchanged, r.invalid, r.stale}; };
    if (counts(a) != counts(b) || a.diagnostics.size() != b.diagnostics.size()) return false;
    for (std::size_t i = 0; i < a.diagnostics.size(); ++i)
        if (render(a.diagnostics[i]) != render(b.diagnostics[i])) return false;
    return true;
}

}  // namespace

TEST_CASE("a reload reads only the files that have changed", "[registry][reload]") {
    OldFiles f;
    f.put("a", "fake://a");
    f.put("b", "fake://b");
    f.put("c", "fake://c");
    CHECK(f.load().read == 3);

    const LoadReport same = f.registry->reload();
    CHECK(same.files == 3);
    CHECK(same.read == 0);
    CHECK(same.unchanged == 3);

    f.put("b", "fake://c", {}, 900);
    f.put("d", "fake://d");
    std::filesystem::remove(f.directory / "a.qconn.yaml");
    const LoadReport report = f.registry->reload();
    CHECK(report.files == 3);
    CHECK(report.read == 2);
    CHECK(report.added == 1);
    CHECK(report.updated == 1);
    CHECK(report.removed == 1);
    CHECK(report.unchanged == 1);
    CHECK(f.registry->info("b").url == "fake://c");
    CHECK(f.registry->names() == Texts{"b", "c", "d"});
}

TEST_CASE("a plan reads only the files that have changed, and those whose settings code has made", "[registry][reload]") {
    OldFiles f;
    f.put("a", "fake://a");
    f.put("b", "fake://b");
    f.put("c", "fake://c");
    f.load();
    CHECK(f.registry->plan().read == 0);

    f.put("b", "fake://new", {}, 900);
    f.registry->disable("c");
    f.registry->set_tags("a", {{"team", "blue"}});
    const Plan plan = f.registry->plan();
    CHECK(plan.files == 3);
    CHECK(plan.read == 3);
    REQUIRE(plan.connections.size() == 1);
    CHECK(plan.connections.front().name == "b");
    CHECK(plan.kept.size() == 2);
    CHECK(plan.unchanged == 2);
    CHECK(f.registry->reload().read == 1);
    CHECK(f.registry->plan({f.directory.path()}).read == 3);
}

TEST_CASE("a file that is younger than two seconds when it is read is read again", "[registry][reload]") {
    OldFiles f;
    f.put("old", "fake://a");
    f.put("young", "fake://b", {}, 0);
    f.put("future", "fake://c", {}, -1000);
    f.load();

    CHECK(f.registry->reload().read == 2);
    CHECK(f.registry->reload().read == 2);

    f.put("young", "fake://b", {}, 10);
    CHECK(f.registry->reload().read == 2);
    CHECK(f.registry->reload().read == 1);
}

TEST_CASE("a change that leaves size and time as they were is seen", "[registry][reload]") {
    OldFiles f;
    const std::string path = f.put("a", "fake://one");
    f.load();
    REQUIRE(f.registry->reload().read == 0);
    struct stat before {};
    REQUIRE(::stat(path.c_str(), &before) == 0);

    SECTION("by another inode") {
        const std::string other = f.directory.write("aside", FakeRegistry::text("a", "fake://two"));
        const std::array<timespec, 2> times{before.st_mtim, before.st_mtim};
        REQUIRE(::utimensat(AT_FDCWD, other.c_str(), times.data(), 0) == 0);
        std::filesystem::rename(other, path);
    }
    SECTION("by the time of the change of its status") {
        f.write("a", "fake://two");
        const std::array<timespec, 2> times{before.st_mtim, before.st_mtim};
        REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
    }

    CHECK(f.registry->reload().updated == 1);
    CHECK(f.registry->info("a").url == "fake://two");
}

TEST_CASE("links that change places are seen", "[registry][reload]") {
    OldFiles f;
    set_age(f.directory.write("store/one", FakeRegistry::text("a", "fake://one")), 1000);
    set_age(f.directory.write("store/two", FakeRegistry::text("b", "fake://two")), 1000);
    const std::string first = f.directory / "1.qconn.yaml";
    const std::string second = f.directory / "2.qconn.yaml";
    std::filesystem::create_symlink("store/one", first);
    std::filesystem::create_symlink("store/two", second);
    f.load();
    REQUIRE(f.registry->reload().read == 0);

    std::filesystem::remove(first);
    std::filesystem::remove(second);
    std::filesystem::create_symlink("store/two", first);
    std::filesystem::create_symlink("store/one", second);

    CHECK(f.registry->reload().read == 2);
    CHECK(f.registry->info("a").file == second);
    CHECK(f.registry->info("b").file == first);
}

TEST_CASE("a file that did not change and has findings is reported again", "[registry][reload]") {
    OldFiles f;
    f.put("good", "fake://good");
    f.put("bad-option", "fake://a", "options:\n  color: red\n");
    f.put("warned", "fake://a", "colour: red\n");
    set_age(f.directory.write("broken.qconn.yaml", "type: [connection\n"), 1000);
    f.load();

    const LoadReport first = f.registry->reload();
    const LoadReport second = f.registry->reload();

    CHECK(first.read == 3);
    CHECK(same(first, second));
    CHECK(first.invalid == 2);
    CHECK(first.diagnostics.size() >= 3);
}

TEST_CASE("a stale connection stays stale while its file stays bad, and becomes valid with the former text", "[registry][reload]") {
    OldFiles f;
    f.put("a", "fake://a");
    f.load();
    f.registry->reload();

    f.put("a", "fake://a", "options:\n  color: red\n", 900);
    CHECK(f.registry->reload().stale == 1);
    CHECK(f.registry->reload().stale == 1);
    f.put("a", "fake://a");
    CHECK(f.registry->reload().stale == 0);
    CHECK(f.registry->reload().read == 0);
}

TEST_CASE("connections of a directory that was away are valid again although no file has changed", "[registry][reload]") {
    OldFiles f;
    f.put("a", "fake://a");
    f.load();
    std::filesystem::rename(f.directory.path(), f.directory.path() + ".away");
    const LoadReport away = f.registry->reload();
    std::filesystem::rename(f.directory.path() + ".away", f.directory.path());

    CHECK(away.stale == 1);
    CHECK(f.registry->reload().stale == 0);
    CHECK(f.registry->info("a").validity == Validity::valid);
}

TEST_CASE("duplicates are the same whether their files are read or not", "[registry][reload]") {
    OldFiles f;
    f.put("b", "fake://b");
    set_age(f.directory.write("c.qconn.yaml", FakeRegistry::text("b", "fake://c")), 1000);
    const LoadReport loaded = f.load();
    const LoadReport again = f.registry->reload();

    CHECK(again.read == 1);
    REQUIRE(again.diagnostics.size() == 2);
    CHECK(render(again.diagnostics[0]) == render(loaded.diagnostics[0]));
    CHECK(render(again.diagnostics[1]) == render(loaded.diagnostics[1]));
    CHECK(same(again, f.registry->reload()));

    SECTION("the first goes: the second counts") {
        std::filesystem::remove(f.directory / "b.qconn.yaml");
        const LoadReport report = f.registry->reload();
        CHECK(report.ok());
        CHECK(report.removed == 0);
        CHECK(f.registry->info("b").url == "fake://c");
    }
    SECTION("a new file that comes before both takes the name") {
        set_age(f.directory.write("a.qconn.yaml", FakeRegistry::text("b", "fake://a")), 1000);
        const LoadReport report = f.registry->reload();
        CHECK(report.read == 2);
        CHECK(report.diagnostics.size() == 4);
        CHECK(f.registry->info("b").url == "fake://a");
        std::filesystem::remove(f.directory / "a.qconn.yaml");
        f.registry->reload();
        CHECK(f.registry->info("b").url == "fake://b");
    }
}

TEST_CASE("what code removed comes back from a file that did not change, what it updated stays", "[registry][reload]") {
    OldFiles f;
    f.put("a", "fake://a");
    f.put("b", "fake://b");
    f.load();
    f.registry->reload();

    f.registry->remove("a");
    f.registry->update(FakeRegistry::definition("b", "fake://code"));
    const LoadReport report = f.registry->reload();

    CHECK(report.read == 2);
    CHECK(report.added == 1);
    CHECK(f.registry->info("a").url == "fake://a");
    CHECK(f.registry->info("b").url == "fake://code");
}

TEST_CASE("a file whose rights have changed is read again, as it may not be readable any more", "[registry][reload]") {
    OldFiles f;
    const std::string path = f.put("a", "fake://a");
    f.load();
    REQUIRE(f.registry->reload().read == 0);

    REQUIRE(::chmod(path.c_str(), 0600) == 0);

    CHECK(f.registry->reload().read == 1);
}
