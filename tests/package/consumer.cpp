// SPDX-License-Identifier: Apache-2.0
// A user's program: reads definitions, looks a connection up, uses it.
#include <cstdio>
#include <string>

#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    qconn::Registry registry;
    const auto report = registry.load(argv[1]);
    for (const auto& diagnostic : report.diagnostics) std::fputs(qconn::render(diagnostic).c_str(), stderr);

    auto inbox = registry.get<qconn::FileClient>("inbox");
    inbox->write("hello.txt", "hello\n");
    const std::string text = inbox->read("hello.txt");
    try {
        (void)registry.get<qconn::FileClient>("inbx");
        return 1;
    } catch (const qconn::Error& e) { std::printf("%s\n", e.what()); }
    return report.ok() && text == "hello\n" ? 0 : 1;
}
