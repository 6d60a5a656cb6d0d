// SPDX-License-Identifier: Apache-2.0
/// What a look-up costs: `get` and `Ref::operator->` by two threads while a third one reloads without pause, on the same name and on distinct names.
/// Nanoseconds of processor time of the reading threads for one operation; the middle of nine measurements.
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"
#include "unit/core/registry_scheme.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace qconn::bench;

namespace {

constexpr int k_runs = 9;
constexpr int k_names = 64;
constexpr double k_limit = 100;

std::string name_of(int i) { return "connection-" + std::to_string(i); }

/// `work(reader, iterations)` in two threads; their time for one operation.
double measure(const std::function<void(int, int)>& work, int iterations) {
    std::vector<double> runs;
    for (int run = 0; run < k_runs; ++run) {
        std::array<double, 2> seconds{};
        std::atomic<int> ready{0};
        std::array<std::thread, 2> threads;
        for (int r = 0; r < 2; ++r) {
            threads[static_cast<std::size_t>(r)] = std::thread{[&, r] {
                work(r, 1000);
                ++ready;
                while (ready < 2) std::this_thread::yield();
                const double from = thread_seconds();
                work(r, iterations);
                seconds[static_cast<std::size_t>(r)] = thread_seconds() - from;
            }};
        }
        for (auto& thread : threads) thread.join();
        runs.push_back((seconds[0] + seconds[1]) / 2 / iterations * 1e9);
    }
    return median(runs);
}

}  // namespace

int main(int argc, char** argv) {
    const int iterations = argc > 1 ? std::atoi(argv[1]) : 2'000'000;
    FakeRegistry f;
    const auto write = [&](int round) {
        // Every other one gets a new client with each round, the rest another text.
        for (int i = 0; i < k_names; ++i)
            f.write(name_of(i), i % 2 == 0 ? "fake://host" + std::to_string(round) : "fake://host", "tags: {round: " + std::to_string(round) + "}\n");
    };
    write(0);
    f.registry->load(f.directory.path());
    std::atomic<bool> end{false};
    std::atomic<int> reloads{0};
    std::thread reloader{[&] {
        for (int round = 1; !end; ++round) {
            write(round);
            f.registry->reload();
            ++reloads;
        }
    }};

    std::vector<std::string> names;
    std::vector<Ref<FakeClient>> refs;
    for (int i = 0; i < k_names; ++i) {
        names.push_back(name_of(i));
        refs.push_back(f.registry->get<FakeClient>(names.back()));
    }
    std::atomic<int> sum{0};
    const auto use = [&](const Ref<FakeClient>& ref) { return ref->is_whole() ? 1 : 0; };
    struct Case {
        const char* what;
        std::function<void(int, int)> work;
    };
    const std::vector<Case> cases{
        {"get, same name",
         [&](int, int n) {
             for (int i = 0; i < n; ++i) f.registry->get<FakeClient>(names[0]);
         }},
        {"get, a name each",
         [&](int r, int n) {
             for (int i = 0; i < n; ++i) f.registry->get<FakeClient>(names[static_cast<std::size_t>(r)]);
         }},
        {"get, many names",
         [&](int r, int n) {
             for (int i = 0; i < n; ++i) f.registry->get<FakeClient>(names[static_cast<std::size_t>(i * 7 + r) % k_names]);
         }},
        {"Ref call, same name",
         [&](int, int n) {
             int s = 0;
             for (int i = 0; i < n; ++i) s += use(refs[0]);
             sum += s;
         }},
        {"Ref call, a name each",
         [&](int r, int n) {
             int s = 0;
             for (int i = 0; i < n; ++i) s += use(refs[static_cast<std::size_t>(r)]);
             sum += s;
         }},
        {"Ref call, many names",
         [&](int r, int n) {
             int s = 0;
             for (int i = 0; i < n; ++i) s += use(refs[static_cast<std::size_t>(i * 7 + r) % k_names]);
             sum += s;
         }},
    };
    bool good = true;
    for (const Case& one : cases) {
        const double ns = measure(one.work, iterations);
        std::printf("%-24s %6.1f ns\n", one.what, ns);
        good = good && ns < k_limit;
    }
    end = true;
    reloader.join();
    std::printf("%d reloads of %d definitions meanwhile\n", reloads.load(), k_names);
    return good ? 0 : 1;
}
