// SPDX-License-Identifier: Apache-2.0
// Any text through every importer: what comes out is written, read and written again; findings have places and hold no control characters.
#include <qconn/import/import.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "core/secret_ref.hpp"
#include "fuzz/check_diagnostic.hpp"
#include "fuzz/require.hpp"

using namespace qconn;
using qconn::fuzz::check;

namespace {

/// What an importer of another system makes refers to the environment only: no file of the source's choice is read, no command run.
void check_references(const Definition& definition) {
    std::vector<core::SecretRef> references;
    core::collect_references(std::string_view{definition.url}, references);
    core::collect_references(Value{definition.options}, references);
    for (const core::SecretRef& reference : references) QCONN_REQUIRE(reference.prefix == "env");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    const ImportOptions options{.keep_secrets = size % 2 == 1};
    for (const Importer& importer : importers()) {
        const Imported imported = import_connections({{&importer, text, "fuzz"}}, options);
        for (const Diagnostic& d : imported.diagnostics) check(d);
        for (const ImportedSecret& secret : imported.secrets) QCONN_REQUIRE(!secret.variable.empty());
        std::set<std::string> names;
        for (const Definition& definition : imported.definitions) {
            QCONN_REQUIRE(names.insert(definition.name).second);
            if (importer.name != "legacy") check_references(definition);
            const std::string yaml = to_yaml(definition);
            const ParsedDefinitions back = parse_definitions(yaml, "back");
            QCONN_REQUIRE(!has_errors(back.diagnostics) && back.definitions.size() == 1);
            QCONN_REQUIRE(back.definitions.front() == definition);
            QCONN_REQUIRE(to_yaml(back.definitions.front()) == yaml);
        }
    }
    return 0;
}
