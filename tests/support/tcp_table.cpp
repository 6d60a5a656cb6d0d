// SPDX-License-Identifier: Apache-2.0
#include "support/tcp_table.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

namespace qconn::test {

std::vector<TcpEnd> tcp_ends_towards(std::uint16_t port) {
    std::vector<TcpEnd> found;
    std::ifstream table{"/proc/net/tcp"};
    std::string line;
    while (std::getline(table, line)) {
        unsigned peer = 0;
        unsigned state = 0;
        unsigned unread = 0;
        // "  0: local:port peer:port state unsent:unread …", all in hexadecimal
        if (std::sscanf(line.c_str(), " %*d: %*x:%*x %*x:%x %x %*x:%x", &peer, &state, &unread) != 3 || peer != port) continue;
        found.push_back({static_cast<TcpState>(state), unread});
    }
    return found;
}

std::size_t count_ends_towards(std::uint16_t port, TcpState state) {
    const auto all = tcp_ends_towards(port);
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [state](const TcpEnd& end) { return end.state == state; }));
}

}  // namespace qconn::test
