// SPDX-License-Identifier: Apache-2.0
/// What loading costs: 10,000 definition files of 12 lines and 263 bytes, against yaml-cpp's event parser, which only walks over the same files. Both
/// read them by the same system calls. Processor time of this process, the two in turn; the middle of nine measurements. Then a reload in
/// which 10 of the files have changed. And the bytes that one definition keeps: growth of the heap over their number.
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "measure.hpp"
#include "unit/core/registry_scheme.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace qconn::bench;

namespace {

constexpr int k_runs = 9;
constexpr double k_most_times = 2.0;
constexpr double k_most_bytes = 400;
constexpr double k_most_reload = 0.2;
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

/// As if it had been written long ago: what is younger than 2 s is read again by every reload.
void settle(const std::string& path, int minutes) {
    const timespec time{::time(nullptr) - 10'000 + minutes * 60, 0};
    const std::array<timespec, 2> times{time, time};
    if (::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 10'000;
    FakeRegistry f;
    std::vector<std::string> paths;
    for (int i = 0; i < count; ++i) {
        std::array<char, 400> text{};
        const int size =
            std::snprintf(text.data(), text.size(),
                          "# generated; don't edit\ntype: connection\nname: conn-%05d\ndesc: connection number %05d of many in a test\n"
                          "url: fake://user:password@host%05d.example.com:8443/api\noptions:\n  connect_timeout:\n    type: int\n    value: 5000\n"
                          "  timeout:\n    type: int\n    value: 30000\n",
                          i, i, i);
        if (count <= 99'999 && size != 263) std::abort();
        std::array<char, 40> name{};
        std::snprintf(name.data(), name.size(), "conn-%05d.qconn.yaml", i);
        paths.push_back(f.directory.write(name.data(), text.data()));
    }
    for (const std::string& path : paths) settle(path, 0);
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
    for (int run = 0; run < k_runs; ++run) {
        {
            const auto before = ::mallinfo2();
            const double from = process_seconds();
            Registry registry{f.options};
            const LoadReport report = registry.load(f.directory.path());
            ours.push_back(process_seconds() - from);
            if (!report.ok() || registry.size() != static_cast<std::size_t>(count)) return 2;
            const auto after = ::mallinfo2();
            bytes.push_back((static_cast<double>(after.uordblks + after.hblkhd) - static_cast<double>(before.uordblks + before.hblkhd)) / count);

            for (int i = 0; i < k_changed && i < count; ++i) {
                const std::string& path = paths[static_cast<std::size_t>(i) * paths.size() / k_changed];
                std::string text;
                read_whole(path, text);
                text[text.find(" of ") + 4] = static_cast<char>('a' + run);
                if (std::FILE* file = std::fopen(path.c_str(), "w")) {
                    std::fwrite(text.data(), 1, text.size(), file);
                    std::fclose(file);
                }
                settle(path, run + 2);
            }
            const double reload_from = process_seconds();
            const LoadReport reloaded = registry.reload();
            again.push_back(process_seconds() - reload_from);
            if (!reloaded.ok() || reloaded.read != std::min<std::size_t>(k_changed, paths.size()) || reloaded.updated != reloaded.read) return 2;
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
    const double times = median(ours) / median(theirs);
    std::printf("%d files: qconn %.0f ms, yaml-cpp's events %.0f ms, %.2f times\n", count, median(ours) * 1e3, median(theirs) * 1e3, times);
    const double part = median(again) / median(ours);
    std::printf("reload with %d of them changed: %.1f ms, %.2f of the load\n", k_changed, median(again) * 1e3, part);
    std::printf("%.0f bytes a definition\n", median(bytes));
    return times <= k_most_times && median(bytes) <= k_most_bytes && part <= k_most_reload ? 0 : 1;
}
