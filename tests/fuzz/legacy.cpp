// SPDX-License-Identifier: Apache-2.0
// Any text as a legacy definition file: read, checked, shown, converted, and the YAML of it read again.
#include <qconn/core/legacy.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/secret_ref.hpp"
#include "fuzz/check_diagnostic.hpp"
#include "fuzz/require.hpp"
#include "unit/core/test_catalogue.hpp"

using namespace qconn;
using qconn::fuzz::check;

namespace {

/// Every variable that is set tries to become a reference, or to give itself away in a finding.
std::optional<std::string> hostile(const std::string& name) {
    if (name.size() % 3 == 0) return std::nullopt;
    return name.size() % 3 == 1 ? "x$" : "{file:/canary}${file:/canary}$";
}

bool refers_to_canary(std::string_view text) {
    for (const auto& piece : core::scan_secrets(text).pieces)
        if (piece.kind == core::SecretPiece::Kind::reference && piece.text.find("canary") != std::string_view::npos) return true;
    return false;
}

void check_all(const ParsedDefinitions& parsed) {
    QCONN_REQUIRE(!parsed.unreadable || (parsed.definitions.empty() && has_errors(parsed.diagnostics)));
    for (const auto& d : parsed.diagnostics) check(d);
    for (const Definition& definition : parsed.definitions) {
        QCONN_REQUIRE(!definition.name.empty() && definition.place.line > 0);
        Definition checked = definition;
        Diagnostics found;
        const bool valid = test::catalogue().check(checked, found, &parsed);
        for (const auto& d : found) {
            check(d);
            // What of a URL may be shown has a target of its own.
            QCONN_REQUIRE(d.code == "bad-url" || render(d).find("canary") == std::string::npos);
        }
        QCONN_REQUIRE(valid || has_errors(found) || has_errors(parsed.diagnostics));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (text.find("canary") != std::string_view::npos) return 0;
    const LegacyOptions options{
        .defines = {"A", "LOCAL"}, .limits = {.max_file_size = 64 * 1024, .max_depth = 30, .max_nodes = 20'000}, .environment = hostile};
    const ParsedDefinitions parsed = parse_legacy_definitions(text, "fuzz", options);
    check_all(parsed);
    for (const Definition& definition : parsed.definitions) {
        QCONN_REQUIRE(!refers_to_canary(definition.url) || has_errors(parsed.diagnostics));
        for (const auto& [name, value] : definition.options) QCONN_REQUIRE(!refers_to_canary(value.as_string()) || has_errors(parsed.diagnostics));
    }

    const LegacyImport converted = read_legacy(text, "fuzz", options, &test::catalogue());
    QCONN_REQUIRE(converted.unreadable == parsed.unreadable && converted.definitions.size() == parsed.definitions.size());
    for (const auto& d : converted.notes) check(d);
    for (const Definition& definition : converted.definitions) {
        const std::string yaml = to_yaml(definition);
        QCONN_REQUIRE(yaml.find("canary") == std::string::npos);
        const ParsedDefinitions back = parse_definitions(yaml, "back");
        QCONN_REQUIRE(back.definitions.size() == 1 && back.definitions.front() == definition);
    }
    return 0;
}
