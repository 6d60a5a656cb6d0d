// SPDX-License-Identifier: Apache-2.0
/// An assertion for fuzz targets: ends the program in every build.
#pragma once

#include <cstdio>
#include <cstdlib>

#define QCONN_REQUIRE(condition)                                                         \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                \
        }                                                                                \
    } while (false)
