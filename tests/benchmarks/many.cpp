// SPDX-License-Identifier: Apache-2.0
/// What 100,000 definitions take: processor time of their load, the most memory of the process during it, what is kept. Each of nine loads in a
/// process of its own, so that none finds the heap of another.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "definition_files.hpp"
#include "measure.hpp"
#include "unit/core/registry_scheme.hpp"

using namespace qconn;
using namespace qconn::bench;

namespace {

constexpr int k_runs = 9;
constexpr double k_most_bytes = 400;

struct Measured {
    double seconds{0};
    /// Bytes: growth of the heap, of the resident memory, and of its highest mark.
    double heap{0};
    double resident{0};
    double peak{0};
};

/// Of /proc/self/status, in bytes.
double status_of(const std::string& field) {
    std::ifstream lines{"/proc/self/status"};
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(field + ":")) return std::atof(line.c_str() + field.size() + 1) * 1024;
    std::abort();
}

double heap() {
    const auto info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

Measured measure(const DefinitionFiles& files) {
    test::FakeRegistry fake;
    fake.registry.reset();
    {
        Registry warm{fake.options};
        warm.load(files.paths().front());
    }
    std::ofstream{"/proc/self/clear_refs"} << 5;  // the highest mark starts anew (proc(5))
    const double heap_before = heap();
    const double resident_before = status_of("VmRSS");
    const double from = process_seconds();
    Registry registry{fake.options};
    const LoadReport report = registry.load(files.directory());
    Measured measured{process_seconds() - from, heap() - heap_before, status_of("VmRSS") - resident_before, status_of("VmHWM") - resident_before};
    if (!report.ok() || registry.size() != files.paths().size()) std::abort();
    return measured;
}

Measured in_own_process(const DefinitionFiles& files) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    const pid_t child = ::fork();
    if (child < 0) std::abort();
    if (child == 0) {
        const Measured measured = measure(files);
        ::_exit(::write(ends[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
    }
    Measured measured;
    int status = -1;
    if (::read(ends[0], &measured, sizeof measured) != sizeof measured || ::waitpid(child, &status, 0) != child || status != 0) std::abort();
    ::close(ends[0]);
    ::close(ends[1]);
    return measured;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 100'000;
    const DefinitionFiles files{count};
    std::vector<double> seconds;
    std::vector<double> kept;
    std::vector<double> resident;
    std::vector<double> peak;
    for (int run = 0; run < k_runs; ++run) {
        const Measured measured = in_own_process(files);
        seconds.push_back(measured.seconds);
        kept.push_back(measured.heap / count);
        resident.push_back(measured.resident / count);
        peak.push_back(measured.peak / count);
    }
    std::printf("%d files: loaded in %s\n", count, milliseconds(seconds).c_str());
    std::printf("bytes a definition: kept %.0f, resident %.0f, at most %.0f while they are loaded\n", median(kept), median(resident), median(peak));
    return median(kept) <= k_most_bytes ? 0 : 1;
}
