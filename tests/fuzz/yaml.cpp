// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"

using namespace qconn;

namespace {

void check(const yaml::Node& node, std::size_t size) {
    QCONN_REQUIRE(node.start().line >= 1 && node.start().column >= 1);
    QCONN_REQUIRE(node.start().offset <= node.end().offset && node.end().offset <= size);
    QCONN_REQUIRE(node.length() >= 1);
    std::size_t n = 0;
    for (const yaml::Node& child : node.items()) {
        check(child, size);
        ++n;
    }
    QCONN_REQUIRE(n == node.size() * (node.is_mapping() ? 2U : 1U));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const yaml::Limits limits{.depth = 30, .nodes = 20'000};

    const yaml::ParseResult parsed = yaml::parse(text, limits);
    QCONN_REQUIRE(!parsed.fatal || !parsed.problems.empty());
    for (const auto& p : parsed.problems) QCONN_REQUIRE(!p.code.empty() && !p.message.empty() && p.length >= 1 && p.at.offset <= size);
    for (const yaml::Document& document : parsed.documents) {
        check(*document.root, size);
        std::vector<yaml::Problem> problems;
        yaml::to_value(*document.root, &problems, yaml::Dialect::core);
        for (const auto& p : problems) QCONN_REQUIRE(!p.code.empty() && p.at.offset <= size);
    }

    const auto value = yaml::decode(text, limits);
    if (!value) return 0;
    std::string written;
    try {
        written = yaml::encode(*value);
    } catch (const Error&) {
        return 0;  // a tag over binary, and the like
    }
    const auto back = yaml::decode(written);
    QCONN_REQUIRE(back);
    // Not the values: NaN equals nothing.
    QCONN_REQUIRE(yaml::encode(*back) == written);
    return 0;
}
