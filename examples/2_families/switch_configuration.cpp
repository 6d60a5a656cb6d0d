// SPDX-License-Identifier: Apache-2.0
// Lines of configuration for a switch that is reached by TELNET, with a look at what it says to each.
//
//     switch_configuration DIRECTORY-WITH-DEFINITIONS CONNECTION ENABLE-PASSWORD LINE...
#include <chrono>
#include <iostream>
#include <string>

#include <qconn/qconn.hpp>

using namespace std::chrono_literals;

namespace {

/// From the mode for everybody to the one for administrators: the password is asked for, so this is a dialogue by hand.
bool enable(qconn::TelnetClient& device, const std::string& password) {
    device.send_line("enable", 10s);
    device.expect("(?i)password: ?$", 10s);
    device.send_line(qconn::Secret{password}, 10s);  // neither transcript nor log shows it
    const qconn::TelnetMatch prompt = device.expect({"\\S+#$", "\\S+>$", "(?i)password: ?$"}, 10s);
    if (prompt.pattern != 0) std::cerr << "the switch does not let us in: " << prompt.text << '\n';
    return prompt.pattern == 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::cerr << "usage: switch_configuration DIRECTORY CONNECTION ENABLE-PASSWORD LINE...\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        // What one user has begun another must not go on with: this client is ours alone.
        const auto device = registry.open<qconn::TelnetClient>(argv[2]);
        device->login(30s);
        if (!enable(*device, argv[3])) return 1;

        device->run("configure terminal", 10s);
        for (int i = 4; i < argc; ++i) {
            const std::string prompt = device->session().prompt;
            const std::string said = device->run(argv[i], 30s);
            if (said.starts_with('%')) {
                std::cerr << "the switch refused \"" << argv[i] << "\": " << said;
                return 1;
            }
            std::cout << prompt << ' ' << argv[i] << '\n' << said;
            if (!said.empty() && !said.ends_with('\n')) std::cout << '\n';
        }
        device->run("end", 10s);
        device->close(5s);
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
