// SPDX-License-Identifier: Apache-2.0
// Any text through every importer: what comes out is written, read and written again; findings have places and hold no control characters.
#include <qconn/import/import.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "core/secret_ref.hpp"
#include "fuzz/require.hpp"

using namespace qconn;

namespace {

void check(const Diagnostic& d) {
    QCONN_REQUIRE(!d.code.empty() && !d.message.empty());
    QCONN_REQUIRE(d.place.line == 0 || (d.place.column >= 1 && d.place.length >= 1));
    const std::string shown = render(d);
    QCONN_REQUIRE(text::valid_utf8(shown));
    for (const char c : shown) QCONN_REQUIRE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

/// What an importer makes refers to the environment only: no file of the source's choice is read, no command run.
void check_references(const Definition& definition) {
    std::vector<core::SecretRef> references;
    core::collect_references(std::string_view{definition.url}, references);
    core::collect_references(Value{definition.options}, references);
    for (const core::SecretRef& reference : references) QCONN_REQUIRE(reference.kind == core::SecretKind::environment);
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
            if (importer.name != "qconn") check_references(definition);  // the form has references of its own
            const std::string yaml = to_yaml(definition);
            const ParsedDefinitions back = parse_definitions(yaml, "back");
            QCONN_REQUIRE(!has_errors(back.diagnostics) && back.definitions.size() == 1);
            QCONN_REQUIRE(back.definitions.front() == definition);
            QCONN_REQUIRE(to_yaml(back.definitions.front()) == yaml);
        }
    }
    return 0;
}
