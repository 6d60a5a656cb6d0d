// SPDX-License-Identifier: Apache-2.0
// Any text as a private file of secrets: read, put into a definition, taken out again, added to. No finding shows a value.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/core/secret_overlay.hpp>

#include "core/overlay_text.hpp"
#include "fuzz/check_diagnostic.hpp"
#include "fuzz/require.hpp"

using namespace qconn;

namespace {

std::size_t entries_of(const core::OverlayText& text) {
    std::size_t count = 0;
    for (const auto& [name, connection] : text.connections) count += connection.entries.size();
    return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const core::OverlayText parsed = core::parse_overlay(text, "fuzz");
    QCONN_REQUIRE(parsed.problems.empty() || parsed.connections.empty());
    for (const Diagnostic& d : parsed.problems) fuzz::check(d);
    for (const auto& [name, connection] : parsed.connections) {
        for (const Diagnostic& d : connection.findings) fuzz::check(d);
        for (const core::OverlayEntry& one : connection.entries) {
            QCONN_REQUIRE(core::is_overlay_key(one.key) && !one.value.empty());
            QCONN_REQUIRE(parsed.find(name, one.key) == &one);
        }
    }
    try {
        const std::string more = add_overlay_entry(text, "shop", "password", "p: #\n'\"");
        const core::OverlayText again = core::parse_overlay(more, "fuzz");
        QCONN_REQUIRE(again.find("shop", "password")->value.reveal() == "p: #\n'\"");
        QCONN_REQUIRE(entries_of(again) == entries_of(parsed) + 1);
        const std::string other = set_overlay_entry(more, "shop", "password", "q\n");
        QCONN_REQUIRE(core::parse_overlay(other, "fuzz").find("shop", "password")->value.reveal() == "q\n");
    } catch (const Error& error) { QCONN_REQUIRE(error.name() == "EDIT-ERROR"); }

    // The text as the URL of a definition: what cannot be read as it was before is left alone.
    Definition definition;
    definition.url = std::string{text};
    definition.options = Map{{"proxy", definition.url}};
    SecretOverlay::strip(definition);
    Definition twice = definition;
    SecretOverlay::strip(twice);
    return 0;
}
