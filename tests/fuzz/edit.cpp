// SPDX-License-Identifier: Apache-2.0
// Any text as a definition file that is edited: what is asked for comes out, or nothing does.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/scheme.hpp>

#include "fuzz/require.hpp"
#include "unit/core/test_catalogue.hpp"

using namespace qconn;

namespace {

constexpr DefinitionLimits k_limits{.max_file_size = 64 * 1024, .max_depth = 30, .max_nodes = 20'000};

/// Both readings of it agree but for one document.
void check(const ParsedDefinitions& before, std::string_view result, const Definition& meant, std::size_t index) {
    const ParsedDefinitions after = parse_definitions(result, "fuzz", k_limits);
    QCONN_REQUIRE(after.definitions.size() == before.definitions.size());
    for (std::size_t i = 0; i < after.definitions.size(); ++i) QCONN_REQUIRE(after.definitions[i] == (i == index ? meant : before.definitions[i]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const ParsedDefinitions parsed = parse_definitions(text, "fuzz", k_limits);
    (void)masked_lines(text, test::catalogue(), k_limits);
    for (std::size_t i = 0; i < parsed.definitions.size() && i < 3; ++i) {
        const Definition& definition = parsed.definitions[i];
        bool first = true;
        for (std::size_t k = 0; k < i; ++k) first = first && parsed.definitions[k].name != definition.name;
        if (!first) continue;
        const Scheme* const scheme = test::catalogue().find(definition.scheme());
        const auto attempt = [&](Definition meant) {
            try {
                const std::string result = edit_definition(text, definition.name, meant, k_limits);
                check(parsed, result, meant, i);
                QCONN_REQUIRE(!(meant == definition) || result == text);
            } catch (const Error&) {}  // refused
        };
        attempt(definition);
        Definition meant = definition;
        meant.url = "shop://u:p@h/#x";
        meant.options.set("timeout", 5);
        attempt(meant);
        meant = definition;
        if (!meant.options.empty()) {
            const std::string name = meant.options.begin()->first;
            meant.options.set(name, "a: #b");
            attempt(meant);
            meant.options.erase(name);
            attempt(meant);
        }
        for (const LiteralSecret& secret : literal_secrets(definition, scheme, &parsed)) {
            if (!secret.fixed.empty()) continue;
            meant = definition;
            replace_secret(meant, secret, "${env:X}", scheme);
            attempt(meant);
        }
        try {
            const std::string rest = remove_definition(text, definition.name, k_limits);
            QCONN_REQUIRE(parse_definitions(rest, "fuzz", k_limits).definitions.size() + 1 == parsed.definitions.size());
        } catch (const Error&) {}
    }
    return 0;
}
