// SPDX-License-Identifier: Apache-2.0
/// Files of known servers (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ssh/transport.hpp"

namespace qconn::ssh {

/// One line that counts.
struct KnownHost {
    enum class Mark : std::uint8_t { none, revoked };
    Mark mark{Mark::none};
    /// As it stands there: names and patterns with commas, or `|1|SALT|HASH`.
    std::string hosts{};
    HostKey key{};
    std::size_t line{0};
};

/// A line that says nothing to us, and why: "a certificate authority (certificates of servers are not looked at)".
struct SkippedLine {
    std::size_t line{0};
    std::string why{};
};

struct KnownHosts {
    std::vector<KnownHost> entries{};
    std::vector<SkippedLine> skipped{};
};

/// Takes whatever bytes; lines that cannot be read are skipped.
KnownHosts parse_known_hosts(std::string_view text);

/// The name that a server stands under: `host`, or `[host]:port` where the port is not 22. In lower case.
std::string known_host_name(std::string_view host, std::uint16_t port);

/// Whether that field of a line is about the server: names, patterns with `*` and `?`, `!` before one that must not match, hashed names.
bool matches_host(std::string_view hosts, std::string_view name);

/// What all files together say of a server's key.
struct HostKeyFinding {
    enum class Verdict : std::uint8_t { match, unknown, changed, revoked };
    Verdict verdict{Verdict::unknown};
    /// Of `match` and `revoked` that line; of `changed` those with other keys.
    std::vector<std::string> places{};
    std::vector<HostKey> keys{};
};

/// A file by its name for messages.
struct KnownHostsFile {
    std::string path{};
    KnownHosts contents{};
};

/// A key of a type that is not there is `changed` where the server has keys of others: it should have been asked for one of these.
HostKeyFinding find_host_key(const std::vector<KnownHostsFile>& files, std::string_view name, const HostKey& key);

/// Those types of keys that the files have for it, as names of key types ("ssh-ed25519").
std::vector<std::string> known_key_types(const std::vector<KnownHostsFile>& files, std::string_view name);

/// Signature algorithms for `HostKeyAlgorithms`: those of the known types first, in the order of `wanted`, then the others.
std::vector<std::string> prefer_known_types(const std::vector<std::string>& wanted, const std::vector<std::string>& types);

/// "SHA256:…", as OpenSSH shows it.
std::string fingerprint_of(std::string_view blob);

/// The line for a server, without its end.
std::string known_hosts_line(std::string_view name, const HostKey& key);

}  // namespace qconn::ssh
