// SPDX-License-Identifier: Apache-2.0
// Any text as a file of settings: read, checked, shown; what has no finding can be used.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "fuzz/require.hpp"
#include "settings/read.hpp"
#include "settings/tables.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    settings::Reader reader;
    reader.text({reinterpret_cast<const char*>(data), size}, "fuzz");
    reader.check_together();
    for (const Diagnostic& d : reader.diagnostics()) {
        QCONN_REQUIRE(!d.code.empty() && !d.message.empty());
        QCONN_REQUIRE(d.place.line == 0 || (d.place.column >= 1 && d.place.length >= 1));
        QCONN_REQUIRE(text::valid_utf8(render(d)));
    }
    Map monitor;
    for (const auto& [name, given] : reader.given()) {
        const core::KnownOption known = settings::all_by_full_name().options.at(name);
        QCONN_REQUIRE(!known.is_alias && core::has_type(given.value, known.spec->type));
        if (name.starts_with("monitor.")) monitor.set(name.substr(8), given.value);
    }
    if (!has_errors(reader.diagnostics())) {
        MonitorOptions options;
        settings::monitor_table().apply(monitor, options);
    }
    return 0;
}
