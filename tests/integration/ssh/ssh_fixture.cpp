// SPDX-License-Identifier: Apache-2.0
#include "integration/ssh/ssh_fixture.hpp"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace qconn::test {

ServerOptions sshd_options(std::vector<std::string> environment) { return {.environment = std::move(environment)}; }

Server& shared_sshd() {
    static Server server{"sshd", sshd_options()};
    return server;
}

void signal_sessions(const Server& server, int signal) {
    std::map<pid_t, pid_t> parents;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string text = read_file(entry.path() / "stat");
        const std::size_t end = text.rfind(')');
        if (end == std::string::npos) continue;
        std::istringstream rest{text.substr(end + 2)};
        char state = 0;
        pid_t parent = 0;
        rest >> state >> parent;
        parents[std::stoi(name)] = parent;
    }
    for (const auto& [pid, parent] : parents) {
        for (auto up = parents.find(pid); up != parents.end() && up->second != 0; up = parents.find(up->second)) {
            if (up->second == server.pid()) ::kill(pid, signal);
        }
    }
}

void kill_all(Server& server) {
    ::kill(server.pid(), SIGSTOP);  // no further ones
    signal_sessions(server, SIGKILL);
    server.kill();
}

SshOptions options_for(const Server& server) {
    SshOptions options;
    options.label = "drop";
    options.host = "127.0.0.1";
    options.port = server.port();
    options.user = k_ssh_user;
    options.password = Secret{k_password};
    options.use_agent = false;
    options.known_hosts = {server.directory() / "known_hosts"};
    return options;
}

SshOptions options_with_key(const Server& server, const std::string& key, std::string_view pass_phrase) {
    SshOptions options = options_for(server);
    options.password = {};
    options.key_file = server.directory() / ("keys/" + key);
    options.key_password = Secret{pass_phrase};
    return options;
}

}  // namespace qconn::test
