// SPDX-License-Identifier: Apache-2.0
/// A directory of definitions for one test.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "process.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

namespace qconn::test {

struct Estate {
    TempDir directory;

    /// @param rest  further lines of the document, for example "options:\n  timeout: 5\n"
    void add(std::string_view name, std::string_view url, std::string_view rest = {}) const {
        std::string text = "type: connection\nname: ";
        ((((text += name) += "\ndesc: for a test\nurl: ") += url) += '\n') += rest;
        // Renamed into place: who watches the directory sees no half of it.
        std::filesystem::rename(directory.write(".new", text), directory / (std::string{name} + ".qconn.yaml"));
    }
    /// A monitor says nothing of how full the disk of this machine is.
    static std::vector<std::string> with_room(const std::vector<std::string>& arguments, std::vector<std::string> environment) {
        if (std::find(arguments.begin(), arguments.end(), "monitor") != arguments.end()) environment.emplace_back("QCONN_MONITOR_ALERT_FS_FULL=100");
        return environment;
    }
    Outcome run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) const {
        return run_qconn(arguments, with_room(arguments, environment), directory.path());
    }
    Launch launch(std::vector<std::string> arguments, std::vector<std::string> environment = {}) const {
        environment = with_room(arguments, std::move(environment));
        return qconn_launch(std::move(arguments), std::move(environment), directory.path());
    }
};

}  // namespace qconn::test
