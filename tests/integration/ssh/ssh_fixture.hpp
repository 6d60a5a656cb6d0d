// SPDX-License-Identifier: Apache-2.0
/// An OpenSSH server, and options that log in to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/ssh/ssh_client.hpp>

#include "support/error_of.hpp"
#include "support/server.hpp"

namespace qconn::test {

/// The account of tests/servers/sshd.sh; its own, as starters of other servers make and remove theirs.
inline constexpr std::string_view k_ssh_user = "qconnssh";
inline constexpr std::string_view k_key_phrase = "keypass";

/// @param environment  for tests/servers/sshd.sh
ServerOptions sshd_options(std::vector<std::string> environment = {});

/// A server that many tests share; it is started by the first.
Server& shared_sshd();

/// To the sessions of a server: processes of sessions of their own, which Server::kill() and freeze() do not reach.
void signal_sessions(const Server& server, int signal);
/// The server with its sessions.
void kill_all(Server& server);

/// With the password, no agent, and the known_hosts of that server.
SshOptions options_for(const Server& server);
/// With one of its keys in place of the password.
SshOptions options_with_key(const Server& server, const std::string& key, std::string_view pass_phrase = {});

}  // namespace qconn::test
