// SPDX-License-Identifier: Apache-2.0
/// Real servers for integration tests.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_dir.hpp"

namespace qconn::test {

/// The log-in that all servers know.
inline constexpr std::string_view k_user = "qconntest";
inline constexpr std::string_view k_password = "Passw0rd-1";

/// Directory with the certificates and keys that tests/servers/tls.sh makes (see its head for the names). Made once for a week and shared by all test
/// processes of this user, as making keys takes longer than most tests.
const std::string& tls_dir();
/// The path of one of them: `tls_file("ca.crt")`.
std::string tls_file(std::string_view name);

struct ServerOptions {
    /// "NAME=value", for what the head of the starter names.
    std::vector<std::string> environment{};
    /// Longest time until it is ready.
    std::chrono::milliseconds start_limit{20'000};
    /// Starts with the constructor.
    bool start{true};
};

/// A server started by tests/servers/NAME.sh on free ports of 127.0.0.1, in a directory and a process group of its own. Ended with this object, and
/// also when the test process dies.
/// @note One thread at a time.
class Server {
public:
    /// Returns when it takes connections.
    /// @throws std::runtime_error with its log where it does not start; names the missing package where a program is missing
    explicit Server(std::string name, ServerOptions options = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    std::uint16_t port() const noexcept { return port_; }
    /// The second one: TLS, control. See the head of the starter.
    std::uint16_t port2() const noexcept { return port2_; }
    /// "127.0.0.1:PORT".
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string address2() const { return "127.0.0.1:" + std::to_string(port2_); }
    const TempDir& directory() const noexcept { return directory_; }
    /// What it wrote to standard output and error.
    std::string log() const { return directory_.read("output.log"); }
    pid_t pid() const noexcept { return pid_; }
    bool is_running() const noexcept { return pid_ > 0; }

    /// On the same ports and in the same directory as before.
    void start();
    /// Tells it to end and waits; whatever of its process group is left then is killed.
    void stop();
    /// Kills it with all its children at once, as a power cut does but for the system's FIN or RST.
    void kill();
    void restart() {
        stop();
        start();
    }
    /// Stops all its processes (SIGSTOP): the system still completes TCP handshakes, nothing answers.
    void freeze();
    void thaw();

private:
    void end_group();

    std::string name_;
    std::string script_;
    ServerOptions options_;
    TempDir directory_;
    std::uint16_t port_{0};
    std::uint16_t port2_{0};
    pid_t pid_{0};
};

}  // namespace qconn::test
