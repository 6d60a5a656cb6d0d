// SPDX-License-Identifier: Apache-2.0
/// Definitions as files of a directory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/definition.hpp>

namespace qconn::cli {

/// `NAME.qconn.yaml` with '_' for what no file name should hold; never hidden.
std::string definition_file_name(std::string_view name);

/// One path a definition, different from each other also where case does not count.
std::vector<std::string> definition_paths(const std::vector<Definition>& definitions, const std::string& directory);

/// Makes the directory where it is not there, and writes all files; none is ever half there.
/// @param force  files that are there are replaced; otherwise nothing is written where one of them is
/// @param secret  the texts hold secrets: only their owner may read the files
/// @throws Error IMPORT-ERROR naming what is there already, or the file and why it cannot be written
void write_definitions(const std::vector<Definition>& definitions, const std::vector<std::string>& paths, const std::string& directory, bool force,
                       bool secret);

/// A whole file; "-" is standard input.
/// @throws NotFound where there is none, Error IMPORT-ERROR where it cannot be read
std::string read_source(const std::string& path);

}  // namespace qconn::cli
