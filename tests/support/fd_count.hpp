// SPDX-License-Identifier: Apache-2.0
/// Open descriptors and threads of this process, to show that none is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace qconn::test {

/// How many there are.
std::size_t open_descriptors();

/// Each as "7 -> socket:[1234]", sorted: what to print when there are too many.
std::vector<std::string> list_descriptors();

/// The TCP sockets that are connected to that port of 127.0.0.1.
std::vector<int> sockets_to(std::uint16_t port);

/// How many threads there are.
std::size_t count_threads();

/// Their names, sorted.
std::vector<std::string> list_threads();

}  // namespace qconn::test
