// SPDX-License-Identifier: Apache-2.0
/// Look-ups, first uses and changes beside each other. Assertions are made in the main thread only.
#include <pthread.h>
#include <signal.h>

#include <array>
#include <optional>
#include <random>

#include "registry_scheme.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

std::atomic<bool> g_parked{false};
std::atomic<bool> g_go_on{true};

/// Holds its thread wherever the signal met it.
extern "C" void park(int) {
    g_parked.store(true);
    while (!g_go_on.load()) sched_yield();
    g_parked.store(false);
}

struct Reader {
    std::atomic<std::uint64_t> rounds{0};
    std::string failure;
};

}  // namespace

TEST_CASE("first users at the same time wait for one construction", "[registry][threads]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    const auto ref = f.registry->get<FakeClient>("shop");
    std::atomic<int> arrived{0};
    f.world->on_make = [&](const ResolvedDefinition&) { wait_until([&] { return arrived == 4; }); };
    std::array<int, 4> serials{};

    std::vector<std::thread> threads;
    for (int& serial : serials)
        threads.emplace_back([&] {
            ++arrived;
            serial = ref->serial();
        });
    for (auto& thread : threads) thread.join();

    CHECK(f.world->made == 1);
    CHECK(serials == std::array{1, 1, 1, 1});
}

TEST_CASE("a failed construction is thrown to all who waited for it", "[registry][threads]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://h"));
    const auto ref = f.registry->get<FakeClient>("shop");
    std::atomic<int> attempts{0};
    f.world->on_make = [&](const ResolvedDefinition&) {
        ++attempts;
        throw Error{make_error_code(Errc::system), "FAKE-ERROR", "not today"};
    };
    std::atomic<int> thrown{0};

    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            if (thrown_name([&] { ref.pin(); }) == "FAKE-ERROR") ++thrown;
        });
    for (auto& thread : threads) thread.join();

    CHECK(thrown == 4);
    CHECK(attempts >= 1);
    CHECK(attempts <= 4);
}

TEST_CASE("a definition replaced while its client is made: the user gets the new one", "[registry][threads]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://one"));
    const auto ref = f.registry->get<FakeClient>("shop");
    std::atomic<bool> making{false};
    std::atomic<bool> updated{false};
    f.world->on_make = [&](const ResolvedDefinition& definition) {
        if (definition.url.host != "one") return;
        making = true;
        wait_until([&] { return updated.load(); });
    };

    std::string greeting;
    std::thread user{[&] { greeting = ref->greet(); }};
    CHECK(wait_until([&] { return making.load(); }));
    f.registry->update(FakeRegistry::definition("shop", "fake://two"));
    updated = true;
    user.join();

    CHECK(greeting == "shop@two grey");
    CHECK(f.world->alive == 1);
}

TEST_CASE("an idle thread keeps no retired client alive", "[registry][threads]") {
    FakeRegistry f;
    f.registry->add(FakeRegistry::definition("shop", "fake://one"));
    f.registry->add(FakeRegistry::definition("gone", "fake://gone"));
    std::atomic<bool> used{false};
    std::atomic<bool> end{false};
    std::thread idle{[&] {
        for (int i = 0; i < 10; ++i) {
            f.registry->get<FakeClient>("shop")->greet();
            f.registry->get<FakeClient>("gone")->greet();
        }
        used = true;
        wait_until([&] { return end.load(); });
    }};
    CHECK(wait_until([&] { return used.load(); }));
    CHECK(f.world->alive == 2);

    f.registry->update(FakeRegistry::definition("shop", "fake://two"));
    f.registry->remove("gone");
    CHECK(f.world->alive == 0);
    const std::weak_ptr<core::RegistryImpl> impl = f.registry->impl();
    f.registry.reset();
    CHECK(impl.expired());

    end = true;
    idle.join();
}

TEST_CASE("look-ups, uses and changes beside each other", "[registry][threads]") {
    FakeRegistry f;
    constexpr int k_names = 12;
    const auto write = [&](int round) {
        for (int i = 0; i < k_names; ++i) {
            if (i >= 8 && (i + round) % 3 == 0)
                std::remove((f.directory / ("n" + std::to_string(i) + ".qconn.yaml")).c_str());
            else
                f.write("n" + std::to_string(i), i < 4 ? "fake://stable" : "fake://h" + std::to_string(round));
        }
    };
    write(0);
    f.registry->load(f.directory.path());
    std::atomic<bool> end{false};
    std::array<Reader, 3> readers;
    std::vector<std::thread> threads;
    for (std::size_t r = 0; r < readers.size(); ++r) {
        threads.emplace_back([&, r] {
            std::mt19937 random{static_cast<unsigned>(r)};
            Reader& reader = readers[r];
            std::vector<std::shared_ptr<FakeClient>> pinned(4);
            std::vector<Ref<FakeClient>> refs(k_names);
            while (!end && reader.failure.empty()) {
                const std::size_t i = random() % k_names;
                const std::string name = "n" + std::to_string(i);
                try {
                    if (random() % 2 == 0 || !refs[i]) refs[i] = f.registry->get<FakeClient>(name);
                    if (!refs[i]->is_whole() || refs[i]->label() != name) reader.failure = "a client that is none: " + name;
                    pinned[random() % pinned.size()] = refs[i].pin();
                    for (const auto& one : pinned)
                        if (one && !one->is_whole()) reader.failure = "a pinned client went";
                    if (random() % 64 == 0 && f.registry->infos().size() < 8) reader.failure = "a connection too few";
                } catch (const Error& error) {
                    if (i < 8 || (error.name() != "CONNECTION-UNKNOWN" && error.name() != "CONNECTION-REMOVED")) reader.failure = error.what();
                }
                ++reader.rounds;
            }
        });
    }
    std::atomic<int> allowed{0};
    threads.emplace_back([&] {
        for (int i = 0; !end;) {
            if (i >= allowed) {
                std::this_thread::yield();
                continue;
            }
            f.registry->set_tags("n1", {{"i", i}});
            f.registry->set_monitored("n5", i++ % 2 == 0);
        }
    });

    for (int round = 1; round <= 30; ++round) {
        write(round);
        allowed += 3;
        CHECK(f.registry->reload().ok());
    }
    end = true;
    for (auto& thread : threads) thread.join();

    for (const Reader& reader : readers) {
        CHECK(reader.failure == "");
        CHECK(reader.rounds > 0);
    }
    f.registry.reset();
    CHECK(f.world->alive == 0);
}

TEST_CASE("a reload becomes visible at once", "[registry][threads]") {
    FakeRegistry f;
    f.directory.write("all.qconn.yaml", FakeRegistry::text("a", "fake://0") + "---\n" + FakeRegistry::text("z", "fake://0"));
    f.registry->load(f.directory.path());
    std::atomic<bool> end{false};
    std::string failure;
    std::thread reader{[&] {
        while (!end && failure.empty()) {
            const auto first = f.registry->infos();  // as of one moment
            if (first.size() != 2 || first[0].url != first[1].url) failure = "half a reload";
            // What is asked for later is not older.
            const int a = std::stoi(f.registry->definition("a").url.substr(7));
            const int z = std::stoi(f.registry->definition("z").url.substr(7));
            if (z < a) failure = "z behind a";
        }
    }};

    for (int i = 1; i <= 200; ++i) {
        const std::string url = "fake://" + std::to_string(i);
        f.directory.write("all.qconn.yaml", FakeRegistry::text("a", url) + "---\n" + FakeRegistry::text("z", url));
        CHECK(f.registry->reload().updated == 2);
    }
    end = true;
    reader.join();

    CHECK(failure == "");
}

TEST_CASE("readers go on while the writer stands still, wherever it was", "[registry][threads]") {
    FakeRegistry f;
    constexpr int k_stable = 4;
    const auto write = [&](int round) {
        for (int i = 0; i < k_stable; ++i)
            f.write("s" + std::to_string(i), "fake://stable", "options: {timeout: 5}\ntags: {round: " + std::to_string(round) + "}\n");
        for (int i = 0; i < 6; ++i) {
            if ((i + round) % 4 == 0)
                std::remove((f.directory / ("c" + std::to_string(i) + ".qconn.yaml")).c_str());
            else
                f.write("c" + std::to_string(i), "fake://h" + std::to_string(round));
        }
    };
    write(0);
    f.registry->load(f.directory.path());
    struct sigaction action {};
    action.sa_handler = &park;
    struct sigaction former {};
    REQUIRE(::sigaction(SIGUSR1, &action, &former) == 0);

    std::atomic<bool> end{false};
    std::array<Reader, 2> readers;
    std::vector<std::thread> threads;
    for (std::size_t r = 0; r < readers.size(); ++r) {
        threads.emplace_back([&, r] {
            Reader& reader = readers[r];
            // Held by the thread, so that nothing in the loop needs memory: the parked thread may have the allocator's lock.
            std::vector<std::string> names;
            for (int i = 0; i < k_stable; ++i) names.push_back("s" + std::to_string(i));
            const auto ref = f.registry->get<FakeBase>("s0");
            try {
                for (std::uint64_t round = 0; !end; ++round) {
                    const auto other = f.registry->get<FakeClient>(names[round % names.size()]);
                    if (!other->is_whole() || ref.pin() == nullptr) reader.failure = "a client that is none";
                    ++reader.rounds;
                }
            } catch (const std::exception& error) { reader.failure = error.what(); }
        });
    }
    std::atomic<bool> writer_ended{false};
    std::thread writer{[&] {
        for (int round = 1; !end; ++round) {
            write(round);
            f.registry->reload();
        }
        writer_ended = true;
    }};
    CHECK(wait_until([&] { return readers[0].rounds > 1000 && readers[1].rounds > 1000; }));

    std::mt19937 random{7};
    int stuck = 0;
    int parked = 0;
    for (int i = 0; i < 100; ++i) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{random() % 2000};
        while (std::chrono::steady_clock::now() < until) {}
        g_go_on = false;
        ::pthread_kill(writer.native_handle(), SIGUSR1);
        if (wait_until([] { return g_parked.load(); })) ++parked;
        for (const Reader& reader : readers) {
            const std::uint64_t from = reader.rounds;
            if (!wait_until([&] { return reader.rounds >= from + 200 || !reader.failure.empty(); }, std::chrono::seconds{5})) ++stuck;
        }
        g_go_on = true;
        wait_until([] { return !g_parked.load(); });
    }
    end = true;
    writer.join();
    for (auto& thread : threads) thread.join();
    ::sigaction(SIGUSR1, &former, nullptr);

    CHECK(parked == 100);
    CHECK(stuck == 0);
    for (const Reader& reader : readers) CHECK(reader.failure == "");
    CHECK(writer_ended);
}
