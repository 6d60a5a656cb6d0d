// SPDX-License-Identifier: Apache-2.0
#include <qconn/file/file_client.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/patterns.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using qconn::test::TempDir;
using namespace std::chrono_literals;

namespace {

FileClient client(const TempDir& dir, bool confine = false, bool read_only = false) {
    return FileClient{FileOptions{.label = "drop", .path = dir.path(), .read_only = read_only, .confine = confine}};
}

/// The Error that a call throws; a failure of the test where it throws none.
Error error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    FAIL("no Error was thrown");
    std::abort();
}

std::vector<std::string> names(const std::vector<FileInfo>& files) {
    std::vector<std::string> result;
    for (const auto& file : files) result.push_back(file.name);
    return result;
}

mode_t mode_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

void make_file(const std::string& path, std::string_view text, mode_t mode) {
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::fchmod(fd, mode);
    ::close(fd);
}

/// Runs a part of a test in a process of its own, whose user or limits it may change. @returns whether it returned true
bool in_child(const std::function<bool()>& part) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        bool ok = false;
        try {
            ok = part();
        } catch (...) {}
        ::_exit(ok ? 0 : 1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a pattern of a listing is a shell glob", "[file]") {
    const TempDir dir;
    FileClient files = client(dir);
    test::check_patterns(files);
}

TEST_CASE("what is written is read back, whole and of any size", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    const std::size_t size = GENERATE(0U, 1U, 262'143U, 262'144U, 262'145U, 1'000'000U);
    std::string data(size, '\0');
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 7);

    files.write("a.bin", data);

    CHECK(files.read("a.bin") == data);
    CHECK(files.stat("a.bin").size == size);
    CHECK(names(files.list()) == std::vector<std::string>{"a.bin"});
}

TEST_CASE("a list is sorted, has globs, shows links and leaves out temporary files", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    for (const char* name : {"b.csv", "a.csv", "c.txt", ".hidden.csv", ".qconn-0123456789abcdef.tmp"}) dir.write(name, "x");
    files.make_directory("sub/deep");
    REQUIRE(::symlink("b.csv", (dir / "link").c_str()) == 0);

    CHECK(names(files.list()) == std::vector<std::string>{".hidden.csv", "a.csv", "b.csv", "c.txt", "link", "sub"});
    CHECK(names(files.list("", "*.csv")) == std::vector<std::string>{"a.csv", "b.csv"});
    CHECK(names(files.list("", "[ac].*")) == std::vector<std::string>{"a.csv", "c.txt"});
    CHECK(names(files.list("sub")) == std::vector<std::string>{"deep"});
    CHECK(names(files.list(dir / "sub")) == std::vector<std::string>{"deep"});
    const auto all = files.list("", "l*");
    REQUIRE(all.size() == 1);
    CHECK(all[0].type == FileType::symlink);
    CHECK(all[0].target == "b.csv");
}

TEST_CASE("stat follows links and tells type, size, mode, owner and time", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    make_file(dir / "a", "12345", 0640);
    REQUIRE(::symlink("a", (dir / "link").c_str()) == 0);

    const FileInfo info = files.stat("link");

    CHECK(info.name == "link");
    CHECK(info.type == FileType::file);
    CHECK(info.size == 5);
    CHECK(info.mode == 0640U);
    CHECK(info.uid == ::geteuid());
    REQUIRE(info.modified);
    CHECK(std::chrono::abs(std::chrono::system_clock::now() - *info.modified) < 1min);
    CHECK(files.stat("").type == FileType::directory);
    CHECK(files.stat(".").name == dir.path().substr(dir.path().rfind('/') + 1));
}

TEST_CASE("replacing keeps the mode, also through a symbolic link, and never shows a part", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    make_file(dir / "a", "old", 0751);
    REQUIRE(::symlink("a", (dir / "link").c_str()) == 0);

    files.write("link", "new");

    CHECK(dir.read("a") == "new");
    CHECK(mode_of(dir / "a") == 0751);
    CHECK(std::filesystem::is_symlink(dir / "link"));

    const std::string first(700'000, 'A');
    const std::string second(500'000, 'B');
    files.write("a", first);
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0};
    std::thread reader{[&] {
        while (!stop) {
            const std::string seen = files.read("a");
            if (seen != first && seen != second) ++torn;
        }
    }};
    for (int i = 0; i < 20; ++i) files.write("a", i % 2 == 0 ? second : first);
    stop = true;
    reader.join();
    CHECK(torn == 0);
}

TEST_CASE("a new file has the mode that the umask gives", "[file]") {
    const TempDir dir;
    const mode_t before = ::umask(027);

    client(dir).write("a", "x");
    client(dir).write("b", "x", WriteMode::create);
    client(dir).write("c", "x", WriteMode::append);

    ::umask(before);
    CHECK(mode_of(dir / "a") == 0640);
    CHECK(mode_of(dir / "b") == 0640);
    CHECK(mode_of(dir / "c") == 0640);
}

TEST_CASE("create refuses an existing file, append adds to it", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    files.write("a", "one", WriteMode::create);
    files.write("a", "two", WriteMode::append);
    files.write("new", "first", WriteMode::append);

    const Error error = error_of([&] { files.write("a", "x", WriteMode::create); });

    CHECK(error.reason() == Reason::exists);
    CHECK(error.name() == "FILE-ERROR");
    CHECK(dir.read("a") == "onetwo");
    CHECK(dir.read("new") == "first");
    CHECK(files.list().size() == 2);
}

TEST_CASE("errors say what was tried, in the system's words, with reason and code", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    dir.write("file", "x");
    dir.write("folder/inner", "x");

    const Error missing = error_of([&] { files.read("no/such"); });
    CHECK(std::string{missing.what()} == "FILE-ERROR: reading \"no/such\" in " + dir.path() + " failed: No such file or directory; check the path");
    CHECK(missing.reason() == Reason::not_found);
    CHECK(missing.connection() == "drop");
    CHECK(missing.code() == make_error_code(FileErrc::failed));
    REQUIRE(missing.detail<FileErrorDetail>() != nullptr);
    CHECK(missing.detail<FileErrorDetail>()->system == std::errc::no_such_file_or_directory);
    CHECK(missing.detail<FileErrorDetail>()->path == "no/such");

    CHECK(error_of([&] { files.read("folder"); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.read(""); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.write("folder", "x"); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.write("", "x"); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.write("x/", "x"); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.read("file/x"); }).reason() == Reason::not_found);
    CHECK(error_of([&] { files.remove("folder"); }).reason() == Reason::exists);
    CHECK(error_of([&] { files.remove("gone"); }).reason() == Reason::not_found);
    CHECK(error_of([&] { files.stat(std::string{"a\0b", 3}); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.stat(std::string(5000, 'x')); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { files.make_directory("file/sub"); }).reason() == Reason::not_found);
    CHECK(error_of([&] { files.make_directory("file"); }).reason() == Reason::exists);
}

TEST_CASE("move renames, and replaces only when told", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    dir.write("a", "A");
    dir.write("b", "B");
    files.make_directory("sub");

    CHECK(error_of([&] { files.move("a", "b"); }).reason() == Reason::exists);
    CHECK(dir.read("b") == "B");
    files.move("a", "b", true);
    CHECK(dir.read("b") == "A");
    files.move("b", "sub/c");
    CHECK(dir.read("sub/c") == "A");
    files.move("sub", "moved");
    CHECK(dir.read("moved/c") == "A");
    CHECK(error_of([&] { files.move("a", "x"); }).reason() == Reason::not_found);
    files.remove("moved/c");
    files.remove("moved");
    CHECK(files.list().empty());
}

TEST_CASE("a file that is moved to itself stays, and of two names for one file the source goes", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    dir.write("a", "A");
    files.make_hard_link("a", "b");

    files.move("a", "./a", true);
    CHECK(dir.read("a") == "A");
    CHECK(error_of([&] { files.move("a", "a"); }).reason() == Reason::exists);
    CHECK(error_of([&] { files.move("a", "b"); }).reason() == Reason::exists);
    CHECK(dir.read("a") == "A");
    files.move("a", "b", true);
    CHECK(names(files.list()) == std::vector<std::string>{"b"});
    CHECK(dir.read("b") == "A");

    files.make_directory("sub");
    files.move("sub", "sub", true);
    CHECK(files.list("sub").empty());
}

TEST_CASE("a file that is moved to itself on another way stays: two mounts of one directory", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    dir.write("real/a", "A");
    files.make_hard_link("real/a", "real/b");
    files.make_directory("again");
    if (::mount((dir / "real").c_str(), (dir / "again").c_str(), nullptr, MS_BIND, nullptr) != 0) {
        WARN("no right to mount");
        return;
    }
    files.move("real/a", "again/a", true);
    CHECK(dir.read("real/a") == "A");
    files.move("real/a", "again/b", true);
    CHECK(names(files.list("again")) == std::vector<std::string>{"b"});
    files.move("again/b", "real/b", true);
    CHECK(dir.read("real/b") == "A");
    CHECK(::umount((dir / "again").c_str()) == 0);
}

TEST_CASE("remove takes a link, not what it leads to", "[file]") {
    const TempDir dir;
    dir.write("a", "A");
    REQUIRE(::symlink("a", (dir / "link").c_str()) == 0);

    client(dir).remove("link");

    CHECK(dir.read("a") == "A");
    CHECK_FALSE(std::filesystem::is_symlink(dir / "link"));
}

TEST_CASE("a file larger than the limit is not read", "[file]") {
    const TempDir dir;
    dir.write("a", std::string(101, 'x'));
    FileClient files{FileOptions{.label = "drop", .path = dir.path(), .max_read = 100}};

    const Error error = error_of([&] { files.read("a"); });

    CHECK(error.name() == "FILE-LIMIT-ERROR");
    CHECK(error.reason() == Reason::limit);
    dir.write("a", std::string(100, 'x'));
    CHECK(files.read("a").size() == 100);
    FileClient proc{FileOptions{.label = "proc", .path = "/proc/self", .max_read = 10}};  // says that it has 0 bytes
    CHECK(error_of([&] { proc.read("status"); }).reason() == Reason::limit);
}

TEST_CASE("pipes and devices are refused at once", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);

    CHECK(error_of([&] { files.read("pipe"); }).reason() == Reason::unsupported);
    CHECK(error_of([&] { files.write("pipe", "x", WriteMode::append); }).reason() == Reason::unsupported);
    CHECK(error_of([&] { files.write("pipe", "x"); }).reason() == Reason::unsupported);
    CHECK(error_of([&] { files.write("/dev/full", "x", WriteMode::append); }).reason() == Reason::unsupported);
    CHECK(files.stat("pipe").type == FileType::other);
}

TEST_CASE("a read-only connection changes nothing", "[file]") {
    const TempDir dir;
    dir.write("a", "A");
    auto files = client(dir, false, true);

    for (const auto& call :
         std::vector<std::function<void()>>{[&] { files.write("b", "x"); }, [&] { files.write("a", "x", WriteMode::append); },
                                            [&] { files.remove("a"); }, [&] { files.move("a", "b"); }, [&] { files.make_directory("d"); }}) {
        const Error error = error_of(call);
        CHECK(error.name() == "FILE-READ-ONLY-ERROR");
        CHECK(error.reason() == Reason::permission);
    }
    CHECK(files.read("a") == "A");
    CHECK(files.list().size() == 1);
    files.check();
}

TEST_CASE("a confined connection cannot be left", "[file]") {
    const TempDir outer;
    outer.write("secret", "S");
    outer.write("in/a", "A");
    FileClient files{FileOptions{.label = "drop", .path = outer / "in", .confine = true}};
    REQUIRE(::symlink("..", (outer / "in/up").c_str()) == 0);
    REQUIRE(::symlink("../secret", (outer / "in/out").c_str()) == 0);
    REQUIRE(::symlink("/etc/passwd", (outer / "in/absolute").c_str()) == 0);
    REQUIRE(::symlink("sub/../a", (outer / "in/fine").c_str()) == 0);
    REQUIRE(::symlink("../new", (outer / "in/dangling").c_str()) == 0);
    REQUIRE(::symlink("loop", (outer / "in/loop").c_str()) == 0);
    files.make_directory("sub");

    for (const char* path : {"../secret", "/etc/passwd", "up/secret", "out", "absolute", "sub/../../secret", "..", "up"}) {
        CAPTURE(path);
        const Error error = error_of([&] { files.stat(path); });
        CHECK(error.name() == "FILE-PATH-ERROR");
        CHECK(error.reason() == Reason::permission);
        CHECK(error_of([&] { files.read(path); }).name() == "FILE-PATH-ERROR");
        CHECK(error_of([&] { files.list(path); }).name() == "FILE-PATH-ERROR");
    }
    CHECK(error_of([&] { files.write("dangling", "x"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.write("dangling", "x", WriteMode::append); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.write("up/x", "x"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.move("a", "../a"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.move("../secret", "b"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.make_hard_link("../secret", "b"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.make_hard_link("a", "../b"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.remove("../secret"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.make_directory("up/d"); }).name() == "FILE-PATH-ERROR");
    CHECK(error_of([&] { files.read("loop"); }).reason() == Reason::bad_value);
    CHECK(outer.read("secret") == "S");
    CHECK_FALSE(std::filesystem::exists(outer / "new"));

    CHECK(files.read("fine") == "A");
    CHECK(files.read("sub/../a") == "A");
    CHECK(files.read("./sub//.././a") == "A");
    files.remove("up");  // the link itself is inside
    CHECK(std::filesystem::exists(outer / "in"));
}

TEST_CASE("paths beyond the directory are free where it is not confined", "[file]") {
    const TempDir outer;
    outer.write("other/a", "A");
    outer.write("in/b", "B");
    FileClient files{FileOptions{.label = "drop", .path = outer / "in"}};

    CHECK(files.read("../other/a") == "A");
    CHECK(files.read(outer / "other/a") == "A");
    files.make_directory(outer / "x/y");
    files.move("b", "../x/y/b");
    CHECK(outer.read("x/y/b") == "B");
}

TEST_CASE("a full disk leaves the old contents and no temporary file", "[file]") {
    const TempDir dir;
    const std::string small = dir / "small";
    REQUIRE(::mkdir(small.c_str(), 0755) == 0);
    if (::mount("none", small.c_str(), "tmpfs", 0, "size=256k") != 0) {
        WARN("no right to mount: the limit on file size stands in for a full disk, see the next test");
        return;
    }
    {
        FileClient files{FileOptions{.label = "drop", .path = small}};
        files.write("a", "old");
        files.write("log", "line\n");

        const Error error = error_of([&] { files.write("a", std::string(1'000'000, 'x')); });
        const Error fresh = error_of([&] { files.write("b", std::string(1'000'000, 'x'), WriteMode::create); });
        const Error append = error_of([&] { files.write("log", std::string(1'000'000, 'x'), WriteMode::append); });
        const Error append_new = error_of([&] { files.write("log2", std::string(1'000'000, 'x'), WriteMode::append); });

        for (const Error& one : {error, fresh, append, append_new}) {
            CHECK(one.reason() == Reason::disk_full);
            CHECK(one.retryable());
            CHECK(one.message().find("No space left on device") != std::string_view::npos);
        }
        CHECK(files.read("a") == "old");
        CHECK(files.read("log") == "line\n");
        std::size_t left = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{small}) ++left;
        CHECK(left == 2);

        const FreeSpace space = files.free_space();
        CHECK(space.total == 256 * 1024);
        CHECK(space.available <= space.total);
        CHECK(space.used_percent() > 0);
        CHECK(space.used_percent() < 50);
        CHECK(space.files > 0);

        dir.write("big", "from outside");
        FileClient outer{FileOptions{.label = "outer", .path = dir.path()}};
        make_file(dir / "mode", "over the border", 0604);
        outer.move("mode", "small/mode");
        CHECK(outer.read("small/mode") == "over the border");
        CHECK(mode_of(small + "/mode") == 0604);
        CHECK_FALSE(std::filesystem::exists(dir / "mode"));
        CHECK(error_of([&] { outer.move("big", "small/mode"); }).reason() == Reason::exists);
        CHECK(outer.read("big") == "from outside");
        CHECK(outer.list("small").size() == 3);
    }
    CHECK(::umount(small.c_str()) == 0);
}

TEST_CASE("a write that fails half way leaves nothing", "[file]") {
    const TempDir dir;
    dir.write("a", "old");
    const std::string path = dir.path();

    const bool ok = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        FileClient files{FileOptions{.label = "drop", .path = path}};
        for (const WriteMode mode : {WriteMode::replace, WriteMode::append}) {
            try {
                files.write("a", std::string(300'000, 'x'), mode);
                return false;
            } catch (const Error& error) {
                if (error.reason() != Reason::limit) return false;
            }
        }
        return true;
    });

    CHECK(ok);
    CHECK(dir.read("a") == "old");
    CHECK(std::distance(std::filesystem::directory_iterator{dir.path()}, {}) == 1);
}

TEST_CASE("rights are heeded and named", "[file]") {
    if (::geteuid() != 0) return;  // needs a user to become
    const TempDir dir;
    dir.write("locked/a", "A");
    dir.write("open/b", "B");
    REQUIRE(::chmod((dir / "locked").c_str(), 0700) == 0);
    REQUIRE(::chmod((dir / "open").c_str(), 0777) == 0);
    const std::string path = dir.path();

    const auto reason = [](const std::function<void()>& call) {
        try {
            call();
        } catch (const Error& error) { return error.reason(); }
        return Reason::none;
    };
    CHECK(in_child([&] {
        if (::setgid(65534) != 0 || ::setuid(65534) != 0) return false;
        FileClient files{FileOptions{.label = "drop", .path = path}};
        FileClient locked{FileOptions{.label = "drop", .path = path + "/locked"}};
        return reason([&] { files.read("locked/a"); }) == Reason::permission && reason([&] { files.write("new", "x"); }) == Reason::permission &&
               reason([&] { files.write("open/b", "x"); }) == Reason::permission &&  // not ours, though we may rename over it
               reason([&] { files.check(); }) == Reason::permission && reason([&] { locked.check(); }) == Reason::permission &&
               files.read("open/b") == "B";
    }));
    CHECK(dir.read("open/b") == "B");
}

TEST_CASE("the directory itself is checked", "[file]") {
    const TempDir dir;
    dir.write("file", "x");
    client(dir).check();

    const Error missing = error_of([&] { FileClient{FileOptions{.label = "drop", .path = dir / "gone"}}.check(); });
    CHECK(missing.name() == "CONNECTION-ERROR");
    CHECK(missing.reason() == Reason::not_found);
    CHECK(missing.phase() == Phase::connect);
    CHECK(error_of([&] { FileClient{FileOptions{.label = "drop", .path = dir / "file"}}.check(); }).reason() == Reason::not_found);
    CHECK(error_of([&] { FileClient{FileOptions{.label = "drop", .path = dir / "gone"}}.read("a"); }).name() == "CONNECTION-ERROR");
    CHECK(error_of([&] { FileClient{FileOptions{.label = "drop", .path = "relative"}}; }).reason() == Reason::bad_value);
    CHECK(error_of([&] { FileClient{FileOptions{.label = "drop", .path = "C:/temp"}}; }).name() == "CONNECTION-ERROR");
}

TEST_CASE("a deadline that has passed ends a call before it does anything", "[file]") {
    const TempDir dir;
    auto files = client(dir);
    dir.write("a", "A");
    const Deadline past{Clock::now() - 1s};

    CHECK(error_of([&] { files.read("a", past); }).reason() == Reason::timeout);
    CHECK(error_of([&] { files.write("b", "x", WriteMode::replace, past); }).name() == "TIMEOUT");
    CHECK(error_of([&] { files.remove("a", past); }).reason() == Reason::timeout);
    CHECK(error_of([&] { files.move("a", "c", false, past); }).reason() == Reason::timeout);
    CHECK(names(files.list()) == std::vector<std::string>{"a"});
}

TEST_CASE("no descriptor is left, whatever fails", "[file]") {
    const TempDir dir;
    auto files = client(dir, true);
    dir.write("d/a", "A");
    const auto before = test::open_descriptors();

    for (const char* path : {"d/a", "d", "gone", "../x", "d/a/b", "/x"}) {
        for (const auto& call : std::vector<std::function<void()>>{
                 [&] { files.read(path); }, [&] { files.list(path); }, [&] { files.stat(path); }, [&] { files.write(path, "x"); },
                 [&] { files.write(path, "x", WriteMode::create); }, [&] { files.write(path, "x", WriteMode::append); },
                 [&] { files.move(path, "z"); }, [&] { files.move("z", path); }, [&] { files.make_directory(path); }, [&] { files.remove(path); }}) {
            try {
                call();
            } catch (const Error&) {}
        }
    }

    CHECK(test::open_descriptors() == before);
}
