// SPDX-License-Identifier: Apache-2.0
// qconn's own definitions in the text form before YAML.
#include <utility>

#include <qconn/core/legacy.hpp>

#include "import/formats.hpp"
#include "import/run.hpp"

namespace qconn::importing {

void read_qconn_text(std::string_view text, Run& run) {
    LegacyImport read = read_legacy(text, run.file(), {.defines = run.options().defines, .limits = {}, .environment = {}}, &run.catalogue());
    if (read.definitions.empty() && !has_errors(read.notes)) return;
    // The run tells of it once for all.
    std::erase_if(read.notes, [](const Diagnostic& d) { return d.code == "unknown-scheme"; });
    ParsedDefinitions parsed;
    parsed.definitions = std::move(read.definitions);
    parsed.diagnostics = std::move(read.notes);
    run.add(std::move(parsed));
}

}  // namespace qconn::importing
