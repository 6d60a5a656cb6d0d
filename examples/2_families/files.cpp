// SPDX-License-Identifier: Apache-2.0
// Files of a directory through a named connection: the code does not know where they are.
//
//     files DIRECTORY-WITH-DEFINITIONS CONNECTION
#include <iostream>
#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: files DIRECTORY CONNECTION\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        // The base type: an SFTP or FTP connection of that name would do as well.
        const auto inbox = registry.get<qconn::FileTransferClient>(argv[2]);

        inbox->write("order.txt", "17 x A-1\n");  // readers see the whole file or none of it
        inbox->move("order.txt", "order.done", true);
        for (const qconn::FileInfo& file : inbox->list({}, "*.done")) {
            std::cout << file.name << ", " << file.size << " bytes: " << inbox->read(file.name);
        }
        inbox->remove("order.done");
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
