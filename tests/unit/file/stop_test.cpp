// SPDX-License-Identifier: Apache-2.0
// Cancellations at exact moments, for which two functions of libc are replaced in this program.
#include <fnmatch.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "file/storage.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::file;
using qconn::test::TempDir;

namespace {

std::function<void()> g_at_sync;
std::function<bool()> g_match;

Reason reason_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) { return error.reason(); }
    return Reason::none;
}

std::string contents(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void append(const Task& task, const FileOptions& options, std::string_view data, const Stop& stop) {
    const auto source = text_source(data);
    put(task, options, *source, {.mode = WriteMode::append}, stop);
}

}  // namespace

extern "C" int fsync(int fd) {
    if (g_at_sync) g_at_sync();
    return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int fdatasync(int fd) {
    if (g_at_sync) g_at_sync();
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fnmatch(const char*, const char*, int) { return g_match && g_match() ? 0 : FNM_NOMATCH; }

TEST_CASE("an append that is cancelled during its last write leaves the file as it was", "[file]") {
    const TempDir dir;
    const FileOptions options{.label = "drop", .path = dir.path()};
    const Task task{"drop", dir.path(), "appending to", "a.txt"};
    const std::string path = std::string{dir.path()} + "/a.txt";
    const bool there = GENERATE(true, false);
    if (there) std::ofstream{path} << "before ";

    std::atomic<int> call{k_open};
    g_at_sync = [&] { call = k_done; };
    CHECK(reason_of([&] { append(task, options, "after", Stop{Deadline{}, &call}); }) == Reason::cancelled);
    g_at_sync = nullptr;
    CHECK(std::filesystem::exists(path) == there);
    if (there) CHECK(contents(path) == "before ");

    call = k_open;
    append(task, options, "after", Stop{Deadline{}, &call});
    CHECK(contents(path) == (there ? "before after" : "after"));
    CHECK(call == k_committed);
}

TEST_CASE("a listing that finds little is cancelled all the same", "[file]") {
    const TempDir dir;
    const FileOptions options{.label = "drop", .path = dir.path()};
    for (int i = 0; i < 600; ++i) std::ofstream{std::string{dir.path()} + "/" + std::to_string(i)};

    std::atomic<int> call{k_open};
    g_match = [&] { return call.exchange(k_done) == k_open; };  // the first entry only
    CHECK(reason_of([&] { list({"drop", dir.path(), "listing", ""}, options, "x*", Stop{Deadline{}, &call}); }) == Reason::cancelled);
    g_match = nullptr;
}
