// SPDX-License-Identifier: Apache-2.0
// Lines of listings, of each kind.
#include "ftp/listing.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace qconn::ftp;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::chrono::system_clock::time_point now{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        for (const ListingLine& one : {parse_mlst(line), parse_list(line, now)}) {
            if (one.kind != ListingLine::Kind::entry) continue;
            QCONN_REQUIRE(!one.info.name.empty() && one.info.name.find('/') == std::string::npos);
            QCONN_REQUIRE(one.info.name != "." && one.info.name != "..");
            if (one.info.modified) QCONN_REQUIRE(parse_time(format_time(*one.info.modified)).has_value());
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return 0;
}
