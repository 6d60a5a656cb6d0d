// SPDX-License-Identifier: Apache-2.0
// Every call timed out, cancelled and its client destroyed while the file system hangs, for which functions of libc are replaced in this program.
#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/file/file_client.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Where the file system hangs: a function of libc, which then waits until it is released.
class Hang {
public:
    static void arm(std::string_view where) {
        inside_ = 0;
        where_ = where;
        armed_ = true;
    }
    static void release() { armed_ = false; }
    /// Called by the functions that are replaced.
    static void pass(std::string_view function) {
        if (!armed_ || where_ != function) return;
        ++inside_;
        wait_until([] { return !armed_; }, 20s);
    }
    static bool is_inside() { return inside_ > 0; }

private:
    static inline std::string_view where_;  // written while nothing is armed
    static inline std::atomic<bool> armed_{false};
    static inline std::atomic<int> inside_{0};
};

/// Not what wakes up threads.
bool is_file(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

extern "C" ssize_t read(int fd, void* data, size_t size) {
    if (is_file(fd)) Hang::pass("read");
    return ::syscall(SYS_read, fd, data, size);
}
extern "C" ssize_t write(int fd, const void* data, size_t size) {
    if (is_file(fd)) Hang::pass("write");
    return ::syscall(SYS_write, fd, data, size);
}
extern "C" int fsync(int fd) {
    Hang::pass("fsync");
    return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int fstatat(int folder, const char* name, struct stat* info, int flags) {
    Hang::pass("fstatat");
    return static_cast<int>(::syscall(SYS_newfstatat, folder, name, info, flags));
}
extern "C" int renameat(int from, const char* name, int to, const char* new_name) {
    Hang::pass("renameat");
    return static_cast<int>(::syscall(SYS_renameat, from, name, to, new_name));
}
extern "C" int unlinkat(int folder, const char* name, int flags) {
    Hang::pass("unlinkat");
    return static_cast<int>(::syscall(SYS_unlinkat, folder, name, flags));
}
extern "C" int fnmatch(const char*, const char*, int) {
    Hang::pass("fnmatch");
    return 0;
}

namespace {

/// An operation and where it hangs.
struct Case {
    std::string_view hangs_in;
    /// It is just making its effect, so a cancellation comes too late and its real outcome counts.
    bool committed;
    /// Whether there is another look at the deadline after that.
    bool looks_again;
    void (*call)(FileClient&, Deadline);
    Operation (*start)(FileClient&, Deadline, Callback<void>);
};

template <class T>
Callback<T> without_value(Callback<void> callback) {
    return [callback = std::make_shared<Callback<void>>(std::move(callback))](Result<T> result) {
        (*callback)(result ? Result<void>{} : Result<void>{result.error()});
    };
}

const Case k_cases[] = {
    {"fnmatch", false, true, [](FileClient& c, Deadline d) { c.list("many", "*", d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_list("many", "*", d, without_value<std::vector<FileInfo>>(std::move(f))); }},
    {"fstatat", false, false, [](FileClient& c, Deadline d) { c.stat("old", d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_stat("old", d, without_value<FileInfo>(std::move(f))); }},
    {"read", false, true, [](FileClient& c, Deadline d) { c.read("old", d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_read("old", d, without_value<std::string>(std::move(f))); }},
    {"write", false, true, [](FileClient& c, Deadline d) { c.write("old", "new", WriteMode::replace, d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_write("old", "new", WriteMode::replace, d, std::move(f)); }},
    {"fsync", false, true, [](FileClient& c, Deadline d) { c.write("old", "new", WriteMode::append, d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_write("old", "new", WriteMode::append, d, std::move(f)); }},
    {"renameat", true, false, [](FileClient& c, Deadline d) { c.move("old", "moved", true, d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_move("old", "moved", true, d, std::move(f)); }},
    {"unlinkat", true, false, [](FileClient& c, Deadline d) { c.remove("old", d); },
     [](FileClient& c, Deadline d, Callback<void> f) { return c.async_remove("old", d, std::move(f)); }},
};

/// A directory with what the cases need, and a client of it.
struct Fixture {
    Fixture() {
        std::ofstream{dir / "old"} << "old";
        ::mkdir((dir / "many").c_str(), 0700);
        for (int i = 0; i < 600; ++i) std::ofstream{dir / ("many/" + std::to_string(i))};
    }
    /// Waits for what was given up, and for callbacks on their way.
    void settle() {
        std::promise<void> worked;
        runtime.post_blocking([&worked] { worked.set_value(); });
        worked.get_future().wait();
        std::promise<void> delivered;
        runtime.post([&delivered] { delivered.set_value(); });
        delivered.get_future().wait();
    }

    TempDir dir;
    Runtime runtime{RuntimeOptions{.io_threads = 1, .blocking_threads = 1}};
    std::unique_ptr<FileClient> client = std::make_unique<FileClient>(FileOptions{.label = "drop", .path = dir.path()}, runtime);
};

/// The outcome of an asynchronous call, and how many of them came.
struct Outcome {
    Callback<void> callback() {
        return [this](const Result<void>& result) {
            if (++count == 1) promise.set_value(result ? Reason::none : result.error().reason());
        };
    }
    Reason get() {
        REQUIRE(future.wait_for(20s) == std::future_status::ready);
        return future.get();
    }
    std::atomic<int> count{0};
    std::promise<Reason> promise;
    std::future<Reason> future{promise.get_future()};
};

Reason reason_of(const std::function<void()>& call) {
    try {
        call();
        return Reason::none;
    } catch (const Error& error) { return error.reason(); }
}

}  // namespace

TEST_CASE("an asynchronous call ends at its deadline while the file system hangs", "[file]") {
    const Case& one = GENERATE(from_range(std::begin(k_cases), std::end(k_cases)));
    CAPTURE(one.hangs_in);
    Fixture fixture;
    Outcome outcome;
    Hang::arm(one.hangs_in);

    const Operation operation = one.start(*fixture.client, Deadline{50ms}, outcome.callback());

    CHECK(to_string(outcome.get()) == to_string(Reason::timeout));
    CHECK(operation.done());
    Hang::release();
    fixture.client.reset();
    fixture.settle();
    CHECK(outcome.count == 1);
}

TEST_CASE("an asynchronous call is cancelled while the file system hangs, unless it is making its effect", "[file]") {
    const Case& one = GENERATE(from_range(std::begin(k_cases), std::end(k_cases)));
    const bool destroy = GENERATE(false, true);
    CAPTURE(one.hangs_in, destroy);
    Fixture fixture;
    Outcome outcome;
    Hang::arm(one.hangs_in);
    Operation operation = one.start(*fixture.client, {}, outcome.callback());
    REQUIRE(wait_until(&Hang::is_inside));

    if (destroy)
        fixture.client.reset();
    else
        operation.cancel();

    if (one.committed) {
        CHECK_FALSE(operation.done());
        Hang::release();
    }
    CHECK(to_string(outcome.get()) == to_string(one.committed ? Reason::none : Reason::cancelled));
    Hang::release();
    fixture.client.reset();
    fixture.settle();
    CHECK(outcome.count == 1);
}

TEST_CASE("a blocking call cannot leave a file system that hangs, and ends as soon as that answers", "[file]") {
    const Case& one = GENERATE(from_range(std::begin(k_cases), std::end(k_cases)));
    const bool destroy = GENERATE(false, true);
    CAPTURE(one.hangs_in, destroy);
    Fixture fixture;
    Hang::arm(one.hangs_in);
    const Deadline deadline = destroy ? Deadline{} : Deadline{30ms};
    auto ended =
        std::async(std::launch::async, [&one, deadline, used = fixture.client.get()] { return reason_of([&] { one.call(*used, deadline); }); });
    REQUIRE(wait_until(&Hang::is_inside));

    if (destroy)
        fixture.client.reset();
    else
        wait_until([&] { return deadline.has_passed(); });
    CHECK(ended.wait_for(0s) == std::future_status::timeout);
    Hang::release();

    const Reason expected = !one.looks_again ? Reason::none : destroy ? Reason::cancelled : Reason::timeout;
    CHECK(to_string(ended.get()) == to_string(expected));
}

TEST_CASE("a pipe in the directory holds up nothing", "[file]") {
    Fixture fixture;
    FileClient& files = *fixture.client;
    REQUIRE(::mkfifo((fixture.dir / "pipe").c_str(), 0600) == 0);

    CHECK(files.list().size() == 3);
    CHECK(files.stat("pipe").type == FileType::other);
    CHECK(reason_of([&] { files.read("pipe"); }) == Reason::unsupported);
    for (const WriteMode mode : {WriteMode::replace, WriteMode::append})
        CHECK(reason_of([&] { files.write("pipe", "x", mode); }) == Reason::unsupported);
    Outcome outcome;
    files.async_read("pipe", {}, without_value<std::string>(outcome.callback()));
    CHECK(outcome.get() == Reason::unsupported);
    CHECK(reason_of([&] { files.move("pipe", "pipe2"); }) == Reason::none);
    CHECK(reason_of([&] { files.remove("pipe2"); }) == Reason::none);
}
