// SPDX-License-Identifier: Apache-2.0
/// The options of every scheme that is spoken over SSH, and the pings that it has.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <qconn/core/option.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/ssh/ssh_options.hpp>

#include "schemes/convert.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/proxy_options.hpp"
#endif
#include "schemes/socket_options.hpp"

namespace qconn::schemes {

// Checks of single options: empty, or what is wrong.
std::string fingerprints_problem(const Value& list);
std::string algorithms_problem(const Value& list);
std::string jumps_problem(const Value& list);

std::vector<std::string> words_of(const Value& list);

/// `Options` is SshOptions or derives from it. What the URL, `jump` and the proxy's options come to is set_ssh_address()'s affair.
template <class Options>
void add_ssh_options(OptionTable<Options>& table) {
    const auto time = [&table](const char* name, std::chrono::milliseconds SshOptions::*member, const char* help, Value example) {
        OptionSpec& spec =
            table.add(name, OptionType::integer, help, [member](Options& o, const Value& v) { o.*member = std::chrono::milliseconds{v.as_int64()}; });
        spec.unit = Unit::milliseconds;
        const SshOptions defaults;
        spec.fallback = static_cast<long long>((defaults.*member).count());
        spec.minimum = 0;
        spec.maximum = 86'400'000;
        spec.example = std::move(example);
    };
    const auto names = [&table](const char* name, std::vector<std::string> SshAlgorithms::*member, const char* help, const char* example) {
        OptionSpec& spec = table.add(name, OptionType::list, help, [member](Options& o, const Value& v) { o.algorithms.*member = words_of(v); });
        spec.fallback_text = "those of the library";
        spec.example = List{example};
        spec.check = algorithms_problem;
    };
    const auto flag = [&table](const char* name, bool SshOptions::*member, const char* help) {
        OptionSpec& spec = table.add(name, OptionType::boolean, help, [member](Options& o, const Value& v) { o.*member = v.as_bool(); });
        spec.fallback = true;
        spec.example = false;
    };

    {
        OptionSpec& spec = table.add("keyfile", OptionType::string, "Private key for the log-in, a file in OpenSSH, PEM or PKCS#8 form",
                                     [](Options& o, const Value& v) { o.key_file = std::string{v.as_string()}; });
        spec.environment = true;
        spec.file = true;
        spec.content = "keyfile_data";
        spec.fallback_text = "id_rsa, id_ecdsa and id_ed25519 in ~/.ssh, where the user is the one that the process runs as";
        spec.example = "$HOME/.ssh/id_ed25519";
    }
    {
        OptionSpec& spec = table.add("keyfile_data", OptionType::data, "Private key for the log-in as text; wins over keyfile",
                                     [](Options& o, const Value& v) { o.key = Secret{v.is_binary() ? v.as_bytes() : v.as_string()}; });
        spec.sensitive = true;
        spec.example = "${file:/run/secrets/id_ed25519}";
    }
    {
        OptionSpec& spec = table.add("keyfile_password", OptionType::string, "Pass-phrase of the private key",
                                     [](Options& o, const Value& v) { o.key_password = Secret{v.as_string()}; });
        spec.sensitive = true;
        spec.fallback_text = "the password of the URL";
        spec.example = "${env:SSH_KEY_PASSWORD}";
    }
    flag("use_agent", &SshOptions::use_agent, "Try the keys of the agent that SSH_AUTH_SOCK names");
    flag("keyboard_interactive", &SshOptions::keyboard_interactive, "Answer the questions of a server (keyboard-interactive) with the password");
    {
        OptionSpec& spec =
            table.add("host_key_check", OptionType::string, "What is done about a server whose key is not known", [](Options& o, const Value& v) {
                o.host_key_policy = v.as_string() == "accept-new" ? HostKeyPolicy::accept_new : HostKeyPolicy::strict;
            });
        spec.fallback = "strict";
        spec.allowed = {{"strict", "refused"},
                        {"accept-new", "trusted, and written to the file of known servers; a changed one is refused all the same"}};
        spec.example = "accept-new";
    }
    {
        OptionSpec& spec = table.add("known_hosts", OptionType::string, "File of known servers, as OpenSSH has it",
                                     [](Options& o, const Value& v) { o.known_hosts = {std::string{v.as_string()}}; });
        spec.environment = true;
        spec.file = true;
        spec.fallback_text = "~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts";
        spec.example = "/etc/qconn/known_hosts";
    }
    {
        OptionSpec& spec = table.add("fingerprints", OptionType::list,
                                     "Keys that the server may have, as `ssh-keygen -lf` shows them; no file of known servers is read then",
                                     [](Options& o, const Value& v) { o.fingerprints = words_of(v); });
        spec.fallback_text = "none";
        spec.check = fingerprints_problem;
        spec.example = List{"SHA256:uNiVztksCsDhcc0u9e8BrHD1ZGMwLfnyRaxPZEmzPlg"};
    }
    names("ciphers", &SshAlgorithms::ciphers, "Ciphers, most wanted first", "aes256-gcm@openssh.com");
    names("macs", &SshAlgorithms::macs, "Message authentication of ciphers that have none of their own, most wanted first",
          "hmac-sha2-256-etm@openssh.com");
    names("key_exchanges", &SshAlgorithms::key_exchanges, "Key exchanges, most wanted first", "curve25519-sha256");
    names("host_key_algorithms", &SshAlgorithms::host_keys, "Algorithms of the server's key, most wanted first", "ssh-ed25519");
    {
        OptionSpec& spec = table.add("jump", OptionType::list,
                                     "Servers on the way, as ssh://user@host:port, the nearest first; keys, agent and known servers are those of the "
                                     "connection",
                                     nullptr);
        spec.fallback_text = "none";
        spec.check = jumps_problem;
        spec.example = List{"ssh://edi@gate.example.com"};
    }
    {
        OptionSpec& spec = table.add("jump_password", OptionType::string, "Password for the servers of jump", nullptr);
        spec.sensitive = true;
        spec.example = "${env:GATE_PASSWORD}";
    }
    time("connect_timeout", &SshOptions::connect_timeout, "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit", 10'000);
    time("login_timeout", &SshOptions::login_timeout, "Longest time of the log-in; 0: no limit", 10'000);
    time("session_keep_alive", &SshOptions::keep_alive,
         "How often a server is asked for a sign of life; a session without one for the same time is broken. 0: never", 15'000);
    time("session_max_idle", &SshOptions::max_idle, "How long a session is kept without use; 0: as long as it stands", 60'000);
    add_socket_options(table);
    table.remove("max_send_rate");
    table.remove("max_receive_rate");
#ifndef QCONN_WITHOUT_HTTP
    add_proxy_options(table);
#endif
}

/// For people: the server, its key, how the log-in went.
PingEvidence ssh_evidence(const SshSessionInfo& info);

/// The operation that tells of the session. @param connect  of the client: makes it where there is none
OperationSpec ssh_session_operation(std::function<SshSessionInfo(Client&, Deadline)> connect);

/// Label, host, log-in, jumps and proxy.
void set_ssh_address(SshOptions& options, const ResolvedDefinition& definition);

/// What the table cannot say.
void check_ssh(const Definition& definition, Findings& findings);

/// Everything of a scheme but clients, operations and help.
/// @param options_of  of a definition
/// @param subsystem   what a full ping opens; empty: a channel
Scheme ssh_kind(const char* name, std::vector<OptionSpec> options, std::function<SshOptions(const ResolvedDefinition&)> options_of,
                const std::string& subsystem);

}  // namespace qconn::schemes
