// SPDX-License-Identifier: Apache-2.0
/// The text form that definitions had before the YAML one; core reads it.
#include <utility>

#include <qconn/core/legacy.hpp>

#include "import/formats.hpp"
#include "import/run.hpp"

namespace qconn::importing {

void read_legacy_form(std::string_view text, Run& run) {
    LegacyImport read = read_legacy(text, run.file(), {.defines = run.options().defines}, &run.catalogue());
    run.add(std::move(read.definitions), std::move(read.notes));
}

}  // namespace qconn::importing
