// SPDX-License-Identifier: Apache-2.0
/// What every client of the AMQP benchmark prints, and how it is called:
/// CLIENT send|recv PORT ADDRESS COUNT SIZE string|binary SETTLED(0|1) CREDIT
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace bench {

struct Arguments {
    bool is_send;
    int port;
    std::string address;
    std::uint32_t count;
    std::size_t size;
    bool is_string;
    bool settled;
    int credit;
};

inline Arguments arguments(int argc, char** argv) {
    if (argc != 9) {
        std::fprintf(stderr, "usage: %s send|recv PORT ADDRESS COUNT SIZE string|binary 0|1 CREDIT\n", argv[0]);
        std::exit(2);
    }
    return {argv[1][0] == 's',
            std::atoi(argv[2]),
            argv[3],
            static_cast<std::uint32_t>(std::atoll(argv[4])),
            static_cast<std::size_t>(std::atoll(argv[5])),
            argv[6][0] == 's',
            argv[7][0] == '1',
            std::atoi(argv[8])};
}

/// From its making to done(): wall clock, and user and system time of the process.
class Result {
public:
    void done(std::uint32_t count) const { std::printf("RESULT n=%u wall=%.6f cpu=%.6f\n", count, wall() - wall_, cpu() - cpu_); }

private:
    static double wall() {
        timespec t{};
        ::clock_gettime(CLOCK_MONOTONIC, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
    }
    static double cpu() {
        rusage use{};
        ::getrusage(RUSAGE_SELF, &use);
        return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
               static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
    }
    double wall_{wall()};
    double cpu_{cpu()};
};

}  // namespace bench
