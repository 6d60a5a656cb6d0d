// SPDX-License-Identifier: Apache-2.0
/// How a server is reached and logged in to by SSH.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>

namespace qconn {

/// What is done about a server whose key no known_hosts file has. A key other than the one that stands there, and a revoked one, are never accepted.
enum class HostKeyPolicy : std::uint8_t {
    strict,      ///< SSH-HOST-KEY-UNKNOWN
    accept_new,  ///< it is trusted, and written to the first known_hosts file
};

/// Names of algorithms as SSH has them, most wanted first; an empty list: the defaults, see ssh_default_algorithms().
struct SshAlgorithms {
    std::vector<std::string> ciphers{};
    /// Not used by ciphers that authenticate by themselves (…-gcm@openssh.com, chacha20-poly1305@openssh.com).
    std::vector<std::string> macs{};
    std::vector<std::string> key_exchanges{};
    /// Without this list those types that known_hosts has for the server come first.
    std::vector<std::string> host_keys{};

    friend bool operator==(const SshAlgorithms&, const SshAlgorithms&) = default;
};

struct SshOptions {
    /// For messages; the name of the connection.
    std::string label{};
    std::string host{};
    std::uint16_t port{22};
    /// Empty: the user of the operating system that this process runs as.
    std::string user{};
    /// For the log-in by password and keyboard-interactive; also the pass-phrase of key files where key_password is empty. Empty: neither is tried.
    Secret password{};

    /// A private key: OpenSSH, PEM or PKCS#8 form; RSA, ECDSA or ed25519. Empty: id_rsa, id_ecdsa and id_ed25519 in ~/.ssh, and these only where
    /// `user` is the user that this process runs as.
    std::string key_file{};
    /// The same as text, in place of a file.
    Secret key{};
    Secret key_password{};
    /// Keys of the agent that SSH_AUTH_SOCK names are tried; after a key that these options name, before those in ~/.ssh.
    bool use_agent{true};
    bool keyboard_interactive{true};

    HostKeyPolicy host_key_policy{HostKeyPolicy::strict};
    /// Files of known servers. Empty: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts, where they are there.
    std::vector<std::string> known_hosts{};
    /// `SHA256:…` of the keys that the server may have, as `ssh-keygen -lf` shows them. Where there is one, no known_hosts file is read.
    std::vector<std::string> fingerprints{};
    SshAlgorithms algorithms{};

    /// An idle session is probed that often, and is broken where no answer comes within the same time. Zero: never.
    std::chrono::milliseconds keep_alive{60'000};
    /// Longest time until the host key is checked: name, TCP, proxy, key exchange; and from there until the log-in is over. Zero: no limit of its
    /// own.
    std::chrono::milliseconds connect_timeout{45'000};
    std::chrono::milliseconds login_timeout{30'000};
    /// How long a session is kept without use. Zero: as long as it stands.
    std::chrono::milliseconds max_idle{0};

    /// The server is reached through this one (ssh -J), which may have a jump of its own; proxy and socket are then those of the jump. Null:
    /// directly.
    std::shared_ptr<const SshOptions> jump{};
    /// Null: none.
    std::shared_ptr<const Proxy> proxy{};
    SocketOptions socket{};
};

/// What is offered where the options name nothing.
QCONN_API const SshAlgorithms& ssh_default_algorithms();

/// What was agreed on with a server. A value type.
struct SshSessionInfo {
    /// "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"
    std::string banner{};
    /// "ssh-ed25519" and "SHA256:…".
    std::string host_key_type{};
    std::string fingerprint{};
    std::string key_exchange{};
    /// Towards the server, and from it.
    std::string cipher_out{}, cipher_in{};
    std::string mac_out{}, mac_in{};
    std::string user{};
    /// How the log-in went: "publickey (key file ~/.ssh/id_ed25519)", "publickey and password".
    std::string login{};
    /// The library below: "libssh 0.10.6".
    std::string transport{};
};

}  // namespace qconn
