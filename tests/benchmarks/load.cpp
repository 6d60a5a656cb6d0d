// SPDX-License-Identifier: Apache-2.0
/// What loading costs: 10,000 definition files of 12 lines and 263 bytes, against yaml-cpp's event parser, which only walks over the same files. Both
/// read them by the same system calls. Processor time of this process, the two in turn; the middle of nine measurements. Then a plan
/// and a reload where 10 of the files have changed, and one change of a watched directory until it is in force. And the bytes that one definition
/// keeps: growth of the heap over their number.
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <qconn/core/plan.hpp>
#include <qconn/core/watch.hpp>

#include "definition_files.hpp"
#include "measure.hpp"
#include "unit/core/registry_scheme.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace qconn::bench;

namespace {

constexpr int k_runs = 9;
constexpr double k_most_times = 2.0;
constexpr double k_most_bytes = 400;
constexpr double k_most_part = 0.2;
constexpr double k_most_live = 0.050;
constexpr int k_changed = 10;

class Counter final : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark&) override { ++events; }
    void OnDocumentEnd() override { ++events; }
    void OnNull(const YAML::Mark&, YAML::anchor_t) override { ++events; }
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override { ++events; }
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override { ++events; }
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { ++events; }
    void OnSequenceEnd() override { ++events; }
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { ++events; }
    void OnMapEnd() override { ++events; }
    std::size_t events{0};
};

void read_whole(const std::string& path, std::string& text) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) std::abort();
    text.resize(static_cast<std::size_t>(status.st_size) + 1);
    const ssize_t got = ::read(fd, text.data(), text.size());
    ::close(fd);
    if (got != status.st_size) std::abort();
    text.resize(static_cast<std::size_t>(got));
}

double seconds(const std::function<void()>& work) {
    const double from = process_seconds();
    work();
    return process_seconds() - from;
}

/// From the change of one file of a watched directory until it is in force.
std::vector<double> live_times(DefinitionFiles& files, const RegistryOptions& options) {
    Registry registry{options};
    registry.load(files.directory());
    std::mutex mutex;
    std::condition_variable reloaded;
    int reloads = 0;
    const Watch watch = registry.watch({.on_reload = [&](const LoadReport&) {
        const std::scoped_lock lock{mutex};
        ++reloads;
        reloaded.notify_all();
    }});
    std::unique_lock lock{mutex};
    const auto wait = [&](int count) {
        if (!reloaded.wait_for(lock, std::chrono::minutes{1}, [&] { return reloads >= count; })) std::abort();
    };
    wait(1);  // what is watched for the first time is read once more
    std::vector<double> times;
    for (int run = 0; run < k_runs; ++run) {
        const std::string former = registry.definition(DefinitionFiles::name_of(run)).description;
        const int before = reloads;
        times.push_back(seconds([&] {
            files.change(static_cast<std::size_t>(run));
            wait(before + 1);
        }));
        if (registry.definition(DefinitionFiles::name_of(run)).description == former) std::abort();
    }
    return times;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 10'000;
    DefinitionFiles files{count};
    const std::vector<std::string>& paths = files.paths();
    FakeRegistry f;
    const Runtime keep = f.runtime;
    f.registry.reset();
    {
        Registry warm{f.options};
        warm.load(paths.front());
    }

    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> bytes;
    std::vector<double> again;
    std::vector<double> plans;
    for (int run = 0; run < k_runs; ++run) {
        {
            const auto before = ::mallinfo2();
            const double from = process_seconds();
            Registry registry{f.options};
            const LoadReport report = registry.load(files.directory());
            ours.push_back(process_seconds() - from);
            if (!report.ok() || registry.size() != static_cast<std::size_t>(count)) return 2;
            const auto after = ::mallinfo2();
            bytes.push_back((static_cast<double>(after.uordblks + after.hblkhd) - static_cast<double>(before.uordblks + before.hblkhd)) / count);

            const std::size_t changed = std::min<std::size_t>(k_changed, paths.size());
            for (std::size_t i = 0; i < changed; ++i) files.change(i * paths.size() / changed);
            Plan plan;
            plans.push_back(seconds([&] { plan = registry.plan(); }));
            if (plan.read != changed || plan.connections.size() != changed || !plan.diagnostics.empty()) return 2;
            LoadReport reloaded;
            again.push_back(seconds([&] { reloaded = registry.reload(); }));
            if (!reloaded.ok() || reloaded.read != changed || reloaded.updated != changed) return 2;
        }
        {
            const double from = process_seconds();
            Counter counter;
            std::string text;
            for (const std::string& path : paths) {
                read_whole(path, text);
                std::istringstream in{text};
                YAML::Parser parser{in};
                while (parser.HandleNextDocument(counter)) {}
            }
            theirs.push_back(process_seconds() - from);
            if (counter.events == 0) return 2;
        }
    }
    const std::vector<double> live = live_times(files, f.options);

    const double times = median(ours) / median(theirs);
    std::printf("%d files: qconn %s, yaml-cpp's events %s, %.2f times\n", count, milliseconds(ours).c_str(), milliseconds(theirs).c_str(), times);
    const double part = median(again) / median(ours);
    std::printf("reload with %d of them changed: %s, %.2f of the load\n", k_changed, milliseconds(again).c_str(), part);
    const double plan_part = median(plans) / median(ours);
    std::printf("plan, with all findings, with %d of them changed: %s, %.2f of the load\n", k_changed, milliseconds(plans).c_str(), plan_part);
    std::printf("one changed in the watched directory is live after %s\n", milliseconds(live).c_str());
    std::printf("%.0f bytes a definition\n", median(bytes));
    const bool good = times <= k_most_times && median(bytes) <= k_most_bytes && part <= k_most_part && plan_part <= k_most_part;
    return good && median(live) <= k_most_live ? 0 : 1;
}
