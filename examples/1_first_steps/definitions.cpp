// SPDX-License-Identifier: Apache-2.0
// Loads definitions and tells what is wrong with them, and what each connection is.
//
//     definitions DIRECTORY
#include <iostream>
#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: definitions DIRECTORY\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        const qconn::LoadReport report = registry.load(argv[1]);
        for (const qconn::Diagnostic& finding : report.diagnostics) std::cerr << qconn::render(finding);

        // A bad definition concerns its own connection only; the others work.
        for (const qconn::ConnectionInfo& info : registry.infos()) {
            std::cout << info.name << ": " << info.type << " at " << info.url << '\n';  // passwords are masked
        }
        return report.ok() ? 0 : 1;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
