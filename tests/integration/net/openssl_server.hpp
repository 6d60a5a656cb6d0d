// SPDX-License-Identifier: Apache-2.0
/// `openssl s_server`, for what nginx cannot be told: groups, signature algorithms, old versions, a second certificate by name.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

extern char** environ;

namespace qconn::test {

/// Answers every request with a page of its own (-www). One connection at a time.
class OpensslServer {
public:
    explicit OpensslServer(std::vector<std::string> more, const std::string& certificate = "server.crt", const std::string& key = "server.key")
        : port_{free_port()} {
        std::vector<std::string> words{"openssl", "s_server",        "-www", "-accept", "127.0.0.1:" + std::to_string(port_),
                                       "-cert",   path(certificate), "-key", path(key)};
        words.insert(words.end(), more.begin(), more.end());
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const auto log = directory_.path() + "/log";
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
        posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), 0x241, 0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        const int failed = posix_spawnp(&pid_, "openssl", &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) throw std::runtime_error{"openssl cannot be started"};
        const bool listens =
            wait_until([this] { return directory_.read("log").find("ACCEPT") != std::string::npos || waitpid(pid_, nullptr, WNOHANG) != 0; });
        if (!listens || kill(pid_, 0) != 0) throw std::runtime_error{"openssl s_server does not start: " + directory_.read("log")};
    }
    OpensslServer(const OpensslServer&) = delete;
    OpensslServer& operator=(const OpensslServer&) = delete;
    ~OpensslServer() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    std::uint16_t port() const noexcept { return port_; }

private:
    /// Names are of the common certificates.
    static std::string path(const std::string& file) { return file.starts_with('/') ? file : tls_file(file); }

    TempDir directory_;
    std::uint16_t port_;
    pid_t pid_{0};
};

}  // namespace qconn::test
