// SPDX-License-Identifier: Apache-2.0
/// `qconn man`: the manual page.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include <qconn/base/wall_time.hpp>

#include "cli/man_page.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

/// Today, or what a reproducible build says is today.
std::string date() {
    auto now = std::chrono::system_clock::now();
    if (const char* set = std::getenv("SOURCE_DATE_EPOCH")) {
        const std::string_view text = set;
        long long seconds = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec == std::errc{})
            now = std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
    }
    return rfc3339(now).substr(0, 10);
}

}  // namespace

void add_man(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("man", "Print the manual page, for 'man -l -' and for installing");
    command->footer(
        "Examples:\n"
        "  qconn man | man -l -\n"
        "  qconn man > /usr/local/share/man/man1/qconn.1");
    command->callback([&tool] {
        tool.run = [&tool] {
            tool.out.text(man_page(*tool.app, QCONN_VERSION, date()));
            return k_ok;
        };
    });
}

}  // namespace qconn::cli
