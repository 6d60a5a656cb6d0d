// SPDX-License-Identifier: Apache-2.0
// A command on another machine through a named connection.
//
//     remote_command DIRECTORY-WITH-DEFINITIONS CONNECTION WORD...
#include <chrono>
#include <iostream>
#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: remote_command DIRECTORY CONNECTION WORD...\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto host = registry.get<qconn::SshClient>(argv[2]);

        qconn::SshCommand command;
        for (int i = 3; i < argc; ++i) command.command += qconn::ssh_quote(argv[i]) + ' ';  // no word is more than a word to the shell there
        command.output = qconn::function_sink([](std::string_view bytes) { std::cout << bytes; });
        const qconn::SshResult result = host->run(command, std::chrono::seconds{60});
        std::cerr << result.errors;
        if (result.status) return *result.status;
        std::cerr << "ended by signal " << result.signal << '\n';
        return 1;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
