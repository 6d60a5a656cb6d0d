// SPDX-License-Identifier: Apache-2.0
// SftpClient against OpenSSH's `sftp`, both with OpenSSH's sftp-server over a socket pair, without SSH: 512 MiB each way, and 10,000 files of 1 KiB.
// The two take turns; times of the processor are the client's own.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <qconn/ssh/sftp_client.hpp>

#include "benchmarks/measure.hpp"
#include "ssh/sftp_factory.hpp"
#include "support/sftp_peer.hpp"

using namespace qconn;
namespace fs = std::filesystem;

namespace {

constexpr int k_samples = 5;
constexpr std::size_t k_large = std::size_t{512} << 20;
constexpr int k_files = 10'000;
constexpr int k_in_flight = 32;

struct Cost {
    std::vector<double> wall;
    std::vector<double> cpu;
};

double wall_seconds() { return bench::seconds_of(CLOCK_MONOTONIC); }

template <class Work>
void measure(Cost& cost, Work work) {
    const double wall = wall_seconds();
    const double cpu = bench::process_seconds();
    work();
    cost.cpu.push_back(bench::process_seconds() - cpu);
    cost.wall.push_back(wall_seconds() - wall);
}

/// CPU time is that of the program itself, without its server's: the server is a grandchild that nobody waits for.
void rival(Cost& cost, const std::string& folder, const std::string& commands) {
    const std::string batch = folder + "/batch";
    std::ofstream{batch} << commands;
    std::string server = std::string{test::SftpServer::k_program} + " -d " + folder + "/server";
    std::vector<std::string> words{"sftp", "-q", "-b", batch, "-D", server};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const double wall = wall_seconds();
    pid_t pid = 0;
    if (::posix_spawnp(&pid, "sftp", &actions, nullptr, argv.data(), environ) != 0) std::exit(1);
    rusage use{};
    int status = 0;
    ::wait4(pid, &status, 0, &use);
    posix_spawn_file_actions_destroy(&actions);
    if (status != 0) {
        std::printf("sftp failed\n");
        std::exit(1);
    }
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
    cost.cpu.push_back(seconds(use.ru_utime) + seconds(use.ru_stime));
    cost.wall.push_back(wall_seconds() - wall);
}

void report(const char* what, const Cost& ours, const Cost& theirs) {
    std::printf("%-22s ours: wall %s, CPU %s\n%22s sftp: wall %s, CPU %s; %.2f times as fast, %.2f of its CPU\n", what,
                bench::milliseconds(ours.wall).c_str(), bench::milliseconds(ours.cpu).c_str(), "", bench::milliseconds(theirs.wall).c_str(),
                bench::milliseconds(theirs.cpu).c_str(), bench::median(theirs.wall) / bench::median(ours.wall),
                bench::median(ours.cpu) / bench::median(theirs.cpu));
}

class FileSink final : public ByteSink {
public:
    explicit FileSink(const std::string& path) : fd_{::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)} {}
    void write(std::string_view bytes) override {
        if (::write(fd_.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) throw std::runtime_error{"disk"};
    }

private:
    net::UniqueFd fd_;
};

/// Keeps that many calls in flight.
template <class Start>
void many(Start start) {
    std::mutex mutex;
    std::condition_variable changed;
    int under_way = 0;
    bool failed = false;
    for (int i = 0; i < k_files; ++i) {
        {
            std::unique_lock lock{mutex};
            changed.wait(lock, [&] { return under_way < k_in_flight; });
            ++under_way;
        }
        start(i, [&](bool good) {
            const std::scoped_lock lock{mutex};
            --under_way;
            failed = failed || !good;
            changed.notify_all();
        });
    }
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return under_way == 0; });
    if (failed) {
        std::printf("a call failed\n");
        std::exit(1);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string folder = argc > 1 ? argv[1] : "/dev/shm/qconn-bench-sftp";
    fs::remove_all(folder);
    for (const char* part : {"/server/small", "/local/small", "/local/got"}) fs::create_directories(folder + part);
    {
        std::string text(k_large, '\0');
        std::uint64_t x = 88172645463325252U;
        for (std::size_t i = 0; i + 8 <= text.size(); i += 8) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            std::copy_n(reinterpret_cast<const char*>(&x), 8, text.data() + i);
        }
        std::ofstream{folder + "/local/large"} << text;
        for (int i = 0; i < k_files; ++i)
            std::ofstream{folder + "/local/small/" + std::to_string(i)} << text.substr(static_cast<std::size_t>(i) * 1024, 1024);
    }
    const Runtime runtime{RuntimeOptions{}};
    test::SftpServer server{runtime, folder + "/server"};
    {
        const auto client = sftp::make_sftp_client(server.source(), SftpOptions{}, runtime);
        Cost put, their_put, get, their_get, small_put, their_small_put, small_get, their_small_get;
        const int samples = argc > 2 ? std::atoi(argv[2]) : k_samples;
        for (int i = 0; i < samples; ++i) {
            measure(put, [&] { client->put("large", *file_source(folder + "/local/large")); });
            rival(their_put, folder, "put " + folder + "/local/large large2\n");
            measure(get, [&] {
                FileSink sink{folder + "/local/got/large"};
                client->get("large", sink);
            });
            fs::remove(folder + "/local/got/large");
            rival(their_get, folder, "get large2 " + folder + "/local/got/large\n");
            fs::remove(folder + "/local/got/large");
            measure(small_put, [&] {
                many([&](int n, auto done) {
                    const std::string name = "small/" + std::to_string(n);
                    client->async_put(name, file_source(folder + "/local/" + name), {}, {},
                                      [done](const Result<std::uint64_t>& r) { done(r.has_value()); });
                });
            });
            measure(small_get, [&] {
                many([&](int n, auto done) {
                    const std::string name = std::to_string(n);
                    client->async_get("small/" + name, std::make_shared<FileSink>(folder + "/local/got/" + name), {}, {},
                                      [done](const Result<std::uint64_t>& r) { done(r.has_value()); });
                });
            });
            rival(their_small_put, folder, "put " + folder + "/local/small/* small/\n");
            rival(their_small_get, folder, "get small/* " + folder + "/local/got/\n");
        }
        report("put of 512 MiB", put, their_put);
        report("get of 512 MiB", get, their_get);
        report("put of 10000 x 1 KiB", small_put, their_small_put);
        report("get of 10000 x 1 KiB", small_get, their_small_get);
    }
    fs::remove_all(folder);
    return 0;
}
