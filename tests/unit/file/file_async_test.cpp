// SPDX-License-Identifier: Apache-2.0
#include <qconn/file/file_client.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using qconn::test::TempDir;
using namespace std::chrono_literals;

namespace {

/// Takes one outcome and counts how often it came.
template <class T>
class Outcome {
public:
    Callback<T> callback() {
        return [state = state_](Result<T> result) {
            const std::scoped_lock lock{state->guard};
            ++state->count;
            state->thread = std::this_thread::get_id();
            state->result.emplace(std::move(result));
            state->came.notify_all();
        };
    }
    const Result<T>& get() {
        std::unique_lock lock{state_->guard};
        REQUIRE(state_->came.wait_for(lock, 20s, [&] { return state_->count > 0; }));
        return *state_->result;
    }
    int count() const {
        const std::scoped_lock lock{state_->guard};
        return state_->count;
    }
    std::thread::id thread() const { return state_->thread; }

private:
    struct State {
        std::mutex guard;
        std::condition_variable came;
        int count{0};
        std::thread::id thread;
        std::optional<Result<T>> result;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A runtime whose only blocking thread is busy until told.
class BusyRuntime {
public:
    BusyRuntime() : runtime_{RuntimeOptions{.io_threads = 1, .blocking_threads = 1}} {
        runtime_.post_blocking([gate = gate_] { gate->get_future().wait(); });
    }
    ~BusyRuntime() { release(); }
    void release() {
        if (!std::exchange(released_, true)) gate_->set_value();
    }
    const Runtime& get() const { return runtime_; }

private:
    std::shared_ptr<std::promise<void>> gate_ = std::make_shared<std::promise<void>>();
    bool released_{false};
    Runtime runtime_;
};

}  // namespace

TEST_CASE("the asynchronous calls do what the blocking ones do", "[file]") {
    const TempDir dir;
    FileClient files{FileOptions{.label = "drop", .path = dir.path()}};

    Outcome<void> written;
    files.async_write("a.txt", "hello", WriteMode::replace, {}, written.callback());
    CHECK(written.get().has_value());
    CHECK(written.thread() != std::this_thread::get_id());

    Outcome<std::string> text;
    files.async_read("a.txt", {}, text.callback());
    CHECK(text.get().value() == "hello");

    Outcome<FileInfo> info;
    files.async_stat("a.txt", Deadline{10s}, info.callback());
    CHECK(info.get().value().size == 5);

    Outcome<void> moved;
    files.async_move("a.txt", "b.txt", false, {}, moved.callback());
    CHECK(moved.get().has_value());

    Outcome<std::vector<FileInfo>> listed;
    files.async_list("", "*.txt", {}, listed.callback());
    REQUIRE(listed.get().value().size() == 1);
    CHECK(listed.get().value()[0].name == "b.txt");

    Outcome<void> removed;
    files.async_remove("b.txt", {}, removed.callback());
    CHECK(removed.get().has_value());

    Outcome<std::string> missing;
    files.async_read("b.txt", {}, missing.callback());
    REQUIRE_FALSE(missing.get().has_value());
    CHECK(missing.get().error().reason() == Reason::not_found);
    CHECK(missing.get().error().connection() == "drop");
}

TEST_CASE("a call that waits for a thread is cancelled at once and never runs", "[file]") {
    const TempDir dir;
    BusyRuntime busy;
    FileClient files{FileOptions{.label = "drop", .path = dir.path()}, busy.get()};
    Outcome<void> written;

    Operation operation = files.async_write("a", "x", WriteMode::replace, {}, written.callback());
    CHECK_FALSE(operation.done());
    operation.cancel();

    REQUIRE_FALSE(written.get().has_value());
    CHECK(written.get().error().reason() == Reason::cancelled);
    CHECK(operation.done());
    operation.cancel();
    busy.release();
    CHECK(files.list().empty());
    CHECK(written.count() == 1);
}

TEST_CASE("a deadline ends a call that waits for a thread", "[file]") {
    const TempDir dir;
    BusyRuntime busy;
    FileClient files{FileOptions{.label = "drop", .path = dir.path()}, busy.get()};
    Outcome<std::string> text;
    const auto started = Clock::now();

    const Operation operation = files.async_read("a", Deadline{50ms}, text.callback());

    REQUIRE_FALSE(text.get().has_value());
    CHECK(text.get().error().reason() == Reason::timeout);
    CHECK(text.get().error().name() == "TIMEOUT");
    CHECK(Clock::now() - started < 5s);
}

TEST_CASE("destroying the client ends what it has under way as cancelled", "[file]") {
    const TempDir dir;
    BusyRuntime busy;
    Outcome<void> written;
    Outcome<std::string> text;
    {
        FileClient files{FileOptions{.label = "drop", .path = dir.path()}, busy.get()};
        files.async_write("a", "x", WriteMode::replace, {}, written.callback());
        files.async_read("a", Deadline{1h}, text.callback());
    }
    CHECK(written.get().error().reason() == Reason::cancelled);
    CHECK(text.get().error().reason() == Reason::cancelled);
    busy.release();
}

TEST_CASE("a cancelled write leaves the old file or the new one, and the callback tells which", "[file]") {
    const TempDir dir;
    FileClient files{FileOptions{.label = "drop", .path = dir.path()}, Runtime{RuntimeOptions{.blocking_threads = 2}}};
    const std::string old(10, 'o');
    const std::string fresh(3'000'000, 'n');

    for (int i = 0; i < 40; ++i) {
        files.write("a", old);
        Outcome<void> written;
        Operation operation = files.async_write("a", fresh, WriteMode::replace, {}, written.callback());
        std::this_thread::sleep_for(std::chrono::microseconds{i * 100});  // wherever it is by then
        operation.cancel();
        const bool done = written.get().has_value();
        if (!done) CHECK(written.get().error().reason() == Reason::cancelled);
        CHECK(files.read("a") == (done ? fresh : old));
        // The work that was given up removes its temporary file in its own time.
        CHECK(test::wait_until([&] { return ::access((dir / "a").c_str(), F_OK) == 0 && files.list().size() == 1; }));
        CHECK(written.count() == 1);
    }
}

TEST_CASE("many calls run beside each other, some cancelled, each with one callback", "[file]") {
    const TempDir dir;
    std::atomic<int> callbacks{0};
    constexpr int k_calls = 200;
    {
        FileClient files{FileOptions{.label = "drop", .path = dir.path()}, Runtime{RuntimeOptions{.io_threads = 2, .blocking_threads = 4}}};
        std::vector<Operation> operations;
        for (int i = 0; i < k_calls; ++i) {
            const std::string name = std::to_string(i % 10);
            const auto count = [&callbacks](const auto&) { ++callbacks; };
            if (i % 2 == 0)
                operations.push_back(files.async_write(name, std::string(5'000, 'x'), WriteMode::replace, Deadline{1min}, count));
            else
                operations.push_back(files.async_read(name, Deadline{1ms * (i % 7)}, count));
            if (i % 5 == 0) operations.back().cancel();
        }
    }
    CHECK(test::wait_until([&] { return callbacks == k_calls; }));
}
