// SPDX-License-Identifier: Apache-2.0
#include "ssh/known_hosts.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"

using namespace qconn::ssh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const KnownHosts all = parse_known_hosts(text);
    const std::vector<KnownHostsFile> files{{"known", all}};
    for (const KnownHost& entry : all.entries) {
        QCONN_REQUIRE(!entry.hosts.empty() && !entry.key.type.empty() && entry.key.blob.size() > entry.key.type.size());
        // What was read is found under a name that its line has, and what is written of it is read again.
        const HostKeyFinding finding = find_host_key(files, "files.example", entry.key);
        QCONN_REQUIRE(finding.places.size() == finding.keys.size());
        const KnownHosts again = parse_known_hosts(known_hosts_line("files.example", entry.key));
        QCONN_REQUIRE(again.entries.size() == 1 && again.entries.front().key.blob == entry.key.blob);
    }
    for (const SkippedLine& line : all.skipped) QCONN_REQUIRE(line.line > 0 && !line.why.empty());
    static_cast<void>(known_key_types(files, "[files.example]:2222"));
    return 0;
}
