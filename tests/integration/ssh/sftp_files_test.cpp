// SPDX-License-Identifier: Apache-2.0
// What an SftpClient does with files and directories of OpenSSH's sftp-server.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/temporary_name.hpp"
#include "sftp_fixture.hpp"
#include "support/loop.hpp"
#include "support/outcomes.hpp"
#include "support/patterns.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("files are written, read, looked at, moved and removed at a server", "[sftp][integration]") {
    const Files files;
    files->write("a.txt", "hello");
    CHECK(files.read("a.txt") == "hello");
    CHECK(files->read("a.txt") == "hello");
    const FileInfo info = files->stat("a.txt");
    CHECK(info.name == "a.txt");
    CHECK(info.type == FileType::file);
    CHECK(info.size == 5);
    CHECK(info.mode == files.mode("a.txt"));
    CHECK(info.uid == ::getuid());
    CHECK(info.gid == ::getgid());
    CHECK(std::chrono::system_clock::now() - info.modified.value() < 60s);

    files->write("empty", "");
    CHECK(files->read("empty").empty());
    files->move("a.txt", "b.txt");
    CHECK_FALSE(files.there("a.txt"));
    CHECK(files->read((files.dir / "b.txt")) == "hello");  // absolute
    files->remove("b.txt");
    CHECK_FALSE(files.there("b.txt"));
    CHECK(files.server.started() == 1);
    CHECK(files.unfinished() == 0);
    files->check();
}

TEST_CASE("a pattern of a listing is a shell glob", "[sftp][integration]") {
    const Files files;
    check_patterns(*files.client);
}

TEST_CASE("paths are under the connection's directory, relative to the log-in's or absolute", "[sftp][integration]") {
    const TempDir dir;
    fs::create_directories(dir / "in/box");
    const Runtime runtime{RuntimeOptions{}};
    SftpServer server{runtime, dir.path()};
    for (const std::string& path : {std::string{"in/box"}, std::string{"in/box/"}, dir / "in/box"}) {
        INFO(path);
        const auto client = sftp::make_sftp_client(server.source(), sftp_options(path), runtime);
        client->write("x", "1");
        CHECK(dir.read("in/box/x") == "1");
        client->write("../y", "2");
        CHECK(dir.read("in/y") == "2");
        CHECK(client->stat("").name == "box");
        CHECK(client->list().size() == 1);
        client->check();
    }
    const auto astray = sftp::make_sftp_client(server.source(), sftp_options("nowhere"), runtime);
    const Error error = failure_of([&] { astray->check(); });
    CHECK(error.name() == "SFTP-NOT-FOUND");
    CHECK(has(error.what(), "nowhere"));
    dir.write("in/file", "");
    CHECK_THROWS_AS(sftp::make_sftp_client(server.source(), sftp_options("in/file"), runtime)->check(), Error);
}

TEST_CASE("writing replaces at once, and takes over mode and owner", "[sftp][integration]") {
    const Files files;
    files.dir.write("a", "old");
    for (const unsigned mode : {0640U, 0600U, 0444U, 0666U, 0755U}) {
        ::chmod((files.dir / "a").c_str(), mode);
        if (::getuid() != 0 && mode == 0444U) continue;
        files->write("a", std::to_string(mode));
        CHECK(files.read("a") == std::to_string(mode));
        CHECK(files.mode("a") == mode);
    }
    if (::getuid() == 0) {
        REQUIRE(::chown((files.dir / "a").c_str(), 65534, 65534) == 0);
        files->write("a", "owned");
        CHECK(files->stat("a").uid == 65534);
    }
    // A link stays one, also one to another folder, and one that leads to nothing yet.
    fs::create_directory(files.dir / "other");
    files.dir.write("other/real", "old");
    fs::create_symlink("other/real", files.dir / "link");
    fs::create_symlink("link", files.dir / "second");
    files->write("second", "new");
    CHECK(fs::is_symlink(files.dir / "link"));
    CHECK(fs::is_symlink(files.dir / "second"));
    CHECK(files.read("other/real") == "new");
    fs::create_symlink("other/later", files.dir / "dangling");
    files->write("dangling", "made");
    CHECK(files.read("other/later") == "made");
    fs::create_symlink("circle", files.dir / "circle");
    CHECK_THROWS_AS(files->write("circle", "x"), Error);
    CHECK(failure_of([&] { files->write("other", "x"); }).reason() == Reason::bad_value);
    CHECK(failure_of([&] { files->write("no/such/folder", "x"); }).reason() == Reason::not_found);
    CHECK(failure_of([&] { files->write("a/", "x"); }).name() == "SFTP-PATH");
    CHECK(files.unfinished() == 0);
    CHECK(files.unfinished("other") == 0);
}

TEST_CASE("creating never replaces, appending goes to the end, and a file can be written in its place", "[sftp][integration]") {
    const Files files;
    files->write("a", "one", WriteMode::create);
    const Error there = failure_of([&] { files->write("a", "two", WriteMode::create); });
    CHECK(there.reason() == Reason::exists);
    CHECK(there.name() == "SFTP-EXISTS");
    CHECK(files.read("a") == "one");
    CHECK(files.unfinished() == 0);

    files->write("a", " two", WriteMode::append);
    files->write("a", "", WriteMode::append);
    CHECK(files.read("a") == "one two");
    files->write("new", "first", WriteMode::append);
    CHECK(files.read("new") == "first");

    files->write("a", "x", WriteMode::in_place);
    CHECK(files.read("a") == "x");
    files->write("b", "y", WriteMode::in_place);
    CHECK(files.read("b") == "y");
    fs::create_directory(files.dir / "d");
    for (const auto mode : {WriteMode::create, WriteMode::append, WriteMode::in_place, WriteMode::replace}) {
        const Error directory = failure_of([&] { files->write("d", "x", mode); });
        if (mode != WriteMode::in_place) CHECK(has(directory.what(), "the path has to name the file in it"));
    }
}

TEST_CASE("a put that is to be gone on with, and may not begin, leaves no part that was not there", "[sftp][integration]") {
    const Files files;
    fs::create_directories(files.dir / "d");
    fs::create_symlink("d", files.dir / "to_d");
    files.dir.write("there", "old");
    fs::create_symlink("there", files.dir / "to_there");
    PutOptions how;
    how.resume = true;
    for (const std::string name : {"d", "to_d"}) CHECK(failure_of([&] { files->put(name, *text_source("x"), how); }).name() == "SFTP-PATH");
    how.mode = WriteMode::create;
    for (const std::string name : {"there", "to_there"})
        CHECK(failure_of([&] { files->put(name, *text_source("x"), how); }).reason() == Reason::exists);
    CHECK(files.unfinished() == 0);
    how.mode = WriteMode::replace;
    files->put("to_there", *text_source("new"), how);
    CHECK(files.read("there") == "new");
    CHECK(files.unfinished() == 0);

    const std::string part = file::part_name("there");
    files.dir.write(part, "begun");
    how.mode = WriteMode::create;
    CHECK(failure_of([&] { files->put("there", *text_source("x"), how); }).reason() == Reason::exists);
    CHECK(files.read(part) == "begun");
}

TEST_CASE("attributes and durability are asked for before a file gets its name", "[sftp][integration]") {
    const Files files;
    const std::chrono::system_clock::time_point time{1'700'000'000s};
    PutOptions how;
    how.durable = true;
    how.attributes.mode = 0640;
    how.attributes.modified = time;
    for (const auto mode : {WriteMode::replace, WriteMode::create, WriteMode::append, WriteMode::in_place}) {
        how.mode = mode;
        const std::string name = "f" + std::to_string(static_cast<int>(mode));
        CHECK(files->put(name, *text_source("text"), how) == 4);
        CHECK(files.mode(name) == 0640);
        CHECK(files->stat(name).modified == time);
    }
    files->set_attributes("f0", {.mode = 0604, .modified = time + 5s});
    CHECK(files.mode("f0") == 0604);
    CHECK(files->stat("f0").modified == time + 5s);
    files->set_attributes("f0", {});
    if (::getuid() == 0) {
        files->set_attributes("f0", {.uid = 65534});
        CHECK(files->stat("f0").uid == 65534);
        CHECK(files->stat("f0").gid == 0);
        files->set_attributes("f0", {.mode = 04755, .gid = 65534});
        CHECK(files.mode("f0") == 04755);
        CHECK(files->stat("f0").uid == 65534);
    }
    CHECK(failure_of([&] { files->set_attributes("none", {.mode = 0600}); }).reason() == Reason::not_found);
}

TEST_CASE("moving replaces only where it is allowed to", "[sftp][integration]") {
    const Files files;
    files.dir.write("a", "a");
    files.dir.write("b", "b");
    fs::create_directories(files.dir / "d/full");
    const Error there = failure_of([&] { files->move("a", "b"); });
    CHECK(there.reason() == Reason::exists);
    CHECK(files.read("b") == "b");
    files->move("a", "b", true);
    CHECK(files.read("b") == "a");
    CHECK_FALSE(files.there("a"));
    CHECK(failure_of([&] { files->move("none", "x"); }).reason() == Reason::not_found);
    CHECK(failure_of([&] { files->move("none", "b"); }).reason() == Reason::not_found);
    CHECK(failure_of([&] { files->move("none", "b", true); }).reason() == Reason::not_found);
    CHECK(failure_of([&] { files->move("b", "d", true); }).reason() == Reason::exists);
    CHECK(failure_of([&] { files->move("b", "d"); }).reason() == Reason::exists);
    files->move("d", "e");
    CHECK(files.there("e/full"));
}

TEST_CASE("files, links and empty directories are removed, and nothing else", "[sftp][integration]") {
    const Files files;
    files.dir.write("d/inside", "x");
    fs::create_symlink("d", files.dir / "link");
    const Error full = failure_of([&] { files->remove("d"); });
    CHECK(full.reason() == Reason::exists);
    CHECK(has(full.what(), "not empty"));
    files->remove("link");
    CHECK(files.there("d/inside"));
    files->remove("d/inside");
    files->remove("d");
    CHECK_FALSE(files.there("d"));
    CHECK(failure_of([&] { files->remove("d"); }).reason() == Reason::not_found);
    CHECK_THROWS_AS(files->remove(""), Error);
}

TEST_CASE("directories are made with those on the way, also by several at once", "[sftp][integration]") {
    const Files files;
    files->make_directory("a");
    files->make_directory("a");
    files->make_directory("a/b/c/d/");
    CHECK(fs::is_directory(files.dir / "a/b/c/d"));
    files->make_directory("");
    files->make_directory(files.dir / "x//y");
    CHECK(fs::is_directory(files.dir / "x/y"));
    files.dir.write("file", "");
    CHECK(failure_of([&] { files->make_directory("file"); }).reason() == Reason::exists);
    const Error through = failure_of([&] { files->make_directory("file/below"); });
    CHECK(through.reason() == Reason::not_found);

    Outcomes<void> outcomes;
    for (int i = 0; i < 40; ++i) files->async_make_directory("p/q/r/s/" + std::to_string(i % 4), 20s, outcomes.callback());
    REQUIRE(outcomes.wait(40));
    for (const auto& one : outcomes.results()) CHECK(one.has_value());
    CHECK(files->list("p/q/r/s").size() == 4);
}

TEST_CASE("directories are listed with links and patterns, without what is unfinished", "[sftp][integration]") {
    const Files files;
    files.dir.write("d/b.txt", "12");
    files.dir.write("d/a.txt", "1");
    files.dir.write("d/.hidden", "");
    files.dir.write("d/.qconn-0123456789abcdef.tmp", "");
    files.dir.write("d/.qconn-0123456789abcdef.part", "");
    fs::create_directory(files.dir / "d/sub");
    fs::create_symlink("a.txt", files.dir / "d/link");
    fs::create_symlink("nowhere", files.dir / "d/broken");
    const auto all = files->list("d");
    std::string names;
    for (const auto& one : all) names += one.name + ' ';
    CHECK(names == ".hidden a.txt b.txt broken link sub ");
    CHECK(all[1].size == 1);
    CHECK(all[3].type == FileType::symlink);
    CHECK(all[3].target == "nowhere");
    CHECK(all[4].target == "a.txt");
    CHECK(all[5].type == FileType::directory);
    CHECK(files->list("d", "*.txt").size() == 2);
    CHECK(files->list("d", "*").size() == 5);
    CHECK(files->list("d", ".qconn-*").size() == 2);
    CHECK(files->list("d/sub").empty());
    CHECK(failure_of([&] { files->list("none"); }).reason() == Reason::not_found);
    const Error no_directory = failure_of([&] { files->list("d/a.txt"); });
    CHECK(no_directory.name() == "SFTP-PATH");
    CHECK(has(no_directory.what(), "it is a file, and no directory"));

    CHECK(files->stat("d/link").type == FileType::file);
    CHECK(files->stat_link("d/link").type == FileType::symlink);
    CHECK(files->stat_link("d/link").target == "a.txt");
    CHECK_FALSE(files->stat_link("d/a.txt").target.has_value());
    files->make_symlink("b.txt", "d/made");
    CHECK(fs::read_symlink(files.dir / "d/made") == "b.txt");
    CHECK(failure_of([&] { files->make_symlink("b.txt", "d/made"); }).reason() == Reason::exists);
    files->make_hard_link("d/a.txt", "d/same");
    CHECK(fs::hard_link_count(files.dir / "d/a.txt") == 2);
    CHECK(failure_of([&] { files->make_hard_link("d/a.txt", "d/same"); }).reason() == Reason::exists);
    CHECK(failure_of([&] { files->make_hard_link("d/none", "d/other"); }).reason() == Reason::not_found);
}

TEST_CASE("names may hold blanks, newlines, dashes, UTF-8 and other bytes", "[sftp][integration]") {
    const Files files;
    const std::vector<std::string> names{" a  b ",      "-rf", "--", "new\nline", "Grüße 文件", "q\"uote'",
                                         "back\\slash", "*",   "~",  "$(x)",      "\xff\xfe",   "%41"};
    for (const auto& name : names) {
        INFO(name);
        files->write(name, name);
        CHECK(files.read(name) == name);
        CHECK(files->read(name) == name);
        CHECK(files->stat(name).name == name);
        files->move(name, name + ".2");
        files->move(name + ".2", name);
    }
    CHECK(files->list().size() == names.size());
    for (const auto& name : names) files->remove(name);
    CHECK(files->list().empty());
    CHECK(failure_of([&] { files->read(std::string{"a\0b", 3}); }).name() == "SFTP-PATH");
    CHECK_THROWS_AS(files->read(std::string(300, 'x')), Error);
    CHECK(failure_of([&] { files->read(std::string(100'000, 'x')); }).name() == "SFTP-PATH");
    const Error odd = failure_of([&] { files->read("no\nfile\x1b"); });
    CHECK(has(odd.what(), "no\\nfile\\x1b"));
}

TEST_CASE("a hundred thousand entries are listed and visited", "[sftp][integration]") {
    const Files files;
    fs::create_directory(files.dir / "many");
    constexpr int k_many = 100'000;
    for (int i = 0; i < k_many; ++i) {
        const std::string path = files.dir / ("many/" + std::to_string(i));
        if (i % 1000 == 0)
            fs::create_symlink("x", path);
        else
            ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    }
    const auto all = files->list("many");
    CHECK(all.size() == k_many);
    CHECK(std::adjacent_find(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name >= b.name; }) == all.end());
    CHECK(files->list("many", "9999?").size() == 10);
    int seen = 0;
    int links = 0;
    files->visit("many", [&](FileInfo entry) {
        ++seen;
        if (entry.target) ++links;
        return true;
    });
    CHECK(seen == k_many);
    CHECK(links == k_many / 1000);
    seen = 0;
    files->visit("many", [&](FileInfo) { return ++seen < 250; });
    CHECK(seen == 250);
    CHECK_THROWS_WITH(files->visit("many", [](FileInfo) -> bool { throw std::runtime_error{"enough of it"}; }), Catch::Contains("enough of it"));
    CHECK(files->read("many/1").empty());
    CHECK(files.server.started() == 1);
}

TEST_CASE("what the server refuses has its reason, code and words", "[sftp][integration]") {
    const Files files;
    const Error missing = failure_of([&] { files->read("none"); });
    CHECK(missing.name() == "SFTP-NOT-FOUND");
    CHECK(missing.reason() == Reason::not_found);
    CHECK(missing.connection() == "drop");
    CHECK(missing.phase() == Phase::protocol);
    CHECK_FALSE(missing.spoils_connection());
    CHECK(has(missing.what(), "reading \"none\" on joe@files.example:22 failed: the server says \"No such file\" (2)"));
    REQUIRE(missing.detail<SftpErrorDetail>() != nullptr);
    CHECK(missing.detail<SftpErrorDetail>()->status == 2);
    CHECK(missing.detail<SftpErrorDetail>()->words == "No such file");
    CHECK(missing.detail<SftpErrorDetail>()->path == "none");
    CHECK(failure_of([&] { files->stat("none"); }).reason() == Reason::not_found);
    CHECK(failure_of([&] { files->read("."); }).reason() == Reason::bad_value);
    CHECK(failure_of([&] { files->read("/dev/null"); }).reason() == Reason::unsupported);

    SftpOptions small = sftp_options();
    small.max_read = 3;
    const auto client = sftp::make_sftp_client(files.server.source(), small, files.runtime);
    files.dir.write("four", "four");
    const Error large = failure_of([&] { client->read("four"); });
    CHECK(large.name() == "SFTP-LIMIT");
    CHECK(large.reason() == Reason::limit);
    files.dir.write("three", "333");
    CHECK(client->read("three") == "333");
}

TEST_CASE("what this user may not do is said so, and leaves nothing behind", "[sftp][integration]") {
    if (::getuid() != 0) return;
    Files files{sftp_options(), {}, {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}};
    ::chmod(files.dir.path().c_str(), 0755);
    files.dir.write("a", "root's");
    files.dir.write("secret", "x");
    ::chmod((files.dir / "secret").c_str(), 0600);
    fs::create_directory(files.dir / "open");
    ::chmod((files.dir / "open").c_str(), 0777);
    files.dir.write("open/kept", "root's");
    ::chmod((files.dir / "open/kept").c_str(), 0644);
    CHECK(failure_of([&] { files->read("secret"); }).reason() == Reason::permission);
    CHECK(failure_of([&] { files->write("b", "x"); }).name() == "SFTP-PERMISSION");
    CHECK(failure_of([&] { files->write("b", "x", WriteMode::in_place); }).reason() == Reason::permission);
    CHECK(failure_of([&] { files->write("a", "x", WriteMode::append); }).reason() == Reason::permission);
    CHECK(failure_of([&] { files->remove("a"); }).reason() == Reason::permission);
    CHECK(failure_of([&] { files->move("a", "c"); }).reason() == Reason::permission);
    CHECK(failure_of([&] { files->make_directory("x/y"); }).reason() == Reason::permission);
    CHECK(failure_of([&] { files->set_attributes("a", {.mode = 0777}); }).reason() == Reason::permission);
    // The folder would let it, the file does not.
    CHECK(failure_of([&] { files->write("open/kept", "x"); }).reason() == Reason::permission);
    CHECK(files.read("open/kept") == "root's");
    CHECK(files.unfinished("open") == 0);
    // An owner that cannot be had is no error.
    ::chmod((files.dir / "open/kept").c_str(), 06666);
    files->write("open/kept", "theirs");
    CHECK(files.read("open/kept") == "theirs");
    CHECK(files.mode("open/kept") == 0666);
    CHECK(files.server.started() == 1);
}

TEST_CASE("a full disk at the server is said to be so, and leaves no part behind", "[sftp][integration]") {
    const Files files;
    fs::create_directory(files.dir / "small");
    const std::string small = files.dir / "small";
    if (::mount("none", small.c_str(), "tmpfs", 0, "size=1m,nr_inodes=20") != 0) {
        WARN("no right to mount a small file system: not tested");
        return;
    }
    const std::string text = some_text(3'000'000);
    files.dir.write("small/kept", "kept");
    for (const auto mode : {WriteMode::replace, WriteMode::create, WriteMode::append}) {
        const Error full = failure_of([&] { files->write("small/new", text, mode); });
        CHECK(full.name() == "SFTP-DISK-FULL");
        CHECK(full.reason() == Reason::disk_full);
        CHECK(full.retryable());
        CHECK_FALSE(files.there("small/new"));
        CHECK(files.unfinished("small") == 0);
    }
    CHECK(failure_of([&] { files->write("small/kept", text, WriteMode::append); }).reason() == Reason::disk_full);
    CHECK(failure_of([&] { files->write("small/kept", text); }).reason() == Reason::disk_full);
    CHECK(files.read("small/kept") == "kept");
    CHECK(failure_of([&] { files->write("small/here", text, WriteMode::in_place); }).reason() == Reason::disk_full);
    files->remove("small/here");

    // What was sent stays where it can be gone on with, without holes.
    PutOptions how;
    how.resume = true;
    CHECK(failure_of([&] { files->put("small/part", *text_source(text), how); }).reason() == Reason::disk_full);
    CHECK(files.unfinished("small") == 1);
    for (const auto& entry : fs::directory_iterator{small}) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(".qconn-")) continue;
        const std::string part = read_file(entry.path().string());
        CHECK(part.size() > 100'000);
        CHECK(text.starts_with(part));
    }
    CHECK(::mount("none", small.c_str(), "tmpfs", MS_REMOUNT, "size=8m") == 0);
    CHECK(files->put("small/part", *text_source(text), how) < text.size());
    CHECK(files.read("small/part") == text);

    int made = 0;
    try {
        for (; made < 100; ++made) files->write("small/n" + std::to_string(made), "");
    } catch (const Error& error) { CHECK(error.reason() == Reason::disk_full); }
    CHECK(made < 100);
    const FreeSpace space = [&] {
        const auto client = sftp::make_sftp_client(files.server.source(), sftp_options("small"), files.runtime);
        return client->free_space();
    }();
    CHECK(space.total == 8U << 20);
    CHECK(space.files == 20);
    CHECK(space.files_free == 0);

    if (::mount("none", small.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "") == 0) {
        CHECK(failure_of([&] { files->write("small/kept", "x"); }).reason() == Reason::permission);
        CHECK(failure_of([&] { files->make_directory("small/d"); }).reason() == Reason::permission);
    }
    ::umount2(small.c_str(), MNT_DETACH);
    CHECK(files.server.started() <= 2);
}

TEST_CASE("a server that cannot do something says so", "[sftp][integration]") {
    const Files files{sftp_options(), {"-P", "write,posix-rename,statvfs,mkdir,hardlink"}};
    CHECK(failure_of([&] { files->make_hard_link("x", "y"); }).reason() == Reason::unsupported);
    CHECK_THROWS_AS(files->free_space(), Error);
    const Error refused = failure_of([&] { files->make_directory("x"); });
    CHECK(refused.reason() == Reason::permission);
    CHECK(failure_of([&] { files->write("x", "text"); }).reason() == Reason::permission);
    CHECK(files->list().empty());
}

TEST_CASE("a blocking call on an I/O thread is refused instead of hanging", "[sftp][integration]") {
    const Files files;
    const Error error = on_loop(files.runtime.impl().loop(), [&] { return failure_of([&] { files->stat("x"); }); });
    CHECK(error.name() == "INVALID-ARGUMENT");
    CHECK(error.connection() == "drop");
}
