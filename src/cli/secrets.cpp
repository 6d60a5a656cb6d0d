// SPDX-License-Identifier: Apache-2.0
/// `qconn secrets`: literal secrets in definition files, and how to get them out of there.
#include "cli/secrets.hpp"

#include <CLI/CLI.hpp>

namespace qconn::cli {

std::string where_text(const std::vector<std::string>& where) {
    std::string out;
    for (const std::string& part : where) {
        const auto end = part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
        out.append(out.empty() ? "" : ".").append(part, 0, end).append(end == std::string::npos ? "" : "…");
    }
    return out;
}

void add_secrets(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("secrets", "Secrets that stand in definition files: find them, move them out");
    command->require_subcommand(1);
    add_audit(*command, tool);
    add_extract(*command, tool);
}

}  // namespace qconn::cli
