// SPDX-License-Identifier: Apache-2.0
// Any text as a definition file: read, checked, shown, masked, written and read again.
#include <qconn/core/definition.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/core/scheme.hpp>

#include "core/mask.hpp"
#include "fuzz/check_diagnostic.hpp"
#include "fuzz/require.hpp"
#include "unit/core/test_catalogue.hpp"

using namespace qconn;
using qconn::fuzz::check;

namespace {

/// Nothing where the definition holds what YAML cannot (text that is not UTF-8 cannot come from a file, but a tag over binary data can).
std::string written(const Definition& definition) {
    try {
        return to_yaml(definition);
    } catch (const Error&) { return {}; }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const ParsedDefinitions parsed = parse_definitions(text, "fuzz", {.max_file_size = 64 * 1024, .max_depth = 30, .max_nodes = 20'000});
    QCONN_REQUIRE(!parsed.unreadable || (parsed.definitions.empty() && has_errors(parsed.diagnostics)));
    for (const auto& d : parsed.diagnostics) check(d);

    for (const Definition& definition : parsed.definitions) {
        Definition checked = definition;
        Diagnostics found;
        const bool valid = test::catalogue().check(checked, found, &parsed);
        for (const auto& d : found) check(d);
        QCONN_REQUIRE(valid || has_errors(found) || has_errors(parsed.diagnostics));
        if (valid) {
            // What has passed once passes again as it now stands.
            Diagnostics again;
            QCONN_REQUIRE(test::catalogue().check(checked, again));
            QCONN_REQUIRE(!has_errors(again));
        }
        (void)core::masked(checked, test::catalogue().find(checked.scheme()));

        const std::string yaml = written(definition);
        if (yaml.empty()) continue;
        const ParsedDefinitions back = parse_definitions(yaml, "back");
        QCONN_REQUIRE(back.definitions.size() == 1);
        QCONN_REQUIRE(to_yaml(back.definitions.front()) == yaml);
    }
    return 0;
}
