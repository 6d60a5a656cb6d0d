// SPDX-License-Identifier: Apache-2.0
// Calls go through a registry while the files of its directory are replaced, broken, renamed and removed.
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/core/watch.hpp>
#include <qconn/file/file_client.hpp>

#include "support/catch.hpp"
#include "support/document.hpp"
#include "support/fd_count.hpp"
#include "support/http_use.hpp"
#include "support/outcomes.hpp"
#include "support/server.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 60s;
constexpr int k_threads = 8;
/// Names that are always there, and others whose files come and go.
constexpr int k_steady = 6;
constexpr int k_fleeting = 6;
/// Begun at once by each thread, without a pin.
constexpr std::size_t k_asynchronous = 3;

/// QCONN_TEST_CHANGES, or what an ordinary run has time for.
int count_of_changes() {
    const char* given = std::getenv("QCONN_TEST_CHANGES");
    return given ? std::max(1, std::atoi(given)) : 300;
}

std::string name_of(int number) { return (number < k_steady ? "steady-" : "fleeting-") + std::to_string(number); }

/// The scheme http with its clients counted.
class Counted {
public:
    Counted() {
        Scheme scheme = *builtin_catalogue().find("http");
        scheme.make_client = [alive = alive_](const ResolvedDefinition& definition, const Runtime& runtime) {
            auto client = builtin_catalogue().find("http")->make_client(definition, runtime);
            Client* const plain = client.get();
            ++*alive;
            return std::shared_ptr<Client>{plain, [client = std::move(client), alive](Client*) mutable {
                                               client.reset();
                                               --*alive;
                                           }};
        };
        catalogue.add(std::move(scheme));
    }
    int alive() const { return *alive_; }

    Catalogue catalogue;

private:
    std::shared_ptr<std::atomic<int>> alive_ = std::make_shared<std::atomic<int>>(0);
};

/// Two answers of one server.
class Answers {
public:
    Answers() {
        for (const char* name : {"old.txt", "new.txt"}) {
            nginx_.directory().write(std::string{"www/"} + name, body(name));
            ::chmod((nginx_.directory() / (std::string{"www/"} + name)).c_str(), 0644);
        }
    }
    std::string url(int version) const { return "http://" + nginx_.address() + (version % 2 == 0 ? "/old.txt" : "/new.txt"); }
    bool is_whole(const std::string& answer) const { return answer == body("old.txt") || answer == body("new.txt"); }

private:
    static std::string body(const std::string& name) {
        std::string text;
        while (text.size() < 20'000) text += name + '\n';
        return text;
    }
    Server nginx_{"nginx"};
};

/// What calls came to.
class Tally {
public:
    void good() {
        const std::scoped_lock lock{mutex_};
        ++good_;
    }
    void bad(const std::string& name, const std::string& how) {
        const std::scoped_lock lock{mutex_};
        ++bad_[(name.starts_with("steady") ? "steady: " : "fleeting: ") + how];
    }
    int count() const {
        const std::scoped_lock lock{mutex_};
        return good_;
    }
    std::map<std::string, int> all_bad() const {
        const std::scoped_lock lock{mutex_};
        return bad_;
    }

private:
    mutable std::mutex mutex_;
    int good_{0};  // guarded by mutex_, as the next
    std::map<std::string, int> bad_;
};

/// One thread that calls: blocking, and asynchronously through a Ref that pins nothing.
void call_on(Registry& registry, const Answers& answers, Tally& tally, const std::atomic<bool>& stopped, unsigned seed) {
    std::minstd_rand random{seed};
    const Use use = http_get("");
    const auto note = [&](const std::string& name, const Result<std::string>& result) {
        if (result && answers.is_whole(*result)) return tally.good();
        if (result) return tally.bad(name, "another answer, of " + std::to_string(result->size()) + " bytes");
        const bool may_be_gone =
            name.starts_with("fleeting") && (result.error().name() == "CONNECTION-UNKNOWN" || result.error().name() == "CONNECTION-REMOVED");
        if (!may_be_gone) tally.bad(name, result.error().what());
    };
    while (!stopped) {
        const std::string name = name_of(static_cast<int>(random() % (k_steady + k_fleeting)));
        try {
            const auto ref = registry.get<HttpClient>(name);
            note(name, use.blocking(*ref.pin(), k_enough));
            Outcomes<std::string> outcomes;
            std::size_t begun = 0;
            try {
                for (; begun < k_asynchronous; ++begun) use.asynchronous(*ref.pin(), k_enough, outcomes.callback());
            } catch (const Error& error) { note(name, error); }
            if (!wait_until([&] { return outcomes.count() == begun; }, 2 * k_enough)) tally.bad(name, "a callback did not come");
            for (const auto& result : outcomes.results()) note(name, result);
        } catch (const Error& error) { note(name, error); }
    }
}

/// The directory, and what happens to its files. Each change is one step that the system makes at once.
class Files {
public:
    explicit Files(const Answers& answers) : answers_{answers} {
        for (int i = 0; i < k_steady + k_fleeting; ++i) replace(i);
    }
    const std::string& path() const { return directory_.path(); }

    void change() {
        const int number = static_cast<int>(random_() % (k_steady + k_fleeting));
        State& state = states_[number];
        if (state.removed || state.broken) return replace(number);
        switch (random_() % 4) {
            case 0: return rename(number);
            // A broken file stands for the connection of its name: where it has another one, nothing says which it was.
            case 1: return number >= k_steady ? remove(number) : state.renamed ? replace(number) : spoil(number);
            default: return replace(number);
        }
    }
    /// All are there and good.
    void mend() {
        for (int i = 0; i < k_steady + k_fleeting; ++i) replace(i);
    }

private:
    struct State {
        int version{0};
        bool renamed{false};
        bool broken{false};
        bool removed{false};
    };

    std::string file(int number) const { return directory_ / (name_of(number) + (states_.at(number).renamed ? "-renamed" : "") + ".qconn.yaml"); }
    void put(int number, const std::string& text) {
        const std::string fresh = directory_.write("fresh.tmp", text);
        REQUIRE(std::rename(fresh.c_str(), file(number).c_str()) == 0);
    }
    void replace(int number) {
        State& state = states_[number];
        ++state.version;
        state.broken = state.removed = false;
        put(number, document(name_of(number), answers_.url(state.version), "timeout: " + std::to_string(60'000 + state.version)));
    }
    void spoil(int number) {
        states_[number].broken = true;
        put(number, "type: connection\nname: [" + name_of(number) + "\nurl: \t{\n");
    }
    void rename(int number) {
        const std::string from = file(number);
        states_[number].renamed = !states_[number].renamed;
        REQUIRE(std::rename(from.c_str(), file(number).c_str()) == 0);
    }
    void remove(int number) {
        states_[number].removed = true;
        REQUIRE(std::remove(file(number).c_str()) == 0);
    }

    const Answers& answers_;
    TempDir directory_;
    std::minstd_rand random_{4711};
    std::map<int, State> states_;
};

}  // namespace

TEST_CASE("every call is answered whole while files are replaced, broken, renamed and removed", "[registry][integration]") {
    const int changes = count_of_changes();
    const Answers answers;
    // What is made once a process is made now.
    std::thread{[] {}}.join();
    {
        HttpOptions options;
        options.url = answers.url(0);
        HttpClient{options, Runtime{RuntimeOptions{}}}.get("");
    }
    const std::size_t descriptors = open_descriptors();
    const std::size_t threads = count_threads();
    const Counted counted;
    Tally tally;
    int reloads = 0;
    {
        Files files{answers};
        const Runtime runtime{RuntimeOptions{.io_threads = 2, .log = Log{LogLevel::off, {}}}};
        Registry registry{RegistryOptions{.catalogue = &counted.catalogue, .runtime = runtime}};
        REQUIRE(registry.load(files.path()).ok());
        std::atomic<int> reloaded{0};
        const Watch watch = registry.watch({.debounce = 1ms, .at_most = 5ms, .on_reload = [&](const LoadReport&) { ++reloaded; }});
        std::atomic<bool> stopped{false};
        std::vector<std::thread> callers;
        for (unsigned i = 0; i < k_threads; ++i) callers.emplace_back([&, i] { call_on(registry, answers, tally, stopped, i + 1); });

        std::minstd_rand random{17};
        for (int done = 0; done < changes;) {
            const int before = reloaded;
            const int burst = std::min(changes - done, 1 + static_cast<int>(random() % 8));
            for (int i = 0; i < burst; ++i) files.change();
            done += burst;
            // Those that change nothing that is read come with no reload; calls go on meanwhile.
            wait_until([&] { return reloaded != before; }, 1s);
        }
        const int good = tally.count();
        CHECK(wait_until([&] { return tally.count() > good + 10 * k_threads; }, k_enough));
        stopped = true;
        for (std::thread& caller : callers) caller.join();
        reloads = reloaded;

        files.mend();
        CHECK(wait_until([&] { return registry.size() == k_steady + k_fleeting && registry.reload().ok(); }, k_enough));
        CHECK(wait_until([&] { return registry.retired_clients() == 0 && counted.alive() <= k_steady + k_fleeting; }, k_enough));
        for (const ConnectionInfo& info : registry.infos()) CHECK(info.validity == Validity::valid);
    }
    for (const auto& [how, count] : tally.all_bad()) FAIL_CHECK(count << " times " << how);
    INFO(changes << " changes, " << reloads << " reloads, " << tally.count() << " calls");
    CHECK(wait_until([&] { return counted.alive() == 0; }, k_enough));
    CHECK(wait_until([&] { return open_descriptors() <= descriptors && count_threads() <= threads; }, k_enough));
    CAPTURE(list_descriptors(), list_threads());
    CHECK(open_descriptors() <= descriptors);
    CHECK(count_threads() <= threads);
    if (std::getenv("QCONN_TEST_CHANGES")) std::printf("%d changes, %d reloads, %d calls\n", changes, reloads, tally.count());
}

TEST_CASE("a call that has begun is answered although a reload has replaced its client", "[registry][integration]") {
    Server nginx{"nginx"};
    TempDir directory;
    TempDir data;
    data.write("in/a.txt", "whole");
    const std::string slow = "http://" + nginx.address() + "/delay/1";
    const auto write = [&](int version) {
        directory.write("slow.qconn.yaml", document("slow", slow, "timeout: " + std::to_string(50'000 + version)));
        directory.write("files.qconn.yaml", document("files", "file://" + data.path() + (version == 0 ? "/in" : "")));
    };
    write(0);
    Runtime runtime{RuntimeOptions{.blocking_threads = 1}};
    Registry registry{RegistryOptions{.runtime = runtime}};
    REQUIRE(registry.load(directory.path()).ok());
    const auto http = registry.get<HttpClient>("slow");
    const auto files = registry.get<FileClient>("files");

    Outcomes<HttpResponse> responses;
    Outcomes<std::string> texts;
    std::promise<void> go_on;
    runtime.post_blocking([gate = go_on.get_future().share()] { gate.wait(); });  // the file's turn comes after the reload
    http->async_request({}, {}, responses.callback());
    files->async_read("a.txt", {}, texts.callback());
    auto blocking = std::async(std::launch::async, [&] { return http->get("").body; });
    write(1);
    CHECK(registry.reload().updated == 2);
    CHECK(registry.info("files").retired_clients == 1);
    go_on.set_value();

    CHECK(blocking.get() == "waited\n");
    REQUIRE(responses.wait(1));
    REQUIRE(responses.results().front());
    CHECK(responses.results().front()->body == "waited\n");
    REQUIRE(texts.wait(1));
    REQUIRE(texts.results().front());
    CHECK(*texts.results().front() == "whole");
    CHECK(wait_until([&] { return registry.retired_clients() == 0; }, k_enough));
}
