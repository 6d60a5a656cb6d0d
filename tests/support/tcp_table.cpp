// SPDX-License-Identifier: Apache-2.0
#include "support/tcp_table.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace qconn::test {

namespace {

struct Row {
    unsigned port;
    unsigned peer;
    unsigned state;
    unsigned unsent;  // or not acknowledged
    unsigned unread;
};

std::vector<Row> rows() {
    std::vector<Row> found;
    std::ifstream table{"/proc/net/tcp"};
    std::string line;
    while (std::getline(table, line)) {
        Row row{};
        const int read = std::sscanf(line.c_str(), " %*d: %*x:%x %*x:%x %x %x:%x", &row.port, &row.peer, &row.state, &row.unsent, &row.unread);
        if (read == 5) found.push_back(row);
    }
    return found;
}

}  // namespace

std::size_t count_ends_towards(std::uint16_t port, TcpState state) {
    const auto all = rows();
    const auto fits = [&](const Row& row) { return row.peer == port && row.state == static_cast<unsigned>(state); };
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), fits));
}

bool all_is_read(std::uint16_t port) {
    const auto all = rows();
    return std::all_of(all.begin(), all.end(),
                       [port](const Row& row) { return (row.port != port && row.peer != port) || (row.unsent == 0 && row.unread == 0); });
}

}  // namespace qconn::test
