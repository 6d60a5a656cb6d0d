// SPDX-License-Identifier: Apache-2.0
// A directory of this machine and its mirror behind a connection, whatever protocol that speaks.
//
//     mirror DIRECTORY-WITH-DEFINITIONS CONNECTION LOCAL-DIRECTORY
#include <iostream>
#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: mirror DIRECTORY CONNECTION LOCAL-DIRECTORY\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto there = registry.get<qconn::FileTransferClient>(argv[2]).pin();

        qconn::TreeOptions options;
        options.only_changed = true;   // by size and time
        options.remove_others = true;  // what is not here any more goes, if all else went well
        options.progress = [](const qconn::TreeProgress&, std::string_view path) {
            std::cout << path << '\n';
            return true;
        };
        const qconn::TreeReport report = qconn::put_tree(*there, argv[3], "", options);
        std::cout << report.files << " sent, " << report.unchanged << " unchanged, " << report.removed << " removed\n";
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
