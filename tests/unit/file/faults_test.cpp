// SPDX-License-Identifier: Apache-2.0
// What others do, and what the system says, between two steps of a transfer: functions of libc are replaced in this program.
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include <qconn/file/file_client.hpp>
#include <qconn/file/transfer.hpp>

#include "file/temporary_name.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

std::function<void()> before_lock;  ///< once
bool close_fails = false;           ///< of files: what NFS says when the quota is used up

bool is_regular(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

extern "C" int flock(int fd, int operation) {
    if (const auto step = std::exchange(before_lock, {})) step();
    return static_cast<int>(::syscall(SYS_flock, fd, operation));
}
extern "C" int close(int fd) {
    const bool fails = close_fails && is_regular(fd);
    const int result = static_cast<int>(::syscall(SYS_close, fd));
    if (!fails) return result;
    errno = EDQUOT;
    return -1;
}

namespace {

FileClient at(const TempDir& dir) { return FileClient{FileOptions{.label = "drop", .path = dir.path()}}; }

/// Another transfer to `a` that has the same part finishes it just before the lock is asked for.
void finish_another(const TempDir& dir) {
    before_lock = [&dir] { std::filesystem::rename(dir / file::part_name("a"), dir / "a"); };
}

std::size_t count_in(const TempDir& dir) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{dir.path()}, std::filesystem::directory_iterator{}));
}

}  // namespace

TEST_CASE("a part that got its name while its lock was waited for is not written to: that file is finished", "[file][faults]") {
    const TempDir there;
    const TempDir here;
    there.write("a", "of the connection");
    auto remote = at(there);

    // To this machine: the fetch fails, and what the other one brought stays.
    here.write(file::part_name("a"), "finished by another");
    finish_another(here);
    FileCopyOptions torn;
    torn.progress = [](std::uint64_t, std::optional<std::uint64_t>) { throw std::runtime_error{"the tape is torn"}; };
    CHECK(error_of([&] { get_file(remote, "a", here / "a", torn); }).name() == "FILE-ERROR");
    CHECK(here.read("a") == "finished by another");
    CHECK(count_in(here) == 1);

    // To a connection.
    there.write(file::part_name("a"), "finished by another");
    finish_another(there);
    const auto source = function_source([](char*, std::size_t) -> std::size_t { throw std::runtime_error{"the tape is torn"}; });
    CHECK(error_of([&] { remote.put("a", *source, {.resume = true}); }).name() == "FILE-ERROR");
    CHECK(there.read("a") == "finished by another");
}

TEST_CASE("a part that somebody else replaces does not get the name", "[file][faults]") {
    const TempDir there;
    const TempDir here;
    there.write("a", "of the connection");
    here.write("a", "old");
    auto remote = at(there);
    const auto replace = [&](const TempDir& dir) {
        std::filesystem::remove(dir / file::part_name("a"));
        dir.write(file::part_name("a"), "something else");
    };

    FileCopyOptions options;
    options.progress = [&](std::uint64_t, std::optional<std::uint64_t>) { replace(here); };
    const Error fetched = error_of([&] { get_file(remote, "a", here / "a", options); });
    CHECK(fetched.name() == "SYSTEM-ERROR");
    CHECK(fetched.message().find("replaced meanwhile") != std::string_view::npos);
    CHECK(here.read("a") == "old");
    CHECK(here.read(file::part_name("a")) == "something else");

    const auto source = text_source("new");
    const auto progress = [&](std::uint64_t, std::optional<std::uint64_t>) { replace(there); };
    CHECK(error_of([&] { remote.put("a", *source, {.resume = true, .progress = progress}); }).message().find("replaced meanwhile") !=
          std::string_view::npos);
    CHECK(there.read("a") == "of the connection");
}

TEST_CASE("what the system says when a file is closed is heard before the file has its name", "[file][faults]") {
    const TempDir there;
    const TempDir here;
    there.write("a", "new");
    here.write("a", "old");
    auto remote = at(there);
    auto local = at(here);

    close_fails = true;
    const Error fetched = error_of([&] { get_file(remote, "a", here / "a"); });
    const Error written = error_of([&] { local.write("a", "new"); });
    close_fails = false;

    CHECK(fetched.name() == "SYSTEM-ERROR");
    CHECK(fetched.reason() == Reason::disk_full);
    CHECK(written.reason() == Reason::disk_full);
    CHECK(here.read("a") == "old");
    CHECK(count_in(here) == 1);
}
