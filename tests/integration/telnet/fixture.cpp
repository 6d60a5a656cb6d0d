// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>

#include "support/raw_socket.hpp"

namespace qconn::test {

Server& telnetd() {
    static Server server{"telnetd"};
    return server;
}

Device device(const std::string& words) {
    static Server server{"device"};
    static std::map<std::string, Device> all{{"", {server.port()}}};
    static std::mutex mutex;
    const std::scoped_lock lock{mutex};
    const auto known = all.find(words);
    if (known != all.end()) return known->second;
    const RawSocket control{server.port2()};
    if (!control.connected(std::chrono::seconds{10})) throw std::runtime_error{"the device's control port takes no connection"};
    control.say(words + "\n");
    const std::string port = control.hear(std::chrono::seconds{20}, 64);
    return all[words] = {static_cast<std::uint16_t>(std::stoi(port))};
}

TelnetOptions telnet_options(std::uint16_t port, std::string_view user) {
    TelnetOptions options;
    options.label = "box";
    options.host = "127.0.0.1";
    options.port = port;
    options.username = std::string{user};
    options.password = Secret{std::string{k_password}};
    options.timeout = std::chrono::seconds{20};
    return options;
}

}  // namespace qconn::test
