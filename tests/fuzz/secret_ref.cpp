// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

#include "core/environment.hpp"
#include "fuzz/require.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    // The pieces are the text, nothing left out and nothing twice.
    const auto scan = core::scan_secrets(text);
    std::string joined;
    for (const auto& piece : scan.pieces) joined += piece.text;
    QCONN_REQUIRE(joined == text);
    for (const auto& problem : scan.problems) QCONN_REQUIRE(problem.offset + problem.length <= size && !problem.message.empty());

    const core::SecretTokens tokens{text};
    QCONN_REQUIRE(tokens.restore(tokens.opaque()) == text);
    if (scan.problems.empty()) QCONN_REQUIRE(!core::scan_secrets(tokens.opaque()).has_references());

    try {
        (void)core::substitute_environment(
            text, "x", [](const std::string& name) -> std::optional<std::string> { return name.size() == 1 ? "$A$" + name : std::string{"v"}; },
            {.max_replacements = 50, .max_size = 4096});
    } catch (const Error&) {}
    return 0;
}
