// SPDX-License-Identifier: Apache-2.0
#include "support/firewall.hpp"

#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/watcher.hpp"

namespace qconn::test {

namespace {

constexpr const char* k_nft = "/usr/sbin/nft";

bool nft(const std::string& command) { return run({k_nft, command}, {}) == 0; }

void must(const std::string& command) {
    if (!nft(command)) throw std::runtime_error{"nft refused: " + command};
}

}  // namespace

Firewall::Firewall() {
    if (::access(k_nft, X_OK) != 0) throw std::runtime_error{"the program nft is missing: apt nftables"};
    is_there_ = nft("add table ip test; add chain ip test in { type filter hook input priority 0 ; }");
}

void Firewall::unreachable(std::uint16_t port) {
    must("add rule ip test in tcp dport " + std::to_string(port) + " reject with icmp type host-unreachable");
}

void Firewall::swallow(std::uint16_t port) {
    for (const char* end : {"dport", "sport"}) must(std::string{"insert rule ip test in tcp "} + end + ' ' + std::to_string(port) + " drop");
}

void Firewall::clear() { must("flush chain ip test in"); }

}  // namespace qconn::test
