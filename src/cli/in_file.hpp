// SPDX-License-Identifier: Apache-2.0
/// A connection where it stands, for commands that change files.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/core/definition.hpp>
#include <qconn/core/registry.hpp>

#include "cli/definition_file.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {

/// As its file says it, before any check.
struct InFile {
    std::string path;
    std::unique_ptr<DefinitionFile> file;
    Definition definition;
};

/// A registry would read the file in the legacy text form.
bool is_legacy(const std::string& path);

/// @throws NotFound; Error as DefinitionFile, EDIT-ERROR for a file of the legacy form, and FILE-CHANGED where the registry has read another text
/// than is there now
InFile find_in_file(const Registry& registry, const std::string& name);

/// @throws Error CONNECTION-LOCKED
void require_unlocked(const Registry& registry, const std::string& name, std::string_view what);

/// What is wrong with the connection `name` in the new text of a file and was not in the old one; all findings have places in the new text.
Diagnostics new_errors(const Tool& tool, const std::string& path, std::string_view before, std::string_view after, const std::string& name);

/// A unified diff in which secrets are masked.
std::string masked_diff(const Tool& tool, const std::string& path, std::string_view before, std::string_view after);

/// Tells on standard error what is wrong with a text that was to be written. @returns k_failed
int refuse(Tool& tool, const Diagnostics& findings);

}  // namespace qconn::cli
