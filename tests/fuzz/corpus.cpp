// SPDX-License-Identifier: Apache-2.0
/// Runs a corpus, and beginnings of each of its small files, through a fuzz target: what was found once stays found.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/catch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

TEST_CASE("the corpus passes", "[corpus]") {
    constexpr std::size_t k_small = 2048;
    constexpr std::size_t k_beginnings = 300;
    std::size_t files = 0;
    LLVMFuzzerTestOneInput(nullptr, 0);
    for (const auto& entry : std::filesystem::directory_iterator{QCONN_CORPUS}) {
        std::ifstream in{entry.path(), std::ios::binary};
        const std::string content{std::istreambuf_iterator<char>{in}, {}};
        const auto* data = reinterpret_cast<const std::uint8_t*>(content.data());
        INFO(entry.path().filename().string());
        CHECK(LLVMFuzzerTestOneInput(data, content.size()) == 0);
        for (std::size_t n = 0; content.size() <= k_small && n < content.size(); n += 1 + content.size() / k_beginnings) {
            const std::string beginning = content.substr(0, n);  // a block of its own, so that AddressSanitizer sees a step too far
            CHECK(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(beginning.data()), n) == 0);
        }
        ++files;
    }
    CHECK(files > 0);
}
