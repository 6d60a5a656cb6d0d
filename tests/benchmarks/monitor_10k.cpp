// SPDX-License-Identifier: Apache-2.0
/// What a monitor costs: pings many targets for a while, prints CPU per ping and memory per target as JSON. See monitor.sh.
/// bench_monitor_10k tcp|http|kept PORT [TARGETS [INTERVAL_MS [SECONDS]]]: connect only, a request on a fresh connection, a request on a kept one.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>

#include "benchmarks/target_scheme.hpp"

namespace {

using namespace qconn;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long anonymous_kib() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("RssAnon:")) return std::atol(line.c_str() + 8);
    return 0;
}

std::uint64_t pings_of(const Monitor& monitor) {
    const MonitorCounts counts = monitor.counts();
    return counts.pings_ok + counts.pings_failed + counts.pings_inconclusive;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: bench_monitor_10k tcp|http|kept PORT [TARGETS [INTERVAL_MS [SECONDS]]]\n", stderr);
        return 2;
    }
    const std::string kind = argv[1];
    const std::string port = argv[2];
    const int targets = argc > 3 ? std::atoi(argv[3]) : 10'000;
    const std::chrono::milliseconds interval{argc > 4 ? std::atoi(argv[4]) : 1000};
    const std::chrono::seconds time{argc > 5 ? std::atoi(argv[5]) : 10};
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    const Catalogue schemes = bench::target_scheme(kind);
    RegistryOptions registry_options;
    registry_options.catalogue = &schemes;
    Registry registry{registry_options};
    const long empty = anonymous_kib();
    for (int i = 0; i < targets; ++i) {
        Definition definition;
        definition.name = "target-" + std::to_string(i);
        definition.url = "bench://" + bench::target_address(i) + ':' + port;
        registry.add(std::move(definition));
    }
    const long with_registry = anonymous_kib();

    MonitorOptions options;
    options.interval = interval;
    options.timeout = std::chrono::milliseconds{5000};
    options.max_in_flight = 4096;
    Monitor monitor{registry, options};
    monitor.start();
    std::this_thread::sleep_for(2 * interval + std::chrono::seconds{2});  // all plans made, all streams there

    const std::uint64_t before = pings_of(monitor);
    const double cpu_before = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(time);
    const double cpu = cpu_seconds() - cpu_before;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const auto pings = static_cast<double>(pings_of(monitor) - before);
    const long with_monitor = anonymous_kib();  // before the statuses, which are many copies
    int up = 0;
    for (const ConnectionStatus& one : monitor.statuses()) up += one.state == ConnectionState::up;

    const double due = static_cast<double>(targets) * took.count() / std::chrono::duration<double>(interval).count();
    std::printf(
        "{\"kind\": \"%s\", \"targets\": %d, \"interval_ms\": %ld, \"pings\": %.0f, \"done_percent\": %.2f, \"cpu_us_per_ping\": %.2f, "
        "\"up\": %d, \"registry_bytes_per_target\": %ld, \"monitor_bytes_per_target\": %ld}\n",
        kind.c_str(), targets, static_cast<long>(interval.count()), pings, 100 * pings / due, cpu * 1e6 / pings, up,
        (with_registry - empty) * 1024 / targets, (with_monitor - with_registry) * 1024 / targets);
    return up == targets ? 0 : 1;
}
