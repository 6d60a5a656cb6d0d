// SPDX-License-Identifier: Apache-2.0
/// What all sessions of one client have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/ssh/ssh_options.hpp>

#include "ssh/known_hosts.hpp"
#include "ssh/transport.hpp"

namespace qconn::ssh {

struct Settings {
    SshOptions options;
    std::string user;        ///< never empty
    bool own_user{false};    ///< it is the one that this process runs as
    std::string home;        ///< of that one; may be empty
    std::string peer;        ///< for messages: "edi@files.example:22"
    std::string known_name;  ///< in known_hosts
    Endpoint endpoint;
    const TransportKind* kind{nullptr};
};

/// @throws Error SSH-OPTION-ERROR
std::shared_ptr<const Settings> make_settings(SshOptions options);

// All below block and belong on the blocking pool.

/// The files that the options name, or the usual ones.
/// @throws Error SSH-KNOWN-HOSTS-ERROR where one that is named, or is there, cannot be read
std::vector<KnownHostsFile> load_known_hosts(const Settings& settings);
/// Adds a line to the first one.
/// @throws Error SSH-KNOWN-HOSTS-ERROR
void remember_host_key(const Settings& settings, const HostKey& key);

/// A private key that may be tried.
struct KeySource {
    std::string path{};   ///< empty: the options have the key itself
    std::string shown{};  ///< for messages: "key file ~/.ssh/id_rsa"
    bool named{false};    ///< the options say that it is to be used: that it cannot be is an error
};
std::vector<KeySource> key_sources(const Settings& settings);

struct LoadedKey {
    std::shared_ptr<const PrivateKey> key{};
    /// Where there is none: empty where the file is not there and nobody named it.
    std::string problem{};
    Reason reason{Reason::none};
};
LoadedKey load_key(const Settings& settings, const KeySource& source);

// This one does not block.

/// What becomes of a server's key: nothing to say, an Error, or (accept) that it is new and to be remembered.
struct HostKeyJudgement {
    std::optional<Error> error{};
    bool accept{false};
};
HostKeyJudgement judge_host_key(const Settings& settings, const std::vector<KnownHostsFile>& files, const HostKey& key);

}  // namespace qconn::ssh
