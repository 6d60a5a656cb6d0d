// SPDX-License-Identifier: Apache-2.0
/// Findings as SARIF 2.1.0, for code review tools.
#pragma once

#include <string>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn::cli {

/// What is said of a run beside its findings.
struct SarifRun {
    /// Of the tool.
    std::string version;
    /// Absolute; what the URIs of files in it are relative to.
    std::string directory;
    /// Why the run saw less than it should.
    std::vector<std::string> failures;
};

/// The log. A note of the code and connection of another finding is a related place of that.
Value sarif_log(const Diagnostics& findings, const SarifRun& run);

/// A file in the directory: its path from there, otherwise `file://` and the absolute path; percent-encoded.
std::string artifact_uri(const std::string& file, const std::string& directory);

}  // namespace qconn::cli
