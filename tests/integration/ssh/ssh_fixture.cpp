// SPDX-License-Identifier: Apache-2.0
#include "integration/ssh/ssh_fixture.hpp"

#include <utility>

namespace qconn::test {

ServerOptions sshd_options(std::vector<std::string> environment) {
    return {.environment = std::move(environment)};
}

Server& shared_sshd() {
    static Server server{"sshd", sshd_options()};
    return server;
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
