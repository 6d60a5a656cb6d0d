// SPDX-License-Identifier: Apache-2.0
/// The definition files of one directory put in the place of another's: all of them or none.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/registry.hpp>

#include "cli/definition_file.hpp"

namespace qconn::cli {

/// What has to be done to files, worked out from what both directories held when it was made. Files that hold no definitions are left alone.
class Deployment {
public:
    enum class Step { add, replace, remove };
    struct File {
        Step step;
        std::string path;                          ///< in the directory that is changed
        std::unique_ptr<DefinitionFile> before{};  ///< null: it is added
        std::unique_ptr<DefinitionFile> after{};   ///< null: it goes
    };

    /// @param options  say which files hold definitions
    /// @throws NotFound where one of them is no directory; UsageError where they are the same; Error SYSTEM-ERROR
    Deployment(const std::string& from, const std::string& to, const RegistryOptions& options);

    /// By name.
    const std::vector<File>& files() const noexcept { return files_; }
    /// What comes and what is replaced first, so that a connection which moves from one file to another is never missing.
    /// @throws Error FILE-CHANGED, SYSTEM-ERROR: then all is as it was, or the message says what is not
    void carry_out();

private:
    std::vector<File> files_;
};

std::string_view to_string(Deployment::Step step) noexcept;

}  // namespace qconn::cli
